//! Optimizers and how their learning rates change over a run.

use std::collections::BTreeMap;

use gan_kernels::AdamConfig;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::phase::Network;

/// The optimizer of each network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Optimizers(BTreeMap<Network, OptimizerConfig>);

impl Optimizers {
    /// The one of `network`. InfoGAN's recognizer has the discriminator's where it has none of its own, a decoder its
    /// encoder's.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(&self, network: Network) -> Result<&OptimizerConfig, TrainError> {
        let own = self.0.get(&network);
        let shared = || match network {
            Network::Recognizer => self.0.get(&Network::Discriminator),
            Network::Decoder => self.0.get(&Network::Encoder),
            _ => None,
        };
        own.or_else(shared).ok_or_else(|| {
            let name = network.name();
            TrainError::Config(format!(
                "optimizer.{name} is missing: give the {name} a learning rate and betas"
            ))
        })
    }

    /// Refuses missing and impossible ones of `networks`, and any of others.
    pub(super) fn check(&self, networks: &[Network]) -> Result<(), TrainError> {
        if let Some(other) = self.0.keys().find(|network| !networks.contains(network)) {
            let (other, names) =
                (other.name(), networks.iter().map(|n| n.name()).collect::<Vec<_>>());
            return Err(TrainError::Config(format!(
                "optimizer.{other}: this run has no {other}; it trains {}",
                names.join(", ")
            )));
        }
        networks.iter().try_for_each(|network| self.of(*network)?.check(network.name()))
    }
}

/// Adam (Kingma and Ba 2015) with L2 decay in the gradient, as `torch.optim.Adam`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Learning rate, at the beginning where it changes.
    pub lr: f64,
    /// Decay of the first and the second moment.
    pub betas: (f64, f64),
    /// Added to the root of the second moment.
    #[serde(default = "default_eps")]
    pub eps: f64,
    /// Share of a weight that is added to its gradient.
    #[serde(default)]
    pub weight_decay: f64,
    /// How the learning rate changes over the run.
    #[serde(default)]
    pub schedule: Schedule,
}

/// What the learning rate is multiplied by, from the first step (1) to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// 1 throughout.
    #[default]
    Constant,
    /// In a straight line to the given factor: `{ linear = 0.0 }`.
    Linear(f64),
    /// Along half a cosine to the given factor (Loshchilov and Hutter 2017).
    Cosine(f64),
}

impl Schedule {
    /// The factor after `progress` of the run, from 0 to 1.
    pub fn factor(self, progress: f64) -> f64 {
        let progress = progress.clamp(0.0, 1.0);
        match self {
            Self::Constant => 1.0,
            Self::Linear(end) => 1.0 + (end - 1.0) * progress,
            Self::Cosine(end) => {
                end + (1.0 - end) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
        }
    }
}

fn default_eps() -> f64 {
    1e-8
}

impl OptimizerConfig {
    /// The same in the kernels' words.
    pub fn adam(&self) -> AdamConfig {
        AdamConfig {
            lr: self.lr,
            beta1: self.betas.0,
            beta2: self.betas.1,
            eps: self.eps,
            weight_decay: self.weight_decay,
        }
    }

    /// Says what is wrong with values that parse but cannot be meant.
    pub(super) fn check(&self, name: &str) -> Result<(), TrainError> {
        let refuse = |message: String| Err(TrainError::Config(message));
        if !(self.lr.is_finite() && self.lr > 0.0) {
            return refuse(format!("optimizer.{name}.lr is {}, expected more than 0", self.lr));
        }
        for beta in [self.betas.0, self.betas.1] {
            if !(0.0..1.0).contains(&beta) {
                return refuse(format!("optimizer.{name}.betas has {beta}, expected [0, 1)"));
            }
        }
        if !(self.eps > 0.0 && self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            return refuse(format!(
                "optimizer.{name} has eps {} and weight_decay {}, expected eps > 0 and weight_decay ≥ 0",
                self.eps, self.weight_decay
            ));
        }
        match self.schedule {
            Schedule::Linear(end) | Schedule::Cosine(end) if !(end.is_finite() && end >= 0.0) => {
                refuse(format!("optimizer.{name}.schedule ends at {end}, expected 0 or more"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_go_from_one_to_their_end() {
        for (schedule, middle, end) in [
            (Schedule::Constant, 1.0, 1.0),
            (Schedule::Linear(0.0), 0.5, 0.0),
            (Schedule::Linear(0.2), 0.6, 0.2),
            (Schedule::Cosine(0.1), 0.55, 0.1),
        ] {
            for (progress, factor) in [(0.0, 1.0), (0.5, middle), (1.0, end), (7.0, end)] {
                let got = schedule.factor(progress);
                assert!((got - factor).abs() < 1e-12, "{schedule:?} at {progress}: {got}");
            }
        }
    }
}
