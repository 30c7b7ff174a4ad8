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
