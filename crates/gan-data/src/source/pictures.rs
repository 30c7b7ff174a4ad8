//! Pictures in a folder or zip, of any size and kind, with what the folders around them and the tables
//! beside them say: CelebA's attributes and splits, StyleGAN's labels, a folder a class.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::annotations::{Attributes, Partition};
use super::files::{FileReader, Files, Listing};
use super::layout::{self, Layout};
use super::stylegan::{self, Labels};
use super::{base_name, celeba};
use crate::catalog::{Catalog, Facts, Item, Reader, Sample, Samples, Unreadable};
use crate::decode;
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::prepare::Skipped;
use crate::shape::Split;
use crate::transform::{DEFAULT_SIZE, Transform};

/// CelebA's table of attributes has 27 MB.
const MAX_TABLE: u64 = 1 << 29;

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
    let (celeba, paths) = (tables.is_celeba, tables.paths.join(" and "));
    let mut ignored = std::mem::take(&mut files.others);
    let (items, known) = tables.apply(&files, &mut ignored);
    if items.is_empty() {
        let first = files.names().next().unwrap_or_default();
        return Err(DataError::Content {
            path: path.clone(),
            expected: format!("pictures that {paths} names"),
            found: format!("{} pictures, none with a row ({first} for one)", files.len()),
            remedy: "name another table, or move this one away".into(),
        });
    }
    if celeba && known.attributes.is_empty() {
        tracing::warn!(
            "no {} beside {}: it has no attributes",
            celeba::ATTRIBUTES[0],
            path.display()
        );
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
    /// Where they were found, as messages name it.
    paths: Vec<String>,
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
        let found = |names: &[&str]| -> Result<Option<Table>, DataError> {
            match Table::inside(pictures, files, names)? {
                None if numbered => {
                    celeba::near(&pictures.path, names).map(Table::read).transpose()
                }
                table => Ok(table),
            }
        };
        let (attributes, partition) = (found(&celeba::ATTRIBUTES)?, found(&celeba::PARTITION)?);
        let is_celeba = numbered
            && (attributes.is_some() || partition.is_some() || celeba::is_named(&pictures.path));
        let named = |path: &Option<PathBuf>| path.clone().map(Table::read).transpose();
        let attributes = named(&pictures.attributes)?.or(attributes);
        let partition = named(&pictures.splits)?.or(partition);
        let paths = [&attributes, &partition].into_iter().flatten();
        let paths = paths.map(|table| table.path.display().to_string()).collect();
        // The two are long, and neither needs the other.
        let (attributes, partition) = rayon::join(
            || attributes.map(|table| table.parse(Attributes::parse, "attributes")).transpose(),
            || partition.map(|table| table.parse(Partition::parse, "splits")).transpose(),
        );
        let (attributes, partition) = (attributes?, partition?);
        let mut tables = Self { is_celeba, paths, ..Self::default() };
        if let Some((attributes, digest)) = attributes {
            hasher.update(b"attributes").update(digest.as_bytes());
            tables.attributes = Some(attributes);
        }
        if let Some((partition, digest)) = partition {
            hasher.update(b"splits").update(digest.as_bytes());
            tables.partition = Some(partition);
        }
        if !is_celeba {
            tables.labels = stylegan_labels(pictures, files, hasher)?;
            tables.layout = Layout::of(files.names());
            if tables.layout == Layout::default() {
                warn_of_strays(files);
            }
        }
        Ok(tables)
    }

    /// Turns files into items; those without a row in a table are added to `ignored`.
    fn apply(self, files: &Files, ignored: &mut Vec<Skipped>) -> (Vec<Item>, Known) {
        let mut known = self.names();
        let columns = known.attributes.len();
        let has_tables = self.attributes.is_some() || self.partition.is_some();
        let repeated = if has_tables { repeated(files.names()) } else { HashSet::new() };
        let mut items = Vec::with_capacity(files.len());
        for (place, name) in files.names().enumerate() {
            // Tables have names without their folders, as long as that says which picture is meant.
            let short = Some(base_name(name)).filter(|short| !repeated.contains(short));
            let row = self.facts(place, name, short);
            let split = self.split(place, name, short);
            let missing = match (&row, split) {
                (Some(_), Ok(_)) => None,
                _ if has_tables && short.is_none() => {
                    Some("others have its name: the tables must give its path")
                }
                (None, _) => Some("it has no row in the table of labels"),
                (_, Err(reason)) => Some(reason),
            };
            match missing {
                Some(reason) => ignored.push(Skipped { name: name.into(), reason: reason.into() }),
                None => items.push(Item::new(place, split.unwrap_or_default())),
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

    /// What is known of a picture; `None` where a table that should name it does not.
    fn facts(&self, place: usize, name: &str, short: Option<&str>) -> Option<Facts> {
        if let Some(labels) = &self.labels {
            return labels.of(name).cloned();
        }
        let label = self.layout.labels.get(place).copied();
        let Some(table) = &self.attributes else {
            return Some(Facts { attributes: Vec::new(), label });
        };
        let row = table.of(name).or_else(|| table.of(short?))?;
        Some(Facts { attributes: row.into(), label })
    }

    /// The split of a picture, where anybody has an opinion; the error is the reason why it is left out.
    fn split(
        &self,
        place: usize,
        name: &str,
        short: Option<&str>,
    ) -> Result<Option<Split>, &'static str> {
        match (&self.partition, self.layout.splits.get(place)) {
            (Some(table), _) => {
                let split = table.of(name).or_else(|| table.of(short?));
                split.map(Some).ok_or("it has no row in the table of splits")
            }
            (None, Some(split)) => {
                split.map(Some).ok_or("it lies beside the folders of splits, in none of them")
            }
            (None, None) if self.is_celeba => Ok(celeba::official_split(name)),
            (None, None) => Ok(None),
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
    fn read(path: PathBuf) -> Result<Self, DataError> {
        let meta = fs_err::metadata(&path)?;
        if !meta.is_file() || meta.len() > MAX_TABLE {
            return Err(DataError::Content {
                path,
                expected: format!("a table: a file of at most {MAX_TABLE} bytes"),
                found: if meta.is_file() { meta.len().to_string() } else { "no file".into() },
                remedy: "name another one".into(),
            });
        }
        Ok(Self { bytes: fs_err::read(&path)?, path })
    }

    /// A table among the files of the source.
    fn inside(
        pictures: &Pictures,
        files: &Files,
        names: &[&str],
    ) -> Result<Option<Self>, DataError> {
        let found = files.sidecar(names).map_err(|e| DataError::Content {
            path: pictures.path.clone(),
            expected: format!("a {} that can be read", names.join(" or ")),
            found: e.to_string(),
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
    let folder = table.path.strip_prefix(&pictures.path).ok().and_then(Path::parent);
    let folder = folder.map_or(String::new(), |folder| folder.to_string_lossy().replace('\\', "/"));
    let prefix = if folder.is_empty() { folder } else { folder + "/" };
    // One that lies deeper is about some of the pictures only, and not of those tools.
    if !files.names().all(|name| name.starts_with(&prefix)) {
        tracing::warn!("{} is not used: not all pictures lie beside it", table.path.display());
        return Ok(None);
    }
    hasher.update(b"labels").update(blake3::hash(&table.bytes).as_bytes());
    Labels::parse(&table.bytes, &prefix).map_err(|(expected, found)| DataError::Content {
        path: table.path,
        expected,
        found,
        remedy: "write it again with StyleGAN's dataset_tool.py, or remove it".into(),
    })
}

fn warn_of_strays(files: &Files) {
    let strays = layout::beside_classes(files.names());
    if strays > 0 {
        tracing::warn!(
            "the folders are no classes, as {strays} pictures lie beside them; move these away where \
             they should be"
        );
    }
}

/// Last parts of paths that more than one path has.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    let mut seen = HashSet::new();
    names.map(base_name).filter(|name| !seen.insert(*name)).collect()
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
    fn read(&mut self, place: usize) -> Result<Sample, Unreadable> {
        Ok(Sample::Image(decode::picture(self.0.read(place)?)?))
    }
}
