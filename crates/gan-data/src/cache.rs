//! Prepared data sets in a folder of the user's, made when a raw source is trained on. Each lies in a
//! sub-folder named by kind, size and a digest of source and options, so that none is ever mistaken for
//! another.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::manifest::{self, Manifest};
use crate::prepare::lock::{self, Lock, WhenBusy};
use crate::prepare::{Job, PrepareOptions, Prepared, Progress, plan};
use crate::shape::SampleShape;
use crate::source::Source;

/// A data set in the cache.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its folder.
    pub path: PathBuf,
    /// Its manifest, or `None` where it was interrupted.
    pub manifest: Option<Manifest>,
    /// Bytes on disk.
    pub bytes: u64,
}

/// The folder of the prepared data of `source`, made now where it is not there, and what that came to.
///
/// Where another process is making it, waits for that. Errors are those of [`prepare`](crate::prepare()).
pub fn prepared(
    source: &Source,
    cache_dir: &Path,
    options: &PrepareOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(PathBuf, Prepared), DataError> {
    let job = Job::new(source, options, progress)?;
    let (kind, digest) = (&job.plan.source.kind, job.plan.short_digest());
    let size = match job.plan.sample {
        SampleShape::Image(shape) => format!("{}x{}", shape.width, shape.height),
        SampleShape::Point(dimensions) => format!("{dimensions}d"),
    };
    let out = cache_dir.join(format!("{kind}-{size}-{digest}"));
    let prepared = job.run(&out, WhenBusy::Wait, progress)?;
    Ok((out, prepared))
}

/// Removes a data set of a cache; false where another process is preparing it.
pub fn remove(entry: &Entry) -> Result<bool, DataError> {
    let lock = match Lock::take(&entry.path, WhenBusy::Refuse) {
        Ok(lock) => lock,
        Err(DataError::Busy { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    // Renamed first: what an interrupted removal leaves is then in nobody's way, and is removed next time.
    let mut removed = entry.path.clone();
    if !is_removed(&removed) {
        removed.as_mut_os_string().push(REMOVED);
        if removed.exists() {
            fs_err::remove_dir_all(&removed)?;
        }
        fs_err::rename(&entry.path, &removed)?;
    }
    fs_err::remove_dir_all(&removed)?;
    drop(lock);
    Ok(true)
}

/// Ending of the names of data sets that are being removed.
const REMOVED: &str = ".removed";

fn is_removed(path: &Path) -> bool {
    path.to_string_lossy().ends_with(REMOVED)
}

/// Whether a folder is named as [`prepared`] names them: kind, size and twelve digits of a digest.
fn is_entry_name(name: &str) -> bool {
    let digest = name.rsplit_once('-').map(|(_, digest)| digest).unwrap_or_default();
    digest.len() == 12 && digest.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The data sets of a cache, by name; other folders in it are left alone.
pub fn entries(cache_dir: &Path) -> Result<Vec<Entry>, DataError> {
    if !cache_dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut entries = Vec::new();
    for folder in fs_err::read_dir(cache_dir)? {
        let path = folder?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let files = [plan::FILE, manifest::FILE, lock::FILE];
        let ours = is_removed(&path) || files.iter().any(|file| path.join(file).is_file());
        if !is_entry_name(name.strip_suffix(REMOVED).unwrap_or(&name)) || !ours {
            continue;
        }
        let mut bytes = 0;
        for file in fs_err::read_dir(&path)? {
            bytes += file?.metadata()?.len();
        }
        let finished = path.join(manifest::FILE).is_file();
        let manifest = finished.then(|| Manifest::read(&path).ok()).flatten();
        entries.push(Entry { path, manifest, bytes });
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}
