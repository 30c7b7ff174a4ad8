//! Checkpoints: one safetensors file with everything that resuming, sampling and PyTorch need.
//!
//! Tensors are named `generator.…`, `discriminator.…`, `recognizer.…`, `classifier.…` (weights and running statistics,
//! with PyTorch's keys within a layer), `ema.generator.…` and `optimizer.{network}.….{exp_avg,exp_avg_sq}`. The metadata has
//! one entry, `gan`: a [`Header`] as JSON. `safetensors.torch.load_file` reads the file as it is.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use gan_core::{ImageShape, RunDir, StreamPosition, file};
use gan_data::LoaderPosition;
use gan_models::{Generator, ParamStore};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::TrainError;
use crate::monitor::MonitorState;
use crate::record::StepRecord;

/// Key of the header in the file's metadata.
const METADATA_KEY: &str = "gan";
/// Prefix of the generator's moving averages.
pub(crate) const EMA: &str = "ema.generator";
/// Format written and read by this version.
pub const FORMAT: u32 = 1;

/// Everything of a checkpoint that is not a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of this layout.
    pub format: u32,
    /// The run's resolved configuration.
    pub config: Config,
    /// Training steps done.
    pub step: u64,
    /// Real images seen.
    pub images_seen: u64,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Where the stream of training latents stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latents: Option<StreamPosition>,
    /// Where the stream of a penalty's mixing weights stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixing: Option<StreamPosition>,
    /// What the monitor has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<MonitorState>,
    /// What the learning rates were multiplied by after a roll-back.
    #[serde(default = "one")]
    pub lr_factor: f64,
    /// How often the run was rolled back after numbers that were none.
    #[serde(default)]
    pub rollbacks: u32,
    /// What the last update of the discriminator measured, where not every step has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<StepRecord>,
    /// The next batch of real images.
    pub loader: LoaderPosition,
    /// Digest of the data set that was trained on.
    pub data_digest: String,
    /// Updates that each network's optimizer has made.
    pub optimizer_steps: BTreeMap<String, u64>,
    /// The files that the weights came from, where another program trained them; the first training then begins with
    /// them, on whatever data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imported: Vec<PathBuf>,
}

fn one() -> f64 {
    1.0
}

/// Which of a generator's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// The moving average where there is one, else those that were trained.
    Average,
    /// Those that were trained.
    Trained,
}

/// A checkpoint in memory.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Everything that is not a tensor.
    pub header: Header,
    /// Weights, running statistics and optimizer moments by name.
    pub tensors: HashMap<String, Tensor>,
}

impl Checkpoint {
    /// Writes the file; it is there whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let header = serde_json::to_string(&self.header).map_err(std::io::Error::from)?;
        let metadata = HashMap::from([(METADATA_KEY.to_string(), header)]);
        let mut names: Vec<_> = self.tensors.keys().collect();
        names.sort();
        let tensors = names.into_iter().map(|name| (name, &self.tensors[name]));
        let bytes = safetensors::serialize(tensors, Some(metadata))
            .map_err(|e| damaged(path, "tensors that can be written", e.to_string()))?;
        Ok(file::write_bytes(path, &bytes)?)
    }

    /// Reads a file onto a device.
    pub fn load(path: &Path, device: &Device) -> Result<Self, TrainError> {
        let bytes = fs_err::read(path)?;
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes)
            .map_err(|e| damaged(path, "a checkpoint in safetensors format", e.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY));
        let Some(header) = header else {
            let found = "safetensors without our header".to_string();
            return Err(damaged(path, "a checkpoint of this program", found));
        };
        let header = Self::parse_header(path, header)?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, device)
            .map_err(|e| damaged(path, "whole tensors", e.to_string()))?;
        Ok(Self { header, tensors })
    }

    fn parse_header(path: &Path, text: &str) -> Result<Header, TrainError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let header = |e: serde_json::Error| damaged(path, "a header we know", e.to_string());
        let version: Version = serde_json::from_str(text).map_err(header)?;
        if version.format != FORMAT {
            return Err(TrainError::Checkpoint {
                path: path.into(),
                expected: format!("format {FORMAT}"),
                found: format!("format {}", version.format),
                remedy: "read it with the version of the program that wrote it".into(),
            });
        }
        serde_json::from_str(text).map_err(header)
    }

    /// The newest checkpoint of a run, with its path.
    pub fn latest(run: &RunDir, device: &Device) -> Result<(PathBuf, Self), TrainError> {
        let Some((_, path)) = run.checkpoints()?.pop() else {
            return Err(TrainError::Checkpoint {
                path: run.root().join("checkpoints"),
                expected: "at least one checkpoint".into(),
                found: "none".into(),
                remedy: "the run was stopped before its first; train it again".into(),
            });
        };
        let checkpoint = Self::load(&path, device)?;
        Ok((path, checkpoint))
    }

    /// A checkpoint by its file, or the newest of a run by the run's folder.
    pub fn find(path: &Path, device: &Device) -> Result<Self, TrainError> {
        if path.is_file() {
            return Self::load(path, device);
        }
        Ok(Self::latest(&RunDir::open(path)?, device)?.1)
    }

    /// Size of the images that the networks make and judge.
    pub fn image(&self) -> Result<ImageShape, TrainError> {
        let missing = || TrainError::Changed("the checkpoint's config has no image size".into());
        self.header.config.image.ok_or_else(missing)
    }

    /// The generator as it is used: with the moving average of its weights where the run kept one.
    pub fn generator(&self, device: &Device) -> Result<Generator, TrainError> {
        self.generator_of(Weights::Average, device)
    }

    /// The generator with one kind of its weights.
    pub fn generator_of(&self, weights: Weights, device: &Device) -> Result<Generator, TrainError> {
        let config = &self.header.config;
        if !config.generates() {
            let reason = format!(
                "a run of {:?} has no generator; name one that has (gan-cli runs lists them)",
                config.preset
            );
            return Err(TrainError::Config(reason));
        }
        let own = self.of_network(config.generator_network().name());
        let averages = match weights {
            Weights::Average => self.of_network(EMA),
            Weights::Trained => HashMap::new(),
        };
        config.generator_of_weights(self.image()?, own, averages, device)
    }

    /// The weights of one network, its prefix removed.
    pub fn store(&self, network: &str, device: &Device) -> ParamStore {
        ParamStore::from_tensors(self.of_network(network), device)
    }

    /// The weights of one network by their names within it.
    pub(crate) fn of_network(&self, network: &str) -> HashMap<String, Tensor> {
        let prefix = format!("{network}.");
        let own = |(name, t): (&String, &Tensor)| {
            Some((name.strip_prefix(&prefix)?.to_string(), t.clone()))
        };
        self.tensors.iter().filter_map(own).collect()
    }
}

fn damaged(path: &Path, expected: &str, found: String) -> TrainError {
    TrainError::Checkpoint {
        path: path.into(),
        expected: expected.into(),
        found,
        remedy: "remove it to fall back to the run's checkpoint before it".into(),
    }
}
