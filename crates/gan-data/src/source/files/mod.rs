//! Picture files in a folder or a zip, read by index from many threads.
//!
//! What is kept of a file is its name and where it lies, about a hundred bytes, so that a source of
//! millions is listed in bounded memory; contents are read one file a thread at a time.

mod archive;
mod names;
mod walk;

use std::path::{Path, PathBuf};

use archive::{Archive, Zipped};
use names::Kind;

use crate::catalog::Unreadable;
use crate::decode;
use crate::error::DataError;
use crate::prepare::Skipped;
use crate::source::base_name;

/// A file that is larger, or unpacks to more, is refused.
const MAX_BYTES: u64 = 1 << 29;
/// Bytes by which a file is recognized.
const HEAD: u64 = 32;
/// Files between two calls of the progress callback.
pub(super) const LISTING_STRIDE: usize = 1024;

/// Is told how many files were listed.
pub(crate) type Listing<'a> = &'a dyn Fn(usize);

/// Picture files, sorted by name.
pub(crate) struct Files {
    /// All names one after the other: millions of small pieces of memory would take twice as much.
    names: String,
    pictures: Vec<Picture>,
    /// Other files that lie there.
    pub(crate) others: Vec<Skipped>,
    sidecars: Vec<(String, Place)>,
    storage: Storage,
    encrypted: usize,
}

/// Name and place of a picture.
#[derive(Clone, Copy)]
struct Picture {
    name_start: u64,
    name_length: u32,
    place: Place,
}

enum Storage {
    Folder(PathBuf),
    Zip(Archive),
}

/// Where a file lies, and what identifies its content without reading it.
#[derive(Clone, Copy)]
enum Place {
    File { size: u64, changed: u64 },
    Zipped(Zipped),
}

impl Place {
    fn size(&self) -> u64 {
        match self {
            Place::File { size, .. } => *size,
            Place::Zipped(zipped) => zipped.size(),
        }
    }

    /// CRC-32 in a zip, time of change in a folder.
    fn check(&self) -> u64 {
        match self {
            Place::File { changed, .. } => *changed,
            Place::Zipped(zipped) => u64::from(zipped.crc),
        }
    }
}

impl Files {
    /// The pictures of a folder or, where `path` is a file, of a zip.
    pub(crate) fn open(path: &Path, listing: Listing<'_>) -> Result<Self, DataError> {
        let mut files = Self {
            names: String::new(),
            pictures: Vec::new(),
            others: Vec::new(),
            sidecars: Vec::new(),
            storage: Storage::Folder(path.into()),
            encrypted: 0,
        };
        if path.is_dir() {
            walk::list(path, &mut files, listing)?;
        } else {
            let archive = Archive::open(path)?;
            archive::list(&archive, path, &mut files, listing)?;
            files.storage = Storage::Zip(archive);
        }
        files.sort();
        Ok(files)
    }

    /// Takes a file in: as a picture, as a table beside pictures, or as something else.
    ///
    /// `head` reads the first bytes of a file whose name does not tell.
    fn add(&mut self, name: String, place: Place, head: impl FnOnce(&mut Vec<u8>)) {
        match names::kind(&name) {
            Kind::Picture => self.add_picture(&name, place),
            Kind::Sidecar => self.sidecars.push((name, place)),
            Kind::Other(reason) => self.leave_out(name, reason),
            Kind::Unlikely(reason) => {
                let mut bytes = Vec::new();
                head(&mut bytes);
                match decode::is_picture(&bytes) {
                    true => self.add_picture(&name, place),
                    false => self.leave_out(name, names::by_content(&bytes).unwrap_or(reason)),
                }
            }
        }
    }

    fn add_picture(&mut self, name: &str, place: Place) {
        let name_length = name.len().try_into().expect("no path has 4 GiB");
        self.pictures.push(Picture { name_start: self.names.len() as u64, name_length, place });
        self.names.push_str(name);
    }

    fn leave_out(&mut self, name: String, reason: impl Into<String>) {
        self.others.push(Skipped { name, reason: reason.into() });
    }

    fn sort(&mut self) {
        let names = &self.names;
        let name = |picture: &Picture| named(names, picture);
        // In place, and equal names as they came.
        self.pictures
            .sort_unstable_by(|a, b| name(a).cmp(name(b)).then(a.name_start.cmp(&b.name_start)));
        // A zip can hold a name twice; the first one counts, as for most programs that unpack.
        let others = &mut self.others;
        self.pictures.dedup_by(|second, first| {
            let same = name(second) == name(first);
            if same {
                let reason = "a second file of that name".into();
                others.push(Skipped { name: name(second).into(), reason });
            }
            same
        });
        self.others.sort_by(|a, b| a.name.cmp(&b.name));
        self.sidecars.sort_by(|a, b| a.0.cmp(&b.0));
    }

