//! An autoencoder of images: convolutions and a fully connected layer to a latent, and back. With a second head, the
//! encoder of a variational one (Kingma and Welling 2014, <https://arxiv.org/abs/1312.6114>).
//!
//! 4×4 kernels of stride 2 halve the image until its side is odd or 7 at most; at 28×28 that is twice, and a third
//! convolution, 3×3, keeps the size. Batch norm and ReLU follow every convolution but the last of the decoder.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use gan_kernels::{Activation, ConvGeometry, FeatureMaps, activate};

use crate::first_layer::FirstLayer;
use crate::layers::{BatchNorm, Conv2d, ConvTranspose2d, Linear, reshape};

/// 4×4 kernel, stride 2, padding 1: halves or doubles the size.
const HALVE: (usize, ConvGeometry) = (4, ConvGeometry::square(2, 1));
/// 3×3 kernel, stride 1, padding 1: keeps the size.
const KEEP: (usize, ConvGeometry) = (3, ConvGeometry::square(1, 1));
/// Convolutions of an encoder at least.
const FEWEST: usize = 3;

/// The convolutions of an encoder, first to last: channels that come out, kernel and geometry. A decoder has them the other
/// way around.
#[derive(Clone, Debug)]
struct Plan {
    layers: Vec<(usize, (usize, ConvGeometry))>,
    /// Channels, height and width of the last maps.
    last: [usize; 3],
}

impl Plan {
    fn new(width: usize, image: ImageShape) -> std::result::Result<Self, String> {
        let (mut height, mut width_left) = (image.height, image.width);
        let mut layers = Vec::new();
        while height.min(width_left) > 7 && height.is_multiple_of(2) && width_left.is_multiple_of(2)
        {
            layers.push((width << layers.len(), HALVE));
            (height, width_left) = (height / 2, width_left / 2);
        }
        if layers.len() < 2 || height.max(width_left) > 16 {
            return Err(format!(
                "autoencoders take images whose sides halve at least twice, to 16 at most; {image} is not such a size"
            ));
        }
        while layers.len() < FEWEST {
            layers.push((width << layers.len(), KEEP));
        }
        let last = [layers[layers.len() - 1].0, height, width_left];
        Ok(Self { layers, last })
    }

    /// Values of the last maps.
    fn size(&self) -> usize {
        self.last.iter().product()
    }
}

/// Says why there is no autoencoder for an image.
pub fn check(image: ImageShape) -> std::result::Result<(), String> {
    Plan::new(1, image).map(|_| ())
}

/// Images to latents, or to the mean and the variance of a Gaussian of latents.
#[derive(Clone, Debug)]
pub struct Encoder {
    blocks: Vec<(Conv2d, BatchNorm)>,
    to_mean: Linear,
    to_log_variance: Option<Linear>,
}

/// What an encoder makes of images.
#[derive(Clone, Debug)]
pub struct Encoding {
    /// `(N, latent)`: the latent itself, or the mean of its Gaussian.
    pub mean: Tensor,
    /// `(N, latent)`: the logarithm of the variance, from a variational encoder.
    pub log_variance: Option<Tensor>,
}

impl Encoder {
    /// Parameters are named `blocks.{i}.{conv,norm}`, `to_mean` and, for a variational one, `to_log_variance`; `width` is
    /// the channels of the first maps, doubled by each further convolution.
    pub fn new(
        width: usize,
        latent: usize,
        variational: bool,
        image: ImageShape,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let plan = Plan::new(width, image).map_err(candle_core::Error::Msg)?;
        let mut c_in = image.channels;
        let mut blocks = Vec::new();
        for (i, &(c_out, (kernel, geometry))) in plan.layers.iter().enumerate() {
            let (vb, linear) = (vb.pp("blocks").pp(i), Activation::Identity);
            let conv = Conv2d::without_bias(c_in, c_out, kernel, geometry, linear, vb.pp("conv"))?;
            blocks.push((conv, BatchNorm::new(c_out, Activation::Relu, vb.pp("norm"))?));
            c_in = c_out;
        }
        let head = |name| Linear::new(plan.size(), latent, Activation::Identity, vb.pp(name));
        let to_log_variance = variational.then(|| head("to_log_variance")).transpose()?;
        Ok(Self { blocks, to_mean: head("to_mean")?, to_log_variance })
    }

