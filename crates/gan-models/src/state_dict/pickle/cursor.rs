//! The bytes of a pickle, read from front to back.

use std::path::Path;

use super::Value;
use crate::state_dict::error::{StateDictError, shown};

type Result<T> = std::result::Result<T, StateDictError>;

/// Bytes and how far they were read.
pub(super) struct Cursor<'a, 'p> {
    pub(super) path: &'p Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a, 'p> Cursor<'a, 'p> {
    pub(super) fn new(path: &'p Path, bytes: &'a [u8]) -> Self {
        Self { path, bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N).map(|bytes| bytes.try_into().expect("so many were taken"))
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let taken = self.bytes[self.at..].get(..n);
        let taken = taken.ok_or_else(|| self.wrong("the end of the file"))?;
        self.at += n;
        Ok(taken)
    }

    /// Bytes whose number stands before them, in `width` bytes.
    pub(super) fn counted(&mut self, width: usize) -> Result<&'a [u8]> {
        let mut n = [0; 8];
        n[..width].copy_from_slice(self.take(width)?);
        self.take(usize::try_from(u64::from_le_bytes(n)).unwrap_or(usize::MAX))
    }

    pub(super) fn line(&mut self) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        let line = &rest[..end.ok_or_else(|| self.wrong("the end of the file"))?];
        self.at += line.len() + 1;
        Ok(line)
    }

    /// A key of the memo in decimal digits.
    pub(super) fn decimal_key(&mut self) -> Result<u32> {
        let line = self.line()?;
        let number = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
        number.ok_or_else(|| self.wrong(format!("\"{}\" as a number", shown(line))))
    }

    pub(super) fn wrong(&self, found: impl AsRef<str>) -> StateDictError {
        let found = format!("{} at byte {} of it", found.as_ref(), self.at);
        StateDictError::damaged(self.path, "a pickle", found)
    }
}

/// An integer in decimal digits.
pub(super) fn decimal(digits: &[u8]) -> Value<'_> {
    let n = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    n.map_or(Value::Huge(digits), Value::Int)
}

/// An integer in two's complement of any length, the lowest byte first.
pub(super) fn binary(digits: &[u8]) -> Value<'_> {
    if digits.len() > 8 {
        return Value::Huge(digits);
    }
    let negative = digits.last().is_some_and(|last| last & 0x80 != 0);
    let mut all = [if negative { 0xff } else { 0 }; 8];
    all[..digits.len()].copy_from_slice(digits);
    Value::Int(i64::from_le_bytes(all))
}
