//! Weights out to other programs and in again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::ModuleT;
use gan_data::{Dataset, PrepareOptions, Source, prepare};
use gan_train::export::Export;
use gan_train::import::{Architecture, Imported};
use gan_train::{Checkpoint, Network, Preset, Trainer, Weights, settings};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const CPU: Device = Device::Cpu;

/// 60 digits of 28×28.
fn digits(folder: &Path) -> Result<Arc<Dataset>> {
    let mut options = PrepareOptions { limit: Some(60), ..PrepareOptions::default() };
    options.transform.size = Some((28, 28));
    prepare(&Source::detect("synthetic-digits")?, folder, &options, &|_| ())?;
    Ok(Arc::new(Dataset::open(folder)?))
}

/// A small run of a preset, three steps old, so that no value is what it was drawn as.
fn trained(preset: &str, more: &[&str], data: Arc<Dataset>) -> Result<Checkpoint> {
    let preset = Preset::find(preset)?.config()?;
    let mut set = vec!["training.batch_size=8".to_string()];
    if preset.model.is_some() {
        set.extend(["model.generator_width=4", "model.discriminator_width=6"].map(String::from));
    }
    set.extend(more.iter().map(ToString::to_string));
    let mut trainer = Trainer::new(settings::apply(&preset, &set)?, data, &CPU)?;
    for _ in 0..3 {
        trainer.step()?;
    }
    Ok(trainer.checkpoint()?)
}

fn files(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| folder.join(name)).collect()
}

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

fn save(path: &Path, tensors: &HashMap<String, Tensor>) -> Result {
    Ok(candle_core::safetensors::save(tensors, path)?)
}

#[test]
fn a_dcgan_comes_back_as_it_was_and_trains_on() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let checkpoint = trained("dcgan", &["latent.z.size=12"], data.clone())?;
    let export = Export::new(&checkpoint, Weights::Average)?;
    export.write(folder.path())?;
    // In any order, and by the keys of PyTorch's example: nothing but the keys and shapes tells which is which.
    let files = files(folder.path(), &["discriminator.safetensors", "generator.safetensors"]);
    let imported = Imported::read(&files, &Architecture::find("dcgan")?)?;
    let mut again = imported.checkpoint(None)?;
    again.header.config.training.batch_size = 8;
    let model = again.header.config.gan()?;
    assert_eq!((model.generator_width, model.discriminator_width), (4, 6));
    assert_eq!(again.header.config.latent.encoded_size(), 12);
    assert_eq!(again.tensors.len(), 11 + 7, "the networks without optimizers");
    for (name, tensor) in &again.tensors {
        assert_eq!(values(tensor)?, values(&checkpoint.tensors[name])?, "{name}");
    }
    let z = Tensor::ones((2, 12), DType::F32, &CPU)?;
    let expected = checkpoint.generator(&CPU)?.forward_t(&z, false)?;
    assert_eq!(values(&imported.evaluate(&z)?)?, values(&expected)?);
    assert_eq!(values(&imported.evaluate(&z.reshape((2, 12, 1, 1))?)?)?, values(&expected)?);

    // The first training begins with these weights and all else anew; from then on it is a run like any other.
    let path = folder.path().join("0.safetensors");
    again.save(&path)?;
    let mut trainer = Trainer::resume(&Checkpoint::load(&path, &CPU)?, data.clone(), &CPU)?;
    assert_eq!(trainer.steps(), 0);
    let begun = trainer.checkpoint()?;
    for (name, tensor) in &again.tensors {
        assert_eq!(values(tensor)?, values(&begun.tensors[name])?, "{name}");
    }
    trainer.set_length(gan_train::config::Length::Steps(4));
    trainer.step()?;
    let saved = trainer.checkpoint()?;
    assert!(saved.header.imported.is_empty() && saved.header.data_digest == data.digest());
    let mut resumed = Trainer::resume(&saved, data, &CPU)?;
    let losses =
        |trainer: &mut Trainer| -> Result<_> { Ok(trainer.step()?.game.map(|game| game.loss_d)) };
    assert_eq!(losses(&mut resumed)?, losses(&mut trainer)?);
    Ok(())
}

