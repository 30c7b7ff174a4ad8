//! What once broke, or was about to.

use std::io::Write;

use gan_data::{
    DataError, Dataset, PrepareOptions, Resize, Sampling, Source, Split, TransformOptions, prepare,
};

use crate::Outcome;
use crate::fixtures::{
    self, assert_says, celeba, contents, first_pixels, folder, idx, jpeg, labelled, mnist,
    pictures, prepared, refusal, small, zip_of,
};

/// A disk that is unplugged is no folder of damaged pictures.
#[test]
fn a_source_that_goes_away_stops_the_preparation_and_can_come_back() -> Outcome {
    let at = folder()?;
    let (source, away) = (at.path().join("in"), at.path().join("away"));
    pictures(&source, 100)?;
    let out = at.path().join("out");
    let detected = Source::detect(&source.display().to_string())?;
    let error = prepare(&detected, &out, &small(), &|progress| {
        if progress.done >= 32 {
            std::fs::rename(&source, &away).ok();
        }
    });
    let error = error.expect_err("the source went away");
    assert!(matches!(error, DataError::Lost { .. }), "{error}");
    assert_says(&error.to_string(), &["in: 0", "cannot be read any more", "same command again"]);
    assert!(out.join("shard-00000.safetensors").exists() && !out.join("manifest.json").exists());

    std::fs::rename(&away, &source)?;
    let (done, _) = prepared(&source, &out, &small())?;
    assert_eq!((done.manifest.counts.total(), done.skipped.len()), (100, 0));
    prepared(&source, &at.path().join("whole"), &small())?;
    assert_eq!(contents(&out)?, contents(&at.path().join("whole"))?);
    Ok(())
}

/// What decides the shards is in the digest: nothing stale is taken for what was asked.
#[test]
fn another_reading_of_the_same_files_is_another_source() -> Outcome {
    let at = folder()?;
    let out = at.path().join("out");
    let file = |name: &str| at.path().join(name);
    std::fs::write(file("train-images-idx3-ubyte"), idx(&[2, 2, 2], &[1; 8]))?;
    std::fs::write(file("train-labels-idx1-ubyte"), idx(&[2], &[1, 2]))?;
    prepared(at.path(), &out, &Default::default())?;
    std::fs::write(file("mapping.txt"), "1 65\n2 66\n")?;
    assert_says(&refusal(at.path(), &out, &Default::default()), &["source.digest"]);
    std::fs::remove_file(file("mapping.txt"))?;
    assert!(prepared(at.path(), &out, &Default::default())?.0.reused);
    for (from, to) in [("train", "t10k"), ("t10k", "emnist-x-train")] {
        for what in ["images-idx3", "labels-idx1"] {
            let name = |split: &str| file(&format!("{split}-{what}-ubyte"));
            std::fs::rename(name(from), name(to))?;
        }
        assert_says(&refusal(at.path(), &out, &Default::default()), &["source.digest"]);
    }

    let at = folder()?;
    pictures(&at.path().join("in"), 3)?;
    let table = at.path().join("table.csv");
    std::fs::write(&table, "name,one\n000.jpg,1\n001.jpg,0\n002.jpg,1\n")?;
    let source = Source::detect(&at.path().join("in").display().to_string())?;
    let out = at.path().join("out");
    let attributes = source.clone().with_tables(Some(table.clone()), None)?;
    prepare(&attributes, &out, &small(), &|_| {})?;
    let splits = source.with_tables(None, Some(table))?;
    let error = prepare(&splits, &out, &small(), &|_| {}).expect_err("another reading");
    assert_says(&error.to_string(), &["source.digest"]);
    Ok(())
}

#[test]
fn differences_of_any_text_are_shown() -> Outcome {
    let at = folder()?;
    for class in ["xäääääääääääää", "hund"] {
        pictures(&at.path().join("in").join(class), 4)?;
    }
    let only = |name: &str| -> fixtures::Result<PrepareOptions> {
        Ok(PrepareOptions { only: Some(name.parse()?), ..small() })
    };
    let (source, out) = (at.path().join("in"), at.path().join("out"));
    prepared(&source, &out, &only("xäääääääääääää")?)?;
    let message = refusal(&source, &out, &only("hund")?);
    assert_says(&message, &["only is xäääääääääääää, now hund was asked"]);
    Ok(())
}

