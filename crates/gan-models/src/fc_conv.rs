//! M1 of experiment G: a generator that begins fully connected and ends in transposed convolutions.
//!
//! At latent 50 and 28×28 gray images it has 675,025 parameters. Other sizes and colour change what
//! the source fixes: the layer that becomes 16 maps of a quarter of the image's side, and the last
//! layer's channels. Weights are drawn as PyTorch's default.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};

use crate::conv::quarter;
use crate::first_layer::FirstLayer;
use crate::layers::{ConvTranspose2d, Linear, reshape};

/// Size of the two hidden layers.
const HIDDEN: usize = 500;
/// Channels of the maps that the fully connected part ends in.
const MAPS: usize = 16;
/// 4×4 kernel, stride 2, padding 1: doubles the size.
const DOUBLE: ConvGeometry = ConvGeometry::square(2, 1);
/// 3×3 kernel, stride 1, padding 1: keeps the size.
const KEEP: ConvGeometry = ConvGeometry::square(1, 1);

/// Says why there is no such generator for an image.
pub fn check(image: ImageShape) -> std::result::Result<(), String> {
    quarter("fc-conv", image).map(|_| ())
}

/// Fully connected layers, then transposed convolutions, from a latent to an image.
#[derive(Clone, Debug)]
pub struct Generator {
    hidden: Vec<Linear>,
    side: usize,
    blocks: [ConvTranspose2d; 2],
    to_image: ConvTranspose2d,
}

impl Generator {
    /// Parameters are named `hidden.{i}`, `blocks.{i}` and `to_image`.
    pub fn new(latent: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        let side = quarter("fc-conv", image).map_err(candle_core::Error::Msg)?;
        let sizes = [latent, HIDDEN, HIDDEN, MAPS * side * side];
        let hidden = sizes
            .windows(2)
            .enumerate()
            .map(|(i, s)| Linear::new(s[0], s[1], Activation::Relu, vb.pp("hidden").pp(i)))
            .collect::<Result<_>>()?;
        let up = |i: usize, c_out| {
            let vb = vb.pp("blocks").pp(i);
            ConvTranspose2d::with_bias(MAPS, c_out, 4, DOUBLE, Activation::Relu, vb)
        };
        let blocks = [up(0, MAPS)?, up(1, MAPS / 2)?];
        let (channels, vb) = (image.channels, vb.pp("to_image"));
        let to_image =
            ConvTranspose2d::with_bias(MAPS / 2, channels, 3, KEEP, Activation::Tanh, vb)?;
        Ok(Self { hidden, side, blocks, to_image })
    }

    /// What reads the latent first.
    pub(crate) fn first_layer(&self) -> FirstLayer<'_> {
        FirstLayer::linear(&self.hidden[0])
    }

    /// `z`: `(N, latent)` → images `(N, C, S, S)` in (−1, 1). Training makes no difference.
    pub fn images(&self, z: &Tensor, _train: bool) -> Result<FeatureMaps> {
        let mut x = FeatureMaps::from_tensor(z)?;
        for layer in &self.hidden {
            x = layer.forward(&x)?; // [N, 500], [N, 500], [N, 16·(S/4)²]
        }
        let mut x = reshape(&x, [MAPS, self.side, self.side])?; // [N, 16, S/4, S/4]
        for block in &self.blocks {
            x = block.forward(&x)?; // [N, 16, S/2, S/2], [N, 8, S, S]
        }
        self.to_image.forward(&x)
    }
}
