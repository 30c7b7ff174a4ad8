//! `interpolate` and `traverse` from outside: what they leave, what they say, how they exit.

mod common;

use std::path::Path;

use common::{run, succeeds};

fn json(folder: &Path, line: &str) -> serde_json::Value {
    serde_json::from_str(&succeeds(folder, &format!("--json {line}"))).expect(line)
}

/// A run named `run` of small networks.
fn train(folder: &Path, preset: &str, more: &str) {
    let small = "--steps 2 --batch-size 8 --set data.limit=60";
    succeeds(folder, &format!("train {preset} {small} {more} --out run"));
}

const SMALL_GAN: &str = "--set model.generator_width=4 --set model.discriminator_width=4";
const FACES: &str = "--data synthetic-faces --set data.size=28";

#[test]
fn ways_between_latents_start_and_end_at_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder, "digits", SMALL_GAN);
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect(name);

    let stdout = succeeds(folder, "interpolate run");
    assert!(stdout.contains("9 images between 0 and 1"), "{stdout}");
    assert!(stdout.contains("next: gan-cli sample run --latents"), "{stdout}");
    for ending in ["png", "gif", "safetensors", "json"] {
        assert!(folder.join(format!("run/interpolated/seed-0.{ending}")).is_file(), "{ending}");
    }
    succeeds(
        folder,
        "sample run --latents run/interpolated/seed-0.safetensors --separate --out way",
    );
    succeeds(folder, "sample run --n 2 --separate --out ends");
    assert!(bytes("way/00000.png") == bytes("ends/00000.png"), "α = 0");
    assert!(bytes("way/00008.png") == bytes("ends/00001.png"), "α = 1");

    succeeds(folder, "interpolate run --out again.png");
    assert!(bytes("again.png") == bytes("run/interpolated/seed-0.png"), "the same again");
    assert!(!folder.join("again.gif").exists(), "a picture was asked for");
    succeeds(folder, "interpolate run --seed 1 --out other.png");
    assert!(bytes("again.png") != bytes("other.png"));
    // Points of a file that this command wrote.
    succeeds(folder, "interpolate run --latents again.safetensors --indices 0,8 --out same.png");
    assert!(bytes("again.png") == bytes("same.png"));

    let triangle = json(folder, "interpolate run --seeds 1,2,3 --mode slerp --steps 4");
    assert_eq!((&triangle["shape"], &triangle["mode"]), (&"triangle".into(), &"slerp".into()));
    assert_eq!(triangle["weights"].as_array().map(Vec::len), Some(10));
    assert!(folder.join("run/interpolated/seeds-1-2-3_steps-4_slerp.gif").is_file());
    let closed = json(folder, "interpolate run --loop --indices 5,0,7 --steps 3 --out loop.gif");
    assert_eq!(closed["points"], serde_json::json!(["5", "0", "7"]));
    assert_eq!(closed["weights"][5], serde_json::json!([0.5, 0.0, 0.5]), "the last leads back");
    assert!(folder.join("loop.gif").is_file() && !folder.join("loop.png").exists());
    let all =
        json(folder, "interpolate run --loop --latents again.safetensors --steps 2 --out l.gif");
    assert_eq!(all["points"].as_array().map(Vec::len), Some(9), "all of the file");
}

