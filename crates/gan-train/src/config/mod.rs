//! The configuration of a run: everything that decides its numbers.

mod autoencoder;
mod classifier;
mod objective;
mod optimizer;
mod written;

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use gan_data::Sampling;
use gan_models::autoencoder::Decoder;
use gan_models::{Generator, Latent, ModelConfig, ParamStore};
use serde::{Deserialize, Serialize};

pub use self::autoencoder::{AutoencoderConfig, Prior, Reconstruction, Reduction};
pub use self::classifier::{ClassifierConfig, Target};
pub use self::objective::{EmaConfig, LossConfig, Unrolling, WarmStart};
pub use self::optimizer::{OptimizerConfig, Optimizers, Schedule};
use crate::error::TrainError;
use crate::monitor::MonitorConfig;
use crate::phase::{Network, Phase};
use crate::settings::readable;

/// A whole run. The resolved one is in the run folder's `config.toml` and in every checkpoint, without what means nothing
/// for its family.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Preset that this started from.
    pub preset: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// Data that is trained on.
    pub data: DataConfig,
    /// Size of the images; the data decides it.
    #[serde(default)]
    pub image: Option<ImageShape>,
    /// Latent of the generator; of no parts where there is none.
    #[serde(default)]
    pub latent: Latent,
    /// The networks of a GAN.
    #[serde(default)]
    pub model: Option<ModelConfig>,
    /// A classifier instead.
    #[serde(default)]
    pub classifier: Option<ClassifierConfig>,
    /// An autoencoder instead.
    #[serde(default)]
    pub autoencoder: Option<AutoencoderConfig>,
    /// Batches and length.
    pub training: TrainingConfig,
    /// What one step of a GAN does, in order.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// Optimizer of each network.
    pub optimizer: Optimizers,
    /// What they are trained to.
    #[serde(default)]
    pub loss: LossConfig,
    /// The discriminator ahead of the generator.
    #[serde(default)]
    pub unrolling: Unrolling,
    /// Moving average of the generator; none where absent.
    #[serde(default)]
    pub ema: Option<EmaConfig>,
    /// Weights to begin with instead of drawn ones.
    #[serde(default)]
    pub warm_start: WarmStart,
    /// What is watched for while it trains.
    #[serde(default)]
    pub monitor: MonitorConfig,
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
    /// Epochs, counted from 1, after which the figures of the family and a sample grid are written, as they are at the
    /// end of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures_at: Vec<u64>,
}

impl Config {
    /// Says what is wrong with values that parse but cannot be meant.
    pub fn check(&self) -> Result<(), TrainError> {
        if self.training.batch_size < 2 {
            return Err(TrainError::Config(format!(
                "training.batch_size is {}, expected 2 or more: batch norm needs a batch",
                self.training.batch_size
            )));
        }
        if matches!(self.training.length, Length::Epochs(0) | Length::Steps(0) | Length::Images(0))
        {
            return Err(TrainError::Config("training.length is 0, expected 1 or more".into()));
        }
        match (&self.model, &self.classifier, &self.autoencoder) {
            (Some(model), None, None) => self.check_gan(model)?,
            (None, Some(classifier), None) => {
                self.refuse_settings_of_gans()?;
                classifier.check(self.image)?;
                self.optimizer.check(&[Network::Classifier])?;
            }
            (None, None, Some(autoencoder)) => {
                self.refuse_settings_of_gans()?;
                autoencoder.check(&self.latent, self.image)?;
                self.optimizer.check(&Network::AUTOENCODER)?;
            }
            _ => {
                let reason = "expected one of [model], the networks of a GAN, [classifier] and [autoencoder]";
                return Err(TrainError::Config(reason.into()));
            }
        }
        self.monitor.check().map_err(TrainError::Config)?;
        self.check_output()
    }

    /// Settings that would do nothing in another family.
    fn refuse_settings_of_gans(&self) -> Result<(), TrainError> {
        let set = [
            ("latent", !self.latent.is_empty()),
            ("phases", !self.phases.is_empty()),
            ("loss", self.loss != LossConfig::default()),
            ("unrolling", self.unrolling != Unrolling::default()),
            ("ema", self.ema.is_some()),
            ("warm_start", self.warm_start != WarmStart::default()),
            ("monitor.stop_on", !self.monitor.stop_on.is_empty()),
        ];
        let mut set = set.iter().filter(|(_, set)| *set);
        set.try_for_each(|(key, _)| self.refuse_foreign(key))
    }

