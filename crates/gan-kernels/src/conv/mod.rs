//! Convolutions: public functions, shape checks.

mod assemble;
#[cfg(feature = "cudnn")]
mod cudnn;
mod dense;
mod direct;
mod layout;
mod ops;
mod padded;
mod passes;
mod patches;
mod shape;
mod transpose;
mod winograd;

use candle_core::{Result, Tensor, bail};

pub(crate) use self::layout::{channels_first, channels_last};
pub(crate) use self::ops::{Pass, apply};
pub(crate) use self::passes::run;
use self::shape::image_dims;
pub(crate) use self::shape::{ConvShape, Image};
use crate::geometry::ConvGeometry;

/// Convolution in PyTorch's sense (cross-correlation), without bias.
///
/// `x` `[N, C_in, H, W]`, `w` `[C_out, C_in, kh, kw]` → `[N, C_out, H', W']` with
/// [`ConvGeometry::output_size`]. Differentiable in both, any number of times.
///
/// # Errors
/// If a rank, the channel counts, the element types or the geometry do not fit.
pub fn conv2d(x: &Tensor, w: &Tensor, geometry: ConvGeometry) -> Result<Tensor> {
    same_dtype("conv2d", x, w)?;
    apply(Pass::Forward, ConvShape::of_conv2d(x.dims(), w.dims(), geometry)?, x, w)
}

/// Transposed convolution as `torch.nn.functional.conv_transpose2d`, without bias.
///
/// `x` `[N, C_in, H, W]`, `w` `[C_in, C_out, kh, kw]` → `[N, C_out, H', W']` with
/// [`ConvGeometry::transposed_output_size`]. Differentiable in both, any number of times.
///
/// # Errors
/// If a rank, the channel counts, the element types or the geometry do not fit.
pub fn conv_transpose2d(
    x: &Tensor,
    w: &Tensor,
    geometry: ConvGeometry,
    output_padding: (usize, usize),
) -> Result<Tensor> {
    same_dtype("conv_transpose2d", x, w)?;
    let shape = ConvShape::of_conv_transpose2d(x.dims(), w.dims(), geometry, output_padding)?;
    apply(Pass::InputGrad, shape, x, w)
}

/// Gradient of [`conv2d`] for its weight, summed over the batch.
///
/// `x` `[N, C_in, H, W]` is the convolution's input, `grad_y` `[N, C_out, H', W']` the gradient of its output;
/// returns `[C_out, C_in, kh, kw]`. Itself differentiable in both.
///
/// # Errors
/// If `grad_y` is not of the size that a convolution of `x` with this kernel makes.
pub fn conv2d_weight_grad(
    x: &Tensor,
    grad_y: &Tensor,
    kernel: (usize, usize),
    geometry: ConvGeometry,
) -> Result<Tensor> {
    let (batch, large) = image_dims("conv2d_weight_grad input", x.dims())?;
    let (grad_batch, small) = image_dims("conv2d_weight_grad gradient", grad_y.dims())?;
    same_dtype("conv2d_weight_grad", x, grad_y)?;
    let expected = geometry.output_size((large.height, large.width), kernel)?;
    if batch != grad_batch || expected != (small.height, small.width) {
        bail!(
            "conv2d_weight_grad: input {:?} with kernel {kernel:?} makes {batch} maps of {expected:?}, got a \
             gradient {:?}",
            x.dims(),
            grad_y.dims()
        )
    }
    let shape = ConvShape { batch, large, small, kernel, geometry };
    let shape = shape.checked("conv2d_weight_grad")?;
    apply(Pass::WeightGrad, shape, x, grad_y)
}

fn same_dtype(op: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.dtype() != b.dtype() {
        bail!("{op}: arguments are {:?} and {:?}", a.dtype(), b.dtype())
    }
    Ok(())
}
