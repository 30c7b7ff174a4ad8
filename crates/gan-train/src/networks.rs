//! Generator and discriminator of a run with their parameters and optimizers.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor};
use gan_core::ImageShape;
use gan_kernels::Adam;
use gan_models::{Discriminator, Generator, ParamStore};

use crate::config::{Config, OptimizerConfig};
use crate::phase::Network;

/// A network's parameters and their optimizer.
pub(crate) struct Trained {
    pub(crate) network: Network,
    pub(crate) store: ParamStore,
    pub(crate) adam: Adam,
}

impl Trained {
    fn new(network: Network, store: ParamStore, config: &OptimizerConfig) -> Result<Self> {
        let adam = Adam::new(store.parameters(), config.adam())?;
        Ok(Self { network, store, adam })
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
}

/// The networks of a GAN.
pub(crate) struct Networks {
    pub(crate) generator: Generator,
    pub(crate) discriminator: Discriminator,
    /// The discriminator without gradients for its parameters: what the generator's phase goes
    /// through. It shares the values, so that it follows every update.
    pub(crate) frozen_discriminator: Discriminator,
    pub(crate) trained_generator: Trained,
    pub(crate) trained_discriminator: Trained,
}

impl Networks {
    /// Networks with the initial weights of the configuration's seed.
    pub(crate) fn new(config: &Config, image: ImageShape, device: &Device) -> Result<Self> {
        let store = |network: Network| ParamStore::seeded(network.name(), config.seed, device);
        let (g, d) = (store(Network::Generator), store(Network::Discriminator));
        let generator = config.model.generator(&config.latent, image, g.trainable())?;
        let discriminator = config.model.discriminator(image, d.trainable())?;
        let frozen_discriminator = config.model.discriminator(image, d.frozen())?;
        let trained = |network, store| Trained::new(network, store, config.optimizer.of(network));
        Ok(Self {
            generator,
            discriminator,
            frozen_discriminator,
            trained_generator: trained(Network::Generator, g)?,
            trained_discriminator: trained(Network::Discriminator, d)?,
        })
    }

    /// Both networks with their optimizers.
    pub(crate) fn all(&self) -> [&Trained; 2] {
        [&self.trained_generator, &self.trained_discriminator]
    }

    /// Both networks with their optimizers, to be changed.
    pub(crate) fn all_mut(&mut self) -> [&mut Trained; 2] {
        [&mut self.trained_generator, &mut self.trained_discriminator]
    }
}
