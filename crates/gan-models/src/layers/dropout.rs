//! Dropout whose masks continue, to the bit, where a checkpoint left off.

use candle_core::{Result, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use gan_core::Stream;
use gan_kernels::{Activation, FeatureMaps};

use crate::layered::Layer;
use crate::summary;

/// Sets values to 0 in training and scales the others up (Srivastava et al. 2014,
/// <https://jmlr.org/papers/v15/srivastava14a.html>); outside of training, nothing.
///
/// The mask of a call is a function of two buffers of one value each, kept among the network's
/// tensors: `mask_key`, drawn once from the network's seed, and `mask_calls`, the calls in training
/// so far. Whoever restores the network's tensors so restores its masks, and networks that share
/// tensors share the count.
#[derive(Clone, Debug)]
pub struct Dropout {
    name: String,
    rate: f64,
    mask_key: Var,
    mask_calls: Var,
}

impl Dropout {
    /// Where the count of calls begins again, as f32 counts no further: after that many calls the
    /// masks repeat.
    const CYCLE: f32 = (1 << 24) as f32;

    /// Sets each value to 0 with probability `rate`, in [0, 1).
    pub fn new(rate: f64, vb: VarBuilder<'_>) -> Result<Self> {
        let buffer = |name, init| Var::from_tensor(&vb.get_with_hints(1, name, init)?);
        Ok(Self {
            name: vb.prefix(),
            rate,
            mask_key: buffer("mask_key", Init::Uniform { lo: 0.0, up: 1.0 })?,
            mask_calls: buffer("mask_calls", Init::Const(0.0))?,
        })
    }

    /// `x`: `(N, C, H, W)` → the same shape; in training with a new mask.
    pub fn forward_t(&self, x: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        let y = if train { x.dropout(self.rate, &mut self.next_stream()?)? } else { x.clone() };
        let layer = || (Layer::Dropout { rate: self.rate }, Activation::Identity, Vec::new());
        summary::record(&self.name, x, &y, layer);
        Ok(y)
    }

    /// The stream of this call's mask; counts the call.
    fn next_stream(&self) -> Result<Stream> {
        let key = value(&self.mask_key)?.to_bits();
        let calls = value(&self.mask_calls)?;
        let next = Tensor::full((calls + 1.0) % Self::CYCLE, 1, self.mask_calls.device())?;
        self.mask_calls.set(&next)?;
        Ok(Stream::indexed(&format!("dropout.{}", self.name), u64::from(key), calls as u64))
    }
}

/// The one value of a buffer.
fn value(buffer: &Var) -> Result<f32> {
    buffer.as_detached_tensor().squeeze(0)?.to_scalar()
}
