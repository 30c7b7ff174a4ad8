//! Training of an autoencoder: encoder and decoder, moved together to reproduce images, and latents held to a prior.

use candle_core::{Device, Result as TensorResult, Tensor};
use gan_core::{ImageShape, Stream};
use gan_kernels::{FeatureMaps, backward, gradient_norm};
use gan_models::autoencoder::{Decoder, Encoder, Encoding};
use gan_models::{LatentBatch, NetworkSummary, ParamStore, summary};

use crate::config::{AutoencoderConfig, Config, Prior};
use crate::error::TrainError;
use crate::family::Batch;
use crate::loss::{kl_to_standard_normal, moment_errors, scalar, squared_error};
use crate::networks::Trained;
use crate::phase::Network;
use crate::record::StepRecord;
use crate::trainer::LATENT_STREAM;

/// Encoder and decoder with what they learn.
pub(crate) struct Autoencoding {
    config: AutoencoderConfig,
    encoder: Encoder,
    pub(crate) decoder: Decoder,
    pub(crate) trained: [Trained; 2],
    /// What the Gaussians of a variational encoder are drawn with.
    pub(crate) latents: Stream,
}

impl Autoencoding {
    pub(crate) fn new(
        config: &Config,
        autoencoder: &AutoencoderConfig,
        image: ImageShape,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let size = config.latent.encoded_size();
        let [e, d] = Network::AUTOENCODER
            .map(|network| ParamStore::seeded(network.name(), config.seed, device));
        let (width, variational) = (autoencoder.width, autoencoder.is_variational());
        Ok(Self {
            config: *autoencoder,
            encoder: Encoder::new(width, size, variational, image, e.trainable())?,
            decoder: Decoder::new(width, size, image, d.trainable())?,
            trained: [
                Trained::new(Network::Encoder, e, config)?,
                Trained::new(Network::Decoder, d, config)?,
            ],
            latents: Stream::named(LATENT_STREAM, config.seed),
        })
    }

    /// Moves both networks on a batch; `progress` is how much of its epoch has passed.
    pub(crate) fn step(
        &mut self,
        batch: &Batch<'_>,
        progress: f64,
        record: &mut StepRecord,
    ) -> Result<(), TrainError> {
        let images = FeatureMaps::from_tensor(&batch.pixels)?;
        let encoding = self.encoder.encode(&images, true)?;
        let z = self.draw(&encoding)?;
        let logits = self.decoder.logits(&z, true)?;
        let reconstruction = self.config.compare(&logits, &batch.pixels)?;
        let mut loss = reconstruction.clone();
        if let Some(prior) = self.config.prior {
            let weight = prior.weight(record.epoch, progress);
            let weighted = (self.prior_loss(&encoding, record)? * weight)?;
            loss = (loss + &weighted)?;
            record.set("prior_weight", weight);
            if matches!(prior, Prior::Moments { .. }) {
                record.set("loss_weighted_z", scalar(&weighted)?);
            }
        }
        let gradients = backward(&loss)?;
        let mut squares = 0.0;
        for trained in &mut self.trained {
            trained.adam.step(&gradients)?;
            squares += gradient_norm(&trained.store.parameters(), &gradients)?.powi(2);
        }
        let count = batch.pixels.elem_count() as f64;
        record.set("loss", scalar(&loss)?);
        record.set("loss_reconstruction", scalar(&reconstruction)?);
        record.set("mse", scalar(&squared_error(&logits.tanh()?, &batch.pixels)?)? / count);
        record.set("grad_norm", squares.sqrt());
        record.set("lr", self.trained[0].adam.config().lr);
        Ok(())
    }

    /// The latents that the decoder gets: drawn from their Gaussians, z = μ + ε·exp(½ ln σ²), where there are such.
    fn draw(&mut self, encoding: &Encoding) -> TensorResult<Tensor> {
        let mean = &encoding.mean;
        let Some(log_variance) = &encoding.log_variance else { return Ok(mean.clone()) };
        let noise: Vec<f32> = (0..mean.elem_count()).map(|_| self.latents.normal()).collect();
        let noise = Tensor::from_vec(noise, mean.dims(), mean.device())?;
        mean + (noise * (log_variance * 0.5)?.exp()?)?
    }

    /// What the prior asks for, before its weight.
    fn prior_loss(&self, encoding: &Encoding, record: &mut StepRecord) -> TensorResult<Tensor> {
        if let (Some(Prior::Kl { .. }), Some(log_variance)) =
            (self.config.prior, &encoding.log_variance)
        {
            let loss = kl_to_standard_normal(&encoding.mean, log_variance)?;
            record.set("loss_kl", scalar(&loss)?);
            return Ok(loss);
        }
        let [mean, variance, kurtosis, error] = moment_errors(&encoding.mean)?;
        for (name, value) in
            [("z_mean", &mean), ("z_variance", &variance), ("z_kurtosis", &kurtosis)]
        {
            record.set(name, scalar(value)?);
        }
        record.set("loss_z", scalar(&error)?);
        Ok(error)
    }

    /// Images in (−1, 1) of latents, with running statistics.
    pub(crate) fn generate(&self, latents: &LatentBatch) -> TensorResult<Tensor> {
        Ok(self.decoder.images(&latents.encode()?, false)?.to_tensor()?.detach())
    }

    /// Tables of both networks, on one latent as it is read and one image.
    pub(crate) fn summaries(
        &self,
        z: &Tensor,
        image: &Tensor,
    ) -> TensorResult<Vec<NetworkSummary>> {
        let image = FeatureMaps::from_tensor(image)?;
        Ok(vec![
            summary::summarize("encoder", || Ok(self.encoder.encode(&image, false)?.mean))?,
            summary::summarize("decoder", || self.decoder.logits(z, false))?,
        ])
    }
}
