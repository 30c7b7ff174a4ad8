//! Activations, one pass forward and one back; alone here, fused into batch normalization there.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType, bail};

use crate::element::{Element, cpu, slice, with_element};
use crate::elementwise::{map, multiply_by_slope};
use crate::{fallback, second_order};

/// A function applied to every element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `x`
    Identity,
    /// `max(x, 0)`; the gradient at 0 is 0, as in PyTorch.
    Relu,
    /// `x` above 0, `slope · x` elsewhere; the slope is 0 or more.
    LeakyRelu(f64),
    /// Hyperbolic tangent, to (−1, 1).
    Tanh,
    /// `1 / (1 + e^−x)`, to (0, 1).
    Sigmoid,
}

/// Applies `activation` to every element of `x`; the shape stays.
///
/// # Errors
/// If `x` is neither `f32` nor `f64` on the CPU, or LeakyReLU's slope is negative.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    activation.check("activate")?;
    if activation == Activation::Identity {
        return Ok(x.clone());
    }
    if !x.device().is_cpu() || second_order::enabled() {
        return fallback::activate(x, activation);
    }
    x.contiguous()?.apply_op1(Activate(activation))
}

impl Activation {
    /// Refuses a slope below 0, with which the derivative could not be told from the value.
    pub(crate) fn check(self, op: &str) -> Result<()> {
        match self {
            Self::LeakyRelu(slope) if slope.is_nan() || slope < 0.0 => {
                bail!("{op}: the slope of LeakyReLU must be 0 or more, got {slope}")
            }
            _ => Ok(()),
        }
    }
}

/// An activation as a type of its own, so that a loop over it is compiled for it alone.
pub(crate) trait Pointwise<T>: Copy + Send + Sync {
    /// The function.
    fn value(self, x: T) -> T;
    /// Its derivative where its value is `y`.
    fn slope(self, y: T) -> T;
    /// Its derivative at `x`, where its value is `y`. Where the sign of `x` tells it, `y` is not looked at, and a loop
    /// over it need not read the values.
    fn slope_at(self, x: T, y: T) -> T;
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
    fn slope(self, _: T) -> T {
        T::one()
    }
    #[inline(always)]
    fn slope_at(self, _: T, _: T) -> T {
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
    fn slope(self, y: T) -> T {
        if y <= T::zero() { T::zero() } else { T::one() }
    }
    #[inline(always)]
    fn slope_at(self, x: T, _: T) -> T {
        self.slope(x) // the value has the sign of x
    }
}

impl<T: Element> Pointwise<T> for LeakyRelu<T> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        if x <= T::zero() { self.0 * x } else { x }
    }
    #[inline(always)]
    fn slope(self, y: T) -> T {
        if y <= T::zero() { self.0 } else { T::one() }
    }
    #[inline(always)]
    fn slope_at(self, x: T, _: T) -> T {
        self.slope(x) // the value has the sign of x
    }
}

impl<T: Element> Pointwise<T> for Tanh {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.tanh()
    }
    #[inline(always)]
    fn slope(self, y: T) -> T {
        T::one() - y * y
    }
    #[inline(always)]
    fn slope_at(self, _: T, y: T) -> T {
        self.slope(y)
    }
}

impl<T: Element> Pointwise<T> for Sigmoid {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.sigmoid()
    }
    #[inline(always)]
    fn slope(self, y: T) -> T {
        y * (T::one() - y)
    }
    #[inline(always)]
    fn slope_at(self, _: T, y: T) -> T {
        self.slope(y)
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
        let ((ys, yl), (gs, gl)) = (y.storage_and_layout(), grad.storage_and_layout());
        let (ys, gs) = (cpu(&ys)?, cpu(&gs)?);
        with_element!(ys, "activate", T => {
            let mut grad = slice::<T>(gs, gl)?.to_vec();
            let y = slice::<T>(ys, yl)?;
            with_pointwise!(self.0, T, f => multiply_by_slope(&mut grad, y, f));
            Tensor::from_vec(grad, x.shape(), x.device()).map(Some)
        })
    }
}
