//! A prepared data set, checked and opened.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use gan_core::ImageShape;
use rayon::prelude::*;

use crate::error::DataError;
use crate::manifest::{Manifest, ShardEntry};
use crate::mapped::MappedFile;
use crate::selection::unknown;
use crate::shape::{SampleShape, Split};
use crate::shard::{self, Bytes, Shard};
use crate::storage::Storage;

/// A data set: its manifest and all shards.
///
/// Samples are addressed by split and index in it; indices follow the order of the source.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    manifest: Manifest,
    digest: String,
    shards: Vec<Shard>,
    rows: [Vec<(u32, u32)>; 3], // shard and row of every sample, by split
}

/// How often an attribute or class occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequency {
    /// Its name.
    pub name: String,
    /// Samples of the training, validation and test split that have it.
    pub counts: [usize; 3],
}

impl Dataset {
    /// Opens a folder that [`prepare`](crate::prepare()) has finished; the hash of every shard is checked.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        Self::open_in(folder, Storage::Auto)
    }

    /// As [`Dataset::open`], with the shards where `storage` says.
    pub fn open_in(folder: &Path, storage: Storage) -> Result<Self, DataError> {
        let manifest = Manifest::read(folder)?;
        let size =
            |entry: &ShardEntry| std::fs::metadata(folder.join(&entry.file)).map(|m| m.len());
        let bytes = manifest.shards.iter().map(|entry| size(entry).unwrap_or(0)).sum();
        let in_memory = storage.holds(bytes);
        tracing::debug!("{bytes} bytes of shards, {}", if in_memory { "read" } else { "mapped" });
        let shards: Vec<Shard> = manifest
            .shards
            .par_iter()
            .map(|entry| open_shard(folder, entry, &manifest, in_memory))
            .collect::<Result<_, _>>()?;
        let mut rows: [Vec<(u32, u32)>; 3] = Default::default();
        for (i, shard) in shards.iter().enumerate() {
            for row in 0..shard.rows() {
                rows[shard.split(row) as usize].push((i as u32, row as u32));
            }
        }
        for split in Split::ALL {
            let (expected, got) = (manifest.counts.of(split), rows[split as usize].len());
            if expected != got {
                let what = format!("{expected} samples of the {split} split, as the manifest says");
                return Err(content(folder, what, got.to_string()));
            }
        }
        let digest = manifest.digest();
        Ok(Self { folder: folder.into(), manifest, digest, shards, rows })
    }

    /// What the data set is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder that it was opened from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Shape of every picture; an error where the samples are points.
    pub fn image_shape(&self) -> Result<ImageShape, DataError> {
        self.manifest.sample.image().ok_or_else(|| DataError::Kind {
            path: self.folder.clone(),
            expected: "pictures",
            found: self.manifest.sample.to_string(),
        })
    }

    /// Number of samples in a split.
    pub fn len(&self, split: Split) -> usize {
        self.rows[split as usize].len()
    }

    /// Whether a split has no samples.
    pub fn is_empty(&self, split: Split) -> bool {
        self.len(split) == 0
    }

    /// Names exactly what a run saw, see [`Manifest::digest`].
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Samples of a split on the CPU: pictures u8 `[N, C, H, W]`, or points f32 `[N, D]`.
    pub fn samples(&self, split: Split, indices: &[usize]) -> Result<Tensor, DataError> {
        self.gather(split, indices, |_| false)
    }

    /// Attributes of samples, u8 0 or 1 `[N, A]` in the order of the manifest's names, or `None`
    /// where the data set has none.
    pub fn attributes(&self, split: Split, indices: &[usize]) -> Result<Option<Tensor>, DataError> {
        let columns = self.manifest.attributes.len();
        if columns == 0 {
            return Ok(None);
        }
        let mut values = Vec::with_capacity(indices.len() * columns);
        for &index in indices {
            let (shard, row) = self.find(split, index)?;
            values.extend_from_slice(shard.attributes(row));
        }
        Ok(Some(Tensor::from_vec(values, (indices.len(), columns), &Device::Cpu)?))
    }

    /// Labels of samples, i64 `[N]`, or `None` where the data set has none.
    pub fn labels(&self, split: Split, indices: &[usize]) -> Result<Option<Tensor>, DataError> {
        if self.manifest.classes.is_empty() {
            return Ok(None);
        }
        let mut labels = Vec::with_capacity(indices.len());
        for &index in indices {
            let (shard, row) = self.find(split, index)?;
            labels.extend(shard.label(row));
        }
        Ok(Some(Tensor::from_vec(labels, indices.len(), &Device::Cpu)?))
    }

    /// How often each attribute occurs, then how often each class does, in the manifest's order.
    pub fn frequencies(&self) -> (Vec<Frequency>, Vec<Frequency>) {
        let start = |names: &[String]| -> Vec<Frequency> {
            let zero = |name: &String| Frequency { name: name.clone(), counts: [0; 3] };
            names.iter().map(zero).collect()
        };
        let (mut attributes, mut classes) =
            (start(&self.manifest.attributes), start(&self.manifest.classes));
        for shard in &self.shards {
            for row in 0..shard.rows() {
                let split = shard.split(row) as usize;
                for (frequency, value) in attributes.iter_mut().zip(shard.attributes(row)) {
                    frequency.counts[split] += usize::from(*value != 0);
                }
                if let Some(label) = shard.label(row) {
                    classes[label as usize].counts[split] += 1;
                }
            }
        }
        (attributes, classes)
    }

    /// The group of every sample of a split: its class where `name` is `class`, else whether it has the
    /// attribute of that name.
    pub(crate) fn groups(&self, split: Split, name: &str) -> Result<Vec<usize>, DataError> {
        let by_class = !self.manifest.classes.is_empty();
        if name == "class" && by_class {
            let labels =
                self.rows(split).map(|(shard, row)| shard.label(row).unwrap_or(0) as usize);
            return Ok(labels.collect());
        }
        let class = by_class.then(|| "class".to_string());
        let column = self.column(name, class.as_slice())?;
        let values = self.rows(split).map(|(shard, row)| shard.attributes(row)[column]);
        Ok(values.map(|value| usize::from(value != 0)).collect())
    }

    /// Whether each sample of a split has an attribute.
    pub(crate) fn having(&self, split: Split, name: &str) -> Result<Vec<bool>, DataError> {
        let column = self.column(name, &[])?;
        Ok(self.rows(split).map(|(shard, row)| shard.attributes(row)[column] != 0).collect())
    }

    /// Column of an attribute; the error lists the attributes and what `else_known` could have been meant.
    fn column(&self, name: &str, else_known: &[String]) -> Result<usize, DataError> {
        let attributes = &self.manifest.attributes;
        let column = attributes.iter().position(|known| known == name);
        column.ok_or_else(|| unknown(name, attributes, else_known))
    }

    /// Shard and row of every sample of a split.
    fn rows(&self, split: Split) -> impl Iterator<Item = (&Shard, usize)> {
        let rows = self.rows[split as usize].iter();
        rows.map(|&(shard, row)| (&self.shards[shard as usize], row as usize))
    }

    /// Samples as [`Dataset::samples`], the `k`-th picture mirrored where `flip(k)`.
    pub(crate) fn gather(
        &self,
        split: Split,
        indices: &[usize],
        flip: impl Fn(usize) -> bool,
    ) -> Result<Tensor, DataError> {
        let rows = indices.iter().map(|&index| self.find(split, index));
        match self.manifest.sample {
            SampleShape::Image(ImageShape { channels, height, width }) => {
                let mut pixels = Vec::with_capacity(indices.len() * channels * height * width);
                for (k, row) in rows.enumerate() {
                    let (shard, row) = row?;
                    let image = shard.sample(row);
                    if flip(k) {
                        image.chunks_exact(width).for_each(|line| pixels.extend(line.iter().rev()));
                    } else {
                        pixels.extend_from_slice(image);
                    }
                }
                let shape = (indices.len(), channels, height, width);
                Ok(Tensor::from_vec(pixels, shape, &Device::Cpu)?)
            }
            SampleShape::Point(dimensions) => {
                let mut points = Vec::with_capacity(indices.len() * dimensions);
                for row in rows {
                    let (shard, row) = row?;
                    let (coordinates, _) = shard.sample(row).as_chunks::<4>();
                    points.extend(coordinates.iter().map(|bytes| f32::from_le_bytes(*bytes)));
                }
                Ok(Tensor::from_vec(points, (indices.len(), dimensions), &Device::Cpu)?)
            }
        }
    }

    fn find(&self, split: Split, index: usize) -> Result<(&Shard, usize), DataError> {
        let Some(&(shard, row)) = self.rows[split as usize].get(index) else {
            return Err(DataError::Argument {
                name: "index of a sample",
                expected: format!("below {} in the {split} split", self.len(split)),
                got: index.to_string(),
            });
        };
        Ok((&self.shards[shard as usize], row as usize))
    }
}

fn open_shard(
    folder: &Path,
    entry: &ShardEntry,
    manifest: &Manifest,
    in_memory: bool,
) -> Result<Shard, DataError> {
    let path = folder.join(&entry.file);
    if !path.is_file() {
        let what = format!("a shard of {} samples, as the manifest says", entry.samples);
        return Err(content(&path, what, "no such file".into()));
    }
    let bytes = match in_memory {
        true => Bytes::Memory(fs_err::read(&path)?),
        false => Bytes::Mapped(MappedFile::open(&path)?),
    };
    let got = shard::hash(bytes.as_ref());
    if got != entry.xxh3 {
        return Err(DataError::Hash { path, expected: entry.xxh3.clone(), got });
    }
    let shard = Shard::parse(bytes, manifest.layout())
        .map_err(|(expected, found)| content(&path, expected, found))?;
    if shard.rows() != entry.samples {
        let what = format!("{} samples, as the manifest says", entry.samples);
        return Err(content(&path, what, shard.rows().to_string()));
    }
    Ok(shard)
}

fn content(path: &Path, expected: String, found: String) -> DataError {
    let remedy = "run the same prepare again, it makes what is damaged anew".into();
    DataError::Content { path: path.into(), expected, found, remedy }
}
