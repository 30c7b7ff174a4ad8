//! Pictures in a folder or zip, of any size and kind, with what the folders around them and the tables
//! beside them say: CelebA's attributes and splits, StyleGAN's labels, a folder a class.

use std::path::{Path, PathBuf};

use super::annotations::{Attributes, Partition};
use super::celeba;
use super::files::{FileReader, Files, Listing};
use super::layout::Layout;
use super::stylegan::{self, Labels};
use crate::catalog::{Catalog, Facts, Item, Reader, Sample, Samples};
use crate::decode;
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::prepare::Skipped;
use crate::shape::Split;
use crate::transform::{DEFAULT_SIZE, Transform};

/// A folder or zip of pictures, and tables about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pictures {
    /// The folder or zip.
    pub path: PathBuf,
    /// A table of attributes in CelebA's form; where none is named, one of CelebA's name is looked for in
    /// the source and near it.
    pub attributes: Option<PathBuf>,
    /// A table of splits; looked for likewise.
    pub splits: Option<PathBuf>,
}

impl Pictures {
    /// The pictures of a folder or zip.
    pub fn at(path: &Path) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// `folder` or `zip`.
    pub(super) fn kind(&self) -> &'static str {
        if self.path.is_dir() { "folder" } else { "zip" }
    }
}

/// Opens a folder or zip of pictures.
pub(crate) fn open(pictures: &Pictures, listing: Listing<'_>) -> Result<Catalog, DataError> {
    let path = &pictures.path;
    let mut files = Files::open(path, listing)?;
    if files.len() == 0 {
        let (found, remedy) = files.instead();
        return Err(DataError::Content {
            path: path.clone(),
            expected: "pictures (JPEG, PNG, WebP, BMP, GIF or TIFF)".into(),
            found,
            remedy,
        });
    }
    let mut hasher = blake3::Hasher::new();
    files.digest(&mut hasher);
    let tables = Tables::find(pictures, &files, &mut hasher)?;
    let celeba = tables.is_celeba;
    let mut ignored = std::mem::take(&mut files.others);
    let (items, known) = tables.apply(&files, &mut ignored);
    if items.is_empty() {
        return Err(DataError::Content {
            path: path.clone(),
            expected: "pictures that the tables beside them name".into(),
            found: format!("{} pictures, none with a row", files.len()),
            remedy: "name other tables with --attributes and --splits, or move these away".into(),
        });
    }
    Ok(Catalog {
        source: SourceId {
            kind: if celeba { "celeba" } else { pictures.kind() }.into(),
            name: super::display_name(path),
            digest: hasher.finalize().to_hex().to_string(),
        },
        items,
        attributes: known.attributes,
        classes: known.classes,
        ignored,
        shape: None,
        transform: match celeba {
            true => Transform::straight(DEFAULT_SIZE, DEFAULT_SIZE),
            false => Transform::shorter_side(DEFAULT_SIZE, DEFAULT_SIZE),
        },
        samples: Box::new(Stored { files, rows: known.rows, labels: known.labels }),
    })
}

/// What is said about the pictures of a source.
#[derive(Default)]
struct Tables {
    is_celeba: bool,
    attributes: Option<Attributes>,
    partition: Option<Partition>,
    labels: Option<Labels>,
    layout: Layout,
}

/// What is known of every picture, by place.
#[derive(Default)]
struct Known {
    attributes: Vec<String>,
    classes: Vec<String>,
    rows: Vec<u8>,    // [pictures, attributes]
    labels: Vec<u32>, // [pictures], or empty
}

impl Tables {
    /// Reads the tables that were named, lie in the source, or near it; adds them to `hasher`.
    fn find(
        pictures: &Pictures,
        files: &Files,
        hasher: &mut blake3::Hasher,
    ) -> Result<Self, DataError> {
        let numbered = celeba::are_numbered(files.names());
        let near = |names: &[&str]| {
            let named = celeba::is_named(&pictures.path);
            celeba::near(&pictures.path, names).filter(|_| numbered || named)
        };
        let find = |named: &Option<PathBuf>, names: &[&str]| {
            let table = match named {
                Some(path) => Some(Table { bytes: fs_err::read(path)?, path: path.clone() }),
                None => Table::inside(pictures, files, names)?,
            };
            match (table, near(names)) {
                (None, Some(path)) => Ok(Some(Table { bytes: fs_err::read(&path)?, path })),
                (table, _) => Ok::<_, DataError>(table),
            }
        };
        let attributes = find(&pictures.attributes, &celeba::ATTRIBUTES)?;
        let partition = find(&pictures.splits, &celeba::PARTITION)?;
        let named = pictures.attributes.is_some() || pictures.splits.is_some();
        let is_celeba = numbered
            && !named
            && (attributes.is_some() || partition.is_some() || celeba::is_named(&pictures.path));
        // The two are long, and neither needs the other.
        let (attributes, partition) = rayon::join(
            || attributes.map(|table| table.parse(Attributes::parse, "attributes")).transpose(),
            || partition.map(|table| table.parse(Partition::parse, "splits")).transpose(),
        );
        let (attributes, partition) = (attributes?, partition?);
        let mut tables = Self { is_celeba, ..Self::default() };
        if let Some((attributes, digest)) = attributes {
            hasher.update(digest.as_bytes());
            tables.attributes = Some(attributes);
        }
        if let Some((partition, digest)) = partition {
            hasher.update(digest.as_bytes());
            tables.partition = Some(partition);
        }
        if !is_celeba {
            tables.labels = stylegan_labels(pictures, files, hasher)?;
            tables.layout = Layout::of(files.names());
        }
        Ok(tables)
    }

