//! What data can be made from, one kind a file, and how a name is recognized as one of them.

mod annotations;
pub mod celeba;
mod drawn;
mod files;
mod folder;
mod idx;

use std::io::Read;
use std::path::{Path, PathBuf};

pub use celeba::CelebA;
pub use drawn::Drawer;
pub use idx::IdxPair;

use crate::catalog::Catalog;
use crate::error::DataError;
use crate::manifest;
use crate::prepare::PrepareOptions;
use crate::transform::{Color, Transform};

/// Side of stored pictures where nothing else is said.
const DEFAULT_SIZE: usize = 64;
const KINDS: &str = "give synthetic-faces, synthetic-digits, CelebA's img_align_celeba.zip or a folder \
                     holding it, MNIST-like idx files or their folder, or a folder or zip of pictures";

/// What `--data` or `prepare SOURCE` may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// CelebA with attributes and split.
    CelebA(CelebA),
    /// MNIST and its relatives.
    Idx(Vec<IdxPair>),
    /// A folder of pictures.
    Folder(PathBuf),
    /// A zip of pictures.
    Zip(PathBuf),
    /// Pictures drawn on the spot.
    Synthetic(Drawer),
}

impl Source {
    /// Recognizes a source: a built-in name, or a path by what lies there.
    pub fn detect(name: &str) -> Result<Self, DataError> {
        let drawers = [Drawer::Faces, Drawer::Digits];
        if let Some(drawer) = drawers.into_iter().find(|drawer| drawer.name() == name) {
            return Ok(Self::Synthetic(drawer));
        }
        let path = Path::new(name);
        if path.is_dir() {
            return Self::in_folder(path);
        }
        if path.is_file() {
            return Self::file(path);
        }
        let found = "neither a path nor a built-in data set".into();
        Err(DataError::Source { name: name.into(), found, remedy: KINDS.into() })
    }

    fn in_folder(path: &Path) -> Result<Self, DataError> {
        if path.join(manifest::FILE).is_file() {
            return Err(DataError::Source {
                name: path.display().to_string(),
                found: "a data set that is already prepared".into(),
                remedy: "use it as it is".into(),
            });
        }
        if let Some(celeba) = CelebA::in_folder(path) {
            return Ok(Self::CelebA(celeba));
        }
        let pairs = IdxPair::in_folder(path)?;
        if pairs.is_empty() { Ok(Self::Folder(path.into())) } else { Ok(Self::Idx(pairs)) }
    }

    fn file(path: &Path) -> Result<Self, DataError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut head = Vec::new();
        fs_err::File::open(path)?.take(4).read_to_end(&mut head)?;
        match head.as_slice() {
            [b'P', b'K', ..] => {
                let celeba = CelebA::beside(path);
                let beside = celeba.attributes.as_deref().and_then(Path::parent) == path.parent();
                let is_celeba = beside || name.starts_with(celeba::ARCHIVE);
                Ok(if is_celeba { Self::CelebA(celeba) } else { Self::Zip(path.into()) })
            }
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

    /// `celeba`, `idx`, `folder`, `zip`, `synthetic-faces` or `synthetic-digits`.
    pub fn kind(&self) -> &'static str {
        match self {
            Source::CelebA(_) => "celeba",
            Source::Idx(_) => "idx",
            Source::Folder(_) => "folder",
            Source::Zip(_) => "zip",
            Source::Synthetic(drawer) => drawer.name(),
        }
    }

    /// What `prepare` does to the pictures unless told otherwise.
    pub fn default_transform(&self) -> Transform {
        match self {
            Source::CelebA(_) => Transform::straight(DEFAULT_SIZE, DEFAULT_SIZE),
            Source::Folder(_) | Source::Zip(_) => {
                Transform::shorter_side(DEFAULT_SIZE, DEFAULT_SIZE)
            }
            Source::Idx(_) | Source::Synthetic(Drawer::Digits) => Transform::keep(Color::Gray),
            Source::Synthetic(Drawer::Faces) => Transform::keep(Color::Rgb),
        }
    }

    /// The path that an error about this source names.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Source::CelebA(celeba) => celeba.pictures.clone(),
            Source::Idx(pairs) => pairs.first().map(|pair| pair.images.clone()).unwrap_or_default(),
            Source::Folder(path) | Source::Zip(path) => path.clone(),
            Source::Synthetic(drawer) => PathBuf::from(drawer.name()),
        }
    }

    /// Looks into the source: what pictures there are, and a digest of them.
    pub(crate) fn open(&self, options: &PrepareOptions) -> Result<Catalog, DataError> {
        match self {
            Source::CelebA(celeba) => celeba::open(celeba),
            Source::Idx(pairs) => idx::open(pairs),
            Source::Folder(path) | Source::Zip(path) => folder::open(path, self.kind()),
            Source::Synthetic(drawer) => drawn::open(*drawer, options),
        }
    }
}

/// The last part of a path, as a person would call what lies there.
fn display_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.into());
    full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned()
}
