//! One shard: a safetensors file with `images` u8 `(N, C, H, W)` or `points` f32 `(N, D)`, `split` u8
//! `(N,)`, and where the source has them `attributes` u8 `(N, A)` and `labels` i64 `(N,)` (the integer type that PyTorch
//! and candle both index with). What was left out is listed in the file's metadata.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::error::DataError;
use crate::manifest::ShardEntry;
use crate::mapped::MappedFile;
use crate::prepare::Skipped;
use crate::shape::{SampleShape, Split, SplitCounts};

/// The one key of a shard's metadata; a single one, as their order in the file is not defined.
const METADATA: &str = "gan-data";

/// Name of the shard of a place in the order.
pub(crate) fn file_name(index: usize) -> String {
    format!("shard-{index:05}.safetensors")
}

/// Hash of a shard's bytes as the manifest has it.
pub(crate) fn hash(bytes: &[u8]) -> String {
    format!("{:016x}", xxh3_64(bytes))
}

/// Which tensors a data set's shards have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) sample: SampleShape,
    /// Number of attributes; without any there is no such tensor.
    pub(crate) columns: usize,
    /// Number of classes; without any there are no labels.
    pub(crate) classes: usize,
}

impl Layout {
    /// Name, type and shape of the tensor of `n` samples.
    fn tensor(&self, n: usize) -> (&'static str, Dtype, Vec<usize>) {
        match self.sample {
            SampleShape::Image(shape) => {
                ("images", Dtype::U8, vec![n, shape.channels, shape.height, shape.width])
            }
            SampleShape::Point(dimensions) => ("points", Dtype::F32, vec![n, dimensions]),
        }
    }
}

/// The rows of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) samples: Vec<u8>, // [N, C, H, W], or [N, D] little-endian f32
    pub(crate) splits: Vec<u8>,  // [N]
    pub(crate) attributes: Vec<u8>, // [N, A]
    pub(crate) labels: Vec<i64>, // [N], or empty where the source has none
    pub(crate) skipped: Vec<Skipped>,
}

/// What of a written shard goes into the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) entry: ShardEntry,
    pub(crate) counts: SplitCounts,
    pub(crate) skipped: Vec<Skipped>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    skipped: Vec<Skipped>,
    /// Hash of the tensors, by which an interrupted preparation trusts what it finds.
    content: String,
}

/// Hash of tensors in the order in which [`Rows`] has them, and of what was left out.
fn content_hash(tensors: [&[u8]; 4], skipped: &[Skipped]) -> String {
    let mut hasher = Xxh3::new();
    hasher.update(&serde_json::to_vec(skipped).expect("plain data"));
    for tensor in tensors {
        hasher.update(&(tensor.len() as u64).to_le_bytes());
        hasher.update(tensor);
    }
    format!("{:016x}", hasher.digest())
}

impl Rows {
    /// Writes the shard, whole or not at all.
    pub(crate) fn write(
        &self,
        folder: &Path,
        index: usize,
        layout: Layout,
    ) -> Result<Report, DataError> {
        let (n, columns) = (self.splits.len(), layout.columns);
        let labels: Vec<u8> = self.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
        let view = |dtype, shape: &[usize], data| {
            TensorView::new(dtype, shape.to_vec(), data).expect("as many bytes as the shape says")
        };
        let (name, dtype, shape) = layout.tensor(n);
        let mut tensors = vec![
            (name, view(dtype, &shape, &self.samples)),
            ("split", view(Dtype::U8, &[n], &self.splits)),
        ];
        if columns > 0 {
            tensors.push(("attributes", view(Dtype::U8, &[n, columns], &self.attributes)));
        }
        if layout.classes > 0 {
            tensors.push(("labels", view(Dtype::I64, &[n], &labels)));
        }
        let parts = [&self.samples[..], &self.splits, &self.attributes, &labels];
        let content = content_hash(parts, &self.skipped);
        let metadata = serde_json::to_string(&Metadata { skipped: self.skipped.clone(), content });
        let metadata = HashMap::from([(METADATA.into(), metadata.expect("plain data"))]);
        let bytes = serialize(tensors, Some(metadata)).expect("tensors of known types");
        let file = file_name(index);
        gan_core::file::write_atomic(&folder.join(&file), |out| {
            Ok::<_, DataError>(out.write_all(&bytes)?)
        })?;
        let mut counts = SplitCounts::default();
        for &number in &self.splits {
            counts.add(Split::from_number(number).expect("written from a split"), 1);
        }
        let entry = ShardEntry { file, samples: n, xxh3: hash(&bytes) };
        Ok(Report { entry, counts, skipped: self.skipped.clone() })
    }
}

/// The bytes of a shard.
#[derive(Debug)]
pub(crate) enum Bytes {
    Memory(Vec<u8>),
    Mapped(MappedFile),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Bytes::Memory(bytes) => bytes,
            Bytes::Mapped(file) => file.as_ref(),
        }
    }
}

/// A shard's bytes with the places of its tensors in them.
#[derive(Debug)]
pub(crate) struct Shard {
    bytes: Bytes,
    samples: usize,
    splits: usize,
    attributes: Option<usize>,
    labels: Option<usize>,
    rows: usize,
    columns: usize,
    sample_bytes: usize,
}