    /// Turns files into items; those without a row in a table are added to `ignored`.
    fn apply(self, files: &Files, ignored: &mut Vec<Skipped>) -> (Vec<Item>, Known) {
        let mut known = self.names();
        let columns = known.attributes.len();
        let mut items = Vec::with_capacity(files.len());
        for (place, name) in files.names().enumerate() {
            let row = match &self.labels {
                Some(labels) => labels.of(name).cloned(),
                None => {
                    let row = self.attributes.as_ref().map_or(Some(&[][..]), |t| t.of(name));
                    let label = self.layout.labels.get(place).copied();
                    row.map(|row| Facts { attributes: row.into(), label })
                }
            };
            let split = self.split(place, name);
            let missing = match (&row, split) {
                (None, _) => Some("it has no row in the table of labels"),
                (_, None) if self.partition.is_some() => {
                    Some("it has no row in the table of splits")
                }
                _ => None,
            };
            match missing {
                Some(reason) => ignored.push(Skipped { name: name.into(), reason: reason.into() }),
                None => items.push(Item::new(place, split)),
            }
            let facts = row.unwrap_or_default();
            known.rows.extend(facts.attributes);
            known.rows.resize((place + 1) * columns, 0);
            if !known.classes.is_empty() {
                known.labels.push(facts.label.unwrap_or(0));
            }
        }
        (items, known)
    }

    fn split(&self, place: usize, name: &str) -> Option<Split> {
        match &self.partition {
            Some(partition) => partition.of(name),
            None if self.is_celeba => celeba::official_split(name),
            None => self.layout.splits.get(place).copied(),
        }
    }

    /// Names of attributes and classes; the rows are still empty.
    fn names(&self) -> Known {
        let (attributes, classes) = match (&self.labels, &self.attributes) {
            (Some(labels), _) => (labels.attributes.clone(), labels.classes.clone()),
            (None, Some(table)) => (table.names.clone(), self.layout.classes.clone()),
            (None, None) => (Vec::new(), self.layout.classes.clone()),
        };
        Known { attributes, classes, ..Known::default() }
    }
}

/// A table that was found and not yet parsed.
struct Table {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// What a parser says is wrong: the number of a line, and what is there.
type Wrong = (usize, String);

impl Table {
    /// A table among the files of the source.
    fn inside(
        pictures: &Pictures,
        files: &Files,
        names: &[&str],
    ) -> Result<Option<Self>, DataError> {
        let found = files.sidecar(names).map_err(|reason| DataError::Content {
            path: pictures.path.clone(),
            expected: format!("a {} that can be read", names.join(" or ")),
            found: reason,
            remedy: "check that the source was copied or downloaded to its end".into(),
        })?;
        Ok(found.map(|(name, bytes)| Self { path: pictures.path.join(name), bytes }))
    }

    fn parse<T>(
        self,
        parse: impl Fn(&[u8]) -> Result<T, Wrong>,
        what: &str,
    ) -> Result<(T, blake3::Hash), DataError> {
        let digest = blake3::hash(&self.bytes);
        let wrong = |(line, found)| DataError::Content {
            path: self.path.clone(),
            expected: format!("a table of {what}, as CelebA's"),
            found: format!("{found} in line {line}"),
            remedy: "correct it, or restore the official file".into(),
        };
        Ok((parse(&self.bytes).map_err(wrong)?, digest))
    }
}

fn stylegan_labels(
    pictures: &Pictures,
    files: &Files,
    hasher: &mut blake3::Hasher,
) -> Result<Option<Labels>, DataError> {
    if pictures.attributes.is_some() {
        return Ok(None);
    }
    let Some(table) = Table::inside(pictures, files, &[stylegan::FILE])? else { return Ok(None) };
    hasher.update(&table.bytes);
    Labels::parse(&table.bytes).map_err(|(expected, found)| DataError::Content {
        path: table.path,
        expected,
        found,
        remedy: "write it again with StyleGAN's dataset_tool.py, or remove it".into(),
    })
}

struct Stored {
    files: Files,
    rows: Vec<u8>,
    labels: Vec<u32>,
}

impl Samples for Stored {
    fn name(&self, place: usize) -> String {
        self.files.name(place).into()
    }

    fn facts(&self, place: usize) -> Facts {
        let columns = self.rows.len() / self.files.len();
        let attributes = self.rows[place * columns..][..columns].to_vec();
        Facts { attributes, label: self.labels.get(place).copied() }
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(StoredReader(self.files.reader()))
    }
}

struct StoredReader<'a>(FileReader<'a>);

impl Reader for StoredReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, String> {
        Ok(Sample::Image(decode::picture(self.0.read(place)?)?))
    }
}
