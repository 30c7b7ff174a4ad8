//! Convolutions: public functions, shape checks.

mod im2col;
mod ops;
mod passes;
mod shape;
mod transpose;

use candle_core::{Result, Tensor, bail};

use self::ops::{Pass, apply};
use self::shape::{ConvShape, Image};
use crate::geometry::ConvGeometry;

/// Convolution in PyTorch's sense (cross-correlation), without bias.
///
/// `x` `[N, C_in, H, W]`, `w` `[C_out, C_in, kh, kw]` → `[N, C_out, H', W']` with
/// [`ConvGeometry::output_size`]. Differentiable in both, any number of times.
///
/// # Errors
/// If a rank, the channel counts, the element types or the geometry do not fit.
pub fn conv2d(x: &Tensor, w: &Tensor, geometry: ConvGeometry) -> Result<Tensor> {
    let (batch, large) = image_dims("conv2d input", x)?;
    let (c_out, c_in, kh, kw) = weight_dims("conv2d", w)?;
    if c_in != large.channels {
        bail!("conv2d: input has {} channels, weight {:?} expects {c_in}", large.channels, w.dims())
    }
    same_dtype("conv2d", x, w)?;
    let (height, width) = geometry.output_size((large.height, large.width), (kh, kw))?;
    let small = Image { channels: c_out, height, width };
    let shape = ConvShape { batch, large, small, kernel: (kh, kw), geometry };
    apply(Pass::Forward, shape, x, w)
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
    let (batch, small) = image_dims("conv_transpose2d input", x)?;
    let (c_in, c_out, kh, kw) = weight_dims("conv_transpose2d", w)?;
    if c_in != small.channels {
        bail!(
            "conv_transpose2d: input has {} channels, weight {:?} expects {c_in}",
            small.channels,
            w.dims()
        )
    }
    same_dtype("conv_transpose2d", x, w)?;
    let (height, width) =
        geometry.transposed_output_size((small.height, small.width), (kh, kw), output_padding)?;
    let large = Image { channels: c_out, height, width };
    let shape = ConvShape { batch, large, small, kernel: (kh, kw), geometry };
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
    let (batch, large) = image_dims("conv2d_weight_grad input", x)?;
    let (grad_batch, small) = image_dims("conv2d_weight_grad gradient", grad_y)?;
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
    apply(Pass::WeightGrad, shape, x, grad_y)
}

fn image_dims(what: &str, x: &Tensor) -> Result<(usize, Image)> {
    let &[batch, channels, height, width] = x.dims() else {
        bail!("{what} must be [N, C, H, W], got {:?}", x.dims())
    };
    if x.elem_count() == 0 {
        bail!("{what} is empty: {:?}", x.dims())
    }
    let image = Image { channels, height, width };
    Ok((batch, image))
}

fn weight_dims(op: &str, w: &Tensor) -> Result<(usize, usize, usize, usize)> {
    let &[c0, c1, kh, kw] = w.dims() else {
        bail!("{op} weight must have 4 dimensions, got {:?}", w.dims())
    };
    if w.elem_count() == 0 {
        bail!("{op} weight is empty: {:?}", w.dims())
    }
    Ok((c0, c1, kh, kw))
}

fn same_dtype(op: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.dtype() != b.dtype() {
        bail!("{op}: arguments are {:?} and {:?}", a.dtype(), b.dtype())
    }
    Ok(())
}
