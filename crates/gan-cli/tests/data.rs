//! `prepare` and what reads its output, from outside: what it makes of a user's files, what it says of wrong
//! ones. Every message is one sentence, with exit code 1 for what is wrong with files and 2 for what was typed.

mod common;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{both_of, program, run};

#[track_caller]
fn refused(folder: &Path, line: &str, code: i32, parts: &[&str]) {
    let (got, stdout, stderr) = run(folder, line);
    assert_eq!((got, stdout.as_str()), (code, ""), "{line}\n{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{line}: {part:?} in {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{line}: {stderr}");
}

/// Pictures of every kind, good and bad, see crates/gan-data/tests/golden/pictures.py.
fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gan-data/tests/golden/pictures.zip")
}

fn folder_with_pictures() -> (tempfile::TempDir, PathBuf) {
    let at = tempfile::tempdir().expect("a folder");
    let path = at.path().to_path_buf();
    std::fs::copy(pictures(), path.join("photos.zip")).expect("the golden pictures");
    (at, path)
}

fn write(path: PathBuf, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("written");
}

fn idx(dims: &[u32], body: &[u8]) -> Vec<u8> {
    let dims_bytes = dims.iter().flat_map(|d| d.to_be_bytes());
    [0, 0, 8, dims.len() as u8].into_iter().chain(dims_bytes).chain(body.iter().copied()).collect()
}

#[test]
fn anybodys_pictures_are_a_training_set_after_one_command() {
    let (_at, folder) = folder_with_pictures();
    let (stdout, stderr) = both_of(&folder, "prepare photos.zip");
    assert!(stdout.contains("photos-shards prepared: 83 ("), "{stdout}");
    assert!(stdout.contains("next: gan-cli info photos-shards"), "{stdout}");
    assert!(stderr.contains("19 damaged images left out, listed in photos-shards/prepare.log"));
    assert!(stderr.contains("5 files not taken") && stderr.contains("HEIC"), "{stderr}");
    let (stdout, _) = both_of(&folder, "info photos-shards");
    assert!(stdout.contains("samples.png") && stdout.contains("64×64 RGB"), "{stdout}");
    assert!(folder.join("photos-shards/samples.png").is_file());
    let train = "train dcgan --data photos-shards --steps 1 --batch-size 8 --out run \
                 --set model.generator_width=4 --set model.discriminator_width=4";
    both_of(&folder, train);
    let (stdout, _) = both_of(&folder, "prepare photos.zip");
    assert!(stdout.contains("was there already"), "{stdout}");
}

#[test]
fn options_reach_the_manifest_and_the_pictures() {
    let (_at, folder) = folder_with_pictures();
    both_of(
        &folder,
        "--json prepare photos.zip --out a --size 24x16 --crop 32 --filter lanczos --color gray \
         --resize straight --limit 20 --fractions 0.25,0.25 --seed 3",
    );
    let (stdout, _) = both_of(&folder, "--json info a --out picture.png");
    let info: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    let manifest = &info["manifest"];
    let size = serde_json::json!({"image": {"channels": 1, "height": 16, "width": 24}});
    assert_eq!(manifest["sample"], size);
    assert_eq!(manifest["fractions"], serde_json::json!([0.25, 0.25]));
    assert_eq!((&manifest["limit"], &manifest["seed"]), (&20.into(), &3.into()));
    assert_eq!(manifest["transform"]["filter"], "lanczos");
    assert_eq!(manifest["transform"]["crop"]["center"]["width"], 32);
    assert!(folder.join("picture.png").is_file() && !folder.join("a/samples.png").exists());

    let (stdout, _) = both_of(&folder, "--json prepare synthetic-faces --limit 60 --out faces");
    let all: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    let attribute = all["manifest"]["attributes"][0].as_str().expect("an attribute").to_string();
    let line = format!("--json prepare synthetic-faces --limit 60 --out some --only -{attribute}");
    let (stdout, _) = both_of(&folder, &line);
    let some: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert!(some["samples"].as_u64() < all["samples"].as_u64());
    let (stdout, _) = both_of(&folder, "--json info some");
    let info: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(info["attributes"][&attribute], serde_json::json!([0, 0, 0]));

    both_of(&folder, "prepare stacked-mnist:synthetic-digits --limit 50 --out stacked");
    both_of(&folder, "prepare gaussians-ring --limit 50 --out ring");
    let (stdout, _) = both_of(&folder, "info ring");
    assert!(stdout.contains("points in 2 dimensions") && stdout.contains("mode 7"), "{stdout}");
    refused(&folder, "train dcgan --data ring --steps 1", 2, &["ring", "points", "pictures"]);
}

