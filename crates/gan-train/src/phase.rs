//! A training step as data: which network is updated, in which order and how often.

use serde::{Deserialize, Serialize};

/// A network that is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Latents to images.
    Generator,
    /// Images to logits.
    Discriminator,
    /// InfoGAN's Q: the discriminator's features to codes. It is updated with the discriminator.
    Recognizer,
    /// Images to classes or attributes.
    Classifier,
    /// An autoencoder's: images to latents.
    Encoder,
    /// An autoencoder's: latents to images.
    Decoder,
}

impl Network {
    /// Those of a GAN.
    pub const GAN: [Self; 3] = [Self::Generator, Self::Discriminator, Self::Recognizer];

    /// Those of an autoencoder.
    pub const AUTOENCODER: [Self; 2] = [Self::Encoder, Self::Decoder];

    /// Its name in configurations, checkpoints and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Discriminator => "discriminator",
            Self::Recognizer => "recognizer",
            Self::Classifier => "classifier",
            Self::Encoder => "encoder",
            Self::Decoder => "decoder",
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
