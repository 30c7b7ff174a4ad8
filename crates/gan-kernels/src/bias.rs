//! A bias for each channel.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, WithDType};

use crate::buffer::fill_chunks;
use crate::channels::{Planes, lane_sums};
use crate::element::{cpu, slice, with_element};
use crate::second_order;

/// `x` `[N, C, H, W]` or `[N, C]` plus `bias` `[C]` on every pixel of its channel; the shape stays.
///
/// # Errors
/// If the shapes or element types do not fit.
pub fn add_channel_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let planes = Planes::of("add_channel_bias", x)?;
    planes.check_parameter("add_channel_bias", "bias", x, bias)?;
    if !x.device().is_cpu() || second_order::enabled() {
        let shape = [&[1, planes.channels][..], &[1, 1][..x.rank() - 2]].concat();
        return x.broadcast_add(&bias.reshape(shape)?);
    }
    x.contiguous()?.apply_op2(&bias.contiguous()?, AddChannelBias { planes })
}

struct AddChannelBias {
    planes: Planes,
}

impl CustomOp2 for AddChannelBias {
    fn name(&self) -> &'static str {
        "add_channel_bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let image_len = self.planes.image_len();
        let y = with_element!(x, self.name(), T => {
            let (x, bias) = (slice::<T>(x, x_layout)?, slice::<T>(bias, bias_layout)?);
            T::to_cpu_storage_owned(fill_chunks(x.len(), image_len, |image, out| {
                let x = x[image * image_len..].chunks_exact(self.planes.area);
                for ((out, x), &bias) in out.chunks_exact_mut(self.planes.area).zip(x).zip(bias) {
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = x + bias;
                    }
                }
            }))
        });
        Ok((y, x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let x_grad = x.track_op().then(|| grad.clone());
        if !bias.track_op() {
            return Ok((x_grad, None));
        }
        let (storage, layout) = grad.storage_and_layout();
        let storage = cpu(&storage)?;
        let bias_grad = with_element!(storage, self.name(), T => {
            let grad = slice::<T>(storage, layout)?;
            let sums = self.planes.sums(|_, plane| {
                let plane = &grad[plane];
                lane_sums(plane, plane, plane, |g, _, _| [g.to_f64()])
            });
            let sums: Vec<T> = sums.iter().map(|&[sum]| T::from_f64(sum)).collect();
            Tensor::from_vec(sums, bias.shape(), bias.device())?
        });
        Ok((x_grad, Some(bias_grad)))
    }
}
