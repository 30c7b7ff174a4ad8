//! What can go wrong between latents and images.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum LatentError {
    /// Grids and files.
    #[error(transparent)]
    Core(#[from] gan_core::Error),

    /// A tensor operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),

    /// A file of latents that does not fit.
    #[error("{}: {reason}; expected latents as `sample` writes them for a generator of this kind", .path.display())]
    Latents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },

    /// Something that does not go with this latent or generator.
    #[error("{0}")]
    Unfit(String),
}
