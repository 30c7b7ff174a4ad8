//! Measures over sets of images. So far: how far images are from their references, how well answers agree with what was
//! asked for, and codes that were found without labels with labels, how many modes samples cover, how far latents are from normal,
//! how sharp images are and how far from a mean image.
//!
//! A result carries its `protocol`: one sentence that says exactly what was computed. The crate knows
//! nothing of models or training; it takes tensors or files.

mod agreement;
mod error;
mod folders;
mod image_errors;
mod matching;
mod mean_image;
mod modes;
mod normality;
mod sharpness;

pub use agreement::{Agreement, agreement};
pub use error::{EvalError, Result};
pub use folders::{compare_files, compare_folders};
pub use image_errors::{Extreme, ImageErrors, ImageErrorsResult, Spread};
pub use matching::{BestMatch, best_match};
pub use mean_image::MeanImage;
pub use modes::{Modes, count_modes, mode_centers, nearest_modes};
pub use normality::{ks_to_standard_normal, standard_normal_cdf};
pub use sharpness::{Sharpness, SharpnessResult};
