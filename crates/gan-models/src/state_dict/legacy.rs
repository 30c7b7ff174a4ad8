//! What `torch.save` wrote before PyTorch 1.6, and writes with `_use_new_zipfile_serialization=False`: pickles of a
//! magic number, the version, facts of the system, the object, and the names of storages, then these, each as
//! the number of its elements in 64 bits and the elements, the lowest byte first on every system.

use std::collections::HashMap;
use std::path::Path;

use super::error::{StateDictError, shown};
use super::pickle::{MAX_OPCODES, Pickle, Value};
use super::storage::Storages;
use super::view::Storage;

/// 0x1950a86a20f9469cfc6c as protocols 2 and later write it, and as those before do.
const MAGIC: [&[u8]; 2] =
    [&[0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19], b"119547037146038801333356"];
const VERSION: i64 = 1001;

/// Whether a file begins with a pickle.
pub(super) fn is_pickle(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x80])
        || bytes.strip_prefix(b"L").is_some_and(|rest| rest.starts_with(MAGIC[1]))
}

/// A file whose pickles were read.
pub(super) struct Legacy<'a> {
    pub(super) object: Pickle<'a>,
    keys: Pickle<'a>,
    storages: &'a [u8],
}

/// Reads the pickles.
pub(super) fn open<'a>(path: &Path, bytes: &'a [u8]) -> Result<Legacy<'a>, StateDictError> {
    let (mut rest, mut opcodes) = (bytes, MAX_OPCODES);
    let mut next = || -> Result<Pickle<'a>, StateDictError> {
        let pickle = Pickle::read(path, rest, &mut opcodes)?;
        rest = &rest[pickle.length()..];
        Ok(pickle)
    };
    let magic = next()?;
    if !matches!(magic.value(magic.root()), Value::Huge(magic) if MAGIC.contains(magic)) {
        return Err(StateDictError::other(path, "weights saved by torch.save", "another pickle"));
    }
    let version = next()?;
    if !matches!(version.value(version.root()), Value::Int(VERSION)) {
        let found = version.describe(version.root());
        return Err(StateDictError::damaged(path, format!("version {VERSION}"), found));
    }
    let _system = next()?;
    let (object, keys) = (next()?, next()?);
    Ok(Legacy { object, keys, storages: rest })
}

/// The storages. Their lengths follow from their types, all of which must be known.
pub(super) fn storages<'a>(path: &Path, file: &Legacy<'a>) -> Result<Storages<'a>, StateDictError> {
    let Legacy { object, keys, storages: rest } = file;
    let mut rest = *rest;
    // A storage that has several types is written as that which comes first.
    let mut sizes = HashMap::new();
    for description in object.persistent() {
        if let Ok(storage) = Storage::described(object, description) {
            sizes.entry(storage.key).or_insert(storage.element.size());
        }
    }
    let mut storages = Storages::default();
    for key in keys.items(keys.root()) {
        let wrong = |expected: &str, found: String| StateDictError::damaged(path, expected, found);
        let text = keys.text(*key).unwrap_or_default();
        let Some(size) = sizes.get(text) else {
            return Err(wrong(
                "storages that the object has, of types that candle has",
                keys.describe(*key),
            ));
        };
        let cut =
            || wrong(&format!("all of storage {}", shown(text)), "the end of the file".into());
        let (len, elements) = rest.split_first_chunk().ok_or_else(cut)?;
        let len =
            usize::try_from(u64::from_le_bytes(*len)).ok().and_then(|len| len.checked_mul(*size));
        let (storage, after) =
            len.and_then(|len| elements.split_at_checked(len)).ok_or_else(cut)?;
        storages.by_key.insert(text.to_vec(), storage);
        rest = after;
    }
    Ok(storages)
}
