//! Maps of points of many dimensions in the plane, and how far apart the classes lie in them.

mod neighbours;
mod quadtree;
mod separation;
mod tsne;

pub use separation::{Separation, separation};
pub use tsne::{EARLY_STEPS, Embedding, TsneOptions, TsneProgress, tsne};

use candle_core::{Device, Tensor};

use crate::error::LatentError;
use crate::principal::principal_components;

/// The places of points along their two first principal components, and the share of the variance that lies along these.
///
/// # Errors
/// If there are fewer than two points.
pub fn pca(points: &[Vec<f32>]) -> Result<(Vec<[f64; 2]>, f64), LatentError> {
    let size = points.first().map_or(0, Vec::len);
    let samples = Tensor::from_vec(points.concat(), (points.len(), size), &Device::Cpu)?;
    let found = principal_components(&samples, 2, 0)?;
    let at = |scores: &Vec<f64>, i: usize| scores.get(i).copied().unwrap_or(0.0);
    let places = found.scores.iter().map(|scores| [at(scores, 0), at(scores, 1)]).collect();
    let share = found.variances.iter().sum::<f64>() / found.total_variance.max(f64::MIN_POSITIVE);
    Ok((places, share))
}
