//! Fully connected layers, and what changes the shape of maps between them and convolutions.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use gan_kernels::{Activation, FeatureMaps};

use super::{parameters, pytorch_init};
use crate::layered::Layer;
use crate::summary;

/// Fully connected layer with an activation.
#[derive(Clone, Debug)]
pub struct Linear {
    name: String,
    weight: Tensor,       // [out, in]
    bias: Option<Tensor>, // [out]
    activation: Activation,
}

impl Linear {
    /// From `c_in` to `c_out` values with bias; weight and bias drawn as PyTorch's default, with fan_in =
    /// `c_in`.
    pub fn new(
        c_in: usize,
        c_out: usize,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let mut layer = Self::without_bias(c_in, c_out, activation, vb.clone())?;
        layer.bias = Some(vb.get_with_hints(c_out, "bias", pytorch_init(c_in))?);
        Ok(layer)
    }

    /// The same without bias.
    pub fn without_bias(
        c_in: usize,
        c_out: usize,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let weight = vb.get_with_hints((c_out, c_in), "weight", pytorch_init(c_in))?;
        Ok(Self { name: vb.prefix(), weight, bias: None, activation })
    }

    /// The matrix `(c_out, c_in)`.
    pub(crate) fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// `x`: `(N, C, H, W)` with C·H·W = `c_in`, flattened in this order → `(N, c_out, 1, 1)`.
    pub fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let [_, c, h, w] = x.dims();
        let x = reshape(x, [c * h * w, 1, 1])?;
        let y = x.linear(&self.weight, self.bias.as_ref(), self.activation)?;
        summary::record(&self.name, &x, &y, || {
            let (key, features) = (self.name.clone(), Some(self.weight.dims()[0]));
            let layer = Layer::Linear { key, features, bias: Some(self.bias.is_some()) };
            (layer, self.activation, parameters(&self.weight, &self.bias))
        });
        Ok(y)
    }
}

/// `x`: `(N, C, H, W)` → `(N, C', H', W')`, values in PyTorch's order (a pixel's channels far apart).
///
/// # Errors
/// If the numbers of values differ.
pub fn reshape(x: &FeatureMaps, [c, h, w]: [usize; 3]) -> Result<FeatureMaps> {
    let dims = x.dims();
    if dims[1..] == [c, h, w] {
        return Ok(x.clone());
    }
    // Through a tensor, as the maps themselves lie with the channels of a pixel together.
    FeatureMaps::from_tensor(&x.to_tensor()?.reshape((dims[0], c, h, w))?)
}
