//! Arithmetic on latents (Radford et al. 2016, <https://arxiv.org/abs/1511.06434>, section 6.3.2): the mean of some minus
//! the mean of others, added to a third group. With one latent in each it is z₂ + z₄ − z₃.
//!
//! It is done in the [`Space`] of the latent; bits, levels, choices and attributes stay those of the third group.

use gan_core::Stream;
use gan_models::LatentBatch;

use crate::error::LatentError;
use crate::space::Space;
use crate::vector::{length, scaled};

/// The mean of `plus` minus the mean of `minus`, in standard deviations of the entries.
///
/// # Errors
/// If a group is empty, or its latents are of another kind.
pub fn mean_difference(
    space: &Space,
    plus: &LatentBatch,
    minus: &LatentBatch,
) -> Result<Vec<f64>, LatentError> {
    let (plus, minus) = (mean(space, plus)?, mean(space, minus)?);
    Ok(plus.iter().zip(&minus).map(|(p, m)| p - m).collect())
}

fn mean(space: &Space, latents: &LatentBatch) -> Result<Vec<f64>, LatentError> {
    if latents.is_empty() {
        return Err(LatentError::Unfit(
            "a group of no latents has no mean; name one or more".into(),
        ));
    }
    let points = space.points(latents)?;
    let sum = |i: usize| points.iter().map(|point| point[i]).sum::<f64>();
    Ok((0..space.dimensions()).map(|i| sum(i) / points.len() as f64).collect())
}

/// About how long the difference of means is of groups of `plus` and `minus` latents that were picked by nothing: what of a
/// length is the groups' accident. Its square is the number of dimensions times the sum of both means' variances.
pub fn length_by_chance(space: &Space, plus: usize, minus: usize) -> f64 {
    (space.dimensions() as f64 * (1.0 / plus as f64 + 1.0 / minus as f64)).sqrt()
}

