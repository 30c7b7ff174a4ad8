//! CelebA (Liu et al. 2015, <https://arxiv.org/abs/1411.7766>): aligned faces 178×218, with 40 binary
//! attributes and the official split.

use std::path::{Path, PathBuf};

use super::annotations::{Attributes, Partition};
use super::files::{FileReader, Files};
use crate::catalog::{Catalog, Item, Pictures, Reader, Sample};
use crate::decode;
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::prepare::Skipped;
use crate::shape::Split;

/// Name of the archive, and of the folder in it.
pub(super) const ARCHIVE: &str = "img_align_celeba";
const ATTRIBUTES: &str = "list_attr_celeba.txt";
const PARTITION: &str = "list_eval_partition.txt";

/// Where CelebA's files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CelebA {
    /// `img_align_celeba.zip`, or the folder of JPEGs that was in it.
    pub pictures: PathBuf,
    /// `list_attr_celeba.txt`; without it the data set has no attributes.
    pub attributes: Option<PathBuf>,
    /// `list_eval_partition.txt`; without it the official split is taken from the pictures' numbers.
    pub partition: Option<PathBuf>,
}

impl CelebA {
    /// CelebA from its zip or folder of pictures; the text files are looked for beside it, above it
    /// and where the official download has them.
    pub fn beside(pictures: &Path) -> Self {
        let pictures = pictures.to_path_buf();
        let near: Vec<PathBuf> = pictures.ancestors().take(4).map(Path::to_path_buf).collect();
        let find = |name: &str, folder: &str| {
            let places = near.iter().flat_map(|at| [at.join(name), at.join(folder).join(name)]);
            places.into_iter().find(|path| path.is_file())
        };
        let (attributes, partition) = (find(ATTRIBUTES, "Anno"), find(PARTITION, "Eval"));
        Self { pictures, attributes, partition }
    }

    /// CelebA in a folder, or `None` where it is not there.
    pub(super) fn in_folder(folder: &Path) -> Option<Self> {
        let zip = format!("{ARCHIVE}.zip");
        let nested = Path::new(ARCHIVE).join(ARCHIVE);
        let places = [folder.join(&zip), folder.join("Img").join(&zip), folder.join(nested)];
        let deeper = [folder.join(ARCHIVE), folder.join("Img").join(ARCHIVE)];
        if let Some(pictures) = places.into_iter().chain(deeper).find(|path| path.exists()) {
            return Some(Self::beside(&pictures));
        }
        let annotated = folder.join(ATTRIBUTES).is_file() || folder.join(PARTITION).is_file();
        let named = folder.file_name().is_some_and(|name| name == ARCHIVE);
        (annotated || named).then(|| Self::beside(folder))
    }
}

/// Opens CelebA.
pub(crate) fn open(celeba: &CelebA) -> Result<Catalog, DataError> {
    let mut files = Files::open(&celeba.pictures)?;
    let mut hasher = blake3::Hasher::new();
    files.digest(&mut hasher);
    let attributes = celeba.attributes.as_deref();
    let attributes = attributes.map(|path| Attributes::read(path, &mut hasher)).transpose()?;
    let partition = celeba.partition.as_deref();
    let partition = partition.map(|path| Partition::read(path, &mut hasher)).transpose()?;

    let mut ignored = std::mem::take(&mut files.others);
    ignored.retain(|other| !matches!(base_name(&other.name), ATTRIBUTES | PARTITION));
    let (mut items, mut rows) = (Vec::new(), Vec::new());
    for (place, path) in files.names.iter().enumerate() {
        let name = base_name(path);
        let row = attributes.as_ref().map_or(Some(&[][..]), |table| table.of(name));
        let split = partition.as_ref().map_or_else(|| official(name), |table| table.of(name));
        let missing = match (row, split) {
            (None, _) => Some(format!("it has no row in {ATTRIBUTES}")),
            (_, None) if partition.is_some() => Some(format!("it has no row in {PARTITION}")),
            _ => None,
        };
        rows.extend_from_slice(row.unwrap_or_default());
        rows.resize((place + 1) * attributes.as_ref().map_or(0, |t| t.names.len()), 0);
        match missing {
            Some(reason) => ignored.push(Skipped { name: path.clone(), reason }),
            None => items.push(Item { name: path.clone(), place, split }),
        }
    }
    if items.is_empty() {
        return Err(nothing(celeba, files.names.len()));
    }
    let names = attributes.map(|table| table.names).unwrap_or_default();
    Ok(Catalog {
        source: SourceId {
            kind: "celeba".into(),
            name: super::display_name(&celeba.pictures),
            digest: hasher.finalize().to_hex().to_string(),
        },
        items,
        classes: Vec::new(),
        ignored,
        size: None,
        pictures: Box::new(Faces { files, rows, columns: names.len() }),
        attributes: names,
    })
}

fn nothing(celeba: &CelebA, pictures: usize) -> DataError {
    DataError::Content {
        path: celeba.pictures.clone(),
        expected: "CelebA's JPEGs NNNNNN.jpg".into(),
        found: match pictures {
            0 => "no picture".into(),
            n => format!("{n} pictures, none with a row in the text files"),
        },
        remedy: format!("name {ARCHIVE}.zip, or its folder, with the text files beside it"),
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The official split by the number in a file's name: 162,770 to train, then 19,867, then 19,962.
fn official(name: &str) -> Option<Split> {
    let number: u32 = name.split('.').next()?.parse().ok()?;
    match number {
        1..=162_770 => Some(Split::Train),
        162_771..=182_637 => Some(Split::Valid),
        182_638..=202_599 => Some(Split::Test),
        _ => None,
    }
}

struct Faces {
    files: Files,
    rows: Vec<u8>, // [files, columns]
    columns: usize,
}

impl Pictures for Faces {
    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(FaceReader { faces: self, files: self.files.reader() })
    }
}

struct FaceReader<'a> {
    faces: &'a Faces,
    files: FileReader<'a>,
}

impl Reader for FaceReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, String> {
        let columns = self.faces.columns;
        let attributes = self.faces.rows[place * columns..][..columns].to_vec();
        Ok(Sample { image: decode::picture(self.files.read(place)?)?, attributes, label: None })
    }
}
