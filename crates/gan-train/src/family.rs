//! What is trained: the networks of one family and what they are moved to.

use candle_core::{Device, Tensor};
use gan_core::{ImageShape, Stream, StreamPosition};
use gan_data::Dataset;

use crate::autoencoding::Autoencoding;
use crate::checkpoint::{Checkpoint, Header};
use crate::classification::Classification;
use crate::config::Config;
use crate::error::TrainError;
use crate::gan::Gan;
use crate::networks::Trained;
use crate::record::StepRecord;

/// A batch of real images or points of the training split.
pub(crate) struct Batch<'a> {
    /// `(N, C, H, W)`; images in [−1, 1].
    pub(crate) pixels: Tensor,
    /// Where they stand in the data.
    pub(crate) indices: &'a [usize],
    pub(crate) data: &'a Dataset,
    /// Batches of an epoch.
    pub(crate) per_epoch: u64,
}

/// The networks of one family, with their optimizers and streams.
pub(crate) enum Family {
    Gan(Box<Gan>),
    Classification(Box<Classification>),
    Autoencoding(Box<Autoencoding>),
}

impl Family {
    /// The family that the configuration names, at its first step.
    pub(crate) fn new(
        config: &Config,
        image: ImageShape,
        data: &Dataset,
        device: &Device,
    ) -> Result<Self, TrainError> {
        Ok(if let Some(classifier) = &config.classifier {
            let family = Classification::new(config, classifier, image, data, device)?;
            Self::Classification(Box::new(family))
        } else if let Some(autoencoder) = &config.autoencoder {
            let family = Autoencoding::new(config, autoencoder, image, device)?;
            Self::Autoencoding(Box::new(family))
        } else {
            Self::Gan(Box::new(Gan::new(config, image, data, device)?))
        })
    }

    /// One training step, number `step` counted from 0.
    pub(crate) fn step(
        &mut self,
        config: &Config,
        step: u64,
        batch: &Batch<'_>,
        record: &mut StepRecord,
    ) -> Result<(), TrainError> {
        match self {
            Self::Gan(gan) => gan.step(config, step, batch, record),
            Self::Classification(classification) => classification.step(batch, record),
            Self::Autoencoding(autoencoding) => {
                let into_epoch = step % batch.per_epoch.max(1);
                let progress = into_epoch as f64 / batch.per_epoch.max(1) as f64;
                autoencoding.step(batch, progress, record)
            }
        }
    }

    /// All networks with their optimizers.
    pub(crate) fn trained(&self) -> Vec<&Trained> {
        match self {
            Self::Gan(gan) => gan.networks.all().collect(),
            Self::Classification(classification) => vec![&classification.trained],
            Self::Autoencoding(autoencoding) => autoencoding.trained.iter().collect(),
        }
    }

    /// All networks with their optimizers, to be changed.
    pub(crate) fn trained_mut(&mut self) -> Vec<&mut Trained> {
        match self {
            Self::Gan(gan) => gan.networks.all_mut().collect(),
            Self::Classification(classification) => vec![&mut classification.trained],
            Self::Autoencoding(autoencoding) => autoencoding.trained.iter_mut().collect(),
        }
    }

    /// Puts back what a checkpoint has of it.
    pub(crate) fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        for trained in self.trained_mut() {
            let steps = &checkpoint.header.optimizer_steps;
            let steps = steps.get(trained.network.name()).copied().unwrap_or(0);
            trained.restore(&checkpoint.tensors, steps)?;
        }
        match self {
            Self::Gan(gan) => gan.restore(checkpoint),
            Self::Autoencoding(autoencoding) => {
                autoencoding.latents = stream_at(checkpoint.header.latents.as_ref())?;
                Ok(())
            }
            Self::Classification(_) => Ok(()),
        }
    }

    /// Adds what a checkpoint's header says of it.
    pub(crate) fn describe(&self, config: &Config, header: &mut Header) {
        match self {
            Self::Gan(gan) => {
                header.latents = Some(gan.latents.position());
                header.mixing = config.loss.penalty.map(|_| gan.mixing.position());
            }
            Self::Autoencoding(autoencoding) => {
                header.latents = Some(autoencoding.latents.position());
            }
            Self::Classification(_) => {}
        }
    }

    /// The GAN, where it is one.
    pub(crate) fn gan(&self) -> Option<&Gan> {
        match self {
            Self::Gan(gan) => Some(gan),
            Self::Classification(_) | Self::Autoencoding(_) => None,
        }
    }
}

/// The stream that stood at `position` when a checkpoint was taken.
pub(crate) fn stream_at(position: Option<&StreamPosition>) -> Result<Stream, TrainError> {
    let damaged = || {
        let reason = "the checkpoint's stream position is missing or damaged";
        TrainError::Changed(reason.into())
    };
    position.and_then(Stream::at).ok_or_else(damaged)
}
