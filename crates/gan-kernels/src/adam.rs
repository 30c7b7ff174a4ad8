//! Adam (Kingma & Ba 2015, <https://arxiv.org/abs/1412.6980>) in place, with the L2 term of `torch.optim.Adam`.

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Result, Tensor, Var, WithDType, bail};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

use crate::element::{Element, slice};
use crate::simd::vectorized;

/// Settings of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// L2 factor: `weight_decay · parameter` is added to the gradient (not decoupled as in AdamW).
    pub weight_decay: f64,
}

/// Adam over a list of parameters.
///
/// Parameters are updated in their own storage: tensors made from them by `as_detached_tensor` see every step.
#[derive(Debug)]
pub struct Adam {
    params: Vec<Param>,
    config: AdamConfig,
    steps: u64,
}

#[derive(Debug)]
struct Param {
    name: String,
    var: Var,
    moments: Moments,
}

/// Means of the gradient and of its square, in the parameter's type.
#[derive(Debug)]
enum Moments {
    F32(Mutex<[Vec<f32>; 2]>),
    F64(Mutex<[Vec<f64>; 2]>),
    /// On other devices, as tensors.
    Device([Tensor; 2]),
}

const EXP_AVG: &str = "exp_avg";
const EXP_AVG_SQ: &str = "exp_avg_sq";

impl Adam {
    /// An optimizer of `params`, named for [`Self::state`]; moments start at zero.
    ///
    /// # Errors
    /// If a parameter is neither `f32` nor `f64`.
    pub fn new(params: Vec<(String, Var)>, config: AdamConfig) -> Result<Self> {
        let params = params
            .into_iter()
            .map(|(name, var)| {
                let n = var.elem_count();
                let moments = match (var.device().is_cpu(), var.dtype()) {
                    (true, DType::F32) => Moments::F32(Mutex::new([vec![0.0; n], vec![0.0; n]])),
                    (true, DType::F64) => Moments::F64(Mutex::new([vec![0.0; n], vec![0.0; n]])),
                    (false, DType::F32 | DType::F64) => {
                        Moments::Device([var.zeros_like()?, var.zeros_like()?])
                    }
                    (_, other) => bail!("Adam: parameter {name} is {other:?}, expected f32 or f64"),
                };
                Ok(Param { name, var, moments })
            })
            .collect::<Result<_>>()?;
        Ok(Self { params, config, steps: 0 })
    }

    /// One step with the gradients of a backward pass; parameters without a gradient, and their moments, stay.
    ///
    /// # Errors
    /// If a gradient's shape or type is not its parameter's.
    pub fn step(&mut self, grads: &GradStore) -> Result<()> {
        self.steps += 1;
        let rule = UpdateRule::new(&self.config, self.steps);
        for param in &mut self.params {
            if let Some(grad) = grads.get(&param.var) {
                param.update(&rule, grad)?;
            }
        }
        Ok(())
    }

    /// The settings in force.
    pub fn config(&self) -> &AdamConfig {
        &self.config
    }

    /// Sets the learning rate of the steps to come.
    pub fn set_learning_rate(&mut self, lr: f64) {
        self.config.lr = lr;
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Copies of the moments in the parameters' order, shapes and types: `{param}.exp_avg` and `{param}.exp_avg_sq`.
    ///
    /// # Errors
    /// If memory on a device cannot be copied.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let mut state = Vec::with_capacity(2 * self.params.len());
        for param in &self.params {
            let [mean, square] = param.moment_tensors()?;
            state.push((format!("{}.{EXP_AVG}", param.name), mean));
            state.push((format!("{}.{EXP_AVG_SQ}", param.name), square));
        }
        Ok(state)
    }

    /// Takes over a state that [`Self::state`] returned after `steps` steps; `get` finds a tensor by its name.
    ///
    /// # Errors
    /// If `get` fails, or a tensor is not of its parameter's shape; nothing is changed then.
    pub fn load_state(
        &mut self,
        steps: u64,
        mut get: impl FnMut(&str) -> Result<Tensor>,
    ) -> Result<()> {
        let mut loaded = Vec::with_capacity(self.params.len());
        for param in &self.params {
            let mut moment = |suffix| {
                let name = format!("{}.{suffix}", param.name);
                let tensor = get(&name)
                    .map_err(|e| e.context(format!("optimizer state {name} cannot be read")))?;
                if tensor.shape() != param.var.shape() {
                    bail!(
                        "optimizer state {name} is {:?}, its parameter {:?}",
                        tensor.dims(),
                        param.var.dims()
                    )
                }
                tensor.to_device(param.var.device())?.to_dtype(param.var.dtype())
            };
            loaded.push(param.moments.with_content([moment(EXP_AVG)?, moment(EXP_AVG_SQ)?])?);
        }
        for (param, moments) in self.params.iter_mut().zip(loaded) {
            param.moments = moments;
        }
        self.steps = steps;
        Ok(())
    }
}

