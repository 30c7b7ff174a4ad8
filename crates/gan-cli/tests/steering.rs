//! Arithmetic, directions and maps from outside: what they leave, and what they say to what cannot be.

mod common;

use std::path::Path;

use common::{run, succeeds};

/// One sentence that has `words`, exit code 2, and no file.
#[track_caller]
fn refuses(folder: &Path, line: &str, words: &str) {
    let (code, stdout, stderr) = run(folder, line);
    assert!(code == 2 && stderr.contains(words) && stdout.is_empty(), "{line}: {code}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

const DATA: &str = "--data synthetic-digits --batch-size 20 --set data.limit=200";

/// A GAN of digits, a classifier of them and an autoencoder, hardly trained.
fn trained(folder: &Path) {
    let small = "--set model.generator_width=4 --set model.discriminator_width=4";
    succeeds(
        folder,
        &format!("train digits --steps 2 --batch-size 8 --set data.limit=100 {small} --out gan"),
    );
    let classifier = "--set classifier.width=4 --steps 30 --out classifier";
    succeeds(folder, &format!("train digit-classifier {DATA} {classifier}"));
    succeeds(
        folder,
        &format!("train mnist-autoencoder {DATA} --set autoencoder.width=4 --steps 4 --out auto"),
    );
}

#[test]
fn arithmetic_directions_and_maps_leave_their_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    trained(folder);

    succeeds(folder, "arithmetic gan --plus 3,7 --minus 5 --apply-to 1,2");
    let base = folder.join("gan/arithmetic/plus-3-7_minus-5_to-1-2_seed-0");
    for ending in ["png", "safetensors", "json"] {
        assert!(base.with_extension(ending).is_file(), "{ending}");
    }
    // Saved latents give what their seed gave.
    succeeds(folder, "sample gan --n 8 --out eight.png");
    succeeds(folder, "arithmetic gan --plus 4 --minus 3 --apply-to 2 --out a.png");
    succeeds(
        folder,
        "arithmetic gan --latents eight.safetensors --plus 4 --minus 3 --apply-to 2 --out b.png",
    );
    assert!(bytes(&folder.join("a.png")) == bytes(&folder.join("b.png")));
    assert!(bytes(&folder.join("a.safetensors")) == bytes(&folder.join("b.safetensors")));
    succeeds(folder, "sample gan --latents a.safetensors --out again.png");

    for (method, out) in [("factor", "f"), ("pca", "p")] {
        let line = format!("directions gan --method {method} --n 3 --samples 200 --steps 3");
        for name in [out.to_string(), format!("{out}2")] {
            succeeds(
                folder,
                &format!("{line} --judged 5 --classifier classifier --out {name}.png"),
            );
        }
        let of = |name: &str, ending: &str| bytes(&folder.join(format!("{name}.{ending}")));
        for ending in ["png", "safetensors", "json", "leaks.csv", "leaks.png"] {
            assert!(of(out, ending) == of(&format!("{out}2"), ending), "{method} {ending}");
        }
        let table = String::from_utf8(of(out, "leaks.csv")).expect("text");
        assert_eq!(
            (table.lines().count(), table.starts_with("direction,0,1,2")),
            (4, true),
            "{table}"
        );
    }

    files_say_what_is_in_them(folder);

    for method in ["tsne --iterations 60 --perplexity 5", "pca"] {
        let line = format!("embed auto --n 40 --split train --method {method}");
        succeeds(folder, &format!("{line} --out one.png"));
        succeeds(folder, &format!("{line} --out two.png"));
        for ending in ["png", "svg", "csv", "json"] {
            let [one, two] = ["one", "two"].map(|n| bytes(&folder.join(n).with_extension(ending)));
            assert!(one == two, "{method} {ending}");
        }
        let table = String::from_utf8(bytes(&folder.join("one.csv"))).expect("text");
        assert_eq!(table.lines().count(), 41);
    }
    let stdout = succeeds(folder, "embed classifier --n 40 --split train --method pca --json");
    assert!(stdout.contains("\"dimensions\":128") && stdout.lines().count() == 1, "{stdout}");
}

/// Other options have another name; the JSON names every file; what earlier results left goes.
fn files_say_what_is_in_them(folder: &Path) {
    let json = |line: &str| -> serde_json::Value {
        serde_json::from_str(&succeeds(folder, &format!("--json {line}"))).expect(line)
    };
    let line = "directions gan --method factor --n 2 --steps 3 --indices 4,0";
    let plain = json(line);
    let seen = json(&format!("{line} --judged 5 --classifier ./classifier"));
    assert_eq!(plain["out"], "gan/directions/factor_n-2_seed-0_faces-4-0_steps-3.png");
    assert_eq!(
        seen["out"],
        "gan/directions/factor_n-2_seed-0_faces-4-0_steps-3_judged-5_seen-by-classifier.png"
    );
    let named = |value: &serde_json::Value| -> Vec<bool> {
        let files = value.as_array().expect("a list").iter();
        files.map(|file| folder.join(file.as_str().expect("a path")).is_file()).collect()
    };
    assert_eq!((named(&seen["leaks"]), named(&seen["faces"])), (vec![true; 2], vec![true; 2]));
    assert!(plain["leaks"].is_null());

    let named = "directions gan --method factor --n 2 --steps 3 --out d.png";
    succeeds(folder, &format!("{named} --judged 5 --classifier classifier --indices 4,0"));
    let there = || {
        ["leaks.csv", "leaks.png", "face-1.png"]
            .map(|e| folder.join("d").with_extension(e).is_file())
    };
    assert_eq!(there(), [true; 3]);
    succeeds(folder, named);
    assert_eq!(there(), [false; 3], "they were of other results");

    let found =
        json("arithmetic gan --attribute 3 --classifier classifier --samples 100 --group 50 --n 2");
    assert_eq!(
        found["out"],
        "gan/arithmetic/3_seed-0_samples-100_group-50_n-2_seen-by-classifier.png"
    );
    assert!(folder.join(found["groups"].as_str().expect("a path")).is_file());
    let groups = &found["found"];
    let seen = |group: &str| groups[format!("{group}_seen")].as_u64().expect("a number");
    assert_eq!(groups["plus"].as_array().map(Vec::len), Some(50));
    // The strongest and the weakest half: of all images, each is seen as the one or the other.
    assert!(seen("plus") == 50 || seen("minus") == 50, "{groups}");
    assert!(seen("plus") + seen("minus") <= 100, "{groups}");
}

#[test]
fn what_cannot_be_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    trained(folder);
    succeeds(folder, "sample gan --n 4 --out four.png");
    let by_index = "arithmetic gan --latents four.safetensors --plus 1 --minus 2 --apply-to";
    for (line, words) in [
        ("arithmetic gan", "--attribute"),
        ("arithmetic gan --plus 3", "--minus"),
        ("arithmetic gan --attribute 3", "--classifier"),
        ("arithmetic gan --attribute 3 --classifier classifier --samples 5", "100"),
        (
            "arithmetic gan --attribute 3 --classifier classifier --samples 100 --group 51",
            "expected at most 50",
        ),
        ("arithmetic gan --plus 1 --minus 2 --apply-to 3 --out a.json", "ends in .png"),
        ("directions gan --method factor --out a.gif", "ends in .png"),
        ("directions gan --method pca --samples 1000000", "values for each; expected at most"),
        ("embed auto --out a.csv", "ends in .png"),
        ("arithmetic gan --attribute 33 --classifier classifier", "knows"),
        ("arithmetic gan --attribute 3 --from 3 --classifier classifier", "both 3"),
        ("arithmetic gan --attribute 3 --classifier auto", "is no classifier"),
        ("arithmetic classifier --plus 1 --minus 2 --apply-to 3", "has no generator"),
        ("directions gan", "--method"),
        ("directions gan --method attribute", "--classifier"),
        ("directions gan --method factor --attributes 3", "is for --method attribute"),
        ("directions gan --method factor --reach 0", "--reach is 0"),
        ("directions gan --method attribute --attributes 77 --classifier classifier", "knows"),
        ("embed gan", "places none"),
        ("embed auto --color-by clas --split train", "did you mean class?"),
        ("embed auto --split train --n 20 --perplexity 30", "perplexity"),
    ] {
        refuses(folder, line, words);
    }
    refuses(folder, &format!("{by_index} 0,9"), "--apply-to has 9");
    succeeds(folder, "train ring --steps 2 --batch-size 8 --out points");
    refuses(folder, "directions points --method factor", "makes points");
    refuses(folder, "arithmetic points --plus 1 --minus 2 --apply-to 3", "makes points");
}
