//! Weights of other runs to begin with.

use crate::checkpoint::Checkpoint;
use crate::error::TrainError;
use crate::family::Family;
use crate::phase::Network;
use crate::trainer::Trainer;

impl Trainer {
    /// Begins with the weights that `network` has in a checkpoint; optimizers begin anew.
    ///
    /// # Errors
    /// If the networks differ; every tensor that does is named.
    pub fn warm_start(
        &mut self,
        network: Network,
        checkpoint: &Checkpoint,
    ) -> Result<(), TrainError> {
        let Some(trained) =
            self.family.trained().into_iter().find(|trained| trained.network == network)
        else {
            return Err(TrainError::Config(format!("this model has no {}", network.name())));
        };
        let given = checkpoint.of_network(network.name());
        let own = trained.store.tensors();
        let mut differences: Vec<String> = own
            .iter()
            .filter_map(|(name, var)| match given.get(name) {
                None => Some(format!("{name} is missing")),
                Some(tensor) if tensor.dims() != var.dims() => {
                    Some(format!("{name} is {:?}, expected {:?}", tensor.dims(), var.dims()))
                }
                Some(_) => None,
            })
            .collect();
        let known = |name: &str| own.iter().any(|(own, _)| own == name);
        let mut surplus: Vec<&String> = given.keys().filter(|name| !known(name)).collect();
        surplus.sort();
        differences.extend(surplus.into_iter().map(|name| format!("{name} is not known here")));
        if !differences.is_empty() {
            return Err(TrainError::Config(format!(
                "warm_start.{}: another architecture: {}",
                network.name(),
                differences.join("; ")
            )));
        }
        trained.store.load(|name| Ok(given[name].clone()))?;
        if network == Network::Generator
            && let Family::Gan(gan) = &mut self.family
            && let Some(ema) = &mut gan.ema
        {
            ema.load(|name| Ok(given[name].clone()))?;
        }
        Ok(())
    }
}
