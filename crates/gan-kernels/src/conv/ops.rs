//! Convolution, transposed convolution and weight gradient as candle ops, each differentiated by the other two.
//!
//! With `conv(x, w)`, `convᵀ(y, w)` and `wgrad(x, y)` linear in both arguments and
//! `⟨conv(x, w), y⟩ = ⟨x, convᵀ(y, w)⟩ = ⟨w, wgrad(x, y)⟩`, every derivative is again one of the three.

use std::borrow::Cow;

use candle_core::backend::BackendStorage;
#[cfg(feature = "cudnn")]
use candle_core::op::BackpropOp;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp2, DType, Layout, MetalStorage, Result, Shape, Storage,
    Tensor, WithDType, bail,
};

#[cfg(feature = "cudnn")]
use super::cudnn;
use super::layout::{channels_first, channels_last};
use super::passes::run;
use super::shape::ConvShape;
use crate::element::{Element, slice, with_element};
use crate::fallback;
use crate::second_order::input_of_gradient;

/// Which of the three dual ops, by what it makes of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The result, computed by candle's ops before this op is recorded; nothing on the CPU and where cuDNN does it.
    computed: Option<Tensor>,
}

/// Applies one of the dual ops; the arguments' shapes have been checked against `shape`.
pub(crate) fn apply(pass: Pass, shape: ConvShape, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (a, b) = (a.contiguous()?, b.contiguous()?);
    let computed = if a.device().is_cpu() || by_cudnn(&a) {
        None
    } else {
        Some(compute_with_candle(pass, &shape, &a.detach(), &b.detach())?)
    };
    a.apply_op2(&b, ConvOp { pass, shape, computed })
}

/// Whether an op on this tensor is left to cuDNN.
fn by_cudnn(a: &Tensor) -> bool {
    cfg!(feature = "cudnn") && a.device().is_cuda() && matches!(a.dtype(), DType::F32 | DType::F64)
}

/// The result begins where its storage begins.
fn compute_with_candle(pass: Pass, shape: &ConvShape, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let large = (shape.large.height, shape.large.width);
    let result = match pass {
        Pass::Forward => fallback::conv2d(a, b, shape.geometry),
        Pass::InputGrad => fallback::conv_transpose2d(a, b, shape.geometry, large),
        Pass::WeightGrad => fallback::conv2d_weight_grad(a, b, shape.kernel, shape.geometry),
    }?;
    // One image of one channel that was cropped is contiguous, but begins later. Cloning a storage ignores that.
    if result.layout().start_offset() == 0 { Ok(result) } else { result.force_contiguous() }
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
        let b = b_image.map_or(Cow::Borrowed(b), |image| channels_last(b, image));
        let result = run(self.pass, shape, &a, &b);
        match image {
            Some(image) => channels_first(result, image).into_owned(),
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

    /// A copy of a result.
    fn cuda_storage(&self, computed: &Tensor) -> Result<CudaStorage> {
        let (storage, layout) = computed.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => storage.try_clone(layout),
            _ => bail!("{}: arguments on different devices", self.name()),
        }
    }

    /// The result by cuDNN, or by candle's ops on copies of the arguments where cuDNN does not take the shape.
    #[cfg(feature = "cudnn")]
    fn run_cudnn(&self, a: cudnn::Argument<'_>, b: cudnn::Argument<'_>) -> Result<CudaStorage> {
        if let Some(result) = cudnn::run(self.pass, &self.shape, a, b)? {
            return Ok(result);
        }
        let tensor = |(storage, layout): cudnn::Argument<'_>| -> Result<Tensor> {
            let copy = Storage::Cuda(storage.to_dtype(layout, storage.dtype())?);
            Ok(Tensor::from_storage(copy, layout.shape().clone(), BackpropOp::none(), false))
        };
        let result = compute_with_candle(self.pass, &self.shape, &tensor(a)?, &tensor(b)?)?;
        self.cuda_storage(&result)
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
        a: &CudaStorage,
        a_layout: &Layout,
        b: &CudaStorage,
        b_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        #[cfg(feature = "cudnn")]
        if self.computed.is_none() {
            let result = self.run_cudnn((a, a_layout), (b, b_layout))?;
            return Ok((result, self.output_shape()));
        }
        #[cfg(not(feature = "cudnn"))]
        let _ = (a, a_layout, b, b_layout);
        Ok((self.cuda_storage(self.computed()?)?, self.output_shape()))
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