    /// `images`: `(N, C, H, W)` in [−1, 1] → latents.
    pub fn encode(&self, images: &FeatureMaps, train: bool) -> Result<Encoding> {
        let x = self.features(images, train)?;
        let values = |head: &Linear| head.forward(&x)?.to_tensor()?.flatten_from(1);
        Ok(Encoding {
            mean: values(&self.to_mean)?,
            log_variance: self.to_log_variance.as_ref().map(values).transpose()?,
        })
    }

    /// `images`: `(N, C, H, W)` in [−1, 1] → the maps that the heads read.
    pub(crate) fn features(&self, images: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        let mut x = images.clone();
        for (conv, norm) in &self.blocks {
            x = norm.forward_t(&conv.forward(&x)?, train)?; // [N, width·2ⁱ, H/2ⁱ⁺¹, W/2ⁱ⁺¹]
        }
        Ok(x)
    }

    /// What makes the latent or its mean of those maps, and the logarithm of its variance.
    pub(crate) fn heads(&self) -> (&Linear, Option<&Linear>) {
        (&self.to_mean, self.to_log_variance.as_ref())
    }
}

/// Latents to images.
#[derive(Clone, Debug)]
pub struct Decoder {
    from_latent: Linear,
    norm: BatchNorm,
    start: [usize; 3],
    blocks: Vec<(ConvTranspose2d, BatchNorm)>,
    to_image: ConvTranspose2d,
}

impl Decoder {
    /// Parameters are named `from_latent`, `norm`, `blocks.{i}.{conv,norm}` and `to_image`; `width` as the encoder's.
    pub fn new(width: usize, latent: usize, image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        let plan = Plan::new(width, image).map_err(candle_core::Error::Msg)?;
        let start = plan.last;
        let from_latent =
            Linear::new(latent, plan.size(), Activation::Identity, vb.pp("from_latent"))?;
        let mut blocks = Vec::new();
        for (i, pair) in plan.layers.windows(2).rev().enumerate() {
            let [(c_out, _), (c_in, (kernel, geometry))] = *pair else { unreachable!("pairs") };
            let vb = vb.pp("blocks").pp(i);
            let linear = Activation::Identity;
            let conv = ConvTranspose2d::new(c_in, c_out, kernel, geometry, linear, vb.pp("conv"))?;
            blocks.push((conv, BatchNorm::new(c_out, Activation::Relu, vb.pp("norm"))?));
        }
        let (first, (kernel, geometry)) = plan.layers[0];
        let (linear, channels) = (Activation::Identity, image.channels);
        let to_image = vb.pp("to_image");
        Ok(Self {
            from_latent,
            norm: BatchNorm::new(start[0], Activation::Relu, vb.pp("norm"))?,
            start,
            blocks,
            to_image: ConvTranspose2d::with_bias(
                first, channels, kernel, geometry, linear, to_image,
            )?,
        })
    }

    /// From logits to pixels.
    pub(crate) const ACTIVATION: Activation = Activation::Tanh;

    /// What reads the latent first.
    pub(crate) fn first_layer(&self) -> FirstLayer<'_> {
        FirstLayer::linear(&self.from_latent).with_maps(self.start).with_norm(&self.norm)
    }

    /// `z`: `(N, latent)` → images `(N, C, H, W)` in (−1, 1): the tanh of [`Decoder::logits`].
    pub fn images(&self, z: &Tensor, train: bool) -> Result<FeatureMaps> {
        FeatureMaps::from_tensor(&activate(&self.logits(z, train)?, Self::ACTIVATION)?)
    }

    /// `z`: `(N, latent)` → `(N, C, H, W)`, l of any size: a pixel is tanh(l) on the scale [−1, 1], which is the sigmoid
    /// σ(2l) on the scale [0, 1].
    pub fn logits(&self, z: &Tensor, train: bool) -> Result<Tensor> {
        let (n, latent) = z.dims2()?;
        let z = FeatureMaps::from_tensor(&z.reshape((n, latent, 1, 1))?)?;
        let mut x = reshape(&self.from_latent.forward(&z)?, self.start)?;
        x = self.norm.forward_t(&x, train)?;
        for (conv, norm) in &self.blocks {
            x = norm.forward_t(&conv.forward(&x)?, train)?; // the encoder's sizes, last to first
        }
        self.to_image.forward(&x)?.to_tensor()
    }
}
