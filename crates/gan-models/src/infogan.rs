//! InfoGAN's networks for MNIST (Chen et al. 2016, <https://arxiv.org/abs/1606.03657>, appendix C.1): a fully connected
//! layer of 1024 between latent or logit and the maps, where codes and noise meet before anything has a place.
//!
//! Deviations: weights are drawn from N(0, 0.02) as DCGAN's, images lie in (−1, 1) by a tanh, any square image whose side is
//! a multiple of 4. Layers before a batch norm have no bias.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};

use crate::conv::quarter;
use crate::first_layer::FirstLayer;
use crate::layers::{BatchNorm, Conv2d, ConvTranspose2d};

/// Units of the fully connected layer.
const HIDDEN: usize = 1024;
/// Channels of the maps of a quarter of the image's side and of half.
const WIDTHS: [usize; 2] = [128, 64];
/// 4×4 kernel, stride 2, padding 1: doubles or halves the size.
const KERNEL: usize = 4;
const DOUBLE: ConvGeometry = ConvGeometry::square(2, 1);
/// From and to 1×1: a fully connected layer.
const WHOLE: ConvGeometry = ConvGeometry::square(1, 0);
const LEAKY: Activation = Activation::LeakyRelu(0.1);

/// Says why there are no such networks for an image.
pub fn check(image: ImageShape) -> std::result::Result<(), String> {
    quarter("infogan", image).map(|_| ())
}

/// Two fully connected layers and two transposed convolutions from a latent to an image.
#[derive(Clone, Debug)]
pub struct Generator {
    blocks: Vec<(ConvTranspose2d, BatchNorm)>,
    to_image: ConvTranspose2d,
}

impl Generator {
    /// Parameters are named `blocks.{i}.{conv,norm}` and `to_image`.
    pub fn new(latent: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        let side = quarter("infogan", image).map_err(candle_core::Error::Msg)?;
        let block = |i: usize, c_in, c_out, kernel, geometry| {
            let (vb, linear) = (vb.pp("blocks").pp(i), Activation::Identity);
            let conv = ConvTranspose2d::new(c_in, c_out, kernel, geometry, linear, vb.pp("conv"))?;
            Ok::<_, candle_core::Error>((
                conv,
                BatchNorm::new(c_out, Activation::Relu, vb.pp("norm"))?,
            ))
        };
        let [quarter, half] = WIDTHS;
        let (tanh, vb) = (Activation::Tanh, vb.pp("to_image"));
        Ok(Self {
            blocks: vec![
                block(0, latent, HIDDEN, 1, WHOLE)?,
                block(1, HIDDEN, quarter, side, WHOLE)?,
                block(2, quarter, half, KERNEL, DOUBLE)?,
            ],
            to_image: ConvTranspose2d::new(half, image.channels, KERNEL, DOUBLE, tanh, vb)?,
        })
    }

    /// What reads the latent first.
    pub(crate) fn first_layer(&self) -> FirstLayer<'_> {
        let (conv, norm) = &self.blocks[0];
        FirstLayer::conv_transpose(conv).with_norm(norm)
    }

    /// `z`: `(N, latent)` → images `(N, C, S, S)` in (−1, 1).
    pub fn images(&self, z: &Tensor, train: bool) -> Result<FeatureMaps> {
        let mut x = FeatureMaps::from_tensor(z)?; // [N, latent, 1, 1]
        for (conv, norm) in &self.blocks {
            x = norm.forward_t(&conv.forward(&x)?, train)?; // 1×1, S/4×S/4, S/2×S/2
        }
        self.to_image.forward(&x)
    }
}

/// Two convolutions and a fully connected layer from an image to features, and the logit from these.
#[derive(Clone, Debug)]
pub struct Discriminator {
    from_image: Conv2d,
    blocks: Vec<(Conv2d, BatchNorm)>,
    to_logit: Conv2d,
}

impl Discriminator {
    /// Parameters are named `from_image`, `blocks.{i}.{conv,norm}` and `to_logit`.
    pub fn new(in_channels: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        let side = quarter("infogan", image).map_err(candle_core::Error::Msg)?;
        let conv = |c_in, c_out, kernel, geometry, activation, vb| {
            Conv2d::new(c_in, c_out, kernel, geometry, activation, vb)
        };
        let block = |i: usize, c_in, c_out, kernel, geometry| {
            let vb = vb.pp("blocks").pp(i);
            let layer = conv(c_in, c_out, kernel, geometry, Activation::Identity, vb.pp("conv"))?;
            Ok::<_, candle_core::Error>((layer, BatchNorm::new(c_out, LEAKY, vb.pp("norm"))?))
        };
        let [quarter, half] = WIDTHS;
        let to_logit = vb.pp("to_logit");
        Ok(Self {
            from_image: conv(in_channels, half, KERNEL, DOUBLE, LEAKY, vb.pp("from_image"))?,
            blocks: vec![
                block(0, half, quarter, KERNEL, DOUBLE)?,
                block(1, quarter, HIDDEN, side, WHOLE)?,
            ],
            to_logit: conv(HIDDEN, 1, 1, WHOLE, Activation::Identity, to_logit)?,
        })
    }

    /// `images`: `(N, C_in, S, S)` in [−1, 1] → `(N, 1024, 1, 1)`, what the paper's Q builds on.
    pub fn features(&self, images: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        let mut x = self.from_image.forward(images)?;
        for (conv, norm) in &self.blocks {
            x = norm.forward_t(&conv.forward(&x)?, train)?; // S/4×S/4, 1×1
        }
        Ok(x)
    }

    /// Channels, height and width of the features.
    pub fn feature_dims(&self) -> [usize; 3] {
        [HIDDEN, 1, 1]
    }

    /// Features → logits `(N,)`, positive for real.
    pub fn logits_of(&self, features: &FeatureMaps) -> Result<Tensor> {
        self.to_logit.forward(features)?.to_tensor()?.flatten_all()
    }

    /// `images`: `(N, C_in, S, S)` in [−1, 1] → logits `(N,)`, positive for real.
    pub fn logits(&self, images: &FeatureMaps, train: bool) -> Result<Tensor> {
        self.logits_of(&self.features(images, train)?)
    }
}
