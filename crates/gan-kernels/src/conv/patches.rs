//! The patches of an image `[H, W, C]` as rows of a matrix, and back.
//!
//! A row is one output position; its columns are the taps `(ky, kx, channel)` of some kernel rows. The taps of a kernel
//! row lie side by side in the image, so that both ways are copies of `kw · C` elements.

use std::ops::Range;

use super::shape::ConvShape;
use crate::element::Element;

/// Writes the patches of some output `rows` of one large `image`, the taps of some kernel rows `ky`, into `patches`
/// `[rows · W_small, ky · kw · C_large]`; zeros where a tap lies in the padding.
pub(super) fn gather<T: Element>(
    shape: &ConvShape,
    image: &[T],
    rows: Range<usize>,
    kernel_rows: Range<usize>,
    patches: &mut [T],
) {
    let segment_len = shape.kernel.1 * shape.large.channels;
    let patch_len = kernel_rows.len() * segment_len;
    let positions = rows.flat_map(|oy| (0..shape.small.width).map(move |ox| (oy, ox)));
    for (patch, (oy, ox)) in patches.chunks_exact_mut(patch_len).zip(positions) {
        for (segment, ky) in patch.chunks_exact_mut(segment_len).zip(kernel_rows.clone()) {
            match Segment::new(shape, oy, ox, ky) {
                Some(Segment { pixels, taps }) => {
                    segment[..taps.start].fill(T::zero());
                    segment[taps.clone()].copy_from_slice(&image[pixels]);
                    segment[taps.end..].fill(T::zero());
                }
                None => segment.fill(T::zero()),
            }
        }
    }
}

/// Adds patches of all kernel rows, laid out as [`gather`] writes them, onto the pixels that they were read from.
#[inline(always)]
pub(super) fn scatter<T: Element>(
    shape: &ConvShape,
    patches: &[T],
    rows: Range<usize>,
    image: &mut [T],
) {
    let segment_len = shape.kernel.1 * shape.large.channels;
    let patch_len = shape.patch_len();
    let positions = rows.flat_map(|oy| (0..shape.small.width).map(move |ox| (oy, ox)));
    for (patch, (oy, ox)) in patches.chunks_exact(patch_len).zip(positions) {
        for (ky, segment) in patch.chunks_exact(segment_len).enumerate() {
            if let Some(Segment { pixels, taps }) = Segment::new(shape, oy, ox, ky) {
                for (pixel, &value) in image[pixels].iter_mut().zip(&segment[taps]) {
                    *pixel += value;
                }
            }
        }
    }
}

/// The taps of one kernel row at one output position that lie within the image.
struct Segment {
    /// Elements of the image.
    pixels: Range<usize>,
    /// The same elements among the `kw · C` taps.
    taps: Range<usize>,
}

impl Segment {
    /// `None` if all lie in the padding.
    #[inline(always)]
    fn new(shape: &ConvShape, oy: usize, ox: usize, ky: usize) -> Option<Self> {
        let (stride, padding) = (shape.geometry.stride, shape.geometry.padding);
        let y = (oy * stride.0 + ky).checked_sub(padding.0).filter(|&y| y < shape.large.height)?;
        let first = ox * stride.1; // column of tap 0, in padded columns
        let (width, channels) = (shape.large.width, shape.large.channels);
        let start = padding.1.saturating_sub(first).min(shape.kernel.1);
        let end = (width + padding.1).saturating_sub(first).min(shape.kernel.1);
        if start >= end {
            return None;
        }
        let x = first + start - padding.1;
        let at = (y * width + x) * channels;
        let len = (end - start) * channels;
        Some(Self { pixels: at..at + len, taps: start * channels..start * channels + len })
    }
}
