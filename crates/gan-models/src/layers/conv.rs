//! Convolutions and transposed convolutions with a square kernel and an activation.

use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};

use super::{parameters, pytorch_init};
use crate::layered::Layer;
use crate::summary;

/// Convolution weights are drawn from N(0, 0.02) (Radford et al. 2016, section 4).
const DCGAN_INIT: Init = Init::Randn { mean: 0.0, stdev: 0.02 };

/// 2-D convolution with an activation.
#[derive(Clone, Debug)]
pub struct Conv2d {
    name: String,
    weight: Tensor, // [C_out, C_in, K, K]
    bias: Option<Tensor>,
    geometry: ConvGeometry,
    activation: Activation,
}

impl Conv2d {
    /// A square kernel from `c_in` to `c_out` channels without bias; weights from N(0, 0.02).
    pub fn new(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        geometry: ConvGeometry,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let weight = vb.get_with_hints((c_out, c_in, kernel, kernel), "weight", DCGAN_INIT)?;
        Ok(Self { name: vb.prefix(), weight, bias: None, geometry, activation })
    }

    /// A square kernel from `c_in` to `c_out` channels with bias; both drawn as PyTorch's default,
    /// with fan_in = `c_in`·K².
    pub fn with_bias(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        geometry: ConvGeometry,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let init = pytorch_init(c_in * kernel * kernel);
        let weight = vb.get_with_hints((c_out, c_in, kernel, kernel), "weight", init)?;
        let bias = Some(vb.get_with_hints(c_out, "bias", init)?);
        Ok(Self { name: vb.prefix(), weight, bias, geometry, activation })
    }

    /// A square kernel from `c_in` to `c_out` channels without bias, for a batch norm to follow; drawn
    /// as PyTorch's default, with fan_in = `c_in`·K².
    pub fn without_bias(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        geometry: ConvGeometry,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let init = pytorch_init(c_in * kernel * kernel);
        let weight = vb.get_with_hints((c_out, c_in, kernel, kernel), "weight", init)?;
        Ok(Self { name: vb.prefix(), weight, bias: None, geometry, activation })
    }

    /// `x`: `(N, C_in, H, W)` → `(N, C_out, H', W')`.
    pub fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let y = x.conv(&self.weight, self.bias.as_ref(), self.geometry, self.activation)?;
        summary::record(&self.name, x, &y, || {
            let size = [self.weight.dims()[0], self.weight.dims()[2]];
            let layer = Layer::conv(&self.name, size, self.geometry, self.bias.is_some());
            (layer, self.activation, parameters(&self.weight, &self.bias))
        });
        Ok(y)
    }
}

/// 2-D transposed convolution with an activation.
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    name: String,
    weight: Tensor, // [C_in, C_out, K, K]
    bias: Option<Tensor>,
    geometry: ConvGeometry,
    output_padding: usize,
    activation: Activation,
}

impl ConvTranspose2d {
    /// A square kernel from `c_in` to `c_out` channels without bias; weights from N(0, 0.02).
    pub fn new(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        geometry: ConvGeometry,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let weight = vb.get_with_hints((c_in, c_out, kernel, kernel), "weight", DCGAN_INIT)?;
        Ok(Self { name: vb.prefix(), weight, bias: None, geometry, output_padding: 0, activation })
    }

    /// A square kernel from `c_in` to `c_out` channels with bias; both drawn as PyTorch's default.
    ///
    /// What PyTorch takes for the fan_in of a transposed convolution is `c_out`·K², the second
    /// dimension of the weight, although `c_in` channels come in.
    pub fn with_bias(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        geometry: ConvGeometry,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let init = pytorch_init(c_out * kernel * kernel);
        let weight = vb.get_with_hints((c_in, c_out, kernel, kernel), "weight", init)?;
        let bias = Some(vb.get_with_hints(c_out, "bias", init)?);
        Ok(Self { name: vb.prefix(), weight, bias, geometry, output_padding: 0, activation })
    }

    /// The same with as many rows and columns more at the end, below the stride: which of the sizes that a convolution
    /// makes equal comes out.
    pub fn with_output_padding(self, output_padding: usize) -> Self {
        Self { output_padding, ..self }
    }

    /// The matrix `(C_out·K·K, C_in)` that the layer is on a map of one pixel.
    ///
    /// # Errors
    /// If it cuts pixels away or adds some, so that the matrix has other rows.
    pub(crate) fn matrix(&self) -> Result<Tensor> {
        if self.geometry.padding != (0, 0) || self.output_padding != 0 {
            candle_core::bail!(
                "{} cuts pixels away: its weight is no matrix of one pixel",
                self.name
            )
        }
        self.weight.flatten_from(1)?.t()?.contiguous()
    }

    /// `x`: `(N, C_in, H, W)` → `(N, C_out, H', W')`.
    pub fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let (bias, activation) = (self.bias.as_ref(), self.activation);
        let more = (self.output_padding, self.output_padding);
        let y = x.conv_transpose(&self.weight, bias, self.geometry, more, activation)?;
        summary::record(&self.name, x, &y, || {
            let size = [self.weight.dims()[1], self.weight.dims()[2], self.output_padding];
            let layer = Layer::conv_transpose(&self.name, size, self.geometry, self.bias.is_some());
            (layer, self.activation, parameters(&self.weight, &self.bias))
        });
        Ok(y)
    }
}
