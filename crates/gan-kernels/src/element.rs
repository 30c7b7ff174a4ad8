//! The two element types of the CPU kernels, and the way from candle's storage to slices.

use std::cell::RefCell;
use std::iter::Sum;
use std::ops::Neg;
use std::thread::LocalKey;

use candle_core::{CpuStorage, Layout, Result, Storage, WithDType, bail};

use crate::simd::Lanes;
use crate::transcendental;

/// `f32` or `f64`.
pub(crate) trait Element: WithDType + Lanes + Default + Neg<Output = Self> + Sum {
    /// Buffers of this thread that wait for reuse.
    fn spare_buffers() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>>;
    /// The elements of a storage, to be changed; candle has the shared view alone.
    fn storage_mut(storage: &mut CpuStorage) -> Result<&mut [Self]> {
        Ok(Self::vec_mut(storage)?)
    }
    /// The vector of a storage.
    fn vec_mut(storage: &mut CpuStorage) -> Result<&mut Vec<Self>>;
    /// Hyperbolic tangent, absolute error below 1e-7 in `f32`.
    fn tanh(self) -> Self;
    /// `1 / (1 + e^−x)`, absolute error below 1e-7 in `f32`.
    fn sigmoid(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
}

thread_local! {
    static SPARE_F32: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
    static SPARE_F64: RefCell<Vec<Vec<f64>>> = const { RefCell::new(Vec::new()) };
}

impl Element for f32 {
    fn spare_buffers() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>> {
        &SPARE_F32
    }
    fn vec_mut(storage: &mut CpuStorage) -> Result<&mut Vec<Self>> {
        match storage {
            CpuStorage::F32(values) => Ok(values),
            _ => bail!("storage does not hold f32"),
        }
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        transcendental::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        transcendental::sigmoid(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

impl Element for f64 {
    fn spare_buffers() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>> {
        &SPARE_F64
    }
    fn vec_mut(storage: &mut CpuStorage) -> Result<&mut Vec<Self>> {
        match storage {
            CpuStorage::F64(values) => Ok(values),
            _ => bail!("storage does not hold f64"),
        }
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        self.tanh()
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        1.0 / (1.0 + (-self).exp())
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

/// The storage of a tensor on the CPU.
pub(crate) fn cpu(storage: &Storage) -> Result<&CpuStorage> {
    match storage {
        Storage::Cpu(storage) => Ok(storage),
        _ => bail!("kernel needs a tensor on the CPU"),
    }
}

/// The elements of a contiguous tensor.
pub(crate) fn slice<'a, T: Element>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("kernel needs a contiguous tensor, got strides {:?}", layout.stride())
    };
    Ok(&T::cpu_storage_as_slice(storage)?[start..end])
}

/// Runs `$body` with the type `$T` that `$storage` holds; an error for anything but `f32` and `f64`.
macro_rules! with_element {
    ($storage:expr, $name:expr, $T:ident => $body:expr) => {
        match $storage {
            candle_core::CpuStorage::F32(_) => {
                type $T = f32;
                $body
            }
            candle_core::CpuStorage::F64(_) => {
                type $T = f64;
                $body
            }
            other => candle_core::bail!(
                "{} works on f32 and f64, got {:?}",
                $name,
                candle_core::backend::BackendStorage::dtype(other)
            ),
        }
    };
}
pub(crate) use with_element;
