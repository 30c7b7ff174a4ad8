//! Losses on logits, stable at any size of the logit.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType, bail};

use crate::element::{cpu, slice, with_element};
use crate::elementwise::{map, update};
use crate::{fallback, second_order};

/// Binary cross-entropy of `logits` against one constant `target` in [0, 1], in nats.
///
/// The mean over all elements of `−t·ln σ(l) − (1−t)·ln(1−σ(l))`, shape `()`. It is ln 2 at logits of 0.
///
/// # Errors
/// If `target` lies outside [0, 1] or `logits` is empty.
pub fn bce_with_logits(logits: &Tensor, target: f64) -> Result<Tensor> {
    if !(0.0..=1.0).contains(&target) {
        bail!("bce_with_logits: target must lie in [0, 1], got {target}")
    }
    if logits.elem_count() == 0 {
        bail!("bce_with_logits: no logits, shape {:?}", logits.dims())
    }
    if !logits.device().is_cpu() || second_order::enabled() {
        return fallback::bce_with_logits(logits, target);
    }
    logits.contiguous()?.apply_op1(BceWithLogits { target })
}

/// `ln(1 + eˣ)` of every element, without overflow; the derivative is the sigmoid.
///
/// # Errors
/// If `x` is neither `f32` nor `f64` on the CPU.
pub fn softplus(x: &Tensor) -> Result<Tensor> {
    if !x.device().is_cpu() || second_order::enabled() {
        return fallback::softplus(x);
    }
    x.contiguous()?.apply_op1(Softplus)
}

/// `ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|)`
fn softplus_f64(x: f64) -> f64 {
    // Not `x.max(0.0)`, which would hide a NaN.
    let positive = if x <= 0.0 { 0.0 } else { x };
    positive + (-x.abs()).exp().ln_1p()
}

fn sigmoid_f64(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

struct Softplus;

impl CustomOp1 for Softplus {
    fn name(&self) -> &'static str {
        "softplus"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = with_element!(x, "softplus", T => {
            let x = slice::<T>(x, layout)?;
            T::to_cpu_storage_owned(map(x, |x| T::from_f64(softplus_f64(x.to_f64()))))
        });
        Ok((y, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        if !x.track_op() {
            return Ok(None);
        }
        let grad = grad.contiguous()?;
        let ((xs, xl), (gs, gl)) = (x.storage_and_layout(), grad.storage_and_layout());
        let (xs, gs) = (cpu(&xs)?, cpu(&gs)?);
        with_element!(xs, "softplus", T => {
            let mut grad = slice::<T>(gs, gl)?.to_vec();
            update(&mut grad, slice::<T>(xs, xl)?, |g, x| g * T::from_f64(sigmoid_f64(x.to_f64())));
            Tensor::from_vec(grad, x.shape(), x.device()).map(Some)
        })
    }
}

struct BceWithLogits {
    target: f64,
}

impl CustomOp1 for BceWithLogits {
    fn name(&self) -> &'static str {
        "bce_with_logits"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        // −t·ln σ(l) − (1−t)·ln(1−σ(l)) = t·softplus(−l) + (1−t)·softplus(l); a term of weight 0 is left out, so
        // that an infinite logit on the right side costs nothing.
        let term = |weight: f64, logit: f64| {
            if weight == 0.0 && !logit.is_nan() { 0.0 } else { weight * softplus_f64(logit) }
        };
        let loss = with_element!(logits, self.name(), T => {
            let logits = slice::<T>(logits, layout)?;
            let sum: f64 = logits
                .iter()
                .map(|l| l.to_f64())
                .map(|l| term(self.target, -l) + term(1.0 - self.target, l))
                .sum();
            T::to_cpu_storage_owned(vec![T::from_f64(sum / logits.len() as f64)])
        });
        Ok((loss, Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        if !logits.track_op() {
            return Ok(None);
        }
        let scale = grad.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?
            / logits.elem_count() as f64;
        let (storage, layout) = logits.storage_and_layout();
        let storage = cpu(&storage)?;
        with_element!(storage, self.name(), T => {
            let slope = |l: T| T::from_f64(scale * (sigmoid_f64(l.to_f64()) - self.target));
            let values = map(slice::<T>(storage, layout)?, slope);
            Tensor::from_vec(values, logits.shape(), logits.device()).map(Some)
        })
    }
}
