//! Folders, zips and CelebA, from files to tensors.

use gan_data::{Dataset, PrepareOptions, Source, Split, TransformOptions};

use crate::Outcome;
use crate::fixtures::{annotations, celeba, first_pixels, folder, jpeg, prepared, shade, small};

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
    assert_eq!((data.image_shape()?.height, data.image_shape()?.width), (64, 64));
    assert!(done.manifest.classes.is_empty());
    for split in Split::ALL {
        let reds = first_pixels(&data, split)?;
        assert!(reds.iter().all(|red| red.abs_diff(100) <= 2 || *red == 150), "{reds:?}");
    }
    Ok(())
}

#[test]
fn a_cache_keeps_different_options_apart() -> Outcome {
    let at = folder()?;
    celeba(at.path(), 20, "\n")?;
    let source = Source::detect(&at.path().display().to_string())?;
    let cache = at.path().join("cache");
    let first = gan_data::cache::prepared(&source, &cache, &small(), &|_| {})?.0;
    let time = std::fs::metadata(first.join("manifest.json"))?.modified()?;
    assert_eq!(gan_data::cache::prepared(&source, &cache, &small(), &|_| {})?.0, first);
    assert_eq!(std::fs::metadata(first.join("manifest.json"))?.modified()?, time);
    let options = PrepareOptions { seed: 1, ..small() };
    assert_ne!(gan_data::cache::prepared(&source, &cache, &options, &|_| {})?.0, first);
    let entries = gan_data::cache::entries(&cache)?;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.manifest.is_some() && entry.bytes > 0));
    Ok(())
}

#[test]
fn sizes_need_not_be_square() -> Outcome {
    let at = folder()?;
    let zip = celeba(at.path(), 20, "\n")?;
    let transform = TransformOptions {
        size: Some((12, 8)),
        crop: Some("140".parse()?),
        filter: Some(gan_data::Filter::Lanczos),
        ..Default::default()
    };
    let options = PrepareOptions { transform, ..small() };
    let (_, data) = prepared(&zip, &at.path().join("out"), &options)?;
    assert_eq!(data.samples(Split::Train, &[0])?.dims(), [1, 3, 8, 12]);
    check_celeba(&data, 20)
}

#[test]
fn a_prepared_folder_among_pictures_is_no_picture() -> Outcome {
    let at = folder()?;
    let pictures = at.path().join("pictures");
    std::fs::create_dir(&pictures)?;
    for i in 0..4 {
        std::fs::write(pictures.join(format!("{i}.jpg")), jpeg(16, 16, [i * 50; 3])?)?;
    }
    // Of another program; and our own output, with a picture in it as `info` leaves one.
    std::fs::write(pictures.join("manifest.json"), r#"{"name": "my site"}"#)?;
    let out = pictures.join("shards");
    let (_, data) = prepared(&pictures, &out, &small())?;
    data.preview(4)?.write_png(&out.join("samples.png"))?;
    let (again, _) = prepared(&pictures, &out, &small())?;
    assert!(again.reused && again.manifest.counts.total() == 4);
    Ok(())
}
