//! Walks through a latent space: samples, ways from latent to latent, traversals of single entries, what each part and
//! entry of a latent does, and the way back from images to latents.

mod cells;
pub mod effect;
mod error;
pub mod interpolate;
pub mod invert;
pub mod latents;
pub mod mask;
pub mod ranking;
mod relaxed;
pub mod sample;
pub mod sheet;
pub mod traverse;

pub use cells::Cells;
pub use effect::{PartEffect, part_effects};
pub use error::LatentError;
pub use invert::{Inversion, Inverted};
pub use mask::Mask;
pub use ranking::EntryEffect;
pub use sample::Samples;
pub use sheet::Sheet;