impl Shard {
    /// Takes a shard's bytes apart; the error is what was expected and what was found.
    pub(crate) fn parse(shard: Bytes, layout: Layout) -> Result<Self, (String, String)> {
        let columns = layout.columns;
        let bytes = shard.as_ref();
        let whole = |e| ("a safetensors file".to_string(), format!("{e}"));
        let tensors = SafeTensors::deserialize(bytes).map_err(whole)?;
        let rows = tensors.tensor("split").map_or(0, |split| split.shape().iter().product());
        let place = |name: &str, dtype: Dtype, shape: &[usize]| {
            let Ok(view) = tensors.tensor(name) else { return Ok(None) };
            if view.dtype() != dtype || view.shape() != shape {
                let expected = format!("{name} {dtype:?} {shape:?}");
                return Err((expected, format!("{:?} {:?}", view.dtype(), view.shape())));
            }
            Ok(Some(view.data().as_ptr() as usize - bytes.as_ptr() as usize))
        };
        let (name, dtype, shape) = layout.tensor(rows);
        let samples = place(name, dtype, &shape)?.ok_or_else(|| missing(name))?;
        let splits = place("split", Dtype::U8, &[rows])?.ok_or_else(|| missing("split"))?;
        let attributes = place("attributes", Dtype::U8, &[rows, columns])?;
        if attributes.is_none() && columns > 0 {
            return Err(missing("attributes"));
        }
        let labels = place("labels", Dtype::I64, &[rows])?;
        if labels.is_none() && layout.classes > 0 {
            return Err(missing("labels"));
        }
        if let Some(number) =
            bytes[splits..][..rows].iter().find(|n| Split::from_number(**n).is_none())
        {
            return Err(("splits 0, 1 and 2".into(), number.to_string()));
        }
        let sample_bytes = layout.sample.checked_bytes().ok_or_else(|| missing(name))?;
        let shard =
            Self { samples, splits, attributes, labels, rows, columns, sample_bytes, bytes: shard };
        let is_class = |label: i64| usize::try_from(label).is_ok_and(|i| i < layout.classes);
        match (0..rows).filter_map(|row| shard.label(row)).find(|label| !is_class(*label)) {
            Some(label) => {
                Err((format!("labels of {} classes", layout.classes), label.to_string()))
            }
            None => Ok(shard),
        }
    }

    /// Reads back a shard that an interrupted preparation wrote from `items` samples; `None` where
    /// the file is not there, not such a shard, or not as it was written.
    pub(crate) fn report(
        folder: &Path,
        index: usize,
        layout: Layout,
        items: usize,
    ) -> Option<Report> {
        let file = file_name(index);
        let bytes = std::fs::read(folder.join(&file)).ok()?;
        let (_, header) = SafeTensors::read_metadata(&bytes).ok()?;
        let metadata = header.metadata().as_ref()?.get(METADATA)?;
        let Metadata { skipped, content } = serde_json::from_str(metadata).ok()?;
        let xxh3 = hash(&bytes);
        let shard = Self::parse(Bytes::Memory(bytes), layout).ok()?;
        if content != content_hash(shard.tensors(), &skipped) {
            return None;
        }
        let mut counts = SplitCounts::default();
        (0..shard.rows).for_each(|row| counts.add(shard.split(row), 1));
        let entry = ShardEntry { file, samples: shard.rows, xxh3 };
        (shard.rows + skipped.len() == items).then_some(Report { entry, counts, skipped })
    }

    /// Samples, splits, attributes and labels; empty where there are none.
    fn tensors(&self) -> [&[u8]; 4] {
        let part = |start: Option<usize>, row_bytes: usize| match start {
            Some(start) => &self.bytes.as_ref()[start..][..self.rows * row_bytes],
            None => &[],
        };
        [
            part(Some(self.samples), self.sample_bytes),
            part(Some(self.splits), 1),
            part(self.attributes, self.columns),
            part(self.labels, size_of::<i64>()),
        ]
    }

    /// Samples in it.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Planes `[C, H, W]` of one picture, or little-endian f32 `[D]` of one point.
    pub(crate) fn sample(&self, row: usize) -> &[u8] {
        &self.bytes.as_ref()[self.samples + row * self.sample_bytes..][..self.sample_bytes]
    }

    /// Split of one sample.
    pub(crate) fn split(&self, row: usize) -> Split {
        Split::from_number(self.bytes.as_ref()[self.splits + row])
            .expect("checked when it was parsed")
    }

    /// Attributes of one sample, 0 or 1.
    pub(crate) fn attributes(&self, row: usize) -> &[u8] {
        let start = self.attributes.unwrap_or(0) + row * self.columns;
        &self.bytes.as_ref()[start..][..self.columns]
    }

    /// Label of one sample.
    pub(crate) fn label(&self, row: usize) -> Option<i64> {
        let start = self.labels? + row * size_of::<i64>();
        self.bytes.as_ref()[start..].first_chunk().map(|bytes| i64::from_le_bytes(*bytes))
    }
}

fn missing(name: &str) -> (String, String) {
    (format!("a tensor {name}"), "none".into())
}
