//! Directions of a latent space along which images change in one way: found without labels in what reads the latent first
//! (GANSpace, SeFa), or with a classifier ([`crate::boundary`]); strips of images along them, and what else moves.
//!
//! A direction has length 1 in the [`Space`] of the latent, where entries are in standard deviations: along it latents
//! themselves are spread with a deviation of 1.

use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;
use candle_nn::ModuleT;
use gan_core::{Image, file};
use gan_models::LatentBatch;

use crate::eigen::symmetric_eigen;
use crate::error::LatentError;
use crate::judged::{Change, changes, judge};
use crate::principal::principal_components;
use crate::sample::Samples;
use crate::space::Space;
use crate::vector::{dot, length, normalized, with_sign};

/// A direction, and how large what found it says it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Of length 1.
    pub direction: Vec<f64>,
    /// Its share of the variance of the activations, or of the squares of the weight: of all directions at right angles 1
    /// together.
    pub share: f64,
}

/// The `k` directions along which the first layer changes most: eigenvectors of AᵀA, A its `weight` `(values, encoded
/// latent)` (SeFa, Shen and Zhou 2021, <https://arxiv.org/abs/2007.06600>, equation 4). Deviation: A is scaled by the
/// standard deviations of the entries, which changes something where a latent has several parts.
///
/// # Errors
/// If the weight is of another latent.
pub fn factorized(space: &Space, weight: &Tensor, k: usize) -> Result<Vec<Found>, LatentError> {
    let columns = space.columns(&weight.to_vec2::<f32>()?);
    let size = space.dimensions();
    let mut gram = vec![vec![0.0; size]; size];
    for row in &columns {
        for (i, x) in row.iter().enumerate() {
            gram[i].iter_mut().zip(row).for_each(|(g, y)| *g += x * y);
        }
    }
    let eigen = symmetric_eigen(&gram);
    let total: f64 = eigen.values.iter().sum();
    let found = eigen.values.iter().zip(eigen.vectors).take(k);
    Ok(found.map(|(value, direction)| Found { direction, share: value / total }).collect())
}

/// The `k` principal components of `activations` `(N, F)`, as directions of the latents that made them: of each component
/// the regression of the latents on the places along it (GANSpace, Härkönen et al. 2020,
/// <https://arxiv.org/abs/2004.02546>, section 2.2).
///
/// # Errors
/// If there are fewer than two latents, or other activations.
pub fn principal(
    space: &Space,
    latents: &LatentBatch,
    activations: &Tensor,
    k: usize,
    seed: u64,
) -> Result<Vec<Found>, LatentError> {
    let points = space.points(latents)?;
    let found = principal_components(activations, k.min(space.dimensions()), seed)?;
    let direction = |(i, variance): (usize, &f64)| {
        // Places along a component have mean 0 and do not go with those along others: the regression is their product.
        let mut direction = vec![0.0; space.dimensions()];
        for (point, scores) in points.iter().zip(&found.scores) {
            direction.iter_mut().zip(point).for_each(|(d, x)| *d += x * scores[i]);
        }
        let share = variance / found.total_variance.max(f64::MIN_POSITIVE);
        Found { direction: with_sign(normalized(direction)), share }
    };
    Ok(found.variances.iter().enumerate().map(direction).collect())
}

/// The part of a direction at right angles to all of `held`, of length 1: moving along it leaves these as they are, as far
/// as boundaries are planes (InterFaceGAN's conditional manipulation, section 2.2). `None` where nothing is left.
pub fn at_right_angles(direction: &[f64], held: &[Vec<f64>]) -> Option<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let without = |mut vector: Vec<f64>, basis: &[Vec<f64>]| {
        for other in basis {
            let along = dot(&vector, other);
            vector.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
        }
        vector
    };
    for other in held {
        let rest = without(other.clone(), &basis);
        if length(&rest) > 1e-9 {
            basis.push(normalized(rest));
        }
    }
    let rest = without(direction.to_vec(), &basis);
    (length(&rest) > 1e-6).then(|| normalized(rest))
}

/// Images along directions: for each direction a row in which `face`, one latent, is moved by each of `amounts` in turn.
///
/// # Errors
/// If a direction is of another space.
pub fn strips(
    generator: &impl ModuleT,
    space: &Space,
    face: &LatentBatch,
    directions: &[Vec<f64>],
    amounts: &[f64],
) -> Result<Vec<Vec<Image>>, LatentError> {
    let row = |direction: &Vec<f64>| {
        let moved = amounts.iter().map(|amount| space.shifted(face, direction, *amount));
        let moved = moved.collect::<Result<Vec<_>, _>>()?;
        let all = crate::latents::join(&moved)?;
        all.map_or(Ok(Vec::new()), |all| Ok(Samples::generate(generator, all, |_| ())?.images))
    };
    directions.iter().map(row).collect()
}

/// Amounts of a strip: `steps` of them from −`reach` to `reach`.
pub fn amounts(steps: usize, reach: f64) -> Vec<f64> {
    let step = |i: usize| reach * (2.0 * i as f64 / (steps.max(2) - 1) as f64 - 1.0);
    (0..steps).map(step).collect()
}

/// How much every answer of a classifier moves along each direction, from −`reach` to `reach` around each of `latents`: the
/// attribute-leak matrix, a row a direction. `look` and `progress` as in [`judge`], with all images of all directions.
///
/// # Errors
/// Those of [`judge`].
pub fn leaks<E: From<LatentError>>(
    generator: &impl ModuleT,
    (space, latents): (&Space, &LatentBatch),
    (directions, reach): (&[Vec<f64>], f64),
    names: &[String],
    look: impl Fn(&Tensor) -> Result<Tensor, E>,
    progress: impl Fn(usize),
) -> Result<Vec<Vec<Change>>, E> {
    let mut matrix = Vec::with_capacity(directions.len());
    for (i, direction) in directions.iter().enumerate() {
        let ends = [-reach, reach].map(|amount| space.shifted(latents, direction, amount));
        let [low, high] = ends;
        let done = 2 * i * latents.len();
        let low = judge(generator, &low?, &look, |n| progress(done + n))?;
        let high = judge(generator, &high?, &look, |n| progress(done + latents.len() + n))?;
        matrix.push(changes(names, &low, &high));
    }
    Ok(matrix)
}

/// Writes directions as safetensors: for each part of the space a tensor `(K, size)` named as it, in the units of its
/// entries, and the directions' names in the metadata as JSON.
///
/// # Errors
/// If the file cannot be written.
pub fn write(
    space: &Space,
    names: &[String],
    directions: &[Vec<f64>],
    path: &Path,
) -> Result<(), LatentError> {
    let wrong = |e: String| LatentError::Latents { path: path.into(), reason: e };
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let metadata = HashMap::from([("directions".into(), format!("[{}]", quoted.join(",")))]);
    let tensors = space.tensors(directions)?;
    let bytes =
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| wrong(e.to_string()))?;
    Ok(file::write_bytes(path, &bytes)?)
}

#[cfg(test)]
mod tests;
