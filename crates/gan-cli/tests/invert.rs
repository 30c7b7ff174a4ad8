//! Inversion and restoration from outside: what they leave, what they say, how they exit.

mod common;

use std::path::Path;

use serde_json::Value;

use common::{both_of, run};

const SMALL: &str = "--batch-size 8 --set data.limit=100 --set model.generator_width=4 \
                     --set model.discriminator_width=4";
const QUICK: &str = "--restarts 2 --iterations 6";

#[track_caller]
fn json(folder: &Path, line: &str) -> Value {
    serde_json::from_str(&both_of(folder, line).0).expect("one JSON object")
}

fn picture(width: usize, height: usize, color: &[u8]) -> gan_core::Image {
    gan_core::Image::filled(width, height, color).expect("sizes agree")
}

#[test]
fn images_are_inverted_and_their_latents_used_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    both_of(folder, &format!("train digits --steps 3 --out run {SMALL}"));
    let found = json(folder, &format!("--json invert run --n 3 --split train {QUICK}"));
    let mean = |found: &Value, name: &str| found["found"]["mean"][name].as_f64().expect("a number");
    assert!(mean(&found, "best_end") <= mean(&found, "first_end"), "{found}");
    let images = found["found"]["images"].as_array().expect("a list");
    assert_eq!(images.len(), 3);
    for image in images {
        let ends: Vec<f64> =
            image["ends"].as_array().expect("a list").iter().filter_map(Value::as_f64).collect();
        let least = ends.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(ends[image["best"].as_u64().expect("an index") as usize], least);
        assert!((image["mse"].as_f64().expect("a number") - least).abs() < 1e-4 * least, "{image}");
    }
    let name = "run/inverted/train_n-3_restarts-2_iterations-6";
    assert_eq!(found["curves_plot"], format!("{name}.curves.png"));
    for ending in ["png", "safetensors", "json", "curves.csv", "curves.png"] {
        assert!(folder.join(format!("{name}.{ending}")).is_file(), "{ending}");
    }
    let table =
        std::fs::read_to_string(folder.join(format!("{name}.curves.csv"))).expect("a table");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines[0], lines.len()), ("iteration,0/0,0/1,1/0,1/1,2/0,2/1", 8));

    let (again, _) =
        both_of(folder, &format!("invert run --n 3 --split train --out b.png {QUICK}"));
    assert!(again.contains("next: gan-cli sample run --latents b.safetensors"), "{again}");
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("it was written");
    assert_eq!(bytes("b.safetensors"), bytes(&format!("{name}.safetensors")), "the seed decides");
    both_of(folder, "sample run --latents b.safetensors --out c.png");
}

#[test]
fn own_pictures_are_brought_to_the_form_of_the_data_and_it_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    both_of(folder, &format!("train digits --steps 1 --out run {SMALL}"));
    picture(90, 60, &[200, 40, 90]).write_png(&folder.join("wide.png")).expect("it is written");
    picture(28, 28, &[255]).write_png(&folder.join("white.png")).expect("it is written");
    let (stdout, stderr) = both_of(folder, &format!("invert run wide.png white.png {QUICK}"));
    assert!(
        stderr.contains("wide.png: 90×60, taken as centre at 28×28 (bilinear), gray"),
        "{stderr}"
    );
    assert!(
        stdout.contains("run/inverted/wide-png_white-png_restarts-2_iterations-6.png"),
        "{stdout}"
    );
}

#[test]
fn encoders_and_classifiers_help() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let data = "--data synthetic-digits --set data.limit=100 --batch-size 8 --steps 3";
    both_of(folder, &format!("train digit-classifier {data} --set classifier.width=4 --out c"));
    both_of(folder, &format!("train mnist-autoencoder {data} --set autoencoder.width=4 --out a"));
    let found = json(folder, &format!("--json invert a --split train --n 2 {QUICK}"));
    assert_eq!(found["found"]["encoder_start"], true);
    let by_features =
        json(folder, &format!("--json invert a --split train --n 2 --features c {QUICK}"));
    let start =
        |found: &Value| found["found"]["images"][0]["starts"][0].as_f64().expect("a number");
    assert!(start(&by_features) > start(&found), "the features weigh something");
    assert!(folder.join("a/inverted/train_n-2_restarts-2_iterations-6_features-c.png").is_file());
    for (line, part) in [
        ("invert c --split train", "has no generator"),
        ("restore c --split train", "has no generator"),
        ("invert a --split train --features a", "is no classifier"),
        ("invert a --split train --feature-weight 0.5", "--features"),
        ("invert a --split train --features c --feature-weight 0", "more than 0"),
    ] {
        let (code, _, stderr) = run(folder, line);
        assert!(code == 2 && stderr.contains(part), "{line}: {code} {stderr}");
    }
}

