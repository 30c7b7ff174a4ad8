//! Walks through a latent space: samples, ways from latent to latent, traversals of single entries, and what each part and
//! entry of a latent does.

mod cells;
pub mod effect;
mod error;
pub mod interpolate;
pub mod latents;
pub mod ranking;
pub mod sample;
pub mod sheet;
pub mod traverse;

pub use cells::Cells;
pub use effect::{PartEffect, part_effects};
pub use error::LatentError;
pub use ranking::EntryEffect;
pub use sample::Samples;
pub use sheet::Sheet;
