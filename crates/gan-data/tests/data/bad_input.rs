//! What is wrong with a source or a data set is said in one sentence; damage to one picture stops
//! nothing.

use std::io::Write;
use std::path::Path;

use gan_data::{DataError, Dataset, PrepareOptions, Source, TransformOptions};

use crate::Outcome;
use crate::fixtures::{
    self, annotations, assert_says, celeba, folder, gzip, idx, jpeg, mnist, prepared, refusal,
    small,
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
    assert_says(&opened(), &["shard-00001.safetensors", "hash is", "same prepare again"]);
    std::fs::remove_file(&shard)?;
    assert_says(&opened(), &["shard-00001.safetensors", "no such file"]);
    std::fs::write(&shard, &good)?;

    let path = out.join("manifest.json");
    let manifest = std::fs::read_to_string(&path)?;
    let replaced = |from: &str, to: &str| -> Outcome {
        assert!(manifest.contains(from));
        Ok(std::fs::write(&path, manifest.replacen(from, to, 1))?)
    };
    replaced("\"version\": 2", "\"version\": 3")?;
    assert_says(&opened(), &["manifest.json", "version 3", "newer program"]);
    replaced("\"train\": 30", "\"train\": 29")?;
    assert_says(&opened(), &["29 samples of the train split", "found 30"]);
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
    check(PrepareOptions { transform: TransformOptions::square(0), ..small() }, "picture size");
    check(PrepareOptions { limit: Some(0), ..small() }, "limit");
    check(PrepareOptions { fractions: Some((1.5, 0.0)), ..small() }, "fractions");
    Ok(())
}

