//! The patches of an image as columns of a matrix, and back.
//!
//! A row of the matrix is one tap `(channel, ky, kx)`, a column one output position. Taps are taken two at a time
//! where the stride is 2: neighbouring taps read the even and the odd pixels of the same stretch of a row, so that
//! both passes run over contiguous memory.

use std::ops::Range;

use super::shape::ConvShape;
use crate::element::Element;

/// Where the columns of one image lie in a block that holds several images.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    /// Length of a row of the block.
    pub(super) row_len: usize,
    /// First column of this image.
    pub(super) start: usize,
}

/// Writes the taps of `channels` of one large `image` into `block`, zeros where a tap lies in the padding.
#[inline(always)]
pub(super) fn im2col<T: Element>(
    shape: &ConvShape,
    image: &[T],
    channels: Range<usize>,
    block: &mut [T],
    columns: Columns,
) {
    let area = shape.small.area();
    let taps = Taps::new(shape);
    for (c, channel) in channels.enumerate() {
        let plane = &image[channel * shape.large.area()..][..shape.large.area()];
        for ky in 0..shape.kernel.0 {
            let rows = &mut block[(c * shape.kernel.0 + ky) * shape.kernel.1 * columns.row_len..];
            for kx in (0..shape.kernel.1).step_by(taps.step) {
                let row = kx * columns.row_len + columns.start;
                if taps.step == 2 && kx + 1 < shape.kernel.1 {
                    let (even, odd) = rows[row..].split_at_mut(columns.row_len);
                    taps.read_pair(plane, ky, kx, &mut even[..area], &mut odd[..area]);
                } else {
                    taps.read(plane, ky, kx, &mut rows[row..row + area]);
                }
            }
        }
    }
}

/// Adds `block`, laid out as [`im2col`] writes it, onto the pixels of one large `image` that the taps were read from.
#[inline(always)]
pub(super) fn col2im<T: Element>(
    shape: &ConvShape,
    block: &[T],
    columns: Columns,
    channels: Range<usize>,
    image: &mut [T],
) {
    let area = shape.small.area();
    let taps = Taps::new(shape);
    for (c, channel) in channels.enumerate() {
        let plane = &mut image[channel * shape.large.area()..][..shape.large.area()];
        for ky in 0..shape.kernel.0 {
            let rows = &block[(c * shape.kernel.0 + ky) * shape.kernel.1 * columns.row_len..];
            for kx in (0..shape.kernel.1).step_by(taps.step) {
                let row = kx * columns.row_len + columns.start;
                if taps.step == 2 && kx + 1 < shape.kernel.1 {
                    let odd = &rows[row + columns.row_len..][..area];
                    taps.add_pair(&rows[row..row + area], odd, ky, kx, plane);
                } else {
                    taps.add(&rows[row..row + area], ky, kx, plane);
                }
            }
        }
    }
}

/// The correspondence of output positions and pixels for one tap.
struct Taps<'a> {
    shape: &'a ConvShape,
    /// Taps of a row taken together.
    step: usize,
}

impl<'a> Taps<'a> {
    fn new(shape: &'a ConvShape) -> Self {
        let step = if shape.geometry.stride.1 == 2 { 2 } else { 1 };
        Self { shape, step }
    }

    /// Output columns whose tap `kx` lies within a row of the image.
    #[inline(always)]
    fn inside(&self, kx: usize) -> Range<usize> {
        let (stride, padding) = (self.shape.geometry.stride.1, self.shape.geometry.padding.1);
        let start = padding.saturating_sub(kx).div_ceil(stride);
        let end = (self.shape.large.width + padding).saturating_sub(kx).div_ceil(stride);
        let width = self.shape.small.width;
        start.min(width)..end.clamp(start.min(width), width)
    }

    /// The image row that output row `oy` reads at tap row `ky`, if not in the padding.
    #[inline(always)]
    fn image_row(&self, oy: usize, ky: usize) -> Option<usize> {
        let row =
            (oy * self.shape.geometry.stride.0 + ky).checked_sub(self.shape.geometry.padding.0)?;
        (row < self.shape.large.height).then_some(row)
    }

    /// The image column that output column `ox` reads at tap `kx`; the caller knows that it is inside.
    #[inline(always)]
    fn image_col(&self, ox: usize, kx: usize) -> usize {
        ox * self.shape.geometry.stride.1 + kx - self.shape.geometry.padding.1
    }

    #[inline(always)]
    fn read<T: Element>(&self, plane: &[T], ky: usize, kx: usize, out: &mut [T]) {
        let inside = self.inside(kx);
        for (oy, out) in out.chunks_exact_mut(self.shape.small.width).enumerate() {
            let Some(row) = self.image_row(oy, ky).filter(|_| !inside.is_empty()) else {
                out.fill(T::zero());
                continue;
            };
            out[..inside.start].fill(T::zero());
            out[inside.end..].fill(T::zero());
            let row = &plane[row * self.shape.large.width..][..self.shape.large.width];
            let row = &row[self.image_col(inside.start, kx)..];
            gather(&mut out[inside.clone()], row, self.shape.geometry.stride.1);
        }
    }