    /// Number of pictures.
    pub(crate) fn len(&self) -> usize {
        self.pictures.len()
    }

    /// Name of a picture relative to the folder or zip, with `/` between parts.
    pub(crate) fn name(&self, i: usize) -> &str {
        named(&self.names, &self.pictures[i])
    }

    /// All names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.len()).map(|i| self.name(i))
    }

    /// Adds names, sizes and checks to a digest.
    pub(crate) fn digest(&self, hasher: &mut blake3::Hasher) {
        for (name, Picture { place, .. }) in self.names().zip(&self.pictures) {
            hasher.update(name.as_bytes());
            hasher.update(&[0]);
            hasher.update(&place.size().to_le_bytes());
            hasher.update(&place.check().to_le_bytes());
        }
    }

    /// Name and bytes of the table of one of these names that lies highest in the source.
    pub(crate) fn sidecar(&self, wanted: &[&str]) -> Result<Option<(&str, Vec<u8>)>, Unreadable> {
        let is_wanted = |name: &str| wanted.contains(&base_name(name));
        let depth = |name: &str| name.matches('/').count();
        let wanted = self.sidecars.iter().filter(|(name, _)| is_wanted(name));
        let Some((name, place)) = wanted.min_by_key(|(name, _)| depth(name)) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        self.read_place(name, place, &mut bytes)?;
        Ok(Some((name, bytes)))
    }

    /// A reader for one thread.
    pub(crate) fn reader(&self) -> FileReader<'_> {
        FileReader { files: self, bytes: Vec::new() }
    }

    fn read_place(&self, name: &str, place: &Place, bytes: &mut Vec<u8>) -> Result<(), Unreadable> {
        if place.size() > MAX_BYTES {
            return Err(format!("{} bytes are more than we take", place.size()).into());
        }
        bytes.clear();
        match (&self.storage, place) {
            (Storage::Zip(archive), Place::Zipped(zipped)) => archive.read(zipped, bytes),
            (Storage::Folder(root), Place::File { size, changed }) => {
                let read = walk::read_unchanged(&root.join(name), (*size, *changed), bytes);
                // One bad file on a disk that is there is damage; a disk that is not there is not.
                read.map_err(|error| match error {
                    Unreadable::Lost(e) if e.raw_os_error().is_some() && self.can_read(root) => {
                        Unreadable::Damaged(e.to_string())
                    }
                    other => other,
                })
            }
            (Storage::Folder(_), Place::Zipped(_)) => unreachable!("a folder lists plain places"),
            (Storage::Zip(_), Place::File { .. }) => unreachable!("a zip lists zipped places"),
        }
    }

    /// Whether other files of a folder can be read: the first or the last one.
    fn can_read(&self, root: &Path) -> bool {
        let (first, last) = (self.pictures.first(), self.pictures.last());
        [first, last].into_iter().flatten().any(|picture| {
            let path = root.join(named(&self.names, picture));
            walk::read(&path, HEAD, &mut Vec::new()).is_ok()
        })
    }

    /// What a source without pictures has instead, for the error about it, and what to do.
    pub(crate) fn instead(&self) -> (String, String) {
        let name = "name the folder or zip that holds them".to_string();
        match self.others.first() {
            _ if self.encrypted > 0 => (
                format!("{} encrypted files", self.encrypted),
                "unpack it with its password and name the folder".into(),
            ),
            None => ("none".into(), name),
            Some(Skipped { name: first, reason }) => {
                let n = self.others.len();
                let files = if n == 1 { "1 file".into() } else { format!("{n} files") };
                (format!("none among {files} ({first}: {reason})"), name)
            }
        }
    }
}

fn named<'a>(names: &'a str, picture: &Picture) -> &'a str {
    &names[picture.name_start as usize..][..picture.name_length as usize]
}

/// Reads files on one thread.
pub(crate) struct FileReader<'a> {
    files: &'a Files,
    bytes: Vec<u8>,
}

impl FileReader<'_> {
    /// The bytes of one file.
    pub(crate) fn read(&mut self, i: usize) -> Result<&[u8], Unreadable> {
        let files = self.files;
        files.read_place(files.name(i), &files.pictures[i].place, &mut self.bytes)?;
        Ok(&self.bytes)
    }
}
