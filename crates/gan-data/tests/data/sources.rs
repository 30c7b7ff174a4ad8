//! Every source, from files to tensors.

use gan_data::{Color, Dataset, PrepareOptions, Source, Split, Transform, prepare};

use crate::Outcome;
use crate::fixtures::{self, annotations, celeba, folder, jpeg, mnist, prepared, shade, small};

/// Every picture of a split by its first pixel.
fn first_pixels(data: &Dataset, split: Split) -> fixtures::Result<Vec<u8>> {
    let all: Vec<usize> = (0..data.len(split)).collect();
    let images = data.images(split, &all)?;
    Ok(images.narrow(2, 0, 1)?.narrow(3, 0, 1)?.narrow(1, 0, 1)?.flatten_all()?.to_vec1()?)
}

fn check_celeba(data: &Dataset, n: usize) -> Outcome {
    let split = |i: usize| match i {
        i if i % 7 == 0 => Split::Test,
        i if i % 5 == 0 => Split::Valid,
        _ => Split::Train,
    };
    assert_eq!(data.manifest().attributes, ["Odd", "Never"]);
    for which in Split::ALL {
        let numbers: Vec<usize> = (1..=n).filter(|&i| split(i) == which).collect();
        assert_eq!(data.len(which), numbers.len());
        for (pixel, number) in first_pixels(data, which)?.into_iter().zip(&numbers) {
            assert!(pixel.abs_diff(shade(*number)) <= 1, "{pixel} for picture {number}");
        }
        let all: Vec<usize> = (0..numbers.len()).collect();
        let attributes = data.attributes(which, &all)?.expect("CelebA has attributes");
        let expected: Vec<Vec<u8>> = numbers.iter().map(|&i| vec![(i % 2) as u8, 0]).collect();
        assert_eq!(attributes.to_vec2::<u8>()?, expected);
        assert!(data.labels(which, &all)?.is_none());
    }
    Ok(())
}

#[test]
fn celeba_from_a_zip_with_either_line_end() -> Outcome {
    for line_end in ["\r\n", "\n"] {
        let at = folder()?;
        let zip = celeba(at.path(), 40, line_end)?;
        for (i, source) in [at.path(), &zip].into_iter().enumerate() {
            let (done, data) = prepared(source, &at.path().join(format!("out{i}")), &small())?;
            assert_eq!(done.manifest.shards.len(), 3);
            assert_eq!((done.skipped.len(), done.ignored.len()), (0, 0));
            check_celeba(&data, 40)?;
        }
    }
    Ok(())
}

#[test]
fn celeba_from_a_folder_of_jpegs() -> Outcome {
    let at = folder()?;
    let jpegs = at.path().join("img_align_celeba");
    std::fs::create_dir(&jpegs)?;
    for i in 1..=20 {
        std::fs::write(jpegs.join(format!("{i:06}.jpg")), jpeg(178, 218, [shade(i); 3])?)?;
    }
    std::fs::write(jpegs.join("000099.jpg"), jpeg(178, 218, [1; 3])?)?; // Without a row.
    annotations(at.path(), 25, "\n")?;
    let (done, data) = prepared(&jpegs, &at.path().join("out"), &small())?;
    assert_eq!(done.ignored.len(), 1);
    assert_eq!(done.ignored[0].name, "000099.jpg");
    check_celeba(&data, 20)
}

#[test]
fn celeba_without_its_text_files_has_the_official_split() -> Outcome {
    let at = folder()?;
    let jpegs = at.path().join("img_align_celeba");
    std::fs::create_dir(&jpegs)?;
    for i in [1, 162_770, 162_771, 182_637, 182_638] {
        std::fs::write(jpegs.join(format!("{i:06}.jpg")), jpeg(178, 218, [9; 3])?)?;
    }
    let (_, data) = prepared(at.path(), &at.path().join("out"), &small())?;
    assert_eq!(Split::ALL.map(|split| data.len(split)), [2, 2, 1]);
    assert!(data.attributes(Split::Train, &[0])?.is_none());
    Ok(())
}

#[test]
fn mnist_plain_and_gzipped() -> Outcome {
    for zipped in [false, true] {
        let at = folder()?;
        mnist(at.path(), 30, zipped)?;
        let options = PrepareOptions { shard_images: 16, ..Default::default() };
        let (done, data) = prepared(at.path(), &at.path().join("out"), &options)?;
        let shape = data.image_shape();
        assert_eq!((shape.channels, shape.height, shape.width), (1, 5, 4));
        assert_eq!(done.manifest.transform, Transform::keep(Color::Gray));
        assert_eq!(Split::ALL.map(|split| data.len(split)), [30, 0, 3]);
        assert_eq!(data.manifest().classes.len(), 10);
        assert_eq!(first_pixels(&data, Split::Train)?, (0..30).collect::<Vec<u8>>());
        let labels = data.labels(Split::Train, &[3, 17])?.expect("MNIST has labels");
        assert_eq!(labels.to_vec1::<i64>()?, [3, 7]);
    }
    Ok(())
}

#[test]
fn one_idx_file_finds_its_labels() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 12, true)?;
    let file = at.path().join("t10k-images-idx3-ubyte.gz");
    let (_, data) = prepared(&file, &at.path().join("out"), &small())?;
    assert_eq!(Split::ALL.map(|split| data.len(split)), [0, 0, 3]);
    assert_eq!((data.image_shape().height, data.image_shape().width), (8, 8));
    assert!(data.labels(Split::Test, &[0])?.is_some());
    Ok(())
}

