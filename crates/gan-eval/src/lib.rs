//! Measures over sets of images. So far: how far images are from their references, and how well codes that were
//! found without labels agree with labels.
//!
//! A result carries its `protocol`: one sentence that says exactly what was computed. The crate knows
//! nothing of models or training; it takes tensors or files.

mod error;
mod folders;
mod image_errors;
mod matching;

pub use error::{EvalError, Result};
pub use folders::{compare_files, compare_folders};
pub use image_errors::{Extreme, ImageErrors, ImageErrorsResult, Spread};
pub use matching::{BestMatch, best_match};
