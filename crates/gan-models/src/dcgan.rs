//! DCGAN (Radford et al. 2016, <https://arxiv.org/abs/1511.06434>, fig. 1 and section 3), with the
//! widths of PyTorch's example at 64×64. Tensors are NCHW f32.
//!
//! A stage doubles the size; a plan starts at 4 to 7 pixels, so that 28 = 7·2², 32 = 4·2³,
//! 64 = 4·2⁴ and 128 = 4·2⁵ are all reached exactly. Deviation from the paper: none at 64×64; other
//! sizes have fewer or more stages.
//!
//! On request the latent reaches every block of the generator, not the first alone: skip-z (Brock et al. 2019,
//! <https://arxiv.org/abs/1809.11096>, section 3). There the latent sets gains and biases of conditional batch norms; here,
//! where batch norm is not conditional, the whole latent lies beside the maps as constant channels, which shift each
//! channel of the next maps. The layer that makes the image has the maps alone: the latent would add the
//! same 2×2 pixels all over it.

use candle_core::{Result, Tensor};
use candle_nn::{ModuleT, VarBuilder};
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};

use crate::first_layer::FirstLayer;
use crate::layers::{BatchNorm, Conv2d, ConvTranspose2d};
use gan_core::ImageShape;

/// 4×4 kernel, stride 2, padding 1: doubles or halves the size.
const KERNEL: usize = 4;
const DOUBLE: ConvGeometry = ConvGeometry::square(2, 1);
/// From and to 1×1: the kernel is as large as the map.
const WHOLE: ConvGeometry = ConvGeometry::square(1, 0);
const LEAKY: Activation = Activation::LeakyRelu(0.2);

/// The stages that lead to an image size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Side of the smallest map, 4 to 7 pixels.
    pub start: usize,
    /// How often the side is doubled to the image's.
    pub doublings: usize,
}

impl Plan {
    /// The plan for an image, or why there is none.
    pub fn new(image: ImageShape) -> std::result::Result<Self, String> {
        let refused = || {
            Err(format!(
                "dcgan makes square images whose side is 4, 5, 6 or 7 times a power of two (28, 32, \
                 40, 48, 56, 64, 80, 96, 112, 128, …), not {image}"
            ))
        };
        if image.width != image.height {
            return refused();
        }
        if !matches!(image.channels, 1 | 3) {
            return Err(format!("dcgan makes images of 1 or 3 channels, not {}", image.channels));
        }
        let mut plan = Self { start: image.width, doublings: 0 };
        while plan.start > 7 && plan.start.is_multiple_of(2) {
            plan = Self { start: plan.start / 2, doublings: plan.doublings + 1 };
        }
        match plan {
            Self { start: 4..=7, doublings: 1.. } => Ok(plan),
            _ => refused(),
        }
    }

    /// Channels of the maps from the smallest to the largest but the image itself.
    fn widths(self, base: usize) -> Vec<usize> {
        (0..self.doublings).rev().map(|i| base << i).collect()
    }
}

/// Stack of 4×4 transposed convolutions from a latent to an image.
#[derive(Clone, Debug)]
pub struct Generator {
    blocks: Vec<(ConvTranspose2d, BatchNorm)>,
    to_image: ConvTranspose2d,
    skip_z: bool,
}

impl Generator {
    /// Parameters are named `blocks.{i}.{conv,norm}` and `to_image`; `width` is the channels of the
    /// last map before the image. With `skip_z` every block reads the latent.
    pub fn new(
        plan: Plan,
        latent: usize,
        width: usize,
        skip_z: bool,
        image: ImageShape,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let mut c_in = latent;
        let mut blocks = Vec::new();
        for (i, c_out) in plan.widths(width).into_iter().enumerate() {
            let (kernel, geometry) = if i == 0 { (plan.start, WHOLE) } else { (KERNEL, DOUBLE) };
            let vb = vb.pp("blocks").pp(i);
            let conv = ConvTranspose2d::new(
                c_in,
                c_out,
                kernel,
                geometry,
                Activation::Identity,
                vb.pp("conv"),
            )?;
            blocks.push((conv, BatchNorm::new(c_out, Activation::Relu, vb.pp("norm"))?));
            c_in = if skip_z { c_out + latent } else { c_out };
        }
        let to_image = ConvTranspose2d::new(
            width,
            image.channels,
            KERNEL,
            DOUBLE,
            Activation::Tanh,
            vb.pp("to_image"),
        )?;
        Ok(Self { blocks, to_image, skip_z })
    }
}

