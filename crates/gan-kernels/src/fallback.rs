//! The kernels composed of candle's own ops: for other devices than the CPU, and for gradients of gradients.
//!
//! The three convolutions are called on detached tensors (their gradients are made in `conv::ops`), the rest is
//! differentiated by candle. Stock ops know one stride and one padding for both directions; what is not square goes
//! by inserting zeros, padding and cropping.

use candle_core::{Result, Tensor};

use crate::activation::Activation;
use crate::geometry::ConvGeometry;

/// As [`crate::conv2d`].
pub(crate) fn conv2d(x: &Tensor, w: &Tensor, geometry: ConvGeometry) -> Result<Tensor> {
    let ConvGeometry { stride, padding } = geometry;
    if stride.0 == stride.1 && padding.0 == padding.1 {
        return x.conv2d(w, padding.0, stride.0, 1, 1);
    }
    let y = pad(x, padding, padding)?.conv2d(w, 0, 1, 1, 1)?;
    take_every(&take_every(&y, 2, stride.0)?, 3, stride.1)
}

/// As [`crate::conv_transpose2d`], to an output of the size `output`.
pub(crate) fn conv_transpose2d(
    x: &Tensor,
    w: &Tensor,
    geometry: ConvGeometry,
    output: (usize, usize),
) -> Result<Tensor> {
    let ConvGeometry { stride, padding } = geometry;
    let full = if stride.0 == stride.1 {
        x.conv_transpose2d(w, 0, 0, stride.0, 1)?
    } else {
        insert_zeros(&insert_zeros(x, 2, stride.0)?, 3, stride.1)?
            .conv_transpose2d(w, 0, 0, 1, 1)?
    };
    let mut y = full;
    for (dim, size, padding) in [(2, output.0, padding.0), (3, output.1, padding.1)] {
        // Output padding may reach past the full result: nothing was added there.
        let missing = (padding + size).saturating_sub(y.dim(dim)?);
        y = y.pad_with_zeros(dim, 0, missing)?.narrow(dim, padding, size)?;
    }
    y.contiguous()
}

/// As [`crate::conv2d_weight_grad`].
pub(crate) fn conv2d_weight_grad(
    x: &Tensor,
    grad_y: &Tensor,
    kernel: (usize, usize),
    geometry: ConvGeometry,
) -> Result<Tensor> {
    let ConvGeometry { stride, padding } = geometry;
    let x = pad(x, padding, padding)?.transpose(0, 1)?.contiguous()?;
    // Contiguous also because candle's Metal convolution ignores the layout of its kernel.
    let grad_y = grad_y.transpose(0, 1)?;
    let grad = if stride.0 == stride.1 {
        x.conv2d(&grad_y.contiguous()?, 0, 1, stride.0, 1)?
    } else {
        let grad_y = insert_zeros(&insert_zeros(&grad_y, 2, stride.0)?, 3, stride.1)?;
        x.conv2d(&grad_y.contiguous()?, 0, 1, 1, 1)?
    };
    // Pixels that no patch reached make the result too large.
    grad.narrow(2, 0, kernel.0)?.narrow(3, 0, kernel.1)?.transpose(0, 1)?.contiguous()
}

fn pad(x: &Tensor, before: (usize, usize), after: (usize, usize)) -> Result<Tensor> {
    x.pad_with_zeros(2, before.0, after.0)?.pad_with_zeros(3, before.1, after.1)
}

/// Every `step`-th element along `dim`.
fn take_every(x: &Tensor, dim: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let indices = Tensor::arange_step(0, x.dim(dim)? as u32, step as u32, x.device())?;
    x.contiguous()?.index_select(&indices, dim)
}

/// `step − 1` zeros between neighbours along `dim`.
fn insert_zeros(x: &Tensor, dim: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let size = x.dim(dim)?;
    let spread = x.unsqueeze(dim + 1)?.pad_with_zeros(dim + 1, 0, step - 1)?;
    spread.flatten(dim, dim + 1)?.narrow(dim, 0, (size - 1) * step + 1)
}

/// `x` `[N, C, H, W]` plus `bias` `[C]` on every pixel of its channel.
pub(crate) fn add_channel_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?)
}

/// As [`crate::activate`].
pub(crate) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(x.clone()),
        // candle's own relu has gradient 1 at 0.
        Activation::Relu => x * positive(x)?,
        Activation::LeakyRelu(slope) => x * positive(x)?.affine(1.0 - slope, slope)?,
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
    }
}

/// 1 where `x` is above 0, else 0; without history.
fn positive(x: &Tensor) -> Result<Tensor> {
    let x = x.detach();
    x.gt(&x.zeros_like()?)?.to_dtype(x.dtype())
}

/// Sigmoid by tanh, which every device differentiates and which does not overflow.
fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x * 0.5)?.tanh()?.affine(0.5, 0.5)
}

/// As [`crate::softplus`].
pub(crate) fn softplus(x: &Tensor) -> Result<Tensor> {
    let sign = positive(x)?.affine(2.0, -1.0)?;
    let log_term = ((x * sign)?.neg()?.exp()? + 1.0)?.log()?;
    activate(x, Activation::Relu)? + log_term
}

