//! The trainer: a configuration, data and a device become training steps. It touches no disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Result as TensorResult, Tensor};
use candle_nn::ModuleT;
use gan_core::{ImageShape, Stream, image};
use gan_data::{Dataset, Loader, LoaderConfig, Split, Waiting};
use gan_kernels::{FeatureMaps, backward, bce_with_logits, gradient_norm};
use gan_models::{LatentBatch, NetworkSummary, summary};

use crate::checkpoint::{Checkpoint, FORMAT, Header};
use crate::config::Config;
use crate::error::TrainError;
use crate::networks::Networks;
use crate::phase::Network;
use crate::record::StepRecord;

/// Name of the stream that training latents are drawn from.
pub const LATENT_STREAM: &str = "train.latents";

/// A run in memory: networks, optimizers, data and random streams at some step.
pub struct Trainer {
    config: Config,
    image: ImageShape,
    device: Device,
    data: Arc<Dataset>,
    loader: Loader,
    networks: Networks,
    latents: Stream,
    step: u64,
    seconds: f64,
}

impl Trainer {
    /// A run at its beginning. The data decides the size of the images.
    pub fn new(
        mut config: Config,
        data: Arc<Dataset>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let image = data.image_shape()?;
        config.image = Some(image);
        config.check()?;
        let loader = Loader::new(data.clone(), Split::Train, loader_config(&config))?;
        let networks = Networks::new(&config, image, device)?;
        let latents = Stream::named(LATENT_STREAM, config.seed);
        let device = device.clone();
        Ok(Self { config, image, device, data, loader, networks, latents, step: 0, seconds: 0.0 })
    }

    /// The run that `checkpoint` was taken of; its next step is the one that would have followed.
    ///
    /// `data` must be what the run saw.
    pub fn resume(
        checkpoint: &Checkpoint,
        data: Arc<Dataset>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let header = &checkpoint.header;
        if data.digest() != header.data_digest {
            return Err(TrainError::Config(format!(
                "the data is not what the run was trained on (digest {}, the checkpoint says {}); \
                 resume with the same data, prepared with the same options",
                data.digest(),
                header.data_digest
            )));
        }
        let mut trainer = Self::new(header.config.clone(), data.clone(), device)?;
        for trained in trainer.networks.all_mut() {
            let steps = header.optimizer_steps.get(trained.network.name()).copied().unwrap_or(0);
            trained.restore(&checkpoint.tensors, steps)?;
        }
        trainer.latents = Stream::at(&header.latents).ok_or_else(|| {
            TrainError::Config("the checkpoint's stream position is damaged".into())
        })?;
        let config = trainer.loader_config();
        trainer.loader = Loader::resume(data, Split::Train, config, header.loader)?;
        trainer.step = header.step;
        trainer.seconds = header.seconds;
        Ok(trainer)
    }

    /// How often the next batch was ready so far.
    pub fn waiting(&self) -> Waiting {
        self.loader.waiting()
    }

    /// How the run's batches are served.
    pub fn loader_config(&self) -> LoaderConfig {
        loader_config(&self.config)
    }

    /// The resolved configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Changes the length of the run; nothing else about it.
    pub fn set_length(&mut self, length: crate::config::Length) {
        self.config.training.length = length;
    }

    /// The data that is trained on.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Steps that the configured length asks for.
    pub fn total_steps(&self) -> u64 {
        let training = &self.config.training;
        training.length.steps(self.loader.batches_per_epoch(), training.batch_size)
    }

    /// Real images seen.
    pub fn images_seen(&self) -> u64 {
        self.step * self.config.training.batch_size as u64
    }

    /// Seconds of training so far.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// One step: every configured phase on the next batch of real images.
    pub fn step(&mut self) -> Result<StepRecord, TrainError> {
        let start = Instant::now();
        let batch = self.loader.next_batch()?;
        let real = image::normalize(&batch.samples.to_device(&self.device)?)?; // [N, C, H, W]
        let real = FeatureMaps::from_tensor(&real)?;
        let mut record = StepRecord {
            epoch: batch.epoch,
            lr_d: self.networks.trained_discriminator.adam.config().lr,
            lr_g: self.networks.trained_generator.adam.config().lr,
            ..StepRecord::default()
        };
        gan_kernels::awake(|| self.phases(&real, &mut record))?;
        let seconds = start.elapsed().as_secs_f64();
        self.step += 1;
        self.seconds += seconds;
        record.step = self.step;
        record.images_seen = self.images_seen();
        record.seconds = self.seconds;
        record.images_per_second = self.config.training.batch_size as f64 / seconds;
        Ok(record)
    }

