//! Values and gradients of feature maps, outside of candle's tensors.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, DType, Device, Result, Tensor, bail};

use crate::element::Element;
use crate::elementwise::add_in_place;

/// Values of feature maps, and the gradient that the layers above them have added up so far.
#[derive(Clone, Debug)]
pub(super) struct Buffers {
    values: Arc<CpuStorage>,
    gradient: Arc<Mutex<Option<CpuStorage>>>,
}

impl Buffers {
    pub(super) fn new<T: Element>(values: Vec<T>) -> Self {
        Self { values: Arc::new(T::to_cpu_storage_owned(values)), gradient: Arc::default() }
    }

    /// The same values with a gradient of their own.
    pub(super) fn detach(&self) -> Self {
        Self { values: self.values.clone(), gradient: Arc::default() }
    }

    pub(super) fn dtype(&self) -> DType {
        self.values.dtype()
    }

    /// The storage, to find out its element type.
    pub(super) fn storage(&self) -> &CpuStorage {
        &self.values
    }

    /// The values, `[N, H, W, C]`.
    pub(super) fn values<T: Element>(&self) -> Result<&[T]> {
        T::cpu_storage_as_slice(&self.values)
    }

    /// Adds to the gradient.
    pub(super) fn add_gradient<T: Element>(&self, more: Vec<T>) -> Result<()> {
        let mut gradient = self.gradient.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *gradient {
            Some(sum) => add_in_place(T::storage_mut(sum)?, &more),
            None => *gradient = Some(T::to_cpu_storage_owned(more)),
        }
        Ok(())
    }

    /// The gradient, complete once candle asks the layer that made the values for its own.
    pub(super) fn take_gradient<T: Element>(&self) -> Result<Vec<T>> {
        let gradient = self.gradient.lock().unwrap_or_else(PoisonError::into_inner).take();
        match gradient {
            Some(mut gradient) => Ok(std::mem::take(T::vec_mut(&mut gradient)?)),
            None => bail!("feature maps have no gradient"),
        }
    }
}

/// What stands for feature maps in candle's graph, and for their gradient.
pub(super) fn token() -> CpuStorage {
    CpuStorage::F32(vec![0.0])
}

/// [`token`] as a tensor.
pub(super) fn token_tensor() -> Result<Tensor> {
    Tensor::from_slice(&[0f32], 1, &Device::Cpu)
}
