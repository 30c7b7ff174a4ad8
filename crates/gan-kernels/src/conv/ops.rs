//! Convolution, transposed convolution and weight gradient as candle ops, each differentiated by the other two.
//!
//! With `conv(x, w)`, `convᵀ(y, w)` and `wgrad(x, y)` linear in both arguments and
//! `⟨conv(x, w), y⟩ = ⟨x, convᵀ(y, w)⟩ = ⟨w, wgrad(x, y)⟩`, every derivative is again one of the three.

use std::borrow::Cow;

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp2, Layout, MetalStorage, Result, Shape, Storage, Tensor,
    WithDType, bail,
};

use super::layout::{channels_first, channels_last};
use super::passes::run;
use super::shape::ConvShape;
use crate::element::{Element, slice, with_element};
use crate::fallback;
use crate::second_order::input_of_gradient;

/// Which of the three dual ops, by what it makes of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// `(large, weight) → small`
    Forward,
    /// `(small, weight) → large`
    InputGrad,
    /// `(large, small) → weight`
    WeightGrad,
}

impl Pass {
    /// Name of the public function.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forward => "conv2d",
            Self::InputGrad => "conv_transpose2d",
            Self::WeightGrad => "conv2d_weight_grad",
        }
    }
}

/// One of the three dual ops at one shape.
struct ConvOp {
    pass: Pass,
    shape: ConvShape,
    /// On other devices than the CPU the result, computed by candle's ops before this op is recorded.
    computed: Option<Tensor>,
}

/// Applies one of the dual ops; the arguments' shapes have been checked against `shape`.
pub(crate) fn apply(pass: Pass, shape: ConvShape, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (a, b) = (a.contiguous()?, b.contiguous()?);
    let computed = if a.device().is_cpu() {
        None
    } else {
        Some(compute_with_candle(pass, &shape, &a.detach(), &b.detach())?)
    };
    a.apply_op2(&b, ConvOp { pass, shape, computed })
}

fn compute_with_candle(pass: Pass, shape: &ConvShape, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let large = (shape.large.height, shape.large.width);
    match pass {
        Pass::Forward => fallback::conv2d(a, b, shape.geometry),
        Pass::InputGrad => fallback::conv_transpose2d(a, b, shape.geometry, large),
        Pass::WeightGrad => fallback::conv2d_weight_grad(a, b, shape.kernel, shape.geometry),
    }
}

impl ConvOp {
    fn run<T: Element>(&self, a: &[T], b: &[T]) -> Vec<T> {
        let shape = &self.shape;
        let (a_image, b_image, image) = match self.pass {
            Pass::Forward => (shape.large, None, Some(shape.small)),
            Pass::InputGrad => (shape.small, None, Some(shape.large)),
            Pass::WeightGrad => (shape.large, Some(shape.small), None),
        };
        let a = channels_last(a, a_image);
        let b = b_image.map_or(Cow::Borrowed(b), |image| channels_last(b, image).into());
        let result = run(self.pass, shape, &a, &b);
        match image {
            Some(image) => channels_first(&result, image),
            None => result,
        }
    }

    fn output_shape(&self) -> Shape {
        let ConvShape { batch, large, small, kernel, .. } = self.shape;
        match self.pass {
            Pass::Forward => (batch, small.channels, small.height, small.width).into(),
            Pass::InputGrad => (batch, large.channels, large.height, large.width).into(),
            Pass::WeightGrad => (small.channels, large.channels, kernel.0, kernel.1).into(),
        }
    }

    fn computed(&self) -> Result<&Tensor> {
        match &self.computed {
            Some(tensor) => Ok(tensor),
            None => bail!("{} was recorded without its result", self.name()),
        }
    }
}

impl CustomOp2 for ConvOp {
    fn name(&self) -> &'static str {
        self.pass.name()
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let out = with_element!(a, self.name(), T => {
            T::to_cpu_storage_owned(self.run::<T>(slice(a, a_layout)?, slice(b, b_layout)?))
        });
        Ok((out, self.output_shape()))
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (storage, layout) = self.computed()?.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => Ok((storage.try_clone(layout)?, self.output_shape())),
            _ => bail!("{}: arguments on different devices", self.name()),
        }
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
    ) -> Result<(MetalStorage, Shape)> {
        let (storage, layout) = self.computed()?.storage_and_layout();
        match &*storage {
            Storage::Metal(storage) => Ok((storage.try_clone(layout)?, self.output_shape())),
            _ => bail!("{}: arguments on different devices", self.name()),
        }
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // The pass and argument order of each derivative, where `grad` stands in for what this op made.
        let derivative = |wanted: &Tensor, pass, first: &Tensor, second: &Tensor| {
            if !wanted.track_op() {
                return Ok(None);
            }
            let (first, second) = (input_of_gradient(first), input_of_gradient(second));
            apply(pass, self.shape, &first, &second).map(Some)
        };
        match self.pass {
            Pass::Forward => Ok((
                derivative(a, Pass::InputGrad, grad, b)?,
                derivative(b, Pass::WeightGrad, a, grad)?,
            )),
            Pass::InputGrad => Ok((
                derivative(a, Pass::Forward, grad, b)?,
                derivative(b, Pass::WeightGrad, grad, a)?,
            )),
            Pass::WeightGrad => Ok((
                derivative(a, Pass::InputGrad, b, grad)?,
                derivative(b, Pass::Forward, a, grad)?,
            )),
        }
    }
}