    fn check_gan(&self, model: &ModelConfig) -> Result<(), TrainError> {
        self.latent.check().map_err(TrainError::Config)?;
        if let Some(image) = self.image {
            model.check(image).map_err(TrainError::Config)?;
        }
        model.check_latent(&self.latent).map_err(TrainError::Config)?;
        self.loss.check().map_err(TrainError::Config)?;
        self.ema.map_or(Ok(()), |ema| ema.check()).map_err(TrainError::Config)?;
        self.optimizer.check(&Network::GAN)?;
        self.check_phases()
    }

    /// Whether it has a network that makes images of latents.
    pub fn generates(&self) -> bool {
        self.model.is_some() || self.autoencoder.is_some()
    }

    /// The network that makes images of latents: a GAN's generator or an autoencoder's decoder.
    ///
    /// # Errors
    /// If the family has none.
    pub fn generator(
        &self,
        image: ImageShape,
        vb: VarBuilder<'_>,
    ) -> Result<Generator, TrainError> {
        Ok(match &self.autoencoder {
            Some(AutoencoderConfig { width, .. }) => {
                let size = self.latent.encoded_size();
                Generator::Decoder(Decoder::new(*width, size, image, vb)?)
            }
            None => self.gan()?.generator(&self.latent, image, vb)?,
        })
    }

    /// The same of weights by name: `own`, and over them the moving averages that there are.
    ///
    /// # Errors
    /// If the family has none, or weights are missing.
    pub(crate) fn generator_of_weights(
        &self,
        image: ImageShape,
        mut own: HashMap<String, Tensor>,
        averages: impl IntoIterator<Item = (String, Tensor)>,
        device: &Device,
    ) -> Result<Generator, TrainError> {
        own.extend(averages);
        self.generator(image, ParamStore::from_tensors(own, device).frozen())
    }

    /// Which network that is.
    pub(crate) fn generator_network(&self) -> Network {
        if self.autoencoder.is_some() { Network::Decoder } else { Network::Generator }
    }

    /// The networks of a GAN.
    ///
    /// # Errors
    /// If the run is none.
    pub fn gan(&self) -> Result<&ModelConfig, TrainError> {
        self.model.as_ref().ok_or_else(|| {
            TrainError::Config(format!(
                "a run of {:?} is no GAN's; name one that is (gan-cli runs lists them)",
                self.preset
            ))
        })
    }

    fn check_phases(&self) -> Result<(), TrainError> {
        let refuse = |message: String| Err(TrainError::Config(message));
        for network in [Network::Generator, Network::Discriminator] {
            let name = network.name();
            let own = self.phases.iter().filter(|phase| phase.network == network);
            if own.map(|phase| phase.steps).sum::<usize>() == 0 {
                return refuse(format!("no phase updates the {name}; give it steps = 1 or more"));
            }
        }
        for phase in &self.phases {
            let name = phase.network.name();
            if phase.every == 0 {
                return refuse(format!("phases.{name}.every is 0, expected 1 or more"));
            }
            if phase.network == Network::Recognizer {
                return refuse("the recognizer is updated with the discriminator; a phase of its own cannot be".into());
            }
            if !Network::GAN.contains(&phase.network) {
                return refuse(format!("a GAN has no {name} to update"));
            }
        }
        Ok(())
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
        if output.figures_at.contains(&0) {
            let reason = "output.figures_at has epoch 0, expected 1 or more: the first epoch is 1";
            return Err(TrainError::Config(reason.into()));
        }
        Ok(())
    }

    /// The configuration as TOML.
    pub fn to_toml(&self) -> Result<String, TrainError> {
        toml::to_string(self).map_err(|e| TrainError::Config(e.to_string()))
    }

    /// Reads what [`Config::to_toml`] wrote, or a preset.
    pub fn from_toml(text: &str) -> Result<Self, TrainError> {
        toml::from_str(text).map_err(|e| TrainError::Config(readable(e.message())))
    }
}
