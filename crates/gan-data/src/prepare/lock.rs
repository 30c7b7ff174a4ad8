//! One preparation at a time in a folder. The lock is the operating system's, so that a killed
//! process leaves none behind.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::DataError;

/// Name of the lock in a data set's folder.
pub(crate) const FILE: &str = ".prepare.lock";

/// What to do where another process holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenBusy {
    /// Fail with a sentence.
    Refuse,
    /// Wait until it is done.
    Wait,
}

/// Held while a folder is written; let go when dropped.
#[derive(Debug)]
pub(crate) struct Lock(
    #[expect(dead_code, reason = "the lock lives as long as the file is open")] File,
);

impl Lock {
    /// Locks a folder, which is made where it is not there.
    pub(crate) fn take(folder: &Path, when_busy: WhenBusy) -> Result<Self, DataError> {
        let path = folder.join(FILE);
        loop {
            fs_err::create_dir_all(folder)?;
            let options = fs_err::OpenOptions::new().create(true).write(true).clone();
            let file = options.open(&path)?.into_file();
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if when_busy == WhenBusy::Wait => {
                    tracing::info!(
                        "waiting for another process that prepares {}",
                        folder.display()
                    );
                    file.lock()?;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(DataError::Busy { path: folder.into() });
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            // Whoever held it may have removed the folder: then it is the lock of nothing.
            if is_at(&file, &path) {
                return Ok(Self(file));
            }
        }
    }
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let (open, there) = (file.metadata().map(id), std::fs::metadata(path).map(id));
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

/// Open files cannot be removed elsewhere.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.is_file()
}

/// Whether a file of a folder is the lock.
pub(crate) fn is_lock(name: &str) -> bool {
    name == FILE
}
