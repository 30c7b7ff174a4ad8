//! What every crate of the workspace shares: named random streams, images and grids, words on them, plots, the
//! run folder and atomic file writes. It knows nothing of models, data sets or training.

pub mod cloud;
mod error;
pub mod file;
pub mod gif;
pub mod grid;
pub mod heatmap;
pub mod image;
pub mod names;
pub mod plot;
pub mod quality;
pub mod results;
pub mod rng;
pub mod run;
pub mod testing;
pub mod text;

pub use error::{Error, Result};
pub use image::{Image, ImageShape};
pub use rng::{Stream, StreamPosition};
pub use run::RunDir;
