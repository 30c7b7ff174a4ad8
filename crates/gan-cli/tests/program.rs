//! The program from outside: what it leaves, what it says, how it exits.

mod common;

use common::{run, succeeds};

const SMALL: &str = "--batch-size 8 --set data.limit=100 --set model.generator_width=4 \
                     --set model.discriminator_width=4";

#[test]
fn train_sample_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let stdout = succeeds(folder, &format!("train digits --steps 3 {SMALL}"));
    assert!(stdout.contains("runs/00001-digits/samples/000000024.png"), "{stdout}");
    assert!(stdout.contains("next: gan-cli sample"), "{stdout}");
    let run_folder = folder.join("runs/00001-digits");
    for file in ["config.toml", "metrics.jsonl", "real.png", "progression.gif", "log.txt"] {
        assert!(run_folder.join(file).is_file(), "{file}");
    }

    succeeds(folder, "sample runs/00001-digits --n 5 --seed 4 --out a.png");
    succeeds(folder, "sample runs/00001-digits --latents a.safetensors --out b.png");
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("it was written");
    assert!(bytes("a.png") == bytes("b.png"), "the same latents, the same grid");
    succeeds(folder, "sample runs/00001-digits --n 3 --separate --out many");
    assert!(folder.join("many/00002.png").is_file());
    let (code, _, stderr) = run(folder, "sample runs/00001-digits --n 2 --separate --out many");
    assert!(code == 1 && stderr.contains("00002.png to 00002.png (1 in all)"), "{code} {stderr}");
    assert!(folder.join("many/00002.png").is_file(), "nothing was touched");
    succeeds(folder, "sample runs/00001-digits --n 3 --seed 1 --separate --out many");

    succeeds(
        folder,
        "sample runs/00001-digits --n 3 --sharpness synthetic-digits --beside runs/00001-digits --out c.png",
    );
    let compared: serde_json::Value =
        serde_json::from_slice(&bytes("c.sharpness.json")).expect("JSON");
    let [real, one, other] = [0, 1, 2].map(|i| compared["sets"][i].clone());
    assert_eq!(one["gradient"], other["gradient"], "the same samples");
    assert!(real["images"] == 3 && real["gradient"] != one["gradient"], "{compared}");
    assert!(folder.join("c.beside.png").is_file() && folder.join("c.spectra.png").is_file());
    succeeds(folder, "sample runs/00001-digits --n 3 --out c.png");
    assert!(
        !folder.join("c.sharpness.json").exists(),
        "it was of other samples, for all one knows"
    );

    let fixed = "sample runs/00001-digits --n 3 --seed 2 --truncation 0.5 --fix z.1=0.25";
    succeeds(folder, fixed);
    for ending in ["png", "safetensors"] {
        let name = format!("sampled/seed-2_n-3_truncation-0.5_z.1=0.25.{ending}");
        assert!(run_folder.join(&name).is_file(), "{name}");
    }
    succeeds(folder, "report runs/00001-digits");
    assert!(String::from_utf8_lossy(&bytes("runs/00001-digits/report.html")).contains("</html>"));
    assert!(succeeds(folder, "runs").contains("00001-digits"));
    assert!(succeeds(folder, "info runs/00001-digits").contains("ConvTranspose2d"));
}

fn part(file: &std::path::Path) -> Vec<f32> {
    let parts = candle_core::safetensors::load(file, &candle_core::Device::Cpu).expect("latents");
    parts["z"].flatten_all().and_then(|values| values.to_vec1()).expect("numbers")
}