#[test]
fn every_part_of_a_mixed_latent_is_traversed_and_ranked() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder, "dcgan-binary", &format!("{FACES} {SMALL_GAN} --set latent.z.size=6"));
    let stdout = succeeds(folder, "traverse run");
    assert!(stdout.contains("rank  dimension") && stdout.contains("bits_gradual"), "{stdout}");
    let traversed = folder.join("run/traversed");
    for file in [
        "seed-0.json",
        "seed-0.csv",
        "seed-0_z_face-0.png",
        "seed-0_z_face-0.safetensors",
        "seed-0_bits_gradual.png",
        "seed-0_bits_gradual.gif",
        "seed-0_bits_gradual.safetensors",
    ] {
        assert!(traversed.join(file).is_file(), "{file}");
    }
    let found = json(folder, "traverse run --part bits --faces 3 --out bits.gif");
    assert_eq!(found["ranking"].as_array().map(Vec::len), Some(20));
    let change = |i: usize| found["ranking"][i]["change"].as_f64().expect("a number");
    assert!((1..20).all(|i| change(i - 1) >= change(i)) && change(0) > 0.0);
    assert_eq!(found["views"][0]["columns"].as_array().map(Vec::len), Some(21));
    assert!(folder.join("bits.gif").is_file() && !folder.join("bits.png").exists());
    let csv = std::fs::read_to_string(folder.join("bits.csv")).expect("it was written");
    assert_eq!(csv.lines().count(), 21);

    // Cell (r, c) of a sheet is latent r · columns + c of its file.
    let z = json(folder, "traverse run --part z --dims 4,1 --values=-1,0,1.5 --face 2 --out z.png");
    assert_eq!(z["views"][0]["dimensions"], serde_json::json!(["z[4]", "z[1]"]));
    succeeds(folder, "sample run --latents z.safetensors --separate --out cells");
    succeeds(folder, "sample run --n 3 --fix z.1=1.5 --separate --out fixed");
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect(name);
    assert!(bytes("cells/00005.png") == bytes("fixed/00002.png"));

    let pairs = json(folder, "traverse run --part bits --dims 3,0 --faces 2 --out pairs.png");
    assert_eq!(pairs["views"][0]["rows"].as_array().map(Vec::len), Some(4));
    let switched = json(folder, "interpolate run --out s.png");
    assert_eq!(switched["latents_of"], "images");
    let blended = json(folder, "interpolate run --discrete blend --out b.png");
    assert_eq!(blended["latents_of"], "points");
    assert!(bytes("s.png") != bytes("b.png"));
    succeeds(folder, "interpolate run --latents b.safetensors --discrete blend --out c.png");
    assert!(bytes("b.png") == bytes("c.png"), "the points are enough to make it again");
}

#[test]
fn codes_are_shown_by_class_and_in_combination() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder, "infogan-2x10", &format!("{FACES} {SMALL_GAN}"));
    let found = json(folder, "traverse run --part code --faces 2");
    let sizes: Vec<_> = (0..3)
        .map(|i| {
            let view = &found["views"][i];
            let len = |key: &str| view[key].as_array().map_or(0, Vec::len);
            (view["name"].as_str().unwrap_or_default().to_string(), len("rows"), len("columns"))
        })
        .collect();
    let expected = [("code-0", 10, 2), ("code-1", 10, 2), ("code_0-by-1", 10, 10)];
    assert_eq!(sizes, expected.map(|(name, r, c)| (name.to_string(), r, c)));
}

/// The matrix, the picture and the words are of the same numbers, and these are those of the samples themselves.
#[test]
fn a_classifier_sees_what_moves_with_dimensions() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder, "dcgan-levels", &format!("{FACES} {SMALL_GAN} --set latent.u.size=5"));
    succeeds(folder, &format!("train face-classifier {FACES} {JUDGE} --steps 10"));
    let line = "traverse run --part levels --dims 0-3 --classifier judge --judged 6";
    let found = json(folder, line);
    let moves = &found["moves"];
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let dimensions = list(&moves["dimensions"]);
    let names = |all: &serde_json::Value, key: &str| -> Vec<serde_json::Value> {
        list(all).iter().map(|one| one[key].clone()).collect()
    };
    assert_eq!(names(&moves["dimensions"], "name"), names(&found["ranking"], "name"));
    assert_eq!((&moves["latents"], &dimensions[0]["to"]), (&6.into(), &9.0.into()));
    assert_eq!((dimensions.len(), &moves["parts"][0]["dimensions"]), (4, &4.into()));
    let base = "run/traversed/seed-0_dims-0-3_seen-by-judge_judged-6_levels";
    let csv = std::fs::read_to_string(folder.join(format!("{base}.moves.csv"))).expect("a matrix");
    assert!(folder.join(format!("{base}.moves.png")).is_file());
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0].split(',').count()), (5, 31), "thirty attributes");
    for (line, dimension) in lines[1..].iter().zip(&dimensions) {
        for (field, one) in line.split(',').skip(1).zip(list(&dimension["moves"])) {
            let (written, change) = (field.parse::<f64>(), one["change"].as_f64());
            assert!((written.expect(field) - change.expect("a number")).abs() < 1e-6);
        }
    }
    assert_eq!(json(folder, line), found, "the same again");

    let stdout = succeeds(folder, &format!("{line} --out m.png"));
    assert!(stdout.contains("moves (points)") && stdout.contains("m.moves.csv"), "{stdout}");
    for column in ["half of clear", "participation"] {
        assert!(stdout.contains(column), "{column} in {stdout}");
    }
    let plain = json(folder, "traverse run --part levels --dims 0-3 --out plain.png");
    assert!(plain["moves"].is_null() && plain["ranking"] == found["ranking"]);
    let one = json(folder, &format!("{} --out one.png", line.replace("0-3", "2")));
    assert!(one["moves"]["picture"].is_null() && !folder.join("one.moves.png").exists());
    let expected = dimensions.iter().find(|d| d["entry"] == 2).expect("it was ranked");
    assert_eq!(&one["moves"]["dimensions"][0], expected, "whatever stands beside it");
}