/// A direction of a given length drawn from all alike: what any change of that size does, beside which a found
/// direction is judged.
pub fn random_direction(space: &Space, of_length: f64, seed: u64) -> Vec<f64> {
    let mut stream = Stream::named("random direction", seed);
    let direction: Vec<f64> = (0..space.dimensions()).map(|_| f64::from(stream.normal())).collect();
    scaled(&direction, of_length / length(&direction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judged::{changes, judge, strongest};
    use crate::sample::{seeded, seeded_at};
    use candle_core::{Device, Result as TensorResult, Tensor};
    use candle_nn::ModuleT;
    use gan_models::{Distribution, Latent, Part};

    /// Two pixels, one the sum of the first three entries over 4, the other the fourth over 2; what is read beyond them is
    /// not shown.
    struct Factors;

    impl ModuleT for Factors {
        fn forward_t(&self, z: &Tensor, _train: bool) -> TensorResult<Tensor> {
            let first = (z.narrow(1, 0, 3)?.sum_keepdim(1)? / 4.0)?;
            let second = (z.narrow(1, 3, 1)? / 2.0)?;
            Tensor::cat(&[first, second], 1)?.reshape(((), 1, 1, 2))
        }
    }

    /// Sees each pixel, as log-odds.
    fn look(images: &Tensor) -> Result<Tensor, LatentError> {
        Ok(images.flatten_from(1)?)
    }

    #[test]
    fn known_linear_factors_are_recovered() -> Result<(), LatentError> {
        let latent = Latent::normal(6);
        let space = Space::of(&latent)?;
        let latents = seeded(&latent, 4000, 3, None, &Device::Cpu)?;
        let judged = judge::<LatentError>(&Factors, &latents, look, |_| ())?;
        let scores: Vec<f32> = judged.iter().map(|row| row[0]).collect();
        let minus: Vec<f32> = scores.iter().map(|s| -s).collect();
        let group = |scores: &[f32]| crate::latents::select(&latents, &strongest(scores, 200));
        let found = mean_difference(&space, &group(&scores)?, &group(&minus)?)?;
        // The factor is (1, 1, 1, 0, 0, 0)/√3. Of the other dimensions each mean has a standard error of 1/√200, their
        // difference √2 of that, 0.1; the difference along the factor is twice the mean of a normal's top 5 %, 2 · 2.06.
        let along = found[..3].iter().sum::<f64>() / 3f64.sqrt();
        assert!((along - 2.0 * 2.06).abs() < 0.25, "{along}");
        assert!(found[3..].iter().all(|x| x.abs() < 0.4), "{found:?}");
        let cosine = along / length(&found);
        assert!(cosine > 0.98, "{cosine}");

        let held_out =
            seeded_at(&latent, &(4000..4500).collect::<Vec<_>>(), 3, None, &Device::Cpu)?;
        let before = judge::<LatentError>(&Factors, &held_out, look, |_| ())?;
        let names = ["sum".to_string(), "other".to_string()];
        let after = |direction: &[f64]| {
            judge::<LatentError>(&Factors, &space.shifted(&held_out, direction, 1.0)?, look, |_| ())
        };
        let moved = changes(&names, &before, &after(&found)?);
        assert!(moved[0].after > 0.95 && moved[0].before < 0.6, "{moved:?}");
        assert!(moved[1].mean_change.abs() < 0.06, "{moved:?}");
        // A random direction of that length has a share of the factor with the standard deviation 1/√6 of its length.
        let control =
            changes(&names, &before, &after(&random_direction(&space, length(&found), 0))?);
        assert!(control[0].mean_change < moved[0].mean_change, "{control:?}");
        Ok(())
    }

    #[test]
    fn groups_of_nothing_have_the_length_of_chance() -> Result<(), LatentError> {
        let latent = Latent::normal(100);
        let space = Space::of(&latent)?;
        let latents = seeded(&latent, 400, 0, None, &Device::Cpu)?;
        let mut squares = 0.0;
        for i in 0..20 {
            let (plus, minus) = (latents.narrow(20 * i, 15)?, latents.narrow(20 * i + 15, 5)?);
            squares += length(&mean_difference(&space, &plus, &minus)?).powi(2) / 20.0;
        }
        // A mean of 20 χ² of 100 degrees each: a relative standard error of √(2/2000), 3.2 %; four of them.
        let far = squares / length_by_chance(&space, 15, 5).powi(2) - 1.0;
        assert!(far.abs() < 0.13, "{far}");
        Ok(())
    }

    #[test]
    fn one_of_each_is_z2_plus_z4_minus_z3() -> Result<(), LatentError> {
        let part = |name: &str, distribution| Part { name: name.into(), distribution };
        let latent = Latent::new(vec![
            part("z", Distribution::Normal { size: 3 }),
            part("bits", Distribution::Binary { p: 0.5, size: 8 }),
        ]);
        let space = Space::of(&latent)?;
        let at = |i: usize| seeded_at(&latent, &[i], 0, None, &Device::Cpu);
        let difference = mean_difference(&space, &at(4)?, &at(3)?)?;
        let result = space.shifted(&at(2)?, &difference, 1.0)?;
        let values = |batch: &LatentBatch, part: &str| -> Result<Vec<f32>, LatentError> {
            Ok(batch.part(part).expect("it has it").flatten_all()?.to_vec1()?)
        };
        let [z2, z3, z4] = [values(&at(2)?, "z")?, values(&at(3)?, "z")?, values(&at(4)?, "z")?];
        let expected: Vec<f32> = (0..3).map(|i| z2[i] + z4[i] - z3[i]).collect();
        let got = values(&result, "z")?;
        assert!(
            got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6),
            "{got:?} {expected:?}"
        );
        assert_eq!(values(&result, "bits")?, values(&at(2)?, "bits")?);
        Ok(())
    }

    #[test]
    fn a_random_direction_is_of_its_seed_and_length() -> Result<(), LatentError> {
        let space = Space::of(&Latent::normal(40))?;
        let drawn = random_direction(&space, 2.5, 1);
        assert!((length(&drawn) - 2.5).abs() < 1e-9);
        assert_eq!(drawn, random_direction(&space, 2.5, 1));
        assert_ne!(drawn, random_direction(&space, 2.5, 2));
        let nobody = seeded(&Latent::normal(40), 1, 0, None, &Device::Cpu)?.narrow(0, 0)?;
        mean_difference(&space, &nobody, &nobody).expect_err("no latents");
        Ok(())
    }
}
