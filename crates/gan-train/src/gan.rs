//! The steps of a GAN: what discriminator, recognizer and generator are moved to.

use candle_core::{DType, Device, Result, Tensor};
use gan_core::{ImageShape, Stream};
use gan_data::Dataset;
use gan_kernels::{Ema, FeatureMaps, backward, gradient_norm};
use gan_models::{CodeEstimate, Distribution, Judgement, LatentBatch, Recognizer};

use crate::checkpoint::{Checkpoint, EMA};
use crate::conditions::Condition;
use crate::config::Config;
use crate::error::TrainError;
use crate::family::{Batch, stream_at};
use crate::loss::{
    accuracy, attribute_accuracy, bce_attributes, cross_entropy, gaussian_nll, scalar,
};
use crate::networks::Networks;
use crate::penalty::{self, MIXING_STREAM, STEP, central_difference};
use crate::phase::Network;
use crate::record::StepRecord;

/// Name of the stream that training latents are drawn from.
pub const LATENT_STREAM: &str = "train.latents";

/// Networks, streams and what the data tells about real images.
pub(crate) struct Gan {
    pub(crate) networks: Networks,
    pub(crate) latents: Stream,
    pub(crate) mixing: Stream,
    pub(crate) ema: Option<Ema>,
    condition: Option<Condition>,
    auxiliary: Option<Condition>,
    device: Device,
    /// The newest fakes, without history.
    pub(crate) newest: Option<FeatureMaps>,
}

/// A batch of real images and what the data tells about them.
struct Real {
    /// `(N, C, H, W)` in [−1, 1].
    pixels: Tensor,
    images: FeatureMaps,
    /// Values of the condition and of the auxiliary head's part, as a latent stores them.
    condition: Option<Tensor>,
    targets: Option<Tensor>,
}

/// A batch of fakes, through which gradients reach the generator.
struct Fakes {
    latents: LatentBatch,
    images: FeatureMaps,
    /// What a conditional discriminator is told about them, and about the real images, whose conditions they have.
    told: Option<Tensor>,
}

impl Gan {
    pub(crate) fn new(
        config: &Config,
        image: ImageShape,
        data: &Dataset,
        device: &Device,
    ) -> std::result::Result<Self, TrainError> {
        let networks = Networks::new(config, image, device)?;
        let find = |name: &Option<String>| {
            name.as_ref().map(|name| Condition::find(&config.latent, name, data)).transpose()
        };
        let parameters = networks.trained_generator.store.parameters();
        Ok(Self {
            ema: config.ema.map(|ema| Ema::new(parameters, ema.decay)).transpose()?,
            networks,
            latents: Stream::named(LATENT_STREAM, config.seed),
            mixing: Stream::named(MIXING_STREAM, config.seed),
            condition: find(&config.gan()?.condition)?,
            auxiliary: find(&config.gan()?.auxiliary)?,
            device: device.clone(),
            newest: None,
        })
    }

    /// Puts back streams and averages; the networks are there already.
    pub(crate) fn restore(
        &mut self,
        checkpoint: &Checkpoint,
    ) -> std::result::Result<(), TrainError> {
        let header = &checkpoint.header;
        self.latents = stream_at(header.latents.as_ref())?;
        if header.mixing.is_some() {
            self.mixing = stream_at(header.mixing.as_ref())?;
        }
        if let Some(ema) = &mut self.ema {
            // A run that kept no average so far begins one at its weights.
            let averages = checkpoint.of_network(EMA);
            let weights = checkpoint.of_network(Network::Generator.name());
            let start = if averages.is_empty() { weights } else { averages };
            ema.load(|name| match start.get(name) {
                Some(average) => Ok(average.clone()),
                None => candle_core::bail!("the moving average of {name} is missing"),
            })?;
        }
        Ok(())
    }

