//! The same command with the same seed leaves the same bytes, with another seed others.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use common::succeeds;

/// Commands that look at latents, each with the name of what it leaves; `SEED` stands for a seed.
const COMMANDS: [(&str, &str); 12] = [
    ("sample", "sample gan --n 9 --truncation 1.5 --labels"),
    ("between", "interpolate gan --indices 2,5 --mode slerp --steps 4"),
    ("loop", "interpolate gan --loop --indices 0,3,1 --steps 3"),
    ("single", "traverse gan --dims 0-2 --faces 2"),
    ("sum", "arithmetic gan --plus 3,7 --minus 5 --apply-to 1,2"),
    ("factor", "directions gan --method factor --n 3 --steps 3"),
    ("components", "directions gan --method pca --n 3 --steps 3 --samples 100"),
    ("attribute", "arithmetic auto --attribute 1 --classifier judge --samples 200 --group 2"),
    ("pca", "embed auto --n 40 --split train --method pca"),
    ("tsne", "embed auto --n 40 --split train --method tsne --iterations 60 --perplexity 5"),
    ("inverted", "invert gan --n 2 --split train --restarts 2 --iterations 4"),
    (
        "restored",
        "restore gan --n 2 --split train --mask pepper,square --restarts 2 --iterations 4",
    ),
];

/// A GAN, an autoencoder and a classifier of digits, hardly trained.
fn trained(folder: &Path) {
    let data = "--data synthetic-digits --batch-size 20 --set data.limit=100";
    let width = "--set model.generator_width=4 --set model.discriminator_width=4";
    succeeds(folder, &format!("train digits {data} {width} --steps 3 --out gan"));
    let width = "--set autoencoder.width=4";
    succeeds(folder, &format!("train mnist-autoencoder {data} {width} --steps 4 --out auto"));
    let width = "--set classifier.width=4";
    succeeds(folder, &format!("train digit-classifier {data} {width} --steps 20 --out judge"));
}

/// Every file of a folder by its name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file"));
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = std::fs::read(entry.path()).expect("it can be read");
        let timed = name == "inverted.json" || name == "restored.json";
        (name, if timed { without_times(&bytes) } else { bytes })
    };
    entries.filter(|entry| entry.path().is_file()).map(read).collect()
}

/// JSON without how long it took.
fn without_times(json: &[u8]) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(json).expect("JSON");
    let fields = value.as_object_mut().expect("an object");
    assert!(fields.remove("seconds").is_some(), "{fields:?}");
    fields.remove("images_per_minute");
    value.to_string().into_bytes()
}

#[test]
fn the_seed_decides_every_byte_of_every_latent_command() {
    let folder = tempfile::tempdir().expect("a folder");
    trained(folder.path());
    let left: Vec<BTreeMap<String, Vec<u8>>> = [("one", 3), ("again", 3), ("other", 4)]
        .into_iter()
        .map(|(name, seed)| {
            let own = folder.path().join(name);
            std::fs::create_dir(&own).expect("a folder");
            for (out, line) in COMMANDS {
                // The same words, as a file may name another: all is written to `out/` and put aside.
                let out = format!("out/{out}.png");
                succeeds(folder.path(), &format!("{line} --seed {seed} --out {out}"));
            }
            std::fs::rename(folder.path().join("out"), own.join("out")).expect("it is moved");
            files(&own.join("out"))
        })
        .collect();
    let [one, again, other] = left.as_slice() else { unreachable!("three folders") };
    assert_eq!(one.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    for (name, bytes) in one {
        assert!(again[name] == *bytes, "{name} differs under the same seed");
    }
    for (out, line) in COMMANDS {
        let own = |name: &&String| {
            name.starts_with(&format!("{out}.")) || name.starts_with(&format!("{out}_"))
        };
        let names: Vec<&String> = one.keys().filter(own).collect();
        assert!(
            names.iter().any(|name| name.ends_with(".png")) && names.len() >= 2,
            "{out}: {names:?}"
        );
        let pictures = names.iter().filter(|name| name.ends_with(".png"));
        for name in pictures {
            assert!(
                other.get(*name) != one.get(*name),
                "{line}: {name} is the same under another seed"
            );
        }
    }
}
