//! MNIST's idx format (<http://yann.lecun.com/exdb/mnist/>): a magic number with type and number of
//! dimensions, the dimensions as big-endian u32, then u8 values; often gzipped. Fashion-MNIST,
//! KMNIST and EMNIST come in it too.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use gan_core::Image;

use crate::catalog::{Catalog, Item, Pictures, Reader, Sample};
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::shape::Split;

/// Files claim their size in the header; more than this is refused.
const MAX_BYTES: usize = 1 << 33;

/// Pictures in one idx file, with their labels in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxPair {
    /// Three-dimensional: pictures.
    pub images: PathBuf,
    /// One-dimensional: their classes.
    pub labels: Option<PathBuf>,
    /// What the pictures are for: files named `t10k` or `test` are the test split.
    pub split: Split,
}

impl IdxPair {
    /// Pictures of one file, with the labels that lie beside it.
    pub fn beside(images: &Path) -> Self {
        let name = images.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let test = ["t10k", "test"].iter().any(|part| name.contains(part));
        let labels = name.replace("images", "labels").replace("idx3", "idx1");
        let plain = labels.trim_end_matches(".gz").to_string();
        let zipped = format!("{plain}.gz");
        let candidates = [labels, plain, zipped].into_iter().filter(|other| *other != name);
        let labels = candidates.map(|other| images.with_file_name(other)).find(|p| p.is_file());
        let split = if test { Split::Test } else { Split::Train };
        Self { images: images.into(), labels, split }
    }

    /// All idx pictures of a folder, by name; a file that lies there plain and gzipped counts once.
    pub(super) fn in_folder(folder: &Path) -> Result<Vec<Self>, DataError> {
        let mut paths = Vec::new();
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.contains("idx3") && !name.starts_with('.') && path.is_file() {
                paths.push(path);
            }
        }
        paths.sort();
        paths.dedup_by(|gzipped, plain| plain.with_added_extension("gz") == *gzipped);
        // Training pictures first, as everywhere.
        let mut pairs: Vec<Self> = paths.iter().map(|path| Self::beside(path)).collect();
        pairs.sort_by_key(|pair| pair.split as u8);
        Ok(pairs)
    }
}

/// Opens idx files; several are one data set.
pub(crate) fn open(pairs: &[IdxPair]) -> Result<Catalog, DataError> {
    let mut hasher = blake3::Hasher::new();
    let (mut items, mut files) = (Vec::new(), Vec::new());
    for pair in pairs {
        let images = Idx::read(&pair.images, 3, &mut hasher)?;
        let n = images.dims[0];
        let labels = pair.labels.as_deref();
        let labels = labels.map(|path| Idx::read(path, 1, &mut hasher)).transpose()?;
        if let (Some(labels), Some(path)) = (&labels, &pair.labels)
            && labels.dims[0] != n
        {
            let found = format!("{}", labels.dims[0]);
            return Err(wrong(path, format!("{n} labels, one a picture"), found));
        }
        let name = super::display_name(&pair.images);
        let before = items.len();
        items.extend((0..n).map(|i| Item {
            name: format!("{name}[{i}]"),
            place: before + i,
            split: Some(pair.split),
        }));
        let file = File { images, labels: labels.map(|labels| labels.body) };
        check_sizes(pair, &file, files.first())?;
        files.push(file);
    }
    let Some(first) = pairs.first().filter(|_| !items.is_empty()) else {
        let path = pairs.first().map(|p| p.images.clone()).unwrap_or_default();
        return Err(wrong(&path, "at least one picture".into(), "none".into()));
    };
    let folder = first.images.parent().filter(|_| pairs.len() > 1);
    Ok(Catalog {
        source: SourceId {
            kind: "idx".into(),
            name: super::display_name(folder.unwrap_or(&first.images)),
            digest: hasher.finalize().to_hex().to_string(),
        },
        items,
        attributes: Vec::new(),
        classes: class_names(&files),
        ignored: Vec::new(),
        size: Some((files[0].images.dims[2], files[0].images.dims[1])),
        pictures: Box::new(Digits { files }),
    })
}

/// All files must hold pictures of one size, and all have labels or none.
fn check_sizes(pair: &IdxPair, file: &File, first: Option<&File>) -> Result<(), DataError> {
    let Some(first) = first else { return Ok(()) };
    let ([_, h, w], [_, h0, w0]) = (&file.images.dims[..], &first.images.dims[..]) else {
        unreachable!("read with three dimensions")
    };
    if (h, w) != (h0, w0) {
        let expected = format!("pictures of {w0}×{h0} as in the other files");
        return Err(wrong(&pair.images, expected, format!("{w}×{h}")));
    }
    if file.labels.is_some() != first.labels.is_some() {
        let expected = "labels beside every file of pictures or beside none".into();
        return Err(wrong(&pair.images, expected, "labels for some".into()));
    }
    Ok(())
}