impl Param {
    fn update(&mut self, rule: &UpdateRule, grad: &Tensor) -> Result<()> {
        if grad.shape() != self.var.shape() || grad.dtype() != self.var.dtype() {
            bail!(
                "Adam: gradient of {} is {:?} of {:?}, the parameter {:?} of {:?}",
                self.name,
                grad.dims(),
                grad.dtype(),
                self.var.dims(),
                self.var.dtype()
            )
        }
        let grad = grad.contiguous()?;
        match &mut self.moments {
            Moments::F32(moments) => self.var.inplace_op2(&grad, &Update { rule, moments }),
            Moments::F64(moments) => self.var.inplace_op2(&grad, &Update { rule, moments }),
            Moments::Device(moments) => rule.apply_with_candle(&self.var, &grad.detach(), moments),
        }
    }

    fn moment_tensors(&self) -> Result<[Tensor; 2]> {
        fn copies<T: Element>(moments: &Mutex<[Vec<T>; 2]>, var: &Var) -> Result<[Tensor; 2]> {
            let moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
            let copy = |values: &[T]| Tensor::from_slice(values, var.shape(), var.device());
            Ok([copy(&moments[0])?, copy(&moments[1])?])
        }
        match &self.moments {
            Moments::F32(moments) => copies(moments, &self.var),
            Moments::F64(moments) => copies(moments, &self.var),
            Moments::Device([mean, square]) => Ok([mean.copy()?, square.copy()?]),
        }
    }
}

impl Moments {
    /// Moments of the same kind with the content of `tensors`.
    fn with_content(&self, tensors: [Tensor; 2]) -> Result<Self> {
        fn content<T: WithDType>([mean, square]: &[Tensor; 2]) -> Result<Mutex<[Vec<T>; 2]>> {
            let values = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<T>();
            Ok(Mutex::new([values(mean)?, values(square)?]))
        }
        Ok(match self {
            Self::F32(_) => Self::F32(content(&tensors)?),
            Self::F64(_) => Self::F64(content(&tensors)?),
            Self::Device(_) => Self::Device([tensors[0].copy()?, tensors[1].copy()?]),
        })
    }
}

/// The coefficients of one step.
struct UpdateRule {
    beta1: f64,
    beta2: f64,
    weight_decay: f64,
    eps: f64,
    /// `lr / (1 − β1ᵗ)`
    step_size: f64,
    /// `1 / √(1 − β2ᵗ)`
    root_correction: f64,
}

impl UpdateRule {
    fn new(config: &AdamConfig, step: u64) -> Self {
        let power = |beta: f64| beta.powf(step as f64);
        Self {
            beta1: config.beta1,
            beta2: config.beta2,
            weight_decay: config.weight_decay,
            eps: config.eps,
            step_size: config.lr / (1.0 - power(config.beta1)),
            root_correction: 1.0 / (1.0 - power(config.beta2)).sqrt(),
        }
    }

    /// Updates parameters and moments, element by element.
    #[inline(always)]
    fn apply<T: Element>(&self, param: &mut [T], grad: &[T], mean: &mut [T], square: &mut [T]) {
        let constant = T::from_f64;
        let (beta1, beta2) = (constant(self.beta1), constant(self.beta2));
        let (rest1, rest2) = (constant(1.0 - self.beta1), constant(1.0 - self.beta2));
        let (decay, eps) = (constant(self.weight_decay), constant(self.eps));
        let (step_size, root) = (constant(self.step_size), constant(self.root_correction));
        let moments = mean.iter_mut().zip(square);
        for ((p, &g), (m, v)) in param.iter_mut().zip(grad).zip(moments) {
            let g = g + decay * *p;
            *m = beta1 * *m + rest1 * g;
            *v = beta2 * *v + rest2 * g * g;
            *p -= step_size * *m / (v.sqrt() * root + eps);
        }
    }

    /// The same by candle's ops, for other devices.
    fn apply_with_candle(&self, var: &Var, grad: &Tensor, moments: &mut [Tensor; 2]) -> Result<()> {
        let param = var.as_detached_tensor();
        let grad = (grad + (&param * self.weight_decay)?)?;
        let [mean, square] = moments;
        *mean = ((&*mean * self.beta1)? + (&grad * (1.0 - self.beta1))?)?;
        *square = ((&*square * self.beta2)? + (grad.sqr()? * (1.0 - self.beta2))?)?;
        let root = ((square.sqrt()? * self.root_correction)? + self.eps)?;
        var.set(&(param - ((&*mean * self.step_size)? / root)?)?)
    }
}

/// One parameter's step, written into its storage.
struct Update<'a, T> {
    rule: &'a UpdateRule,
    moments: &'a Mutex<[Vec<T>; 2]>,
}

impl<T: Element> InplaceOp2 for Update<'_, T> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        param: &mut CpuStorage,
        param_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<()> {
        const CHUNK: usize = 16 * 1024;
        let Some((start, end)) = param_layout.contiguous_offsets() else {
            bail!("Adam: parameters must be contiguous")
        };
        let param = &mut T::storage_mut(param)?[start..end];
        let grad = slice::<T>(grad, grad_layout)?;
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let [mean, square] = &mut *moments;
        let moments = mean.par_chunks_mut(CHUNK).zip(square.par_chunks_mut(CHUNK));
        param.par_chunks_mut(CHUNK).zip(grad.par_chunks(CHUNK)).zip(moments).for_each(
            |((param, grad), (mean, square))| {
                vectorized(
                    #[inline(always)]
                    || self.rule.apply(param, grad, mean, square),
                );
            },
        );
        Ok(())
    }
}
