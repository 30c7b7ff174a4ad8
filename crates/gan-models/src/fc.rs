//! Fully connected networks for images, in the manner of the first GANs on MNIST (Goodfellow et al.
//! 2014, <https://arxiv.org/abs/1406.2661>, section 5).
//!
//! The discriminator is M3 of experiment G: on 28×28 gray images it has 1,460,225 parameters, where
//! the paper has maxout units. The generator mirrors it. Weights are drawn as PyTorch's default.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use gan_kernels::{Activation, FeatureMaps};

use crate::first_layer::FirstLayer;
use crate::layers::{Dropout, Linear, reshape};

/// Sizes of the generator's hidden layers; the discriminator has them in reverse order.
const HIDDEN: [usize; 3] = [256, 512, 1024];
const LEAKY: Activation = Activation::LeakyRelu(0.2);
/// Share of the discriminator's hidden values that training sets to 0.
const DROPOUT: f64 = 0.3;

/// Says why there are no such networks for an image.
pub fn check(image: ImageShape) -> std::result::Result<(), String> {
    if !matches!(image.channels, 1 | 3) {
        return Err(format!("fc makes images of 1 or 3 channels, not {}", image.channels));
    }
    if image.bytes() == 0 {
        return Err(format!("fc makes images of 1×1 pixels or more, not {image}"));
    }
    Ok(())
}

/// Fully connected layers from a latent to an image.
#[derive(Clone, Debug)]
pub struct Generator {
    hidden: Vec<Linear>,
    to_image: Linear,
    image: [usize; 3],
}

impl Generator {
    /// Parameters are named `hidden.{i}` and `to_image`.
    pub fn new(latent: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        check(image).map_err(candle_core::Error::Msg)?;
        let mut size = latent;
        let mut hidden = Vec::new();
        for (i, next) in HIDDEN.into_iter().enumerate() {
            hidden.push(Linear::new(size, next, LEAKY, vb.pp("hidden").pp(i))?);
            size = next;
        }
        let to_image = Linear::new(size, image.bytes(), Activation::Tanh, vb.pp("to_image"))?;
        Ok(Self { hidden, to_image, image: [image.channels, image.height, image.width] })
    }

    /// What reads the latent first.
    pub(crate) fn first_layer(&self) -> FirstLayer<'_> {
        FirstLayer::linear(&self.hidden[0])
    }

    /// `z`: `(N, latent)` → images `(N, C, H, W)` in (−1, 1). Training makes no difference.
    pub fn images(&self, z: &Tensor, _train: bool) -> Result<FeatureMaps> {
        let mut x = FeatureMaps::from_tensor(z)?;
        for layer in &self.hidden {
            x = layer.forward(&x)?; // [N, 256], [N, 512], [N, 1024]
        }
        reshape(&self.to_image.forward(&x)?, self.image)
    }
}

/// Fully connected layers with dropout from an image to one logit.
#[derive(Clone, Debug)]
pub struct Discriminator {
    hidden: Vec<(Linear, Dropout)>,
    to_logit: Linear,
}

impl Discriminator {
    /// Parameters are named `hidden.{i}` and `to_logit`, and `dropout.{i}` holds what the masks are
    /// drawn from. `in_channels` are the image's, and those of maps beside it.
    pub fn new(in_channels: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        check(image).map_err(candle_core::Error::Msg)?;
        let mut size = in_channels * image.height * image.width;
        let mut hidden = Vec::new();
        for (i, next) in HIDDEN.into_iter().rev().enumerate() {
            let linear = Linear::new(size, next, LEAKY, vb.pp("hidden").pp(i))?;
            hidden.push((linear, Dropout::new(DROPOUT, vb.pp("dropout").pp(i))?));
            size = next;
        }
        let to_logit = Linear::new(size, 1, Activation::Identity, vb.pp("to_logit"))?;
        Ok(Self { hidden, to_logit })
    }

    /// `images`: `(N, in_channels, H, W)` in [−1, 1] → features `(N, 256, 1, 1)`.
    pub fn features(&self, images: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        let mut x = images.clone();
        for (linear, dropout) in &self.hidden {
            x = dropout.forward_t(&linear.forward(&x)?, train)?; // [N, 1024], [N, 512], [N, 256]
        }
        Ok(x)
    }

    /// `(C, H, W)` of [`Self::features`].
    pub fn feature_dims(&self) -> [usize; 3] {
        [HIDDEN[0], 1, 1]
    }

    /// [`Self::features`] → logits `(N,)`, positive for real.
    pub fn logits_of(&self, features: &FeatureMaps) -> Result<Tensor> {
        self.to_logit.forward(features)?.to_tensor()?.flatten_all()
    }

    /// `images`: `(N, in_channels, H, W)` in [−1, 1] → logits `(N,)`, positive for real.
    pub fn logits(&self, images: &FeatureMaps, train: bool) -> Result<Tensor> {
        self.logits_of(&self.features(images, train)?)
    }
}