    /// A batch with what the data tells about it.
    fn real(&self, batch: &Batch<'_>) -> std::result::Result<Real, TrainError> {
        let told = |condition: &Option<Condition>| {
            let condition = condition.as_ref();
            condition.map(|c| c.values(batch.data, batch.indices, &self.device)).transpose()
        };
        Ok(Real {
            images: FeatureMaps::from_tensor(&batch.pixels)?,
            pixels: batch.pixels.clone(),
            condition: told(&self.condition)?,
            targets: told(&self.auxiliary)?,
        })
    }

    /// Every phase that is due in step number `step`, counted from 0.
    pub(crate) fn step(
        &mut self,
        config: &Config,
        step: u64,
        batch: &Batch<'_>,
        record: &mut StepRecord,
    ) -> std::result::Result<(), TrainError> {
        let real = self.real(batch)?;
        let game = record.game.get_or_insert_default();
        game.lr_d = self.networks.trained_discriminator.adam.config().lr;
        game.lr_g = self.networks.trained_generator.adam.config().lr;
        Ok(self.phases(config, step, &real, record)?)
    }

    fn phases(
        &mut self,
        config: &Config,
        step: u64,
        real: &Real,
        record: &mut StepRecord,
    ) -> Result<()> {
        // The fakes of a discriminator step serve the generator step that follows, as in PyTorch's
        // example: one generator pass a step instead of two.
        let mut fakes = None;
        for phase in config.phases.iter().filter(|phase| step.is_multiple_of(phase.every)) {
            for _ in 0..phase.steps {
                if phase.network == Network::Generator {
                    let fakes = match fakes.take() {
                        Some(fakes) => fakes,
                        None => self.fakes(config, real)?,
                    };
                    self.unrolled_generator_step(config, real, &fakes, record)?;
                } else {
                    fakes = Some(self.discriminator_step(config, real, record)?);
                }
            }
        }
        Ok(())
    }

    /// Fakes of fresh latents; a conditional GAN's have the conditions of the real images.
    fn fakes(&mut self, config: &Config, real: &Real) -> Result<Fakes> {
        let n = real.images.dims()[0];
        let mut latents = config.latent.sample(n, &mut self.latents, &self.device)?;
        if let (Some(condition), Some(values)) = (&self.condition, &real.condition) {
            latents = latents.with_part(&condition.part, values)?;
        }
        let images = self.networks.generator.images(&latents.encode()?, true)?;
        self.newest = Some(images.detach());
        let condition = self.condition.as_ref();
        let told = condition.map(|condition| latents.encode_part(&condition.part)).transpose()?;
        Ok(Fakes { latents, images, told })
    }

    /// Moves D's logits up on real images and down on fakes, and its heads and Q towards what is true of the images;
    /// returns the fakes.
    fn discriminator_step(
        &mut self,
        config: &Config,
        real: &Real,
        record: &mut StepRecord,
    ) -> Result<Fakes> {
        let fakes = self.fakes(config, real)?;
        let told = fakes.told.as_ref();
        let discriminator = &self.networks.discriminator;
        let on_real = discriminator.judge(&real.images, told, true)?;
        let on_fake = discriminator.judge(&fakes.images.detach(), told, true)?;

        let (game, weights) = (config.loss.adversarial, &config.loss);
        let adversarial =
            (game.discriminator(&on_real.logits, &on_fake.logits, weights.real_target)?
                * weights.discriminator_weight)?;
        let mut loss = adversarial.clone();
        if let Some(on_both) = self.auxiliary_losses(real, &fakes, &on_real, &on_fake, record)? {
            loss = (loss + (on_both * weights.auxiliary_weight)?)?;
        }
        if let Some(recognizer) = &self.networks.recognizer {
            let codes = code_loss(recognizer, &fakes.latents, &on_fake, record)?;
            loss = (loss + (codes * weights.code_weight)?)?;
        }
        if let Some(surrogate) = self.penalty(config, real, &fakes, record)? {
            loss = (loss + surrogate)?;
        }
        let gradients = backward(&loss)?;
        for trained in self.networks.judges_mut() {
            trained.adam.step(&gradients)?;
        }
        let parameters = self.networks.trained_discriminator.store.parameters();
        if let Some(clip) = config.loss.clip {
            penalty::clip_weights(&parameters, clip.bound)?;
        }
        let played = record.game.get_or_insert_default();
        played.grad_norm_d = gradient_norm(&parameters, &gradients)?;
        played.loss_d = scalar(&adversarial)?;
        let boundary = game.boundary();
        let (real_logits, fake_logits) = (values(&on_real.logits)?, values(&on_fake.logits)?);
        played.d_real = mean(real_logits.iter().map(|&logit| game.belief(logit)));
        played.d_fake_before = mean(fake_logits.iter().map(|&logit| game.belief(logit)));
        played.accuracy_real = mean(real_logits.iter().map(|&l| f64::from(l > boundary)));
        played.accuracy_fake = mean(fake_logits.iter().map(|&l| f64::from(l <= boundary)));
        Ok(fakes)
    }

