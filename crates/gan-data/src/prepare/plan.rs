//! `prepare.json`: what a folder is being prepared from and with which options. It is written before
//! the first shard; an interrupted preparation continues only under the same plan.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::DataError;
use crate::manifest::{self, SourceId};
use crate::selection::Selection;
use crate::shape::SampleShape;
use crate::transform::Transform;

/// Name of the plan in a data set's folder.
pub(crate) const FILE: &str = "prepare.json";
const VERSION: u32 = 2;

/// Everything that decides the bytes of the shards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    version: u32,
    pub(crate) source: SourceId,
    pub(crate) sample: SampleShape,
    pub(crate) transform: Option<Transform>,
    pub(crate) only: Option<Selection>,
    pub(crate) limit: Option<usize>,
    pub(crate) fractions: Option<(f64, f64)>,
    pub(crate) seed: u64,
    pub(crate) shard_samples: usize,
}

impl Plan {
    pub(super) fn new(
        source: SourceId,
        sample: SampleShape,
        transform: Option<Transform>,
        options: &super::PrepareOptions,
    ) -> Self {
        // A shard is held in memory while it is made.
        let most = MAX_SHARD_BYTES / sample.checked_bytes().unwrap_or(MAX_SHARD_BYTES).max(1);
        Self {
            version: VERSION,
            source,
            sample,
            transform,
            only: options.only.clone(),
            limit: options.limit,
            fractions: options.fractions,
            seed: options.seed,
            shard_samples: options.shard_samples.clamp(1, most.max(1)),
        }
    }

    /// A short name that differs where anything that decides the bytes differs.
    pub(crate) fn short_digest(&self) -> String {
        let mut plan = self.clone();
        plan.source.name.clear();
        let text = serde_json::to_string(&plan).expect("plain data");
        blake3::hash(text.as_bytes()).to_hex()[..12].to_string()
    }

    /// Whether `folder` was prepared under this very plan; reads only.
    pub(super) fn is_claimed(&self, folder: &Path) -> bool {
        let text = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
        serde_json::from_str(&text).is_ok_and(|there| self.difference(&there).is_empty())
    }

    fn difference(&self, there: &Value) -> Vec<String> {
        let asked = serde_json::to_value(self).expect("plain data");
        let mut difference = Vec::new();
        differences("", there, &asked, &mut difference);
        difference
    }

    /// Refuses a folder of somebody else's files; leaves nothing in it.
    pub(super) fn refuse_foreign(folder: &Path) -> Result<(), DataError> {
        let Some(name) = foreign_file(folder)?.filter(|_| !folder.join(FILE).is_file()) else {
            return Ok(());
        };
        Err(DataError::Content {
            path: folder.into(),
            expected: "an empty folder or one that was prepared before".into(),
            found: format!("{name} and no {FILE}"),
            remedy: "choose another folder".into(),
        })
    }

    /// Makes sure that `folder`, which is locked and not foreign, is being prepared under this plan: writes
    /// it where there is none, compares it with the one that is there.
    pub(super) fn claim(&self, folder: &Path) -> Result<(), DataError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            let text = serde_json::to_string_pretty(self).expect("plain data");
            return Ok(gan_core::file::write_bytes(&path, text.as_bytes())?);
        }
        let text = fs_err::read_to_string(&path)?;
        let there: Value = serde_json::from_str(&text).map_err(|e| DataError::Content {
            path: path.clone(),
            expected: "the plan of a preparation".into(),
            found: e.to_string(),
            remedy: "remove the folder and prepare again".into(),
        })?;
        let difference = self.difference(&there);
        if difference.is_empty() {
            return Ok(());
        }
        // Where nothing was stored yet, nothing is lost by another plan.
        if !folder.join(manifest::FILE).is_file() && !has_shards(folder)? {
            let text = serde_json::to_string_pretty(self).expect("plain data");
            return Ok(gan_core::file::write_bytes(&path, text.as_bytes())?);
        }
        Err(DataError::OtherOptions { path: folder.into(), difference: difference.join(", ") })
    }
}

const MAX_SHARD_BYTES: usize = 128 << 20;

fn has_shards(folder: &Path) -> Result<bool, DataError> {
    for entry in fs_err::read_dir(folder)? {
        if entry?.file_name().to_string_lossy().starts_with("shard-") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first file of a folder that is not ours.
fn foreign_file(folder: &Path) -> Result<Option<String>, DataError> {
    for entry in fs_err::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // A temporary sibling is what a kill leaves of a plan that was not yet in place.
        if !super::lock::is_lock(&name) && !name.starts_with(".writing-") {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Lists the leaves by which two plans differ, as `key: there, now asked`. Where a source lies does not
/// matter.
fn differences(key: &str, there: &Value, asked: &Value, out: &mut Vec<String>) {
    if key == "source.name" || there == asked {
        return;
    }
    if let (Value::Object(a), Value::Object(b)) = (there, asked) {
        let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
        keys.sort();
        keys.dedup();
        for k in keys {
            let inner = if key.is_empty() { k.clone() } else { format!("{key}.{k}") };
            let of =
                |map: &serde_json::Map<String, Value>| map.get(k).cloned().unwrap_or(Value::Null);
            differences(&inner, &of(a), &of(b), out);
        }
        return;
    }
    let shown = |value: &Value| match value {
        Value::Null => "none".to_string(),
        // Digests: their beginning tells them apart.
        Value::String(text) if key.ends_with("digest") => {
            format!("{}…", text.chars().take(12).collect::<String>())
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut line = format!("{key} is {}, now {} was asked", shown(there), shown(asked));
    if key == "source.digest" {
        line += ": its files, or how they are read, have changed";
    }
    out.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_what_is_there_and_what_is_asked() {
        let a = json!({"seed": 1, "limit": null, "source": {"name": "a", "kind": "idx"}});
        let b = json!({"seed": 2, "limit": 7, "source": {"name": "b", "kind": "idx"}});
        let mut out = Vec::new();
        differences("", &a, &b, &mut out);
        assert_eq!(out, ["limit is none, now 7 was asked", "seed is 1, now 2 was asked"]);
    }
}