/// Some latents of a seed or of a file, and the same points nearer to the middle.
#[test]
fn latents_are_picked_and_tempered() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    succeeds(folder, &format!("train digits --steps 1 --out run {SMALL}"));
    succeeds(folder, "sample run --seed 4 --n 5 --separate --out five");
    succeeds(folder, "sample run --seed 4 --indices 3,0,3 --separate --out some");
    succeeds(
        folder,
        "sample run --latents five/latents.safetensors --indices 3,0,3 --separate --out same",
    );
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect(name);
    for (i, of) in [3, 0, 3].into_iter().enumerate() {
        for place in ["some", "same"] {
            let found = bytes(&format!("{place}/{i:05}.png"));
            assert!(found == bytes(&format!("five/{of:05}.png")), "{place} {i}");
        }
    }
    assert!(!folder.join("some/00003.png").exists(), "a file for each, and no more");
    assert_eq!(bytes("some/latents.safetensors"), bytes("same/latents.safetensors"));

    succeeds(folder, "sample run --seed 4 --indices 3,0 --temperature z=0.7");
    succeeds(folder, "sample run --seed 4 --indices 3,0 --labels");
    let sampled = |name: &str| folder.join(format!("run/sampled/{name}.safetensors"));
    let tempered = part(&sampled("seed-4_indices-3-0_z-temperature-0.7"));
    let plain = part(&sampled("seed-4_indices-3-0"));
    assert!(!plain.is_empty() && plain.len() == tempered.len());
    for (plain, tempered) in plain.iter().zip(tempered) {
        assert!((0.7 * plain - tempered).abs() < 1e-6, "{plain} {tempered}");
    }
    succeeds(folder, "sample run --seed 4 --n 5 --truncation 0.5 --temperature z=0.5 --out t.png");
    assert!(part(&folder.join("t.safetensors")).iter().all(|z| z.abs() <= 0.25));
    succeeds(folder, "sample run --seed 4 --n 5 --temperature z=1 --out one.png");
    assert_eq!(bytes("one.safetensors"), bytes("five/latents.safetensors"));
}

#[test]
fn a_resumed_run_is_a_whole_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    succeeds(folder, &format!("train digits --steps 6 --out whole {SMALL}"));
    succeeds(folder, &format!("train digits --steps 3 --out half {SMALL}"));
    succeeds(folder, "train --resume half --steps 6");
    for run in ["whole", "half"] {
        succeeds(folder, &format!("sample {run} --n 9 --out {run}.png"));
    }
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("it was written");
    assert!(bytes("whole.png") == bytes("half.png"));
    let lines = String::from_utf8(bytes("half/metrics.jsonl")).expect("UTF-8");
    assert_eq!(lines.lines().count(), 6);
}

/// Epochs are of 10 steps; the run goes on where a folder for figures cannot be made.
#[test]
fn figures_are_drawn_at_chosen_epochs_and_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let cgan = format!(
        "train cgan --data synthetic-faces --set data.size=28 \
         --set latent.attributes.names=[\"Smiling\",\"Eyeglasses\"] --set output.figures_at=[1,2,3,4] {SMALL}"
    );
    let drawn_at = |epoch: u64| {
        let plots = folder.join(format!("run/plots/epoch-{epoch:03}"));
        ["attributes.json", "attributes.png"].map(|file| plots.join(file).is_file())
    };
    succeeds(folder, &format!("{cgan} --steps 15 --out run"));
    assert_eq!([drawn_at(1), drawn_at(2)], [[true; 2], [false; 2]]);
    assert!(folder.join("run/plots/attributes.png").is_file());
    assert!(folder.join("run/samples/000000080.png").is_file(), "a grid of that epoch");

    std::fs::write(folder.join("run/plots/epoch-002"), "in the way").expect("write");
    let (code, _, stderr) = run(folder, "train --resume run --steps 30");
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("no figures: "), "{stderr}");
    assert_eq!([drawn_at(2), drawn_at(3), drawn_at(4)], [[false; 2], [true; 2], [false; 2]]);
}

/// Epochs are of 10 steps. A run that was stopped and goes on, from the checkpoint before its last epoch, follows its latents
/// as one that was not.
#[test]
fn an_autoencoder_follows_its_latents() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let train = "train mnist-autoencoder --data synthetic-digits --set data.limit=100 --batch-size 8 \
                 --set autoencoder.width=4 --set output.checkpoint_every=120";
    succeeds(folder, &format!("{train} --steps 34 --out whole"));
    succeeds(folder, &format!("{train} --steps 24 --out half"));
    std::fs::remove_file(folder.join("half/checkpoints/000000192.safetensors")).expect("there");
    succeeds(folder, "train --resume half --steps 34");
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("it was written");
    for file in ["latent_cdf.json", "latent_cdf.png", "latent_ks.svg"] {
        assert!(bytes(&format!("whole/plots/{file}")) == bytes(&format!("half/plots/{file}")));
    }
    let latents: serde_json::Value =
        serde_json::from_slice(&bytes("half/plots/latent_cdf.json")).expect("JSON");
    let moments = latents["moments"].as_array().expect("a list");
    let of = |key: &str| -> Vec<Option<u64>> { moments.iter().map(|m| m[key].as_u64()).collect() };
    assert_eq!(of("images_seen"), [0, 80, 160, 240, 272].map(Some));
    assert_eq!(of("epoch"), [Some(0), Some(1), Some(2), Some(3), None]);

    succeeds(folder, "reconstruct whole --n 3");
    for file in ["test_n-3.png", "test_n-3-best.png", "test_n-3-worst.png", "test_n-3.json"] {
        assert!(folder.join("whole/reconstructed").join(file).is_file(), "{file}");
    }
}

