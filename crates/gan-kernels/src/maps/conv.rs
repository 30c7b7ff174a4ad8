//! Convolutions on feature maps, with bias and activation in the same layer.

use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, WithDType, bail,
};

use super::buffers::{Buffers, token, token_tensor};
use super::{FeatureMaps, Values};
use crate::activation::{Activation, activate, with_pointwise};
use crate::backward::hand_over;
use crate::conv::{self, ConvShape, Pass};
use crate::element::{cpu, slice, with_element};
use crate::elementwise::{multiply_by_slope, value_in_place};
use crate::fallback;
use crate::geometry::ConvGeometry;
use crate::rows::{add_row, column_sums};

impl FeatureMaps {
    /// `activation(conv2d(x, weight) + bias)`, the convolution as [`crate::conv2d`].
    ///
    /// `weight` `[C_out, C_in, kh, kw]`, `bias` `[C_out]`. Differentiable in the maps, the weight and the bias.
    ///
    /// # Errors
    /// If the channels, the element types or the geometry do not fit, or LeakyReLU's slope is negative.
    pub fn conv(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        geometry: ConvGeometry,
        activation: Activation,
    ) -> Result<Self> {
        let shape = ConvShape::of_conv2d(&self.dims(), weight.dims(), geometry)?;
        self.layer(Pass::Forward, shape, weight, bias, activation)
    }

    /// `activation(conv_transpose2d(x, weight) + bias)`, the convolution as [`crate::conv_transpose2d`].
    ///
    /// `weight` `[C_in, C_out, kh, kw]`, `bias` `[C_out]`. Differentiable in the maps, the weight and the bias.
    ///
    /// # Errors
    /// If the channels, the element types or the geometry do not fit, or LeakyReLU's slope is negative.
    pub fn conv_transpose(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        geometry: ConvGeometry,
        output_padding: (usize, usize),
        activation: Activation,
    ) -> Result<Self> {
        let dims = self.dims();
        let shape = ConvShape::of_conv_transpose2d(&dims, weight.dims(), geometry, output_padding)?;
        self.layer(Pass::InputGrad, shape, weight, bias, activation)
    }

    /// `activation(x · weightᵀ + bias)` of maps of one pixel.
    ///
    /// `weight` `[C_out, C_in]`, `bias` `[C_out]`, as `torch.nn.functional.linear`. Differentiable in the maps, the
    /// weight and the bias.
    ///
    /// # Errors
    /// If the maps have more than one pixel, channels or element types do not fit, or LeakyReLU's slope is negative.
    pub fn linear(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Self> {
        let (c_out, c_in) = weight.dims2()?;
        if self.image.area() != 1 {
            bail!("linear: maps must have one pixel, got {:?}", self.dims())
        }
        if c_in != self.image.channels {
            bail!("linear: maps have {} channels, weight expects {c_in}", self.image.channels)
        }
        let weight_dims = [c_out, c_in, 1, 1];
        let geometry = ConvGeometry::square(1, 0);
        let shape = ConvShape::of_conv2d(&self.dims(), &weight_dims, geometry)?;
        self.layer(Pass::Forward, shape, weight, bias, activation)
    }

    fn layer(
        &self,
        pass: Pass,
        shape: ConvShape,
        weight: &Tensor,
        bias: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Self> {
        let op = pass.name();
        activation.check(op)?;
        let image = if pass == Pass::Forward { shape.small } else { shape.large };
        self.check_parameter(op, "weight", weight)?;
        if let Some(bias) = bias {
            self.check_channels(op, "bias", bias, image.channels)?;
        }
        let (buffers, node) = match &self.values {
            Values::Tensor(x) => {
                let mut y =
                    conv::apply(pass, shape, x, &weight.reshape(&shape.weight_dims()[..])?)?;
                if let Some(bias) = bias {
                    y = fallback::add_channel_bias(&y, bias)?;
                }
                let y = activate(&y, activation)?;
                return Ok(self.with(image, Values::Tensor(y)));
            }
            Values::Cpu(buffers, node) => (buffers, node),
        };
        let weight = weight.contiguous()?;
        let bias = bias.map(Tensor::contiguous).transpose()?;
        let output = with_element!(buffers.storage(), op, T => {
            let mut y = {
                let (storage, layout) = weight.storage_and_layout();
                conv::run::<T>(pass, &shape, buffers.values()?, slice(cpu(&storage)?, layout)?)
            };
            if let Some(bias) = &bias {
                let (storage, layout) = bias.storage_and_layout();
                add_row(&mut y, slice::<T>(cpu(&storage)?, layout)?);
            }
            with_pointwise!(activation, T, f => value_in_place(&mut y, f));
            Buffers::new(y)
        });
        let layer =
            Layer { pass, shape, activation, input: buffers.clone(), output: output.clone() };
        let node = match &bias {
            Some(bias) => node.apply_op3(&weight, bias, layer)?,
            None => node.apply_op2(&weight, layer)?,
        };
        Ok(self.with(image, Values::Cpu(output, node)))
    }
}

/// A layer as candle's graph has it: the values have been computed.
struct Layer {
    pass: Pass,
    shape: ConvShape,
    activation: Activation,
    input: Buffers,
    output: Buffers,
}

impl Layer {
    /// The gradients for node, weight and bias, where tracked.
    fn gradients(
        &self,
        node: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let of_input = if self.pass == Pass::Forward { Pass::InputGrad } else { Pass::Forward };
        with_element!(self.input.storage(), self.pass.name(), T => {
            let mut grad = self.output.take_gradient::<T>()?;
            let y = self.output.values::<T>()?;
            with_pointwise!(self.activation, T, f => multiply_by_slope(&mut grad, y, f));
            let bias_grad = match bias {
                Some(bias) if bias.track_op() => {
                    let sums = column_sums(&grad, bias.elem_count());
                    let sums: Vec<T> = sums.into_iter().map(T::from_f64).collect();
                    hand_over(bias, Tensor::from_vec(sums, bias.shape(), bias.device())?)
                }
                _ => None,
            };
            let weight_grad = if weight.track_op() {
                let x = self.input.values::<T>()?;
                // A convolution's input is its large image, a transposed convolution's the small one.
                let (large, small) =
                    if self.pass == Pass::Forward { (x, &grad[..]) } else { (&grad[..], x) };
                let weight_grad = conv::run::<T>(Pass::WeightGrad, &self.shape, large, small);
                hand_over(weight, Tensor::from_vec(weight_grad, weight.shape(), weight.device())?)
            } else {
                None
            };
            let node_grad = if node.track_op() {
                let (storage, layout) = weight.storage_and_layout();
                let weight = slice::<T>(cpu(&storage)?, layout)?;
                self.input.add_gradient(conv::run::<T>(of_input, &self.shape, &grad, weight))?;
                Some(token_tensor()?)
            } else {
                None
            };
            Ok((node_grad, weight_grad, bias_grad))
        })
    }
}

impl CustomOp2 for Layer {
    fn name(&self) -> &'static str {
        self.pass.name()
    }

    fn cpu_fwd(
        &self,
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
        _: &Tensor,
        _: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (node, weight, _) = self.gradients(node, weight, None)?;
        Ok((node, weight))
    }
}

impl CustomOp3 for Layer {
    fn name(&self) -> &'static str {
        self.pass.name()
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
        self.gradients(node, weight, Some(bias))
    }
}
