//! A generator, chosen by name.

use candle_core::{Result, Tensor};
use candle_nn::ModuleT;
use gan_kernels::FeatureMaps;

use crate::{autoencoder, conv, dcgan, fc, fc_conv, infogan, layered, mlp};

/// A generator: latents to images, or to points as images of one pixel.
#[derive(Clone, Debug)]
pub enum Generator {
    /// [`autoencoder::Decoder`].
    Decoder(autoencoder::Decoder),
    /// [`conv::Generator`].
    Conv(conv::Generator),
    /// [`dcgan::Generator`].
    Dcgan(dcgan::Generator),
    /// [`fc::Generator`].
    Fc(fc::Generator),
    /// [`fc_conv::Generator`].
    FcConv(fc_conv::Generator),
    /// [`infogan::Generator`].
    InfoGan(infogan::Generator),
    /// [`layered::Generator`].
    Layers(layered::Generator),
    /// [`mlp::Generator`].
    Mlp(mlp::Generator),
}

impl Generator {
    /// `z`: `(N, encoded latent)` → images `(N, C, H, W)` in [−1, 1], for a discriminator to look at.
    pub fn images(&self, z: &Tensor, train: bool) -> Result<FeatureMaps> {
        match self {
            Self::Decoder(network) => network.images(z, train),
            Self::Conv(network) => network.images(z, train),
            Self::Dcgan(network) => network.images(z, train),
            Self::Fc(network) => network.images(z, train),
            Self::FcConv(network) => network.images(z, train),
            Self::InfoGan(network) => network.images(z, train),
            Self::Layers(network) => network.images(z, train),
            Self::Mlp(network) => network.points(z, train),
        }
    }
}

impl ModuleT for Generator {
    /// `z`: `(N, encoded latent)` → images `(N, C, H, W)` in [−1, 1].
    fn forward_t(&self, z: &Tensor, train: bool) -> Result<Tensor> {
        self.images(z, train)?.to_tensor()
    }
}
