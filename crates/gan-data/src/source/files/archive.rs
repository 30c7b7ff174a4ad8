//! A zip, listed without holding its directory in memory and read at any place by many threads.

use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ErrorKind, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive};

use super::{Files, HEAD, LISTING_STRIDE, Listing, MAX_BYTES, Place, names};
use crate::catalog::Unreadable;
use crate::error::DataError;

/// An open zip; it is read by offset, so that threads share it.
pub(super) struct Archive(ZipArchive<FileReader>);

/// Where a file lies in a zip.
#[derive(Clone, Copy)]
pub(super) struct Zipped {
    at: rawzip::ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    pub(super) crc: u32,
}

impl Zipped {
    /// Bytes that it says it unpacks to.
    pub(super) fn size(&self) -> u64 {
        self.at.uncompressed_size_hint()
    }
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let file = fs_err::File::open(path)?.into_file();
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let archive = ZipArchive::from_file(file, &mut buffer).map_err(|e| not_a_zip(path, &e))?;
        Ok(Self(archive))
    }

    /// Adds the unpacked bytes of a file. Length and CRC-32 are checked.
    pub(super) fn read(&self, zipped: &Zipped, bytes: &mut Vec<u8>) -> Result<(), Unreadable> {
        self.read_some(zipped, MAX_BYTES, bytes)
    }

    fn read_some(
        &self,
        zipped: &Zipped,
        limit: u64,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let entry = self.0.get_entry(zipped.at).map_err(|e| match e.into_kind() {
            ErrorKind::IO(e) => Unreadable::from(e),
            kind => Unreadable::Damaged(kind.to_string()),
        })?;
        // What a file says of its size is not to be believed when memory is taken for it.
        bytes.reserve(zipped.size().min(limit).min(1 << 20) as usize);
        match zipped.method {
            CompressionMethod::STORE => {
                entry.verifying_reader(entry.reader()).take(limit).read_to_end(bytes)?;
            }
            CompressionMethod::DEFLATE => {
                let unpacked = DeflateDecoder::new(entry.reader());
                entry.verifying_reader(unpacked).take(limit).read_to_end(bytes)?;
            }
            other => {
                let name = other.name().map_or(other.as_u16().to_string(), Into::into);
                let reason = format!("packed by {name}, which is not read; pack it by deflate");
                return Err(reason.into());
            }
        }
        Ok(())
    }
}

/// Lists the files of a zip.
pub(super) fn list(
    archive: &Archive,
    path: &Path,
    files: &mut Files,
    listing: Listing<'_>,
) -> Result<(), DataError> {
    let wrong = |e| not_a_zip(path, &e);
    let mut buffer = vec![0; rawzip::MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let mut entries = archive.0.entries(&mut buffer);
    let mut n = 0;
    while let Some(entry) = entries.next_entry().map_err(wrong)? {
        n += 1;
        if n % LISTING_STRIDE == 0 {
            listing(n);
        }
        let raw = name_of(entry.file_path().as_bytes());
        // Archivers of Windows have been seen to write their own separator.
        let name = raw.replace('\\', "/");
        if name.ends_with('/') || names::is_hidden(&name) {
            continue;
        }
        if names::leads_out(&name) {
            files.leave_out(name, "its name leads out of the archive");
        } else if entry.flags().is_encrypted() {
            files.encrypted += 1;
            files.leave_out(name, "encrypted");
        } else if entry.mode().is_symlink() {
            files.leave_out(name, "a link");
        } else {
            let zipped = Zipped {
                at: entry.wayfinder(),
                method: entry.compression_method(),
                crc: entry.crc32(),
            };
            files.add(name, Place::Zipped(zipped), |head| {
                // What cannot be read is no picture that could be taken; so far read is enough.
                archive.read_some(&zipped, HEAD, head).ok();
            });
        }
    }
    // Some writers let the count of 16 bits wrap rather than write the form for more files.
    let promised = archive.0.entries_hint();
    let wrapped = promised <= u64::from(u16::MAX) && n as u64 % (1 << 16) == promised;
    if n as u64 != promised && !wrapped {
        let found = format!("{n} files of the {promised} that it should have");
        return Err(content(path, found));
    }
    Ok(())
}

/// The upper half of code page 437, in which names are that are no UTF-8.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A name as text; different names stay different.
fn name_of(bytes: &[u8]) -> String {
    // Many writers leave the mark of UTF-8 away, so that the bytes themselves are asked.
    match std::str::from_utf8(bytes) {
        Ok(name) => name.into(),
        Err(_) => bytes
            .iter()
            .map(|byte| match byte {
                0..128 => char::from(*byte),
                _ => CP437.chars().nth(usize::from(byte - 128)).unwrap_or('?'),
            })
            .collect(),
    }
}

fn not_a_zip(path: &Path, error: &rawzip::Error) -> DataError {
    content(path, format!("one that cannot be read ({error})"))
}

fn content(path: &Path, found: String) -> DataError {
    DataError::Content {
        path: path.into(),
        expected: "a zip of pictures".into(),
        found,
        remedy: "check that it was copied or downloaded to its end".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_old_archivers_stay_apart() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(name_of("Café.jpg".as_bytes()), "Café.jpg");
        assert_eq!(name_of(b"\x8e1.png"), "Ä1.png");
        assert_eq!(name_of(b"\x8f1.png"), "Å1.png");
        assert_eq!(name_of(b"a\xe1.png"), "aß.png");
    }
}
