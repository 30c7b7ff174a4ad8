//! Tensors seen as planes, one for each image and channel, and sums over the planes of a channel.

use std::ops::Range;

use candle_core::{Result, Tensor, bail};
use rayon::prelude::*;

use crate::element::Element;

/// The planes of a contiguous `[N, C, H, W]` or `[N, C]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    /// Elements of a plane: `H·W`, or 1.
    pub(crate) area: usize,
}

impl Planes {
    pub(crate) fn of(op: &str, x: &Tensor) -> Result<Self> {
        let planes = match *x.dims() {
            [batch, channels] => Self { batch, channels, area: 1 },
            [batch, channels, height, width] => Self { batch, channels, area: height * width },
            _ => bail!("{op}: input must be [N, C] or [N, C, H, W], got {:?}", x.dims()),
        };
        if x.elem_count() == 0 {
            bail!("{op}: input is empty: {:?}", x.dims())
        }
        Ok(planes)
    }

    /// Elements of one channel over the batch.
    pub(crate) fn count(&self) -> usize {
        self.batch * self.area
    }

    /// Elements of one image.
    pub(crate) fn image_len(&self) -> usize {
        self.channels * self.area
    }

    /// Checks that `parameter` is one value a channel, of the type of `x`.
    pub(crate) fn check_parameter(
        &self,
        op: &str,
        name: &str,
        x: &Tensor,
        parameter: &Tensor,
    ) -> Result<()> {
        if parameter.dims() != [self.channels] || parameter.dtype() != x.dtype() {
            bail!(
                "{op}: {name} must be [{}] of {:?}, got {:?} of {:?}",
                self.channels,
                x.dtype(),
                parameter.dims(),
                parameter.dtype()
            )
        }
        Ok(())
    }

    /// For each channel the sum over its planes of `of_plane(channel, elements of the plane)`, images in order.
    pub(crate) fn sums<const K: usize>(
        &self,
        of_plane: impl Fn(usize, Range<usize>) -> [f64; K] + Sync,
    ) -> Vec<[f64; K]> {
        // Several small planes a task, so that it reads stretches of memory and not single cache lines.
        let block = (256 / self.area).clamp(1, self.channels);
        let mut sums = vec![[0.0; K]; self.channels];
        sums.par_chunks_mut(block).enumerate().for_each(|(index, sums)| {
            for image in 0..self.batch {
                for (i, sums) in sums.iter_mut().enumerate() {
                    let channel = index * block + i;
                    let start = image * self.image_len() + channel * self.area;
                    let plane = of_plane(channel, start..start + self.area);
                    for (sum, value) in sums.iter_mut().zip(plane) {
                        *sum += value;
                    }
                }
            }
        });
        sums
    }
}

/// Running sums kept side by side, so that the loop vectorizes; the same on every machine.
const LANES: usize = 16;

/// Sums in f64 of `f(a, b, c)` over three slices of equal length.
#[inline(always)]
pub(crate) fn lane_sums<T: Element, const K: usize>(
    a: &[T],
    b: &[T],
    c: &[T],
    f: impl Fn(T, T, T) -> [f64; K],
) -> [f64; K] {
    let mut lanes = [[0.0; LANES]; K];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let (c, c_rest) = c.as_chunks::<LANES>();
    for ((a, b), c) in a.iter().zip(b).zip(c) {
        for lane in 0..LANES {
            let values = f(a[lane], b[lane], c[lane]);
            for k in 0..K {
                lanes[k][lane] += values[k];
            }
        }
    }
    for (lane, ((&a, &b), &c)) in a_rest.iter().zip(b_rest).zip(c_rest).enumerate() {
        let values = f(a, b, c);
        for k in 0..K {
            lanes[k][lane] += values[k];
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}
