//! The fused op: normalization by given moments, scale, shift and activation, and its gradients.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, WithDType};

use crate::activation::{Activation, Pointwise, with_pointwise};
use crate::buffer::fill_chunks;
use crate::channels::{Planes, lane_sums};
use crate::element::{Element, cpu, slice, with_element};

/// Mean and biased variance of each channel of a contiguous CPU tensor.
///
/// One pass: sums of `x − first` and its square, where `first` is the channel's first value. Shifted so, the
/// variance does not cancel where the mean is large against the deviation.
pub(super) fn moments(planes: Planes, x: &Tensor) -> Result<(Vec<f64>, Vec<f64>)> {
    let (storage, layout) = x.storage_and_layout();
    let storage = cpu(&storage)?;
    with_element!(storage, "batch_norm_train", T => {
        let x = slice::<T>(storage, layout)?;
        let first = |channel: usize| x[channel * planes.area].to_f64();
        let sums = planes.sums(|channel, plane| {
            let (plane, first) = (&x[plane], first(channel));
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || lane_sums(plane, plane, plane, |x, _, _| {
                    let d = x.to_f64() - first;
                    [d, d * d]
                }),
            )
        });
        let count = planes.count() as f64;
        Ok(sums
            .iter()
            .enumerate()
            .map(|(channel, &[sum, squares])| {
                let shift = sum / count;
                (first(channel) + shift, (squares / count - shift * shift).max(0.0))
            })
            .unzip())
    })
}

pub(super) struct Normalize {
    planes: Planes,
    mean: Vec<f64>,
    inv_std: Vec<f64>,
    activation: Activation,
    /// Whether the moments came from `x` itself, so that its gradient flows through them.
    own_moments: bool,
}

/// The gradients of x, weight and bias, where wanted.
type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

impl Normalize {
    pub(super) fn new(
        planes: Planes,
        mean: Vec<f64>,
        variance: &[f64],
        eps: f64,
        activation: Activation,
        own_moments: bool,
    ) -> Self {
        let inv_std = variance.iter().map(|v| 1.0 / (v + eps).sqrt()).collect();
        Self { planes, mean, inv_std, activation, own_moments }
    }

    /// For each channel `(scale, shift)`, with which the normalized value is `scale · x + shift`.
    fn affine<T: Element>(&self, weight: &[T], bias: &[T]) -> Vec<(T, T)> {
        let channels = self.mean.iter().zip(&self.inv_std).zip(weight.iter().zip(bias));
        channels
            .map(|((mean, inv_std), (weight, bias))| {
                let scale = weight.to_f64() * inv_std;
                (T::from_f64(scale), T::from_f64(bias.to_f64() - mean * scale))
            })
            .collect()
    }

