//! `manifest.json`: names exactly what a data set holds. It is written last, so that a folder with
//! a manifest is a whole data set.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::selection::Selection;
use crate::shape::{SampleShape, SplitCounts};
use crate::shard::Layout;
use crate::transform::Transform;

/// What to do about a manifest that was damaged.
const AGAIN: &str = "run the same prepare again, it makes it anew";
/// Name of the manifest in a data set's folder.
pub(crate) const FILE: &str = "manifest.json";
/// The version that this program writes and reads.
pub(crate) const VERSION: u32 = 2;
/// No picture that is stored has a longer side, no point more coordinates.
const MAX_SIDE: usize = 1 << 15;

/// What a folder of shards holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format.
    pub version: u32,
    /// What every sample is.
    pub sample: SampleShape,
    /// What was done to the pictures of the source; none where samples are points.
    pub transform: Option<Transform>,
    /// Samples in each split.
    pub counts: SplitCounts,
    /// Names of the binary attributes, in the order of the shards' columns; may be empty.
    pub attributes: Vec<String>,
    /// Names of the classes, by label; may be empty.
    pub classes: Vec<String>,
    /// The files, in order.
    pub shards: Vec<ShardEntry>,
    /// Where the pictures came from.
    pub source: SourceId,
    /// Which of the source's samples were wanted; all where absent.
    pub only: Option<Selection>,
    /// How many were wanted at most; all where absent.
    pub limit: Option<usize>,
    /// Parts for validation and test that were asked for; the source's own split where absent.
    pub fractions: Option<(f64, f64)>,
    /// Seed of split, limit and synthetic samples.
    pub seed: u64,
    /// Damaged pictures that were left out; `prepare.log` lists them.
    pub skipped: usize,
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardEntry {
    /// File name in the folder.
    pub file: String,
    /// Samples in it.
    pub samples: usize,
    /// XXH3-64 of the whole file, 16 hexadecimal digits.
    pub xxh3: String,
}

/// Where pictures came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceId {
    /// `celeba`, `folder`, `zip`, `idx`, `cifar-10`, `cifar-100`, `parquet`, `stacked-mnist`, or the name
    /// of a built-in set.
    pub kind: String,
    /// Name of the file or folder.
    pub name: String,
    /// BLAKE3 over tables and over names, sizes and checksums (zip), times of change (folders), these and
    /// footers (parquet) or contents (idx, CIFAR) of the files.
    pub digest: String,
}

/// Whether a folder is a data set that was prepared; a folder of pictures can have a `manifest.json` of
/// another kind.
pub fn is_prepared(folder: &Path) -> bool {
    let ours = [crate::prepare::plan::FILE.to_string(), crate::shard::file_name(0)];
    folder.join(FILE).is_file() && ours.iter().any(|name| folder.join(name).is_file())
}

impl Manifest {
    /// Whether mirroring its pictures left to right gives other pictures of the same kind: digits and
    /// letters do not bear it.
    pub fn bears_mirroring(&self) -> bool {
        !matches!(self.source.kind.as_str(), "idx" | "synthetic-digits" | "stacked-mnist")
    }

    /// Reads the manifest of a folder that has one; `None` where it is one of ours that was damaged. A newer
    /// one and that of something else are errors.
    pub(crate) fn read_whole(folder: &Path) -> Result<Option<Self>, DataError> {
        match Self::parse(&fs_err::read(folder.join(FILE))?) {
            Ok(manifest) => Ok(Some(manifest)),
            Err((_, AGAIN)) => Ok(None),
            Err(_) => Self::read(folder).map(Some),
        }
    }

    /// Reads the manifest of a data set.
    pub fn read(folder: &Path) -> Result<Self, DataError> {
        let path = folder.join(FILE);
        let wrong = |found: String, remedy: &str| DataError::Content {
            path: path.clone(),
            expected: format!("the manifest of a prepared data set, version {VERSION}"),
            found,
            remedy: remedy.into(),
        };
        if !path.is_file() {
            return Err(wrong("no such file".into(), "prepare the data into this folder first"));
        }
        let text = fs_err::read(&path)?;
        Self::parse(&text).map_err(|(found, remedy)| wrong(found, remedy))
    }

    /// Reads the text of a manifest; the error is what was found and what to do.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, (String, &'static str)> {
        let json: serde_json::Value =
            serde_json::from_slice(text).map_err(|e| (format!("no JSON ({e})"), AGAIN))?;
        match json.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) if version > u64::from(VERSION) => {
                let remedy = "use the newer program that wrote it, or prepare the data again";
                return Err((format!("version {version}"), remedy));
            }
            Some(version) => return Err((format!("version {version}"), AGAIN)),
            None => {
                let remedy = "name the folder of a prepared data set";
                return Err(("the manifest of something else".into(), remedy));
            }
        }
        let manifest: Self = serde_json::from_value(json).map_err(|e| (e.to_string(), AGAIN))?;
        manifest.check().map_err(|found| (found, AGAIN))?;
        Ok(manifest)
    }

    /// Values that parse and cannot be: nothing later has to ask again.
    fn check(&self) -> Result<(), String> {
        let sides = 1..=MAX_SIDE;
        let is_possible = match self.sample {
            SampleShape::Image(shape) => {
                matches!(shape.channels, 1 | 3)
                    && sides.contains(&shape.width)
                    && sides.contains(&shape.height)
            }
            SampleShape::Point(dimensions) => sides.contains(&dimensions),
        };
        if !is_possible {
            return Err(format!("samples of {:?}", self.sample));
        }
        let plain = |name: &str| !name.is_empty() && !name.contains(['/', '\\', ':']);
        match self.shards.iter().find(|shard| !plain(&shard.file)) {
            Some(shard) => Err(format!("a shard named {:?}", shard.file)),
            None => Ok(()),
        }
    }

    /// Writes the manifest into a data set's folder, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), DataError> {
        let text = serde_json::to_string_pretty(self).expect("plain data");
        Ok(gan_core::file::write_bytes(&folder.join(FILE), text.as_bytes())?)
    }

    /// Which tensors the shards have.
    pub(crate) fn layout(&self) -> Layout {
        Layout { sample: self.sample, columns: self.attributes.len(), classes: self.classes.len() }
    }

    /// BLAKE3 over what a run sees of the data: shape, transform, names, counts and the hash of every
    /// shard. Where the source lay and what it was called do not matter.
    pub fn digest(&self) -> String {
        let seen = serde_json::json!({
            "version": self.version,
            "sample": self.sample,
            "transform": self.transform,
            "counts": self.counts,
            "attributes": self.attributes,
            "classes": self.classes,
            "shards": self.shards,
        });
        blake3::hash(seen.to_string().as_bytes()).to_hex().to_string()
    }
}
