//! Parquet as Hugging Face `datasets` writes it: pictures in a column `struct<bytes, path>` or in a
//! plain binary column, classes in an integer column whose names stand in the file's metadata
//! (<https://huggingface.co/docs/datasets/image_dataset>). Pictures are read by row, forward through
//! the pages of a row group: a reader holds one page (about 1 MB as datasets writes them, up to 1024
//! rows as pyarrow alone does), however large the row group is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::column::reader::ColumnReaderImpl;
use ::parquet::data_type::{ByteArray, ByteArrayType};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use ::parquet::file::serialized_reader::SerializedPageReader;

use self::columns::Columns;
use self::file::{check_chunk, footer, guarded, read_labels};
use crate::catalog::{Catalog, Facts, Item, Reader, Sample, Samples, Unreadable};
use crate::decode;
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::shape::Split;
use crate::transform::{DEFAULT_SIZE, Transform};

mod columns;
mod file;
#[cfg(test)]
mod tests;

/// Numbers below this are classes where no names say how many there are.
const MAX_CLASSES: u32 = 1 << 16;
/// What to do about a file that is not whole.
const CUT: &str = "check that it was copied or downloaded to its end";

/// What was expected, what was found, what to do.
type Wrong = (String, String, &'static str);

/// Puts files into the order in which they are one data set: training first, then by name.
pub(crate) fn sort(paths: &mut [PathBuf]) {
    paths.sort_by_cached_key(|path| {
        let name = file_name(path);
        (split_of(&name).map_or(0, |split| split as u8), name)
    });
}

/// Opens files that are one data set.
pub(crate) fn open(paths: &[PathBuf]) -> Result<Catalog, DataError> {
    let mut hasher = blake3::Hasher::new();
    let table = Table::open(paths, &mut hasher)?;
    let first = paths.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
    let folder = first.parent().filter(|_| paths.len() > 1);
    Ok(Catalog {
        source: SourceId {
            kind: "parquet".into(),
            name: super::display_name(folder.unwrap_or(first)),
            digest: hasher.finalize().to_hex().to_string(),
        },
        items: (0..table.rows()).map(|row| Item::new(row, table.split(row))).collect(),
        attributes: Vec::new(),
        classes: table.classes().to_vec(),
        ignored: Vec::new(),
        shape: None,
        transform: Transform::shorter_side(DEFAULT_SIZE, DEFAULT_SIZE),
        samples: Box::new(table),
    })
}

impl Samples for Table {
    fn name(&self, place: usize) -> String {
        Table::name(self, place)
    }

    fn facts(&self, place: usize) -> Facts {
        Facts { attributes: Vec::new(), label: self.label(place) }
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(Table::reader(self))
    }
}

impl Reader for RowReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, Unreadable> {
        Ok(Sample::Image(decode::picture(RowReader::read(self, place)?)?))
    }
}

/// The rows of parquet files, one after another.
#[derive(Debug)]
pub(crate) struct Table {
    files: Vec<Part>,
    /// Row groups of all files, without empty ones.
    groups: Vec<Group>,
    classes: Vec<String>,
    /// One a row; empty where there are no classes.
    labels: Vec<Option<u32>>,
    rows: usize,
}

/// One file.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    name: String,
    split: Option<Split>,
    first_row: usize,
}

/// The pictures of a row group.
#[derive(Debug)]
struct Group {
    file: usize,
    /// Counted over all files.
    first_row: usize,
    rows: usize,
    pictures: ColumnChunkMetaData,
}

impl Table {
    /// Opens files that are one data set, reading their metadata and labels. `hasher` gets each
    /// file's name, length, time of change and footer; the pages of pictures are not read.
    pub(crate) fn open(paths: &[PathBuf], hasher: &mut blake3::Hasher) -> Result<Self, DataError> {
        let (files, groups, labels) = Default::default();
        let mut table = Self { files, groups, classes: Vec::new(), labels, rows: 0 };
        let mut first: Option<Columns> = None;
        for path in paths {
            let metadata = footer(path, hasher)?;
            let columns = Columns::find(metadata.file_metadata());
            let columns = columns.map_err(|what| wrong(path, what))?;
            if let (Some(first), Some(file)) = (&first, table.files.first()) {
                let same = columns.check_same(first, &file.name);
                same.map_err(|what| wrong(path, what))?;
            }
            table.add(path, &metadata, &columns)?;
            first.get_or_insert(columns);
        }
        let path = paths.first().cloned().unwrap_or_default();
        if table.rows == 0 {
            let what = ("at least one row".into(), "none".into(), "name files that hold pictures");
            return Err(wrong(&path, what));
        }
        table.name_classes(first.and_then(|columns| columns.class_names));
        Ok(table)
    }

