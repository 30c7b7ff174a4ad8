//! TensorBoard event files: scalars and pictures, written without protobuf or TensorFlow.
//!
//! A file is a row of records: length as u64, its checksum, the bytes, their checksum, all little
//! endian; a checksum is CRC-32C, rotated and shifted ("masked") as in
//! [TensorFlow's record writer](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.h).
//! The bytes are an `Event` message in protobuf's wire format, of which five fields are used.
//!
//! Training that resumes calls [`EventWriter::continue_at`]: events later than the checkpoint are
//! taken out of the file, so that no step is there twice. A TensorBoard that is open meanwhile shows
//! them until it is started again.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};

/// Appends events to one file.
pub struct EventWriter {
    file: BufWriter<File>,
    path: PathBuf,
}

/// An encoded picture for [`EventWriter::image`].
#[derive(Clone, Copy, Debug)]
pub struct EncodedImage<'a> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// 1 for gray, 3 for RGB.
    pub channels: usize,
    /// The bytes of a PNG or GIF file.
    pub bytes: &'a [u8],
}

/// What TensorBoard knows event files by.
const PREFIX: &str = "events.out.tfevents.";

impl EventWriter {
    /// Makes the folder's event file, `wall_time` seconds after 1970, which its name carries.
    pub fn create(folder: &Path, wall_time: f64) -> io::Result<Self> {
        fs_err::create_dir_all(folder)?;
        let path = folder.join(format!("{PREFIX}{:010}.gan-train", wall_time as u64));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let mut writer = Self { file: BufWriter::new(file), path };
        writer.record(&version_event(wall_time))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Continues the folder's event file after `step`: later events and what is damaged are taken out,
    /// whole or not at all, then the file is open for more. Without such a file it is made.
    pub fn continue_at(folder: &Path, step: u64, wall_time: f64) -> io::Result<Self> {
        let Some(path) = last_event_file(folder)? else {
            return Self::create(folder, wall_time);
        };
        let bytes = fs_err::read(&path)?;
        let mut kept = Vec::with_capacity(bytes.len());
        for record in records(&bytes) {
            if step_of(record.event).is_some_and(|s| s <= step) {
                kept.extend_from_slice(record.framed);
            }
        }
        if kept.is_empty() {
            kept = framed(&version_event(wall_time));
        }
        if kept != bytes {
            gan_core::file::write_atomic(&path, |file| file.write_all(&kept))?;
        }
        Self::append(&path)
    }

    /// Opens an event file to add to it as it is.
    pub fn append(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        Ok(Self { file: BufWriter::new(file), path: path.into() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a value of the curve `tag`, `wall_time` seconds after 1970.
    pub fn scalar(&mut self, tag: &str, step: u64, wall_time: f64, value: f64) -> io::Result<()> {
        let mut summary = Message::default();
        summary.bytes(1, tag.as_bytes()).float(2, value as f32);
        self.record(&summary_event(step, wall_time, &summary))
    }

    /// Adds a picture under `tag`, `wall_time` seconds after 1970.
    pub fn image(
        &mut self,
        tag: &str,
        step: u64,
        wall_time: f64,
        image: EncodedImage<'_>,
    ) -> io::Result<()> {
        let mut picture = Message::default();
        picture.varint(1, image.height as u64).varint(2, image.width as u64);
        picture.varint(3, image.channels as u64).bytes(4, image.bytes);
        let mut summary = Message::default();
        summary.bytes(1, tag.as_bytes()).bytes(4, &picture.0);
        self.record(&summary_event(step, wall_time, &summary))
    }

    /// Brings everything to the file, so that TensorBoard sees it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn record(&mut self, event: &Message) -> io::Result<()> {
        self.file.write_all(&framed(event))
    }
}

/// First event of every file.
fn version_event(wall_time: f64) -> Message {
    let mut event = Message::default();
    event.double(1, wall_time).bytes(3, b"brain.Event:2");
    event
}

/// An event with a summary of one value.
fn summary_event(step: u64, wall_time: f64, value: &Message) -> Message {
    let mut summary = Message::default();
    summary.bytes(1, &value.0);
    let mut event = Message::default();
    event.double(1, wall_time).varint(2, step).bytes(5, &summary.0);
    event
}

/// The event file of the latest name.
fn last_event_file(folder: &Path) -> io::Result<Option<PathBuf>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let mut last = None;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            last = last.max(Some(entry.path()));
        }
    }
    Ok(last)
}

