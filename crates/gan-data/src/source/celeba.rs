//! CelebA (Liu et al. 2015, <https://arxiv.org/abs/1411.7766>): aligned faces 178×218, with 40 binary
//! attributes and the official split. Where its files may lie, and how its pictures are known.

use std::path::{Path, PathBuf};

use super::base_name;
use crate::shape::Split;

/// Name of the archive, and of the folder in it.
const ARCHIVE: &str = "img_align_celeba";
/// Names of the table of attributes, official and as Kaggle distributes it.
pub(super) const ATTRIBUTES: [&str; 2] = ["list_attr_celeba.txt", "list_attr_celeba.csv"];
/// Names of the table of splits.
pub(super) const PARTITION: [&str; 2] = ["list_eval_partition.txt", "list_eval_partition.csv"];
/// Folders of the official download in which the tables lie.
const FOLDERS: [&str; 4] = ["", "Anno", "Eval", "annotations"];

/// The pictures of CelebA in a folder, or `None` where they have no such place of their own.
pub(super) fn pictures_in(folder: &Path) -> Option<PathBuf> {
    let zip = format!("{ARCHIVE}.zip");
    let nested = Path::new(ARCHIVE).join(ARCHIVE);
    let places = [folder.join(&zip), folder.join("Img").join(&zip), folder.join(nested)];
    let deeper = [folder.join(ARCHIVE), folder.join("Img").join(ARCHIVE)];
    places.into_iter().chain(deeper).find(|path| path.exists())
}

/// Whether a path is named as the archive or its folder.
pub(super) fn is_named(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(ARCHIVE))
}

/// A table near the pictures: beside or among them, or in one of the official folders there; for pictures
/// that are named as CelebA's up to three folders above.
pub(super) fn near(pictures: &Path, names: &[&str]) -> Option<PathBuf> {
    let absolute = std::path::absolute(pictures).ok()?;
    let levels = if is_named(pictures) { 4 } else { 2 };
    let folders = absolute.ancestors().take(levels);
    let places = folders.flat_map(|at| FOLDERS.iter().map(move |folder| at.join(folder)));
    places.flat_map(|at| names.iter().map(move |name| at.join(name))).find(|path| path.is_file())
}

/// Whether most of the names are CelebA's `NNNNNN.jpg`, 000001 to 202599.
pub(super) fn are_numbered<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let (mut numbered, mut others) = (0, 0);
    for name in names {
        match official_split(name) {
            Some(_) => numbered += 1,
            None => others += 1,
        }
    }
    numbered > others
}

/// The official split by the number in a file's name: 162,770 to train, then 19,867, then 19,962.
pub(super) fn official_split(name: &str) -> Option<Split> {
    match number(name)? {
        1..=162_770 => Some(Split::Train),
        162_771..=182_637 => Some(Split::Valid),
        182_638..=202_599 => Some(Split::Test),
        _ => None,
    }
}

fn number(name: &str) -> Option<u32> {
    let (stem, extension) = base_name(name).split_once('.')?;
    let is_picture = matches!(extension, "jpg" | "png");
    if is_picture && stem.len() == 6 { stem.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_numbers() {
        assert_eq!(official_split("img_align_celeba/000001.jpg"), Some(Split::Train));
        assert_eq!(official_split("162771.jpg"), Some(Split::Valid));
        assert_eq!(official_split("202599.png"), Some(Split::Test));
        for name in ["202600.jpg", "000000.jpg", "1.jpg", "IMG_12.jpg", "000001.jpg.txt"] {
            assert_eq!(official_split(name), None, "{name}");
        }
        assert!(are_numbered(["000001.jpg", "x/000002.jpg", "a.jpg"].into_iter()));
        assert!(!are_numbered(["000001.jpg", "a.jpg"].into_iter()));
    }
}