#[test]
fn a_folder_of_any_pictures() -> Outcome {
    let at = folder()?;
    let pictures = at.path().join("holidays");
    std::fs::create_dir_all(pictures.join("beach"))?;
    for i in 0..10u32 {
        let name = pictures.join(format!("beach/{i}.JPG"));
        std::fs::write(name, jpeg(30 + i, 50 - i, [100, 150, 200])?)?;
    }
    image::RgbaImage::from_pixel(9, 20, image::Rgba([100, 150, 200, 255]))
        .save(pictures.join("a.png"))?;
    image::ImageBuffer::from_pixel(20, 9, image::Luma([150u16 * 257]))
        .save(pictures.join("b.tiff"))?;
    std::fs::rename(pictures.join("b.tiff"), pictures.join("renamed.jpg"))?;
    std::fs::write(pictures.join("notes.txt"), "sunny")?;
    std::fs::write(pictures.join(".hidden"), "x")?;
    let (done, data) = prepared(&pictures, &at.path().join("out"), &Default::default())?;
    assert_eq!(done.manifest.counts.total(), 12, "{:?}", done.skipped);
    assert_eq!((done.manifest.counts.valid, done.manifest.counts.test), (1, 1));
    assert_eq!(done.ignored[0].name, "notes.txt");
    assert_eq!((data.image_shape().height, data.image_shape().width), (64, 64));
    assert!(done.manifest.classes.is_empty());
    for split in Split::ALL {
        let reds = first_pixels(&data, split)?;
        assert!(reds.iter().all(|red| red.abs_diff(100) <= 2 || *red == 150), "{reds:?}");
    }
    Ok(())
}

#[test]
fn subfolders_are_classes() -> Outcome {
    let at = folder()?;
    for (class, value) in [("dog", 200), ("cat", 50)] {
        std::fs::create_dir_all(at.path().join("in").join(class))?;
        for i in 0..10 {
            let path = at.path().join("in").join(class).join(format!("{i}.jpg"));
            std::fs::write(path, jpeg(16, 16, [value; 3])?)?;
        }
    }
    let transform = Some(Transform::shorter_side(8, 8).with_color(Color::Gray));
    let options = PrepareOptions { transform, ..Default::default() };
    let (_, data) = prepared(&at.path().join("in"), &at.path().join("out"), &options)?;
    assert_eq!(data.manifest().classes, ["cat", "dog"]);
    for split in Split::ALL {
        let all: Vec<usize> = (0..data.len(split)).collect();
        let labels = data.labels(split, &all)?.expect("classes are labels").to_vec1::<i64>()?;
        for (pixel, label) in first_pixels(&data, split)?.into_iter().zip(labels) {
            assert!(pixel.abs_diff([50, 200][label as usize]) <= 1);
        }
    }
    Ok(())
}

#[test]
fn synthetic_pictures_need_no_file() -> Outcome {
    for (name, size, channels) in [("synthetic-faces", 64, 3), ("synthetic-digits", 28, 1)] {
        let at = folder()?;
        let source = Source::detect(name)?;
        let options = PrepareOptions { limit: Some(50), ..Default::default() };
        let done = prepare(&source, at.path(), &options, &|_| {})?;
        let shape = done.manifest.image;
        assert_eq!((shape.channels, shape.height, shape.width), (channels, size, size));
        let data = Dataset::open(at.path())?;
        assert_eq!(Split::ALL.map(|split| data.len(split)), [40, 5, 5]);
        let has_attributes = data.attributes(Split::Test, &[0])?.is_some();
        assert_ne!(has_attributes, data.labels(Split::Test, &[0])?.is_some());
    }
    Ok(())
}

#[test]
fn a_limit_is_spread_over_the_splits() -> Outcome {
    let at = folder()?;
    celeba(at.path(), 35, "\n")?;
    let options = PrepareOptions { limit: Some(7), ..small() };
    let (_, data) = prepared(at.path(), &at.path().join("out"), &options)?;
    // Of 35 pictures: 24, 6 and 5.
    assert_eq!(Split::ALL.map(|split| data.len(split)), [5, 1, 1]);
    Ok(())
}

#[test]
fn a_cache_keeps_different_options_apart() -> Outcome {
    let at = folder()?;
    celeba(at.path(), 20, "\n")?;
    let source = Source::detect(&at.path().display().to_string())?;
    let cache = at.path().join("cache");
    let first = gan_data::cache::prepared(&source, &cache, &small(), &|_| {})?;
    let time = std::fs::metadata(first.join("manifest.json"))?.modified()?;
    assert_eq!(gan_data::cache::prepared(&source, &cache, &small(), &|_| {})?, first);
    assert_eq!(std::fs::metadata(first.join("manifest.json"))?.modified()?, time);
    let options = PrepareOptions { seed: 1, ..small() };
    assert_ne!(gan_data::cache::prepared(&source, &cache, &options, &|_| {})?, first);
    let entries = gan_data::cache::entries(&cache)?;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.manifest.is_some() && entry.bytes > 0));
    Ok(())
}
