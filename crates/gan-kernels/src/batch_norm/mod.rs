//! Batch normalization (Ioffe & Szegedy 2015, <https://arxiv.org/abs/1502.03167>) with the activation that follows it.
//!
//! Over `[N, C, H, W]` or `[N, C]`, a channel at a time:
//! `y = f(weight · (x − mean) / √(variance + eps) + bias)`. Forward is one pass for the moments and one for the
//! values, backward one for the sums and one for the gradient of `x`.

mod op;

use candle_core::{DType, Result, Tensor, bail};

use self::op::{Normalize, moments};
use crate::activation::Activation;
use crate::channels::Planes;
use crate::{fallback, second_order};

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

/// Normalizes by the batch's own moments, then applies `activation`.
///
/// `x` `[N, C, H, W]` or `[N, C]`, `weight` and `bias` `[C]`. Returns a tensor like `x` and the moments, for the
/// caller's running statistics. Differentiable in `x` (through the moments too), `weight` and `bias`.
///
/// # Errors
/// If shapes or element types do not fit, or a channel has a single value.
pub fn batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<(Tensor, BatchMoments)> {
    const OP: &str = "batch_norm_train";
    let planes = Planes::of(OP, x)?;
    planes.check_parameter(OP, "weight", x, weight)?;
    planes.check_parameter(OP, "bias", x, bias)?;
    if planes.count() < 2 {
        bail!("{OP}: needs more than one value a channel, got input {:?}", x.dims())
    }
    if !x.device().is_cpu() || second_order::enabled() {
        let (y, mean, variance) = fallback::batch_norm_train(x, weight, bias, eps, activation)?;
        let count = planes.count();
        return Ok((y, BatchMoments { mean, variance, count }));
    }
    let x = x.contiguous()?;
    let (mean, variance) = moments(planes, &x)?;
    let to_tensor = |values: &[f64]| {
        Tensor::from_slice(values, planes.channels, x.device())?.to_dtype(x.dtype())
    };
    let batch_moments = BatchMoments {
        mean: to_tensor(&mean)?,
        variance: to_tensor(&variance)?,
        count: planes.count(),
    };
    let op = Normalize::new(planes, mean, &variance, eps, activation, true);
    let y = x.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)?;
    Ok((y, batch_moments))
}

/// Normalizes by given statistics, then applies `activation`.
///
/// Shapes as for [`batch_norm_train`]; `running_mean` and `running_var` are `[C]` constants: no gradient flows to
/// them. Differentiable in `x`, `weight` and `bias`.
///
/// # Errors
/// If shapes or element types do not fit.
pub fn batch_norm_eval(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    running_mean: &Tensor,
    running_var: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<Tensor> {
    const OP: &str = "batch_norm_eval";
    let planes = Planes::of(OP, x)?;
    for (name, parameter) in [
        ("weight", weight),
        ("bias", bias),
        ("running_mean", running_mean),
        ("running_var", running_var),
    ] {
        planes.check_parameter(OP, name, x, parameter)?;
    }
    let (mean, variance) = (running_mean.detach(), running_var.detach());
    if !x.device().is_cpu() || second_order::enabled() {
        return fallback::normalize(x, weight, bias, &mean, &variance, eps, activation);
    }
    let mean = mean.to_dtype(DType::F64)?.to_vec1()?;
    let variance: Vec<f64> = variance.to_dtype(DType::F64)?.to_vec1()?;
    let op = Normalize::new(planes, mean, &variance, eps, activation, false);
    x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)
}