/// "0" to the largest label, where there are labels.
fn class_names(files: &[File]) -> Vec<String> {
    let labels = files.iter().filter_map(|file| file.labels.as_deref()).flatten();
    labels.max().map_or_else(Vec::new, |max| (0..=*max).map(|label| label.to_string()).collect())
}

/// One parsed file.
#[derive(Debug)]
struct Idx {
    dims: Vec<usize>,
    body: Vec<u8>,
}

impl Idx {
    /// Reads a file of u8 with `n_dims` dimensions, adding its bytes to `hasher`.
    fn read(path: &Path, n_dims: usize, hasher: &mut blake3::Hasher) -> Result<Self, DataError> {
        let bytes = fs_err::read(path)?;
        hasher.update(&bytes);
        let parsed = match bytes.as_slice() {
            [0x1f, 0x8b, ..] => Self::parse(MultiGzDecoder::new(bytes.as_slice()), n_dims),
            plain => Self::parse(plain, n_dims),
        };
        parsed.map_err(|(expected, found)| wrong(path, expected, found))
    }

    /// The error is what was expected and what was found.
    fn parse(mut from: impl Read, n_dims: usize) -> Result<Self, (String, String)> {
        let header_name = format!("an idx header of u8 in {n_dims} dimensions");
        let unreadable = |e: std::io::Error| ("a whole idx file".to_string(), e.to_string());
        let mut header = Vec::new();
        let header_len = 4 + 4 * n_dims;
        from.by_ref().take(header_len as u64).read_to_end(&mut header).map_err(unreadable)?;
        if header.len() < header_len || header[..4] != [0, 0, 8, n_dims as u8] {
            let start: Vec<String> = header.iter().take(4).map(|b| format!("{b:02x}")).collect();
            return Err((header_name, format!("a start of [{}]", start.join(" "))));
        }
        let (words, _) = header[4..].as_chunks::<4>();
        let dims: Vec<usize> = words.iter().map(|w| u32::from_be_bytes(*w) as usize).collect();
        let size = dims.iter().try_fold(1usize, |size, d| size.checked_mul(*d));
        let size = size
            .filter(|size| *size <= MAX_BYTES && dims[1..].iter().all(|d| *d > 0))
            .ok_or_else(|| (header_name, format!("dimensions {dims:?}")))?;
        let mut body = Vec::new();
        from.take(size as u64 + 1).read_to_end(&mut body).map_err(unreadable)?;
        match body.len() {
            n if n == size => Ok(Self { dims, body }),
            n if n < size => Err((format!("{size} bytes after the header"), format!("{n}"))),
            _ => Err((format!("{size} bytes after the header"), "more".into())),
        }
    }
}

fn wrong(path: &Path, expected: String, found: String) -> DataError {
    let remedy = "check that it was copied or downloaded to its end".into();
    DataError::Content { path: path.into(), expected, found, remedy }
}

struct File {
    images: Idx,
    labels: Option<Vec<u8>>,
}

struct Digits {
    files: Vec<File>,
}

impl Pictures for Digits {
    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(DigitReader(self))
    }
}

struct DigitReader<'a>(&'a Digits);

impl Reader for DigitReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, String> {
        let mut i = place;
        for file in &self.0.files {
            let n = file.images.dims[0];
            if i < n {
                let (h, w) = (file.images.dims[1], file.images.dims[2]);
                let pixels = file.images.body[i * h * w..][..h * w].to_vec();
                let image = Image::new(w, h, 1, pixels).map_err(|e| e.to_string())?;
                let label = file.labels.as_ref().map(|labels| labels[i]);
                return Ok(Sample { image, attributes: Vec::new(), label });
            }
            i -= n;
        }
        Err("no such picture".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_is_named_with_what_is_wrong() {
        let good = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6];
        assert_eq!(Idx::parse(&good[..], 3).expect("well formed").body, [5, 6]);
        let check = |bytes: &[u8], part: &str| {
            let (expected, found) = Idx::parse(bytes, 3).expect_err("malformed");
            assert!(format!("{expected}, {found}").contains(part), "{expected}, {found}");
        };
        check(&[], "start of []");
        check(&good[..9], "start of [00 00 08 03]");
        check(&good[..17], "2 bytes after the header, 1");
        check(&[&good[..], &[7]].concat(), "more");
        check(&[&[0, 0, 8, 1], &good[4..]].concat(), "start of [00 00 08 01]");
        check(&[&[0, 0, 8, 3], &[255; 12][..]].concat(), "dimensions");
    }
}
