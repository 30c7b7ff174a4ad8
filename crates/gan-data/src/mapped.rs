//! A file mapped into memory: the one place of this crate with `unsafe`.
#![allow(unsafe_code)]

use std::path::Path;
use std::sync::Arc;

use crate::error::DataError;

/// A read-only map of a whole file, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct MappedFile(Arc<memmap2::Mmap>);

impl MappedFile {
    /// Maps a file.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let file = fs_err::File::open(path)?;
        // SAFETY: the map is read-only and private to this process, and we read plain bytes from it, for
        // which every value is valid. A file that another program rewrites meanwhile can change what
        // we read; one that is cut short ends the process, as with every mapped reader.
        let map = unsafe { memmap2::Mmap::map(file.file()) };
        let map = map.map_err(|e| {
            std::io::Error::new(e.kind(), format!("cannot map {}: {e}", path.display()))
        })?;
        Ok(Self(Arc::new(map)))
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