#[test]
fn hidden_pixels_are_restored_under_every_mask() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    both_of(folder, &format!("train digits --steps 3 --out run {SMALL}"));
    let mut hole = picture(28, 28, &[255]);
    hole.paste(&picture(6, 4, &[0]), 10, 12);
    hole.write_png(&folder.join("hole.png")).expect("it is written");
    let line = format!(
        "--json restore run --split train --n 4 --mask pepper,crosswalk,square:10,hole.png {QUICK} --out r.png"
    );
    let found = json(folder, &line);
    let masks = found["found"]["masks"].as_array().expect("a list");
    let shares = [235.0, 392.0, 100.0, 24.0].map(|hidden| hidden / 784.0);
    for ((mask, share), name) in
        masks.iter().zip(shares).zip(["pepper", "crosswalk", "square-10", "hole"])
    {
        assert_eq!(mask["mask"], name);
        assert!((mask["hidden"].as_f64().expect("a number") - share).abs() < 1e-5, "{mask}");
        assert_eq!(mask["restored"].as_array().map(Vec::len), Some(2));
        for restored in mask["restored"].as_array().expect("a list") {
            let mse = |which: &str| restored[which]["mse"].as_f64().expect("a number");
            assert!(mse("blended") < mse("restored"), "visible pixels are kept");
        }
        for file in [".png", ".masked.safetensors", ".visible.safetensors"] {
            assert!(folder.join(format!("r_{name}{file}")).is_file(), "{name}{file}");
        }
    }
    let hole = &masks[3]["images"][2];
    assert_eq!(
        [&hole["from"], &hole["to"]],
        [&serde_json::json!([10, 12]), &serde_json::json!([15, 15])]
    );
    let (stdout, _) =
        both_of(folder, &format!("restore run --split train --n 2 --score visible {QUICK}"));
    assert!(
        stdout.contains("restored by the visible") && !stdout.contains("all pixels"),
        "{stdout}"
    );
    let place = "run/restored/train_n-2_restarts-2_iterations-6";
    for file in ["_pepper.png", "_crosswalk.png", "_square.png", ".json"] {
        assert!(folder.join(format!("{place}_visible{file}")).is_file(), "{file}");
    }
    for (mask, word) in [("square", "square"), ("./hole.png", "hole-png")] {
        let line = format!("--json restore run --split train --n 2 --mask {mask} {QUICK}");
        let found = json(folder, &line);
        assert_eq!(found["numbers"], format!("{place}_masks-{word}.json"));
        let latents = found["latents"].as_array().expect("a list");
        let there = |file: &Value| folder.join(file.as_str().expect("a path")).is_file();
        assert!(latents.len() == 2 && latents.iter().all(there), "{found}");
    }
    let data = "--data synthetic-digits --weights trained --mask square";
    both_of(folder, &format!("restore run --split train --n 2 {data} {QUICK}"));
    let word = "train_n-2_data-synthetic-digits_restarts-2_iterations-6_masks-square_trained";
    assert!(folder.join(format!("run/restored/{word}.json")).is_file());
    let both = "--split train --n 1 --mask square --out s.png";
    let there = || {
        ["masked", "visible"].map(|w| folder.join(format!("s_square.{w}.safetensors")).is_file())
    };
    both_of(folder, &format!("restore run {both} {QUICK}"));
    assert_eq!(there(), [true; 2]);
    both_of(folder, &format!("restore run {both} --score masked {QUICK}"));
    assert_eq!(there(), [true, false], "those by the visible pixels were of other results");
}

/// Exit code 2 for what was typed, 1 for what went wrong; one sentence that names it.
#[test]
fn bad_input_gets_one_clear_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    both_of(folder, &format!("train digits --steps 1 --out run {SMALL}"));
    std::fs::create_dir_all(folder.join("unfinished/checkpoints")).expect("a folder");
    std::fs::copy(folder.join("run/config.toml"), folder.join("unfinished/config.toml"))
        .expect("copy");
    std::fs::write(folder.join("notes.png"), "no picture").expect("write");
    picture(20, 28, &[0]).write_png(&folder.join("narrow.png")).expect("it is written");
    picture(28, 28, &[0]).write_png(&folder.join("black.png")).expect("it is written");
    for (line, code, part) in [
        ("invert nowhere", 2, "nowhere"),
        ("invert unfinished", 1, "at least one checkpoint"),
        ("invert run none.png", 2, "there is no such file"),
        ("invert run notes.png", 1, "notes.png: expected a picture"),
        ("invert run black.png --n 3", 2, "cannot be used with"),
        ("invert run --n 0", 2, "--n is 0"),
        ("invert run --split train --n 101", 2, "--n is 101"),
        ("invert run --out a.json", 2, "ends in .png"),
        ("restore run --out a.safetensors", 2, "ends in .png"),
        ("invert run --restarts 0", 2, "--restarts is 0"),
        ("invert run --iterations 0", 2, "--iterations is 0"),
        ("invert run --learning-rate 0", 2, "--learning-rate is 0"),
        ("invert run --optimizer lbfgs", 2, "adam, sgd"),
        ("invert run --split train --n 2 --data synthetic-faces", 2, "the run's are 28×28 gray"),
        ("restore run --mask peper", 2, "pepper[:SHARE]"),
        ("restore run --mask pepper:1.5", 2, "less than 1"),
        ("restore run --mask square,square", 2, "twice"),
        ("restore run --split train --n 1 --mask square:40", 2, "1 to 28"),
        (
            "restore run --split train --n 1 --mask narrow.png",
            2,
            "the mask is 20×28, the images are 28×28",
        ),
        ("restore run --split train --n 1 --mask black.png", 2, "every pixel"),
        ("restore run --mask notes.png", 2, "notes.png"),
    ] {
        let (got, stdout, stderr) = run(folder, line);
        assert_eq!((got, stdout.as_str()), (code, ""), "{line}\n{stderr}");
        assert!(stderr.contains(part) && !stderr.contains("panicked"), "{line}\n{stderr}");
    }
}
