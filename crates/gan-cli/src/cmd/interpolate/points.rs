//! The points of an interpolation: latents of seeds, of a file, or of pictures.

use std::path::{Path, PathBuf};

use gan_core::image;
use gan_data::{Manifest, Photo};
use gan_latent::sample;
use gan_models::LatentBatch;
use gan_train::reconstruct::ImageAutoencoder;

use crate::args::UsageError;
use crate::explored::{Explored, Start};

/// Points and what they are called.
pub(super) struct Points {
    pub(super) latents: LatentBatch,
    /// A word for each.
    pub(super) labels: Vec<String>,
    /// A word for all of them, for file names.
    pub(super) word: String,
}

impl Points {
    /// Those of `--seed`, `--latents` and `--indices`.
    pub(super) fn of_start(
        start: &Start,
        usual: usize,
        explored: &Explored,
    ) -> anyhow::Result<Self> {
        let latents = start.latents(explored.latent(), usual, None, &explored.device)?;
        let indices = match start.indices.as_slice() {
            [] => (0..latents.len()).collect(),
            given => given.to_vec(),
        };
        let labels: Vec<String> = indices.iter().map(ToString::to_string).collect();
        let source = match start.latents.as_deref().and_then(Path::file_stem) {
            Some(stem) => format!("latents-{}", stem.to_string_lossy()),
            None => format!("seed-{}", start.seed),
        };
        let word = match start.indices.is_empty() {
            true => source,
            false => format!("{source}_{}", labels.join("-")),
        };
        Ok(Self { latents, labels, word })
    }

    /// The first latent of each seed.
    pub(super) fn of_seeds(seeds: &[u64], explored: &Explored) -> anyhow::Result<Self> {
        let latents = sample::first_of_seeds(explored.latent(), seeds, &explored.device)?;
        let words: Vec<String> = seeds.iter().map(ToString::to_string).collect();
        let labels = words.iter().map(|seed| format!("seed {seed}")).collect();
        Ok(Self { latents, labels, word: format!("seeds-{}", words.join("-")) })
    }

    /// What an encoder makes of pictures.
    pub(super) fn of_images(paths: &[PathBuf], explored: &Explored) -> anyhow::Result<Self> {
        let Explored { run, checkpoint, device, .. } = explored;
        if checkpoint.header.config.autoencoder.is_none() {
            let run = run.root().display();
            return Err(UsageError(format!(
                "--images: {run} has no encoder; find the latents of pictures by gan-cli invert {run} IMAGE…, and name the \
                 file that it writes with --latents"
            ))
            .into());
        }
        let shape = checkpoint.image()?;
        let manifest: Manifest = serde_json::from_slice(&fs_err::read(run.data())?)?;
        let mut pictures = Vec::with_capacity(paths.len());
        for path in paths {
            let photo = Photo::read(path, &manifest, shape)?;
            let (width, height) = photo.original;
            tracing::info!("{}: {width}×{height}, taken as {}", path.display(), photo.done);
            pictures.push(photo.image);
        }
        let pixels = image::normalize(&image::to_tensor(&pictures, device)?)?;
        let encoded = ImageAutoencoder::new(checkpoint, device)?.encode(&pixels)?;
        let latents = explored.latent().batch(|_| Ok(encoded.clone()))?;
        let name = |path: &PathBuf| {
            path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
        };
        let stem = |path: &PathBuf| {
            path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned())
        };
        let word = paths.iter().map(stem).collect::<Vec<_>>().join("-");
        Ok(Self { latents, labels: paths.iter().map(name).collect(), word })
    }
}
