//! The layers that models are made of, over the kernels of `gan-kernels`.
//!
//! Keys within a layer are PyTorch's (`weight`, `bias`, `running_mean`, `running_var`).

use candle_core::{Result, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};

use crate::summary;

/// Convolution weights are drawn from N(0, 0.02) (Radford et al. 2016, section 4).
const CONV_INIT: Init = Init::Randn { mean: 0.0, stdev: 0.02 };
/// Batch-norm weights are drawn from N(1, 0.02), as in PyTorch's DCGAN example.
const NORM_INIT: Init = Init::Randn { mean: 1.0, stdev: 0.02 };

/// 2-D convolution without bias, with an activation.
#[derive(Clone, Debug)]
pub struct Conv2d {
    name: String,
    weight: Tensor, // [C_out, C_in, K, K]
    geometry: ConvGeometry,
    activation: Activation,
}

impl Conv2d {
    /// A square kernel from `c_in` to `c_out` channels.
    pub fn new(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        geometry: ConvGeometry,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let weight = vb.get_with_hints((c_out, c_in, kernel, kernel), "weight", CONV_INIT)?;
        Ok(Self { name: vb.prefix(), weight, geometry, activation })
    }

    /// `x`: `(N, C_in, H, W)` → `(N, C_out, H', W')`.
    pub fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let y = x.conv(&self.weight, None, self.geometry, self.activation)?;
        summary::record(&self.name, "Conv2d", &y, &[&self.weight]);
        Ok(y)
    }
}

/// 2-D transposed convolution without bias, with an activation.
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    name: String,
    weight: Tensor, // [C_in, C_out, K, K]
    geometry: ConvGeometry,
    activation: Activation,
}

impl ConvTranspose2d {
    /// A square kernel from `c_in` to `c_out` channels.
    pub fn new(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        geometry: ConvGeometry,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let weight = vb.get_with_hints((c_in, c_out, kernel, kernel), "weight", CONV_INIT)?;
        Ok(Self { name: vb.prefix(), weight, geometry, activation })
    }

    /// `x`: `(N, C_in, H, W)` → `(N, C_out, H', W')`.
    pub fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let (weight, activation) = (&self.weight, self.activation);
        let y = x.conv_transpose(weight, None, self.geometry, (0, 0), activation)?;
        summary::record(&self.name, "ConvTranspose2d", &y, &[&self.weight]);
        Ok(y)
    }
}

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
        summary::record(&self.name, "BatchNorm2d", &y, &[&self.weight, &self.bias]);
        Ok(y)
    }
}

/// Moves a running statistic towards `scale` times a batch's.
fn track(running: &Var, batch: &Tensor, scale: f64) -> Result<()> {
    let kept = running.as_detached_tensor().affine(1.0 - BatchNorm::MOMENTUM, 0.0)?;
    running.set(&(kept + batch.detach().affine(BatchNorm::MOMENTUM * scale, 0.0)?)?)
}
