//! A folder and all below it.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Files, LISTING_STRIDE, Listing, Place, names};
use crate::error::DataError;
use crate::manifest;

/// Folders are followed to this depth.
const MAX_DEPTH: usize = 32;
/// Bytes by which a file is recognized.
const HEAD: u64 = 32;

/// Lists the files of a folder.
pub(super) fn list(root: &Path, files: &mut Files, listing: Listing<'_>) -> Result<(), DataError> {
    Walk { files, listing, seen: HashSet::new(), n: 0 }.folder(root, "", 0)
}

struct Walk<'a> {
    files: &'a mut Files,
    listing: Listing<'a>,
    /// Folders that were listed: a link back to one of them must not be followed for ever.
    seen: HashSet<PathBuf>,
    n: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), DataError> {
        if depth > MAX_DEPTH || !self.seen.insert(fs_err::canonicalize(folder)?) {
            let name = prefix.trim_end_matches('/').to_string();
            self.files.leave_out(name, "a folder that was listed already, or too deep");
            return Ok(());
        }
        // What we left among somebody's pictures is none of them.
        if manifest::is_prepared(folder) {
            return Ok(());
        }
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            let file_name = entry.file_name();
            let name = format!("{prefix}{}", file_name.to_string_lossy());
            if names::is_hidden(&name) {
                continue;
            }
            self.n += 1;
            if self.n.is_multiple_of(LISTING_STRIDE) {
                (self.listing)(self.n);
            }
            let path = entry.path();
            // Follows links, as people collect data sets by them.
            let Ok(meta) = std::fs::metadata(&path) else {
                self.files.leave_out(name, "a link to nothing, or not readable");
                continue;
            };
            if meta.is_dir() {
                self.folder(&path, &format!("{name}/"), depth + 1)?;
            } else if file_name.to_str().is_none() {
                self.files.leave_out(name, "a name that is no Unicode");
            } else if meta.is_file() {
                let changed = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
                let changed = changed.map_or(0, |t| t.as_nanos() as u64);
                let place = Place::File { size: meta.len(), changed };
                self.files.add(name, place, |head| {
                    // What cannot be read is no picture that could be taken.
                    read(&path, HEAD, head).ok();
                });
            }
        }
        Ok(())
    }
}

/// Adds the bytes of a file, `limit` of them at most; the error is a reason.
pub(super) fn read(path: &Path, limit: u64, bytes: &mut Vec<u8>) -> Result<(), String> {
    // The path is known to who is told the reason.
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(limit).read_to_end(bytes).map_err(|e| e.to_string())?;
    Ok(())
}
