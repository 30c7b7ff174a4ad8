//! How latents are mixed, as it is typed.

use clap::ValueEnum;
use gan_latent::interpolate::{Discrete, Mode};

/// Along what numbers are interpolated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Along {
    /// Straight lines
    Linear,
    /// Great circles, which keep the length of normal latents; other parts go straight
    Slerp,
}

/// What becomes of discrete parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Parts {
    /// They change all at once, to those of the nearest point
    Switch,
    /// What the network reads of them is mixed
    Blend,
}

impl Along {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Slerp => "slerp",
        }
    }
}

impl From<Along> for Mode {
    fn from(along: Along) -> Self {
        match along {
            Along::Linear => Self::Linear,
            Along::Slerp => Self::Spherical,
        }
    }
}

impl Parts {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Blend => "blend",
        }
    }
}

impl From<Parts> for Discrete {
    fn from(parts: Parts) -> Self {
        match parts {
            Parts::Switch => Self::Switch,
            Parts::Blend => Self::Blend,
        }
    }
}