/// As [`crate::bce_with_logits`].
pub(crate) fn bce_with_logits(logits: &Tensor, target: f64) -> Result<Tensor> {
    (softplus(logits)? - (logits * target)?)?.mean_all()
}

/// As [`crate::FeatureMaps::batch_norm_train`]; returns the values, the mean and the biased variance.
pub(crate) fn batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<(Tensor, Tensor, Tensor)> {
    let channels = x.dim(1)?;
    let by_channel = x.transpose(0, 1)?.flatten_from(1)?; // [C, N·H·W]
    let mean = by_channel.mean_keepdim(1)?;
    let variance = by_channel.broadcast_sub(&mean)?.sqr()?.mean_keepdim(1)?;
    let (mean, variance) = (mean.reshape(channels)?, variance.reshape(channels)?);
    let y = normalize(x, weight, bias, &mean, &variance, eps, activation)?;
    Ok((y, mean.detach(), variance.detach()))
}

/// As [`crate::FeatureMaps::batch_norm_eval`], but with gradients for the moments too.
pub(crate) fn normalize(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<Tensor> {
    let channels = x.dim(1)?;
    let shape = [&[1, channels][..], &[1, 1][..x.rank() - 2]].concat();
    let scale = (weight / (variance + eps)?.sqrt()?)?.reshape(shape.clone())?;
    let centred = x.broadcast_sub(&mean.reshape(shape.clone())?)?;
    let y = centred.broadcast_mul(&scale)?.broadcast_add(&bias.reshape(shape)?)?;
    activate(&y, activation)
}

/// The fallbacks on the CPU against the kernels, which are tested against PyTorch.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn noise(shape: &[usize]) -> Tensor {
        Tensor::randn(0f64, 1f64, shape, &Device::Cpu).unwrap()
    }

    #[track_caller]
    fn assert_equal(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
        let largest = difference.max(0).unwrap().to_scalar::<f64>().unwrap();
        assert!(largest < 1e-11, "{largest}");
    }

    #[test]
    fn convolutions_equal_the_kernels() {
        for (stride, padding, size) in [
            ((2, 2), (1, 1), (8, 8)),
            ((2, 2), (1, 1), (9, 8)),
            ((2, 1), (0, 2), (10, 6)),
            ((3, 2), (1, 1), (9, 11)),
            ((2, 2), (0, 1), (7, 7)),
        ] {
            let geometry = ConvGeometry { stride, padding };
            let kernel = (4, 3);
            let x = noise(&[2, 3, size.0, size.1]);
            let w = noise(&[5, 3, kernel.0, kernel.1]);
            let y = crate::conv2d(&x, &w, geometry).unwrap();
            assert_equal(&conv2d(&x, &w, geometry).unwrap(), &y);
            let grad = conv2d_weight_grad(&x, &y, kernel, geometry).unwrap();
            let expected = crate::conv2d_weight_grad(&x, &y, kernel, geometry).unwrap();
            assert_equal(&grad, &expected);
            let (_, _, h, w_) = y.dims4().unwrap();
            let exact = geometry.transposed_output_size((h, w_), kernel, (0, 0)).unwrap();
            let output_padding = (size.0 - exact.0, size.1 - exact.1);
            let expected = crate::conv_transpose2d(&y, &w, geometry, output_padding).unwrap();
            assert_equal(&conv_transpose2d(&y, &w, geometry, size).unwrap(), &expected);
        }
    }

    #[test]
    fn layers_and_losses_equal_the_kernels() {
        let x = candle_core::Var::from_tensor(&noise(&[3, 4, 5, 2])).unwrap();
        let (weight, bias) = (noise(&[4]), noise(&[4]));
        let grad = |y: &Tensor| {
            let grads = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            grads.get(&x).unwrap().clone()
        };
        for activation in
            [Activation::Relu, Activation::LeakyRelu(0.2), Activation::Tanh, Activation::Sigmoid]
        {
            let (y, mean, variance) =
                batch_norm_train(&x, &weight, &bias, 1e-5, activation).unwrap();
            let maps = crate::FeatureMaps::from_tensor(&x).unwrap();
            let (expected, moments) =
                maps.batch_norm_train(&weight, &bias, 1e-5, activation).unwrap();
            let expected = expected.to_tensor().unwrap();
            assert_equal(&y, &expected);
            assert_equal(&mean, &moments.mean);
            assert_equal(&variance, &moments.variance);
            assert_equal(&grad(&y), &grad(&expected));
        }
        let pairs = [
            (softplus(&x), crate::softplus(&x)),
            (bce_with_logits(&x, 0.9), crate::bce_with_logits(&x, 0.9)),
        ];
        for (fallback, kernel) in pairs {
            let (fallback, kernel) = (fallback.unwrap(), kernel.unwrap());
            assert_equal(&fallback, &kernel);
            assert_equal(&grad(&fallback), &grad(&kernel));
        }
    }
}
