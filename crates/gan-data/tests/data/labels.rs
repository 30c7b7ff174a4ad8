//! Splits, classes and attributes: where they come from and what is chosen by them.

use gan_data::{Color, Dataset, PrepareOptions, Source, Split, TransformOptions, prepare};

use crate::Outcome;
use crate::fixtures::{
    self, celeba, first_pixels, folder, jpeg, labelled, mnist, prepared, small, zip_of,
};

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