/// A picture of another size and mode is converted, and that is said.
#[test]
fn pictures_go_through_an_autoencoders_encoder() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder, "mnist-autoencoder", "--data synthetic-digits --set autoencoder.width=4");
    succeeds(folder, "sample run --n 1 --separate --out own");
    train_colored(folder);
    let line = "interpolate run --images own/00000.png colored.png --out way.png";
    let (code, stdout, stderr) = run(folder, line);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("9 images between 00000.png and colored.png"), "{stdout}");
    for said in ["own/00000.png: 28×28, taken as", "colored.png: ", "28×28 (bilinear), gray"] {
        assert!(stderr.contains(said), "{said} in {stderr}");
    }
    let same = json(folder, "interpolate run --images own/00000.png,colored.png --out same.png");
    assert_eq!(same["points"], serde_json::json!(["00000.png", "colored.png"]));
    for (line, code, part) in [
        (
            "interpolate run --images own/00000.png own/latents.safetensors",
            1,
            "latents.safetensors",
        ),
        ("interpolate run --images own/00000.png nowhere.png", 2, "nowhere.png"),
        ("interpolate run --images own/00000.png", 2, "one point"),
    ] {
        let (got, _, stderr) = run(folder, line);
        assert!(got == code && stderr.contains(part), "{line}: {got} {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

const JUDGE: &str = "--set classifier.width=4 --set data.limit=400 --batch-size 32 --out judge";

/// What a classifier sees is that of the samples themselves, and the summary is that of the ways.
#[test]
fn a_classifier_sees_what_lies_on_the_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // Enough of both that the points are of several classes.
    let data = "--data synthetic-digits --set data.limit=400 --batch-size 32";
    let vae = "--set autoencoder.width=8 --set latent.z.size=8 --steps 150 --out run";
    succeeds(folder, &format!("train mnist-vae {data} {vae}"));
    succeeds(
        folder,
        &format!("train digit-classifier --data synthetic-digits {JUDGE} --steps 100"),
    );

    let line = "interpolate run --points 12 --loop --steps 5 --classifier judge";
    let found = json(folder, line);
    let file = "run/interpolated/seed-0_points-12_steps-5_loop_seen-by-judge.json";
    let written = std::fs::read(folder.join(file)).expect("named by its options");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&written).expect("JSON"), found);
    let ways = found["ways"].as_array().expect("a list");
    assert_eq!(ways.len(), 12);
    assert_eq!((&ways[11]["from"], &ways[11]["to"]), (&"11".into(), &"0".into()));
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let (mut thirds, mut same) = (0, 0);
    for (way, next) in ways.iter().zip(ways.iter().cycle().skip(1)) {
        let (classes, probabilities) = (list(&way["classes"]), list(&way["probabilities"]));
        assert_eq!((classes.len(), probabilities.len()), (5, 5));
        assert_eq!(classes[4], next["classes"][0], "a point is seen alike from both sides");
        let third = classes[1..4].iter().any(|class| *class != classes[0] && *class != classes[4]);
        assert_eq!(third, !list(&way["third"]).is_empty(), "{way}");
        assert_eq!(way["same_ends"], classes[0] == classes[4]);
        match classes[0] == classes[4] {
            true => same += 1,
            false => thirds += u32::from(third),
        }
        let steps: f64 = list(&way["steps"]).iter().filter_map(|step| step.as_f64()).sum();
        let direct = way["direct"].as_f64().expect("a number");
        let detour = way["detour"].as_f64().expect("a number");
        assert!(detour >= 1.0 - 1e-9 && (detour - steps / direct).abs() < 1e-9, "{detour}");
        assert!(way["evenness"].as_f64().is_some_and(|evenness| (1.0..=4.0).contains(&evenness)));
    }
    let two = &found["classes"]["two"];
    let ways_of = |means: &serde_json::Value| means["ways"].as_u64().unwrap_or(0);
    assert_eq!(ways_of(two) + ways_of(&found["classes"]["one"]), 12);
    assert_eq!(ways_of(&found["classes"]["one"]), same);
    assert_eq!(ways_of(&found["classes"]["two_faded"]), ways_of(two), "the same ends");
    assert!(
        ways_of(two) > 0,
        "the points must be of two classes for this to say anything: {found}"
    );
    let expected = f64::from(thirds) / ways_of(two) as f64;
    assert!(two["third"].as_f64().is_some_and(|share| (share - expected).abs() < 1e-9));

    let stdout = succeeds(folder, "interpolate run --classifier judge --out way.png");
    for said in ["times as long as a straight cross-fade", "the class at each step", "sure at"] {
        assert!(stdout.contains(said), "{said} in {stdout}");
    }
    succeeds(folder, "interpolate run --out plain.png");
    let height = |file: &str| {
        let bytes = std::fs::read(folder.join(file)).expect(file);
        u32::from_be_bytes(bytes[20..24].try_into().expect("a PNG's header"))
    };
    assert_eq!(height("way.png"), height("plain.png") + 14, "a line of classes");
    succeeds(folder, "interpolate run --seeds 1,2,3 --steps 3 --classifier judge --out t.png");
    succeeds(folder, "interpolate run --seeds 1,2,3 --steps 3 --out u.png");
    assert_eq!(height("t.png"), height("u.png") + 3 * 14);
}

