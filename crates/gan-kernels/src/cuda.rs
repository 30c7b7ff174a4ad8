//! Settings of CUDA devices.

use candle_core::{Device, Result};

/// Makes allocation on a CUDA device cheap. A program calls this once for each device it makes, before any tensor is
/// on it; on other devices it does nothing.
///
/// - Tensors are made without the two events that would order their uses among several streams. candle's device has
///   one stream, where everything is in order; a device with streams of its own making keeps the events.
/// - The device's memory pool keeps what is freed. As it comes, it gives all of it back to the system at each
///   synchronization, such as the reading of a loss. The process then holds its peak until it ends.
///
/// # Errors
/// If the driver fails.
pub fn tune_device(device: &Device) -> Result<()> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = device {
        skip_events(device);
        keep_freed_memory(device)?;
    }
    #[cfg(not(feature = "cuda"))]
    let _ = device;
    Ok(())
}

#[cfg(feature = "cuda")]
fn skip_events(device: &candle_core::CudaDevice) {
    if !device.cuda_stream().context().is_in_multi_stream_mode() {
        // SAFETY: the context has made no stream, so that all tensors of this device live on the stream that candle
        // took, and nothing has ever waited for their events; nor does this workspace make a stream later.
        #[allow(unsafe_code)]
        unsafe {
            device.disable_event_tracking();
        }
    }
}

#[cfg(feature = "cuda")]
fn keep_freed_memory(device: &candle_core::CudaDevice) -> Result<()> {
    use candle_core::Error;
    use candle_core::cuda_backend::cudarc::driver::sys;

    let stream = device.cuda_stream();
    let context = stream.context();
    if !context.has_async_alloc() {
        return Ok(());
    }
    let mut pool: sys::CUmemoryPool = std::ptr::null_mut();
    let mut keep = u64::MAX;
    // SAFETY: the driver is initialized, as the context exists. Both calls write or read just the variable that they
    // are given a pointer to, and this attribute is of 64 unsigned bits.
    #[allow(unsafe_code)]
    unsafe {
        sys::cuDeviceGetMemPool(&mut pool, context.cu_device()).result().map_err(Error::wrap)?;
        let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        let value = std::ptr::from_mut(&mut keep).cast();
        sys::cuMemPoolSetAttribute(pool, attribute, value).result().map_err(Error::wrap)
    }
}