    /// [`Gan::generator_step`] against a discriminator that is some steps ahead, and then back where it was.
    fn unrolled_generator_step(
        &mut self,
        config: &Config,
        real: &Real,
        fakes: &Fakes,
        record: &mut StepRecord,
    ) -> Result<()> {
        if config.unrolling.steps == 0 {
            return self.generator_step(config, fakes, record);
        }
        let before = self
            .networks
            .judges_mut()
            .map(|trained| trained.snapshot())
            .collect::<Result<Vec<_>>>()?;
        for _ in 0..config.unrolling.steps {
            self.discriminator_step(config, real, &mut StepRecord::default())?;
        }
        self.generator_step(config, fakes, record)?;
        for (trained, before) in self.networks.judges_mut().zip(&before) {
            trained.roll_back(before)?;
        }
        Ok(())
    }

    /// Moves G so that D takes its images for real, and so that D's heads and Q find in them what its latents say.
    fn generator_step(
        &mut self,
        config: &Config,
        fakes: &Fakes,
        record: &mut StepRecord,
    ) -> Result<()> {
        let discriminator = &self.networks.frozen_discriminator;
        let judged = discriminator.judge(&fakes.images, fakes.told.as_ref(), true)?;
        let adversarial = config.loss.adversarial.generator(&judged.logits)?;
        let mut loss = adversarial.clone();
        let mut scratch = StepRecord::default();
        if let (Some(condition), Some(logits)) = (&self.auxiliary, &judged.auxiliary) {
            let (auxiliary, _) = auxiliary_loss(condition, &fakes.latents, None, logits)?;
            loss = (loss + (auxiliary * config.loss.auxiliary_weight)?)?;
        }
        if let Some(recognizer) = &self.networks.frozen_recognizer {
            let codes = code_loss(recognizer, &fakes.latents, &judged, &mut scratch)?;
            loss = (loss + (codes * config.loss.code_weight)?)?;
        }
        let gradients = backward(&loss)?;
        let trained = &mut self.networks.trained_generator;
        trained.adam.step(&gradients)?;
        if let Some(ema) = &mut self.ema {
            ema.update()?;
        }
        let played = record.game.get_or_insert_default();
        played.grad_norm_g = gradient_norm(&trained.store.parameters(), &gradients)?;
        played.loss_g = scalar(&adversarial)?;
        let game = config.loss.adversarial;
        played.d_fake_after = mean(values(&judged.logits)?.into_iter().map(|l| game.belief(l)));
        Ok(())
    }

