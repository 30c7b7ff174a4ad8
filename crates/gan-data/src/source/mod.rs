//! What data can be made from, one kind a file, and how a name is recognized as one of them.

mod annotations;
mod celeba;
pub mod cifar;
mod drawn;
mod files;
mod gaussians;
mod idx;
mod layout;
#[cfg(feature = "parquet")]
mod parquet;
mod pictures;
mod stacked;
mod stylegan;

#[cfg(any(fuzzing, test))]
pub(crate) use annotations::{Attributes, Partition};
#[cfg(any(fuzzing, test))]
pub(crate) use idx::Idx;

use std::io::Read;
use std::path::{Path, PathBuf};

pub use cifar::Cifar;
pub use drawn::Drawer;
pub use gaussians::Mixture;
pub use idx::IdxPair;
pub use pictures::Pictures;

use crate::catalog::Catalog;
use crate::decode;
use crate::error::DataError;
use crate::manifest;
use crate::prepare::{PrepareOptions, Progress, Stage, output};

/// Name of the stacked source, before a colon and what is stacked.
const STACKED: &str = "stacked-mnist";
const KINDS: &str = "give a folder or zip of pictures, CelebA's img_align_celeba.zip or a folder holding it, \
                     MNIST-like idx files, CIFAR's binary batches, or a built-in set: synthetic-faces, \
                     synthetic-digits, stacked-mnist:PATH, gaussians-ring, gaussians-grid";

/// What `--data` or `prepare SOURCE` may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder or zip of pictures: a user's own, CelebA, or one of StyleGAN's tools.
    Pictures(Pictures),
    /// MNIST and its relatives.
    Idx(Vec<IdxPair>),
    /// CIFAR-10 or CIFAR-100.
    Cifar(Cifar),
    /// Pictures in a column of parquet files.
    #[cfg(feature = "parquet")]
    Parquet(Vec<PathBuf>),
    /// Pictures drawn on the spot.
    Synthetic(Drawer),
    /// Three digits of another source in one picture.
    Stacked(Box<Source>),
    /// Points of the plane.
    Gaussians(Mixture),
}

impl Source {
    /// Recognizes a source: a built-in name, or a path by what lies there.
    pub fn detect(name: &str) -> Result<Self, DataError> {
        if let Some(drawer) = Drawer::ALL.into_iter().find(|drawer| drawer.name() == name) {
            return Ok(Self::Synthetic(drawer));
        }
        if let Some(mixture) = Mixture::ALL.into_iter().find(|mixture| mixture.name() == name) {
            return Ok(Self::Gaussians(mixture));
        }
        if let Some(digits) = name.strip_prefix(STACKED).and_then(|rest| rest.strip_prefix(':')) {
            return Ok(Self::Stacked(Box::new(Self::detect(digits)?)));
        }
        let path = Path::new(name);
        if path.is_dir() {
            return Self::in_folder(path);
        }
        if path.is_file() {
            return Self::file(path);
        }
        // `emnist/emnist-letters`: the files of a folder that begin so.
        if let (Some(folder), Some(family)) = (path.parent(), path.file_name())
            && folder.is_dir()
        {
            let pairs = idx::in_folder(folder, family.to_str())?;
            if !pairs.is_empty() {
                return Ok(Self::Idx(pairs));
            }
        }
        let found = "neither a path nor a built-in data set".into();
        Err(DataError::Source { name: name.into(), found, remedy: KINDS.into() })
    }

    /// What is stacked, where a name is `stacked-mnist` or `stacked-mnist:DIGITS`; the digits are MNIST
    /// unless named.
    pub fn stacked_digits(name: &str) -> Option<&str> {
        match name.strip_prefix(STACKED)? {
            "" => Some("mnist"),
            rest => rest.strip_prefix(':'),
        }
    }

    fn in_folder(path: &Path) -> Result<Self, DataError> {
        if manifest::is_prepared(path) {
            return Err(DataError::Source {
                name: path.display().to_string(),
                found: "a data set that is already prepared".into(),
                remedy: "use it as it is".into(),
            });
        }
        if output::is_begun(path) {
            return Err(DataError::Content {
                path: path.into(),
                expected: "a finished data set".into(),
                found: "a preparation that was not finished".into(),
                remedy: "run the same prepare again, it goes on where it was".into(),
            });
        }
        if let Some(pictures) = celeba::pictures_in(path) {
            return Ok(Self::Pictures(Pictures::at(&pictures)));
        }
        if let Some(cifar) = Cifar::in_folder(path) {
            return Ok(Self::Cifar(cifar));
        }
        let tables = parquet_in(path)?;
        if !tables.is_empty() {
            return Self::tables(tables);
        }
        let pairs = idx::in_folder(path, None)?;
        Ok(if pairs.is_empty() { Self::Pictures(Pictures::at(path)) } else { Self::Idx(pairs) })
    }

