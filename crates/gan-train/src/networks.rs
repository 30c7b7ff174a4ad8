//! The networks of a GAN with their parameters and optimizers.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor};
use candle_nn::ModuleT;
use gan_core::ImageShape;
use gan_kernels::{Adam, FeatureMaps};
use gan_models::{Discriminator, Generator, NetworkSummary, ParamStore, Recognizer, summary};

use crate::config::{Config, OptimizerConfig};
use crate::error::TrainError;
use crate::phase::Network;

/// A network's parameters and their optimizer.
pub(crate) struct Trained {
    pub(crate) network: Network,
    pub(crate) store: ParamStore,
    pub(crate) adam: Adam,
    optimizer: OptimizerConfig,
}

/// Everything of a [`Trained`] at one moment.
pub(crate) struct Snapshot {
    tensors: HashMap<String, Tensor>,
    optimizer_steps: u64,
}

impl Trained {
    /// A network with the optimizer that the configuration gives it, at its first step.
    pub(crate) fn new(
        network: Network,
        store: ParamStore,
        config: &Config,
    ) -> std::result::Result<Self, TrainError> {
        let optimizer = *config.optimizer.of(network)?;
        let adam = Adam::new(store.parameters(), optimizer.adam())?;
        Ok(Self { network, store, adam, optimizer })
    }

    /// Sets the learning rate that its schedule has after `progress` of the run, times `factor`.
    pub(crate) fn set_learning_rate(&mut self, progress: f64, factor: f64) {
        let scheduled = self.optimizer.schedule.factor(progress);
        self.adam.set_learning_rate(self.optimizer.lr * factor * scheduled);
    }

    /// Everything that resuming needs, under the names it has in a checkpoint.
    pub(crate) fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let network = self.network.name();
        let weights = self.store.tensors().into_iter();
        let mut state: Vec<(String, Tensor)> = weights
            .map(|(name, var)| (format!("{network}.{name}"), var.as_detached_tensor()))
            .collect();
        let moments = self.adam.state()?.into_iter();
        state.extend(moments.map(|(name, m)| (format!("optimizer.{network}.{name}"), m)));
        Ok(state)
    }

    /// Puts back what [`Trained::state`] gave.
    pub(crate) fn restore(&mut self, tensors: &HashMap<String, Tensor>, steps: u64) -> Result<()> {
        let network = self.network.name();
        let get = |name: String| match tensors.get(&name) {
            Some(tensor) => Ok(tensor.clone()),
            None => candle_core::bail!("tensor {name} is missing"),
        };
        self.store.load(|name| get(format!("{network}.{name}")))?;
        self.adam.load_state(steps, |name| get(format!("optimizer.{network}.{name}")))
    }

    /// A copy of weights, running statistics and optimizer.
    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        let copy = |(name, tensor): (String, Tensor)| Ok((name, tensor.copy()?));
        let tensors = self.state()?.into_iter().map(copy).collect::<Result<_>>()?;
        Ok(Snapshot { tensors, optimizer_steps: self.adam.steps() })
    }

    /// Puts everything back as it was.
    pub(crate) fn roll_back(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.restore(&snapshot.tensors, snapshot.optimizer_steps)
    }
}

/// The networks of a GAN.
///
/// What a generator's phase goes through is there a second time without gradients for its parameters; it shares the
/// values, so that it follows every update.
pub(crate) struct Networks {
    pub(crate) generator: Generator,
    pub(crate) discriminator: Discriminator,
    pub(crate) frozen_discriminator: Discriminator,
    pub(crate) recognizer: Option<Recognizer>,
    pub(crate) frozen_recognizer: Option<Recognizer>,
    pub(crate) trained_generator: Trained,
    pub(crate) trained_discriminator: Trained,
    pub(crate) trained_recognizer: Option<Trained>,
}

