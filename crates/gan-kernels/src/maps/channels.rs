//! Channels that are the same all over a map: what a network is told about a whole image.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::buffers::{Buffers, token, token_tensor};
use super::{FeatureMaps, Values};
use crate::conv::Image;
use crate::element::{Element, with_element};

impl FeatureMaps {
    /// The maps with one more channel for each of `values` `[N, K]`, which has that value everywhere: `[N, C + K, H, W]`.
    /// Differentiable with respect to both.
    ///
    /// # Errors
    /// If `values` is not `[N, K]`, or of another type or device than the maps.
    pub fn with_constant_channels(&self, values: &Tensor) -> Result<Self> {
        const OP: &str = "with_constant_channels";
        let [n, channels, height, width] = self.dims();
        let &[rows, more] = values.dims() else {
            bail!("{OP}: values must be [N, K], got {:?}", values.dims())
        };
        if rows != n {
            bail!("{OP}: values for {rows} images, the maps are of {n}")
        }
        self.check_parameter(OP, "values", values)?;
        let image = Image { channels: channels + more, ..self.image };
        let (buffers, node) = match &self.values {
            Values::Tensor(x) => {
                let constant =
                    values.reshape((n, more, 1, 1))?.broadcast_as((n, more, height, width))?;
                let x = Tensor::cat(&[x, &constant.contiguous()?], 1)?;
                return Ok(self.with(image, Values::Tensor(x)));
            }
            Values::Cpu(buffers, node) => (buffers, node),
        };
        let area = height * width;
        let output = with_element!(buffers.storage(), OP, T => {
            let constant = values.flatten_all()?.to_vec1::<T>()?;
            let pixels = buffers.values::<T>()?.chunks_exact(area * channels);
            let mut y = Vec::with_capacity(n * area * image.channels);
            for (pixels, constant) in pixels.zip(constant.chunks_exact(more)) {
                for pixel in pixels.chunks_exact(channels) {
                    y.extend_from_slice(pixel);
                    y.extend_from_slice(constant);
                }
            }
            Buffers::new(y)
        });
        let op = Append { channels, of: image.channels, area, input: buffers.clone(), output };
        let output = op.output.clone();
        let node = node.apply_op2(values, op)?;
        Ok(self.with(image, Values::Cpu(output, node)))
    }
}

/// The appended channels as candle's graph has them: the values have been computed.
struct Append {
    /// Channels of the input and of the output.
    channels: usize,
    of: usize,
    /// Pixels of a map.
    area: usize,
    input: Buffers,
    output: Buffers,
}

impl CustomOp2 for Append {
    fn name(&self) -> &'static str {
        "with_constant_channels"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((token(), 1.into()))
    }

    fn bwd(
        &self,
        node: &Tensor,
        values: &Tensor,
        _: &Tensor,
        _: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        if !node.track_op() && !values.track_op() {
            return Ok((None, None));
        }
        with_element!(self.input.storage(), self.name(), T => {
            let grad = self.output.take_gradient::<T>()?;
            let mut of_values = None;
            if values.track_op() {
                let sums = self.sums_over_pixels(&grad);
                of_values = Some(Tensor::from_vec(sums, values.shape(), values.device())?);
            }
            if !node.track_op() {
                return Ok((None, of_values));
            }
            let mut own = Vec::with_capacity(grad.len() / self.of * self.channels);
            for pixel in grad.chunks_exact(self.of) {
                own.extend_from_slice(&pixel[..self.channels]);
            }
            self.input.add_gradient(own)?;
            Ok((token_tensor().map(Some)?, of_values))
        })
    }
}

impl Append {
    /// Of each image and appended channel the sum of `grad` `[N, H, W, C + K]` over the map: `[N, K]`.
    fn sums_over_pixels<T: Element>(&self, grad: &[T]) -> Vec<T> {
        let more = self.of - self.channels;
        let mut sums = Vec::with_capacity(grad.len() / (self.area * self.of) * more);
        for image in grad.chunks_exact(self.area * self.of) {
            let start = sums.len();
            sums.resize(start + more, T::default());
            for pixel in image.chunks_exact(self.of) {
                for (sum, &x) in sums[start..].iter_mut().zip(&pixel[self.channels..]) {
                    *sum += x;
                }
            }
        }
        sums
    }
}
