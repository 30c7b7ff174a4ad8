//! Small networks for points instead of images (Metz et al. 2017, unrolled GAN,
//! <https://arxiv.org/abs/1611.02163>, section 3.1 and appendix A), with which mode collapse is seen
//! in the plane.
//!
//! A point of D coordinates travels as an image of one pixel and D channels. Deviations: weights are
//! drawn as PyTorch's default, not orthogonal; the discriminator has two hidden layers, as the
//! generator, and takes coordinates as they are, without a division by 4.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use gan_kernels::{Activation, FeatureMaps};

use crate::first_layer::FirstLayer;
use crate::layers::Linear;

/// Size of the hidden layers.
const HIDDEN: usize = 128;

/// Says why an image is no point.
pub fn check(image: ImageShape) -> std::result::Result<(), String> {
    let ImageShape { channels, height, width } = image;
    if (height, width) != (1, 1) || channels == 0 {
        return Err(format!(
            "mlp makes points, which have 1×1 pixels and a channel for each coordinate, not \
             {width}×{height} pixels of {channels} channels"
        ));
    }
    Ok(())
}

/// Three fully connected layers from `size` to `outputs` values.
fn layers(size: usize, outputs: usize, last: &str, vb: VarBuilder<'_>) -> Result<[Linear; 3]> {
    let relu = Activation::Relu;
    Ok([
        Linear::new(size, HIDDEN, relu, vb.pp("hidden.0"))?,
        Linear::new(HIDDEN, HIDDEN, relu, vb.pp("hidden.1"))?,
        Linear::new(HIDDEN, outputs, Activation::Identity, vb.pp(last))?,
    ])
}

/// Fully connected layers from a latent to a point.
#[derive(Clone, Debug)]
pub struct Generator {
    layers: [Linear; 3],
}

impl Generator {
    /// Parameters are named `hidden.{i}` and `to_point`; the point's coordinates are the image's
    /// channels.
    pub fn new(latent: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        check(image).map_err(candle_core::Error::Msg)?;
        Ok(Self { layers: layers(latent, image.channels, "to_point", vb)? })
    }

    /// What reads the latent first.
    pub(crate) fn first_layer(&self) -> FirstLayer<'_> {
        FirstLayer::linear(&self.layers[0])
    }

    /// `z`: `(N, latent)` → points `(N, D, 1, 1)`, unbounded. Training makes no difference.
    pub fn points(&self, z: &Tensor, _train: bool) -> Result<FeatureMaps> {
        let [first, second, to_point] = &self.layers;
        let x = first.forward(&FeatureMaps::from_tensor(z)?)?; // [N, 128]
        to_point.forward(&second.forward(&x)?)
    }
}

/// Fully connected layers from a point to one logit.
#[derive(Clone, Debug)]
pub struct Discriminator {
    layers: [Linear; 3],
}

impl Discriminator {
    /// Parameters are named `hidden.{i}` and `to_logit`. `in_channels` are the point's coordinates,
    /// and values beside them.
    pub fn new(in_channels: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        check(image).map_err(candle_core::Error::Msg)?;
        Ok(Self { layers: layers(in_channels, 1, "to_logit", vb)? })
    }

    /// `points`: `(N, in_channels, 1, 1)` → features `(N, 128, 1, 1)`. Training makes no difference.
    pub fn features(&self, points: &FeatureMaps, _train: bool) -> Result<FeatureMaps> {
        let [first, second, _] = &self.layers;
        second.forward(&first.forward(points)?)
    }

    /// `(C, H, W)` of [`Self::features`].
    pub fn feature_dims(&self) -> [usize; 3] {
        [HIDDEN, 1, 1]
    }

    /// [`Self::features`] → logits `(N,)`, positive for real.
    pub fn logits_of(&self, features: &FeatureMaps) -> Result<Tensor> {
        let [.., to_logit] = &self.layers;
        to_logit.forward(features)?.to_tensor()?.flatten_all()
    }

    /// `points`: `(N, in_channels, 1, 1)` → logits `(N,)`, positive for real.
    pub fn logits(&self, points: &FeatureMaps, train: bool) -> Result<Tensor> {
        self.logits_of(&self.features(points, train)?)
    }
}
