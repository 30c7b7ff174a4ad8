//! Batch normalization of matrices `[rows, channels]`, fused with the activation that follows.
//!
//! `y = f(weight · (x − mean) / √(variance + eps) + bias)`, a channel at a time. Forward is one pass for the moments and
//! one for the values, backward one for the sums and one for the gradient of `x`.

use candle_core::Tensor;
use rayon::prelude::*;

use crate::activation::Pointwise;
use crate::buffer::fill_chunks;
use crate::element::Element;
use crate::rows::{rows_per_chunk, sum_rows};
use crate::simd::vectorized;

/// Mean and variance of each channel in one batch.
#[derive(Clone, Debug)]
pub struct BatchMoments {
    /// `[C]`, detached.
    pub mean: Tensor,
    /// `[C]`, detached; divided by `count` (biased).
    pub variance: Tensor,
    /// Values a channel: `N·H·W`.
    pub count: usize,
}

/// The statistics that channels are normalized by.
pub(crate) struct Channels {
    pub(crate) mean: Vec<f64>,
    pub(crate) variance: Vec<f64>,
    /// `1 / √(variance + eps)`
    pub(crate) inv_std: Vec<f64>,
}

impl Channels {
    pub(crate) fn new(mean: Vec<f64>, variance: Vec<f64>, eps: f64) -> Self {
        let inv_std = variance.iter().map(|v| 1.0 / (v + eps).sqrt()).collect();
        Self { mean, variance, inv_std }
    }

    /// Mean and biased variance of the channels of `x`.
    ///
    /// One pass: sums of `x − first` and its square, where `first` is the channel's first value. Shifted so, the
    /// variance does not cancel where the mean is large against the deviation.
    pub(crate) fn of_rows<T: Element>(x: &[T], channels: usize, eps: f64) -> Self {
        let first = &x[..channels];
        let n_rows = x.len() / channels;
        let sums = sum_rows::<T, 2>(n_rows, channels, |rows, sums| {
            let (sums, squares) = sums.split_at_mut(channels);
            vectorized(
                #[inline(always)]
                || {
                    let x = &x[rows.start * channels..rows.end * channels];
                    for row in x.chunks_exact(channels) {
                        let sums = sums.iter_mut().zip(squares.iter_mut());
                        for ((&x, &first), (sum, square)) in row.iter().zip(first).zip(sums) {
                            let d = x - first;
                            *sum += d;
                            *square += d * d;
                        }
                    }
                },
            );
        });
        let count = n_rows as f64;
        let (mean, variance) = sums
            .iter()
            .zip(first)
            .map(|(&[sum, squares], first)| {
                let shift = sum / count;
                (first.to_f64() + shift, (squares / count - shift * shift).max(0.0))
            })
            .unzip();
        Self::new(mean, variance, eps)
    }

    /// The normalization with these parameters.
    pub(crate) fn affine<T: Element>(&self, weight: &[T], bias: &[T]) -> Affine<T> {
        let scale = |c: usize| weight[c].to_f64() * self.inv_std[c];
        let shift = |c: usize| bias[c].to_f64() - self.mean[c] * scale(c);
        let channels = 0..self.mean.len();
        Affine {
            scale: channels.clone().map(|c| T::from_f64(scale(c))).collect(),
            shift: channels.map(|c| T::from_f64(shift(c))).collect(),
        }
    }
}

/// For each channel the factors with which the normalized value is `scale · x + shift`.
pub(crate) struct Affine<T> {
    scale: Vec<T>,
    shift: Vec<T>,
}

impl<T: Element> Affine<T> {
    fn channels(&self) -> usize {
        self.scale.len()
    }