    fn file(path: &Path) -> Result<Self, DataError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut head = Vec::new();
        fs_err::File::open(path)?.take(4).read_to_end(&mut head)?;
        if let (Some(cifar), [0x1f, 0x8b, ..]) = (Cifar::archive(path), head.as_slice()) {
            return Ok(Self::Cifar(cifar));
        }
        match head.as_slice() {
            [b'P', b'K', ..] => Ok(Self::Pictures(Pictures::at(path))),
            [b'P', b'A', b'R', b'1'] => Self::tables(vec![path.into()]),
            [0, 0, 8, _] => Ok(Self::Idx(vec![IdxPair::beside(path)])),
            [0x1f, 0x8b, ..] if name.contains("idx") => Ok(Self::Idx(vec![IdxPair::beside(path)])),
            _ if name.contains("idx3") || name.ends_with(".zip") => Err(DataError::Content {
                path: path.into(),
                expected: "an idx file or a zip, as its name says".into(),
                found: "a file that begins as neither".into(),
                remedy: "check that it was copied or downloaded to its end".into(),
            }),
            _ => Err(DataError::Source {
                name: path.display().to_string(),
                found: "a file that is neither a zip nor an idx file".into(),
                remedy: KINDS.into(),
            }),
        }
    }

    #[cfg(feature = "parquet")]
    fn tables(mut paths: Vec<PathBuf>) -> Result<Self, DataError> {
        parquet::sort(&mut paths);
        Ok(Self::Parquet(paths))
    }

    #[cfg(not(feature = "parquet"))]
    fn tables(paths: Vec<PathBuf>) -> Result<Self, DataError> {
        Err(DataError::Source {
            name: paths.first().map(|path| path.display().to_string()).unwrap_or_default(),
            found: "a parquet file, which this build does not read".into(),
            remedy: "build with --features parquet, or unpack the pictures into a folder".into(),
        })
    }

    /// Names tables of attributes and of splits for a source of pictures.
    pub fn with_tables(
        self,
        attributes: Option<PathBuf>,
        splits: Option<PathBuf>,
    ) -> Result<Self, DataError> {
        if attributes.is_none() && splits.is_none() {
            return Ok(self);
        }
        match self {
            Self::Pictures(pictures) => {
                Ok(Self::Pictures(Pictures { attributes, splits, ..pictures }))
            }
            other => Err(DataError::Source {
                name: other.path().display().to_string(),
                found: "a source that has labels of its own".into(),
                remedy: "leave the tables away; they are for folders and zips of pictures".into(),
            }),
        }
    }

    /// The path that an error about this source names.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Source::Pictures(pictures) => pictures.path.clone(),
            Source::Idx(pairs) => pairs.first().map(|pair| pair.images.clone()).unwrap_or_default(),
            Source::Cifar(cifar) => cifar.path.clone(),
            #[cfg(feature = "parquet")]
            Source::Parquet(paths) => paths.first().cloned().unwrap_or_default(),
            Source::Synthetic(drawer) => PathBuf::from(drawer.name()),
            Source::Stacked(digits) => digits.path(),
            Source::Gaussians(mixture) => PathBuf::from(mixture.name()),
        }
    }

    /// The files that the source is, where it is no folder of pictures.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        match self {
            #[cfg(feature = "parquet")]
            Source::Parquet(paths) => paths.clone(),
            Source::Stacked(digits) => digits.files(),
            _ => vec![self.path()],
        }
    }

    /// Looks into the source: what samples there are, and a digest of them.
    pub(crate) fn open(
        &self,
        options: &PrepareOptions,
        progress: &dyn Fn(Progress),
    ) -> Result<Catalog, DataError> {
        let listing = |n| progress(Progress { stage: Stage::Listing, done: n, total: None });
        match self {
            Source::Pictures(pictures) => pictures::open(pictures, &listing),
            Source::Idx(pairs) => idx::open(pairs),
            Source::Cifar(cifar) => cifar::open(cifar),
            #[cfg(feature = "parquet")]
            Source::Parquet(paths) => parquet::open(paths),
            Source::Synthetic(drawer) => drawn::open(*drawer, options),
            Source::Stacked(digits) => {
                // The limit is that of the stacked pictures, not of the digits.
                let all = PrepareOptions { limit: None, ..options.clone() };
                stacked::open(digits.open(&all, progress)?, options)
            }
            Source::Gaussians(mixture) => Ok(gaussians::open(*mixture, options)),
        }
    }
}

/// The parquet files of a folder or else of its sub-folder `data`; none where they lie among pictures.
fn parquet_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    for folder in [folder.to_path_buf(), folder.join("data")] {
        let (mut paths, mut has_pictures) = (Vec::new(), false);
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry?.path();
            has_pictures |= path.to_str().is_some_and(decode::has_picture_name);
            let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
            let is_table = path.extension().is_some_and(|extension| extension == "parquet");
            if is_table && !hidden && path.is_file() {
                paths.push(path);
            }
        }
        if has_pictures {
            return Ok(Vec::new());
        }
        if !paths.is_empty() {
            return Ok(paths);
        }
    }
    Ok(Vec::new())
}

/// The last part of a name with `/` between its parts.
fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The last part of a path, as a person would call what lies there.
fn display_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.into());
    full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned()
}