#[test]
fn wrong_sources_are_said_to_be_so() {
    let (_at, folder) = folder_with_pictures();
    let folder = folder.as_path();
    let good = std::fs::read(pictures()).expect("the golden pictures");
    let place = |from: &[u8], bytes: &[u8]| -> Vec<usize> {
        (0..bytes.len() - from.len()).filter(|&i| bytes[i..].starts_with(from)).collect()
    };

    write(folder.join("cut.zip"), &good[..good.len() / 2]);
    refused(folder, "prepare cut.zip --out x", 1, &["cut.zip", "a zip of pictures", "copied"]);

    let mut encrypted = good.clone();
    place(b"PK\x01\x02", &good).into_iter().for_each(|i| encrypted[i + 8] |= 1);
    write(folder.join("encrypted.zip"), encrypted);
    refused(folder, "prepare encrypted.zip --out x", 1, &["encrypted files", "password"]);

    let mut outside = good.clone();
    place(b"bad/", &good).into_iter().for_each(|i| outside[i..i + 4].copy_from_slice(b"../b"));
    write(folder.join("outside.zip"), outside);
    let (_, stderr) = both_of(folder, "prepare outside.zip --out outside");
    assert!(stderr.contains("its name leads out of the archive"), "{stderr}");

    write(folder.join("nested/all.zip"), &good);
    refused(folder, "prepare nested --out x", 1, &["nested", "all.zip: an archive inside"]);
    std::fs::create_dir(folder.join("empty")).expect("a folder");
    refused(folder, "prepare empty --out x", 1, &["empty: expected pictures", "found none"]);
    write(folder.join("texts/a.txt"), "text");
    refused(folder, "prepare texts --out x", 1, &["none among 1 file (a.txt: no picture)"]);
    refused(folder, "prepare nowhere --out x", 2, &["nowhere", "no such path"]);
    let strict = ["photos.zip: bad/bomb.png cannot be used: 40000×40000 pixels", "strict"];
    refused(folder, "prepare photos.zip --strict --out strict", 1, &strict);

    for (name, bytes, parts) in [
        ("magic", idx(&[8], &[1; 8]), ["idx header of u8 in 3 dimensions", "[00 00 08 01]"]),
        ("short", idx(&[2, 2, 2], &[1; 7]), ["8 bytes after the header", "found 7"]),
        ("long", idx(&[2, 2, 2], &[1; 9]), ["8 bytes after the header", "found more"]),
    ] {
        write(folder.join(name).join("train-images-idx3-ubyte"), bytes);
        refused(folder, &format!("prepare {name} --out x"), 1, &parts);
    }
    write(folder.join("labels/train-images-idx3-ubyte"), idx(&[2, 2, 2], &[1; 8]));
    write(folder.join("labels/train-labels-idx1-ubyte"), idx(&[3], &[1; 3]));
    let parts = ["train-labels-idx1-ubyte", "2 labels, one a picture", "found 3"];
    refused(folder, "prepare labels --out x", 1, &parts);
    write(folder.join("cifar/data_batch_1.bin"), [7; 3000]);
    refused(folder, "prepare cifar --out x", 1, &["data_batch_1.bin", "records of 3073 bytes"]);
    assert!(!folder.join("x").exists(), "nothing is written for a source that is wrong");
}

#[test]
fn wrong_tables_and_options_are_said_to_be_so() {
    let (_at, folder) = folder_with_pictures();
    let folder = folder.as_path();
    for (text, parts) in [
        ("2\nOdd\nbmp_1.bmp 1\n", ["table.txt", "a count of 2 above 1 rows in line 1"]),
        ("1\nOdd Even\nbmp_1.bmp 1\n", ["table.txt", "1 values for 2 names in line 3"]),
        ("1\nOdd\nbmp_1.bmp 5\n", ["table.txt", "\"5\" in place of 1 or -1"]),
        ("2\nOdd\na.jpg 1\na.jpg 1\n", ["table.txt", "a second row for \"a.jpg\" in line 4"]),
        ("1\nOdd\na.jpg 1\n", ["photos.zip", "none with a row"]),
    ] {
        write(folder.join("table.txt"), text);
        refused(folder, "prepare photos.zip --attributes table.txt --out x", 1, &parts);
    }
    write(folder.join("table.txt"), "a.jpg train\nb.jpg maybe\n");
    let parts = ["table.txt", "\"b.jpg maybe\" in line 2"];
    refused(folder, "prepare photos.zip --splits table.txt --out x", 1, &parts);

    let parts = ["\"Smiling\"", "neither attributes nor classes"];
    refused(folder, "prepare photos.zip --only Smiling --out x", 2, &parts);
    let parts = ["\"smiling\"", "did you mean Smiling?"];
    refused(folder, "prepare synthetic-faces --limit 9 --only smiling --out x", 2, &parts);
    refused(folder, "prepare photos.zip --size 64x --out x", 2, &["--size", "WxH"]);
    refused(folder, "prepare photos.zip --fractions 0.9,0.2 --out x", 2, &["not more than 1"]);
    refused(folder, "prepare photos.zip --limit 0 --out x", 2, &["limit"]);
    refused(folder, "prepare photos.zip --filter nearest --out x", 2, &["bilinear", "lanczos"]);
}