#[test]
fn attributes_change_on_the_way_or_between_equal_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder, "dcgan", &format!("{FACES} {SMALL_GAN}"));
    succeeds(folder, &format!("train face-classifier {FACES} {JUDGE} --steps 10"));
    let found = json(folder, "interpolate run --loop --points 6 --classifier judge --out l.png");
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let mut between = 0;
    for way in list(&found["ways"]) {
        let present = list(&way["present"]);
        assert_eq!(present.len(), 9);
        let has = |i: usize, name: &serde_json::Value| list(&present[i]).contains(name);
        for name in list(&way["changed"]) {
            assert_ne!(has(0, &name), has(8, &name), "{name}");
        }
        for name in list(&way["between"]) {
            assert_eq!(has(0, &name), has(8, &name), "{name}");
            assert!((1..8).any(|i| has(i, &name) != has(0, &name)), "{name}");
        }
        between += list(&way["between"]).len();
    }
    let mean = found["attributes"]["between"].as_f64().expect("a number");
    assert!((mean - between as f64 / 6.0).abs() < 1e-9, "{mean}");
    let stdout = succeeds(folder, "interpolate run --classifier judge --out s.png");
    assert!(stdout.contains("attributes differ between the ends"), "{stdout}");
}

/// The pictures stand beside what came back of them, and what was lost is told.
#[test]
fn images_of_the_runs_own_data_go_through_its_encoder() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder, "mnist-autoencoder", "--data synthetic-digits --set autoencoder.width=4");
    succeeds(folder, &format!("train digit-classifier --data synthetic-digits {JUDGE} --steps 2"));
    // All test images of the sixty.
    let found = json(folder, "interpolate run --images test:5,test:0-4 --loop --out l.png");
    assert_eq!(found["points"][0], "test 5");
    assert_eq!(
        (&found["ways"][0]["to"], &found["ways"][5]["to"]),
        (&"test 0".into(), &"test 5".into())
    );
    let lost = found["pictures"].as_array().expect("a list");
    let mse: f64 = lost.iter().filter_map(|lost| lost["mse"].as_f64()).sum::<f64>() / 6.0;
    let reconstructed = json(folder, "reconstruct run --n 6 --out r.png");
    let expected = reconstructed["found"]["mse"]["mean"].as_f64().expect("a number");
    assert!(lost.len() == 6 && (mse / expected - 1.0).abs() < 1e-4, "{mse}, not {expected}");

    let line = "interpolate run --images test:0-1 --classifier judge --out s.png";
    let stdout = succeeds(folder, line);
    assert!(stdout.contains("9 images between test 0 and test 1"), "{stdout}");
    assert!(stdout.contains("of 2 pictures are seen as another class"), "{stdout}");
    succeeds(folder, "interpolate run --images test:0-2 --classifier judge --out t.png");
    for (line, part) in [
        ("interpolate run --images test:0-6", "the run's data has 0 to 5"),
        ("interpolate run --images valid:3-1", "test:0-63"),
        ("interpolate run --images test:0", "one point"),
        ("interpolate run --images test:0-1 --points 2", "cannot be used with"),
    ] {
        let (got, _, stderr) = run(folder, line);
        assert!(got == 2 && stderr.contains(part), "{line}: {got} {stderr}");
    }
}