    fn forward<T: Element>(&self, x: &[T], affine: &[(T, T)], f: impl Pointwise<T>) -> Vec<T> {
        let (area, image_len) = (self.planes.area, self.planes.image_len());
        fill_chunks(x.len(), image_len, |image, out| {
            let x = &x[image * image_len..][..image_len];
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    if area == 1 {
                        for ((out, &x), &(scale, shift)) in out.iter_mut().zip(x).zip(affine) {
                            *out = f.value(x * scale + shift);
                        }
                        return;
                    }
                    let planes = out.chunks_exact_mut(area).zip(x.chunks_exact(area));
                    for ((out, x), &(scale, shift)) in planes.zip(affine) {
                        for (out, &x) in out.iter_mut().zip(x) {
                            *out = f.value(x * scale + shift);
                        }
                    }
                },
            );
        })
    }

    /// Per channel `Σ g` and `Σ g·(x − mean)`, where `g` is the gradient behind the activation.
    fn gradient_sums<T: Element>(
        &self,
        tensors: &Saved<'_, T>,
        affine: &[(T, T)],
        f: impl Pointwise<T>,
    ) -> Vec<[f64; 2]> {
        self.planes.sums(|channel, plane| {
            let (scale, shift) = affine[channel];
            let mean = self.mean[channel];
            let (x, y) = (&tensors.x[plane.clone()], &tensors.y[plane.clone()]);
            let grad = &tensors.grad[plane];
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    lane_sums(x, y, grad, |x, y, grad| {
                        let g = (grad * f.slope(x * scale + shift, y)).to_f64();
                        [g, g * (x.to_f64() - mean)]
                    })
                },
            )
        })
    }

    /// `scale · (g − mean(g) − (x − mean) · Σ g·(x − mean) / (count · variance))`; without own moments `scale · g`.
    fn x_grad<T: Element>(
        &self,
        tensors: &Saved<'_, T>,
        affine: &[(T, T)],
        sums: &[[f64; 2]],
        f: impl Pointwise<T>,
    ) -> Vec<T> {
        let (area, image_len) = (self.planes.area, self.planes.image_len());
        let count = self.planes.count() as f64;
        // Per channel (slope, constant): what is taken off g is slope · x + constant.
        let corrections: Vec<(T, T)> = (0..self.planes.channels)
            .map(|c| {
                let [sum, moment] = sums[c];
                let slope = moment * self.inv_std[c].powi(2) / count;
                let constant = sum / count - slope * self.mean[c];
                let own = f64::from(u8::from(self.own_moments));
                (T::from_f64(own * slope), T::from_f64(own * constant))
            })
            .collect();
        fill_chunks(tensors.x.len(), image_len, |image, out| {
            let range = image * image_len..(image + 1) * image_len;
            let x = tensors.x[range.clone()].chunks_exact(area);
            let y = tensors.y[range.clone()].chunks_exact(area);
            let grad = tensors.grad[range].chunks_exact(area);
            let planes = out.chunks_exact_mut(area).zip(x).zip(y).zip(grad);
            let channels = affine.iter().zip(&corrections);
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    for ((((out, x), y), grad), (affine, correction)) in planes.zip(channels) {
                        let ((scale, shift), (slope, constant)) = (*affine, *correction);
                        let values = out.iter_mut().zip(x).zip(y).zip(grad);
                        for (((out, &x), &y), &grad) in values {
                            let g = grad * f.slope(x * scale + shift, y);
                            *out = scale * (g - (slope * x + constant));
                        }
                    }
                },
            );
        })
    }

    fn gradients<T: Element>(
        &self,
        args: [&Tensor; 3],
        tensors: &Saved<'_, T>,
        affine: &[(T, T)],
        f: impl Pointwise<T>,
    ) -> Result<Gradients> {
        let [x, weight, bias] = args;
        let needs_sums = self.own_moments || weight.track_op() || bias.track_op();
        let sums = if needs_sums {
            self.gradient_sums(tensors, affine, f)
        } else {
            vec![[0.0; 2]; self.planes.channels]
        };
        let x_grad = x.track_op().then(|| {
            Tensor::from_vec(self.x_grad(tensors, affine, &sums, f), x.shape(), x.device())
        });
        let parameter_grad = |parameter: &Tensor, of_channel: &dyn Fn(usize) -> f64| {
            let values = || (0..self.planes.channels).map(|c| T::from_f64(of_channel(c)));
            parameter
                .track_op()
                .then(|| {
                    Tensor::from_vec(values().collect(), parameter.shape(), parameter.device())
                })
                .transpose()
        };
        Ok((
            x_grad.transpose()?,
            parameter_grad(weight, &|c| sums[c][1] * self.inv_std[c])?,
            parameter_grad(bias, &|c| sums[c][0])?,
        ))
    }
}

/// What backward reads: input, output, gradient of the output.
struct Saved<'a, T> {
    x: &'a [T],
    y: &'a [T],
    grad: &'a [T],
}

impl CustomOp3 for Normalize {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let y = with_element!(x, self.name(), T => {
            let affine = self.affine::<T>(slice(weight, weight_layout)?, slice(bias, bias_layout)?);
            let x = slice::<T>(x, x_layout)?;
            with_pointwise!(self.activation, T, f => {
                T::to_cpu_storage_owned(self.forward(x, &affine, f))
            })
        });
        Ok((y, x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<Gradients> {
        let grad = grad.contiguous()?;
        let (xs, xl) = x.storage_and_layout();
        let (ws, wl) = weight.storage_and_layout();
        let (bs, bl) = bias.storage_and_layout();
        let (ys, yl) = y.storage_and_layout();
        let (gs, gl) = grad.storage_and_layout();
        with_element!(cpu(&xs)?, self.name(), T => {
            let affine = self.affine::<T>(slice(cpu(&ws)?, wl)?, slice(cpu(&bs)?, bl)?);
            let tensors = Saved::<T> {
                x: slice(cpu(&xs)?, xl)?,
                y: slice(cpu(&ys)?, yl)?,
                grad: slice(cpu(&gs)?, gl)?,
            };
            with_pointwise!(self.activation, T, f => {
                self.gradients([x, weight, bias], &tensors, &affine, f)
            })
        })
    }
}
