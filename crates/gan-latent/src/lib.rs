//! Walks through a latent space: samples, sweeps of single entries, and what each part of a latent does.

pub mod effect;
mod error;
pub mod latents;
pub mod sample;
pub mod sheet;
pub mod sweep;

pub use effect::{PartEffect, part_effects};
pub use error::LatentError;
pub use sample::Samples;
pub use sheet::Sheet;
