//! Every family's figures, of small networks before their training.

use gan_core::{Image, RunDir};
use gan_data::{PrepareOptions, Source, Split, prepare};
use gan_train::{Preset, Trainer, recognize, settings};

use super::*;

/// Writes the figures of a GAN's preset; returns the names of the files, sorted.
fn figures_of(
    preset: &str,
    source: &str,
    more: &[&str],
    check: impl Fn(&RunDir, &Checkpoint, &Dataset) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<String>> {
    let small = ["training.batch_size=8", "model.generator_width=4", "model.discriminator_width=4"];
    figures_with(preset, source, &[&small, more].concat(), check)
}

fn figures_with(
    preset: &str,
    source: &str,
    set: &[&str],
    check: impl Fn(&RunDir, &Checkpoint, &Dataset) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let data = dataset(source, &folder.path().join("data"))?;
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    let config = settings::apply(&Preset::find(preset)?.config()?, &set)?;
    let data = std::sync::Arc::new(data);
    let checkpoint = Trainer::new(config, data.clone(), &Device::Cpu)?.checkpoint()?;
    let run = RunDir::create_at(&folder.path().join("run"))?;
    let (folder, console) = (run.plot(""), Console::silent());
    let files = write(&Subject {
        folder: &folder,
        checkpoint: &checkpoint,
        data: &data,
        device: &Device::Cpu,
        console: &console,
    })?;
    assert!(files.iter().all(|file| file.is_file()));
    check(&run, &checkpoint, &data)?;
    let name = |path: &PathBuf| Some(path.file_name()?.to_string_lossy().into_owned());
    let mut names: Vec<String> = files.iter().filter_map(name).collect();
    names.sort();
    Ok(names)
}

/// 60 pictures of 28×28, 48 of them for training.
fn dataset(source: &str, folder: &Path) -> anyhow::Result<Dataset> {
    let mut options = PrepareOptions { limit: Some(60), ..PrepareOptions::default() };
    options.transform.size = Some((28, 28));
    prepare(&Source::detect(source)?, folder, &options, &|_| ())?;
    Ok(Dataset::open(folder)?)
}

fn json(run: &RunDir, name: &str) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::from_str(&fs_err::read_to_string(run.plot(name))?)?)
}

#[test]
fn infogan_shows_its_codes_and_how_they_agree_with_the_classes() -> anyhow::Result<()> {
    let files = figures_of("infogan-mnist", "synthetic-digits", &[], |run, checkpoint, data| {
        let codes = json(run, "codes.json")?;
        let n = data.len(Split::Test);
        assert_eq!(codes["agreement"]["samples"], n);
        assert_eq!(codes["agreement"]["assignment"].as_array().map(Vec::len), Some(10));
        assert!(codes["agreement"]["accuracy"].as_f64().is_some_and(|a| a > 0.0 && a <= 1.0));
        assert_eq!(codes["sheets"].as_array().map(Vec::len), Some(3));
        assert_eq!(codes["sheets"][2]["values"][0], -2.0);

        let recognized = |part: &str| {
            recognize::recognized_codes(checkpoint, part, data, Split::Test, &Device::Cpu, |_| ())
        };
        assert_eq!(recognized("digit")?.len(), n);
        assert!(recognized("style").is_err(), "it is not categorical");
        Ok(())
    })?;
    assert_eq!(files, ["codes-digit.png", "codes-style-0.png", "codes-style-1.png", "codes.json"]);
    Ok(())
}

#[test]
fn two_choices_are_shown_in_all_combinations() -> anyhow::Result<()> {
    let files = figures_of("infogan-2x10", "synthetic-digits", &[], |run, _, _| {
        assert_eq!(json(run, "codes.json")?.get("agreement"), None);
        let pairs = Image::read(&run.plot("codes-code-pairs.png"))?;
        assert!(pairs.width() >= 10 * 56 && pairs.height() >= 10 * 56, "{pairs:?}");
        Ok(())
    })?;
    assert_eq!(
        files,
        ["codes-code-0.png", "codes-code-1.png", "codes-code-pairs.png", "codes.json"]
    );
    Ok(())
}

