//! A plain convolutional pair without batch norm (experiment G's `mnist-conv`).
//!
//! What is left of DCGAN (Radford et al. 2016, <https://arxiv.org/abs/1511.06434>) without its batch
//! norm and its initial weights: two strided 4×4 convolutions each way, biases, and weights drawn as
//! PyTorch's default.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};

use crate::first_layer::FirstLayer;
use crate::layers::{Conv2d, ConvTranspose2d, Linear, reshape};

/// Channels of the maps of half the image's side and of a quarter.
const WIDTHS: [usize; 2] = [32, 64];
/// 4×4 kernel, stride 2, padding 1: doubles or halves the size.
const KERNEL: usize = 4;
const DOUBLE: ConvGeometry = ConvGeometry::square(2, 1);
const LEAKY: Activation = Activation::LeakyRelu(0.2);

/// Says why there are no such networks for an image.
pub fn check(image: ImageShape) -> std::result::Result<(), String> {
    quarter("conv", image).map(|_| ())
}

/// A quarter of the side of an image that a `model` of two halvings can have, or why it cannot.
pub(crate) fn quarter(model: &str, image: ImageShape) -> std::result::Result<usize, String> {
    if !matches!(image.channels, 1 | 3) {
        return Err(format!("{model} makes images of 1 or 3 channels, not {}", image.channels));
    }
    let side = image.width;
    if side != image.height || side == 0 || !side.is_multiple_of(4) {
        return Err(format!(
            "{model} makes square images whose side is a multiple of 4 (28, 32, 64, …), not {image}"
        ));
    }
    Ok(side / 4)
}

/// A fully connected layer and two transposed convolutions from a latent to an image.
#[derive(Clone, Debug)]
pub struct Generator {
    from_latent: Linear,
    side: usize,
    block: ConvTranspose2d,
    to_image: ConvTranspose2d,
}

impl Generator {
    /// Parameters are named `from_latent`, `block` and `to_image`.
    pub fn new(latent: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        let side = quarter("conv", image).map_err(candle_core::Error::Msg)?;
        let [half, narrow] = WIDTHS;
        let size = narrow * side * side;
        let relu = Activation::Relu;
        let up = |c_in, c_out, activation, name| {
            ConvTranspose2d::with_bias(c_in, c_out, KERNEL, DOUBLE, activation, vb.pp(name))
        };
        Ok(Self {
            from_latent: Linear::new(latent, size, relu, vb.pp("from_latent"))?,
            side,
            block: up(narrow, half, relu, "block")?,
            to_image: up(half, image.channels, Activation::Tanh, "to_image")?,
        })
    }

    /// What reads the latent first.
    pub(crate) fn first_layer(&self) -> FirstLayer<'_> {
        FirstLayer::linear(&self.from_latent)
    }

    /// `z`: `(N, latent)` → images `(N, C, S, S)` in (−1, 1). Training makes no difference.
    pub fn images(&self, z: &Tensor, _train: bool) -> Result<FeatureMaps> {
        let x = self.from_latent.forward(&FeatureMaps::from_tensor(z)?)?; // [N, 64·(S/4)²]
        let x = reshape(&x, [WIDTHS[1], self.side, self.side])?; // [N, 64, S/4, S/4]
        let x = self.block.forward(&x)?; // [N, 32, S/2, S/2]
        self.to_image.forward(&x)
    }
}

/// Two convolutions and a fully connected layer from an image to one logit.
#[derive(Clone, Debug)]
pub struct Discriminator {
    from_image: Conv2d,
    block: Conv2d,
    to_logit: Linear,
    side: usize,
}

impl Discriminator {
    /// Parameters are named `from_image`, `block` and `to_logit`. `in_channels` are the image's, and
    /// those of maps beside it.
    pub fn new(in_channels: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        let side = quarter("conv", image).map_err(candle_core::Error::Msg)?;
        let [half, narrow] = WIDTHS;
        let size = narrow * side * side;
        let down =
            |c_in, c_out, name| Conv2d::with_bias(c_in, c_out, KERNEL, DOUBLE, LEAKY, vb.pp(name));
        Ok(Self {
            from_image: down(in_channels, half, "from_image")?,
            block: down(half, narrow, "block")?,
            to_logit: Linear::new(size, 1, Activation::Identity, vb.pp("to_logit"))?,
            side,
        })
    }

    /// `images`: `(N, in_channels, S, S)` in [−1, 1] → features `(N, 64, S/4, S/4)`. Training makes no
    /// difference.
    pub fn features(&self, images: &FeatureMaps, _train: bool) -> Result<FeatureMaps> {
        self.block.forward(&self.from_image.forward(images)?)
    }

    /// `(C, H, W)` of [`Self::features`].
    pub fn feature_dims(&self) -> [usize; 3] {
        [WIDTHS[1], self.side, self.side]
    }

    /// [`Self::features`] → logits `(N,)`, positive for real.
    pub fn logits_of(&self, features: &FeatureMaps) -> Result<Tensor> {
        self.to_logit.forward(features)?.to_tensor()?.flatten_all()
    }

    /// `images`: `(N, in_channels, S, S)` in [−1, 1] → logits `(N,)`, positive for real.
    pub fn logits(&self, images: &FeatureMaps, train: bool) -> Result<Tensor> {
        self.logits_of(&self.features(images, train)?)
    }
}
