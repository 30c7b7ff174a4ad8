//! The three passes by cuDNN, for `f32` and `f64` on CUDA devices.
//!
//! A transposed convolution is cuDNN's gradient for the data of the convolution whose shape it has. Large pixels that
//! no patch reaches become 0 there: cuDNN writes everything that the descriptor spans.
//!
//! Results are the same bits in every run on one machine. So only algorithms are used whose sums have a fixed order,
//! which leaves out `BWD_DATA_ALGO_0`, `BWD_FILTER_ALGO_0` and `BWD_FILTER_ALGO_3` (atomic additions), and none is
//! chosen by timing it. Of the rest those by FFT and Winograd are left out for their rounding errors; they do not
//! take strides anyway. What remains are the ones that PyTorch takes when it is asked to be deterministic.
//!
//! What cuDNN does not take, such as more than 2³¹ elements, goes by candle's own ops.

mod plan;

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::thread::LocalKey;

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::cudnn::sys::cudnnMathType_t as Math;
use candle_core::cuda_backend::cudarc::cudnn::{Cudnn, CudnnDataType, CudnnError};
use candle_core::cuda_backend::cudarc::driver::{CudaView, DeviceRepr};
use candle_core::cuda_backend::{CudaDType, CudaDevice, DeviceId};
use candle_core::{CudaStorage, DType, Error, Layout, Result, bail};

use self::plan::Plan;
use super::ops::Pass;
use super::shape::ConvShape;

/// A contiguous argument.
pub(in crate::conv) type Argument<'a> = (&'a CudaStorage, &'a Layout);

/// The result of a pass, or nothing where cuDNN does not take the element type or the shape.
pub(in crate::conv) fn run(
    pass: Pass,
    shape: &ConvShape,
    a: Argument<'_>,
    b: Argument<'_>,
) -> Result<Option<CudaStorage>> {
    match a.0.dtype() {
        DType::F32 => run_as::<f32>(pass, shape, a, b),
        DType::F64 => run_as::<f64>(pass, shape, a, b),
        _ => Ok(None),
    }
}

/// What is known of one pass at one shape on one device; nothing where cuDNN cannot do it.
type Plans<T> = HashMap<(DeviceId, Pass, ConvShape), Option<Plan<T>>>;

thread_local! {
    // By thread, as handles and descriptors may not be shared.
    static HANDLES: RefCell<HashMap<DeviceId, Arc<Cudnn>>> = RefCell::default();
    static PLANS_F32: RefCell<Plans<f32>> = RefCell::default();
    static PLANS_F64: RefCell<Plans<f64>> = RefCell::default();
}

/// An element type, which is also what cuDNN computes in and scales by.
trait Real: CudaDType + CudnnDataType + DeviceRepr + From<u8> + 'static {
    const MATH: Math;
    fn plans() -> &'static LocalKey<RefCell<Plans<Self>>>;
}

impl Real for f32 {
    // The default would let them be rounded to TF32.
    const MATH: Math = Math::CUDNN_FMA_MATH;
    fn plans() -> &'static LocalKey<RefCell<Plans<Self>>> {
        &PLANS_F32
    }
}

impl Real for f64 {
    const MATH: Math = Math::CUDNN_DEFAULT_MATH;
    fn plans() -> &'static LocalKey<RefCell<Plans<Self>>> {
        &PLANS_F64
    }
}

fn run_as<T: Real>(
    pass: Pass,
    shape: &ConvShape,
    a: Argument<'_>,
    b: Argument<'_>,
) -> Result<Option<CudaStorage>> {
    let device = a.0.device();
    let (a, b) = (view::<T>(a)?, view::<T>(b)?);
    let large = shape.batch * shape.large.len();
    let small = shape.batch * shape.small.len();
    let weight = shape.weight_dims().iter().product();
    let (a_len, b_len, len) = match pass {
        Pass::Forward => (large, weight, small),
        Pass::InputGrad => (small, weight, large),
        Pass::WeightGrad => (large, small, weight),
    };
    if (a.len(), b.len()) != (a_len, b_len) {
        bail!("{}: {} and {} elements do not fit {shape:?}", pass.name(), a.len(), b.len())
    }
    T::plans().with_borrow_mut(|plans| {
        let entry = match plans.entry((device.id(), pass, *shape)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(plan(pass, shape, device)?),
        };
        let Some(plan) = entry else { return Ok(None) };
        // SAFETY: `launch` writes all of it before anything on the stream can read it.
        #[allow(unsafe_code)]
        let mut out = unsafe { device.alloc::<T>(len) }?;
        match plan.launch(device, &a, &b, &mut out)? {
            Ok(()) => Ok(Some(CudaStorage::wrap_cuda_slice(out, device.clone()))),
            Err(error) => {
                *entry = refused(pass, shape, error)?;
                Ok(None)
            }
        }
    })
}

fn view<'a, T: Real>((storage, layout): Argument<'a>) -> Result<CudaView<'a, T>> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("cuDNN is given contiguous tensors, got strides {:?}", layout.stride())
    };
    Ok(storage.as_cuda_slice::<T>()?.slice(start..end))
}

fn plan<T: Real>(pass: Pass, shape: &ConvShape, device: &CudaDevice) -> Result<Option<Plan<T>>> {
    match Plan::new(pass, shape, &handle(device)?) {
        Ok(plan) => {
            let (name, bytes) = (pass.name(), plan.workspace_bytes);
            tracing::debug!("{name} by cuDNN: {:?}, {bytes} bytes, {shape:?}", plan.algorithm);
            Ok(Some(plan))
        }
        Err(error) => refused(pass, shape, error),
    }
}

/// No plan, if cuDNN says that it cannot do this (its errors 2000 and 3000); an error if something broke.
fn refused<T>(pass: Pass, shape: &ConvShape, error: CudnnError) -> Result<Option<Plan<T>>> {
    if !matches!(error.0 as u32 / 1000, 2 | 3) {
        return Err(Error::wrap(error));
    }
    tracing::warn!("{} by candle's slow kernels: cuDNN says {error}: {shape:?}", pass.name());
    Ok(None)
}

/// The device's handle of this thread.
fn handle(device: &CudaDevice) -> Result<Arc<Cudnn>> {
    // What creates descriptors and sizes workspaces expects the context to be current.
    device.cuda_stream().context().bind_to_thread().map_err(Error::wrap)?;
    HANDLES.with_borrow_mut(|handles| match handles.entry(device.id()) {
        Entry::Occupied(known) => Ok(known.get().clone()),
        Entry::Vacant(new) => {
            let cudnn = Cudnn::new(device.cuda_stream()).map_err(Error::wrap)?;
            Ok(new.insert(cudnn).clone())
        }
    })
}
