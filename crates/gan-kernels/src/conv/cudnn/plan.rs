//! One pass at one shape: descriptors, algorithm, workspace, and how it is started.

use std::ffi::c_int;
use std::sync::Arc;

use candle_core::Result;
use candle_core::cuda_backend::CudaDevice;
use candle_core::cuda_backend::cudarc::cudnn::sys::{
    cudnnConvolutionBwdDataAlgo_t as DataAlgorithm,
    cudnnConvolutionBwdFilterAlgo_t as FilterAlgorithm,
    cudnnConvolutionFwdAlgo_t as ForwardAlgorithm, cudnnConvolutionMode_t as Mode,
    cudnnStatus_t as Status, cudnnTensorFormat_t as Format,
};
use candle_core::cuda_backend::cudarc::cudnn::{
    ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, CudnnError,
    FilterDescriptor, TensorDescriptor,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};

use super::Real;
use crate::conv::ops::Pass;
use crate::conv::shape::ConvShape;

type CudnnResult<T> = std::result::Result<T, CudnnError>;

/// One pass at one shape: what costs more to find out than to keep.
pub(super) struct Plan<T> {
    conv: ConvDescriptor<T>,
    large: TensorDescriptor<T>,
    small: TensorDescriptor<T>,
    weight: FilterDescriptor<T>,
    pub(super) algorithm: Algorithm,
    pub(super) workspace_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    Forward(ForwardAlgorithm),
    InputGrad(DataAlgorithm),
    WeightGrad(FilterAlgorithm),
}

impl<T: Real> Plan<T> {
    /// # Errors
    /// Not supported or bad parameter, where cuDNN has no algorithm for this shape.
    pub(super) fn new(pass: Pass, shape: &ConvShape, cudnn: &Arc<Cudnn>) -> CudnnResult<Self> {
        let ConvShape { batch, large, small, geometry, .. } = *shape;
        let (padding, stride) = (geometry.padding.into(), geometry.stride.into());
        let large = [batch, large.channels, large.height, large.width];
        let small = [batch, small.channels, small.height, small.width];
        let mode = Mode::CUDNN_CROSS_CORRELATION;
        let mut conv = cudnn.create_conv2d::<T>(dims(padding)?, dims(stride)?, [1, 1], mode)?;
        conv.set_math_type(T::MATH)?;
        const NCHW: Format = Format::CUDNN_TENSOR_NCHW;
        let large = cudnn.create_4d_tensor::<T>(NCHW, dims(large)?)?;
        let small = cudnn.create_4d_tensor::<T>(NCHW, dims(small)?)?;
        let weight = cudnn.create_4d_filter::<T>(NCHW, dims(shape.weight_dims())?)?;
        let (algorithm, workspace_bytes) = choose(pass, &conv, &large, &small, &weight)?;
        Ok(Self { conv, large, small, weight, algorithm, workspace_bytes })
    }

    /// Puts the pass on the device's stream. The arguments and `out` have the sizes that were described.
    pub(super) fn launch(
        &self,
        device: &CudaDevice,
        a: &CudaView<'_, T>,
        b: &CudaView<'_, T>,
        out: &mut CudaSlice<T>,
    ) -> Result<CudnnResult<()>> {
        // Allocated for this call: the device's pool makes that cheap, and lends the same memory to tensors in
        // between. A buffer that is kept would stay as large as the largest pass.
        let mut workspace = match self.workspace_bytes {
            0 => None,
            // SAFETY: cuDNN does not read from its workspace what it did not write.
            #[allow(unsafe_code)]
            bytes => Some(unsafe { device.alloc::<u8>(bytes) }?),
        };
        let workspace = workspace.as_mut();
        let Self { conv, large, small, weight, .. } = self;
        // The factor of the result, and that of what `out` held: with 0 it is not read.
        let factors = (T::from(1), T::from(0));
        // SAFETY: the descriptors are dense NCHW of T, as are the buffers, whose lengths `run_as` compared with the
        // shape that the descriptors come from. All memory is of the handle's stream, where freeing it is queued
        // behind the pass.
        #[allow(unsafe_code)]
        let launched = unsafe {
            match self.algorithm {
                Algorithm::Forward(algorithm) => {
                    ConvForward { conv, x: large, w: weight, y: small }
                        .launch(algorithm, workspace, factors, a, b, out)
                }
                Algorithm::InputGrad(algorithm) => {
                    ConvBackwardData { conv, dx: large, w: weight, dy: small }
                        .launch(algorithm, workspace, factors, out, b, a)
                }
                Algorithm::WeightGrad(algorithm) => {
                    ConvBackwardFilter { conv, x: large, dw: weight, dy: small }
                        .launch(algorithm, workspace, factors, a, out, b)
                }
            }
        };
        Ok(launched)
    }
}

/// The first algorithm that takes the shape, with the bytes it works in.
fn choose<T: Real>(
    pass: Pass,
    conv: &ConvDescriptor<T>,
    large: &TensorDescriptor<T>,
    small: &TensorDescriptor<T>,
    weight: &FilterDescriptor<T>,
) -> CudnnResult<(Algorithm, usize)> {
    match pass {
        Pass::Forward => {
            let op = ConvForward { conv, x: large, w: weight, y: small };
            let sized =
                |algorithm| Ok((Algorithm::Forward(algorithm), op.get_workspace_size(algorithm)?));
            sized(ForwardAlgorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
                .or_else(|_| sized(ForwardAlgorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM))
        }
        Pass::InputGrad => {
            let algorithm = DataAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
            let op = ConvBackwardData { conv, dx: large, w: weight, dy: small };
            Ok((Algorithm::InputGrad(algorithm), op.get_workspace_size(algorithm)?))
        }
        Pass::WeightGrad => {
            let algorithm = FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;
            let op = ConvBackwardFilter { conv, x: large, dw: weight, dy: small };
            Ok((Algorithm::WeightGrad(algorithm), op.get_workspace_size(algorithm)?))
        }
    }
}

/// Sizes as cuDNN takes them: it counts elements in 31 bits.
fn dims<const N: usize>(sizes: [usize; N]) -> CudnnResult<[c_int; N]> {
    let count = sizes.iter().try_fold(1usize, |a, &b| a.checked_mul(b.max(1)));
    if count.is_none_or(|count| c_int::try_from(count).is_err()) {
        return Err(CudnnError(Status::CUDNN_STATUS_NOT_SUPPORTED));
    }
    Ok(sizes.map(|size| size as c_int))
}
