//! The trainer: a configuration, data and a device become training steps. It touches no disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Result as TensorResult, Tensor};
use candle_nn::ModuleT;
use gan_core::{ImageShape, Stream, image};
use gan_data::{Dataset, Loader, LoaderConfig, Split, Waiting};
use gan_models::{LatentBatch, NetworkSummary};

use crate::checkpoint::{Checkpoint, EMA, FORMAT, Header};
use crate::conditions;
use crate::config::Config;
use crate::error::TrainError;
use crate::family::{Batch, Family};
use crate::gan::Gan;
pub use crate::gan::LATENT_STREAM;
use crate::loss::AdversarialLoss;
use crate::monitor::{Diversity, Finding, Monitor, Observation};
use crate::phase::{Network, Phase};
use crate::record::StepRecord;

/// A run in memory: networks, optimizers, data and random streams at some step.
pub struct Trainer {
    config: Config,
    image: ImageShape,
    device: Device,
    data: Arc<Dataset>,
    loader: Loader,
    pub(crate) family: Family,
    monitor: Monitor,
    findings: Vec<Finding>,
    last: StepRecord,
    lr_factor: f64,
    rollbacks: u32,
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
        let image = data.manifest().sample.as_image();
        config.image = Some(image);
        conditions::check(&config, data.manifest())?;
        conditions::fill_frequencies(&mut config.latent, &data)?;
        if let Some(classifier) = &mut config.classifier {
            classifier.resolve(data.manifest())?;
        }
        config.check()?;
        let loader = Loader::new(data.clone(), Split::Train, loader_config(&config))?;
        let family = Family::new(&config, image, &data, device)?;
        let device = device.clone();
        Ok(Self {
            monitor: Monitor::new(config.monitor.clone()),
            findings: Vec::new(),
            last: StepRecord::default(),
            lr_factor: 1.0,
            rollbacks: 0,
            config,
            image,
            device,
            data,
            loader,
            family,
            step: 0,
            seconds: 0.0,
        })
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
        if !header.imported.is_empty() {
            return Self::begin_with(checkpoint, data, device);
        }
        if data.digest() != header.data_digest {
            return Err(TrainError::Changed(format!(
                "the data is not what the run was trained on (digest {}, the checkpoint says {}); \
                 resume with the same data, prepared with the same options",
                data.digest(),
                header.data_digest
            )));
        }
        let mut trainer = Self::new(header.config.clone(), data.clone(), device)?;
        trainer.family.restore(checkpoint)?;
        let config = trainer.loader_config();
        trainer.loader = Loader::resume(data, Split::Train, config, header.loader)?;
        if let Some(state) = &header.monitor {
            trainer.monitor = Monitor::resume(header.config.monitor.clone(), state.clone());
        }
        trainer.last = header.last.clone().unwrap_or_default();
        trainer.lr_factor = header.lr_factor;
        trainer.rollbacks = header.rollbacks;
        trainer.step = header.step;
        trainer.seconds = header.seconds;
        Ok(trainer)
    }

    /// A run that begins with the weights of a checkpoint, as far as it has them.
    fn begin_with(
        checkpoint: &Checkpoint,
        data: Arc<Dataset>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let (found, expected) = (checkpoint.image()?, data.manifest().sample.as_image());
        if found != expected {
            return Err(TrainError::Config(format!(
                "the imported networks make {found}, the data is {expected}; name other data with --set data.source=DATA, \
                 or another size with --set data.size=N"
            )));
        }
        let mut trainer = Self::new(checkpoint.header.config.clone(), data, device)?;
        for network in Network::GAN {
            if !checkpoint.of_network(network.name()).is_empty() {
                trainer.warm_start(network, checkpoint)?;
            }
        }
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

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
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

    /// Epochs done, where the last step was the last of one.
    pub fn whole_epochs(&self) -> Option<u64> {
        let batches = self.loader.batches_per_epoch() as u64;
        self.step.is_multiple_of(batches).then(|| self.step / batches)
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
        let epoch = batch.epoch;
        let samples = batch.samples.to_device(&self.device)?;
        let pixels = match *samples.dims() {
            [n, dimensions] => samples.reshape((n, dimensions, 1, 1))?, // points, as they are
            _ => image::normalize(&samples)?,                           // [N, C, H, W]
        };
        let per_epoch = self.loader.batches_per_epoch() as u64;
        let batch = Batch { pixels, indices: &batch.indices, data: &self.data, per_epoch };
        let progress = self.step as f64 / self.total_steps().saturating_sub(1).max(1) as f64;
        for trained in self.family.trained_mut() {
            trained.set_learning_rate(progress, self.lr_factor);
        }
        // What is known of a network that this step does not update is as it was.
        let mut record =
            StepRecord { epoch, findings: Vec::new(), more: BTreeMap::new(), ..self.last.clone() };
        gan_kernels::awake(|| self.family.step(&self.config, self.step, &batch, &mut record))?;
        let pixels = batch.pixels;
        let seconds = start.elapsed().as_secs_f64();
        self.step += 1;
        self.seconds += seconds;
        record.step = self.step;
        record.images_seen = self.images_seen();
        record.seconds = self.seconds;
        record.images_per_second = self.config.training.batch_size as f64 / seconds;
        self.watch(&pixels, &mut record)?;
        self.last = record.clone();
        Ok(record)
    }

    /// Asks the monitor about a step, and now and then about the fakes of its batch.
    fn watch(&mut self, pixels: &Tensor, record: &mut StepRecord) -> TensorResult<()> {
        /// Steps from one look at the fakes to the next.
        const DIVERSITY_EVERY: u64 = 64;
        let due = |phase: &&Phase| (self.step - 1).is_multiple_of(phase.every);
        if self.config.phases.iter().filter(due).count() < self.config.phases.len() {
            self.findings.clear();
            return Ok(()); // half of a step says nothing about the game
        }
        let Some(mut observation) = Observation::of(record) else { return Ok(()) };
        if self.config.loss.adversarial == AdversarialLoss::Wasserstein {
            (observation.d_real, observation.d_fake) = (0.5, 0.5); // a critic knows no probabilities
        }
        self.findings = self.monitor.observe(&observation);
        let period = self.config.phases.iter().map(|phase| phase.every).fold(1, lcm);
        let whole_steps = (self.step - 1) / period + 1;
        if whole_steps.is_multiple_of((DIVERSITY_EVERY / period).max(1))
            && self.config.monitor.enabled
            && let Some(fakes) = self.family.gan().and_then(|gan| gan.newest.as_ref())
        {
            let diversity = Diversity::between(&fakes.to_tensor()?, pixels)?;
            record.set("diversity", diversity.share());
            self.findings.extend(self.monitor.observe_diversity(record.images_seen, &diversity));
        }
        let said = |f: &Finding| format!("{}: {}", f.ailment.name(), f.evidence);
        record.findings = self.findings.iter().map(said).collect();
        Ok(())
    }

    /// What the monitor found in the last step.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What the monitor found that has not gone away.
    pub fn lasting_findings(&self) -> Vec<Finding> {
        self.monitor.lasting()
    }

    /// The run at `checkpoint`, with half of this one's learning rates: the same rates would lead to the same numbers.
    pub(crate) fn rolled_back(&self, mut checkpoint: Checkpoint) -> Result<Self, TrainError> {
        checkpoint.header.config = self.config.clone(); // its length may have changed since
        let mut trainer = Self::resume(&checkpoint, self.data.clone(), &self.device)?;
        trainer.lr_factor = self.lr_factor / 2.0;
        trainer.rollbacks = self.rollbacks + 1;
        Ok(trainer)
    }

    /// How often the run was rolled back.
    pub(crate) fn rollbacks(&self) -> u32 {
        self.rollbacks
    }

    /// The latents that sample grids show, the same throughout a run.
    pub fn grid_latents(&self, n: usize) -> TensorResult<LatentBatch> {
        let mut stream = Stream::named("train.grid", self.config.seed);
        self.config.latent.sample(n, &mut stream, &self.device)
    }

    /// Images `(N, C, H, W)` in [-1, 1] of the generator as it is used: with running statistics and, where there is
    /// one, the moving average of its weights.
    ///
    /// # Errors
    /// If the family has no generator.
    pub fn generate(&self, latents: &LatentBatch) -> Result<Tensor, TrainError> {
        let (networks, ema) = match &self.family {
            Family::Gan(gan) => (&gan.networks, &gan.ema),
            Family::Autoencoding(autoencoding) => return Ok(autoencoding.generate(latents)?),
            Family::Classification(_) => {
                return Err(TrainError::Config("a classifier makes no images".into()));
            }
        };
        let z = latents.encode()?;
        let Some(ema) = ema else {
            return Ok(networks.generator.forward_t(&z, false)?.detach());
        };
        let own = networks.trained_generator.store.tensors().into_iter();
        let own = own.map(|(name, var)| (name, var.as_detached_tensor())).collect();
        let averages = ema.averages().map(|(name, average)| (name.to_string(), average.clone()));
        let generator =
            self.config.generator_of_weights(self.image, own, averages, &self.device)?;
        Ok(generator.forward_t(&z, false)?)
    }

    /// Tables of all networks.
    pub fn summaries(&self) -> TensorResult<Vec<NetworkSummary>> {
        let ImageShape { channels, height, width } = self.image;
        let image =
            Tensor::zeros((1, channels, height, width), candle_core::DType::F32, &self.device)?;
        match &self.family {
            Family::Gan(gan) => gan.networks.summaries(&self.grid_latents(1)?.encode()?, &image),
            Family::Classification(classification) => Ok(vec![classification.summary(&image)?]),
            Family::Autoencoding(autoencoding) => {
                autoencoding.summaries(&self.grid_latents(1)?.encode()?, &image)
            }
        }
    }

    /// Everything that [`Trainer::resume`] needs.
    pub fn checkpoint(&self) -> TensorResult<Checkpoint> {
        let mut tensors = std::collections::HashMap::new();
        let mut optimizer_steps = BTreeMap::new();
        for trained in self.family.trained() {
            tensors.extend(trained.state()?);
            optimizer_steps.insert(trained.network.name().to_string(), trained.adam.steps());
        }
        if let Some(Gan { ema: Some(ema), .. }) = self.family.gan() {
            let averages = ema.averages();
            tensors.extend(averages.map(|(name, t)| (format!("{EMA}.{name}"), t.clone())));
        }
        let mut header = Header {
            format: FORMAT,
            config: self.config.clone(),
            step: self.step,
            images_seen: self.images_seen(),
            seconds: self.seconds,
            latents: None,
            monitor: Some(self.monitor.state().clone()),
            lr_factor: self.lr_factor,
            rollbacks: self.rollbacks,
            last: self.config.phases.iter().any(|p| p.every > 1).then(|| self.last.clone()),
            mixing: None,
            loader: self.loader.position(),
            data_digest: self.data.digest().to_string(),
            optimizer_steps,
            imported: Vec::new(),
        };
        self.family.describe(&self.config, &mut header);
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

/// The least common multiple.
fn lcm(a: u64, b: u64) -> u64 {
    let gcd = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (a / gcd(a, b)).saturating_mul(b)
}