    /// [`Self::read`] of the taps `kx` and `kx + 1` at stride 2.
    #[inline(always)]
    fn read_pair<T: Element>(
        &self,
        plane: &[T],
        ky: usize,
        kx: usize,
        even: &mut [T],
        odd: &mut [T],
    ) {
        let (first, second) = (self.inside(kx), self.inside(kx + 1));
        let both = first.start.max(second.start)..first.end.min(second.end);
        if both.is_empty() {
            self.read(plane, ky, kx, even);
            return self.read(plane, ky, kx + 1, odd);
        }
        let width = self.shape.small.width;
        let rows = even.chunks_exact_mut(width).zip(odd.chunks_exact_mut(width));
        for (oy, (even, odd)) in rows.enumerate() {
            let Some(row) = self.image_row(oy, ky) else {
                even.fill(T::zero());
                odd.fill(T::zero());
                continue;
            };
            let row = &plane[row * self.shape.large.width..][..self.shape.large.width];
            // At most one position on either side belongs to one tap alone.
            for (out, inside, kx) in [(&mut *even, &first, kx), (&mut *odd, &second, kx + 1)] {
                for ox in (0..both.start).chain(both.end..width) {
                    out[ox] =
                        if inside.contains(&ox) { row[self.image_col(ox, kx)] } else { T::zero() };
                }
            }
            let row = &row[self.image_col(both.start, kx)..];
            let outs = even[both.clone()].iter_mut().zip(&mut odd[both.clone()]);
            for ((even, odd), pair) in outs.zip(row.chunks_exact(2)) {
                *even = pair[0];
                *odd = pair[1];
            }
        }
    }

    #[inline(always)]
    fn add<T: Element>(&self, values: &[T], ky: usize, kx: usize, plane: &mut [T]) {
        let inside = self.inside(kx);
        if inside.is_empty() {
            return;
        }
        for (oy, values) in values.chunks_exact(self.shape.small.width).enumerate() {
            let Some(row) = self.image_row(oy, ky) else {
                continue;
            };
            let row = &mut plane[row * self.shape.large.width..][..self.shape.large.width];
            let row = &mut row[self.image_col(inside.start, kx)..];
            scatter_add(&values[inside.clone()], row, self.shape.geometry.stride.1);
        }
    }

    /// [`Self::add`] of the taps `kx` and `kx + 1` at stride 2.
    #[inline(always)]
    fn add_pair<T: Element>(&self, even: &[T], odd: &[T], ky: usize, kx: usize, plane: &mut [T]) {
        let (first, second) = (self.inside(kx), self.inside(kx + 1));
        let both = first.start.max(second.start)..first.end.min(second.end);
        if both.is_empty() {
            self.add(even, ky, kx, plane);
            return self.add(odd, ky, kx + 1, plane);
        }
        let width = self.shape.small.width;
        let rows = even.chunks_exact(width).zip(odd.chunks_exact(width));
        for (oy, (even, odd)) in rows.enumerate() {
            let Some(row) = self.image_row(oy, ky) else {
                continue;
            };
            let row = &mut plane[row * self.shape.large.width..][..self.shape.large.width];
            for (values, inside, kx) in [(even, &first, kx), (odd, &second, kx + 1)] {
                for ox in (inside.start..both.start).chain(both.end..inside.end) {
                    row[self.image_col(ox, kx)] += values[ox];
                }
            }
            let row = &mut row[self.image_col(both.start, kx)..];
            let values = even[both.clone()].iter().zip(&odd[both.clone()]);
            for (pair, (&even, &odd)) in row.chunks_exact_mut(2).zip(values) {
                pair[0] += even;
                pair[1] += odd;
            }
        }
    }
}

/// `out[i] = row[i · stride]`
#[inline(always)]
fn gather<T: Element>(out: &mut [T], row: &[T], stride: usize) {
    if stride == 1 {
        out.copy_from_slice(&row[..out.len()]);
    } else {
        for (out, &pixel) in out.iter_mut().zip(row.iter().step_by(stride)) {
            *out = pixel;
        }
    }
}

/// `row[i · stride] += values[i]`
#[inline(always)]
fn scatter_add<T: Element>(values: &[T], row: &mut [T], stride: usize) {
    if stride == 1 {
        for (pixel, &value) in row.iter_mut().zip(values) {
            *pixel += value;
        }
    } else {
        for (pixel, &value) in row.iter_mut().step_by(stride).zip(values) {
            *pixel += value;
        }
    }
}
