//! How long the way between two images is, measured in the images themselves.

use serde::{Deserialize, Serialize};

/// Lengths of a way of images. All are root mean square changes of a pixel on the scale [0, 1].
///
/// Perceptual path length (Karras et al. 2019, <https://arxiv.org/abs/1812.04948>, section 4.1) takes steps between
/// neighbouring images in the same manner, and their squares in the features of a network; here they are those of pixels, so
/// that no other network is needed, and are held against the direct distance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    /// From each image to the next.
    pub steps: Vec<f64>,
    /// From the first image to the last.
    pub direct: f64,
    /// The sum of the steps divided by the direct distance: 1 for a straight cross-fade, and never less. None where the
    /// first image is the last.
    pub detour: Option<f64>,
    /// The largest step divided by the mean step: 1 where all are as long, their number where all happens in one. None
    /// where nothing changes.
    pub evenness: Option<f64>,
}

impl Lengths {
    /// Those of images in their order: pixels in [−1, 1], equally many each.
    pub fn of<P: AsRef<[f32]>>(images: &[P]) -> Self {
        let steps: Vec<f64> =
            images.windows(2).map(|pair| distance(pair[0].as_ref(), pair[1].as_ref())).collect();
        let direct = match images {
            [first, .., last] => distance(first.as_ref(), last.as_ref()),
            _ => 0.0,
        };
        let total: f64 = steps.iter().sum();
        let largest = steps.iter().copied().fold(0.0, f64::max);
        let share = |a: f64, b: f64| (b > 0.0).then(|| a / b);
        Self {
            detour: share(total, direct),
            evenness: share(largest * steps.len() as f64, total),
            steps,
            direct,
        }
    }
}

/// The root mean square difference of pixels in [−1, 1], on the scale [0, 1].
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    (squares / a.len().max(1) as f64).sqrt() / 2.0
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Result as TensorResult, Tensor};
    use candle_nn::ModuleT;
    use gan_models::Latent;

    use super::*;
    use crate::error::LatentError;
    use crate::interpolate::{Discrete, Mode, Path, mix};
    use crate::sample;

    /// `(N, 4)` as 1×2×2 images, each pixel by itself.
    struct Pixels(fn(f64) -> f64);

    impl ModuleT for Pixels {
        fn forward_t(&self, z: &Tensor, _train: bool) -> TensorResult<Tensor> {
            let values = z.flatten_all()?.to_vec1::<f32>()?;
            let made: Vec<f32> = values.iter().map(|&z| (self.0)(f64::from(z)) as f32).collect();
            Tensor::new(made, z.device())?.reshape(((), 1, 2, 2))
        }
    }

    /// The way from a latent of zeros to one of ones.
    fn way(generator: fn(f64) -> f64, steps: usize) -> Result<Lengths, LatentError> {
        let ends: Vec<f32> = [[0.0; 4], [1.0; 4]].concat();
        let ends = Tensor::new(ends, &Device::Cpu)?.reshape((2, 4))?;
        let points = Latent::normal(4).batch(|_| Ok(ends.clone()))?;
        let mixed = mix(&points, &Path::strip(steps).weights, Mode::Linear, Discrete::Switch)?;
        let mut images = Vec::new();
        sample::in_batches(&Pixels(generator), &mixed.encoded, |batch| {
            images.extend(batch.flatten_from(1)?.to_vec2::<f32>()?);
            Ok::<_, LatentError>(())
        })?;
        Ok(Lengths::of(&images))
    }

    fn close(got: Option<f64>, expected: f64) {
        // Pixels are f32.
        assert!(got.is_some_and(|got| (got - expected).abs() < 1e-5), "{got:?}, not {expected}");
    }

    #[test]
    fn a_linear_generator_goes_straight_and_evenly() -> Result<(), LatentError> {
        for steps in [2, 9, 100] {
            let lengths = way(|z| 0.8 * z - 0.3, steps)?;
            assert_eq!(lengths.steps.len(), steps - 1);
            // 0.8 on the scale [−1, 1].
            close(Some(lengths.direct), 0.4);
            close(lengths.detour, 1.0);
            close(lengths.evenness, 1.0);
        }
        Ok(())
    }

    /// Pixels that go from 0 to 1 and back to 0.5 go 1.5 on a way of 0.5. Of z² in n steps the last is (2n − 1)/n², the
    /// mean 1/n. Where all happens in one step of eight the largest is eight means.
    #[test]
    fn detours_and_jumps_have_their_closed_forms() -> Result<(), LatentError> {
        let back = way(|z| if z < 0.5 { 2.0 * z } else { 1.5 - z }, 9)?;
        close(back.detour, 3.0);
        let square = way(|z| z * z, 9)?;
        close(square.detour, 1.0);
        close(square.evenness, 15.0 / 8.0);
        let jump = way(|z| if z > 0.55 { 1.0 } else { -1.0 }, 9)?;
        close(jump.detour, 1.0);
        close(jump.evenness, 8.0);
        Ok(())
    }

    /// Two pixels on a quarter of a circle: of n chords each is 2 sin(π/4n) long, the direct way √2.
    #[test]
    fn an_arc_is_longer_than_its_chord() {
        let at = |i: usize| {
            let angle = i as f64 / 8.0 * std::f64::consts::FRAC_PI_2;
            [angle.cos() as f32, angle.sin() as f32]
        };
        let lengths = Lengths::of(&(0..9).map(at).collect::<Vec<_>>());
        let chord = 2.0 * (std::f64::consts::PI / 32.0).sin();
        close(lengths.detour, 8.0 * chord / std::f64::consts::SQRT_2);
        close(lengths.evenness, 1.0);
    }

    #[test]
    fn nothing_that_changes_has_no_shares() {
        let still = Lengths::of(&[[0.5f32; 3]; 4]);
        assert_eq!((still.steps, still.direct), (vec![0.0; 3], 0.0));
        assert_eq!((still.detour, still.evenness), (None, None));
        let round = Lengths::of(&[[0.0f32], [1.0], [0.0]]);
        assert_eq!((round.detour, round.evenness), (None, Some(1.0)));
        assert!(Lengths::of::<[f32; 1]>(&[]).steps.is_empty());
    }
}
