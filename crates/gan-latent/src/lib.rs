//! Walks through a latent space: so far its samples, the latents and grids of `sample`.

mod error;
pub mod latents;
pub mod sample;

pub use error::LatentError;
pub use sample::Samples;
