//! A trained generator to be explored, and the latents that a command starts from.

use std::path::{Path, PathBuf};

use anyhow::Context;
use candle_core::Device;
use clap::{Args, ValueEnum};
use gan_core::RunDir;
use gan_latent::{latents, sample};
use gan_models::{Generator, Latent, LatentBatch, Truncation};
use gan_train::{Checkpoint, Weights};

use crate::args::{UsageError, existing_file};

/// Which of a generator's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShownWeights {
    /// The moving average where the run kept one, else those that were trained
    Average,
    /// Those that were trained
    Trained,
}

impl From<ShownWeights> for Weights {
    fn from(weights: ShownWeights) -> Self {
        match weights {
            ShownWeights::Average => Self::Average,
            ShownWeights::Trained => Self::Trained,
        }
    }
}

/// A run with its generator.
pub(crate) struct Explored {
    pub(crate) run: RunDir,
    /// The checkpoint's file.
    pub(crate) path: PathBuf,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) generator: Generator,
    pub(crate) device: Device,
}

impl Explored {
    /// The newest checkpoint of a run that makes images.
    pub(crate) fn open(run: &Path, weights: ShownWeights, device: Device) -> anyhow::Result<Self> {
        let run = RunDir::open(run)?;
        let (path, checkpoint) = Checkpoint::latest(&run, &device)?;
        let generator = checkpoint
            .generator_of(weights.into(), &device)
            .with_context(|| format!("reading the generator of {}", path.display()))?;
        let shape = checkpoint.image()?;
        if (shape.height, shape.width) == (1, 1) {
            let samples = run.root().join("samples");
            let reason = format!(
                "this run makes points, not images; their maps are in {}",
                samples.display()
            );
            return Err(UsageError(reason).into());
        }
        Ok(Self { run, path, checkpoint, generator, device })
    }

    /// What the generator reads.
    pub(crate) fn latent(&self) -> &Latent {
        &self.checkpoint.header.config.latent
    }
}

/// The latents that a command starts from: some of a seed's, or some of a file's.
#[derive(Args, Clone, Debug)]
pub(crate) struct Start {
    /// Seed of the latents; latent i of a seed is the one that `sample --seed S --labels` shows as i
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Latents to start from instead, a file that an earlier command wrote
    #[arg(long, value_name = "FILE", value_parser = existing_file, conflicts_with = "seed")]
    pub(crate) latents: Option<PathBuf>,
    /// Which of them: 0,7,3
    #[arg(long, alias = "face", value_name = "I,J,…", value_delimiter = ',')]
    pub(crate) indices: Vec<usize>,
}

impl Start {
    /// The latents at the indices that were typed, else the first `usual` ones, or fewer where a file has no more.
    pub(crate) fn latents(
        &self,
        latent: &Latent,
        usual: usize,
        truncation: Option<Truncation>,
        device: &Device,
    ) -> anyhow::Result<LatentBatch> {
        let given = self.latents.as_ref().map(|file| latents::read(latent, file, device));
        let Some(given) = given.transpose()? else {
            let indices =
                if self.indices.is_empty() { (0..usual).collect() } else { self.indices.clone() };
            return Ok(sample::seeded_at(latent, &indices, self.seed, truncation, device)?);
        };
        if self.indices.is_empty() {
            return Ok(given.narrow(0, usual.min(given.len()))?);
        }
        if let Some(beyond) = self.indices.iter().find(|i| **i >= given.len()) {
            let (file, n) = (self.latents.clone().unwrap_or_default(), given.len());
            let last = n - 1;
            return Err(UsageError(format!(
                "--indices has {beyond}, {} has {n} latents, 0 to {last}",
                file.display()
            ))
            .into());
        }
        Ok(latents::select(&given, &self.indices)?)
    }
}
