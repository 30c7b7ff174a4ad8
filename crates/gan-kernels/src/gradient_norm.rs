//! The size of a gradient.

use candle_core::backprop::GradStore;
use candle_core::{DType, Result, Tensor, Var};
use rayon::prelude::*;

use crate::element::{Element, cpu, slice, with_element};
use crate::simd::vectorized;

/// Square root of the sum of squares of the gradients of `params`; parameters without a gradient count as 0.
///
/// Summed in f64 by chunks of fixed length, so that the bits do not depend on the threads.
///
/// # Errors
/// If a gradient is neither `f32` nor `f64` on the CPU.
pub fn gradient_norm(params: &[(String, Var)], grads: &GradStore) -> Result<f64> {
    let mut total = 0.0;
    for (_, param) in params {
        if let Some(grad) = grads.get(param) {
            total += sum_of_squares(grad)?;
        }
    }
    Ok(total.sqrt())
}

fn sum_of_squares(grad: &Tensor) -> Result<f64> {
    const CHUNK: usize = 64 * 1024;
    if !grad.device().is_cpu() {
        return grad.sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar();
    }
    let grad = grad.contiguous()?;
    let (storage, layout) = grad.storage_and_layout();
    let storage = cpu(&storage)?;
    with_element!(storage, "gradient_norm", T => {
        let sums: Vec<f64> = slice::<T>(storage, layout)?
            .par_chunks(CHUNK)
            .map(|chunk| vectorized(
                #[inline(always)]
                || sum_in_lanes(chunk),
            ))
            .collect();
        Ok(sums.iter().sum())
    })
}

/// Sum of squares in f64, by running sums side by side, so that the loop vectorizes; the same on every machine.
#[inline(always)]
fn sum_in_lanes<T: Element>(values: &[T]) -> f64 {
    const LANES: usize = 16;
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane += value.to_f64() * value.to_f64();
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += value.to_f64() * value.to_f64();
    }
    lanes.iter().sum()
}
