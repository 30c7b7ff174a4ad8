//! `manifest.json`: names exactly what a data set holds. It is written last, so that a folder with
//! a manifest is a whole data set.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::shape::SplitCounts;
use crate::shard::Layout;
use crate::transform::Transform;
use gan_core::ImageShape;

/// Name of the manifest in a data set's folder.
pub(crate) const FILE: &str = "manifest.json";
/// The version that this program writes and reads.
pub(crate) const VERSION: u32 = 1;

/// What a folder of shards holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format.
    pub version: u32,
    /// Shape of every picture.
    pub image: ImageShape,
    /// What was done to the pictures of the source.
    pub transform: Transform,
    /// Pictures in each split.
    pub counts: SplitCounts,
    /// Names of the binary attributes, in the order of the shards' columns; may be empty.
    pub attributes: Vec<String>,
    /// Names of the classes, by label; may be empty.
    pub classes: Vec<String>,
    /// The files, in order.
    pub shards: Vec<ShardEntry>,
    /// Where the pictures came from.
    pub source: SourceId,
    /// Seed of split, limit and synthetic pictures.
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
    /// Pictures in it.
    pub images: usize,
    /// XXH3-64 of the whole file, 16 hexadecimal digits.
    pub xxh3: String,
}

/// Where pictures came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceId {
    /// `celeba`, `idx`, `folder`, `zip`, `synthetic-faces` or `synthetic-digits`.
    pub kind: String,
    /// Name of the file or folder.
    pub name: String,
    /// BLAKE3 over annotations and over names, sizes and checksums (zip), times (folders) or
    /// contents (idx) of the pictures.
    pub digest: String,
}

impl Manifest {
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
        let text = fs_err::read_to_string(&path)?;
        let json: serde_json::Value = serde_json::from_str(&text)
            .map_err(|e| wrong(format!("no JSON ({e})"), "prepare the data again"))?;
        match json.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) if version > u64::from(VERSION) => {
                return Err(wrong(
                    format!("version {version}"),
                    "use the newer program that wrote it, or prepare the data again",
                ));
            }
            _ => return Err(wrong("no version that we know".into(), "prepare the data again")),
        }
        serde_json::from_value(json).map_err(|e| wrong(e.to_string(), "prepare the data again"))
    }

    /// Writes the manifest into a data set's folder, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), DataError> {
        let text = serde_json::to_string_pretty(self).expect("plain data");
        Ok(gan_core::file::write_bytes(&folder.join(FILE), text.as_bytes())?)
    }

    /// Which tensors the shards have.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            image: self.image,
            columns: self.attributes.len(),
            has_labels: !self.classes.is_empty(),
        }
    }

    /// BLAKE3 over what a run sees of the data: shape, transform, names, counts and the hash of every
    /// shard. Where the source lay and what it was called do not matter.
    pub fn digest(&self) -> String {
        let seen = serde_json::json!({
            "version": self.version,
            "image": self.image,
            "transform": self.transform,
            "counts": self.counts,
            "attributes": self.attributes,
            "classes": self.classes,
            "shards": self.shards,
        });
        blake3::hash(seen.to_string().as_bytes()).to_hex().to_string()
    }
}
