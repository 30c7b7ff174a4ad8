//! Which networks a run has: generator and discriminator, each chosen by name.

use candle_core::{Result, Tensor};
use candle_nn::{ModuleT, VarBuilder};
use serde::{Deserialize, Serialize};

use crate::dcgan;
use crate::latent::Latent;
use gan_core::ImageShape;
use gan_kernels::FeatureMaps;

/// The networks of a run and their widths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Which generator.
    pub generator: GeneratorKind,
    /// Which discriminator.
    pub discriminator: DiscriminatorKind,
    /// Channels of the generator's last map before the image (`ngf`).
    pub generator_width: usize,
    /// Channels of the discriminator's first map (`ndf`).
    pub discriminator_width: usize,
}

/// The generators there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneratorKind {
    /// [`dcgan::Generator`].
    Dcgan,
}

/// The discriminators there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiscriminatorKind {
    /// [`dcgan::Discriminator`].
    Dcgan,
}

/// Names of the models with a line each, for `info --models`.
pub const MODELS: &[(&str, &str)] = &[(
    "dcgan",
    "generator and discriminator; transposed and strided 4×4 convolutions with batch norm, square \
     images of 28 to 128 pixels, 1 or 3 channels (Radford et al. 2016)",
)];

/// A generator: latents to images.
#[derive(Clone, Debug)]
pub enum Generator {
    /// [`dcgan::Generator`].
    Dcgan(dcgan::Generator),
}

/// A discriminator: images to logits.
#[derive(Clone, Debug)]
pub enum Discriminator {
    /// [`dcgan::Discriminator`].
    Dcgan(dcgan::Discriminator),
}

impl ModelConfig {
    /// Says why these networks cannot be built for such images.
    pub fn check(&self, image: ImageShape) -> std::result::Result<(), String> {
        if self.generator_width == 0 || self.discriminator_width == 0 {
            return Err("a network's width is 1 or more, not 0".into());
        }
        dcgan::Plan::new(image).map(|_| ())
    }

    /// Builds the generator.
    pub fn generator(
        &self,
        latent: &Latent,
        image: ImageShape,
        vb: VarBuilder<'_>,
    ) -> Result<Generator> {
        match self.generator {
            GeneratorKind::Dcgan => {
                let plan = dcgan::Plan::new(image).map_err(candle_core::Error::Msg)?;
                let size = latent.encoded_size();
                dcgan::Generator::new(plan, size, self.generator_width, image, vb)
                    .map(Generator::Dcgan)
            }
        }
    }

    /// Builds the discriminator.
    pub fn discriminator(&self, image: ImageShape, vb: VarBuilder<'_>) -> Result<Discriminator> {
        match self.discriminator {
            DiscriminatorKind::Dcgan => {
                let plan = dcgan::Plan::new(image).map_err(candle_core::Error::Msg)?;
                dcgan::Discriminator::new(plan, self.discriminator_width, image, vb)
                    .map(Discriminator::Dcgan)
            }
        }
    }
}

impl Generator {
    /// `z`: `(N, latent)` → images `(N, C, H, W)` in [−1, 1], for a discriminator to look at.
    pub fn images(&self, z: &Tensor, train: bool) -> Result<FeatureMaps> {
        match self {
            Self::Dcgan(network) => network.images(z, train),
        }
    }
}

impl Discriminator {
    /// `images`: `(N, C, H, W)` in [−1, 1] → logits `(N,)`, positive for real.
    pub fn logits(&self, images: &FeatureMaps, train: bool) -> Result<Tensor> {
        match self {
            Self::Dcgan(network) => network.logits(images, train),
        }
    }
}

impl ModuleT for Generator {
    /// `z`: `(N, encoded latent)` → images `(N, C, H, W)` in [−1, 1].
    fn forward_t(&self, z: &Tensor, train: bool) -> Result<Tensor> {
        match self {
            Self::Dcgan(network) => network.forward_t(z, train),
        }
    }
}

impl ModuleT for Discriminator {
    /// `images`: `(N, C, H, W)` in [−1, 1] → logits `(N,)`.
    fn forward_t(&self, images: &Tensor, train: bool) -> Result<Tensor> {
        match self {
            Self::Dcgan(network) => network.forward_t(images, train),
        }
    }
}
