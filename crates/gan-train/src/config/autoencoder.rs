//! What an autoencoder learns.

use candle_core::{Result as TensorResult, Tensor};
use gan_core::ImageShape;
use gan_models::{Distribution, Latent, autoencoder};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::loss::{bce_logits, l1, squared_error};

/// An autoencoder of images. Its latent is the configuration's, one normal part: what the decoder is sampled with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderConfig {
    /// Channels of the encoder's first maps.
    pub width: usize,
    /// How a reconstruction is compared with its image.
    pub reconstruction: Reconstruction,
    /// Whether that is summed over the values of an image, or their mean. The batch is averaged in either case.
    pub reduction: Reduction,
    /// What the latents are held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<Prior>,
}

/// How a reconstruction is compared with its image, value by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reconstruction {
    /// Squared difference on the scale [−1, 1].
    Mse,
    /// Absolute difference on the scale [−1, 1].
    L1,
    /// Cross-entropy on the scale [0, 1], in nats.
    Bce,
}

/// Over the values of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
}

/// What the latents are held to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Prior {
    /// A variational autoencoder: the divergence of each latent's Gaussian from N(0, 1), summed over the latent.
    Kl {
        /// What it is multiplied by.
        weight: f64,
        /// Epochs over which the weight grows from 0 in a straight line; 0 for none.
        #[serde(default)]
        warm_up: u64,
    },
    /// Mean, variance and kurtosis of all entries of a batch's latents, held to 0, 1 and 3.
    Moments {
        /// What their mean squared error is multiplied by in the first epoch.
        factor: f64,
        /// Epoch, counted from 1, until which the factor doubles with each.
        until_epoch: u32,
    },
}

impl Prior {
    /// The weight in an epoch counted from 0, `progress` of the way through it.
    pub fn weight(&self, epoch: u64, progress: f64) -> f64 {
        match *self {
            Self::Kl { weight, warm_up: 0 } => weight,
            Self::Kl { weight, warm_up } => {
                weight * ((epoch as f64 + progress) / warm_up as f64).min(1.0)
            }
            Self::Moments { factor, until_epoch } => {
                let doublings = epoch.min(u64::from(until_epoch.saturating_sub(1)));
                factor * 2f64.powi(doublings as i32)
            }
        }
    }
}

impl AutoencoderConfig {
    /// Whether the encoder gives a Gaussian.
    pub fn is_variational(&self) -> bool {
        matches!(self.prior, Some(Prior::Kl { .. }))
    }

    /// The loss of a reconstruction: decoder `logits` against `images` in [−1, 1], both `(N, C, H, W)`, as a scalar.
    pub(crate) fn compare(&self, logits: &Tensor, images: &Tensor) -> TensorResult<Tensor> {
        let sum = match self.reconstruction {
            Reconstruction::Mse => squared_error(&logits.tanh()?, images)?,
            Reconstruction::L1 => l1(&logits.tanh()?, images)?,
            Reconstruction::Bce => bce_logits(&(logits * 2.0)?, &images.affine(0.5, 0.5)?)?,
        };
        let n = match self.reduction {
            Reduction::Sum => images.dim(0)?,
            Reduction::Mean => images.elem_count(),
        };
        sum / n as f64
    }

    pub(super) fn check(
        &self,
        latent: &Latent,
        image: Option<ImageShape>,
    ) -> Result<(), TrainError> {
        let refuse = |message: String| Err(TrainError::Config(message));
        latent.check().map_err(TrainError::Config)?;
        let [part] = latent.parts() else {
            return refuse(format!(
                "an autoencoder's latent is one normal part, this one has {} parts",
                latent.parts().len()
            ));
        };
        if !matches!(part.distribution, Distribution::Normal { .. }) {
            return refuse(format!(
                "an autoencoder's latent is one normal part; {:?} is of another kind",
                part.name
            ));
        }
        if self.width == 0 {
            return refuse("autoencoder.width is 0, expected 1 or more".into());
        }
        let weight = match self.prior {
            Some(Prior::Kl { weight, .. }) => weight,
            Some(Prior::Moments { factor, .. }) => factor,
            None => 0.0,
        };
        if !(weight.is_finite() && weight >= 0.0) {
            return refuse(format!(
                "autoencoder.prior has a weight of {weight}, expected 0 or more"
            ));
        }
        image.map_or(Ok(()), |image| autoencoder::check(image).map_err(TrainError::Config))
    }
}
