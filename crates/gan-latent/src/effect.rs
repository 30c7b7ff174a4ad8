//! How much of an image each part of a latent decides.

use candle_core::{Device, Tensor};
use candle_nn::ModuleT;
use gan_core::Stream;
use gan_models::{Latent, LatentBatch};
use serde::{Deserialize, Serialize};

use crate::error::LatentError;
use crate::latents;
use crate::sample::BATCH;

/// What one part of a latent does to images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartEffect {
    /// The part's name.
    pub part: String,
    /// Mean absolute change of a pixel on the scale [0, 1] when this part alone is drawn anew.
    pub change: f64,
    /// The same between two independent images: when all parts are drawn anew.
    pub independent: f64,
}

impl PartEffect {
    /// The part's change as a share of the change between independent images; 0 where these do not differ.
    ///
    /// Shares do not add up to 1: distances of independent changes add up like the sides of a triangle.
    pub fn share(&self) -> f64 {
        if self.independent > 0.0 { self.change / self.independent } else { 0.0 }
    }
}

/// The effect of each part of `latent`, as means over `n` latents, of which each has a stream of its own under `seed`.
///
/// Every latent is paired with a second one; a part is drawn anew by taking it from there. `generator` makes images
/// `(N, C, H, W)` in [−1, 1] of `(N, encoded_size)`.
///
/// # Errors
/// If `n` is 0, or the generator does not fit the latent.
pub fn part_effects(
    generator: &impl ModuleT,
    latent: &Latent,
    n: usize,
    seed: u64,
    device: &Device,
) -> Result<Vec<PartEffect>, LatentError> {
    if n == 0 {
        return Err(candle_core::Error::Msg("0 latents, expected 1 or more".into()).into());
    }
    let names: Vec<&str> = latent.parts().iter().map(|part| part.name.as_str()).collect();
    let mut independent = 0.0;
    let mut changes = vec![0.0; names.len()];
    for from in (0..n).step_by(BATCH) {
        let (held, drawn) = pairs(latent, from..n.min(from + BATCH), seed, device)?;
        let images = generator.forward_t(&held.encode()?, false)?;
        let change = |other: &LatentBatch| {
            let changes = mean_changes(&images, &generator.forward_t(&other.encode()?, false)?)?;
            Ok::<_, LatentError>(changes.iter().sum::<f64>())
        };
        independent += change(&drawn)?;
        for (&name, total) in names.iter().zip(&mut changes) {
            let anew = drawn.part(name).expect("a batch has all parts of its latent");
            *total += change(&held.with_part(name, anew)?)?;
        }
    }
    let effect = |(part, total): (&str, f64)| PartEffect {
        part: part.into(),
        change: total / n as f64,
        independent: independent / n as f64,
    };
    Ok(names.into_iter().zip(changes).map(effect).collect())
}

/// Two independent latents for each index.
pub(crate) fn pairs(
    latent: &Latent,
    indices: std::ops::Range<usize>,
    seed: u64,
    device: &Device,
) -> Result<(LatentBatch, LatentBatch), LatentError> {
    let (mut held, mut drawn) = (Vec::new(), Vec::new());
    for i in indices {
        let mut stream = Stream::indexed("part effect", seed, i as u64);
        held.push(latent.sample(1, &mut stream, device)?);
        drawn.push(latent.sample(1, &mut stream, device)?);
    }
    let join = |batches: &[LatentBatch]| {
        Ok::<_, LatentError>(latents::join(batches)?.expect("there is an index"))
    };
    Ok((join(&held)?, join(&drawn)?))
}

/// For each image the mean absolute difference of its pixels, on the scale [0, 1].
pub(crate) fn mean_changes(images: &Tensor, others: &Tensor) -> Result<Vec<f64>, LatentError> {
    let of_images = (images - others)?.abs()?.flatten_from(1)?.mean(1)?.to_vec1::<f32>()?; // [N]
    Ok(of_images.into_iter().map(|change| f64::from(change) / 2.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gan_models::{Distribution, Part};

    /// Every pixel is `weights · z`.
    struct Linear(Vec<f32>);

    impl ModuleT for Linear {
        fn forward_t(&self, z: &Tensor, _train: bool) -> candle_core::Result<Tensor> {
            let pixel = z.matmul(&Tensor::new(self.0.clone(), z.device())?.unsqueeze(1)?)?; // [N, 1]
            pixel.reshape(((), 1, 1, 1))?.broadcast_as((z.dim(0)?, 3, 2, 2))
        }
    }

    fn mixed() -> Latent {
        let part = |name: &str, distribution| Part { name: name.into(), distribution };
        Latent::new(vec![
            part("normal", Distribution::Normal { size: 1 }),
            part("uniform", Distribution::Uniform { low: -1.0, high: 1.0, size: 1 }),
            part("bit", Distribution::Binary { p: 0.25, size: 1 }),
            part("idle", Distribution::Normal { size: 2 }),
        ])
    }

    fn change(effects: &[PartEffect], part: &str) -> f64 {
        effects.iter().find(|e| e.part == part).expect("every part has an effect").change
    }

    /// E|x − x′| is 2/√π for N(0, 1), 2/3 for U(−1, 1) and 2p(1 − p) for a bit; half of it on the scale [0, 1].
    #[test]
    fn linear_factors_have_their_expected_effect() -> Result<(), LatentError> {
        let n = 20_000;
        let generator = Linear(vec![0.3, 0.2, 0.8, 0.0, 0.0]);
        let effects = part_effects(&generator, &mixed(), n, 5, &Device::Cpu)?;
        let expected = [
            ("normal", 0.3 / std::f64::consts::PI.sqrt()),
            ("uniform", 0.2 / 3.0),
            ("bit", 0.8 * 0.25 * 0.75),
        ];
        for (part, expected) in expected {
            // The relative standard error of the bit's mean is √((1 − q)/(q n)) with q = 2p(1 − p), 0.9 %: 4 of them.
            let got = change(&effects, part);
            assert!((got / expected - 1.0).abs() < 0.036, "{part}: {got}, expected {expected}");
        }
        assert_eq!(change(&effects, "idle"), 0.0);
        Ok(())
    }

    #[test]
    fn a_part_that_is_everything_has_the_whole_share() -> Result<(), LatentError> {
        let generator = Linear(vec![1.0; 3]);
        let effects = part_effects(&generator, &Latent::normal(3), 70, 0, &Device::Cpu)?;
        assert_eq!(effects.len(), 1);
        assert_eq!(effects[0].share(), 1.0);
        assert_eq!(PartEffect { independent: 0.0, ..effects[0].clone() }.share(), 0.0);
        Ok(())
    }

    #[test]
    fn the_seed_decides_the_numbers() -> Result<(), LatentError> {
        let generator = Linear(vec![0.3, 0.2, 0.8, 0.0, 0.0]);
        let of = |seed| part_effects(&generator, &mixed(), 65, seed, &Device::Cpu);
        assert_eq!(of(1)?, of(1)?);
        assert_ne!(of(1)?, of(2)?);
        assert!(part_effects(&generator, &mixed(), 0, 1, &Device::Cpu).is_err());
        Ok(())
    }
}
