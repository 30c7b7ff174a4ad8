//! Every source, from files to tensors.

use gan_data::{
    Color, Dataset, PrepareOptions, SampleShape, Source, Split, Transform, TransformOptions,
    prepare,
};

use crate::Outcome;
use crate::fixtures::{self, annotations, celeba, folder, jpeg, mnist, prepared, shade, small};

/// Every picture of a split by its first pixel.
fn first_pixels(data: &Dataset, split: Split) -> fixtures::Result<Vec<u8>> {
    let all: Vec<usize> = (0..data.len(split)).collect();
    let images = data.samples(split, &all)?;
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
        let options = PrepareOptions { shard_samples: 16, ..Default::default() };
        let (done, data) = prepared(at.path(), &at.path().join("out"), &options)?;
        let shape = data.image_shape()?;
        assert_eq!((shape.channels, shape.height, shape.width), (1, 5, 4));
        assert_eq!(done.manifest.transform, Some(Transform::keep(Color::Gray)));
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
    assert_eq!((data.image_shape()?.height, data.image_shape()?.width), (8, 8));
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
    assert_eq!((data.image_shape()?.height, data.image_shape()?.width), (64, 64));
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
    let transform = TransformOptions { color: Some(Color::Gray), ..TransformOptions::square(8) };
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
        let shape = done.manifest.sample.image().expect("pictures");
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

/// A zip of small pictures, each of one gray value, and of texts.
fn zip_of(at: &std::path::Path, pictures: &[(&str, u8)], texts: &[(&str, &str)]) -> Outcome {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::fs::File::create(at)?);
    let options = zip::write::SimpleFileOptions::default();
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
fn labelled(data: &Dataset) -> fixtures::Result<[Vec<(u8, i64)>; 3]> {
    let mut all: [Vec<(u8, i64)>; 3] = Default::default();
    for split in Split::ALL {
        let indices: Vec<usize> = (0..data.len(split)).collect();
        let labels = data.labels(split, &indices)?.expect("there are classes").to_vec1()?;
        all[split as usize] = first_pixels(data, split)?.into_iter().zip(labels).collect();
    }
    Ok(all)
}

#[test]
fn celeba_as_kaggle_distributes_it() -> Outcome {
    let at = folder()?;
    let zip = at.path().join("archive.zip");
    let inner = "img_align_celeba/img_align_celeba";
    let names = ["000001.jpg", "000002.jpg", "000003.jpg"].map(|name| format!("{inner}/{name}"));
    zip_of(
        &zip,
        &[(&names[0], 50), (&names[1], 100), (&names[2], 150)],
        &[
            ("list_attr_celeba.csv", "image_id,Male,Smiling\n000001.jpg,1,-1\n000002.jpg,-1,1\n"),
            ("list_eval_partition.csv", "image_id,partition\n000001.jpg,0\n000002.jpg,2\n"),
        ],
    )?;
    let (done, data) = prepared(&zip, &at.path().join("out"), &Default::default())?;
    assert_eq!(done.manifest.source.kind, "celeba");
    assert_eq!(done.manifest.transform, Some(Transform::straight(64, 64)));
    assert_eq!(Split::ALL.map(|split| data.len(split)), [1, 0, 1]);
    let smiling = data.attributes(Split::Test, &[0])?.expect("attributes").to_vec2::<u8>()?;
    assert_eq!(smiling, [[0, 1]]);
    // The third picture has no row.
    assert_eq!(done.ignored.len(), 1);
    assert!(done.ignored[0].reason.contains("no row"), "{:?}", done.ignored);
    Ok(())
}

#[test]
fn tables_can_be_named() -> Outcome {
    let at = folder()?;
    let zip = at.path().join("pets.zip");
    zip_of(&zip, &[("a b.jpg", 50), ("c.jpg", 100), ("d.jpg", 150)], &[])?;
    let attributes = at.path().join("tags.csv");
    std::fs::write(&attributes, "name,Furry\na b.jpg,1\nc.jpg,0\nd.jpg,1\n")?;
    let splits = at.path().join("splits.txt");
    std::fs::write(&splits, "a b.jpg test\nc.jpg train\nd.jpg val\n")?;
    let source = Source::detect(&zip.display().to_string())?;
    let source = source.with_tables(Some(attributes.clone()), Some(splits))?;
    let out = at.path().join("out");
    prepare(&source, &out, &small(), &|_| {})?;
    let data = Dataset::open(&out)?;
    assert_eq!(Split::ALL.map(|split| data.len(split)), [1, 1, 1]);
    assert_eq!(data.manifest().attributes, ["Furry"]);
    assert_eq!(first_pixels(&data, Split::Test)?, [50]);
    let (frequencies, classes) = data.frequencies();
    assert_eq!((frequencies[0].counts, classes.len()), ([0, 1, 1], 0));
    Source::detect("synthetic-faces")?.with_tables(Some(attributes), None).expect_err("no files");
    Ok(())
}

#[test]
fn folders_named_as_splits_are_splits() -> Outcome {
    let at = folder()?;
    let zip = at.path().join("pets.zip");
    let pictures = [
        ("pets/train/cat/1.jpg", 50),
        ("pets/train/cat/2.jpg", 60),
        ("pets/train/dog/1.jpg", 100),
        ("pets/train/dog/2.jpg", 110),
        ("pets/test/dog/3.jpg", 120),
    ];
    zip_of(&zip, &pictures, &[])?;
    let (_, data) = prepared(&zip, &at.path().join("out"), &small())?;
    assert_eq!(data.manifest().classes, ["cat", "dog"]);
    let expected = [vec![(50, 0), (60, 0), (100, 1), (110, 1)], vec![], vec![(120, 1)]];
    assert_eq!(labelled(&data)?, expected);
    Ok(())
}

#[test]
fn stylegans_labels_are_classes() -> Outcome {
    let at = folder()?;
    let zip = at.path().join("set.zip");
    let pictures = [("00000/img0.png", 50), ("00000/img1.png", 100), ("00001/img2.png", 150)];
    let json = r#"{"labels": [["00000/img0.png", 2], ["00001/img2.png", 0]]}"#;
    zip_of(&zip, &pictures, &[("dataset.json", json)])?;
    let options = PrepareOptions { fractions: Some((0.0, 0.0)), ..small() };
    let (done, data) = prepared(&zip, &at.path().join("out"), &options)?;
    assert_eq!(data.manifest().classes, ["0", "1", "2"]);
    assert_eq!(labelled(&data)?[0], [(50, 2), (150, 0)]);
    assert_eq!(done.ignored[0].name, "00000/img1.png");
    zip_of(&zip, &pictures, &[("dataset.json", r#"{"labels": null}"#)])?;
    let (_, data) = prepared(&zip, &at.path().join("without"), &options)?;
    assert_eq!((data.len(Split::Train), data.manifest().classes.len()), (3, 0));
    Ok(())
}

#[test]
fn emnist_is_turned_upright_and_named() -> Outcome {
    let at = folder()?;
    for (split, labels) in [("train", [1, 2]), ("test", [2, 2])] {
        let body: Vec<u8> = (0..18).collect();
        let file = |what: &str| at.path().join(format!("emnist-letters-{split}-{what}-ubyte"));
        std::fs::write(file("images-idx3"), fixtures::idx(&[2, 3, 3], &body))?;
        std::fs::write(file("labels-idx1"), fixtures::idx(&[2], &labels))?;
    }
    std::fs::write(at.path().join("emnist-letters-mapping.txt"), "1 65 97\n2 66 98\n")?;
    let (_, data) = prepared(at.path(), &at.path().join("out"), &Default::default())?;
    assert_eq!(data.manifest().classes, ["Aa", "Bb"]);
    let labels = data.labels(Split::Train, &[0, 1])?.expect("labels").to_vec1::<i64>()?;
    assert_eq!(labels, [0, 1]);
    let pixels = data.samples(Split::Train, &[1])?.flatten_all()?.to_vec1::<u8>()?;
    assert_eq!(pixels, [9, 12, 15, 10, 13, 16, 11, 14, 17]);
    assert!(!data.manifest().bears_mirroring());

    // Beside another of EMNIST's sets one must be named, by what its files begin with.
    let other = at.path().join("emnist-digits-train-images-idx3-ubyte");
    std::fs::write(other, fixtures::idx(&[1, 2, 2], &[0; 4]))?;
    let message = Source::detect(&at.path().display().to_string()).expect_err("two").to_string();
    fixtures::assert_says(&message, &["2 data sets", "emnist-letters", "emnist-digits"]);
    let named = at.path().join("emnist-letters");
    let (_, data) = prepared(&named, &at.path().join("named"), &Default::default())?;
    assert_eq!(data.len(Split::Test), 2);
    Ok(())
}

/// A record of CIFAR: label bytes, then planes of red, green and blue.
fn cifar_record(labels: &[u8], color: [u8; 3]) -> Vec<u8> {
    let planes = color.iter().flat_map(|value| [*value; 32 * 32]);
    labels.iter().copied().chain(planes).collect()
}

/// The files are written by the format's documentation.
#[test]
fn cifar_from_batches_and_from_the_archive() -> Outcome {
    let at = folder()?;
    let batches = at.path().join("cifar-10-batches-bin");
    std::fs::create_dir(&batches)?;
    let names = "airplane automobile bird cat deer dog frog horse ship truck";
    std::fs::write(batches.join("batches.meta.txt"), names.replace(' ', "\n") + "\n\n")?;
    let two = [cifar_record(&[3], [10, 20, 30]), cifar_record(&[9], [40, 50, 60])].concat();
    std::fs::write(batches.join("data_batch_1.bin"), &two)?;
    std::fs::write(batches.join("test_batch.bin"), cifar_record(&[0], [70, 80, 90]))?;
    let archive = at.path().join("cifar-10-binary.tar.gz");
    let gz = flate2::write::GzEncoder::new(std::fs::File::create(&archive)?, Default::default());
    let mut tar = tar::Builder::new(gz);
    tar.append_dir_all("cifar-10-batches-bin", &batches)?;
    tar.into_inner()?.finish()?;
    for (i, source) in [at.path(), &batches, &archive].into_iter().enumerate() {
        let (done, data) =
            prepared(source, &at.path().join(format!("out{i}")), &Default::default())?;
        assert_eq!(done.manifest.source.kind, "cifar-10");
        assert_eq!(data.manifest().classes[3], "cat");
        assert_eq!(labelled(&data)?, [vec![(10, 3), (40, 9)], vec![], vec![(70, 0)]]);
        let pixels = data.samples(Split::Train, &[1])?;
        assert_eq!(pixels.dims(), [1, 3, 32, 32]);
        assert_eq!(pixels.narrow(1, 2, 1)?.flatten_all()?.to_vec1::<u8>()?, [60; 32 * 32]);
    }
    let hundred = at.path().join("hundred");
    std::fs::create_dir(&hundred)?;
    std::fs::write(hundred.join("train.bin"), cifar_record(&[19, 99], [1, 2, 3]))?;
    std::fs::write(hundred.join("test.bin"), cifar_record(&[0, 7], [4, 5, 6]))?;
    let (done, data) = prepared(&hundred, &at.path().join("out-hundred"), &Default::default())?;
    assert_eq!(done.manifest.source.kind, "cifar-100");
    assert_eq!(labelled(&data)?, [vec![(1, 99)], vec![], vec![(4, 7)]]);
    Ok(())
}

#[test]
fn stacked_digits_spell_their_label() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, false)?;
    let source = Source::detect(&format!("stacked-mnist:{}", at.path().display()))?;
    let options = PrepareOptions { limit: Some(200), ..Default::default() };
    let out = at.path().join("out");
    let done = prepare(&source, &out, &options, &|_| {})?;
    assert_eq!((done.manifest.classes.len(), done.manifest.counts.train), (1000, 200));
    assert_eq!(done.manifest.classes[7], "007");
    let data = Dataset::open(&out)?;
    let all: Vec<usize> = (0..200).collect();
    let pixels = data.samples(Split::Train, &all)?.flatten_from(2)?.to_vec3::<u8>()?;
    let labels = data.labels(Split::Train, &all)?.expect("labels").to_vec1::<i64>()?;
    for (channels, label) in pixels.iter().zip(&labels) {
        // Picture i of the fixture has the value i and the class i % 10.
        let digits = [0, 1, 2].map(|c| i64::from(channels[c][0] % 10));
        assert_eq!(digits[0] * 100 + digits[1] * 10 + digits[2], *label);
    }
    let mut seen = labels;
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 150, "{} different labels of 200", seen.len());
    Ok(())
}

#[test]
fn points_are_stored_as_points() -> Outcome {
    let at = folder()?;
    let source = Source::detect("gaussians-grid")?;
    let options = PrepareOptions { limit: Some(500), ..Default::default() };
    let done = prepare(&source, at.path(), &options, &|_| {})?;
    assert_eq!((done.manifest.sample, done.manifest.transform), (SampleShape::Point(2), None));
    let data = Dataset::open(at.path())?;
    assert_eq!(Split::ALL.map(|split| data.len(split)), [400, 50, 50]);
    let bytes = std::fs::read(at.path().join("shard-00000.safetensors"))?;
    let shard = safetensors::SafeTensors::deserialize(&bytes)?;
    assert_eq!(shard.tensor("points")?.shape(), [500, 2]);
    assert_eq!(shard.tensor("points")?.dtype(), safetensors::Dtype::F32);
    let all: Vec<usize> = (0..400).collect();
    let points = data.samples(Split::Train, &all)?.to_vec2::<f32>()?;
    let labels = data.labels(Split::Train, &all)?.expect("modes").to_vec1::<i64>()?;
    for (point, mode) in points.iter().zip(labels) {
        let mean = gan_data::source::Mixture::Grid.mean(mode as usize);
        assert!((0..2).all(|d| (point[d] - mean[d]).abs() < 0.05 * 6.0), "{point:?}, mode {mode}");
    }
    fixtures::assert_says(
        &data.image_shape().expect_err("points").to_string(),
        &["points", "pictures"],
    );
    assert_eq!(data.preview(64)?.width(), 512);
    Ok(())
}

#[test]
fn a_selection_takes_what_fulfils_it() -> Outcome {
    let at = folder()?;
    let zip = celeba(at.path(), 40, "\n")?;
    let with = |only: &str| -> fixtures::Result<PrepareOptions> {
        Ok(PrepareOptions { only: Some(only.parse()?), ..small() })
    };
    let (_, data) = prepared(&zip, &at.path().join("odd"), &with("Odd,-Never")?)?;
    assert_eq!(data.manifest().counts.total(), 20);
    assert_eq!(data.frequencies().0[0].counts.iter().sum::<usize>(), 20);
    assert_eq!(data.manifest().only.as_ref().map(ToString::to_string), Some("Odd,-Never".into()));
    let message = fixtures::refusal(&zip, &at.path().join("none"), &with("Never")?);
    fixtures::assert_says(&message, &["Never", "none does"]);
    let message = fixtures::refusal(&zip, &at.path().join("none"), &with("odd")?);
    fixtures::assert_says(&message, &["\"odd\"", "did you mean Odd?"]);
    mnist(at.path(), 30, true)?;
    let file = at.path().join("train-images-idx3-ubyte.gz");
    let (_, data) = prepared(&file, &at.path().join("digits"), &with("3,7")?)?;
    assert_eq!(first_pixels(&data, Split::Train)?, [3, 7, 13, 17, 23, 27]);
    Ok(())
}

#[test]
fn fractions_replace_the_sources_split() -> Outcome {
    let at = folder()?;
    let zip = celeba(at.path(), 40, "\n")?;
    let options = PrepareOptions { fractions: Some((0.25, 0.0)), ..small() };
    let (_, data) = prepared(&zip, &at.path().join("out"), &options)?;
    assert_eq!(Split::ALL.map(|split| data.len(split)), [30, 10, 0]);
    let other = PrepareOptions { seed: 1, ..options };
    let (_, again) = prepared(&zip, &at.path().join("other"), &other)?;
    assert_ne!(first_pixels(&data, Split::Valid)?, first_pixels(&again, Split::Valid)?);
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

#[cfg(feature = "parquet")]
#[test]
fn parquet_of_hugging_face() -> Outcome {
    let at = folder()?;
    let golden =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parquet/shapes");
    let (done, data) = prepared(&golden, &at.path().join("out"), &small())?;
    assert_eq!(done.manifest.source.kind, "parquet");
    assert!(data.len(Split::Train) > 0 && data.len(Split::Test) > 0 && data.is_empty(Split::Valid));
    assert!(data.manifest().classes.len() > 1);
    labelled(&data)?;
    Ok(())
}