#[test]
fn outputs_that_are_taken_changed_or_impossible() {
    let (_at, folder) = folder_with_pictures();
    let folder = folder.as_path();
    both_of(folder, "prepare photos.zip --out shards --limit 40");
    let before = std::fs::read(folder.join("shards/shard-00000.safetensors")).expect("a shard");
    let parts = ["limit is 40, now none was asked", "seed is 0, now 4 was asked"];
    refused(folder, "prepare photos.zip --out shards --seed 4", 1, &parts);
    write(folder.join("thesis/chapter.tex"), "text");
    refused(folder, "prepare photos.zip --out thesis", 1, &["chapter.tex", "an empty folder"]);
    refused(
        folder,
        "prepare photos.zip --out photos.zip/x",
        1,
        &["cannot be written", "another output folder"],
    );
    refused(folder, "prepare shards --out x", 2, &["prepared already"]);

    let shard = folder.join("shards/shard-00000.safetensors");
    let mut flipped = before.clone();
    flipped[before.len() / 2] ^= 1;
    write(shard.clone(), &flipped);
    let hash = ["shard-00000.safetensors", "hash is", "same prepare again"];
    refused(folder, "info shards", 1, &hash);
    refused(folder, "train dcgan --data shards --steps 1", 1, &hash);
    std::fs::remove_file(&shard).expect("removed");
    refused(folder, "info shards", 1, &["shard-00000.safetensors", "no such file"]);
    write(shard, &before);
    let manifest = folder.join("shards/manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    write(manifest.clone(), text.replace("\"version\": 2", "\"version\": 9"));
    refused(folder, "info shards", 1, &["manifest.json", "version 9", "newer program"]);
    write(manifest.clone(), r#"{"name": "my site"}"#);
    refused(folder, "info shards", 1, &["manifest.json", "something else"]);
    write(manifest.clone(), text);
    both_of(folder, "info shards");

    refused(folder, "info shards --out photos.zip", 2, &["photos.zip", "a PNG file"]);

    // The same command makes anew what is damaged, and says so.
    write(folder.join("shards/shard-00000.safetensors"), &flipped);
    let (stdout, stderr) = both_of(folder, "prepare photos.zip --out shards --limit 40");
    assert!(stdout.contains("shards prepared: "), "{stdout}");
    assert!(stderr.contains("making again what is damaged: "), "{stderr}");
    let after = std::fs::read(folder.join("shards/shard-00000.safetensors")).expect("a shard");
    assert!(after == before);
    std::fs::remove_file(manifest).expect("removed");
    let unfinished = ["shards: expected a finished", "a preparation that was not", "same prepare"];
    refused(folder, "info shards", 1, &unfinished);
    refused(folder, "train dcgan --data shards --steps 1", 1, &unfinished);
}

#[test]
fn two_at_once_do_not_share_a_folder() {
    let at = tempfile::tempdir().expect("a folder");
    let folder = at.path();
    let mut first = program(folder, "-q prepare synthetic-faces --size 128 --out shards")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let start = Instant::now();
    while !folder.join("shards/prepare.json").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "the first has not begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    let parts = ["shards", "another process prepares into this folder", "wait"];
    refused(folder, "prepare synthetic-faces --size 128 --out shards", 1, &parts);
    first.kill().expect("it still runs");
    first.wait().expect("it has ended");
    // The lock went with the process. Where it had stored nothing yet, other options are no loss.
    let (_, _, stderr) = run(folder, "prepare synthetic-faces --limit 40 --out shards");
    assert!(!stderr.contains("another process"), "{stderr}");
}
