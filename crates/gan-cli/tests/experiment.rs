//! `experiment` from outside: what is done, what is continued, what is refused.

mod common;

use std::path::Path;

use serde_json::Value;

use crate::common::{both_of, run, succeeds};

/// Restoration of digits, as small as it gets.
const SMALL: &str =
    "experiment H --data synthetic-digits --images 128 --out h --json --log-format text";

fn record(folder: &Path) -> Value {
    let text = fs_err::read(folder.join("h/experiment.json")).expect("written");
    serde_json::from_slice(&text).expect("JSON")
}

fn numbers_of(record: &Value, step: &str) -> Vec<Value> {
    let steps = record["steps"].as_array().expect("steps");
    let step = steps.iter().find(|done| done["name"] == step).expect("done");
    step["numbers"].as_array().expect("numbers").clone()
}

#[test]
fn an_experiment_is_done_and_continued_where_it_was_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let (stdout, stderr) = both_of(folder.path(), SMALL);
    let first = record(folder.path());
    assert_eq!(serde_json::from_str::<Value>(&stdout).expect("one line of JSON"), first);
    assert!(!stderr.contains("was not found"), "every number is found:\n{stderr}");
    assert!(stderr.contains("step 3 of 3, restoration"), "{stderr}");
    assert_eq!(numbers_of(&first, "inversion").len(), 4);
    assert_eq!(numbers_of(&first, "restoration").len(), 12);
    for step in first["steps"].as_array().expect("steps") {
        for file in step["files"].as_array().expect("files") {
            let file = folder.path().join("h").join(file.as_str().expect("a path"));
            assert!(file.is_file(), "{}", file.display());
        }
    }
    let page = fs_err::read_to_string(folder.path().join("h/experiment.md")).expect("written");
    assert!(
        page.contains("Data: synthetic-digits") && page.contains("(usually 300,000)"),
        "{page}"
    );

    // Nothing is left to do.
    let (again, stderr) = both_of(folder.path(), SMALL);
    assert!(stderr.contains("0 steps will take about"), "{stderr}");
    assert_eq!(serde_json::from_str::<Value>(&again).expect("JSON"), first);

    // The last step alone, as if the program had been killed in it: the same numbers.
    let mut cut = first.clone();
    cut["steps"].as_array_mut().expect("steps").pop();
    let path = folder.path().join("h/experiment.json");
    fs_err::write(&path, cut.to_string()).expect("written");
    let (_, stderr) = both_of(folder.path(), SMALL);
    assert!(stderr.contains("1 steps will take") && stderr.contains("2 done before"), "{stderr}");
    assert_eq!(
        numbers_of(&record(folder.path()), "restoration"),
        numbers_of(&first, "restoration")
    );

    // Killed over its last figures: they are drawn, and what looked at the run is looked at again.
    let info = folder.path().join("h/digits/run.json");
    let running = fs_err::read_to_string(&info).expect("a run").replace("finished", "running");
    fs_err::write(&info, running).expect("written");
    fs_err::remove_dir_all(folder.path().join("h/digits/plots")).expect("it had some");
    let (_, stderr) = both_of(folder.path(), SMALL);
    assert!(stderr.contains("3 steps will take"), "{stderr}");
    assert!(folder.path().join("h/digits/plots/losses.png").is_file());
    assert_eq!(
        numbers_of(&record(folder.path()), "restoration"),
        numbers_of(&first, "restoration")
    );

    // Runs of an experiment are runs.
    let listed = succeeds(folder.path(), "runs --runs . --json");
    assert!(listed.contains("h/digits"), "{listed}");
    let command = fs_err::read_to_string(folder.path().join("h/digits/run.json")).expect("a run");
    assert!(
        command.contains("gan-cli train digits --data synthetic-digits --steps 4"),
        "{command}"
    );

    // Other options are another experiment.
    let (code, _, stderr) = run(folder.path(), &SMALL.replace("128", "160"));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("h is of experiment H --images 128 --seed 0"), "{stderr}");
    // So is one whose run somebody trained on.
    succeeds(folder.path(), "train --resume h/digits --steps 6");
    let (code, _, stderr) = run(folder.path(), SMALL);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("has 6 steps, the experiment's would have 4"), "{stderr}");
    let (code, _, stderr) = run(folder.path(), "experiment A --data synthetic-faces --out cache");
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("expected a new or empty folder"), "{stderr}");
}

#[test]
fn what_cannot_be_is_said_before_anything_is_done() {
    let folder = tempfile::tempdir().expect("a folder");
    for (line, said) in [
        ("experiment X", "there is no experiment X, but A, B, C"),
        ("experiment H", "set GAN_DATA"),
        ("experiment H --data synthetic-faces", "has no use for images in color"),
        ("experiment H --data gaussians-ring", "expected images, found points"),
        ("experiment F --data synthetic-digits --data synthetic-digits", "name one"),
        ("experiment H --images 0", "0 is not in 1.."),
    ] {
        let (code, _, stderr) = run(folder.path(), line);
        assert_eq!(code, 2, "{line}\n{stderr}");
        assert!(stderr.contains(said), "{line}\n{stderr}");
        assert!(!folder.path().join("runs").exists(), "{line}");
    }
    let listed = succeeds(folder.path(), "experiment");
    assert!(listed.contains("inversion and restoration of digits"), "{listed}");
    let ahead = succeeds(folder.path(), "experiment H --data synthetic-digits --dry-run");
    assert!(ahead.contains("gan-cli restore runs/experiment-H/digits --n 100"), "{ahead}");
    assert!(!folder.path().join("runs").exists(), "a dry run leaves nothing");
}

/// Pictures without attributes have no judge, and nothing to be judged.
#[test]
fn steps_are_left_out_whose_data_lacks_what_they_need() {
    let folder = tempfile::tempdir().expect("a folder");
    let pictures = "prepare gaussians-ring --out points";
    succeeds(folder.path(), pictures);
    let (code, _, stderr) = run(folder.path(), "experiment A --data points --dry-run");
    assert!(code == 2 && stderr.contains("found points"), "{stderr}");
    // Colored digits: three channels, no attributes.
    succeeds(folder.path(), "prepare stacked-mnist:synthetic-digits --limit 200 --out stacked");
    let ahead = succeeds(folder.path(), "experiment A --data stacked --dry-run");
    assert!(ahead.contains("dcgan-binary") && ahead.contains("inversion"), "{ahead}");
    assert!(!ahead.contains("face-classifier") && !ahead.contains("smile"), "{ahead}");
}
