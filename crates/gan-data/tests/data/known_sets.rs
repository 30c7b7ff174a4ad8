//! Data sets in forms of their own, and built-in ones.

use gan_data::{Color, Dataset, PrepareOptions, SampleShape, Source, Split, Transform, prepare};

use crate::Outcome;
use crate::fixtures::{self, first_pixels, folder, labelled, mnist, prepared, small, zip_of};

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
