//! Where tensors become feature maps, and feature maps tensors.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType};

use super::Values;
use super::buffers::{Buffers, token, token_tensor};
use crate::conv::{Image, channels_first, channels_last};
use crate::element::{cpu, slice, with_element};

/// `[N, H, W, C]` from a tensor `[N, C, H, W]` on the CPU.
pub(super) fn enter(x: &Tensor, image: Image) -> Result<Values> {
    let x = x.contiguous()?;
    let buffers = {
        let (storage, layout) = x.storage_and_layout();
        let storage = cpu(&storage)?;
        with_element!(storage, "feature maps", T => {
            Buffers::new(channels_last(slice::<T>(storage, layout)?, image).into_owned())
        })
    };
    let node = x.apply_op1(Enter { buffers: buffers.clone(), image })?;
    Ok(Values::Cpu(buffers, node))
}

/// `[N, C, H, W]` from maps `[N, H, W, C]`.
pub(super) fn leave(
    buffers: &Buffers,
    node: &Tensor,
    batch: usize,
    image: Image,
) -> Result<Tensor> {
    node.apply_op1(Leave { buffers: buffers.clone(), batch, image })
}

struct Enter {
    buffers: Buffers,
    image: Image,
}

impl CustomOp1 for Enter {
    fn name(&self) -> &'static str {
        "to feature maps"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((token(), 1.into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, _: &Tensor) -> Result<Option<Tensor>> {
        if !x.track_op() {
            return Ok(None);
        }
        let grad = with_element!(self.buffers.storage(), self.name(), T => {
            let grad = self.buffers.take_gradient::<T>()?;
            Tensor::from_vec(channels_first(grad, self.image).into_owned(), x.shape(), x.device())?
        });
        Ok(Some(grad))
    }
}

struct Leave {
    buffers: Buffers,
    batch: usize,
    image: Image,
}

impl CustomOp1 for Leave {
    fn name(&self) -> &'static str {
        "from feature maps"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let Image { channels, height, width } = self.image;
        let values = with_element!(self.buffers.storage(), self.name(), T => {
            T::to_cpu_storage_owned(channels_first(self.buffers.values::<T>()?, self.image).into_owned())
        });
        Ok((values, (self.batch, channels, height, width).into()))
    }

    fn bwd(&self, node: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        if !node.track_op() {
            return Ok(None);
        }
        let grad = grad.contiguous()?;
        let (storage, layout) = grad.storage_and_layout();
        let storage = cpu(&storage)?;
        with_element!(storage, self.name(), T => {
            let grad = channels_last(slice::<T>(storage, layout)?, self.image).into_owned();
            self.buffers.add_gradient(grad)?;
        });
        token_tensor().map(Some)
    }
}
