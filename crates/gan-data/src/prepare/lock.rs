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
    pub(crate) fn take(folder: &Path, when_busy: WhenBusy) -> Result<Self, DataError> {
        let file = fs_err::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(FILE))?
            .into_file();
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) if when_busy == WhenBusy::Wait => {
                tracing::info!("waiting for another process that prepares {}", folder.display());
                file.lock()?;
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => Err(DataError::Busy { path: folder.into() }),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Whether a file of a folder is the lock.
pub(crate) fn is_lock(name: &str) -> bool {
    name == FILE
}