#[test]
fn other_networks_come_back_by_the_architecture_that_is_written_beside_them() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    for preset in ["mnist-fc", "mnist-conv", "infogan-mnist", "mnist-vae"] {
        let checkpoint = trained(preset, &[], data.clone())?;
        let out = folder.path().join(preset);
        let export = Export::new(&checkpoint, Weights::Average)?;
        export.write(&out)?;
        let architecture = out.join("architecture.toml");
        let architecture = Architecture::find(&architecture.display().to_string())?;
        let first = format!("{}.safetensors", export.networks[0].network.name());
        // The recognizer of an InfoGAN has no place in a list of layers, nor has the discriminator that it reads.
        let plain = matches!(preset, "mnist-fc" | "mnist-conv");
        let names = if plain {
            vec![first.as_str(), "discriminator.safetensors"]
        } else {
            vec![first.as_str()]
        };
        let imported = Imported::read(&files(&out, &names), &architecture)?;
        let latents = checkpoint.header.config.latent.sample(
            3,
            &mut gan_core::Stream::named("z", 0),
            &CPU,
        )?;
        let z = latents.encode()?;
        let expected = checkpoint.generator(&CPU)?.forward_t(&z, false)?;
        assert_eq!(values(&imported.evaluate(&z)?)?, values(&expected)?, "{preset}");
        if plain {
            let mut again = imported.checkpoint(None)?;
            again.header.config.training.batch_size = 8;
            let mut trainer = Trainer::resume(&again, data.clone(), &CPU)?;
            assert!(trainer.step()?.game.is_some_and(|game| game.loss_g.is_finite()), "{preset}");
        }
    }
    Ok(())
}

#[test]
fn every_family_is_exported_with_all_its_tensors() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    for preset in ["infogan-mnist", "mnist-vae", "mnist-autoencoder", "digit-classifier"] {
        let checkpoint = trained(preset, &[], data.clone())?;
        let export = Export::new(&checkpoint, Weights::Trained)?;
        let exported: usize = export.networks.iter().map(|network| network.tensors.len()).sum();
        let own = checkpoint.tensors.keys().filter(|name| !name.starts_with("optimizer."));
        assert_eq!(exported, own.count(), "{preset}");
        let python = export.python();
        for network in &export.networks {
            let class = format!("class {}(nn.Module)", network.class());
            assert!(python.contains(&class), "{preset}: {python}");
        }
    }
    Ok(())
}

#[test]
fn networks_are_found_in_one_file_and_under_prefixes() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let checkpoint = trained("dcgan", &["latent.z.size=12"], data)?;
    let export = Export::new(&checkpoint, Weights::Average)?;
    let mut both = HashMap::new();
    for (exported, prefix) in export.networks.iter().zip(["netG.", "nets.1."]) {
        let named = exported.tensors.iter().cloned();
        both.extend(named.map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
    }
    both.insert("nets.1.main.3.num_batches_tracked".into(), Tensor::new(7i64, &CPU)?);
    let path = folder.path().join("both.safetensors");
    save(&path, &both)?;
    let imported = Imported::read(std::slice::from_ref(&path), &Architecture::find("dcgan")?)?;
    let found: Vec<_> = imported
        .found()
        .into_iter()
        .map(|(network, placed)| (network, placed.prefix().to_string()))
        .collect();
    assert_eq!(
        found,
        [(Network::Generator, "netG.".into()), (Network::Discriminator, "nets.1.".into())]
    );
    Ok(())
}

