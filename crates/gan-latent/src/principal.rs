//! Principal components of many values a sample, as activations and latents are.

use candle_core::{Device, Tensor};
use gan_core::Stream;

use crate::eigen::symmetric_eigen;
use crate::error::LatentError;
use crate::vector::{dot, length, normalized, with_sign};

/// The directions in which samples vary most.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Variance along each, the largest first.
    pub variances: Vec<f64>,
    /// Variance in all directions together.
    pub total_variance: f64,
    /// A row a component, of length 1.
    pub components: Vec<Vec<f64>>,
    /// Place of each sample along the components, from the mean: `(N, K)`.
    pub scores: Vec<Vec<f64>>,
}

/// Samples of more values than this are not turned into a whole covariance matrix.
const LARGEST_COVARIANCE: usize = 192;
/// Components beyond those asked for that the iteration carries, and its rounds: enough for five digits where variances
/// fall as slowly as in the first layer of a DCGAN.
const OVERSAMPLING: usize = 10;
const ROUNDS: usize = 20;

/// The first `k` principal components of samples `(N, F)`, or as many as there can be.
///
/// Few values a sample have the whole spectrum of their covariance computed; many the part that is asked for, by
/// subspace iteration from a random start (Halko et al. 2011, <https://arxiv.org/abs/0909.4061>, algorithm 4.4), whose
/// products are f32.
///
/// # Errors
/// If there are fewer than two samples.
pub fn principal_components(
    samples: &Tensor,
    k: usize,
    seed: u64,
) -> Result<Principal, LatentError> {
    let (n, size) = samples.dims2()?;
    if n < 2 {
        return Err(LatentError::Unfit(format!("{n} samples do not vary; expected 2 or more")));
    }
    let centred = samples.broadcast_sub(&samples.mean_keepdim(0)?)?;
    let of_samples = (n - 1) as f64; // unbiased
    let total_variance = f64::from(centred.sqr()?.sum_all()?.to_scalar::<f32>()?) / of_samples;
    let components = if size <= LARGEST_COVARIANCE {
        symmetric_eigen(&gram(&centred.t()?)?).vectors
    } else {
        iterated(&centred, (k + OVERSAMPLING).min(size).min(n - 1), seed)?
    };
    let k = k.min(components.len());
    let components: Vec<Vec<f64>> = components.into_iter().take(k).map(with_sign).collect();
    let scores = to_f64(&centred.matmul(&to_tensor(&components, samples.device())?.t()?)?)?;
    let variance = |i: usize| scores.iter().map(|row| row[i] * row[i]).sum::<f64>() / of_samples;
    let variances = (0..k).map(variance).collect();
    Ok(Principal { variances, total_variance, components, scores })
}

/// The products of all pairs of rows.
fn gram(rows: &Tensor) -> Result<Vec<Vec<f64>>, LatentError> {
    to_f64(&rows.contiguous()?.matmul(&rows.t()?.contiguous()?)?)
}

/// About the first `k` components of samples `(N, F)` whose mean is 0, as rows.
fn iterated(centred: &Tensor, k: usize, seed: u64) -> Result<Vec<Vec<f64>>, LatentError> {
    let device = centred.device();
    let transposed = centred.t()?.contiguous()?; // [F, N]
    let mut stream = Stream::named("principal components", seed);
    let start = stream.normal_tensor((k, centred.dim(1)?), device)?;
    let mut basis = orthonormal(to_f64(&start)?);
    for _ in 0..ROUNDS {
        let scores = centred.matmul(&to_tensor(&basis, device)?.t()?)?; // [N, k]
        let next = transposed.matmul(&scores.contiguous()?)?; // [F, k]
        basis = orthonormal(to_f64(&next.t()?)?);
    }
    // Within the subspace the components are those of a small matrix (Rayleigh and Ritz).
    let scores = centred.matmul(&to_tensor(&basis, device)?.t()?)?;
    let turn = symmetric_eigen(&gram(&scores.t()?)?).vectors;
    let size = centred.dim(1)?;
    let turned = |weights: &Vec<f64>| {
        let mut component = vec![0.0; size];
        for (weight, row) in weights.iter().zip(&basis) {
            component.iter_mut().zip(row).for_each(|(c, x)| *c += weight * x);
        }
        normalized(component)
    };
    Ok(turn.iter().map(turned).collect())
}