/// A GAN of RGB images named `gan`, and a grid of its images.
fn train_colored(folder: &Path) {
    let small = "--steps 1 --batch-size 8 --set data.limit=60";
    succeeds(folder, &format!("train dcgan {FACES} {small} {SMALL_GAN} --out gan"));
    succeeds(folder, "sample gan --n 5 --out colored.png");
}

/// Exit code 2 for what was typed, 1 for what went wrong; one sentence that names it.
#[test]
fn bad_input_gets_one_clear_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder, "dcgan-levels", &format!("{FACES} {SMALL_GAN} --set latent.u.size=5"));
    let classifier = "train digit-classifier --data synthetic-digits --set data.limit=60 --set \
                      classifier.width=4 --batch-size 8 --steps 1 --out judge";
    succeeds(folder, classifier);
    succeeds(folder, "sample run --n 3 --out three.png");
    for (line, code, part) in [
        ("interpolate nowhere", 2, "run folder"),
        ("interpolate judge", 2, "has no generator"),
        ("interpolate run --steps 1", 2, "--steps is 1"),
        ("interpolate run --steps 200 --seeds 1,2,3", 2, "at most 4096"),
        ("interpolate run --mode slerp", 2, "interpolate linearly"),
        ("interpolate run --mode round", 2, "linear, slerp"),
        ("interpolate run --discrete no", 2, "switch, blend"),
        ("interpolate run --indices 3", 2, "one point"),
        ("interpolate run --indices 0,1,2,3", 2, "--loop"),
        ("interpolate run --seeds 1,x", 2, "--seeds"),
        ("interpolate run --seeds 1,2 --seed 3", 2, "cannot be used with"),
        ("interpolate run --latents three.safetensors --indices 0,3", 2, "0 to 2"),
        ("interpolate run --latents run/config.toml", 1, "config.toml"),
        ("interpolate run --out way.jpg", 2, ".png or .gif"),
        ("interpolate run --points 1", 2, "one point"),
        ("interpolate run --points 4", 2, "--loop"),
        ("interpolate run --points 999999999999 --loop", 2, "at most 4096"),
        ("interpolate run --points 4 --loop --latents three.safetensors", 2, "has 3 latents"),
        ("interpolate run --points 2 --seeds 1,2", 2, "cannot be used with"),
        ("interpolate run --classifier nowhere", 2, "run folder"),
        ("interpolate run --classifier run", 2, "is no classifier"),
        ("interpolate run --classifier judge", 2, "looks at 28×28 gray images"),
        ("traverse nowhere", 2, "run folder"),
        ("traverse judge", 2, "has no generator"),
        ("traverse run --part level", 2, "did you mean \"levels\"?"),
        ("traverse run --dims 3", 2, "--dims needs --part: levels, u"),
        ("traverse run --values 3", 2, "--values needs --part: levels, u"),
        ("traverse run --part u --dims 5", 2, "0 to 4"),
        ("traverse run --part u --dims 3-9", 2, "0 to 4"),
        ("traverse run --part u --dims first", 2, "expected numbers"),
        ("traverse run --part levels --values 3,10", 2, "whole number from 0 to 9"),
        ("traverse run --part u --values NaN", 2, "--values has NaN"),
        ("traverse run --faces 0", 2, "expected 1 to 256"),
        ("traverse run --latents three.safetensors --face 3", 2, "0 to 2"),
        ("traverse run --out sheet.txt", 2, ".png or .gif"),
        ("traverse run --classifier nowhere", 2, "run folder"),
        ("traverse run --classifier run", 2, "is no classifier"),
        ("traverse run --classifier judge", 2, "looks at 28×28 gray images"),
        ("traverse run --judged 5", 2, "--classifier"),
        ("traverse run --classifier judge --judged 1", 2, "2..=100000"),
    ] {
        let (got, stdout, stderr) = run(folder, line);
        assert_eq!(got, code, "{line}\n{stderr}");
        assert!(stderr.contains(part), "{line}: {part:?} in {stderr}");
        assert!(!stderr.contains("panicked") && stdout.is_empty(), "{line}: {stdout}{stderr}");
    }
    assert!(!folder.join("run/interpolated").exists() && !folder.join("run/traversed").exists());
}