    /// Every configured phase on one batch.
    fn phases(&mut self, real: &FeatureMaps, record: &mut StepRecord) -> TensorResult<()> {
        // The fakes of a discriminator step serve the generator step that follows, as in PyTorch's
        // example: one generator pass a step instead of two.
        let mut fakes = None;
        for phase in self.config.phases.clone() {
            for _ in 0..phase.steps {
                match phase.network {
                    Network::Discriminator => {
                        fakes = Some(self.discriminator_step(real, record)?);
                    }
                    Network::Generator => {
                        let fakes = match fakes.take() {
                            Some(fakes) => fakes,
                            None => self.fakes(real.dims()[0])?,
                        };
                        self.generator_step(&fakes, record)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Fresh fakes `(N, C, H, W)`, through which gradients reach the generator.
    fn fakes(&mut self, n: usize) -> TensorResult<FeatureMaps> {
        let z = self.config.latent.sample(n, &mut self.latents, &self.device)?;
        self.networks.generator.images(&z.encode()?, true)
    }

    /// Moves D's logits up on real images and down on fakes; returns the fakes.
    fn discriminator_step(
        &mut self,
        real: &FeatureMaps,
        record: &mut StepRecord,
    ) -> TensorResult<FeatureMaps> {
        let fakes = self.fakes(real.dims()[0])?;
        let real_logits = self.networks.discriminator.logits(real, true)?; // [N]
        let fake_logits = self.networks.discriminator.logits(&fakes.detach(), true)?; // [N]
        let loss = (bce_with_logits(&real_logits, 1.0)? + bce_with_logits(&fake_logits, 0.0)?)?;
        let gradients = backward(&loss)?;
        let trained = &mut self.networks.trained_discriminator;
        trained.adam.step(&gradients)?;
        record.grad_norm_d = gradient_norm(&trained.store.parameters(), &gradients)?;
        record.loss_d = scalar(&loss)?;
        let (real_logits, fake_logits) = (values(&real_logits)?, values(&fake_logits)?);
        record.d_real = mean(real_logits.iter().map(|&logit| sigmoid(logit)));
        record.d_fake_before = mean(fake_logits.iter().map(|&logit| sigmoid(logit)));
        record.accuracy_real = mean(real_logits.iter().map(|&logit| f64::from(logit > 0.0)));
        record.accuracy_fake = mean(fake_logits.iter().map(|&logit| f64::from(logit <= 0.0)));
        Ok(fakes)
    }

    /// Moves G so that D's logits on its images go up (the non-saturating loss of Goodfellow et al.
    /// 2014, section 3).
    fn generator_step(&mut self, fakes: &FeatureMaps, record: &mut StepRecord) -> TensorResult<()> {
        let logits = self.networks.frozen_discriminator.logits(fakes, true)?; // [N]
        let loss = bce_with_logits(&logits, 1.0)?;
        let gradients = backward(&loss)?;
        let trained = &mut self.networks.trained_generator;
        trained.adam.step(&gradients)?;
        record.grad_norm_g = gradient_norm(&trained.store.parameters(), &gradients)?;
        record.loss_g = scalar(&loss)?;
        record.d_fake_after = mean(values(&logits)?.into_iter().map(sigmoid));
        Ok(())
    }

    /// The latents that sample grids show, the same throughout a run.
    pub fn grid_latents(&self, n: usize) -> TensorResult<LatentBatch> {
        let mut stream = Stream::named("train.grid", self.config.seed);
        self.config.latent.sample(n, &mut stream, &self.device)
    }

    /// Images `(N, C, H, W)` in [-1, 1] of the generator as it is used, with running statistics.
    pub fn generate(&self, latents: &LatentBatch) -> TensorResult<Tensor> {
        Ok(self.networks.generator.forward_t(&latents.encode()?, false)?.detach())
    }

    /// Tables of both networks.
    pub fn summaries(&self) -> TensorResult<Vec<NetworkSummary>> {
        let z = self.grid_latents(1)?;
        let ImageShape { channels, height, width } = self.image;
        let image =
            Tensor::zeros((1, channels, height, width), candle_core::DType::F32, &self.device)?;
        Ok(vec![
            summary::summarize("generator", || self.generate(&z))?,
            summary::summarize("discriminator", || {
                self.networks.discriminator.forward_t(&image, false)
            })?,
        ])
    }

    /// Everything that [`Trainer::resume`] needs.
    pub fn checkpoint(&self) -> TensorResult<Checkpoint> {
        let mut tensors = std::collections::HashMap::new();
        let mut optimizer_steps = BTreeMap::new();
        for trained in self.networks.all() {
            tensors.extend(trained.state()?);
            optimizer_steps.insert(trained.network.name().to_string(), trained.adam.steps());
        }
        let header = Header {
            format: FORMAT,
            config: self.config.clone(),
            step: self.step,
            images_seen: self.images_seen(),
            seconds: self.seconds,
            latents: self.latents.position(),
            loader: self.loader.position(),
            data_digest: self.data.digest().to_string(),
            optimizer_steps,
        };
        Ok(Checkpoint { header, tensors })
    }
}

fn loader_config(config: &Config) -> LoaderConfig {
    LoaderConfig {
        batch_size: config.training.batch_size,
        sampling: config.data.sampling.clone(),
        flips: config.data.flips,
        seed: config.seed,
    }
}

fn scalar(tensor: &Tensor) -> TensorResult<f64> {
    Ok(f64::from(tensor.to_scalar::<f32>()?))
}

fn values(tensor: &Tensor) -> TensorResult<Vec<f64>> {
    Ok(tensor.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}