#[test]
fn results_as_json_are_one_line_on_stdout() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for (line, key) in [
        ("--json presets", "presets"),
        ("--json info --models", "models"),
        ("--json prepare synthetic-digits --limit 50 --out digits", "manifest"),
        ("--json info digits", "digest"),
        ("--json runs", "runs"),
        (
            "--json bench generate --preset digits --data digits --batch-size 4 --steps 1",
            "peak_rss_bytes",
        ),
        ("--json bench prepare --data digits-none", ""),
    ] {
        let (code, stdout, stderr) = run(folder, line);
        if key.is_empty() {
            assert_eq!((code, stdout.as_str()), (2, ""), "{line}");
            continue;
        }
        assert_eq!(code, 0, "{line}\n{stderr}");
        assert_eq!(stdout.trim_end().lines().count(), 1, "{line}: {stdout}");
        let value: serde_json::Value = serde_json::from_str(&stdout).expect(line);
        assert!(value.get(key).is_some(), "{line}: {stdout}");
    }
}

/// What a run of another family than GANs is judged by stands in `runs` and `info`, and it is refused where it does not fit.
#[test]
fn runs_of_other_families_show_what_was_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let data = "--data synthetic-digits --set data.limit=100 --batch-size 8 --steps 3";
    succeeds(folder, &format!("train digit-classifier {data} --set classifier.width=4"));
    succeeds(folder, &format!("train mnist-autoencoder {data} --set autoencoder.width=4"));
    let list = succeeds(folder, "runs");
    assert!(list.contains("accuracy ") && list.contains("mean squared error "), "{list}");
    let json = |line: &str| -> serde_json::Value {
        serde_json::from_str(&succeeds(folder, line)).expect(line)
    };
    let runs = json("--json runs")["runs"].clone();
    for (i, run, name, words) in [
        (0, "runs/00001-digit-classifier", "accuracy", "balanced accuracy "),
        (1, "runs/00002-mnist-autoencoder", "mse", "mean squared error "),
    ] {
        let number = json(&format!("--json info {run}"))["test"][name].clone();
        assert!(number.is_f64() && runs[i]["test"][name] == number, "{run}: {number}");
        let text = succeeds(folder, &format!("info {run}"));
        assert!(text.contains("test split: ") && text.contains(words), "{text}");
    }
    for (line, part) in [
        ("sample runs/00001-digit-classifier", "has no generator"),
        ("reconstruct runs/00001-digit-classifier", "is no autoencoder"),
        (
            "sample runs/00002-mnist-autoencoder --classifier runs/00002-mnist-autoencoder",
            "is no classifier",
        ),
    ] {
        let (code, _, stderr) = run(folder, line);
        assert!(code == 2 && stderr.contains(part), "{line}: {code} {stderr}");
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let stdout = succeeds(folder.path(), &format!("train digits --steps 3 --dry-run {SMALL}"));
    for part in ["[optimizer.generator]", "generator: ", "steps will take about"] {
        assert!(stdout.contains(part), "{part} in {stdout}");
    }
    assert!(!folder.path().join("runs").exists());
}