/// A zip whose entries are written by `write`.
fn zip_with(
    at: &Path,
    write: impl FnOnce(&mut zip::ZipWriter<std::fs::File>) -> Outcome,
) -> fixtures::Result<std::path::PathBuf> {
    let path = at.join("set.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path)?);
    write(&mut zip)?;
    zip.finish()?;
    Ok(path)
}

#[test]
fn names_that_lead_out_of_a_zip_and_zips_in_it_are_not_taken() -> Outcome {
    let at = folder()?;
    let options = zip::write::SimpleFileOptions::default();
    let good = jpeg(16, 16, [9; 3])?;
    let path = zip_with(at.path(), |zip| {
        for name in ["a.jpg", "../b.jpg", "/etc/c.jpg", "x\\..\\..\\d.jpg", "inner.zip"] {
            // As it is written; the writer's own function would clean it.
            zip.start_file(name, options)?;
            zip.write_all(&good)?;
        }
        Ok(zip.add_symlink("link.jpg", "a.jpg", options)?)
    })?;
    let (done, data) = prepared(&path, &at.path().join("out"), &small())?;
    assert_eq!(data.manifest().counts.total(), 1);
    let reasons: Vec<&str> = done.ignored.iter().map(|i| i.reason.as_str()).collect();
    assert_eq!(reasons.iter().filter(|r| r.contains("leads out")).count(), 3, "{:?}", done.ignored);
    assert!(reasons.contains(&"a link") && reasons.iter().any(|r| r.contains("archive inside")));
    assert_eq!(std::fs::read_dir(at.path())?.count(), 2, "nothing is unpacked");

    let nested = zip_with(at.path(), |zip| {
        zip.start_file("all.zip", options)?;
        Ok(zip.write_all(&good)?)
    })?;
    let message = refusal(&nested, &at.path().join("nested"), &small());
    assert_says(&message, &["set.zip", "none among 1 file", "all.zip", "unpack it"]);
    Ok(())
}

/// Encryption is marked by a bit in both headers of an entry; what it does to the bytes does not matter
/// to who has no password.
#[test]
fn an_encrypted_zip_is_named_as_one() -> Outcome {
    let at = folder()?;
    let good = jpeg(16, 16, [9; 3])?;
    let path = zip_with(at.path(), |zip| {
        zip.start_file("a.jpg", zip::write::SimpleFileOptions::default())?;
        Ok(zip.write_all(&good)?)
    })?;
    let mut bytes = std::fs::read(&path)?;
    let central = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").expect("a directory");
    bytes[central + 8] |= 1;
    bytes[6] |= 1;
    std::fs::write(&path, bytes)?;
    let message = refusal(&path, &at.path().join("out"), &small());
    assert_says(&message, &["set.zip", "1 encrypted files", "password"]);
    Ok(())
}

#[test]
fn bombs_do_not_go_off() -> Outcome {
    let at = folder()?;
    let good = jpeg(16, 16, [9; 3])?;
    let path = zip_with(at.path(), |zip| {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("good.jpg", options)?;
        zip.write_all(&good)?;
        // 600 MB of zeros in 0.6 MB.
        zip.start_file("zeros.png", options.large_file(true))?;
        let zeros = vec![0; 1 << 20];
        (0..600).try_for_each(|_| zip.write_all(&zeros))?;
        Ok(())
    })?;
    let (done, _) = prepared(&path, &at.path().join("out"), &small())?;
    assert_eq!(done.manifest.counts.total(), 1);
    assert_says(&done.skipped[0].reason, &["629145600 bytes are more than we take"]);

    // One that says it is small.
    let mut bytes = std::fs::read(&path)?;
    let size = 629_145_600u32.to_le_bytes();
    let claims: Vec<usize> = (0..bytes.len() - 4).filter(|&i| bytes[i..i + 4] == size).collect();
    assert!(!claims.is_empty());
    claims.iter().for_each(|&i| bytes[i..i + 4].copy_from_slice(&1000u32.to_le_bytes()));
    std::fs::write(&path, bytes)?;
    let (done, _) = prepared(&path, &at.path().join("lying"), &small())?;
    assert_eq!(done.manifest.counts.total(), 1);
    // The first thousand bytes have another checksum: reading ended where the size was said to end.
    assert_says(&done.skipped[0].reason, &["Invalid checksum"]);
    Ok(())
}

#[test]
fn tables_that_lie_or_miss() -> Outcome {
    let at = folder()?;
    let zip = celeba(at.path(), 5, "\n")?;
    let path = at.path().join("list_attr_celeba.txt");
    let good = std::fs::read_to_string(&path)?;
    let check = |text: String, parts: &[&str]| -> Outcome {
        std::fs::write(&path, text)?;
        assert_says(&refusal(&zip, &at.path().join("out"), &small()), parts);
        Ok(())
    };
    check(good.replace("Odd Never", "Odd Never Other"), &["2 values for 3 names in line 3"])?;
    check(good.replace("Odd Never", "Odd Odd"), &["\"Odd\" twice in line 2"])?;
    check(good.replace("000002", "000001"), &["a second row for \"000001.jpg\" in line 4"])?;
    check(
        good.replace("000002.jpg -1", "000002.jpg maybe"),
        &["\"maybe\"", "000002.jpg", "line 4"],
    )?;
    // Rows for pictures that are not there are no error; pictures without a row are left out.
    std::fs::write(&path, good.replace("000002", "000200"))?;
    let (done, _) = prepared(&zip, &at.path().join("out"), &small())?;
    assert_eq!((done.manifest.counts.total(), done.ignored.len()), (4, 1));
    assert_says(&done.ignored[0].reason, &["no row in the table of labels"]);

    std::fs::write(&path, "1\nOdd\nother.jpg 1\n")?;
    let message = refusal(&zip, &at.path().join("none"), &small());
    assert_says(&message, &["5 pictures, none with a row"]);
    let source = Source::detect(&zip.display().to_string())?;
    let source = source.with_tables(None, Some(at.path().join("nowhere.txt")))?;
    let error = gan_data::prepare(&source, &at.path().join("none"), &small(), &|_| {});
    assert_says(&error.expect_err("no such file").to_string(), &["nowhere.txt"]);
    Ok(())
}

#[test]
fn cifar_files_that_lie() -> Outcome {
    let at = folder()?;
    let batch = at.path().join("test_batch.bin");
    let check = |bytes: Vec<u8>, parts: &[&str]| -> Outcome {
        std::fs::write(&batch, bytes)?;
        assert_says(&refusal(at.path(), &at.path().join("out"), &small()), parts);
        Ok(())
    };
    check(vec![0; 3073 * 2 - 1], &["test_batch.bin", "records of 3073 bytes", "found 6145 bytes"])?;
    check(vec![], &["test_batch.bin", "found 0 bytes"])?;
    check(vec![77; 3073], &["labels below 10", "77 in record 0"])?;
    std::fs::write(at.path().join("batches.meta.txt"), "cat\ndog\n")?;
    check(vec![1; 3073], &["batches.meta.txt", "10 class names", "found 2"])?;
    let archive = at.path().join("cifar-10-binary.tar.gz");
    std::fs::write(&archive, &gzip(&[7; 1000])?[..20])?;
    assert_says(&refusal(&archive, &at.path().join("out"), &small()), &["a whole tar.gz"]);
    Ok(())
}

#[test]
fn an_output_that_cannot_be_is_refused() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    // A file where a folder should be.
    let file = at.path().join("file");
    std::fs::write(&file, "precious")?;
    assert_says(
        &refusal(at.path(), &file, &small()),
        &["file", "cannot be written", "another output folder"],
    );
    assert_eq!(std::fs::read_to_string(&file)?, "precious");
    assert_says(&refusal(at.path(), &file.join("below"), &small()), &["cannot be written"]);
    Ok(())
}

#[test]
fn manifests_of_others_and_impossible_ones_are_refused() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let out = at.path().join("out");
    prepared(at.path(), &out, &small())?;
    let path = out.join("manifest.json");
    let good = std::fs::read_to_string(&path)?;
    let check = |text: &str, parts: &[&str]| -> Outcome {
        std::fs::write(&path, text)?;
        assert_says(&Dataset::open(&out).expect_err("no manifest of ours").to_string(), parts);
        Ok(())
    };
    check(r#"{"name": "my site", "icons": []}"#, &["manifest.json", "something else"])?;
    check(&good[..good.len() / 2], &["manifest.json", "no JSON"])?;
    check(&good.replace("shard-00000", "../shard-00000"), &["a shard named", "prepare"])?;
    check(&good.replace("\"width\": 8", "\"width\": 0"), &["samples of"])?;
    check(&good.replace("\"channels\": 1", "\"channels\": 9999999999999"), &["samples of"])?;
    check(&good.replace("\"seed\": 0", "\"seed\": 0, \"sood\": 1"), &["unknown field `sood`"])?;
    Ok(())
}
