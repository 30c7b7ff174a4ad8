//! The continuous part of a latent as a vector space: what arithmetic and directions work in.

use candle_core::Tensor;
use gan_models::{Distribution, Latent, LatentBatch};

use crate::error::LatentError;

/// The entries of a latent's normal and uniform parts, each in standard deviations from its mean, so that a step of 1 is
/// as long in a U(−2, 2) as in an N(0, 1).
///
/// Bits, levels, choices and attributes are left out: halfway between two of them lies none.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    parts: Vec<Continuous>,
    left_out: Vec<String>,
}

/// A part of which the space has every entry.
#[derive(Clone, Debug, PartialEq)]
struct Continuous {
    name: String,
    mean: f64,
    deviation: f64,
    size: usize,
    /// Where it begins in what a network reads.
    encoded_from: usize,
}

impl Space {
    /// The space of `latent`.
    ///
    /// # Errors
    /// If it has no normal and no uniform part.
    pub fn of(latent: &Latent) -> Result<Self, LatentError> {
        let (mut parts, mut left_out) = (Vec::new(), Vec::new());
        for part in latent.parts() {
            let (mean, deviation) = match part.distribution {
                Distribution::Normal { .. } => (0.0, 1.0),
                Distribution::Uniform { low, high, .. } => {
                    let (low, high) = (f64::from(low), f64::from(high));
                    ((low + high) / 2.0, (high - low) / 12f64.sqrt())
                }
                _ => {
                    left_out.push(part.name.clone());
                    continue;
                }
            };
            let range = latent.encoded_range(&part.name).expect("the part is the latent's own");
            let (name, size) = (part.name.clone(), part.distribution.size());
            parts.push(Continuous { name, mean, deviation, size, encoded_from: range.start });
        }
        if parts.is_empty() {
            return Err(LatentError::Unfit(format!(
                "the latent has no normal and no uniform part, but {} alone, between whose values lies nothing; set them \
                 with `sample --fix` or `--attributes`",
                left_out.join(", ")
            )));
        }
        Ok(Self { parts, left_out })
    }

    /// Number of its dimensions.
    pub fn dimensions(&self) -> usize {
        self.parts.iter().map(|part| part.size).sum()
    }

