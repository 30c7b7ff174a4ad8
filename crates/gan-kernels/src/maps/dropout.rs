//! Dropout (Srivastava et al. 2014) from a random stream of ours.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType, bail};
use gan_core::Stream;

use super::buffers::{Buffers, token, token_tensor};
use super::{FeatureMaps, Values};
use crate::element::with_element;
use crate::elementwise::multiply_in_place;

impl FeatureMaps {
    /// Sets each value to 0 with probability `rate` and divides the others by `1 − rate`, so that the expectation stays.
    ///
    /// The mask is drawn from `stream` in the order of the maps' memory: the same on every machine, another one on
    /// other devices than the CPU. Differentiable.
    ///
    /// # Errors
    /// If `rate` is not in [0, 1).
    pub fn dropout(&self, rate: f64, stream: &mut Stream) -> Result<Self> {
        if !(0.0..1.0).contains(&rate) {
            bail!("dropout: rate must lie in [0, 1), got {rate}")
        }
        let count = self.batch * self.image.len();
        let kept = 1.0 / (1.0 - rate);
        let mask: Vec<f64> =
            (0..count).map(|_| if stream.chance(rate) { 0.0 } else { kept }).collect();
        let (buffers, node) = match &self.values {
            Values::Tensor(x) => {
                let mask = Tensor::from_vec(mask, x.shape(), &candle_core::Device::Cpu)?;
                let y = (x * mask.to_dtype(x.dtype())?.to_device(x.device())?)?;
                return Ok(self.with(self.image, Values::Tensor(y)));
            }
            Values::Cpu(buffers, node) => (buffers, node),
        };
        let (output, mask) = with_element!(buffers.storage(), "dropout", T => {
            let mask: Vec<T> = mask.into_iter().map(T::from_f64).collect();
            let mut y = buffers.values::<T>()?.to_vec();
            multiply_in_place(&mut y, &mask);
            (Buffers::new(y), T::to_cpu_storage_owned(mask))
        });
        let (input, op_output) = (buffers.clone(), output.clone());
        let node = node.apply_op1(Dropout { mask, input, output: op_output })?;
        Ok(self.with(self.image, Values::Cpu(output, node)))
    }
}

/// Dropout as candle's graph has it: the values have been computed.
struct Dropout {
    mask: CpuStorage,
    input: Buffers,
    output: Buffers,
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((token(), 1.into()))
    }

    fn bwd(&self, node: &Tensor, _: &Tensor, _: &Tensor) -> Result<Option<Tensor>> {
        if !node.track_op() {
            return Ok(None);
        }
        with_element!(&self.mask, self.name(), T => {
            let mut grad = self.output.take_gradient::<T>()?;
            multiply_in_place(&mut grad, <T as WithDType>::cpu_storage_as_slice(&self.mask)?);
            self.input.add_gradient(grad)?;
        });
        token_tensor().map(Some)
    }
}