#[test]
fn a_limit_beyond_all_memory_is_refused() -> Outcome {
    let at = folder()?;
    for name in ["synthetic-faces", "gaussians-ring", "stacked-mnist:synthetic-digits"] {
        let source = Source::detect(name)?;
        for limit in [0, 5_000_000_000, usize::MAX] {
            let options = PrepareOptions { limit: Some(limit), ..Default::default() };
            let error = prepare(&source, &at.path().join("out"), &options, &|_| {});
            let message = error.expect_err("too many or none").to_string();
            assert_says(&message, &["limit", &limit.to_string()]);
        }
    }
    // Claimed by a header, in a few bytes.
    let file = at.path().join("train-images-idx3-ubyte");
    std::fs::write(&file, idx(&[u32::MAX, 1, 1], &[1; 8]))?;
    assert_says(&refusal(&file, &at.path().join("out"), &small()), &["dimensions"]);
    Ok(())
}

#[test]
fn pictures_may_be_named_as_anything() -> Outcome {
    let at = folder()?;
    let source = at.path().join("in");
    pictures(&source, 3)?;
    for name in
        ["img_idx3.jpg", "train.bin", "test.bin", "a.heic", "notes.txt", "d.nef", "x.parquet"]
    {
        std::fs::copy(source.join("000.jpg"), source.join(name))?;
    }
    std::fs::write(source.join("dataset.json"), r#"{"name": "mine"}"#)?;
    std::fs::write(source.join("BMI"), "BMI, weight, height\n22, 70, 178\n")?;
    let (done, _) = prepared(&source, &at.path().join("out"), &small())?;
    // All are JPEGs; a raw file holds one of its own, so that its name counts, as that of a text does.
    assert_eq!(done.manifest.counts.total(), 8);
    let left_out: Vec<&str> = done.ignored.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(left_out, ["BMI", "d.nef", "notes.txt"]);
    Ok(())
}

/// A picture beside the folders once made the official test pictures training ones.
#[test]
fn a_stray_picture_does_not_undo_the_splits() -> Outcome {
    let at = folder()?;
    let zip = at.path().join("set.zip");
    let names = ["train/cat/1.jpg", "train/cat/2.jpg", "train/dog/1.jpg", "test/dog/2.jpg"];
    let mut all: Vec<(&str, u8)> = names.iter().map(|name| (*name, 50)).collect();
    all.push(("preview.jpg", 50));
    zip_of(&zip, &all, &[])?;
    let (done, data) = prepared(&zip, &at.path().join("out"), &small())?;
    assert_eq!(labelled(&data)?.map(|split| split.len()), [3, 0, 1]);
    assert_says(&done.ignored[0].reason, &["beside the folders of splits"]);
    Ok(())
}

#[test]
fn a_row_is_not_shared_by_files_of_one_name() -> Outcome {
    let at = folder()?;
    let zip = at.path().join("set.zip");
    zip_of(&zip, &[("cat/1.jpg", 50), ("dog/1.jpg", 100), ("dog/2.jpg", 150)], &[])?;
    let table = at.path().join("splits.csv");
    std::fs::write(&table, "cat/1.jpg,test\n1.jpg,train\n2.jpg,train\n")?;
    let source = Source::detect(&zip.display().to_string())?.with_tables(None, Some(table))?;
    let out = at.path().join("out");
    let done = prepare(&source, &out, &small(), &|_| {})?;
    let data = Dataset::open(&out)?;
    assert_eq!(first_pixels(&data, Split::Test)?, [50]);
    assert_eq!(first_pixels(&data, Split::Train)?, [150]);
    assert_says(&done.ignored[0].reason, &["others have its name"]);
    Ok(())
}

#[test]
fn celeba_with_splits_of_ones_own_is_still_celeba() -> Outcome {
    let at = folder()?;
    let zip = celeba(at.path(), 10, "\n")?;
    let table = at.path().join("mine.txt");
    let rows: Vec<String> = (1..=10).map(|i| format!("{i:06}.jpg valid")).collect();
    std::fs::write(&table, rows.join("\n"))?;
    let source = Source::detect(&zip.display().to_string())?.with_tables(None, Some(table))?;
    let options = PrepareOptions { transform: TransformOptions::square(16), ..small() };
    let done = prepare(&source, &at.path().join("out"), &options, &|_| {})?;
    assert_eq!((done.manifest.source.kind.as_str(), done.manifest.counts.valid), ("celeba", 10));
    let transform = done.manifest.transform.expect("pictures");
    assert_eq!(transform.resize, Resize::Straight { width: 16, height: 16 });
    assert_eq!(done.manifest.attributes, ["Odd", "Never"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn links_are_followed_once_and_in_the_same_order() -> Outcome {
    use std::os::unix::fs::symlink;
    let at = folder()?;
    let source = at.path().join("in");
    pictures(&source.join("z"), 2)?;
    symlink("z", source.join("a"))?;
    symlink("..", source.join("z/up"))?;
    let (done, _) = prepared(&source, &at.path().join("out"), &small())?;
    assert_eq!(done.manifest.counts.total(), 2);
    let names: Vec<&str> = done.ignored.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["a", "z/up"]);
    Ok(())
}

/// Writers without the form for more than 65,535 files let their count wrap.
#[test]
fn a_zip_whose_count_wrapped_is_read() -> Outcome {
    let at = folder()?;
    let path = at.path().join("set.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path)?);
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for i in 0..(1 << 16) + 2 {
        zip.start_file(format!("{i}.gz"), stored)?;
    }
    zip.start_file("a.jpg", stored)?;
    zip.write_all(&jpeg(16, 16, [50; 3])?)?;
    zip.finish()?;
    // The long form of the end and where it is, 56 and 20 bytes, stand before the short one.
    let mut bytes = std::fs::read(&path)?;
    let end = bytes.windows(4).rposition(|w| w == b"PK\x05\x06").expect("an end");
    assert!(bytes[end - 76..].starts_with(b"PK\x06\x06"));
    let with_count = |bytes: &[u8], count: u16| {
        let mut bytes = [&bytes[..end - 76], &bytes[end..]].concat();
        let counts = end - 76 + 8;
        bytes[counts..][..4].copy_from_slice(&[count.to_le_bytes(), count.to_le_bytes()].concat());
        bytes
    };
    std::fs::write(&path, with_count(&bytes, 3))?;
    let (done, _) = prepared(&path, &at.path().join("out"), &small())?;
    assert_eq!((done.manifest.counts.total(), done.ignored.len()), (1, (1 << 16) + 2));
    bytes = with_count(&bytes, 4);
    std::fs::write(&path, bytes)?;
    let message = refusal(&path, &at.path().join("cut"), &small());
    assert_says(&message, &["65539 files of the 4"]);
    Ok(())
}

#[test]
fn a_class_has_no_weight() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let data = std::sync::Arc::new(prepared(at.path(), &at.path().join("out"), &small())?.1);
    for (name, weight) in [("class", 3.0), ("3", 2.0)] {
        let sampling = Sampling::Weighted([(name.to_string(), weight)].into());
        let config = gan_data::LoaderConfig { batch_size: 4, sampling, flips: false, seed: 0 };
        let error = gan_data::Loader::new(data.clone(), Split::Train, config);
        assert_says(&error.expect_err("no attribute").to_string(), &["attribute", name]);
    }
    Ok(())
}

/// A download that is still under way; nothing of it is found by who continues with the whole file.
#[test]
fn a_zip_that_changes_while_it_is_read_leaves_nothing_wrong() -> Outcome {
    let at = folder()?;
    let zip = at.path().join("set.zip");
    let names: Vec<String> = (0..60).map(|i| format!("{i:02}.jpg")).collect();
    let all: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 50)).collect();
    zip_of(&zip, &all, &[])?;
    let whole = std::fs::read(&zip)?;
    let source = Source::detect(&zip.display().to_string())?;
    let out = at.path().join("out");
    let error = prepare(&source, &out, &small(), &|progress| {
        if progress.done == 16 {
            // Written in place, so that the open file is the one that is cut.
            std::fs::write(&zip, &whole[..whole.len() / 3]).expect("written");
        }
    });
    assert_says(&error.expect_err("it changed").to_string(), &["set.zip", "changed meanwhile"]);
    assert!(!out.join("manifest.json").exists());
    std::fs::write(&zip, &whole)?;
    let (done, _) = prepared(&zip, &out, &small())?;
    assert_eq!((done.manifest.counts.total(), done.skipped.len()), (60, 0));
    Ok(())
}

#[test]
fn a_file_that_changes_after_it_was_listed_is_not_taken() -> Outcome {
    let at = folder()?;
    let source = at.path().join("in");
    pictures(&source, 64)?;
    let detected = Source::detect(&source.display().to_string())?;
    let error = prepare(&detected, &at.path().join("out"), &small(), &|progress| {
        if progress.done == 16 {
            std::fs::write(source.join("060.jpg"), "cut").expect("written");
        }
    });
    let message = error.expect_err("it changed").to_string();
    assert_says(&message, &["060.jpg", "changed since it was listed"]);
    Ok(())
}
