//! Walks through a latent space: samples, ways from latent to latent, traversals of single entries, what each part and
//! entry of a latent does and moves, the way back from images to latents, arithmetic, directions with a meaning, and maps of where
//! images lie.

pub mod arithmetic;
pub mod boundary;
mod cells;
pub mod directions;
pub mod effect;
pub mod eigen;
pub mod embed;
mod error;
pub mod interpolate;
pub mod invert;
pub mod judged;
pub mod latents;
pub mod mask;
pub mod moves;
pub mod principal;
pub mod ranking;
mod relaxed;
pub mod sample;
pub mod sheet;
mod space;
pub mod traverse;
pub mod vector;

pub use cells::Cells;
pub use effect::{PartEffect, part_effects};
pub use error::LatentError;
pub use invert::{Inversion, Inverted};
pub use mask::Mask;
pub use moves::EntryMoves;
pub use ranking::EntryEffect;
pub use sample::Samples;
pub use sheet::Sheet;
pub use space::Space;
