//! What of a generator reads the latent first: where directions with a meaning are looked for.

use candle_core::{Result, Tensor, bail};
use gan_kernels::FeatureMaps;

use crate::generator::Generator;
use crate::layers::{BatchNorm, ConvTranspose2d, Linear, reshape};

/// The first layer of a generator: a linear map of the latent, then perhaps a batch norm, with the activation of either.
#[derive(Clone, Copy, Debug)]
pub struct FirstLayer<'a> {
    weighted: Weighted<'a>,
    /// Channels, height and width of the maps that a fully connected layer's values become before the norm.
    maps: Option<[usize; 3]>,
    norm: Option<&'a BatchNorm>,
}

/// A layer on a map of one pixel, which makes it a matrix.
#[derive(Clone, Copy, Debug)]
enum Weighted<'a> {
    Linear(&'a Linear),
    ConvTranspose(&'a ConvTranspose2d),
}

impl<'a> FirstLayer<'a> {
    /// A fully connected layer with its own activation.
    pub(crate) fn linear(layer: &'a Linear) -> Self {
        Self { weighted: Weighted::Linear(layer), maps: None, norm: None }
    }

    /// A transposed convolution on one pixel.
    pub(crate) fn conv_transpose(layer: &'a ConvTranspose2d) -> Self {
        Self { weighted: Weighted::ConvTranspose(layer), maps: None, norm: None }
    }

    /// The same layer with a batch norm after it.
    pub(crate) fn with_norm(self, norm: &'a BatchNorm) -> Self {
        Self { norm: Some(norm), ..self }
    }

    /// The same layer, whose values become maps before the norm.
    pub(crate) fn with_maps(self, maps: [usize; 3]) -> Self {
        Self { maps: Some(maps), ..self }
    }

    /// The matrix `(values that come out, encoded latent)` of the linear map.
    ///
    /// # Errors
    /// If it cuts pixels away, so that its weight is not the matrix.
    pub fn weight(&self) -> Result<Tensor> {
        match self.weighted {
            Weighted::Linear(layer) => Ok(layer.weight().clone()),
            Weighted::ConvTranspose(layer) => layer.matrix(),
        }
    }

    /// `z`: `(N, encoded latent)` → `(N, values)`: what comes out of norm and activation, as in use after training.
    pub fn activations(&self, z: &Tensor) -> Result<Tensor> {
        let (n, latent) = z.dims2()?;
        let z = FeatureMaps::from_tensor(&z.reshape((n, latent, 1, 1))?)?;
        let mut x = match self.weighted {
            Weighted::Linear(layer) => layer.forward(&z)?,
            Weighted::ConvTranspose(layer) => layer.forward(&z)?,
        };
        if let Some(maps) = self.maps {
            x = reshape(&x, maps)?;
        }
        if let Some(norm) = self.norm {
            x = norm.forward_t(&x, false)?;
        }
        x.to_tensor()?.flatten_from(1)
    }
}

impl Generator {
    /// The layer that reads the latent first. With skip-z later ones read it too.
    ///
    /// # Errors
    /// If the latent goes through something else first, as lists of layers can have it.
    pub fn first_layer(&self) -> Result<FirstLayer<'_>> {
        match self {
            Self::Decoder(network) => Ok(network.first_layer()),
            Self::Conv(network) => Ok(network.first_layer()),
            Self::Dcgan(network) => Ok(network.first_layer()),
            Self::Fc(network) => Ok(network.first_layer()),
            Self::FcConv(network) => Ok(network.first_layer()),
            Self::InfoGan(network) => Ok(network.first_layer()),
            Self::Layers(network) => match network.first_layer() {
                Some(layer) => Ok(layer),
                None => bail!(
                    "the generator's layers begin with neither a linear layer nor a transposed convolution of one pixel"
                ),
            },
            Self::Mlp(network) => Ok(network.first_layer()),
        }
    }
}
