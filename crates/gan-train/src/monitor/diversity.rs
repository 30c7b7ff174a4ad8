//! How different samples are from each other, held against how different real images are.

use candle_core::{DType, Device, Error, Result as TensorResult, Tensor};
use serde::{Deserialize, Serialize};

/// Most samples of each set that are compared.
pub const MOST_SAMPLES: usize = 64;

/// How different the samples of a batch of fakes are from each other, and those of a batch of reals.
///
/// The measure of a set is its mean nearest-neighbour distance: for each sample the root mean square
/// difference of its values to the most similar other sample, averaged. A generator of one picture
/// has none, and neither has one of a few pictures, each many times, whose mean distance over all
/// pairs would still look healthy. It is in units of the samples: at most 2 for images in [-1, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diversity {
    /// Of the fakes.
    pub fake: f64,
    /// Of the reals.
    pub real: f64,
}

impl Diversity {
    /// Of `fakes` and `reals`, each `(N, C, H, W)` or `(N, D)` with as many values a sample.
    ///
    /// The first 64 samples of each are compared, and of both sets as many as the smaller one has,
    /// because the distance to the nearest neighbour falls as a set grows. The sums are f64 on the
    /// CPU, in one order: the same on every machine, in some 40 ms for 64 images of 64×64×3.
    ///
    /// Fewer than two samples, or samples of different sizes, are errors.
    pub fn between(fakes: &Tensor, reals: &Tensor) -> TensorResult<Self> {
        let (n_fakes, n_reals) = (fakes.dim(0)?, reals.dim(0)?);
        let n = n_fakes.min(n_reals).min(MOST_SAMPLES);
        if n < 2 {
            return Err(Error::Msg(format!(
                "diversity of {n_fakes} fakes and {n_reals} reals: expected two or more of each"
            )));
        }
        let (fakes, reals) = (rows(fakes, n)?, rows(reals, n)?);
        if fakes[0].len() != reals[0].len() {
            return Err(Error::Msg(format!(
                "diversity of fakes with {} values and reals with {}: expected one size",
                fakes[0].len(),
                reals[0].len()
            )));
        }
        Ok(Self {
            fake: nearest_neighbour_distance(&fakes),
            real: nearest_neighbour_distance(&reals),
        })
    }

    /// The fakes' diversity as a share of the reals'; 1 where the reals have none, because nothing
    /// can then be missing.
    pub fn share(&self) -> f64 {
        if self.real > 0.0 { self.fake / self.real } else { 1.0 }
    }
}

/// The first `n` samples, each as one row of values.
fn rows(samples: &Tensor, n: usize) -> TensorResult<Vec<Vec<f32>>> {
    samples
        .narrow(0, 0, n)?
        .flatten_from(1)?
        .to_device(&Device::Cpu)?
        .to_dtype(DType::F32)?
        .to_vec2::<f32>()
}

/// Mean over the rows of the root mean square difference to the most similar other row.
///
/// Differences are squared rather than products subtracted, so that copies have exactly 0.
fn nearest_neighbour_distance(rows: &[Vec<f32>]) -> f64 {
    let n = rows.len();
    let mut nearest = vec![f64::INFINITY; n]; // mean squared difference
    for i in 0..n {
        for j in 0..i {
            let squared = mean_squared_difference(&rows[i], &rows[j]);
            nearest[i] = nearest[i].min(squared);
            nearest[j] = nearest[j].min(squared);
        }
    }
    nearest.into_iter().map(f64::sqrt).sum::<f64>() / n as f64
}

fn mean_squared_difference(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    sum / a.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rows: &[[f32; 2]]) -> Tensor {
        Tensor::from_slice(rows.as_flattened(), (rows.len(), 2), &Device::Cpu).expect("2 columns")
    }

    /// Three points: nearest distances √(1/2), √(1/2) and √(9/2), where squares are means over two.
    #[test]
    fn closed_form() -> TensorResult<()> {
        let reals = set(&[[0.0, 0.0], [1.0, 0.0], [4.0, 0.0]]);
        let diversity = Diversity::between(&reals, &reals)?;
        let expected = (1.0 + 1.0 + 3.0) / 2_f64.sqrt() / 3.0;
        // Roundings of f64 alone: the differences are exact.
        assert!((diversity.real - expected).abs() < 1e-12, "{diversity:?}");
        assert_eq!(diversity.fake, diversity.real);
        Ok(())
    }

    #[test]
    fn copies_have_none_even_of_several_pictures() -> TensorResult<()> {
        let reals = set(&[[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [9.0, 0.0]]);
        let fakes = set(&[[0.0, 0.0], [9.0, 0.1], [0.0, 0.0], [9.0, 0.1]]);
        let diversity = Diversity::between(&fakes, &reals)?;
        assert_eq!(diversity.fake, 0.0);
        assert_eq!(diversity.share(), 0.0);
        assert_eq!(Diversity::between(&fakes, &fakes)?.share(), 1.0, "nothing can be missing");
        Ok(())
    }

    #[test]
    fn as_many_of_both_sets_and_at_most_64_count() -> TensorResult<()> {
        let many = Tensor::arange(0f32, 300.0, &Device::Cpu)?.sqr()?.reshape((100, 1, 1, 3))?;
        let diversity = Diversity::between(&many, &many.narrow(0, 0, 10)?)?;
        assert_eq!(diversity.fake, diversity.real);
        let cut = many.narrow(0, 0, MOST_SAMPLES)?;
        assert_eq!(Diversity::between(&many, &many)?, Diversity::between(&cut, &cut)?);
        Ok(())
    }

    #[test]
    fn too_few_samples_and_other_sizes_are_refused() {
        let (one, two) = (set(&[[0.0, 1.0]]), set(&[[0.0, 1.0], [2.0, 3.0]]));
        let message = Diversity::between(&one, &two).expect_err("one fake").to_string();
        assert!(message.contains("two or more"), "{message}");
        let wide = two.reshape((1, 4)).and_then(|t| t.repeat((2, 1))).expect("4 values");
        let message = Diversity::between(&wide, &two).expect_err("4 against 2").to_string();
        assert!(message.contains("4 values and reals with 2"), "{message}");
    }
}
