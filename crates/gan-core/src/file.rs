//! Files that are never half there: written to a sibling, synced, then renamed.

use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};

/// Writes a file through `write` into a temporary sibling and renames it over `path`.
///
/// Folders above `path` are made. If anything fails, what stood at `path` stays as it was and the
/// sibling is removed.
pub fn write_atomic<E: From<std::io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut std::fs::File>) -> Result<(), E>,
) -> Result<(), E> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs_err::create_dir_all(folder)?;
    let mut sibling = tempfile::Builder::new()
        .prefix(".writing-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(|e| named(e, path))?;
    let mut buffered = BufWriter::new(sibling.as_file_mut());
    write(&mut buffered)?;
    buffered.flush().map_err(|e| named(e, path))?;
    drop(buffered);
    sibling.as_file().sync_data().map_err(|e| named(e, path))?;
    share_permissions(sibling.as_file(), path)?;
    sibling.persist(path).map_err(|e| named(e.error, path))?;
    sync_folder(folder);
    Ok(())
}

/// Writes bytes as [`write_atomic`] does.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |file| Ok(file.write_all(bytes)?))
}

/// Writes any serializable value as indented JSON, as [`write_atomic`] does.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::Io(std::io::Error::other(e.to_string())))?;
    text.push('\n');
    write_bytes(path, text.as_bytes())
}

/// Makes a renaming survive a power cut. Where the system cannot, the file itself is still whole.
#[cfg(unix)]
fn sync_folder(folder: &Path) {
    if let Ok(folder) = std::fs::File::open(folder) {
        folder.sync_all().ok();
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) {}

/// Temporary files are private to their owner; a finished one gets the usual permissions.
#[cfg(unix)]
fn share_permissions(file: &std::fs::File, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_or(0o644, |m| m.permissions().mode());
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn share_permissions(_: &std::fs::File, _: &Path) -> std::io::Result<()> {
    Ok(())
}

fn named(error: std::io::Error, path: &Path) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn a_failed_write_leaves_what_was_there() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a/b.txt");
        write_bytes(&path, b"first")?;
        let failed = write_atomic(&path, |file| {
            file.write_all(b"half")?;
            Err(Error::Shape { expected: "all".into(), got: "half".into() })
        });
        assert!(failed.is_err());
        assert_eq!(fs_err::read(&path)?, b"first");
        assert_eq!(fs_err::read_dir(folder.path().join("a"))?.count(), 1, "no sibling is left");
        Ok(())
    }
}