impl Networks {
    /// Networks with the initial weights of the configuration's seed.
    pub(crate) fn new(
        config: &Config,
        image: ImageShape,
        device: &Device,
    ) -> std::result::Result<Self, TrainError> {
        let (model, latent) = (config.gan()?, &config.latent);
        let [g, d, q] =
            Network::GAN.map(|network| ParamStore::seeded(network.name(), config.seed, device));
        let generator = model.generator(latent, image, g.trainable())?;
        let discriminator = model.discriminator(latent, image, d.trainable())?;
        let frozen_discriminator = model.discriminator(latent, image, d.frozen())?;
        let recognizer = model.recognizer(latent, &discriminator, q.trainable())?;
        let frozen_recognizer = model.recognizer(latent, &discriminator, q.frozen())?;
        let trained = |network, store| Trained::new(network, store, config);
        let trained_recognizer =
            recognizer.is_some().then(|| trained(Network::Recognizer, q)).transpose()?;
        Ok(Self {
            generator,
            discriminator,
            frozen_discriminator,
            recognizer,
            frozen_recognizer,
            trained_generator: trained(Network::Generator, g)?,
            trained_discriminator: trained(Network::Discriminator, d)?,
            trained_recognizer,
        })
    }

    /// Tables of the networks, on one latent as they read it and one image.
    pub(crate) fn summaries(&self, z: &Tensor, image: &Tensor) -> Result<Vec<NetworkSummary>> {
        let mut summaries = vec![
            summary::summarize("generator", || self.generator.forward_t(z, false))?,
            summary::summarize("discriminator", || self.discriminator.forward_t(image, false))?,
        ];
        if let Some(recognizer) = &self.recognizer {
            let images = FeatureMaps::from_tensor(image)?;
            let features = self.discriminator.judge(&images, None, false)?.features;
            summaries.push(summary::summarize("recognizer", || {
                recognizer.estimates(&features, false).map(|_| z.clone())
            })?);
        }
        Ok(summaries)
    }

    /// All networks with their optimizers.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Trained> {
        [&self.trained_generator, &self.trained_discriminator]
            .into_iter()
            .chain(&self.trained_recognizer)
    }

    /// All networks with their optimizers, to be changed.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Trained> {
        [&mut self.trained_generator, &mut self.trained_discriminator]
            .into_iter()
            .chain(&mut self.trained_recognizer)
    }

    /// Those that judge: the discriminator and, where there is one, the recognizer.
    pub(crate) fn judges_mut(&mut self) -> impl Iterator<Item = &mut Trained> {
        [&mut self.trained_discriminator].into_iter().chain(&mut self.trained_recognizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::Preset;

    #[test]
    fn a_roll_back_is_exact_for_weights_statistics_and_optimizers()
    -> std::result::Result<(), crate::TrainError> {
        let mut config = Preset::find("infogan-mnist")?.config()?;
        let model = config.model.as_mut().expect("a GAN");
        (model.generator_width, model.discriminator_width) = (2, 2);
        let image = ImageShape { channels: 1, height: 28, width: 28 };
        let mut networks = Networks::new(&config, image, &Device::Cpu)?;
        let values = |trained: &Trained| -> Result<Vec<(String, Vec<f32>)>> {
            let state = trained.state()?.into_iter();
            state.map(|(name, t)| Ok((name, t.flatten_all()?.to_vec1::<f32>()?))).collect()
        };
        let z =
            Tensor::ones((2, config.latent.encoded_size()), candle_core::DType::F32, &Device::Cpu)?;
        for round in 0..2 {
            let before = networks.judges_mut().map(|t| t.snapshot()).collect::<Result<Vec<_>>>()?;
            let expected = networks.judges_mut().map(|t| values(t)).collect::<Result<Vec<_>>>()?;
            for _ in 0..3 {
                let fakes = networks.generator.images(&z, true)?;
                let judged = networks.discriminator.judge(&fakes, None, true)?;
                let loss = judged.logits.sqr()?.sum_all()?;
                let gradients = gan_kernels::backward(&loss)?;
                for trained in networks.judges_mut() {
                    trained.adam.step(&gradients)?;
                }
            }
            let moved = networks.judges_mut().map(|t| values(t)).collect::<Result<Vec<_>>>()?;
            assert!(moved[0] != expected[0], "round {round}");
            for (trained, before) in networks.judges_mut().zip(&before) {
                trained.roll_back(before)?;
            }
            let after = networks.judges_mut().map(|t| values(t)).collect::<Result<Vec<_>>>()?;
            assert!(after == expected, "round {round}");
            assert!(networks.all().all(|trained| trained.adam.steps() == 0));
        }
        Ok(())
    }
}
