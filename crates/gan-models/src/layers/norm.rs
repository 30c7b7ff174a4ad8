//! Batch normalization.

use candle_core::{Result, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use gan_kernels::{Activation, FeatureMaps};

use crate::layered::Layer;
use crate::summary;

/// Batch-norm weights are drawn from N(1, 0.02), as in PyTorch's DCGAN example.
const NORM_INIT: Init = Init::Randn { mean: 1.0, stdev: 0.02 };

/// Batch normalization with an activation fused (Ioffe and Szegedy 2015,
/// <https://arxiv.org/abs/1502.03167>).
///
/// Running statistics are kept as PyTorch keeps them: momentum 0.1, unbiased variance.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    name: String,
    weight: Tensor,
    bias: Tensor,
    running_mean: Var,
    running_var: Var,
    activation: Activation,
}

impl BatchNorm {
    /// Added to the variance, PyTorch's default.
    pub const EPS: f64 = 1e-5;
    /// Share of a batch in the running statistics, PyTorch's default.
    pub const MOMENTUM: f64 = 0.1;

    /// Normalizes each of `channels`.
    pub fn new(channels: usize, activation: Activation, vb: VarBuilder<'_>) -> Result<Self> {
        let zeros = Init::Const(0.0);
        Ok(Self {
            name: vb.prefix(),
            weight: vb.get_with_hints(channels, "weight", NORM_INIT)?,
            bias: vb.get_with_hints(channels, "bias", zeros)?,
            running_mean: Var::from_tensor(&vb.get_with_hints(channels, "running_mean", zeros)?)?,
            running_var: Var::from_tensor(&vb.get_with_hints(
                channels,
                "running_var",
                Init::Const(1.0),
            )?)?,
            activation,
        })
    }

    /// `x`: `(N, C, H, W)`. In training the statistics are the batch's, and the running ones follow;
    /// otherwise they are the running ones.
    pub fn forward_t(&self, x: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        let y = if train {
            let (y, moments) =
                x.batch_norm_train(&self.weight, &self.bias, Self::EPS, self.activation)?;
            let n = moments.count as f64;
            let unbiased = n / (n - 1.0).max(1.0);
            track(&self.running_mean, &moments.mean, 1.0)?;
            track(&self.running_var, &moments.variance, unbiased)?;
            y
        } else {
            x.batch_norm_eval(
                &self.weight,
                &self.bias,
                &self.running_mean.as_detached_tensor(),
                &self.running_var.as_detached_tensor(),
                Self::EPS,
                self.activation,
            )?
        };
        summary::record(&self.name, x, &y, || {
            let layer = Layer::BatchNorm { key: self.name.clone() };
            (layer, self.activation, vec![&self.weight, &self.bias])
        });
        Ok(y)
    }
}

/// Moves a running statistic towards `scale` times a batch's.
fn track(running: &Var, batch: &Tensor, scale: f64) -> Result<()> {
    let kept = running.as_detached_tensor().affine(1.0 - BatchNorm::MOMENTUM, 0.0)?;
    running.set(&(kept + batch.detach().affine(BatchNorm::MOMENTUM * scale, 0.0)?)?)
}
