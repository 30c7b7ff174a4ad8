//! The folder that a preparation writes into: making it, clearing what a kill left, the log, and what
//! is said where it cannot be written.

use std::io::ErrorKind;
use std::path::Path;

use super::{Skipped, lock, plan};
use crate::error::DataError;

/// Where the names of pictures that were left out are listed.
const LOG: &str = "prepare.log";

/// Makes the folder where it is not there.
pub(super) fn make(out: &Path) -> Result<(), DataError> {
    std::fs::create_dir_all(out).map_err(|e| unwritable(out, &e))
}

/// Whether a preparation into the folder was begun.
pub(crate) fn is_begun(folder: &Path) -> bool {
    folder.join(plan::FILE).is_file() && folder.join(lock::FILE).is_file()
}

/// Removes the temporary files that a killed preparation leaves.
pub(super) fn remove_unfinished(out: &Path) -> Result<(), DataError> {
    for entry in fs_err::read_dir(out)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(".writing-") {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes `prepare.log`.
pub(super) fn write_log(
    out: &Path,
    skipped: &[Skipped],
    ignored: &[Skipped],
) -> Result<(), DataError> {
    let mut text = String::new();
    for (title, list) in [("damaged, left out", skipped), ("not taken", ignored)] {
        text += &format!("{title}: {}\n", list.len());
        for skipped in list {
            text += &format!("  {skipped}\n");
        }
    }
    Ok(gan_core::file::write_bytes(&out.join(LOG), text.as_bytes())?)
}

/// Says what a failed write to the folder means for a person.
pub(super) fn explain(out: &Path, error: DataError) -> DataError {
    match error {
        DataError::Io(e) | DataError::Core(gan_core::Error::Io(e)) => match e.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                DataError::Full { path: out.into() }
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => unwritable(out, &e),
            _ => DataError::Io(e),
        },
        other => other,
    }
}

fn unwritable(out: &Path, error: &std::io::Error) -> DataError {
    DataError::Unwritable { path: out.into(), reason: error.to_string() }
}
