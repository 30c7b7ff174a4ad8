//! Writes latents with what a checkpoint's networks make of them, for `tests/golden/checkpoint.py`.
//!
//! `checkpoint_images CHECKPOINT OUT.safetensors`

use std::collections::HashMap;
use std::path::Path;

use candle_core::Device;
use candle_nn::ModuleT;
use gan_core::Stream;
use gan_train::Checkpoint;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, out] = args.as_slice() else {
        return Err("usage: checkpoint_images CHECKPOINT OUT.safetensors".into());
    };
    let device = Device::Cpu;
    let checkpoint = Checkpoint::load(Path::new(path), &device)?;
    let config = &checkpoint.header.config;
    let z = config.latent.sample(16, &mut Stream::named("checkpoint images", 0), &device)?;
    let z = z.encode()?;
    let images = checkpoint.generator(&device)?.forward_t(&z, false)?;
    let store = checkpoint.store("discriminator", &device);
    let (latent, image) = (&config.latent, checkpoint.image()?);
    let discriminator = config.gan()?.discriminator(latent, image, store.frozen())?;
    let logits = discriminator.forward_t(&images, false)?;
    let tensors = HashMap::from([("z", z), ("images", images), ("logits", logits)]);
    safetensors::serialize_to_file(&tensors, None, Path::new(out))?;
    Ok(())
}
