//! Which idx files lie in a folder, and which belong together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::decode;
use crate::error::DataError;
use crate::shape::Split;

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
        let name = file_name(images);
        let labels = name.replace("images", "labels").replace("idx3", "idx1");
        let plain = labels.trim_end_matches(".gz").to_string();
        let zipped = format!("{plain}.gz");
        let candidates = [labels, plain, zipped].into_iter().filter(|other| *other != name);
        let labels = candidates.map(|other| images.with_file_name(other)).find(|p| p.is_file());
        let split = parts(&name).map_or(Split::Train, |(_, split)| split);
        Self { images: images.into(), labels, split }
    }

    /// What the files of one data set begin with: empty for MNIST's, `emnist-letters-` for one of EMNIST's.
    pub(super) fn family(&self) -> String {
        let name = file_name(&self.images);
        parts(&name).map_or_else(String::new, |(family, _)| family.to_string())
    }
}

/// All idx pictures of a folder or of the folder `raw` in it, training ones first; a file that lies there
/// plain and gzipped counts once. `family` picks one data set of several.
pub(crate) fn in_folder(folder: &Path, family: Option<&str>) -> Result<Vec<IdxPair>, DataError> {
    let mut pairs = pairs_of(folder)?;
    if pairs.is_empty() && folder.join("raw").is_dir() {
        pairs = pairs_of(&folder.join("raw"))?;
    }
    if let Some(family) = family {
        pairs.retain(|pair| pair.family().trim_end_matches('-') == family);
    }
    let families: BTreeSet<String> = pairs.iter().map(IdxPair::family).collect();
    if families.len() > 1 {
        let names: Vec<String> = families
            .iter()
            .map(|family| folder.join(family.trim_end_matches('-')).display().to_string())
            .collect();
        return Err(DataError::Source {
            name: folder.display().to_string(),
            found: format!("{} data sets in one folder", names.len()),
            remedy: format!("name one of them: {}", names.join(", ")),
        });
    }
    Ok(pairs)
}

fn pairs_of(folder: &Path) -> Result<Vec<IdxPair>, DataError> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let name = file_name(&path);
        // Somebody's picture can be called so too.
        let is_picture = decode::has_picture_name(&name);
        if name.contains("idx3") && !is_picture && !name.starts_with('.') && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.dedup_by(|gzipped, plain| plain.with_added_extension("gz") == *gzipped);
    let mut pairs: Vec<IdxPair> = paths.iter().map(|path| IdxPair::beside(path)).collect();
    pairs.sort_by_key(|pair| pair.split as u8);
    Ok(pairs)
}

/// Family and split in a name such as `emnist-letters-train-images-idx3-ubyte`.
fn parts(name: &str) -> Option<(&str, Split)> {
    let (before, _) = name.split_once("images")?;
    let before = before.trim_end_matches(['-', '_', '.']);
    let splits = [("train", Split::Train), ("t10k", Split::Test), ("test", Split::Test)];
    splits.into_iter().find_map(|(part, split)| Some((before.strip_suffix(part)?, split)))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_data_set_and_split() {
        for (name, family, split) in [
            ("train-images-idx3-ubyte.gz", "", Split::Train),
            ("t10k-images.idx3-ubyte", "", Split::Test),
            ("emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-", Split::Test),
            ("contest-train-images-idx3-ubyte", "contest-", Split::Train),
            ("digits-idx3-ubyte", "", Split::Train),
        ] {
            let pair = IdxPair::beside(Path::new(name));
            assert_eq!((pair.family().as_str(), pair.split), (family, split), "{name}");
        }
    }
}
