//! The configuration of a run: everything that decides its numbers.

use gan_core::ImageShape;
use gan_data::Sampling;
use gan_kernels::AdamConfig;
use gan_models::{Latent, ModelConfig};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::phase::{Network, Phase};

/// A whole run. The resolved one is in the run folder's `config.toml` and in every checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Preset that this started from.
    pub preset: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// Data that is trained on.
    pub data: DataConfig,
    /// Size of the images; the data decides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageShape>,
    /// Latent of the generator.
    pub latent: Latent,
    /// The networks.
    pub model: ModelConfig,
    /// Batches and length.
    pub training: TrainingConfig,
    /// What one step does, in order.
    pub phases: Vec<Phase>,
    /// Optimizer of each network.
    pub optimizer: Optimizers,
    /// What is written, and when.
    pub output: OutputConfig,
}

/// Which data, and how it is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// A folder of shards, a raw source, a name under `GAN_DATA`, or a synthetic source.
    pub source: String,
    /// Mirrors each image with probability ½.
    pub flips: bool,
    /// How often each image comes: `"shuffle"` (each once an epoch), `{ balanced = "Smiling" }`,
    /// `{ balanced = "class" }`, or `{ weighted = { Smiling = 3.0 } }`.
    #[serde(default)]
    pub sampling: Sampling,
    /// Side in pixels to which a raw source is prepared; its own default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// Most images of a raw source to prepare; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Batches and length of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Real images in a batch.
    pub batch_size: usize,
    /// When training ends.
    pub length: Length,
}

/// When training ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Length {
    /// Passes over the training split; incomplete batches are left out.
    Epochs(u64),
    /// Training steps.
    Steps(u64),
    /// Real images, rounded up to whole batches.
    Images(u64),
}

impl Length {
    /// The same length in steps, where an epoch has `batches` of `batch_size` images.
    pub fn steps(self, batches: usize, batch_size: usize) -> u64 {
        match self {
            Self::Epochs(epochs) => epochs * batches as u64,
            Self::Steps(steps) => steps,
            Self::Images(images) => images.div_ceil(batch_size as u64),
        }
    }
}

/// The optimizer of each network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimizers {
    /// The generator's.
    pub generator: OptimizerConfig,
    /// The discriminator's.
    pub discriminator: OptimizerConfig,
}

impl Optimizers {
    /// The one of `network`.
    pub fn of(&self, network: Network) -> &OptimizerConfig {
        match network {
            Network::Generator => &self.generator,
            Network::Discriminator => &self.discriminator,
        }
    }
}

/// Adam (Kingma and Ba 2015) with L2 decay in the gradient, as `torch.optim.Adam`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first and the second moment.
    pub betas: (f64, f64),
    /// Added to the root of the second moment.
    #[serde(default = "default_eps")]
    pub eps: f64,
    /// Share of a weight that is added to its gradient.
    #[serde(default)]
    pub weight_decay: f64,
}

fn default_eps() -> f64 {
    1e-8
}

impl OptimizerConfig {
    /// The same in the kernels' words.
    pub fn adam(&self) -> AdamConfig {
        AdamConfig {
            lr: self.lr,
            beta1: self.betas.0,
            beta2: self.betas.1,
            eps: self.eps,
            weight_decay: self.weight_decay,
        }
    }
}

/// What is written, and when. Intervals are in real images seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputConfig {
    /// Images in a sample grid.
    pub grid_images: usize,
    /// Interval of the sample grids.
    pub grid_every: u64,
    /// Interval of the checkpoints; the last step always has one.
    pub checkpoint_every: u64,
    /// Checkpoints that are kept, the newest ones.
    pub keep_checkpoints: usize,
}

impl Config {
    /// Says what is wrong with values that parse but cannot be meant.
    pub fn check(&self) -> Result<(), TrainError> {
        let refuse = |message: String| Err(TrainError::Config(message));
        self.latent.check().map_err(TrainError::Config)?;
        if let Some(image) = self.image {
            self.model.check(image).map_err(TrainError::Config)?;
        }
        if self.training.batch_size < 2 {
            return refuse(format!(
                "training.batch_size is {}, expected 2 or more: batch norm needs a batch",
                self.training.batch_size
            ));
        }
        for network in [Network::Generator, Network::Discriminator] {
            let name = network.name();
            let o = self.optimizer.of(network);
            if !(o.lr.is_finite() && o.lr > 0.0) {
                return refuse(format!("optimizer.{name}.lr is {}, expected more than 0", o.lr));
            }
            for beta in [o.betas.0, o.betas.1] {
                if !(0.0..1.0).contains(&beta) {
                    return refuse(format!("optimizer.{name}.betas has {beta}, expected [0, 1)"));
                }
            }
            if !(o.eps > 0.0 && o.weight_decay >= 0.0 && o.weight_decay.is_finite()) {
                return refuse(format!(
                    "optimizer.{name} has eps {} and weight_decay {}, expected eps > 0 and \
                     weight_decay ≥ 0",
                    o.eps, o.weight_decay
                ));
            }
            let steps: usize =
                self.phases.iter().filter(|p| p.network == network).map(|p| p.steps).sum();
            if steps == 0 {
                return refuse(format!("no phase updates the {name}; give it steps = 1 or more"));
            }
        }
        self.check_output()
    }

    fn check_output(&self) -> Result<(), TrainError> {
        let output = &self.output;
        for (key, value) in [
            ("grid_images", output.grid_images as u64),
            ("grid_every", output.grid_every),
            ("checkpoint_every", output.checkpoint_every),
            ("keep_checkpoints", output.keep_checkpoints as u64),
        ] {
            if value == 0 {
                return Err(TrainError::Config(format!("output.{key} is 0, expected 1 or more")));
            }
        }
        Ok(())
    }

    /// The configuration as TOML.
    pub fn to_toml(&self) -> Result<String, TrainError> {
        toml::to_string(self).map_err(|e| TrainError::Config(e.to_string()))
    }

    /// Reads what [`Config::to_toml`] wrote, or a preset.
    pub fn from_toml(text: &str) -> Result<Self, TrainError> {
        toml::from_str(text)
            .map_err(|e| TrainError::Config(e.message().trim_end().replace('\n', "; ")))
    }
}
