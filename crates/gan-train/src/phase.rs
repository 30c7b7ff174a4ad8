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
    /// InfoGAN's Q: the discriminator's features to codes. It is updated with the discriminator.
    Recognizer,
}

impl Network {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Generator, Self::Discriminator, Self::Recognizer];

    /// Its name in configurations, checkpoints and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Discriminator => "discriminator",
            Self::Recognizer => "recognizer",
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
    /// The phase is part of every n-th step: 1 for all.
    #[serde(default = "every_step")]
    pub every: u64,
}

fn every_step() -> u64 {
    1
}
