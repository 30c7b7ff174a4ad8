//! The zip that `torch.save` writes since PyTorch 1.6: a folder of any name with `data.pkl`, in newer files
//! `byteorder`, and the storages as `data/0`, `data/1` and so on, none of them packed.

use std::collections::HashMap;
use std::path::Path;

use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::error::{StateDictError, shown};
use super::storage::Storages;

const STORAGES: &[u8] = b"data/";

/// The pickle and the storages.
pub(super) fn open<'a>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<(&'a [u8], Storages<'a>), StateDictError> {
    let mut records = records(path, bytes)?;
    if records.contains_key(&b"constants.pkl"[..]) {
        let expected = "weights saved by torch.save";
        return Err(StateDictError::other(path, expected, "a program saved by torch.jit.save"));
    }
    let Some(pickle) = records.remove(&b"data.pkl"[..]) else {
        return Err(StateDictError::other(path, "weights saved by torch.save", "another zip"));
    };
    let big_endian = match records.remove(&b"byteorder"[..]) {
        None | Some(b"little") => false,
        Some(b"big") => true,
        Some(other) => {
            let found = format!("\"{}\"", shown(other));
            return Err(StateDictError::damaged(path, "byte order little or big", found));
        }
    };
    let storages = records.into_iter().filter_map(|(name, bytes)| {
        let key = name.strip_prefix(STORAGES)?;
        Some((key.to_vec(), bytes))
    });
    Ok((pickle, Storages { by_key: storages.collect(), big_endian }))
}

/// What lies in the folder of the first record, by the name in it.
fn records<'a>(path: &Path, bytes: &'a [u8]) -> Result<HashMap<Vec<u8>, &'a [u8]>, StateDictError> {
    let wrong =
        |error: rawzip::Error| StateDictError::damaged(path, "a whole zip", error.to_string());
    let archive = ZipArchive::from_slice(bytes).map_err(wrong)?;
    let mut records = HashMap::new();
    let mut folder = None;
    // Records that overlap would have to be read again and again.
    let mut left = bytes.len();
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(wrong)? {
        let name = entry.file_path();
        let name = name.as_bytes();
        let folder = folder.get_or_insert_with(|| {
            let end = name.iter().position(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
            name[..end].to_vec()
        });
        let Some(name) = name.strip_prefix(&folder[..]).filter(|_| !entry.is_dir()) else {
            continue;
        };
        let kept = matches!(name, b"data.pkl" | b"byteorder" | b"constants.pkl");
        if !kept && !name.starts_with(STORAGES) {
            continue; // nothing that says what the tensors are
        }
        let content = content(&archive, bytes, &entry).map_err(|found| {
            StateDictError::damaged(path, format!("a whole record {}", shown(name)), found)
        })?;
        let found = || format!("{} twice", shown(name));
        left = left.checked_sub(content.len()).ok_or_else(|| {
            StateDictError::damaged(path, "records that lie apart", "one on another")
        })?;
        if records.insert(name.to_vec(), content).is_some() {
            return Err(StateDictError::damaged(path, "one record of a name", found()));
        }
    }
    Ok(records)
}

/// The bytes of a record, which must have the length and CRC-32 that the zip says.
fn content<'a>(
    archive: &ZipSliceArchive<&'a [u8]>,
    bytes: &'a [u8],
    entry: &ZipFileHeaderRecord<'_>,
) -> Result<&'a [u8], String> {
    if entry.flags().is_encrypted() {
        return Err("an encrypted one".into());
    }
    if entry.compression_method() != CompressionMethod::STORE {
        return Err("a packed one, as PyTorch never writes it".into());
    }
    let stored = archive.get_entry(entry.wayfinder()).map_err(|e| e.to_string())?;
    let (start, end) = stored.compressed_data_range();
    let content = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let content = content.and_then(|(start, end)| bytes.get(start..end));
    let content = content.ok_or("one beyond the end of the file")?;
    if content.len() as u64 != entry.uncompressed_size_hint() {
        return Err("another length".into());
    }
    // PyTorch writes 0 where it was told not to compute it.
    if entry.crc32() != 0 {
        let mut checked = stored.verifying_reader(content);
        std::io::copy(&mut checked, &mut std::io::sink()).map_err(|e| e.to_string())?;
    }
    Ok(content)
}