impl Generator {
    /// What reads the latent first.
    pub(crate) fn first_layer(&self) -> FirstLayer<'_> {
        let (conv, norm) = &self.blocks[0]; // a plan has one doubling at least
        FirstLayer::conv_transpose(conv).with_norm(norm)
    }

    /// `z`: `(N, latent)` → images `(N, C, S, S)` in (−1, 1), for a discriminator to look at.
    pub fn images(&self, z: &Tensor, train: bool) -> Result<FeatureMaps> {
        let (n, latent) = z.dims2()?;
        let mut x = FeatureMaps::from_tensor(&z.reshape((n, latent, 1, 1))?)?;
        for (i, (conv, norm)) in self.blocks.iter().enumerate() {
            if self.skip_z && i > 0 {
                x = x.with_constant_channels(z)?; // [N, C + latent, start·2ⁱ⁻¹, start·2ⁱ⁻¹]
            }
            x = norm.forward_t(&conv.forward(&x)?, train)?; // [N, C, start·2ⁱ, start·2ⁱ]
        }
        self.to_image.forward(&x)
    }
}

impl ModuleT for Generator {
    /// `z`: `(N, latent)` → images `(N, C, S, S)` in (−1, 1).
    fn forward_t(&self, z: &Tensor, train: bool) -> Result<Tensor> {
        self.images(z, train)?.to_tensor()
    }
}

/// Stack of 4×4 convolutions from an image to one logit.
#[derive(Clone, Debug)]
pub struct Discriminator {
    from_image: Conv2d,
    blocks: Vec<(Conv2d, BatchNorm)>,
    to_logit: Conv2d,
    features: [usize; 3],
}

impl Discriminator {
    /// Parameters are named `from_image`, `blocks.{i}.{conv,norm}` and `to_logit`; `width` is the
    /// channels of the first map, `c_in` those of the image and of what comes with it.
    pub fn new(plan: Plan, width: usize, c_in: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let widths: Vec<usize> = plan.widths(width).into_iter().rev().collect();
        let from_image = Conv2d::new(c_in, widths[0], KERNEL, DOUBLE, LEAKY, vb.pp("from_image"))?;
        let mut blocks = Vec::new();
        for (i, pair) in widths.windows(2).enumerate() {
            let vb = vb.pp("blocks").pp(i);
            let conv =
                Conv2d::new(pair[0], pair[1], KERNEL, DOUBLE, Activation::Identity, vb.pp("conv"))?;
            blocks.push((conv, BatchNorm::new(pair[1], LEAKY, vb.pp("norm"))?));
        }
        let last = widths[widths.len() - 1];
        let to_logit =
            Conv2d::new(last, 1, plan.start, WHOLE, Activation::Identity, vb.pp("to_logit"))?;
        Ok(Self { from_image, blocks, to_logit, features: [last, plan.start, plan.start] })
    }
}

impl Discriminator {
    /// `images`: `(N, C_in, S, S)` in [−1, 1] → the last maps, [`Discriminator::feature_dims`].
    pub fn features(&self, images: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        let mut x = self.from_image.forward(images)?;
        for (conv, norm) in &self.blocks {
            x = norm.forward_t(&conv.forward(&x)?, train)?; // [N, C·2ⁱ, S/2ⁱ, S/2ⁱ]
        }
        Ok(x)
    }

    /// Channels, height and width of the features.
    pub fn feature_dims(&self) -> [usize; 3] {
        self.features
    }

    /// Features → logits `(N,)`, positive for real.
    pub fn logits_of(&self, features: &FeatureMaps) -> Result<Tensor> {
        self.to_logit.forward(features)?.to_tensor()?.flatten_all()
    }
}
