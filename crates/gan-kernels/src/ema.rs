//! The exponential moving average of parameters, in one pass over memory.

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var, WithDType as _, bail};
use rayon::prelude::*;

use crate::element::{Element as _, slice, with_element};
use crate::simd::vectorized;

/// Moving averages of a list of parameters: `average = decay · average + (1 − decay) · parameter`.
#[derive(Debug)]
pub struct Ema {
    params: Vec<(String, Var)>,
    averages: Vec<Tensor>,
    decay: f64,
}

impl Ema {
    /// Averages that begin at the parameters' values.
    ///
    /// # Errors
    /// If `decay` lies outside [0, 1], or memory on a device cannot be copied.
    pub fn new(params: Vec<(String, Var)>, decay: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&decay) {
            bail!("moving average: decay must lie in [0, 1], got {decay}")
        }
        let copy = |(_, var): &(String, Var)| var.as_detached_tensor().contiguous()?.copy();
        let averages = params.iter().map(copy).collect::<Result<_>>()?;
        Ok(Self { params, averages, decay })
    }

    /// Moves every average towards its parameter.
    ///
    /// # Errors
    /// If a parameter is neither `f32` nor `f64` on the CPU, or a device fails.
    pub fn update(&mut self) -> Result<()> {
        for ((_, var), average) in self.params.iter().zip(&mut self.averages) {
            let param = var.as_detached_tensor();
            if param.device().is_cpu() {
                average.inplace_op2(&param.contiguous()?, &Lerp { decay: self.decay })?;
            } else {
                *average = ((&*average * self.decay)? + (param * (1.0 - self.decay))?)?;
            }
        }
        Ok(())
    }

    /// The averages by their parameters' names; later updates change them.
    pub fn averages(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.params.iter().map(|(name, _)| name.as_str()).zip(&self.averages)
    }

    /// Takes over averages; `get` finds one by its parameter's name.
    ///
    /// # Errors
    /// If `get` fails, or a tensor is not of its parameter's shape; nothing is changed then.
    pub fn load(&mut self, mut get: impl FnMut(&str) -> Result<Tensor>) -> Result<()> {
        let mut loaded = Vec::with_capacity(self.averages.len());
        for (name, var) in &self.params {
            let average = get(name)?;
            if average.shape() != var.shape() {
                bail!("average of {name} is {:?}, its parameter {:?}", average.dims(), var.dims())
            }
            loaded.push(
                average.to_device(var.device())?.to_dtype(var.dtype())?.contiguous()?.copy()?,
            );
        }
        self.averages = loaded;
        Ok(())
    }
}

/// One average's step, written into its storage.
struct Lerp {
    decay: f64,
}

impl InplaceOp2 for Lerp {
    fn name(&self) -> &'static str {
        "moving average"
    }

    fn cpu_fwd(
        &self,
        average: &mut CpuStorage,
        average_layout: &Layout,
        param: &CpuStorage,
        param_layout: &Layout,
    ) -> Result<()> {
        const CHUNK: usize = 16 * 1024;
        let Some((start, end)) = average_layout.contiguous_offsets() else {
            bail!("moving average: averages must be contiguous")
        };
        with_element!(param, self.name(), T => {
            let param = slice::<T>(param, param_layout)?;
            let average = &mut T::storage_mut(average)?[start..end];
            let (kept, rest) = (T::from_f64(self.decay), T::from_f64(1.0 - self.decay));
            average.par_chunks_mut(CHUNK).zip(param.par_chunks(CHUNK)).for_each(|(average, param)| {
                vectorized(
                    #[inline(always)]
                    || {
                        for (average, &param) in average.iter_mut().zip(param) {
                            *average = kept * *average + rest * param;
                        }
                    },
                );
            });
            Ok(())
        })
    }
}
