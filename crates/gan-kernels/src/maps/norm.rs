//! Batch normalization of feature maps, with the activation that follows it.

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor, WithDType, bail};

use super::buffers::{Buffers, token, token_tensor};
use super::{FeatureMaps, Values};
use crate::activation::{Activation, with_pointwise};
use crate::backward::hand_over;
use crate::batch_norm::{Affine, BatchMoments, Channels};
use crate::element::{Element, cpu, slice, with_element};
use crate::fallback;

impl FeatureMaps {
    /// Normalizes each channel by the batch's own moments, then applies `activation` (Ioffe & Szegedy 2015,
    /// <https://arxiv.org/abs/1502.03167>): `activation(weight · (x − mean) / √(variance + eps) + bias)`.
    ///
    /// `weight` and `bias` `[C]`. Returns the maps and the moments, for the caller's running statistics. Differentiable
    /// in the maps (through the moments too), `weight` and `bias`.
    ///
    /// # Errors
    /// If shapes or element types do not fit, or a channel has a single value.
    pub fn batch_norm_train(
        &self,
        weight: &Tensor,
        bias: &Tensor,
        eps: f64,
        activation: Activation,
    ) -> Result<(Self, BatchMoments)> {
        const OP: &str = "batch_norm_train";
        let count = self.batch * self.image.area();
        if count < 2 {
            bail!("{OP}: needs more than one value a channel, got maps {:?}", self.dims())
        }
        activation.check(OP)?;
        let channels = self.image.channels;
        self.check_channels(OP, "weight", weight, channels)?;
        self.check_channels(OP, "bias", bias, channels)?;
        let (buffers, node) = match &self.values {
            Values::Tensor(x) => {
                let (y, mean, variance) =
                    fallback::batch_norm_train(x, weight, bias, eps, activation)?;
                let moments = BatchMoments { mean, variance, count };
                return Ok((self.with(self.image, Values::Tensor(y)), moments));
            }
            Values::Cpu(buffers, node) => (buffers, node),
        };
        let statistics = with_element!(buffers.storage(), OP, T => {
            Channels::of_rows(buffers.values::<T>()?, channels, eps)
        });
        let to_tensor = |values: &[f64]| {
            Tensor::from_slice(values, channels, weight.device())?.to_dtype(self.dtype())
        };
        let moments = BatchMoments {
            mean: to_tensor(&statistics.mean)?,
            variance: to_tensor(&statistics.variance)?,
            count,
        };
        let maps = self.normalize(OP, buffers, node, weight, bias, statistics, true, activation)?;
        Ok((maps, moments))
    }

    /// Normalizes by given statistics, then applies `activation`.
    ///
    /// Shapes as for [`Self::batch_norm_train`]; `running_mean` and `running_var` are `[C]` constants: no gradient flows
    /// to them. Differentiable in the maps, `weight` and `bias`.
    ///
    /// # Errors
    /// If shapes or element types do not fit.
    pub fn batch_norm_eval(
        &self,
        weight: &Tensor,
        bias: &Tensor,
        running_mean: &Tensor,
        running_var: &Tensor,
        eps: f64,
        activation: Activation,
    ) -> Result<Self> {
        const OP: &str = "batch_norm_eval";
        activation.check(OP)?;
        let (mean, variance) = (running_mean.detach(), running_var.detach());
        for (name, parameter) in [
            ("weight", weight),
            ("bias", bias),
            ("running_mean", &mean),
            ("running_var", &variance),
        ] {
            self.check_channels(OP, name, parameter, self.image.channels)?;
        }
        let (buffers, node) = match &self.values {
            Values::Tensor(x) => {
                let y = fallback::normalize(x, weight, bias, &mean, &variance, eps, activation)?;
                return Ok(self.with(self.image, Values::Tensor(y)));
            }
            Values::Cpu(buffers, node) => (buffers, node),
        };
        let values = |x: &Tensor| x.to_dtype(DType::F64)?.to_vec1();
        let statistics = Channels::new(values(&mean)?, values(&variance)?, eps);
        self.normalize(OP, buffers, node, weight, bias, statistics, false, activation)
    }

    #[allow(clippy::too_many_arguments)] // the op's parts, one after another
    fn normalize(
        &self,
        op: &'static str,
        buffers: &Buffers,
        node: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        statistics: Channels,
        own_moments: bool,
        activation: Activation,
    ) -> Result<Self> {
        let (weight, bias) = (weight.contiguous()?, bias.contiguous()?);
        let output = with_element!(buffers.storage(), op, T => {
            let affine = affine::<T>(&statistics, &weight, &bias)?;
            let x = buffers.values::<T>()?;
            Buffers::new(with_pointwise!(activation, T, f => affine.apply(x, f)))
        });
        let layer = Normalize {
            op,
            statistics,
            own_moments,
            activation,
            input: buffers.clone(),
            output: output.clone(),
        };
        let node = node.apply_op3(&weight, &bias, layer)?;
        Ok(self.with(self.image, Values::Cpu(output, node)))
    }
}

fn affine<T: Element>(statistics: &Channels, weight: &Tensor, bias: &Tensor) -> Result<Affine<T>> {
    let ((ws, wl), (bs, bl)) = (weight.storage_and_layout(), bias.storage_and_layout());
    Ok(statistics.affine(slice::<T>(cpu(&ws)?, wl)?, slice::<T>(cpu(&bs)?, bl)?))
}

/// Batch normalization as candle's graph has it: the values have been computed.
struct Normalize {
    op: &'static str,
    statistics: Channels,
    /// Whether the moments came from the maps themselves, so that their gradient flows through them.
    own_moments: bool,
    activation: Activation,
    input: Buffers,
    output: Buffers,
}

impl CustomOp3 for Normalize {
    fn name(&self) -> &'static str {
        self.op
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((token(), 1.into()))
    }

    fn bwd(
        &self,
        node: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        _: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        with_element!(self.input.storage(), self.op, T => {
            let affine = affine::<T>(&self.statistics, weight, bias)?;
            let mut grad = self.output.take_gradient::<T>()?;
            let (x, y) = (self.input.values::<T>()?, self.output.values::<T>()?);
            let needs_sums = self.own_moments || weight.track_op() || bias.track_op();
            let sums = with_pointwise!(self.activation, T, f => {
                let sums = needs_sums.then(|| affine.gradient_sums(x, y, &grad, &self.statistics, f));
                if node.track_op() {
                    let through_moments = sums.as_deref().filter(|_| self.own_moments);
                    affine.gradient(x, y, &mut grad, &self.statistics, through_moments, f);
                }
                sums
            });
            let node_grad = if node.track_op() {
                self.input.add_gradient(grad)?;
                Some(token_tensor()?)
            } else {
                None
            };
            let parameter_grad = |parameter: &Tensor,
                                  of: &dyn Fn(usize, [f64; 2]) -> f64|
             -> Result<Option<Tensor>> {
                let Some(sums) = sums.as_ref().filter(|_| parameter.track_op()) else {
                    return Ok(None);
                };
                let values = sums.iter().enumerate().map(|(c, &sums)| T::from_f64(of(c, sums)));
                let values = values.collect();
                let gradient = Tensor::from_vec(values, parameter.shape(), parameter.device())?;
                Ok(hand_over(parameter, gradient))
            };
            Ok((
                node_grad,
                parameter_grad(weight, &|c, [_, moment]| moment * self.statistics.inv_std[c])?,
                parameter_grad(bias, &|_, [sum, _]| sum)?,
            ))
        })
    }
}
