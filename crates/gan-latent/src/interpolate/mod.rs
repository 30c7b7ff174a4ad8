//! Interpolation: latents between latents, along a line or a sphere, from part to part as its kind allows.
//!
//! A [`Path`] says how much each point weighs in each image; [`mix`] makes the latents. What lies on the way is measured in
//! its images: [`Lengths`] in their pixels, [`ClassesSeen`] and [`AttributesSeen`] in the answers of a classifier. Numbers (normal and uniform parts)
//! are mixed. Discrete parts, of which a latent has one value or another, are taken from the heaviest point or mixed as a
//! network reads them.

mod lengths;
mod path;
mod seen;
mod sphere;

use candle_core::Tensor;
use gan_models::{Distribution, Latent, LatentBatch, Part};

use crate::error::LatentError;

pub use lengths::Lengths;
pub use path::{Path, Segment, Shape};
pub use seen::{AttributesSeen, CLEAR, ClassMeans, ClassesSeen, Third};

/// Along what numbers are interpolated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Straight lines: the weighted mean, `(1 − α) a + α b` of two points.
    Linear,
    /// Great circles (White 2016, <https://arxiv.org/abs/1609.04468>, section 2.1), which keep the lengths that normal
    /// latents have. Parts that are not normal are interpolated linearly beside a normal one.
    Spherical,
}

/// What becomes of discrete parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discrete {
    /// They are those of the point that weighs most, the first of these: every latent is one that there can be.
    Switch,
    /// What a network reads of them is mixed, a class in its one-hot form. A network was trained on nothing between.
    Blend,
}

/// Latents between points.
#[derive(Clone, Debug)]
pub struct Mixed {
    /// What a network reads, `(N, encoded_size)`.
    pub encoded: Tensor,
    /// The latents; none where discrete parts that differ are blended, as no latent has such values.
    pub latents: Option<LatentBatch>,
}

/// For each entry of `weights`, which has a weight for each point, the latent that the points make with these weights.
///
/// # Errors
/// If there are no weights or not one for each point; if [`Mode::Spherical`] is asked for and no part is normal, or two
/// points lie on opposite sides of the origin.
pub fn mix(
    points: &LatentBatch,
    weights: &[Vec<f64>],
    mode: Mode,
    discrete: Discrete,
) -> Result<Mixed, LatentError> {
    let latent = points.latent();
    check_mode(latent, mode)?;
    if weights.is_empty() || weights.iter().any(|w| w.len() != points.len()) {
        let reason = format!("expected weights for {} points", points.len());
        return Err(candle_core::Error::Msg(reason).into());
    }
    let (mut encoded, mut values) = (Vec::new(), Vec::new());
    let mut blended = false;
    for part in latent.parts() {
        let own = points.part(&part.name).expect("a batch has all parts of its latent");
        let mixed = match (part.distribution.is_discrete(), discrete) {
            (true, Discrete::Blend) if differs(own)? => {
                blended = true;
                let read = rows(&points.encode_part(&part.name)?)?;
                encoded.push(tensor(&weighted(&read, weights), own)?);
                values.push(own.clone());
                continue;
            }
            (true, _) => switched(own, weights)?,
            (false, _) => tensor(&numbers(part, &rows(own)?, weights, mode)?, own)?,
        };
        let alone = Latent::new(vec![part.clone()]).batch(|_| Ok(mixed.clone()))?;
        encoded.push(alone.encode()?);
        values.push(mixed);
    }
    let latents = if blended {
        None
    } else {
        let names: Vec<&str> = latent.parts().iter().map(|part| part.name.as_str()).collect();
        let of = |name: &str| names.iter().position(|n| *n == name).expect("a part of this latent");
        Some(latent.batch(|name| Ok(values[of(name)].clone()))?)
    };
    Ok(Mixed { encoded: Tensor::cat(&encoded, 1)?, latents })
}

/// Names of the discrete parts in which the points differ.
///
/// # Errors
/// If the device fails.
pub fn discrete_parts(points: &LatentBatch) -> Result<Vec<&str>, LatentError> {
    let mut names = Vec::new();
    for part in points.latent().parts() {
        let values = points.part(&part.name).expect("a batch has all parts of its latent");
        if part.distribution.is_discrete() && differs(values)? {
            names.push(part.name.as_str());
        }
    }
    Ok(names)
}

/// Spheres are where normal latents lie; without a normal part there is nothing to keep.
fn check_mode(latent: &Latent, mode: Mode) -> Result<(), LatentError> {
    let is_normal = |part: &Part| matches!(part.distribution, Distribution::Normal { .. });
    if mode == Mode::Linear || latent.parts().iter().any(is_normal) {
        return Ok(());
    }
    let parts: Vec<String> = latent
        .parts()
        .iter()
        .map(|part| format!("{} ({})", part.name, part.distribution.range()))
        .collect();
    Err(LatentError::Unfit(format!(
        "spherical interpolation keeps the length of normal latents, and this latent has none: {}; interpolate linearly",
        parts.join(", ")
    )))
}

fn numbers(
    part: &Part,
    points: &[Vec<f64>],
    weights: &[Vec<f64>],
    mode: Mode,
) -> Result<Vec<Vec<f64>>, LatentError> {
    let is_normal = matches!(part.distribution, Distribution::Normal { .. });
    if mode == Mode::Linear || !is_normal {
        return Ok(weighted(points, weights));
    }
    let opposed = |_| {
        LatentError::Unfit(format!(
            "the points lie on opposite sides of the origin in part {:?}, and no great circle leads from one to the other \
             alone; interpolate linearly, or through a third point",
            part.name
        ))
    };
    weights.iter().map(|weights| sphere::mean(points, weights).map_err(opposed)).collect()
}

/// The weighted sums of the points.
fn weighted(points: &[Vec<f64>], weights: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let size = points.first().map_or(0, Vec::len);
    let sum = |weights: &Vec<f64>| {
        let entry = |i: usize| points.iter().zip(weights).map(|(point, w)| w * point[i]).sum();
        (0..size).map(entry).collect()
    };
    weights.iter().map(sum).collect()
}

/// For each image the values of its heaviest point.
fn switched(values: &Tensor, weights: &[Vec<f64>]) -> Result<Tensor, LatentError> {
    let heaviest = |weights: &Vec<f64>| {
        let first_of_largest =
            |best: usize, i: usize| if weights[i] > weights[best] { i } else { best };
        (0..weights.len()).fold(0, first_of_largest) as u32
    };
    let of_images: Vec<u32> = weights.iter().map(heaviest).collect();
    Ok(values.index_select(&Tensor::new(of_images, values.device())?, 0)?)
}

fn differs(values: &Tensor) -> Result<bool, LatentError> {
    let rows = values.to_vec2::<f32>()?;
    Ok(rows.iter().any(|row| Some(row) != rows.first()))
}

fn rows(values: &Tensor) -> Result<Vec<Vec<f64>>, LatentError> {
    let rows = values.to_vec2::<f32>()?;
    Ok(rows.into_iter().map(|row| row.into_iter().map(f64::from).collect()).collect())
}

/// Rows as a tensor beside `like`.
fn tensor(rows: &[Vec<f64>], like: &Tensor) -> Result<Tensor, LatentError> {
    let size = rows.first().map_or(0, Vec::len);
    let values: Vec<f32> = rows.iter().flatten().map(|&x| x as f32).collect();
    Ok(Tensor::from_vec(values, (rows.len(), size), like.device())?)
}

#[cfg(test)]
mod tests;