#[test]
fn what_a_discriminator_knows_is_shown_off_and_on_or_by_class() -> anyhow::Result<()> {
    let nothing = |_: &RunDir, _: &Checkpoint, _: &Dataset| Ok(());
    let files = figures_of("acgan", "synthetic-faces", &[], nothing)?;
    assert_eq!(files, ["pairs-Smiling.json", "pairs-Smiling.png"]);

    let by_class =
        ["latent.Smiling.name=class", "latent.class.classes=10", "model.auxiliary=class"];
    let files = figures_of("acgan", "synthetic-digits", &by_class, |run, _, _| {
        let values = json(run, "pairs-class.json")?["values"].clone();
        assert_eq!(values.as_array().map(Vec::len), Some(10));
        Ok(())
    })?;
    assert_eq!(files, ["pairs-class.json", "pairs-class.png"]);

    let two = ["latent.attributes.names=[\"Smiling\", \"Eyeglasses\"]"];
    let files = figures_of("cgan", "synthetic-faces", &two, |run, _, _| {
        let shown = json(run, "attributes.json")?;
        assert_eq!(shown["entries"], serde_json::json!(["Smiling", "Eyeglasses"]));
        Ok(())
    })?;
    assert_eq!(files, ["attributes.json", "attributes.png"]);
    Ok(())
}

#[test]
fn an_autoencoder_shows_what_comes_back_and_its_latents() -> anyhow::Result<()> {
    let small = ["training.batch_size=8", "autoencoder.width=4"];
    let files = figures_with("mnist-autoencoder", "synthetic-digits", &small, |run, _, data| {
        let n = data.len(Split::Test);
        let found = json(run, "reconstruction.json")?;
        let errors = |key: &str| -> Vec<f64> {
            let pairs = found[key].as_array().into_iter().flatten();
            pairs.filter_map(|pair| pair["mse"].as_f64()).collect()
        };
        let (best, worst) = (errors("best"), errors("worst"));
        assert_eq!((best.len(), worst.len()), (n.min(10), n.min(10)));
        assert_eq!(found["mse"]["min"]["value"], best[0]);
        assert_eq!(found["mse"]["max"]["value"], worst[0]);
        assert!(best.is_sorted() && worst.iter().rev().is_sorted());
        let latents = json(run, "latent_cdf.json")?;
        let distance = |of: &serde_json::Value| of["ks_distance"].as_f64().unwrap_or(f64::NAN);
        let (kept, found) = (distance(&latents["moments"][0]), distance(&found["latents"]));
        assert!((kept - found).abs() < 1e-8, "{kept}, {found}");
        assert_eq!(latents["moments"][0]["entries"], 100 * n);
        Ok(())
    })?;
    let mut pictures = vec!["latent_cdf.json", "latent_cdf.png", "latent_cdf.svg"];
    pictures.extend(["reconstruction.json", "reconstructions-best.png"]);
    pictures.extend(["reconstructions-worst.png", "reconstructions.png"]);
    assert_eq!(files, pictures);
    Ok(())
}

#[test]
fn mixed_latents_are_shown_part_by_part() -> anyhow::Result<()> {
    let files = figures_of("dcgan-binary", "synthetic-digits", &[], |run, _, _| {
        let parts = json(run, "parts.json")?;
        assert_eq!(parts["parts"][1]["part"], "bits");
        assert!(parts["parts"][1]["share"].as_f64().is_some_and(|share| share > 0.0));
        assert_eq!(parts["gradual"][0]["codes"], 21);
        Ok(())
    })?;
    assert_eq!(files, ["gradual-bits.gif", "gradual-bits.png", "parts.json"]);
    Ok(())
}

#[test]
fn a_plain_latent_asks_for_nothing() -> anyhow::Result<()> {
    let files = figures_of("dcgan", "synthetic-digits", &[], |run, _, _| {
        assert!(!run.plot("").is_dir());
        Ok(())
    })?;
    assert!(files.is_empty());
    Ok(())
}
