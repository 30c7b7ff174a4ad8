//! A folder or zip of pictures of any size and kind. Where the pictures lie in two or more
//! subfolders and none beside them, each subfolder is a class.

use std::collections::BTreeSet;
use std::path::Path;

use super::files::{FileReader, Files};
use crate::catalog::{Catalog, Item, Pictures, Reader, Sample};
use crate::decode;
use crate::error::DataError;
use crate::manifest::SourceId;

/// Opens a folder or zip of pictures.
pub(crate) fn open(path: &Path, kind: &str) -> Result<Catalog, DataError> {
    let mut files = Files::open(path)?;
    if files.names.is_empty() {
        return Err(DataError::Content {
            path: path.into(),
            expected: "pictures (JPEG, PNG, WebP, BMP, GIF or TIFF)".into(),
            found: match files.others.len() {
                0 => "none".into(),
                n => format!("none among {n} files"),
            },
            remedy: "name the folder or zip that holds them".into(),
        });
    }
    let ignored = std::mem::take(&mut files.others);
    let mut hasher = blake3::Hasher::new();
    files.digest(&mut hasher);
    let (classes, labels) = classes(&files.names);
    let items = files.names.iter().enumerate();
    let items = items.map(|(place, name)| Item { name: name.clone(), place, split: None });
    Ok(Catalog {
        source: SourceId {
            kind: kind.into(),
            name: super::display_name(path),
            digest: hasher.finalize().to_hex().to_string(),
        },
        items: items.collect(),
        attributes: Vec::new(),
        classes,
        ignored,
        size: None,
        pictures: Box::new(Folder { files, labels }),
    })
}

/// Names of the classes and every file's label; both empty where the files are in no classes.
fn classes(names: &[String]) -> (Vec<String>, Vec<u8>) {
    let tops: Option<Vec<&str>> = names.iter().map(|n| n.split_once('/').map(|(t, _)| t)).collect();
    let Some(tops) = tops else { return Default::default() };
    let classes: Vec<&str> = tops.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    if !(2..=256).contains(&classes.len()) {
        return Default::default();
    }
    let labels = tops.iter().map(|top| classes.partition_point(|class| class < top) as u8);
    let labels = labels.collect();
    (classes.into_iter().map(String::from).collect(), labels)
}

struct Folder {
    files: Files,
    labels: Vec<u8>,
}

impl Pictures for Folder {
    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(FolderReader { files: self.files.reader(), labels: &self.labels })
    }
}

struct FolderReader<'a> {
    files: FileReader<'a>,
    labels: &'a [u8],
}

impl Reader for FolderReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, String> {
        let image = decode::picture(self.files.read(place)?)?;
        Ok(Sample { image, attributes: Vec::new(), label: self.labels.get(place).copied() })
    }
}