    /// Appends the row groups of a file and the labels in them.
    fn add(
        &mut self,
        path: &Path,
        metadata: &ParquetMetaData,
        columns: &Columns,
    ) -> Result<(), DataError> {
        let file = Arc::new(fs_err::File::open(path)?.into_file());
        let end = file.metadata()?.len();
        let (name, first_row) = (file_name(path), self.rows);
        self.files.push(Part { path: path.into(), split: split_of(&name), name, first_row });
        for group in metadata.row_groups() {
            let pictures = group.column(columns.pictures);
            let rows = check_chunk(pictures, group, end).map_err(|what| wrong(path, what))?;
            if rows == 0 {
                continue;
            }
            if let Some(leaf) = columns.labels {
                let chunk = group.column(leaf);
                check_chunk(chunk, group, end).map_err(|what| wrong(path, what))?;
                let labels = guarded(|| read_labels(&file, chunk, rows)).map_err(|reason| {
                    let expected = format!("{rows} labels in a row group");
                    wrong(path, (expected, format!("unreadable ones ({reason})"), CUT))
                })?;
                let named = columns.class_names.as_ref().map_or(usize::MAX, Vec::len);
                if let Some(label) = labels.iter().flatten().find(|l| **l as usize >= named) {
                    let expected = format!("labels below {named}, the number of class names");
                    let what = (expected, format!("{label}"), "give every class its name");
                    return Err(wrong(path, what));
                }
                self.labels.extend(labels);
            }
            let (file, first_row) = (self.files.len() - 1, self.rows);
            self.groups.push(Group { file, first_row, rows, pictures: pictures.clone() });
            self.rows += rows;
        }
        Ok(())
    }

    /// Decides about the classes, after all labels were read. Where no row has a label, or numbers
    /// without names are too large to count classes, there are none.
    fn name_classes(&mut self, names: Option<Vec<String>>) {
        self.classes = match (self.labels.iter().flatten().max(), names) {
            (Some(_), Some(names)) => names,
            (Some(max), None) if *max < MAX_CLASSES => (0..=*max).map(|n| n.to_string()).collect(),
            _ => Vec::new(),
        };
        if self.classes.is_empty() {
            self.labels.clear();
        }
    }

    /// Rows of all files.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Index of a row's class in [`Self::classes`], where it has one.
    pub(crate) fn label(&self, row: usize) -> Option<u32> {
        self.labels.get(row).copied().flatten()
    }

    /// Names of the classes: those in the metadata, else "0" to the largest label; empty where there
    /// are no labels.
    pub(crate) fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The split that the name of a row's file says.
    pub(crate) fn split(&self, row: usize) -> Option<Split> {
        self.file(row).split
    }

    /// File and row in it, as `train-00000-of-00001.parquet[17]`.
    pub(crate) fn name(&self, row: usize) -> String {
        let file = self.file(row);
        format!("{}[{}]", file.name, row - file.first_row)
    }

    /// A reader for one thread.
    pub(crate) fn reader(&self) -> RowReader<'_> {
        RowReader { table: self, place: None }
    }

    fn file(&self, row: usize) -> &Part {
        // The first file begins with row 0, so that at least one begins at or before any row.
        &self.files[self.files.partition_point(|file| file.first_row <= row) - 1]
    }
}

/// Reads pictures by row on one thread, fast where rows ascend.
pub(crate) struct RowReader<'a> {
    table: &'a Table,
    /// Where the last picture was read.
    place: Option<Place>,
}

/// A row group, opened and read up to a row.
struct Place {
    group: usize,
    column: ColumnReaderImpl<ByteArrayType>,
    /// Row of the group that follows the picture in `value`.
    next: usize,
    /// The last picture read, a slice of its page; empty where it is null.
    value: Vec<ByteArray>,
}

impl RowReader<'_> {
    /// The picture file in a row; the error is the reason why the row cannot be used: it has no
    /// picture, or no label where other rows have one, or the file is damaged there.
    pub(crate) fn read(&mut self, row: usize) -> Result<&[u8], Unreadable> {
        let table = self.table;
        if row >= table.rows {
            return Err("no such row".into());
        }
        if !table.classes.is_empty() && table.label(row).is_none() {
            return Err("the row has no label".into());
        }
        let group = table.groups.partition_point(|group| group.first_row <= row) - 1;
        let row = row - table.groups[group].first_row;
        // Pages can only be read forward. What fails is not used again.
        let place = self.place.take().filter(|place| place.group == group && row + 1 >= place.next);
        let place = guarded(|| match place {
            Some(place) => place.forward(row),
            None => Place::open(table, group)?.forward(row),
        })?;
        let place = self.place.insert(place);
        place.value.first().map(ByteArray::data).ok_or_else(|| "the row has no picture".into())
    }
}

impl Place {
    /// The start of a row group.
    fn open(table: &Table, group: usize) -> Result<Self, ParquetError> {
        let Group { file, rows, pictures, .. } = &table.groups[group];
        // Every reader opens the file itself: handles that were duplicated share one position.
        let file = File::open(&table.files[*file].path)?;
        let pages = SerializedPageReader::new(Arc::new(file), pictures, *rows, None)?;
        let column = ColumnReaderImpl::new(pictures.column_descr_ptr(), Box::new(pages));
        Ok(Self { group, column, next: 0, value: Vec::new() })
    }

    /// Reads a row of the group that is not before the last one. One row at a time costs nothing, as
    /// values are slices of the page; more would keep more pages.
    fn forward(mut self, row: usize) -> Result<Self, ParquetError> {
        if row + 1 == self.next {
            return Ok(self);
        }
        self.value.clear();
        let ahead = row - self.next;
        let mut levels = Vec::new();
        let skipped = self.column.skip_records(ahead)?;
        let (read, ..) = self.column.read_records(1, Some(&mut levels), None, &mut self.value)?;
        if (skipped, read) != (ahead, 1) {
            return Err(ParquetError::EOF("the row group ends before its last row".into()));
        }
        self.next = row + 1;
        Ok(self)
    }
}

/// The split that a file name has as one of its words, as datasets finds it.
fn split_of(name: &str) -> Option<Split> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).find_map(Split::from_word)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn wrong(path: &Path, (expected, found, remedy): Wrong) -> DataError {
    DataError::Content { path: path.into(), expected, found, remedy: remedy.into() }
}
