//! A prepared data set, checked and held in memory.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use crate::error::DataError;
use crate::manifest::{Manifest, ShardEntry};
use crate::shape::Split;
use crate::shard::{self, Shard};
use gan_core::ImageShape;

/// A data set: its manifest and all shards, u8, in memory.
///
/// Pictures are addressed by split and index in it; indices follow the order of the source.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    manifest: Manifest,
    digest: String,
    shards: Vec<Shard>,
    rows: [Vec<(u32, u32)>; 3], // shard and row of every picture, by split
}

impl Dataset {
    /// Opens a folder that [`prepare`](crate::prepare()) has finished; the hash of every shard is checked.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        let manifest = Manifest::read(folder)?;
        let shards: Vec<Shard> = manifest
            .shards
            .par_iter()
            .map(|entry| open_shard(folder, entry, &manifest))
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
                let what =
                    format!("{expected} pictures of the {split} split, as the manifest says");
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

    /// Shape of every picture.
    pub fn image_shape(&self) -> ImageShape {
        self.manifest.image
    }

    /// Number of pictures in a split.
    pub fn len(&self, split: Split) -> usize {
        self.rows[split as usize].len()
    }

    /// Whether a split has no pictures.
    pub fn is_empty(&self, split: Split) -> bool {
        self.len(split) == 0
    }

    /// Names exactly what a run saw, see [`Manifest::digest`].
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Pictures of a split, u8 `[N, C, H, W]` on the CPU.
    pub fn images(&self, split: Split, indices: &[usize]) -> Result<Tensor, DataError> {
        self.gather(split, indices, |_| false)
    }

    /// Attributes of pictures, u8 0 or 1 `[N, A]` in the order of the manifest's names, or `None`
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

    /// Labels of pictures, i64 `[N]`, or `None` where the data set has none.
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

    /// Pictures as [`Dataset::images`], the `k`-th mirrored where `flip(k)`.
    pub(crate) fn gather(
        &self,
        split: Split,
        indices: &[usize],
        flip: impl Fn(usize) -> bool,
    ) -> Result<Tensor, DataError> {
        let ImageShape { channels, height, width } = self.image_shape();
        let mut pixels = Vec::with_capacity(indices.len() * self.image_shape().bytes());
        for (k, &index) in indices.iter().enumerate() {
            let (shard, row) = self.find(split, index)?;
            let image = shard.image(row);
            if flip(k) {
                image.chunks_exact(width).for_each(|line| pixels.extend(line.iter().rev()));
            } else {
                pixels.extend_from_slice(image);
            }
        }
        let shape = (indices.len(), channels, height, width);
        Ok(Tensor::from_vec(pixels, shape, &Device::Cpu)?)
    }

    fn find(&self, split: Split, index: usize) -> Result<(&Shard, usize), DataError> {
        let Some(&(shard, row)) = self.rows[split as usize].get(index) else {
            return Err(DataError::Argument {
                name: "index of a picture",
                expected: format!("below {} in the {split} split", self.len(split)),
                got: index.to_string(),
            });
        };
        Ok((&self.shards[shard as usize], row as usize))
    }
}

fn open_shard(folder: &Path, entry: &ShardEntry, manifest: &Manifest) -> Result<Shard, DataError> {
    let path = folder.join(&entry.file);
    if !path.is_file() {
        let what = format!("a shard of {} pictures, as the manifest says", entry.images);
        return Err(content(&path, what, "no such file".into()));
    }
    let bytes = fs_err::read(&path)?;
    let got = shard::hash(&bytes);
    if got != entry.xxh3 {
        return Err(DataError::Hash { path, expected: entry.xxh3.clone(), got });
    }
    let shard = Shard::parse(bytes, manifest.layout())
        .map_err(|(expected, found)| content(&path, expected, found))?;
    if shard.rows() != entry.images {
        let what = format!("{} pictures, as the manifest says", entry.images);
        return Err(content(&path, what, shard.rows().to_string()));
    }
    Ok(shard)
}

fn content(path: &Path, expected: String, found: String) -> DataError {
    let remedy = "remove the manifest and prepare the data again".into();
    DataError::Content { path: path.into(), expected, found, remedy }
}
