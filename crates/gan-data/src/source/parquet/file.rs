//! What is read of one parquet file at opening: its metadata and its labels. Nothing in a file is
//! trusted before it was checked.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use ::parquet::basic::Compression;
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use ::parquet::file::serialized_reader::SerializedPageReader;

use super::{CUT, Wrong, file_name, wrong};
use crate::catalog::Unreadable;
use crate::decode::expecting_panics;
use crate::error::DataError;

/// A file begins and ends with it.
const MAGIC: &[u8] = b"PAR1";
/// The magic number, and at the end the footer's length before it.
const FRAME: u64 = 12;

/// Reads the metadata at the end of a file.
pub(super) fn footer(
    path: &Path,
    hasher: &mut blake3::Hasher,
) -> Result<ParquetMetaData, DataError> {
    let is_none = |found: &str| Err(wrong(path, ("a parquet file".into(), found.into(), CUT)));
    let mut file = fs_err::File::open(path)?;
    let meta = file.metadata()?;
    let len = meta.len();
    let changed = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let changed = changed.map_or(0, |time| time.as_nanos() as u64).to_le_bytes();
    if len < FRAME {
        return is_none(&format!("{len} bytes"));
    }
    let (mut head, mut tail) = ([0; 4], [0; 8]);
    file.read_exact(&mut head)?;
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    match (&head, &magic) {
        (b"PARE", _) => return is_none("an encrypted one"),
        (head, _) if *head != MAGIC => return is_none("a file that begins otherwise"),
        (_, magic) if *magic != MAGIC => return is_none("one without its end"),
        _ if size > len - FRAME => return is_none(&format!("a footer of {size} bytes in {len}")),
        _ => {}
    }
    file.seek(SeekFrom::Start(len - 8 - size))?;
    let mut bytes = vec![0; size as usize];
    file.read_exact(&mut bytes)?;
    let name = file_name(path);
    let (name_len, len) = ((name.len() as u64).to_le_bytes(), len.to_le_bytes());
    // The pages are not read now; that they were rewritten shows by the time.
    for part in [&name_len, name.as_bytes(), &len, &changed, &bytes] {
        hasher.update(part);
    }
    guarded(|| ParquetMetaDataReader::decode_metadata(&bytes))
        .or_else(|reason| is_none(&format!("an unreadable footer ({reason})")))
}

/// Checks that a column of a row group lies within the file, has a value a row, and is compressed by
/// what we can unpack. Returns the number of rows.
pub(super) fn check_chunk(
    chunk: &ColumnChunkMetaData,
    group: &RowGroupMetaData,
    end: u64,
) -> Result<usize, Wrong> {
    let path = chunk.column_path().string();
    let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
    let place = u64::try_from(start).ok().zip(u64::try_from(chunk.compressed_size()).ok());
    if place.and_then(|(start, size)| start.checked_add(size)).is_none_or(|last| last > end) {
        let found = format!("a place outside the {end} bytes of the file");
        return Err((format!("column {path} in the file"), found, CUT));
    }
    let rows = usize::try_from(group.num_rows()).ok();
    let rows = rows.filter(|_| group.num_rows() == chunk.num_values()).ok_or_else(|| {
        let expected = format!("{} values of column {path} in a row group", group.num_rows());
        (expected, format!("{}", chunk.num_values()), CUT)
    })?;
    match chunk.compression() {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::ZSTD(_) => Ok(rows),
        other => {
            let expected = format!("column {path} plain or compressed as snappy, gzip or zstd");
            Err((expected, format!("{other:?}"), "write it again with one of these"))
        }
    }
}

/// The labels of a row group; datasets writes −1 where there is none.
pub(super) fn read_labels(
    file: &Arc<File>,
    chunk: &ColumnChunkMetaData,
    rows: usize,
) -> Result<Vec<Option<u32>>, ParquetError> {
    let pages = SerializedPageReader::new(Arc::clone(file), chunk, rows, None)?;
    let optional = chunk.column_descr().max_def_level();
    match get_column_reader(chunk.column_descr_ptr(), Box::new(pages)) {
        ColumnReader::Int32ColumnReader(column) => numbers(column, rows, optional),
        ColumnReader::Int64ColumnReader(column) => numbers(column, rows, optional),
        _ => unreachable!("labels are chosen among columns of integers"),
    }
}

/// The values of an integer column as classes: negative ones and nulls are none.
fn numbers<T: DataType>(
    mut column: ColumnReaderImpl<T>,
    rows: usize,
    max_level: i16,
) -> Result<Vec<Option<u32>>, ParquetError>
where
    i64: From<T::T>,
{
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (read, ..) = column.read_records(rows, Some(&mut levels), None, &mut values)?;
    if read != rows {
        return Err(ParquetError::EOF(format!("they end after {read}")));
    }
    // What is too large for a class stays too large.
    let class = |value| (0..).contains(&value).then(|| u32::try_from(value).unwrap_or(u32::MAX));
    let mut values = values.into_iter().map(|value| class(i64::from(value)));
    if max_level == 0 {
        return Ok(values.collect());
    }
    let is_there = levels.into_iter().map(|level| level == max_level);
    Ok(is_there.map(|there| if there { values.next().flatten() } else { None }).collect())
}

/// Lets the library read foreign bytes; the error is its reason. It has been seen to panic on damaged
/// files, and one page must not end a preparation.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Unreadable> {
    match expecting_panics(read) {
        Some(result) => result.map_err(|error| match error {
            ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::NYI(text) => {
                Unreadable::Damaged(text)
            }
            ParquetError::External(error) => match error.downcast::<std::io::Error>() {
                Ok(error) => Unreadable::from(*error),
                Err(error) => Unreadable::Damaged(error.to_string()),
            },
            other => Unreadable::Damaged(other.to_string()),
        }),
        None => Err("the parquet reader failed on it".into()),
    }
}