    /// `f(scale · x + shift)`
    pub(crate) fn apply(&self, x: &[T], f: impl Pointwise<T>) -> Vec<T> {
        let channels = self.channels();
        let chunk = rows_per_chunk(channels) * channels;
        fill_chunks(x.len(), chunk, |index, out| {
            let x = &x[index * chunk..][..out.len()];
            vectorized(
                #[inline(always)]
                || {
                    for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                        let affine = self.scale.iter().zip(&self.shift);
                        for ((out, &x), (&scale, &shift)) in out.iter_mut().zip(x).zip(affine) {
                            *out = f.value(x * scale + shift);
                        }
                    }
                },
            );
        })
    }

    /// Per channel `Σ g` and `Σ g·(x − mean)`, where `g` is the gradient behind the activation.
    pub(crate) fn gradient_sums(
        &self,
        x: &[T],
        y: &[T],
        grad: &[T],
        statistics: &Channels,
        f: impl Pointwise<T>,
    ) -> Vec<[f64; 2]> {
        let channels = self.channels();
        let mean: Vec<T> = statistics.mean.iter().map(|&mean| T::from_f64(mean)).collect();
        let mut sums = sum_rows::<T, 2>(x.len() / channels, channels, |rows, sums| {
            let (sums, moments) = sums.split_at_mut(channels);
            let range = rows.start * channels..rows.end * channels;
            let (x, y, grad) = (&x[range.clone()], &y[range.clone()], &grad[range]);
            vectorized(
                #[inline(always)]
                || {
                    let rows = x.chunks_exact(channels).zip(y.chunks_exact(channels));
                    for ((x, y), grad) in rows.zip(grad.chunks_exact(channels)) {
                        let sums = sums.iter_mut().zip(moments.iter_mut());
                        let of_channel = mean.iter().zip(&self.scale).zip(&self.shift);
                        let values = x.iter().zip(y).zip(grad).zip(of_channel);
                        for ((((&x, &y), &grad), ((&mean, &scale), &shift)), (sum, moment)) in
                            values.zip(sums)
                        {
                            let g = grad * f.slope_at(x * scale + shift, y);
                            *sum += g;
                            *moment += g * (x - mean);
                        }
                    }
                },
            );
        });
        // The mean was rounded to T: back to the exact one.
        for ((sums, rounded), exact) in sums.iter_mut().zip(&mean).zip(&statistics.mean) {
            sums[1] += sums[0] * (rounded.to_f64() - exact);
        }
        sums
    }

    /// In place of `grad`, the gradient of `x`:
    /// `scale · (g − mean(g) − (x − mean) · Σ g·(x − mean) / (count · variance))`; without `through_moments`, which are
    /// the sums of [`Self::gradient_sums`], `scale · g`.
    pub(crate) fn gradient(
        &self,
        x: &[T],
        y: &[T],
        grad: &mut [T],
        statistics: &Channels,
        through_moments: Option<&[[f64; 2]]>,
        f: impl Pointwise<T>,
    ) {
        let channels = self.channels();
        let count = (x.len() / channels) as f64;
        // What is taken off g is slope · x + constant.
        let (mut slopes, mut constants) = (vec![T::zero(); channels], vec![T::zero(); channels]);
        for (c, &[sum, moment]) in through_moments.unwrap_or_default().iter().enumerate() {
            let slope = moment * statistics.inv_std[c].powi(2) / count;
            slopes[c] = T::from_f64(slope);
            constants[c] = T::from_f64(sum / count - slope * statistics.mean[c]);
        }
        let chunk = rows_per_chunk(channels) * channels;
        let chunks = x.par_chunks(chunk).zip(y.par_chunks(chunk));
        grad.par_chunks_mut(chunk).zip(chunks).for_each(|(grad, (x, y))| {
            vectorized(
                #[inline(always)]
                || {
                    let rows = x.chunks_exact(channels).zip(y.chunks_exact(channels));
                    for (grad, (x, y)) in grad.chunks_exact_mut(channels).zip(rows) {
                        let affine = self.scale.iter().zip(&self.shift);
                        let of_channel = slopes.iter().zip(&constants).zip(affine);
                        let values = grad.iter_mut().zip(x).zip(y);
                        for (((grad, &x), &y), ((&slope, &constant), (&scale, &shift))) in
                            values.zip(of_channel)
                        {
                            let g = *grad * f.slope_at(x * scale + shift, y);
                            *grad = scale * (g - (slope * x + constant));
                        }
                    }
                },
            );
        });
    }
}
