//! Which columns of a parquet file hold pictures and classes.

use ::parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use ::parquet::file::metadata::FileMetaData;
use ::parquet::schema::types::{ColumnDescriptor, Type};
use serde_json::Value;

use super::Wrong;

/// Key of the metadata in which datasets says what its columns are.
const KEY: &str = "huggingface";
/// Columns of pictures that are preferred, the best first.
const PICTURES: [&str; 2] = ["image", "img"];
/// Columns of integers that are labels even where no metadata says so, the best first.
const LABELS: [&str; 3] = ["label", "labels", "fine_label"];
/// Sentences name this many columns.
const MAX_LISTED: usize = 12;

/// The columns to read, as indices of leaves of the schema.
#[derive(Debug)]
pub(super) struct Columns {
    /// Picture files.
    pub(super) pictures: usize,
    /// Integers.
    pub(super) labels: Option<usize>,
    /// In the order of the labels, where the metadata says.
    pub(super) class_names: Option<Vec<String>>,
    /// Both, in words.
    description: String,
}

impl Columns {
    /// Finds the columns by the metadata of datasets, else by type and name.
    pub(super) fn find(file: &FileMetaData) -> Result<Self, Wrong> {
        let features = features(file);
        let kind = |leaf: &ColumnDescriptor| features[top(leaf)]["_type"].as_str();
        let leaves = file.schema_descr().columns();
        let flat = || leaves.iter().enumerate().filter(|(_, leaf)| leaf.max_rep_level() == 0);

        let candidates: Vec<_> = flat()
            .filter(|(_, leaf)| {
                is_binary(leaf) && matches!(kind(leaf), None | Some("Image" | "Value"))
            })
            .collect();
        let rank = |leaf: &ColumnDescriptor| {
            (kind(leaf) != Some("Image"), is_plain(leaf), position(&PICTURES, leaf))
        };
        let best = candidates.iter().min_by_key(|(_, leaf)| rank(leaf));
        let (pictures, leaf) = best.ok_or_else(|| none_of(file))?;
        // Which of several plain columns holds pictures can only be guessed.
        let alike: Vec<&str> = candidates.iter().map(|(_, l)| top(l)).collect();
        if rank(leaf) == (true, true, PICTURES.len()) && alike.len() > 1 {
            let expected = "one column of pictures, or one named image".into();
            return Err((expected, format!("columns {}", listed(&alike)), "rename it to image"));
        }

        let labels = flat().filter(|(_, leaf)| is_integer(leaf) && is_plain(leaf));
        let rank =
            |leaf: &ColumnDescriptor| (kind(leaf) != Some("ClassLabel"), position(&LABELS, leaf));
        let labels = labels
            .min_by_key(|(_, leaf)| rank(leaf))
            .filter(|(_, leaf)| rank(leaf) != (true, LABELS.len()));
        let label_name = labels.map(|(_, leaf)| top(leaf));
        let class_names = label_name.and_then(|name| features[name]["names"].as_array());
        let class_names = class_names.map(|names| {
            names.iter().map(|n| n.as_str().map_or_else(|| n.to_string(), String::from)).collect()
        });
        let description = match label_name {
            Some(name) => format!("pictures in {} and labels in {name}", leaf.path().string()),
            None => format!("pictures in {} and no labels", leaf.path().string()),
        };
        let labels = labels.map(|(leaf, _)| leaf);
        Ok(Self { pictures: *pictures, labels, class_names, description })
    }

    /// Checks that columns and class names are those of another file of the data set.
    pub(super) fn check_same(&self, other: &Self, other_file: &str) -> Result<(), Wrong> {
        let remedy = "open files that differ as data sets of their own";
        if self.description != other.description {
            let expected = format!("{} as in {other_file}", other.description);
            return Err((expected, self.description.clone(), remedy));
        }
        if self.class_names == other.class_names {
            return Ok(());
        }
        let words = |names: &Option<Vec<String>>, class: usize| match names {
            Some(names) => match names.get(class) {
                Some(name) => format!("class {class} named {name}"),
                None => format!("no class {class}"),
            },
            None => "no class names".into(),
        };
        let [mine, others] = [self, other].map(|columns| columns.class_names.iter().flatten());
        let same = mine.zip(others).take_while(|(mine, other)| mine == other).count();
        let expected = format!("{} as in {other_file}", words(&other.class_names, same));
        Err((expected, words(&self.class_names, same), remedy))
    }
}

/// What datasets says of each column; null where it says nothing.
fn features(file: &FileMetaData) -> Value {
    let mut entries = file.key_value_metadata().into_iter().flatten();
    let text = entries.find(|entry| entry.key == KEY).and_then(|entry| entry.value.as_deref());
    let parsed: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    parsed.map_or(Value::Null, |mut value| value["info"]["features"].take())
}

/// The name of the column that a leaf belongs to.
fn top(leaf: &ColumnDescriptor) -> &str {
    leaf.path().parts().first().map_or("", String::as_str)
}

fn is_plain(leaf: &ColumnDescriptor) -> bool {
    leaf.path().parts().len() == 1
}

/// Bytes that are no text, alone or as `bytes` of a struct.
fn is_binary(leaf: &ColumnDescriptor) -> bool {
    let path = leaf.path().parts();
    (path.len() == 1 || path.len() == 2 && path[1] == "bytes")
        && leaf.physical_type() == Physical::BYTE_ARRAY
        && leaf.logical_type_ref().is_none()
        && leaf.converted_type() == ConvertedType::NONE
}

/// Numbers, and no dates or times.
fn is_integer(leaf: &ColumnDescriptor) -> bool {
    matches!(leaf.physical_type(), Physical::INT32 | Physical::INT64)
        && matches!(leaf.logical_type_ref(), None | Some(LogicalType::Integer { .. }))
}

/// Place among preferred names; their number for any other name.
fn position(preferred: &[&str], leaf: &ColumnDescriptor) -> usize {
    preferred.iter().position(|name| *name == top(leaf)).unwrap_or(preferred.len())
}

fn none_of(file: &FileMetaData) -> Wrong {
    let fields = file.schema_descr().root_schema().get_fields();
    let fields: Vec<String> =
        fields.iter().map(|field| format!("{} ({})", field.name(), type_name(field))).collect();
    let expected = "a column of pictures (a struct with `bytes`, or binary)";
    let remedy = "name a data set of picture files";
    (expected.into(), format!("columns {}", listed(&fields)), remedy)
}

fn type_name(field: &Type) -> String {
    if !field.is_primitive() {
        return match field.get_basic_info().converted_type() {
            ConvertedType::NONE => "struct".into(),
            nested => format!("{nested}").to_lowercase(),
        };
    }
    match (field.get_physical_type(), field.get_basic_info().converted_type()) {
        (Physical::BYTE_ARRAY, ConvertedType::NONE) => "binary".into(),
        (Physical::BYTE_ARRAY, ConvertedType::UTF8) => "string".into(),
        (physical, _) => format!("{physical}").to_lowercase(),
    }
}

fn listed(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = names.iter().take(MAX_LISTED).map(AsRef::as_ref).collect();
    let more = match names.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}
