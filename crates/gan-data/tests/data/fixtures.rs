//! Small real files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use gan_data::{Dataset, PrepareOptions, Prepared, Source, Split, TransformOptions, prepare};
use image::{ExtendedColorType, ImageEncoder};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A folder that is removed at the end of a test.
pub(crate) fn folder() -> Result<TempDir> {
    Ok(tempfile::tempdir()?)
}

/// A JPEG of one color.
pub(crate) fn jpeg(width: u32, height: u32, color: [u8; 3]) -> Result<Vec<u8>> {
    let pixels = color.repeat((width * height) as usize);
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100).write_image(
        &pixels,
        width,
        height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// The gray value of a numbered picture; far enough apart to survive JPEG.
pub(crate) fn shade(number: usize) -> u8 {
    (number * 5 % 250) as u8
}

/// CelebA's zip and text files for pictures 1 to `n`; the texts have three rows more. Attribute `Odd` holds
/// for odd numbers, `Never` for none; every fifth picture is for validation, every seventh for test.
pub(crate) fn celeba(at: &Path, n: usize, line_end: &str) -> Result<PathBuf> {
    let path = at.join("img_align_celeba.zip");
    let mut zip = ZipWriter::new(File::create(&path)?);
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.add_directory("img_align_celeba/", stored)?;
    for i in 1..=n {
        zip.start_file(format!("img_align_celeba/{i:06}.jpg"), stored)?;
        zip.write_all(&jpeg(178, 218, [shade(i); 3])?)?;
    }
    zip.finish()?;
    annotations(at, n + 3, line_end)?;
    Ok(path)
}

/// CelebA's two text files.
pub(crate) fn annotations(at: &Path, n: usize, line_end: &str) -> Result<()> {
    let mut attributes = vec![n.to_string(), "Odd Never ".into()];
    attributes
        .extend((1..=n).map(|i| format!("{i:06}.jpg {:>2} -1", if i % 2 == 1 { 1 } else { -1 })));
    let split = |i: usize| match i {
        i if i % 7 == 0 => 2,
        i if i % 5 == 0 => 1,
        _ => 0,
    };
    let partition: Vec<_> = (1..=n).map(|i| format!("{i:06}.jpg {}", split(i))).collect();
    std::fs::write(at.join("list_attr_celeba.txt"), attributes.join(line_end) + line_end)?;
    std::fs::write(at.join("list_eval_partition.txt"), partition.join(line_end) + line_end)?;
    Ok(())
}

/// The bytes of an idx file.
pub(crate) fn idx(dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(body);
    bytes
}

/// Gzipped.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes)?;
    Ok(gz.finish()?)
}

/// MNIST in small: `n` training and 3 test pictures of 4×5, picture `i` of value `i` and class `i % 10`.
pub(crate) fn mnist(at: &Path, n: u8, zipped: bool) -> Result<()> {
    for (name, n) in [("train", n), ("t10k", 3)] {
        let body: Vec<u8> = (0..n).flat_map(|i| [i; 20]).collect();
        let labels: Vec<u8> = (0..n).map(|i| i % 10).collect();
        let files = [
            (format!("{name}-images-idx3-ubyte"), idx(&[n.into(), 5, 4], &body)),
            (format!("{name}-labels-idx1-ubyte"), idx(&[n.into()], &labels)),
        ];
        for (file, bytes) in files {
            if zipped {
                std::fs::write(at.join(file + ".gz"), gzip(&bytes)?)?;
            } else {
                std::fs::write(at.join(file), bytes)?;
            }
        }
    }
    Ok(())
}

/// Every picture of a split by its first pixel.
pub(crate) fn first_pixels(data: &Dataset, split: Split) -> Result<Vec<u8>> {
    let all: Vec<usize> = (0..data.len(split)).collect();
    let images = data.samples(split, &all)?;
    Ok(images.narrow(2, 0, 1)?.narrow(3, 0, 1)?.narrow(1, 0, 1)?.flatten_all()?.to_vec1()?)
}

/// A zip of small pictures, each of one gray value, and of texts.
pub(crate) fn zip_of(at: &Path, pictures: &[(&str, u8)], texts: &[(&str, &str)]) -> Result<()> {
    let mut zip = ZipWriter::new(File::create(at)?);
    let options = SimpleFileOptions::default();
    for (name, value) in pictures {
        zip.start_file(*name, options)?;
        zip.write_all(&jpeg(16, 16, [*value; 3])?)?;
    }
    for (name, text) in texts {
        zip.start_file(*name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    zip.finish()?;
    Ok(())
}

/// Every sample's first pixel with its label, split by split.
pub(crate) fn labelled(data: &Dataset) -> Result<[Vec<(u8, i64)>; 3]> {
    let mut all: [Vec<(u8, i64)>; 3] = Default::default();
    for split in Split::ALL {
        let indices: Vec<usize> = (0..data.len(split)).collect();
        let labels = data.labels(split, &indices)?.expect("there are classes").to_vec1()?;
        all[split as usize] = first_pixels(data, split)?.into_iter().zip(labels).collect();
    }
    Ok(all)
}

/// A folder of numbered gray pictures.
pub(crate) fn pictures(at: &Path, n: usize) -> Result<()> {
    std::fs::create_dir_all(at)?;
    for i in 0..n {
        std::fs::write(at.join(format!("{i:03}.jpg")), jpeg(16, 16, [shade(i); 3])?)?;
    }
    Ok(())
}

/// All files of a data set by name.
pub(crate) fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        files.insert(name, std::fs::read(&path)?);
    }
    Ok(files)
}

/// Recognizes and prepares a source.
pub(crate) fn prepared(
    source: &Path,
    out: &Path,
    options: &PrepareOptions,
) -> Result<(Prepared, Dataset)> {
    let source = Source::detect(&source.display().to_string())?;
    let prepared = prepare(&source, out, options, &|_| {})?;
    Ok((prepared, Dataset::open(out)?))
}

/// Default options, small pictures, two or more shards.
pub(crate) fn small() -> PrepareOptions {
    let transform = TransformOptions::square(8);
    PrepareOptions { transform, shard_samples: 16, ..PrepareOptions::default() }
}

/// Why preparing a source fails.
pub(crate) fn refusal(source: &Path, out: &Path, options: &PrepareOptions) -> String {
    match prepared(source, out, options) {
        Ok(_) => panic!("{} was prepared", source.display()),
        Err(error) => error.to_string(),
    }
}

/// Panics unless a message holds all parts and reads as our sentences do.
#[track_caller]
pub(crate) fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
    assert!(!message.ends_with('.') && message.lines().count() == 1, "{message}");
}
