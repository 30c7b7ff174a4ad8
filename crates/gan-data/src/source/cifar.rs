//! CIFAR-10 and CIFAR-100 (Krizhevsky 2009, <https://www.cs.toronto.edu/~kriz/cifar.html>) in their
//! binary version: records of one label byte (CIFAR-100: a coarse and a fine one), then 32×32 red,
//! green and blue values as planes. Read from the unpacked folder or from the archive as downloaded.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use gan_core::Image;

use crate::catalog::{Catalog, Facts, Item, Reader, Sample, Samples, Unreadable};
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::shape::{SampleShape, Split};
use crate::transform::{Color, Transform};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
/// A batch file of the data sets has 10,000 or 50,000 records; more than this is no such file.
const MAX_BYTES: u64 = 1 << 30;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Ten classes, five training batches and one to test.
    Cifar10,
    /// A hundred fine classes.
    Cifar100,
}

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar-10",
            Self::Cifar100 => "cifar-100",
        }
    }

    /// Label bytes before the pixels; the last one is taken.
    fn label_bytes(self) -> usize {
        match self {
            Self::Cifar10 => 1,
            Self::Cifar100 => 2,
        }
    }

    fn n_classes(self) -> usize {
        match self {
            Self::Cifar10 => 10,
            Self::Cifar100 => 100,
        }
    }

    /// The text file with a class name a line.
    fn names_file(self) -> &'static str {
        match self {
            Self::Cifar10 => "batches.meta.txt",
            Self::Cifar100 => "fine_label_names.txt",
        }
    }

    /// The split of a batch file, or `None` where it is not one.
    fn split(self, name: &str) -> Option<Split> {
        match (self, name) {
            (Self::Cifar10, "test_batch.bin") | (Self::Cifar100, "test.bin") => Some(Split::Test),
            (Self::Cifar100, "train.bin") => Some(Split::Train),
            (Self::Cifar10, _) => {
                let number = name.strip_prefix("data_batch_")?.strip_suffix(".bin")?;
                number.parse::<u8>().ok().map(|_| Split::Train)
            }
            _ => None,
        }
    }
}

/// Where CIFAR lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cifar {
    /// The folder of batches, or `cifar-10-binary.tar.gz`.
    pub path: PathBuf,
    /// Which of the two.
    pub variant: Variant,
}

impl Cifar {
    /// CIFAR in a folder or in the one below it, or `None` where it is not there.
    pub(super) fn in_folder(folder: &Path) -> Option<Self> {
        let below = ["cifar-10-batches-bin", "cifar-100-binary"].map(|name| folder.join(name));
        [folder.to_path_buf()].into_iter().chain(below).find_map(|path| {
            let has = |name: &str| path.join(name).is_file();
            let ten = has("test_batch.bin") || (1..=5).any(|i| has(&format!("data_batch_{i}.bin")));
            // Others call their files so too.
            let records = |name: &str| {
                let length = std::fs::metadata(path.join(name)).map_or(0, |meta| meta.len());
                length > 0 && length.is_multiple_of(2 + 3 * PLANE as u64)
            };
            let hundred = has("fine_label_names.txt") && (has("train.bin") || has("test.bin"))
                || records("train.bin") && records("test.bin");
            let variant = match (ten, hundred) {
                (true, _) => Variant::Cifar10,
                (_, true) => Variant::Cifar100,
                _ => return None,
            };
            Some(Self { path, variant })
        })
    }

    /// CIFAR in the archive as it is downloaded, or `None` where the name is another.
    pub(super) fn archive(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let variant = match name.strip_suffix(".tar.gz").or_else(|| name.strip_suffix(".tgz"))? {
            "cifar-10-binary" => Variant::Cifar10,
            "cifar-100-binary" => Variant::Cifar100,
            _ => return None,
        };
        Some(Self { path: path.into(), variant })
    }
}

/// Opens CIFAR; all records are held in memory (180 MB).
pub(crate) fn open(cifar: &Cifar) -> Result<Catalog, DataError> {
    let variant = cifar.variant;
    let mut files = if cifar.path.is_dir() { in_folder(cifar)? } else { in_archive(cifar)? };
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let mut hasher = blake3::Hasher::new();
    let (mut batches, mut items) = (Vec::new(), Vec::new());
    let mut names = None;
    for (name, bytes) in files {
        hasher.update(name.as_bytes()).update(&(bytes.len() as u64).to_le_bytes()).update(&bytes);
        let path = cifar.path.join(&name);
        match variant.split(&name) {
            Some(split) => {
                let n = check(&bytes, variant).map_err(|(expected, found)| DataError::Content {
                    path,
                    expected,
                    found,
                    remedy: "check that it was downloaded to its end".into(),
                })?;
                let before = items.len();
                items.extend((before..before + n).map(|place| Item::new(place, Some(split))));
                batches.push(Batch { name, bytes, n });
            }
            None => names = Some(class_names(&path, &bytes, variant)?),
        }
    }
    if items.is_empty() {
        return Err(DataError::Content {
            path: cifar.path.clone(),
            expected: format!("the batches of {} (binary version)", variant.name()),
            found: "none".into(),
            remedy: "download the archive again".into(),
        });
    }
    // Training pictures first, as everywhere.
    items.sort_by_key(|item: &Item| item.split.map_or(0, |split| split as u8));
    Ok(Catalog {
        source: SourceId {
            kind: variant.name().into(),
            name: super::display_name(&cifar.path),
            digest: hasher.finalize().to_hex().to_string(),
        },
        items,
        attributes: Vec::new(),
        classes: names.unwrap_or_else(|| (0..variant.n_classes()).map(|i| i.to_string()).collect()),
        ignored: Vec::new(),
        shape: Some(SampleShape::Image(gan_core::ImageShape {
            channels: 3,
            height: SIDE,
            width: SIDE,
        })),
        transform: Transform::keep(Color::Rgb),
        samples: Box::new(Records { batches, variant }),
    })
}

