//! Activations, one pass forward and one back; alone here, fused into batch normalization there.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType};

use crate::element::{Element, cpu, slice, with_element};
use crate::elementwise::{map, map3};
use crate::{fallback, second_order};

/// A function applied to every element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `x`
    Identity,
    /// `max(x, 0)`; the gradient at 0 is 0, as in PyTorch.
    Relu,
    /// `x` above 0, `slope · x` elsewhere.
    LeakyRelu(f64),
    /// Hyperbolic tangent, to (−1, 1).
    Tanh,
    /// `1 / (1 + e^−x)`, to (0, 1).
    Sigmoid,
}

/// Applies `activation` to every element of `x`; the shape stays.
///
/// # Errors
/// If `x` is neither `f32` nor `f64` on the CPU.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    if activation == Activation::Identity {
        return Ok(x.clone());
    }
    if !x.device().is_cpu() || second_order::enabled() {
        return fallback::activate(x, activation);
    }
    x.contiguous()?.apply_op1(Activate(activation))
}

/// An activation as a type of its own, so that a loop over it is compiled for it alone.
pub(crate) trait Pointwise<T>: Copy + Send + Sync {
    /// The function.
    fn value(self, x: T) -> T;
    /// Its derivative at `x`, where its value is `y`.
    fn slope(self, x: T, y: T) -> T;
}

#[derive(Clone, Copy)]
pub(crate) struct Identity;
#[derive(Clone, Copy)]
pub(crate) struct Relu;
#[derive(Clone, Copy)]
pub(crate) struct LeakyRelu<T>(pub(crate) T);
#[derive(Clone, Copy)]
pub(crate) struct Tanh;
#[derive(Clone, Copy)]
pub(crate) struct Sigmoid;

impl<T: Element> Pointwise<T> for Identity {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x
    }
    #[inline(always)]
    fn slope(self, _: T, _: T) -> T {
        T::one()
    }
}

// The comparisons are such that NaN passes through instead of becoming 0.
impl<T: Element> Pointwise<T> for Relu {
    #[inline(always)]
    fn value(self, x: T) -> T {
        if x <= T::zero() { T::zero() } else { x }
    }
    #[inline(always)]
    fn slope(self, x: T, _: T) -> T {
        if x <= T::zero() { T::zero() } else { T::one() }
    }
}

impl<T: Element> Pointwise<T> for LeakyRelu<T> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        if x <= T::zero() { self.0 * x } else { x }
    }
    #[inline(always)]
    fn slope(self, x: T, _: T) -> T {
        if x <= T::zero() { self.0 } else { T::one() }
    }
}

impl<T: Element> Pointwise<T> for Tanh {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.tanh()
    }
    #[inline(always)]
    fn slope(self, _: T, y: T) -> T {
        T::one() - y * y
    }
}

impl<T: Element> Pointwise<T> for Sigmoid {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.sigmoid()
    }
    #[inline(always)]
    fn slope(self, _: T, y: T) -> T {
        y * (T::one() - y)
    }
}

/// Runs `$body` with `$f` bound to the [`Pointwise`] of `$activation` on elements `$T`.
macro_rules! with_pointwise {
    ($activation:expr, $T:ty, $f:ident => $body:expr) => {
        match $activation {
            $crate::activation::Activation::Identity => {
                let $f = $crate::activation::Identity;
                $body
            }
            $crate::activation::Activation::Relu => {
                let $f = $crate::activation::Relu;
                $body
            }
            $crate::activation::Activation::LeakyRelu(slope) => {
                let $f = $crate::activation::LeakyRelu(<$T>::from_f64(slope));
                $body
            }
            $crate::activation::Activation::Tanh => {
                let $f = $crate::activation::Tanh;
                $body
            }
            $crate::activation::Activation::Sigmoid => {
                let $f = $crate::activation::Sigmoid;
                $body
            }
        }
    };
}
pub(crate) use with_pointwise;

struct Activate(Activation);

impl CustomOp1 for Activate {
    fn name(&self) -> &'static str {
        "activate"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = with_element!(x, "activate", T => {
            let x = slice::<T>(x, layout)?;
            T::to_cpu_storage_owned(with_pointwise!(self.0, T, f => map(x, |x| f.value(x))))
        });
        Ok((y, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        if !x.track_op() {
            return Ok(None);
        }
        let grad = grad.contiguous()?;
        let ((xs, xl), (ys, yl), (gs, gl)) =
            (x.storage_and_layout(), y.storage_and_layout(), grad.storage_and_layout());
        let (xs, ys, gs) = (cpu(&xs)?, cpu(&ys)?, cpu(&gs)?);
        with_element!(xs, "activate", T => {
            let (x_, y_, g) = (slice::<T>(xs, xl)?, slice::<T>(ys, yl)?, slice::<T>(gs, gl)?);
            let dx = with_pointwise!(self.0, T, f => map3(x_, y_, g, |x, y, g| g * f.slope(x, y)));
            Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
        })
    }
}
