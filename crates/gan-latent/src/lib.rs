//! Walks through a latent space: samples, sweeps of single entries, what each part of a latent does, and the way back from
//! images to latents.

pub mod effect;
mod error;
pub mod invert;
pub mod latents;
pub mod mask;
mod relaxed;
pub mod sample;
pub mod sheet;
pub mod sweep;

pub use effect::{PartEffect, part_effects};
pub use error::LatentError;
pub use invert::{Inversion, Inverted};
pub use mask::Mask;
pub use sample::Samples;
pub use sheet::Sheet;