/// Rows of length 1 at right angles that span what `rows` do, by Gram and Schmidt, twice for exactness. Rows that depend on
/// those before are left away.
fn orthonormal(rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(rows.len());
    for mut row in rows {
        let before = length(&row);
        for _ in 0..2 {
            for other in &basis {
                let along = dot(&row, other);
                row.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
            }
        }
        if length(&row) > 1e-9 * before {
            basis.push(normalized(row));
        }
    }
    basis
}

fn to_f64(tensor: &Tensor) -> Result<Vec<Vec<f64>>, LatentError> {
    let rows = tensor.to_device(&Device::Cpu)?.to_dtype(candle_core::DType::F64)?;
    Ok(rows.to_vec2::<f64>()?)
}

fn to_tensor(rows: &[Vec<f64>], device: &Device) -> Result<Tensor, LatentError> {
    let size = rows.first().map_or(0, Vec::len);
    let values: Vec<f32> = rows.iter().flatten().map(|x| *x as f32).collect();
    Ok(Tensor::from_vec(values, (rows.len(), size), device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` samples of `size` values with standard deviations 8, 4, 2 along known orthogonal directions and 0.1 elsewhere.
    fn known(n: usize, size: usize) -> (Tensor, Vec<Vec<f64>>) {
        let mut stream = Stream::named("known", 4);
        let mut normal =
            |n: usize| (0..n).map(|_| f64::from(stream.normal())).collect::<Vec<f64>>();
        let directions = orthonormal((0..3).map(|_| normal(size)).collect());
        let mut samples = Vec::new();
        for _ in 0..n {
            let mut sample: Vec<f64> = normal(size).into_iter().map(|x| 3.0 + 0.1 * x).collect();
            for (direction, deviation) in directions.iter().zip([8.0, 4.0, 2.0]) {
                let along = deviation * normal(1)[0];
                sample.iter_mut().zip(direction).for_each(|(x, d)| *x += along * d);
            }
            samples.push(sample);
        }
        (to_tensor(&samples, &Device::Cpu).expect("equal rows"), directions)
    }

    #[test]
    fn known_directions_and_variances_are_found() -> Result<(), LatentError> {
        let n = 2000;
        for size in [20, 400] {
            let (samples, directions) = known(n, size);
            let found = principal_components(&samples, 3, 0)?;
            for (i, variance) in [64.0, 16.0, 4.0].into_iter().enumerate() {
                let cosine = dot(&found.components[i], &directions[i]).abs();
                assert!(cosine > 0.998, "{size} {i}: {cosine}");
                // Four standard errors of a variance, √(2/n) of it, and the noise.
                let far = (found.variances[i] / variance - 1.0).abs();
                assert!(far < 4.0 * (2.0 / n as f64).sqrt() + 0.01, "{size} {i}: {far}");
            }
            let total = 84.0 + 0.01 * size as f64;
            assert!((found.total_variance / total - 1.0).abs() < 0.12, "{}", found.total_variance);
        }
        Ok(())
    }

    #[test]
    fn iterating_finds_what_the_whole_covariance_has() -> Result<(), LatentError> {
        let (samples, _) = known(300, 150);
        let centred = samples.broadcast_sub(&samples.mean_keepdim(0)?)?;
        let whole = symmetric_eigen(&gram(&centred.t()?)?);
        let found = iterated(&centred, 13, 7)?;
        for (exact, found) in whole.vectors.iter().zip(&found).take(3) {
            let cosine = dot(exact, found).abs();
            assert!((cosine - 1.0).abs() < 1e-5, "{cosine}");
        }
        assert_eq!(found, iterated(&centred, 13, 7)?);
        Ok(())
    }

    #[test]
    fn one_sample_has_no_components() -> Result<(), LatentError> {
        let one = Tensor::zeros((1, 4), candle_core::DType::F32, &Device::Cpu)?;
        principal_components(&one, 2, 0).expect_err("one sample");
        let two = Tensor::new(&[[0f32, 1.0], [0.0, 3.0]], &Device::Cpu)?;
        let found = principal_components(&two, 5, 0)?;
        assert_eq!((found.components.len(), found.components[0].clone()), (2, vec![0.0, 1.0]));
        assert!((found.variances[0] - 2.0).abs() < 1e-6);
        Ok(())
    }
}
