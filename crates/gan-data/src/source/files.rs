//! Picture files in a folder or a zip, read by index from many threads.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::decode;
use crate::error::DataError;
use crate::mapped::MappedFile;
use crate::prepare::Skipped;

/// A compressed file that unpacks to more is refused.
const MAX_UNPACKED: u64 = 1 << 29;
/// Folders are followed to this depth.
const MAX_DEPTH: usize = 32;
/// Extensions whose files are taken for pictures unseen; others are looked into.
const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"];

/// Picture files, sorted by name.
pub(crate) struct Files {
    /// Names relative to the folder or zip, with `/` between parts.
    pub(crate) names: Vec<String>,
    /// Other files that lie there.
    pub(crate) others: Vec<Skipped>,
    places: Vec<Place>,
    storage: Storage,
}

enum Storage {
    Folder(PathBuf),
    Zip(ZipArchive<Cursor<MappedFile>>),
}

/// What identifies a file's content without reading it.
struct Place {
    index: usize, // in the zip
    size: u64,
    check: u64, // CRC-32 in a zip, time of change in a folder
}

impl Files {
    /// The pictures of a folder or, where `path` is a file, of a zip.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let mut files = if path.is_dir() { Self::folder(path)? } else { Self::zip(path)? };
        files.sort();
        Ok(files)
    }

    fn folder(root: &Path) -> Result<Self, DataError> {
        let mut files = Self::empty(Storage::Folder(root.into()));
        files.walk(root, "", 0)?;
        Ok(files)
    }

    fn empty(storage: Storage) -> Self {
        Self { names: Vec::new(), others: Vec::new(), places: Vec::new(), storage }
    }

    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), DataError> {
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            let file_name = entry.file_name();
            let name = format!("{prefix}{}", file_name.to_string_lossy());
            if is_hidden(&name) {
                continue;
            }
            let path = entry.path();
            // Follows links, as people collect data sets by them.
            let Ok(meta) = fs_err::metadata(&path) else {
                self.others.push(Skipped { name, reason: "a link to nothing".into() });
                continue;
            };
            if meta.is_dir() && depth < MAX_DEPTH {
                self.walk(&path, &format!("{name}/"), depth + 1)?;
            } else if file_name.to_str().is_none() {
                self.others.push(Skipped { name, reason: "a name that is no Unicode".into() });
            } else if meta.is_file() {
                let check = meta.modified().ok();
                let check = check.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
                let check = check.map_or(0, |t| t.as_nanos() as u64);
                let place = Place { index: 0, size: meta.len(), check };
                let taken = has_picture_name(&name) || begins_as_picture(&path);
                self.add(name, place, taken);
            }
        }
        Ok(())
    }

    fn zip(path: &Path) -> Result<Self, DataError> {
        let archive = open_zip(path)?;
        let mut files = Self::empty(Storage::Zip(archive.clone()));
        for index in 0..archive.len() {
            let wrong = |e| not_a_zip(path, &e);
            let entry = archive.by_index_data(index).map_err(wrong)?;
            let name = entry.name().map_err(wrong)?.into_owned();
            if entry.is_file() && !is_hidden(&name) {
                let check = u64::from(entry.crc32());
                let taken = has_picture_name(&name);
                files.add(name, Place { index, size: entry.size(), check }, taken);
            }
        }
        Ok(files)
    }

    fn add(&mut self, name: String, place: Place, taken: bool) {
        if taken {
            self.names.push(name);
            self.places.push(place);
        } else {
            self.others.push(Skipped { name, reason: "no picture".into() });
        }
    }

    fn sort(&mut self) {
        let names = std::mem::take(&mut self.names);
        let mut both: Vec<_> = names.into_iter().zip(std::mem::take(&mut self.places)).collect();
        both.sort_by(|a, b| a.0.cmp(&b.0));
        (self.names, self.places) = both.into_iter().unzip();
        self.others.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Adds names, sizes and checks to a digest.
    pub(crate) fn digest(&self, hasher: &mut blake3::Hasher) {
        for (name, place) in self.names.iter().zip(&self.places) {
            hasher.update(name.as_bytes());
            hasher.update(&[0]);
            hasher.update(&place.size.to_le_bytes());
            hasher.update(&place.check.to_le_bytes());
        }
    }

    /// A reader for one thread.
    pub(crate) fn reader(&self) -> FileReader<'_> {
        let archive = match &self.storage {
            Storage::Folder(_) => None,
            Storage::Zip(archive) => Some(archive.clone()),
        };
        FileReader { files: self, archive, bytes: Vec::new() }
    }
}

/// Reads files on one thread.
pub(crate) struct FileReader<'a> {
    files: &'a Files,
    archive: Option<ZipArchive<Cursor<MappedFile>>>,
    bytes: Vec<u8>,
}

impl FileReader<'_> {
    /// The bytes of one file; the error is a reason.
    pub(crate) fn read(&mut self, i: usize) -> Result<&[u8], String> {
        let place = &self.files.places[i];
        if place.size > MAX_UNPACKED {
            return Err(format!("{} bytes are more than we take", place.size));
        }
        self.bytes.clear();
        match (&self.files.storage, &mut self.archive) {
            (Storage::Zip(_), Some(archive)) => {
                let mut entry = archive.by_index(place.index).map_err(|e| e.to_string())?;
                entry.read_to_end(&mut self.bytes).map_err(|e| e.to_string())?;
            }
            (Storage::Folder(root), _) => {
                let file = fs_err::File::open(root.join(&self.files.names[i]));
                let read = file.and_then(|f| f.take(MAX_UNPACKED).read_to_end(&mut self.bytes));
                read.map_err(|e| e.to_string())?;
            }
            (Storage::Zip(_), None) => unreachable!("a reader of a zip holds its archive"),
        }
        Ok(&self.bytes)
    }
}

fn open_zip(path: &Path) -> Result<ZipArchive<Cursor<MappedFile>>, DataError> {
    ZipArchive::new(Cursor::new(MappedFile::open(path)?)).map_err(|e| not_a_zip(path, &e))
}

fn not_a_zip(path: &Path, error: &zip::result::ZipError) -> DataError {
    DataError::Content {
        path: path.into(),
        expected: "a zip of pictures".into(),
        found: format!("one that cannot be read ({error})"),
        remedy: "check that it was copied or downloaded to its end".into(),
    }
}

/// Files of the operating system and of archivers, not of the user.
fn is_hidden(name: &str) -> bool {
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
    last.starts_with('.') || name.split('/').any(|part| part == "__MACOSX")
}

fn has_picture_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

fn begins_as_picture(path: &Path) -> bool {
    let mut head = Vec::new();
    let file = std::fs::File::open(path);
    file.and_then(|f| f.take(32).read_to_end(&mut head)).is_ok() && decode::is_picture(&head)
}
