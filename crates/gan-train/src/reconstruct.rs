//! A trained autoencoder at work: images to latents and back.

use candle_core::{Device, Tensor};
use gan_core::ImageShape;
use gan_kernels::FeatureMaps;
use gan_models::Generator;
use gan_models::autoencoder::Encoder;

use crate::batches::check_shape;
use crate::checkpoint::{Checkpoint, Weights};
use crate::error::TrainError;
use crate::phase::Network;

/// Encoder and decoder with the weights of a checkpoint and running statistics: images go through them one by one.
pub struct ImageAutoencoder {
    encoder: Encoder,
    decoder: Generator,
    image: ImageShape,
    device: Device,
}

impl ImageAutoencoder {
    /// The autoencoder of a checkpoint.
    ///
    /// # Errors
    /// If the checkpoint is of another family, or its tensors are not whole.
    pub fn new(checkpoint: &Checkpoint, device: &Device) -> Result<Self, TrainError> {
        let config = &checkpoint.header.config;
        let Some(autoencoder) = &config.autoencoder else {
            return Err(TrainError::Config(format!(
                "a run of {:?} is no autoencoder; train vae or mnist-autoencoder (a GAN's latents of real images are found \
                 by inversion)",
                config.preset
            )));
        };
        let image = checkpoint.image()?;
        let store = checkpoint.store(Network::Encoder.name(), device);
        let (size, variational) = (config.latent.encoded_size(), autoencoder.is_variational());
        let encoder = Encoder::new(autoencoder.width, size, variational, image, store.frozen())?;
        let decoder = checkpoint.generator_of(Weights::Trained, device)?;
        Ok(Self { encoder, decoder, image, device: device.clone() })
    }

    /// `images`: `(N, C, H, W)` in [−1, 1] → latents `(N, K)`; of a variational one the means.
    ///
    /// # Errors
    /// If the images are not of its size.
    pub fn encode(&self, images: &Tensor) -> Result<Tensor, TrainError> {
        check_shape("the autoencoder", self.image, images)?;
        let images = FeatureMaps::from_tensor(&images.to_device(&self.device)?)?;
        Ok(self.encoder.encode(&images, false)?.mean)
    }

    /// Latents `(N, K)` → images `(N, C, H, W)` in (−1, 1).
    ///
    /// # Errors
    /// If the latents are not of its size.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor, TrainError> {
        Ok(self.decoder.images(latents, false)?.to_tensor()?)
    }
}
