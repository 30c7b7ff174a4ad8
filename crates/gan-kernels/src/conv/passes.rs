//! The three passes of a convolution on images `[N, H, W, C]`, each by the algorithm that is fastest for its shape.
//!
//! Weights are `[C_small, C_large, kh, kw]` throughout: what PyTorch stores for both directions.

use super::ops::Pass;
use super::shape::ConvShape;
use super::winograd::Algorithm;
use super::{dense, direct};
use crate::element::Element;

/// Positions of all small images from which on filtering pays: below, transforming the weights takes longer than the
/// multiplications that are saved.
const FEWEST_POSITIONS: usize = 512;

/// The filtering algorithm to use, if one is faster than products of patches.
///
/// Measured at batch 64 on 2 cores with AVX-512, in ms for forward, input and weight gradient, against patches:
/// F(2, 2), 64→128 at 32×32: 10, 10, 13 against 17, 18, 20; 256→512 at 8×8: 12, 11, 13 against 22, 23, 38. F(2, 3),
/// 64→64 at 32×32: 10, 10, 18 against 17, 17, 18. Few channels fill no vectors. F(4, 2) made a training step 6 % faster
/// than F(2, 2), with errors seven times as large.
fn algorithm(shape: &ConvShape) -> Option<Algorithm> {
    if shape.batch * shape.small.area() < FEWEST_POSITIONS {
        return None;
    }
    [Algorithm::F2x2, Algorithm::F2x3].into_iter().find(|algorithm| algorithm.computes(shape))
}

/// What `pass` makes of `a` and `b`, images `[N, H, W, C]` and weights as [`Pass`] says.
pub(crate) fn run<T: Element>(pass: Pass, shape: &ConvShape, a: &[T], b: &[T]) -> Vec<T> {
    // On a thread of the pool: from there its parallel parts start without waking anybody and waiting to be woken.
    let compute = || match pass {
        Pass::Forward => forward(shape, a, b),
        Pass::InputGrad => input_grad(shape, a, b),
        Pass::WeightGrad => weight_grad(shape, a, b),
    };
    rayon::join(compute, || ()).0
}

/// Small images from large ones: the convolution.
fn forward<T: Element>(shape: &ConvShape, large: &[T], weight: &[T]) -> Vec<T> {
    match algorithm(shape) {
        Some(algorithm) => algorithm.forward(shape, large, weight),
        None if dense::is_dense(shape) => dense::forward(shape, large, weight),
        None => direct::forward(shape, large, weight),
    }
}

/// Large images from small ones: the gradient for the input, and the transposed convolution.
fn input_grad<T: Element>(shape: &ConvShape, small: &[T], weight: &[T]) -> Vec<T> {
    match algorithm(shape) {
        Some(algorithm) => algorithm.input_grad(shape, small, weight),
        None if dense::is_dense(shape) => dense::input_grad(shape, small, weight),
        None => direct::input_grad(shape, small, weight),
    }
}

/// The gradient for the weight, summed over the batch.
fn weight_grad<T: Element>(shape: &ConvShape, large: &[T], small: &[T]) -> Vec<T> {
    match algorithm(shape) {
        Some(algorithm) => algorithm.weight_grad(shape, large, small),
        None if dense::is_dense(shape) => dense::weight_grad(shape, large, small),
        None => direct::weight_grad(shape, large, small),
    }
}
