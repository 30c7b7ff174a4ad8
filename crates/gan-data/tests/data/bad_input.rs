//! What is wrong with a source or a data set is said in one sentence; damage to one picture stops
//! nothing.

use gan_data::{DataError, Dataset, PrepareOptions, Source};

use crate::Outcome;
use crate::fixtures::{
    annotations, assert_says, celeba, folder, gzip, idx, jpeg, mnist, prepared, refusal, small,
};

#[test]
fn damaged_pictures_are_skipped_and_listed() -> Outcome {
    let at = folder()?;
    let pictures = at.path().join("in");
    std::fs::create_dir(&pictures)?;
    let good = jpeg(100, 100, [10, 200, 30])?;
    for i in 0..20 {
        std::fs::write(pictures.join(format!("{i:02}.jpg")), &good)?;
    }
    std::fs::write(pictures.join("03.jpg"), b"")?;
    std::fs::write(pictures.join("07.jpg"), &good[..good.len() / 2])?;
    std::fs::write(pictures.join("11.jpg"), "no picture at all")?;
    std::fs::write(pictures.join("19.jpg"), &good[..100])?;
    let out = at.path().join("out");
    let (done, data) = prepared(&pictures, &out, &small())?;
    let names: Vec<&str> = done.skipped.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["03.jpg", "07.jpg", "11.jpg", "19.jpg"]);
    assert_eq!((done.manifest.skipped, data.manifest().counts.total()), (4, 16));
    let log = std::fs::read_to_string(out.join("prepare.log"))?;
    assert!(names.iter().all(|name| log.contains(name)), "{log}");

    let strict = PrepareOptions { strict: true, ..small() };
    let message = refusal(&pictures, &at.path().join("strict"), &strict);
    assert_says(&message, &["03.jpg", "empty", "strict"]);
    Ok(())
}

#[test]
fn a_damaged_zip_entry_is_skipped_and_a_cut_zip_refused() -> Outcome {
    let at = folder()?;
    let zip = celeba(at.path(), 20, "\n")?;
    let mut bytes = std::fs::read(&zip)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40; // In the data of a picture: its checksum fails.
    std::fs::write(&zip, &bytes)?;
    let (done, _) = prepared(&zip, &at.path().join("out"), &small())?;
    assert_eq!(done.skipped.len(), 1);
    bytes.truncate(middle);
    std::fs::write(&zip, &bytes)?;
    let message = refusal(&zip, &at.path().join("cut"), &small());
    assert_says(&message, &["img_align_celeba.zip", "a zip of pictures"]);
    Ok(())
}

#[test]
fn sources_that_are_none() -> Outcome {
    let at = folder()?;
    let none = Source::detect("no/such/place").expect_err("nothing is there").to_string();
    assert_says(&none, &["no/such/place", "synthetic-faces"]);
    let message = refusal(at.path(), &at.path().join("out"), &small());
    assert_says(&message, &["expected pictures", "found none"]);
    let file = at.path().join("a.txt");
    std::fs::write(&file, "text")?;
    let text = Source::detect(&file.display().to_string()).expect_err("a text").to_string();
    assert_says(&text, &["a.txt", "neither a zip nor an idx file"]);
    Ok(())
}

#[test]
fn idx_files_that_lie() -> Outcome {
    let at = folder()?;
    let file = at.path().join("train-images-idx3-ubyte");
    let out = at.path().join("out");
    let check = |bytes: &[u8], parts: &[&str]| -> Outcome {
        std::fs::write(&file, bytes)?;
        let source = Source::Idx(vec![gan_data::source::IdxPair::beside(&file)]);
        let error = gan_data::prepare(&source, &out, &small(), &|_| {}).expect_err("malformed");
        assert_says(&error.to_string(), parts);
        assert!(!out.exists(), "nothing is written before the source was read");
        Ok(())
    };
    let good = idx(&[2, 2, 2], &[1; 8]);
    check(b"hello", &["train-images-idx3-ubyte", "idx header", "start of"])?;
    check(&idx(&[8], &[1; 8]), &["3 dimensions"])?;
    check(&good[..good.len() - 1], &["8 bytes after the header", "found 7"])?;
    check(&[&good[..], &[0]].concat(), &["8 bytes after the header", "more"])?;
    let zipped = gzip(&good)?;
    check(&zipped[..zipped.len() - 9], &["a whole idx file"])?;
    std::fs::write(at.path().join("train-labels-idx1-ubyte"), idx(&[3], &[1; 3]))?;
    check(&good, &["train-labels-idx1-ubyte", "2 labels", "found 3"])?;
    Ok(())
}

#[test]
fn attribute_files_that_lie() -> Outcome {
    let at = folder()?;
    let zip = celeba(at.path(), 5, "\r\n")?;
    let path = at.path().join("list_attr_celeba.txt");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text.replacen('8', "9", 1))?;
    let message = refusal(&zip, &at.path().join("out"), &small());
    assert_says(&message, &["list_attr_celeba.txt", "a count of 9 above 8 rows"]);
    annotations(at.path(), 8, "\n")?;
    std::fs::write(at.path().join("list_eval_partition.txt"), "000001.jpg 5\n")?;
    let message = refusal(&zip, &at.path().join("out"), &small());
    assert_says(&message, &["list_eval_partition.txt", "line 1"]);
    Ok(())
}

#[test]
fn a_data_set_that_was_changed_is_refused() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let out = at.path().join("out");
    prepared(at.path(), &out, &small())?;
    let opened = || Dataset::open(&out).expect_err("changed").to_string();

    let shard = out.join("shard-00001.safetensors");
    let good = std::fs::read(&shard)?;
    let mut bytes = good.clone();
    *bytes.last_mut().expect("not empty") ^= 1;
    std::fs::write(&shard, &bytes)?;
    assert!(matches!(Dataset::open(&out), Err(DataError::Hash { .. })));
    assert_says(&opened(), &["shard-00001.safetensors", "hash is", "prepare the data again"]);
    std::fs::remove_file(&shard)?;
    assert_says(&opened(), &["shard-00001.safetensors", "no such file"]);
    std::fs::write(&shard, &good)?;

    let path = out.join("manifest.json");
    let manifest = std::fs::read_to_string(&path)?;
    let replaced = |from: &str, to: &str| -> Outcome {
        assert!(manifest.contains(from));
        Ok(std::fs::write(&path, manifest.replacen(from, to, 1))?)
    };
    replaced("\"version\": 1", "\"version\": 2")?;
    assert_says(&opened(), &["manifest.json", "version 2", "newer program"]);
    replaced("\"train\": 30", "\"train\": 29")?;
    assert_says(&opened(), &["29 pictures of the train split", "found 30"]);
    replaced("\"height\": 8", "\"height\": 4")?;
    assert_says(&opened(), &["images U8", "[16, 1, 4, 8]"]);
    replaced("{", "")?;
    assert_says(&opened(), &["manifest.json", "no JSON"]);
    std::fs::remove_file(&path)?;
    assert_says(&opened(), &["manifest.json", "no such file", "prepare the data into"]);
    Ok(())
}

#[test]
fn options_out_of_range() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let out = at.path().join("out");
    let check = |options: PrepareOptions, part: &str| {
        assert_says(&refusal(at.path(), &out, &options), &[part]);
    };
    check(PrepareOptions { size: Some(0), ..small() }, "picture size");
    check(PrepareOptions { limit: Some(0), ..small() }, "limit");
    check(PrepareOptions { valid_fraction: 1.5, ..small() }, "fractions");
    Ok(())
}
