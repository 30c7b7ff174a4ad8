//! A training step as data: which network is updated, in which order and how often.

use serde::{Deserialize, Serialize};

/// A network that a phase can update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Latents to images.
    Generator,
    /// Images to logits.
    Discriminator,
}

impl Network {
    /// Its name in configurations, checkpoints and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Discriminator => "discriminator",
        }
    }
}

/// One part of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// The network that is updated.
    pub network: Network,
    /// Updates in a row on the same batch of real images.
    pub steps: usize,
}