    /// Names of the parts that it has.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.name.as_str())
    }

    /// Names of the latent's parts that it has not.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The latents' places, `(N, dimensions)`.
    ///
    /// # Errors
    /// If the latents are of another kind.
    pub fn points(&self, latents: &LatentBatch) -> Result<Vec<Vec<f64>>, LatentError> {
        let mut points = vec![Vec::with_capacity(self.dimensions()); latents.len()];
        for part in &self.parts {
            let Some(values) = latents.part(&part.name) else {
                return Err(LatentError::Unfit(format!(
                    "the latents have no part {:?}",
                    part.name
                )));
            };
            for (point, values) in points.iter_mut().zip(values.to_vec2::<f32>()?) {
                let standard = |value: f32| (f64::from(value) - part.mean) / part.deviation;
                point.extend(values.into_iter().map(standard));
            }
        }
        Ok(points)
    }

    /// The latents moved to other places; what the space has not is held.
    ///
    /// # Errors
    /// If there are not as many points as latents, or they have other dimensions.
    pub fn moved(
        &self,
        latents: &LatentBatch,
        points: &[Vec<f64>],
    ) -> Result<LatentBatch, LatentError> {
        if points.iter().any(|point| point.len() != self.dimensions()) {
            let expected = self.dimensions();
            return Err(LatentError::Unfit(format!("a point has not {expected} dimensions")));
        }
        let (mut moved, mut from) = (latents.clone(), 0);
        for part in &self.parts {
            let rows = points.iter().map(|point| {
                let values = point[from..from + part.size].iter();
                values.map(|x| (part.mean + part.deviation * x) as f32).collect::<Vec<f32>>()
            });
            let device = moved
                .part(&part.name)
                .map_or(candle_core::Device::Cpu, |values| values.device().clone());
            let values: Vec<f32> = rows.flatten().collect();
            let values = Tensor::from_vec(values, (points.len(), part.size), &device)?;
            moved = moved.with_part(&part.name, &values)?;
            from += part.size;
        }
        Ok(moved)
    }

    /// The latents with `amount` times `direction` added to each.
    ///
    /// # Errors
    /// If the direction has other dimensions.
    pub fn shifted(
        &self,
        latents: &LatentBatch,
        direction: &[f64],
        amount: f64,
    ) -> Result<LatentBatch, LatentError> {
        let mut points = self.points(latents)?;
        if direction.len() != self.dimensions() {
            let (got, expected) = (direction.len(), self.dimensions());
            return Err(LatentError::Unfit(format!(
                "a direction of {got} dimensions, not {expected}"
            )));
        }
        for point in &mut points {
            point.iter_mut().zip(direction).for_each(|(x, d)| *x += amount * d);
        }
        self.moved(latents, &points)
    }

    /// The columns of a matrix `(M, encoded size)` on what a network reads that read this space, for steps of one standard
    /// deviation: rows of M values become rows of `dimensions` values.
    pub(crate) fn columns(&self, matrix: &[Vec<f32>]) -> Vec<Vec<f64>> {
        let row = |row: &Vec<f32>| {
            let part = |part: &Continuous| {
                let values = &row[part.encoded_from..part.encoded_from + part.size];
                values.iter().map(|w| f64::from(*w) * part.deviation).collect::<Vec<f64>>()
            };
            self.parts.iter().flat_map(part).collect()
        };
        matrix.iter().map(row).collect()
    }

    /// Directions as tensors `(K, size)`, one a part and named as it, in the units of the part.
    pub(crate) fn tensors(
        &self,
        directions: &[Vec<f64>],
    ) -> Result<Vec<(String, Tensor)>, LatentError> {
        let mut from = 0;
        let mut tensors = Vec::new();
        for part in &self.parts {
            let values: Vec<f32> = directions
                .iter()
                .flat_map(|d| d[from..from + part.size].iter().map(|x| (x * part.deviation) as f32))
                .collect();
            let shape = (directions.len(), part.size);
            let values = Tensor::from_vec(values, shape, &candle_core::Device::Cpu)?;
            tensors.push((part.name.clone(), values));
            from += part.size;
        }
        Ok(tensors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::seeded;
    use candle_core::Device;
    use gan_models::Part;

    fn mixed() -> Latent {
        let part = |name: &str, distribution| Part { name: name.into(), distribution };
        Latent::new(vec![
            part("code", Distribution::Categorical { classes: 3, count: 1 }),
            part("u", Distribution::Uniform { low: 1.0, high: 5.0, size: 2 }),
            part("bits", Distribution::Binary { p: 0.5, size: 4 }),
            part("z", Distribution::Normal { size: 3 }),
        ])
    }

    #[test]
    fn places_have_mean_0_and_variance_1_and_lead_back() -> Result<(), LatentError> {
        let space = Space::of(&mixed())?;
        assert_eq!(
            (space.dimensions(), space.left_out()),
            (5, &["code".into(), "bits".into()][..])
        );
        let latents = seeded(&mixed(), 4000, 1, None, &Device::Cpu)?;
        let points = space.points(&latents)?;
        for entry in 0..5 {
            let n = points.len() as f64;
            let mean = points.iter().map(|p| p[entry]).sum::<f64>() / n;
            let variance = points.iter().map(|p| (p[entry] - mean).powi(2)).sum::<f64>() / n;
            // Four standard errors: 1/√n of a mean, at most √(2/n) of a variance.
            assert!(mean.abs() < 4.0 / n.sqrt(), "entry {entry}: {mean}");
            assert!((variance - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "entry {entry}: {variance}");
        }
        let again = space.points(&space.moved(&latents, &points)?)?;
        let far = points.iter().flatten().zip(again.iter().flatten());
        assert!(far.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-6);
        Ok(())
    }

    #[test]
    fn a_shift_holds_what_is_left_out() -> Result<(), LatentError> {
        let space = Space::of(&mixed())?;
        let latents = seeded(&mixed(), 3, 1, None, &Device::Cpu)?;
        let shifted = space.shifted(&latents, &[1.0, 0.0, 0.0, 0.0, -2.0], 0.5)?;
        let (before, after) =
            (latents.encode()?.to_vec2::<f32>()?, shifted.encode()?.to_vec2::<f32>()?);
        let step = 0.5 * 4.0 / 12f32.sqrt(); // half a standard deviation of U(1, 5)
        for (before, after) in before.iter().zip(&after) {
            let by: Vec<f32> = after.iter().zip(before).map(|(a, b)| a - b).collect();
            let expected = [0.0, 0.0, 0.0, step, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0];
            assert!(by.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{by:?}");
        }
        space.shifted(&latents, &[1.0], 1.0).expect_err("one of five dimensions");
        Ok(())
    }

    #[test]
    fn the_columns_of_a_weight_are_scaled_as_the_entries_are() -> Result<(), LatentError> {
        let row: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let deviation = 4.0 / 12f64.sqrt();
        let columns = Space::of(&mixed())?.columns(&[row]);
        assert_eq!(columns, [vec![3.0 * deviation, 4.0 * deviation, 9.0, 10.0, 11.0]]);
        Ok(())
    }

    #[test]
    fn a_latent_of_choices_alone_is_no_space() {
        let part =
            Part { name: "bits".into(), distribution: Distribution::Binary { p: 0.5, size: 2 } };
        let message = Space::of(&Latent::new(vec![part])).expect_err("no space").to_string();
        assert!(message.contains("bits") && message.contains("--fix"), "{message}");
    }
}