#[test]
fn what_does_not_fit_is_listed() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let checkpoint = trained("dcgan", &["latent.z.size=12"], data)?;
    let export = Export::new(&checkpoint, Weights::Average)?;
    let generator: HashMap<String, Tensor> = export.networks[0].tensors.iter().cloned().collect();
    let path = folder.path().join("changed.safetensors");
    let dcgan = Architecture::find("dcgan")?;
    let check = |tensors: &HashMap<String, Tensor>, expected: &[&str]| -> Result {
        save(&path, tensors)?;
        let refused = Imported::read(std::slice::from_ref(&path), &dcgan);
        let message = refused.expect_err("another network").to_string();
        for expected in ["changed.safetensors is not the generator"].iter().chain(expected) {
            assert!(message.contains(expected), "{message:?}, expected {expected:?}");
        }
        Ok(())
    };
    let mut missing = generator.clone();
    missing.remove("main.1.running_var");
    check(&missing, &["main.1.running_var is missing, expected [8]"])?;
    let mut unknown = generator.clone();
    unknown.insert("main.9.weight".into(), Tensor::zeros(5, DType::F32, &CPU)?);
    check(&unknown, &["main.9.weight [5] is not known there"])?;
    let mut misshapen = generator.clone();
    misshapen.insert("main.4.bias".into(), Tensor::zeros(5, DType::F32, &CPU)?);
    check(&misshapen, &["main.4.bias is [5], expected [4]"])?;

    // Twice the same network.
    save(&path, &generator)?;
    let twice = Imported::read(&[path.clone(), path.clone()], &dcgan);
    let message = twice.expect_err("two generators").to_string();
    assert!(message.contains("is not the discriminator"), "{message}");
    Ok(())
}

#[test]
fn architectures_say_what_is_wrong_with_them() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.toml");
    let check = |text: &str, expected: &str| -> Result {
        fs_err::write(&path, text)?;
        let message =
            Architecture::find(&path.display().to_string()).expect_err("refused").to_string();
        assert!(message.contains("a.toml: ") && message.contains(expected), "{message}");
        Ok(())
    };
    check("", "expected model = \"dcgan\", or layers")?;
    check("model = \"resnet\"", "unknown variant `resnet`, expected `dcgan`")?;
    check("model = \"dcgan\"\ngenerator = [{ layer = \"relu\" }]", "found both")?;
    check("generator = [{ layer = \"gelu\" }]", "unknown variant `gelu`")?;
    check(
        "generator = [{ layer = \"conv\", key = \"0\", dilation = 2 }]",
        "unknown field `dilation`",
    )?;
    let message = Architecture::find("nothing").expect_err("neither").to_string();
    assert!(
        message.contains("nothing is no architecture") && message.contains("(dcgan)"),
        "{message}"
    );
    Ok(())
}

#[test]
fn a_discriminator_alone_is_no_run_and_other_data_is_refused() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let checkpoint = trained("dcgan", &["latent.z.size=12"], data)?;
    Export::new(&checkpoint, Weights::Average)?.write(folder.path())?;
    let dcgan = Architecture::find("dcgan")?;
    let alone = Imported::read(&files(folder.path(), &["discriminator.safetensors"]), &dcgan)?;
    let images = Tensor::zeros((2, 1, 28, 28), DType::F32, &CPU)?;
    let probabilities = values(&alone.evaluate(&images)?)?;
    assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{probabilities:?}");
    let message = alone.checkpoint(None).expect_err("no generator").to_string();
    assert!(message.contains("makes no run"), "{message}");

    let generator = Imported::read(&files(folder.path(), &["generator.safetensors"]), &dcgan)?;
    let mut options = PrepareOptions { limit: Some(60), ..PrepareOptions::default() };
    options.transform.size = Some((32, 32));
    let faces = folder.path().join("faces");
    prepare(&Source::detect("synthetic-faces")?, &faces, &options, &|_| ())?;
    let run = generator.checkpoint(None)?;
    let refused = Trainer::resume(&run, Arc::new(Dataset::open(&faces)?), &CPU).err();
    let message = refused.expect("another size").to_string();
    assert!(message.contains("28×28") && message.contains("--set data.source"), "{message}");
    Ok(())
}
