//! Bytes of storages, and tensors that are made of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;

use super::error::{StateDictError, shown};
use super::view::View;

/// Bytes of elements that a file's tensors may take: as many times those of the file, and some more for what
/// small files expand. Views of the same elements count once.
const EXPANSION: usize = 4;
const SMALL: usize = 16 << 20;

/// The storages of a file by their names.
#[derive(Default)]
pub(super) struct Storages<'a> {
    pub(super) by_key: HashMap<Vec<u8>, &'a [u8]>,
    pub(super) big_endian: bool,
}

/// Makes tensors of storages.
pub(super) struct Builder<'a, 'p> {
    path: &'p Path,
    storages: Storages<'a>,
    /// Views that are equal are one tensor.
    made: HashMap<View<'a>, Tensor>,
    /// Bytes that may still be taken.
    left: usize,
}

impl<'a, 'p> Builder<'a, 'p> {
    pub(super) fn new(path: &'p Path, file_length: usize, storages: Storages<'a>) -> Self {
        let left = file_length.saturating_mul(EXPANSION).saturating_add(SMALL);
        Self { path, storages, made: HashMap::new(), left }
    }

    /// The tensor `name`, contiguous.
    pub(super) fn tensor(&mut self, name: &str, view: View<'a>) -> Result<Tensor, StateDictError> {
        if let Some(tensor) = self.made.get(&view) {
            return Ok(tensor.clone());
        }
        let name = || shown(name.as_bytes());
        let bytes = self.elements(&view).map_err(|(expected, found)| {
            StateDictError::damaged(self.path, format!("{expected} for {}", name()), found)
        })?;
        let count: usize = view.shape.iter().product();
        let size = count.saturating_mul(view.element.size_in_memory());
        let Some(left) = self.left.checked_sub(size) else {
            let expected = format!("tensors of at most {EXPANSION} times the bytes of the file");
            let found = format!("{} beyond that", name());
            return Err(StateDictError::other(self.path, expected, found));
        };
        self.left = left;
        let mut bytes = gather(bytes, &view);
        let size = view.element.size();
        if self.storages.big_endian != cfg!(target_endian = "big") && size > 1 {
            bytes.to_mut().chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        let tensor = view.element.tensor(&bytes, &view.shape)?;
        self.made.insert(view, tensor.clone());
        Ok(tensor)
    }

    /// The bytes that begin with the first element of a view and contain the last one; else what was
    /// expected and what there is.
    fn elements(&self, view: &View<'_>) -> Result<&'a [u8], (String, String)> {
        let storage = &view.storage;
        let key = shown(storage.key);
        let Some(bytes) = self.storages.by_key.get(storage.key).copied() else {
            return Err((format!("storage {key}"), "none of that name".into()));
        };
        let range = |from: usize, len: usize, size: usize| {
            let (from, len) = (from.checked_mul(size)?, len.checked_mul(size)?);
            Some(from..from.checked_add(len)?)
        };
        let size = storage.element.size();
        let whole = range(0, storage.len, size).and_then(|range| bytes.get(range));
        let Some(bytes) = whole else {
            let expected = format!("{} elements of {size} bytes in storage {key}", storage.len);
            return Err((expected, format!("{} bytes", bytes.len())));
        };
        if view.shape.contains(&0) {
            return Ok(&[]); // wherever that would be
        }
        let part =
            storage.part.map_or(Some(bytes), |(from, len)| bytes.get(range(from, len, size)?));
        let span = span(view).and_then(|span| range(view.offset, span, view.element.size()));
        let elements = part.and_then(|bytes| bytes.get(span?));
        elements.ok_or_else(|| {
            let expected = format!("a place in storage {key}, which has {} bytes", bytes.len());
            let View { offset, shape, strides, .. } = view;
            (expected, format!("shape {shape:?} and strides {strides:?} at {offset}"))
        })
    }
}

/// How many elements lie from the first to the last one of a view that has any, both counted.
fn span(view: &View<'_>) -> Option<usize> {
    let mut dims = view.shape.iter().zip(&view.strides);
    let last =
        dims.try_fold(0usize, |last, (n, stride)| last.checked_add((n - 1).checked_mul(*stride)?));
    last?.checked_add(1)
}

/// The elements of a view in row-major order. `bytes` begin with the first one and contain the last one.
fn gather<'a>(bytes: &'a [u8], view: &View<'_>) -> Cow<'a, [u8]> {
    let size = view.element.size();
    let count: usize = view.shape.iter().product();
    // A dimension of one element has a stride that says nothing.
    let dims = view.shape.iter().zip(&view.strides).filter(|(n, _)| **n != 1);
    let dims: Vec<(usize, usize)> = dims.map(|(n, stride)| (*n, *stride)).collect();
    let mut inner = 1;
    let contiguous = dims.iter().rev().all(|(n, stride)| {
        let as_expected = *stride == inner;
        inner *= n;
        as_expected
    });
    let Some(((n, stride), outer)) = dims.split_last().filter(|_| !contiguous && count > 0) else {
        return Cow::Borrowed(&bytes[..count * size]);
    };
    let mut gathered = Vec::with_capacity(count * size);
    let mut index = vec![0; outer.len()];
    let mut at = 0;
    loop {
        for i in 0..*n {
            gathered.extend_from_slice(&bytes[(at + i * stride) * size..][..size]);
        }
        // The next row: the last outer dimension that has one left advances, those after it start again.
        let mut dim = outer.len();
        loop {
            let Some(next) = dim.checked_sub(1) else { return Cow::Owned(gathered) };
            dim = next;
            let (n, stride) = outer[dim];
            index[dim] += 1;
            at += stride;
            if index[dim] < n {
                break;
            }
            at -= n * stride;
            index[dim] = 0;
        }
    }
}
