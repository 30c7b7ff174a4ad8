//! Writes what the first ten training steps of a preset see, and the losses that they have, for
//! `tests/golden/training.py`.
//!
//! `training_inputs OUT.safetensors [PRESET DATA KEY=VALUE…]`; without a preset the small run of the
//! golden test.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use gan_core::Stream;
use gan_data::{Dataset, Loader, PrepareOptions, Source, Split, cache};
use gan_train::{Network, Preset, Trainer, settings, trainer};

/// Settings of the small run of the golden test.
const SMALL: &str = include_str!("../../../tests/golden/training.settings");

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const STEPS: usize = 10;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let out = args.first().ok_or("name the file to write")?;
    let folder = tempfile::tempdir()?;
    let (preset, source, options) = match &args[1..] {
        [] => (
            "digits",
            "synthetic-digits",
            PrepareOptions { limit: Some(400), ..Default::default() },
        ),
        [preset, data, ..] => (preset.as_str(), data.as_str(), PrepareOptions::default()),
        [_] => return Err("name a preset and its data".into()),
    };
    let mut set: Vec<String> = args.iter().skip(3).cloned().collect();
    if args.len() == 1 {
        set = SMALL.lines().map(ToString::to_string).collect();
    }
    let config = settings::apply(&Preset::find(preset)?.config()?, &set)?;
    let data = match Path::new(source).join("manifest.json").is_file() {
        true => source.into(),
        false => cache::prepared(&Source::detect(source)?, folder.path(), &options, &|_| ())?.0,
    };
    let data = Arc::new(Dataset::open(&data)?);
    let mut run = Trainer::new(config, data.clone(), &Device::Cpu)?;

    let mut tensors = run.checkpoint()?.tensors;
    tensors.retain(|name, _| !name.starts_with("optimizer."));
    // Detached copies: training updates the weights in place.
    for tensor in tensors.values_mut() {
        *tensor = tensor.copy()?;
    }
    let mut loader = Loader::new(data, Split::Train, run.loader_config())?;
    let mut latents = Stream::named(trainer::LATENT_STREAM, run.config().seed);
    let (mut loss_d, mut loss_g) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        let batch = loader.next_batch()?;
        let z = run.config().latent.sample(batch.indices.len(), &mut latents, &Device::Cpu)?;
        tensors.insert(format!("real.{step}"), batch.samples);
        tensors.insert(format!("z.{step}"), z.encode()?);
        let record = run.step()?;
        let game = record.game.ok_or("no GAN")?;
        loss_d.push(game.loss_d);
        loss_g.push(game.loss_g);
    }
    tensors.insert("loss_d".into(), Tensor::new(loss_d, &Device::Cpu)?);
    tensors.insert("loss_g".into(), Tensor::new(loss_g, &Device::Cpu)?);
    let config = run.config();
    let g = config.optimizer.of(Network::Generator)?;
    let d = config.optimizer.of(Network::Discriminator)?;
    let metadata = HashMap::from([
        ("generator_width".to_string(), config.gan()?.generator_width.to_string()),
        ("discriminator_width".to_string(), config.gan()?.discriminator_width.to_string()),
        ("lr_g".to_string(), g.lr.to_string()),
        ("lr_d".to_string(), d.lr.to_string()),
        ("beta1".to_string(), g.betas.0.to_string()),
        ("beta2".to_string(), g.betas.1.to_string()),
    ]);
    safetensors::serialize_to_file(&tensors, Some(metadata), Path::new(out))?;
    Ok(())
}