/// Number of records in a batch file; the error is what was expected and what was found.
pub(crate) fn check(bytes: &[u8], variant: Variant) -> Result<usize, (String, String)> {
    let record = variant.label_bytes() + 3 * PLANE;
    let fits = bytes.len() as u64 <= MAX_BYTES && bytes.len().is_multiple_of(record);
    if bytes.is_empty() || !fits {
        return Err((format!("records of {record} bytes"), format!("{} bytes", bytes.len())));
    }
    let labels = bytes.chunks_exact(record).map(|record| record[variant.label_bytes() - 1]);
    match labels.enumerate().find(|(_, label)| usize::from(*label) >= variant.n_classes()) {
        Some((i, label)) => {
            Err((format!("labels below {}", variant.n_classes()), format!("{label} in record {i}")))
        }
        None => Ok(bytes.len() / record),
    }
}

type NamedBytes = Vec<(String, Vec<u8>)>;

fn wanted(name: &str, variant: Variant) -> bool {
    variant.split(name).is_some() || name == variant.names_file()
}

fn in_folder(cifar: &Cifar) -> Result<NamedBytes, DataError> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(&cifar.path)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if wanted(name, cifar.variant) {
            // A file that is longer is no batch, and is refused by its length below.
            let mut bytes = Vec::new();
            fs_err::File::open(&path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
            files.push((name.to_string(), bytes));
        }
    }
    Ok(files)
}

fn in_archive(cifar: &Cifar) -> Result<NamedBytes, DataError> {
    let broken = |e: std::io::Error| DataError::Content {
        path: cifar.path.clone(),
        expected: "a whole tar.gz".into(),
        found: e.to_string(),
        remedy: "check that it was downloaded to its end".into(),
    };
    let file = std::io::BufReader::new(fs_err::File::open(&cifar.path)?);
    let mut archive = tar::Archive::new(MultiGzDecoder::new(file));
    let mut files = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_string();
        if wanted(&name, cifar.variant) {
            let mut bytes = Vec::new();
            entry.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(broken)?;
            files.push((name, bytes));
        }
    }
    Ok(files)
}

fn class_names(path: &Path, bytes: &[u8], variant: Variant) -> Result<Vec<String>, DataError> {
    let text = String::from_utf8_lossy(bytes);
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|name| !name.is_empty()).map(Into::into).collect();
    if names.len() != variant.n_classes() {
        return Err(DataError::Content {
            path: path.into(),
            expected: format!("{} class names, one a line", variant.n_classes()),
            found: names.len().to_string(),
            remedy: "restore the official file".into(),
        });
    }
    Ok(names)
}

struct Batch {
    name: String,
    bytes: Vec<u8>,
    n: usize,
}

struct Records {
    batches: Vec<Batch>,
    variant: Variant,
}

impl Records {
    /// Batch, number in it and bytes of one record; places are below the number of records.
    fn record(&self, place: usize) -> (&Batch, usize, &[u8]) {
        let size = self.variant.label_bytes() + 3 * PLANE;
        let mut i = place;
        for batch in &self.batches {
            if i < batch.n {
                return (batch, i, &batch.bytes[i * size..][..size]);
            }
            i -= batch.n;
        }
        unreachable!("place {place} is none of the catalog's")
    }
}

impl Samples for Records {
    fn name(&self, place: usize) -> String {
        let (batch, i, _) = self.record(place);
        format!("{}[{i}]", batch.name)
    }

    fn facts(&self, place: usize) -> Facts {
        let (_, _, record) = self.record(place);
        Facts::labelled(u32::from(record[self.variant.label_bytes() - 1]))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(RecordReader(self))
    }
}

struct RecordReader<'a>(&'a Records);

impl Reader for RecordReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, Unreadable> {
        let (_, _, record) = self.0.record(place);
        let planes = &record[self.0.variant.label_bytes()..];
        let pixels = (0..PLANE).flat_map(|i| [0, 1, 2].map(|c| planes[c * PLANE + i])).collect();
        let image = Image::new(SIDE, SIDE, 3, pixels).map_err(|e| e.to_string())?;
        Ok(Sample::Image(image))
    }
}
