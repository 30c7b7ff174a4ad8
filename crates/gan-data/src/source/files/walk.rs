//! A folder and all below it.

use std::collections::HashSet;
use std::fs::{DirEntry, Metadata};
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Files, HEAD, LISTING_STRIDE, Listing, Place, names};
use crate::catalog::Unreadable;
use crate::error::DataError;
use crate::manifest;
use crate::prepare::output;

/// Folders are followed to this depth.
const MAX_DEPTH: usize = 32;

/// Lists the files of a folder.
pub(super) fn list(root: &Path, files: &mut Files, listing: Listing<'_>) -> Result<(), DataError> {
    // The folder that was named must be readable; one below it may not be.
    fs_err::read_dir(root)?;
    let mut walk = Walk { files, listing, seen: HashSet::new(), links: Vec::new(), n: 0 };
    walk.folder(root, "", 0)?;
    // Linked folders come after all others and in order, so that one that can be reached both ways has its own
    // name, on every machine.
    while let Some((name, path, depth)) = walk.links.pop() {
        walk.folder(&path, &format!("{name}/"), depth)?;
        walk.links.sort_by(|a, b| b.cmp(a));
    }
    Ok(())
}

struct Walk<'a> {
    files: &'a mut Files,
    listing: Listing<'a>,
    /// Folders that were listed: a link back to one of them must not be followed for ever.
    seen: HashSet<PathBuf>,
    /// Links to folders, the next one last: name, path and depth.
    links: Vec<(String, PathBuf, usize)>,
    n: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), DataError> {
        // What we left among somebody's pictures, or are about to leave there, is none of them.
        if manifest::is_prepared(folder) || output::is_begun(folder) {
            return Ok(());
        }
        let is_new = folder.canonicalize().is_ok_and(|path| self.seen.insert(path));
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) if is_new && depth <= MAX_DEPTH => entries,
            Ok(_) => {
                self.leave_out(prefix, "a folder that was listed already, or too deep");
                return Ok(());
            }
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                self.leave_out(prefix, "a folder that is not for us to read");
                return Ok(());
            }
            Err(e) => {
                let what = format!("cannot list {}: {e}", folder.display());
                return Err(Error::new(e.kind(), what).into());
            }
        };
        for entry in entries {
            self.entry(&entry?, prefix, depth)?;
        }
        if prefix.is_empty() {
            self.links.sort_by(|a, b| b.cmp(a));
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, prefix: &str, depth: usize) -> Result<(), DataError> {
        let file_name = entry.file_name();
        let name = format!("{prefix}{}", file_name.to_string_lossy());
        if names::is_hidden(&name) {
            return Ok(());
        }
        self.n += 1;
        if self.n.is_multiple_of(LISTING_STRIDE) {
            (self.listing)(self.n);
        }
        let path = entry.path();
        // Follows links, as people collect data sets by them.
        let is_link = entry.file_type()?.is_symlink();
        let meta = match std::fs::metadata(&path) {
            Ok(meta) => meta,
            Err(e) if is_link || e.kind() == ErrorKind::PermissionDenied => {
                self.leave_out(&name, "a link to nothing, or not readable");
                return Ok(());
            }
            Err(_) => fs_err::metadata(&path)?,
        };
        if meta.is_dir() && is_link {
            self.links.push((name, path, depth + 1));
        } else if meta.is_dir() {
            self.folder(&path, &format!("{name}/"), depth + 1)?;
        } else if file_name.to_str().is_none() {
            self.leave_out(&name, "a name that is no Unicode");
        } else if meta.is_file() {
            let place = Place::File { size: meta.len(), changed: time_of_change(&meta) };
            self.files.add(name, place, |head| {
                // What cannot be read is no picture that could be taken.
                read(&path, HEAD, head).ok();
            });
        } else {
            self.leave_out(&name, "neither a file nor a folder");
        }
        Ok(())
    }

    fn leave_out(&mut self, name: &str, reason: &str) {
        self.files.leave_out(name.trim_end_matches('/').into(), reason);
    }
}

/// Nanoseconds after 1970; 0 where the system does not tell.
fn time_of_change(meta: &Metadata) -> u64 {
    let time = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    time.map_or(0, |time| time.as_nanos() as u64)
}

/// Adds the bytes of a file that was listed with this size and time of change; one that is another by now
/// is not the one that was chosen.
pub(super) fn read_unchanged(
    path: &Path,
    listed: (u64, u64),
    bytes: &mut Vec<u8>,
) -> Result<(), Unreadable> {
    let mut file = std::fs::File::open(path)?;
    let meta = file.metadata()?;
    if (meta.len(), time_of_change(&meta)) != listed {
        return Err(Unreadable::Lost(Error::other("it was changed since it was listed")));
    }
    file.read_to_end(bytes)?;
    Ok(())
}

/// Adds the bytes of a file, `limit` of them at most.
pub(super) fn read(path: &Path, limit: u64, bytes: &mut Vec<u8>) -> Result<(), Unreadable> {
    // The path is known to who is told the reason.
    std::fs::File::open(path)?.take(limit).read_to_end(bytes)?;
    Ok(())
}
