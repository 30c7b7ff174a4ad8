//! Patches that are not copied: in an image with its padding around it, the taps of a kernel row lie side by side, and
//! neighbouring positions lie a stride apart.

use std::ops::Range;

use super::shape::ConvShape;
use crate::buffer::with_scratch;
use crate::element::Element;
use crate::product::Axis;

/// Positions of an output row from which on a tile of a product, which stays within a row, is large enough.
const FEWEST_POSITIONS: usize = 6;

/// Elements between positions from whose multiples on neighbouring positions lie in few sets of a first-level cache.
const FEW_SETS: usize = 128;

/// Whether the patches of `shape` are better read in place than copied.
pub(super) fn pays(shape: &ConvShape) -> bool {
    let (stride, kernel) = (shape.geometry.stride, shape.kernel);
    // With wider strides the padded image holds much that no patch has.
    shape.small.width >= FEWEST_POSITIONS && stride.0 <= kernel.0 && stride.1 <= kernel.1
}

/// [`pays`], where a product is summed over the positions.
pub(super) fn pays_over_positions(shape: &ConvShape) -> bool {
    let step = shape.geometry.stride.1 * shape.large.channels;
    pays(shape) && !step.is_multiple_of(FEW_SETS)
}

/// Elements of the padded image that the patches of a number of output rows lie in.
pub(super) fn len(shape: &ConvShape, rows: usize) -> usize {
    padded_rows(shape, rows, shape.kernel.0) * row_len(shape)
}

fn padded_rows(shape: &ConvShape, rows: usize, kernel_rows: usize) -> usize {
    rows.saturating_sub(1) * shape.geometry.stride.0 + kernel_rows
}

/// Elements of a padded row, as far as patches reach.
fn row_len(shape: &ConvShape) -> usize {
    ((shape.small.width - 1) * shape.geometry.stride.1 + shape.kernel.1) * shape.large.channels
}

/// Calls `body` with the part of `image` `[H, W, C]` that some output `rows` see through some kernel rows, zeros around
/// it, and where in it the positions and the taps `(ky, kx, channel)` of their patches lie.
pub(super) fn with_padded<T: Element>(
    shape: &ConvShape,
    image: &[T],
    rows: Range<usize>,
    kernel_rows: Range<usize>,
    body: impl FnOnce(&[T], Axis, Axis),
) {
    let (stride, padding) = (shape.geometry.stride, shape.geometry.padding);
    let (channels, row_len) = (shape.large.channels, row_len(shape));
    let n_rows = padded_rows(shape, rows.len(), kernel_rows.len());
    let first = rows.start * stride.0 + kernel_rows.start; // in padded rows
    with_scratch(n_rows * row_len, |padded| {
        let left = (padding.1 * channels).min(row_len);
        let image_row_len = shape.large.width * channels;
        for (y, out) in (first..).zip(padded.chunks_exact_mut(row_len)) {
            let row = y.checked_sub(padding.0).filter(|&y| y < shape.large.height);
            let Some(row) = row.map(|y| &image[y * image_row_len..][..image_row_len]) else {
                out.fill(T::zero());
                continue;
            };
            let len = (row_len - left).min(image_row_len);
            out[..left].fill(T::zero());
            out[left..left + len].copy_from_slice(&row[..len]);
            out[left + len..].fill(T::zero());
        }
        let positions = Axis {
            len: rows.len() * shape.small.width,
            chunk: shape.small.width,
            step: stride.1 * channels,
            chunk_stride: stride.0 * row_len,
        };
        let segment = shape.kernel.1 * channels;
        let taps = Axis {
            len: kernel_rows.len() * segment,
            chunk: segment,
            step: 1,
            chunk_stride: row_len,
        };
        body(padded, positions, taps);
    });
}