/// A protobuf message under construction; zeros are left out, as proto3 has it.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, field: u64, value: u64) -> &mut Self {
        if value != 0 {
            self.key(field, 0);
            self.raw_varint(value);
        }
        self
    }

    fn double(&mut self, field: u64, value: f64) -> &mut Self {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(&mut self, field: u64, value: &[u8]) -> &mut Self {
        self.key(field, 2);
        self.raw_varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    /// One of several fields that exclude each other: written even when it is zero.
    fn float(&mut self, field: u64, value: f32) -> &mut Self {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn key(&mut self, field: u64, wire_type: u64) {
        self.raw_varint(field << 3 | wire_type);
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A message as a record.
fn framed(message: &Message) -> Vec<u8> {
    let length = (message.0.len() as u64).to_le_bytes();
    let mut out = Vec::with_capacity(message.0.len() + FRAME);
    out.extend(length);
    out.extend(masked_crc(&length).to_le_bytes());
    out.extend(&message.0);
    out.extend(masked_crc(&message.0).to_le_bytes());
    out
}

/// Bytes of a record beside its message.
const FRAME: usize = 8 + 4 + 4;

fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A record of a file: all of its bytes, and its message.
struct Record<'a> {
    framed: &'a [u8],
    event: &'a [u8],
}

/// Whole records from the beginning; ends at the first that is torn or damaged.
fn records(mut bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (length_crc, rest) = rest.split_first_chunk::<4>()?;
        if masked_crc(length) != u32::from_le_bytes(*length_crc) {
            return None;
        }
        let size = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (event, rest) = rest.split_at_checked(size)?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        if masked_crc(event) != u32::from_le_bytes(*crc) {
            return None;
        }
        let framed = &bytes[..size + FRAME];
        bytes = rest;
        Some(Record { framed, event })
    })
}

/// Step of an event: 0 where it has none, nothing where the message makes no sense.
fn step_of(mut event: &[u8]) -> Option<u64> {
    while !event.is_empty() {
        let key = read_varint(&mut event)?;
        let skip = match key & 7 {
            0 => {
                let value = read_varint(&mut event)?;
                if key >> 3 == 2 {
                    return Some(value);
                }
                0
            }
            1 => 8,
            2 => usize::try_from(read_varint(&mut event)?).ok()?,
            5 => 4,
            _ => return None,
        };
        event = event.get(skip..)?;
    }
    Some(0)
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tensorboard.summary.writer.record_writer.RecordWriter` (tensorboard 2.21) writes for
    /// `Event(wall_time=1732233600.25, step=300, summary=…(tag="loss/d", simple_value=1.375))`.
    const SCALAR: [u8; 45] = [
        0x1d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x60, 0x2f, 0xdf, 0x23, 0x09, 0x00, 0x00,
        0x10, 0x60, 0xf2, 0xcf, 0xd9, 0x41, 0x10, 0xac, 0x02, 0x2a, 0x0f, 0x0a, 0x0d, 0x0a, 0x06,
        0x6c, 0x6f, 0x73, 0x73, 0x2f, 0x64, 0x15, 0x00, 0x00, 0xb0, 0x3f, 0xa6, 0x90, 0xda, 0x1c,
    ];
    /// The same for `Event(wall_time=1.5, file_version="brain.Event:2")`.
    const VERSION: [u8; 40] = [
        0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0xf8, 0x3f, 0x1a, 0x0d, 0x62, 0x72, 0x61, 0x69, 0x6e, 0x2e, 0x45,
        0x76, 0x65, 0x6e, 0x74, 0x3a, 0x32, 0x2a, 0x28, 0x64, 0x6c,
    ];
    /// The same for `Event(wall_time=2.0, step=1, summary=…(tag="samples", image=Summary.Image(
    /// height=2, width=300, colorspace=3, encoded_image_string=b"PNG")))`.
    const IMAGE: [u8; 54] = [
        0x26, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x73, 0x4f, 0xe3, 0x00, 0x09, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x10, 0x01, 0x2a, 0x19, 0x0a, 0x17, 0x0a, 0x07, 0x73,
        0x61, 0x6d, 0x70, 0x6c, 0x65, 0x73, 0x22, 0x0c, 0x08, 0x02, 0x10, 0xac, 0x02, 0x18, 0x03,
        0x22, 0x03, 0x50, 0x4e, 0x47, 0xa9, 0xf2, 0xf1, 0x9b,
    ];

    #[test]
    fn bytes_are_those_of_the_reference_writer() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut writer = EventWriter::create(folder.path(), 1.5)?;
        writer.scalar("loss/d", 300, 1_732_233_600.25, 1.375)?;
        let image = EncodedImage { width: 300, height: 2, channels: 3, bytes: b"PNG" };
        writer.image("samples", 1, 2.0, image)?;
        writer.flush()?;
        let expected = [&VERSION[..], &SCALAR, &IMAGE].concat();
        assert_eq!(fs_err::read(writer.path())?, expected);
        Ok(())
    }

    /// A file with steps 0 to 9, and its bytes.
    fn ten_steps(folder: &Path) -> io::Result<(PathBuf, Vec<u8>)> {
        let mut writer = EventWriter::create(folder, 7.0)?;
        for step in 0..10 {
            writer.scalar("loss", step, 8.0 + step as f64, 0.0)?;
        }
        writer.flush()?;
        Ok((writer.path().into(), fs_err::read(writer.path())?))
    }

    #[test]
    fn continued_file_equals_an_uninterrupted_one() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (path, whole) = ten_steps(folder.path())?;
        // As after a kill: a record is torn.
        fs_err::write(&path, &whole[..whole.len() - 3])?;
        let mut writer = EventWriter::continue_at(folder.path(), 5, 99.0)?;
        assert_eq!(writer.path(), path);
        for step in 6..10 {
            writer.scalar("loss", step, 8.0 + step as f64, 0.0)?;
        }
        writer.flush()?;
        assert_eq!(fs_err::read(&path)?, whole);
        Ok(())
    }

    #[test]
    fn damage_ends_what_is_kept() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (path, mut bytes) = ten_steps(folder.path())?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::write(&path, &bytes)?;
        drop(EventWriter::continue_at(folder.path(), 100, 99.0)?);
        let kept = fs_err::read(&path)?;
        assert!(kept.len() < middle && bytes.starts_with(&kept));
        fs_err::write(&path, b"nonsense")?;
        drop(EventWriter::continue_at(folder.path(), 100, 1.5)?);
        assert_eq!(fs_err::read(&path)?, VERSION);
        Ok(())
    }

    #[test]
    fn without_a_file_one_is_made() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let writer = EventWriter::continue_at(&folder.path().join("new"), 5, 1.5)?;
        assert_eq!(fs_err::read(writer.path())?, VERSION);
        Ok(())
    }
}
