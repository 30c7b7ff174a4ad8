//! MNIST (<http://yann.lecun.com/exdb/mnist/>) and its relatives in the idx format: Fashion-MNIST, KMNIST,
//! EMNIST.
//!
//! EMNIST (Cohen et al. 2017, <https://arxiv.org/abs/1702.05373>) stores its pictures transposed; they are
//! turned upright here, and its mapping files name the classes.

mod format;
mod found;

use std::path::Path;

pub(crate) use format::Idx;
pub use found::IdxPair;
pub(crate) use found::in_folder;

use gan_core::{Image, ImageShape};

use crate::catalog::{Catalog, Facts, Item, Reader, Sample, Samples, Unreadable};
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::shape::SampleShape;
use crate::transform::{Color, Transform};

/// Opens idx files; several are one data set.
pub(crate) fn open(pairs: &[IdxPair]) -> Result<Catalog, DataError> {
    let mut hasher = blake3::Hasher::new();
    let (mut items, mut files) = (Vec::new(), Vec::new());
    for pair in pairs {
        hasher.update(b"pictures").update(&[pair.split as u8]);
        let images = read(&pair.images, 3, &mut hasher)?;
        let n = images.dims[0];
        let labels = pair.labels.as_deref();
        let labels = labels.map(|path| read(path, 1, &mut hasher)).transpose()?;
        if let (Some(labels), Some(path)) = (&labels, &pair.labels)
            && labels.dims[0] != n
        {
            let found = format!("{}", labels.dims[0]);
            return Err(wrong(path, format!("{n} labels, one a picture"), found));
        }
        let before = items.len();
        items.extend((before..before + n).map(|place| Item::new(place, Some(pair.split))));
        let labels = labels.map_or_else(Vec::new, |labels| labels.body().to_vec());
        let file = File { name: super::display_name(&pair.images), images, labels };
        check_sizes(pair, &file, files.first())?;
        files.push(file);
    }
    let Some(first) = pairs.first().filter(|_| !items.is_empty()) else {
        let path = pairs.first().map(|p| p.images.clone()).unwrap_or_default();
        return Err(wrong(&path, "at least one picture".into(), "none".into()));
    };
    let folder = first.images.parent().filter(|_| pairs.len() > 1);
    let transposed = first.family().starts_with("emnist");
    hasher.update(&[u8::from(transposed)]);
    let (rows, columns) = (files[0].images.dims[1], files[0].images.dims[2]);
    let (height, width) = if transposed { (columns, rows) } else { (rows, columns) };
    let shape = ImageShape { channels: 1, height, width };
    let mut digits = Digits { files, transposed };
    let classes = digits.name_classes(first, &mut hasher)?;
    Ok(Catalog {
        source: SourceId {
            kind: "idx".into(),
            name: super::display_name(folder.unwrap_or(&first.images)),
            digest: hasher.finalize().to_hex().to_string(),
        },
        items,
        attributes: Vec::new(),
        classes,
        ignored: Vec::new(),
        shape: Some(SampleShape::Image(shape)),
        transform: Transform::keep(Color::Gray),
        samples: Box::new(digits),
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
    if file.labels.is_empty() != first.labels.is_empty() {
        let expected = "labels beside every file of pictures or beside none".into();
        return Err(wrong(&pair.images, expected, "labels for some".into()));
    }
    Ok(())
}

/// Reads a file, adding its bytes to `hasher`.
fn read(path: &Path, n_dims: usize, hasher: &mut blake3::Hasher) -> Result<Idx, DataError> {
    let length = fs_err::metadata(path)?.len();
    if length > format::MAX_BYTES as u64 {
        let found = format!("{length} bytes");
        return Err(wrong(
            path,
            format!("an idx file of at most {} bytes", format::MAX_BYTES),
            found,
        ));
    }
    let bytes = fs_err::read(path)?;
    hasher.update(&length.to_le_bytes()).update(&bytes);
    Idx::parse(bytes, n_dims).map_err(|(expected, found)| wrong(path, expected, found))
}

/// The lines of a mapping file: a label, then the codes of the characters that it stands for.
fn mapping(text: &str) -> Result<Vec<(u8, String)>, String> {
    let line = |line: &str| {
        let mut codes = line.split_ascii_whitespace();
        let label = codes.next()?.parse().ok()?;
        let name: Option<String> =
            codes.map(|code| Some(char::from(code.parse::<u8>().ok()?))).collect();
        Some((label, name.filter(|name| !name.is_empty())?))
    };
    let lines = text.lines().filter(|text| !text.trim().is_empty());
    lines.map(|text| line(text).ok_or_else(|| format!("{:?}", text.trim()))).collect()
}

fn wrong(path: &Path, expected: String, found: String) -> DataError {
    let remedy = "check that it was copied or downloaded to its end".into();
    DataError::Content { path: path.into(), expected, found, remedy }
}

struct File {
    name: String,
    images: Idx,
    labels: Vec<u8>, // empty where there are none
}

struct Digits {
    files: Vec<File>,
    transposed: bool,
}

impl Digits {
    /// Names of the classes: the characters of a mapping file beside the pictures, whose labels are then
    /// numbered from 0, else "0" to the largest label.
    fn name_classes(
        &mut self,
        first: &IdxPair,
        hasher: &mut blake3::Hasher,
    ) -> Result<Vec<String>, DataError> {
        let path = first.images.with_file_name(format!("{}mapping.txt", first.family()));
        let labels = || self.files.iter().flat_map(|file| &file.labels);
        let Some(max) = labels().max() else { return Ok(Vec::new()) };
        if !path.is_file() {
            return Ok((0..=*max).map(|label| label.to_string()).collect());
        }
        let text = fs_err::read_to_string(&path)?;
        hasher.update(b"mapping").update(text.as_bytes());
        let mut lines = mapping(&text).map_err(|found| {
            wrong(&path, "a label and codes of characters a line".into(), found)
        })?;
        lines.sort();
        let mut numbers = [None; 256];
        for ((label, _), number) in lines.iter().zip(0u8..=255) {
            numbers[usize::from(*label)] = Some(number);
        }
        if let Some(label) = labels().find(|label| numbers[usize::from(**label)].is_none()) {
            return Err(wrong(&path, format!("a line for label {label}"), "none".into()));
        }
        for label in self.files.iter_mut().flat_map(|file| &mut file.labels) {
            *label = numbers[usize::from(*label)].expect("every label was found above");
        }
        Ok(lines.into_iter().map(|(_, name)| name).collect())
    }

    /// The file of a place and the number in it; places are below the number of pictures.
    fn find(&self, place: usize) -> (&File, usize) {
        let mut i = place;
        for file in &self.files {
            let n = file.images.dims[0];
            if i < n {
                return (file, i);
            }
            i -= n;
        }
        unreachable!("place {place} is none of the catalog's")
    }
}

impl Samples for Digits {
    fn name(&self, place: usize) -> String {
        let (file, i) = self.find(place);
        format!("{}[{i}]", file.name)
    }

    fn facts(&self, place: usize) -> Facts {
        let (file, i) = self.find(place);
        let label = file.labels.get(i).map(|label| u32::from(*label));
        Facts { attributes: Vec::new(), label }
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(DigitReader(self))
    }
}

struct DigitReader<'a>(&'a Digits);

impl Reader for DigitReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, Unreadable> {
        let (file, i) = self.0.find(place);
        let (h, w) = (file.images.dims[1], file.images.dims[2]);
        let pixels = &file.images.body()[i * h * w..][..h * w];
        let image = if self.0.transposed {
            let upright = (0..w).flat_map(|y| (0..h).map(move |x| pixels[x * w + y])).collect();
            Image::new(h, w, 1, upright)
        } else {
            Image::new(w, h, 1, pixels.to_vec())
        };
        Ok(Sample::Image(image.map_err(|e| e.to_string())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_files_name_characters() {
        let lines = mapping("1 65 97\r\n2 66 98\n\n").expect("well formed");
        assert_eq!(lines, [(1, "Aa".to_string()), (2, "Bb".to_string())]);
        for text in ["1", "x 65", "1 650"] {
            assert!(mapping(text).is_err(), "{text}");
        }
    }
}