    /// The auxiliary head's losses on real images and on fakes, added up.
    fn auxiliary_losses(
        &self,
        real: &Real,
        fakes: &Fakes,
        on_real: &Judgement,
        on_fake: &Judgement,
        record: &mut StepRecord,
    ) -> Result<Option<Tensor>> {
        let (Some(condition), Some(of_real), Some(of_fake)) =
            (&self.auxiliary, &on_real.auxiliary, &on_fake.auxiliary)
        else {
            return Ok(None);
        };
        let (loss_real, right_real) =
            auxiliary_loss(condition, &fakes.latents, real.targets.as_ref(), of_real)?;
        let (loss_fake, right_fake) = auxiliary_loss(condition, &fakes.latents, None, of_fake)?;
        record.set("loss_auxiliary_real", scalar(&loss_real)?);
        record.set("loss_auxiliary_fake", scalar(&loss_fake)?);
        record.set("accuracy_auxiliary_real", right_real);
        record.set("accuracy_auxiliary_fake", right_fake);
        (loss_real + loss_fake).map(Some)
    }

    /// The configured penalty where it is due, as a scalar to add to D's loss.
    fn penalty(
        &mut self,
        config: &Config,
        real: &Real,
        fakes: &Fakes,
        record: &mut StepRecord,
    ) -> Result<Option<Tensor>> {
        let Some(penalty) = config.loss.penalty else { return Ok(None) };
        if !penalty.is_due(self.networks.trained_discriminator.adam.steps()) {
            return Ok(None);
        }
        // With running statistics, so that samples are judged apart.
        let discriminator = &self.networks.discriminator;
        let judge = |images: &Tensor| {
            let images = FeatureMaps::from_tensor(images)?;
            discriminator.judge(&images, fakes.told.as_ref(), false).map(|judged| judged.logits)
        };
        let images = fakes.images.to_tensor()?.detach();
        let penalty = penalty.evaluate(
            judge,
            central_difference(judge, STEP),
            &real.pixels,
            &images,
            &mut self.mixing,
        )?;
        record.set("penalty", penalty.value);
        Ok(Some(penalty.surrogate))
    }
}

/// Loss and accuracy of the auxiliary head's `logits` `(N, K)` against `targets`, or against what the latents say.
fn auxiliary_loss(
    condition: &Condition,
    latents: &LatentBatch,
    targets: Option<&Tensor>,
    logits: &Tensor,
) -> Result<(Tensor, f64)> {
    let part = latents.latent().part(&condition.part).map(|part| &part.distribution);
    let Some(targets) = targets.or_else(|| latents.part(&condition.part)) else {
        candle_core::bail!("the latent has no part {:?}", condition.part)
    };
    match part {
        Some(Distribution::Categorical { classes, .. }) if *classes > 2 => {
            let classes = targets.flatten_all()?.to_dtype(DType::U32)?;
            Ok((cross_entropy(logits, &classes)?, accuracy(logits, &classes)?))
        }
        _ => Ok((bce_attributes(logits, targets)?, attribute_accuracy(logits, targets)?)),
    }
}

/// How badly Q recovers the codes of fakes, in nats: minus the mutual information's lower bound, up to the codes' own
/// entropy, which is constant (Chen et al. 2016, eq. 5).
fn code_loss(
    recognizer: &Recognizer,
    latents: &LatentBatch,
    judged: &Judgement,
    record: &mut StepRecord,
) -> Result<Tensor> {
    let estimates = recognizer.estimates(&judged.features, true)?;
    let mut losses = Vec::new();
    for (part, estimate) in recognizer.codes().iter().zip(estimates) {
        let Some(values) = latents.part(&part.name) else {
            candle_core::bail!("the latent has no part {:?}", part.name)
        };
        let loss = match estimate {
            CodeEstimate::Classes(logits) => {
                let (n, count, classes) = logits.dims3()?;
                let logits = logits.reshape((n * count, classes))?;
                let values = values.flatten_all()?.to_dtype(DType::U32)?;
                record.set(&format!("accuracy_code_{}", part.name), accuracy(&logits, &values)?);
                (cross_entropy(&logits, &values)? * count as f64)? // a sum over the choices
            }
            CodeEstimate::Mean(mean) => gaussian_nll(&mean, &mean.zeros_like()?, values)?,
        };
        record.set(&format!("loss_code_{}", part.name), scalar(&loss)?);
        losses.push(loss);
    }
    Tensor::stack(&losses, 0)?.sum_all()
}

fn values(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}
