//! A folder and all below it.

use std::collections::HashSet;
use std::fs::DirEntry;
use std::io::Read;
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
    walk.folder(root, "", 0);
    // Linked folders come after all others and in order, so that one that can be reached both ways has its own
    // name, on every machine.
    while let Some((name, path, depth)) = walk.links.pop() {
        walk.folder(&path, &format!("{name}/"), depth);
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
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) {
        // What we left among somebody's pictures, or are about to leave there, is none of them.
        if manifest::is_prepared(folder) || output::is_begun(folder) {
            return;
        }
        let is_new = folder.canonicalize().is_ok_and(|path| self.seen.insert(path));
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) if is_new && depth <= MAX_DEPTH => entries,
            Ok(_) => {
                return self.leave_out(prefix, "a folder that was listed already, or too deep");
            }
            Err(_) => return self.leave_out(prefix, "a folder that cannot be read"),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.entry(&entry, prefix, depth),
                Err(_) => self.leave_out(prefix, "a folder that cannot be read to its end"),
            }
        }
        if prefix.is_empty() {
            self.links.sort_by(|a, b| b.cmp(a));
        }
    }

    fn entry(&mut self, entry: &DirEntry, prefix: &str, depth: usize) {
        let file_name = entry.file_name();
        let name = format!("{prefix}{}", file_name.to_string_lossy());
        if names::is_hidden(&name) {
            return;
        }
        self.n += 1;
        if self.n.is_multiple_of(LISTING_STRIDE) {
            (self.listing)(self.n);
        }
        let path = entry.path();
        // Follows links, as people collect data sets by them.
        let Ok(meta) = std::fs::metadata(&path) else {
            return self.leave_out(&name, "a link to nothing, or not readable");
        };
        if meta.is_dir() && entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            self.links.push((name, path, depth + 1));
        } else if meta.is_dir() {
            self.folder(&path, &format!("{name}/"), depth + 1);
        } else if file_name.to_str().is_none() {
            self.leave_out(&name, "a name that is no Unicode");
        } else if meta.is_file() {
            let changed = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
            let changed = changed.map_or(0, |t| t.as_nanos() as u64);
            let place = Place::File { size: meta.len(), changed };
            self.files.add(name, place, |head| {
                // What cannot be read is no picture that could be taken.
                read(&path, HEAD, head).ok();
            });
        } else {
            self.leave_out(&name, "neither a file nor a folder");
        }
    }

    fn leave_out(&mut self, name: &str, reason: &str) {
        self.files.leave_out(name.trim_end_matches('/').into(), reason);
    }
}

/// Adds the bytes of a file, `limit` of them at most.
pub(super) fn read(path: &Path, limit: u64, bytes: &mut Vec<u8>) -> Result<(), Unreadable> {
    // The path is known to who is told the reason.
    std::fs::File::open(path)?.take(limit).read_to_end(bytes)?;
    Ok(())
}