/// Exit code 2 for what was typed, 1 for what went wrong; one sentence that names it.
#[test]
fn bad_input_gets_one_clear_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    succeeds(folder, &format!("train digits --steps 1 --out run {SMALL}"));
    std::fs::create_dir_all(folder.join("damaged/checkpoints")).expect("a folder");
    std::fs::copy(folder.join("run/config.toml"), folder.join("damaged/config.toml"))
        .expect("copy");
    std::fs::write(folder.join("damaged/checkpoints/000000008.safetensors"), "x").expect("write");
    std::fs::create_dir(folder.join("empty")).expect("a folder");
    for (line, code, part) in [
        ("train dcgam", 2, "no preset \"dcgam\""),
        ("train digits --set training.batchsize=3", 2, "training.batch_size"),
        ("train digits --set optimizer.generator.lr=-1", 2, "expected more than 0"),
        ("train digits --set seed", 2, "key=value"),
        ("train dcgan", 2, "GAN_DATA"),
        ("train dcgan --data nowhere", 2, "nowhere"),
        ("train dcgan --data empty", 1, "empty"),
        ("train digits --steps 1 --device gpu", 2, "expected auto, cpu"),
        ("train digits --steps 1 --threads 0", 2, "--threads"),
        ("train digits --steps 1 --out run", 1, "new or empty folder"),
        ("train digits --batch-size 5000 --set data.limit=100 --steps 1", 2, "5000"),
        ("train digits --steps 1 --set data.size=33", 2, "33×33"),
        ("train --resume nowhere", 2, "nowhere"),
        ("train --resume run", 2, "larger total"),
        ("train --resume damaged --steps 9", 1, "000000008.safetensors"),
        ("sample nowhere", 2, "run folder"),
        ("sample run --n 0", 2, "--n"),
        ("sample run --n 18446744073709551615", 2, "1..=1000000"),
        ("sample run --n 5 --indices 3", 2, "cannot be used with"),
        ("sample run --out a.safetensors", 2, "ends in .png"),
        ("sample run --out a.jpg", 2, "ends in .png"),
        ("reconstruct run --out a.json", 2, "ends in .png"),
        ("sample run --temperature z", 2, "z=0.7"),
        ("sample run --temperature z=0", 2, "more than 0"),
        ("sample run --temperature y=0.5", 2, "no latent part"),
        ("sample run --temperature z=0.5 --temperature z=0.6", 2, "twice"),
        ("sample damaged", 1, "000000008.safetensors"),
        ("sample run --latents run/config.toml", 1, "config.toml"),
        ("sample run --latents nowhere", 2, "no such file"),
        ("sample run --attributes Smiling", 2, "no attributes"),
        ("sample run --classifier run", 2, "no classifier"),
        ("sample run --classifier nowhere", 2, "run folder"),
        ("sample run --sharpness nowhere", 2, "nowhere"),
        ("sample run --sharpness synthetic-faces", 2, "the run makes"),
        ("sample run --beside run", 2, "--sharpness"),
        ("sample run --sharpness synthetic-digits --beside nowhere", 2, "run folder"),
        ("reconstruct run", 2, "no autoencoder"),
        ("reconstruct nowhere", 2, "run folder"),
        ("presets dcgam", 2, "no preset"),
        ("bench step --preset dcgam", 2, "no preset"),
        ("train digits --steps 1 --set warm_start.generator=nowhere", 2, "run folder"),
        ("train digits --steps 1 --set data.sampling={balanced=\"Smiling\"}", 2, "Smiling"),
        (
            "train acgan --data synthetic-faces --batch-size 8 --set latent.Smiling.name=Smilin \
             --set model.auxiliary=Smilin",
            2,
            "Smiling",
        ),
        ("info empty", 2, "run folder"),
        ("report empty", 2, "run folder"),
        ("report run nowhere", 2, "run folder"),
        ("no-such-command", 2, "unrecognized subcommand"),
    ] {
        let small = line.starts_with("train digits") || line.contains("--data synthetic-faces");
        let line = if small && !line.contains("--set data.limit") {
            format!("{line} --set data.limit=100")
        } else {
            line.to_string()
        };
        let (got, stdout, stderr) = run(folder, &line);
        assert_eq!(got, code, "{line}\n{stderr}");
        assert!(stderr.contains(part), "{line}: {part:?} in {stderr}");
        assert!(!stderr.contains("panicked") && stdout.is_empty(), "{line}: {stdout}{stderr}");
    }
}
