//! Walks through a latent space: samples, sweeps of single entries, what each part of a latent does, arithmetic, directions
//! with a meaning, and maps of where images lie.

pub mod arithmetic;
pub mod boundary;
pub mod directions;
pub mod effect;
pub mod eigen;
pub mod embed;
mod error;
pub mod judged;
pub mod latents;
pub mod principal;
pub mod sample;
pub mod sheet;
mod space;
pub mod sweep;

pub use effect::{PartEffect, part_effects};
pub use error::LatentError;
pub use sample::Samples;
pub use sheet::Sheet;
pub use space::Space;
