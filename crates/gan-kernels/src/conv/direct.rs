//! The three passes of any convolution on images `[N, H, W, C]`: patches beside a matrix product.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::assemble::{assemble, runs_of};
use super::padded::{self, with_padded};
use super::patches::{gather, scatter};
use super::shape::ConvShape;
use super::transpose::{transposed, transposed_taps};
use crate::buffer::{fill_chunks, with_scratch, write_chunks};
use crate::element::Element;
use crate::panels::{Packed, Panels};
use crate::product::{Axis, Destination, Left, multiply, write_product};
use crate::simd::dispatch;

/// Elements of a block of patches aimed at: a quarter of a 1 MiB cache in `f32`.
const BLOCK: usize = 64 * 1024;
/// Positions that one product takes at least, where there are as many.
const POSITIONS: usize = 64;

/// Small images from large ones.
pub(super) fn forward<T: Element>(shape: &ConvShape, large: &[T], weight: &[T]) -> Vec<T> {
    let (c_small, c_large, n_taps) = (shape.small.channels, shape.large.channels, shape.taps());
    let patch_len = shape.patch_len();
    let taps = transposed(weight, c_small, patch_len); // [C_large·kh·kw, C_small]
    let weights = Packed::new(patch_len, c_small, |row| {
        let (tap, channel) = (row / c_large, row % c_large);
        &taps[(channel * n_taps + tap) * c_small..][..c_small]
    });
    let (small_len, large_len) = (shape.small.len(), shape.large.len());
    let (group_len, in_place) = (group_len(shape), padded::pays(shape));
    write_chunks(shape.batch * small_len, group_len * small_len, |group, small| {
        let n_images = small.len() / small_len;
        let images = &large[group * group_len * large_len..][..n_images * large_len];
        for_each_block(shape, n_images, in_place, |block| {
            let small = &mut small[block.positions(shape, c_small)];
            with_patches(
                shape,
                images,
                &block,
                0..shape.kernel.0,
                in_place,
                |patches, positions, taps| {
                    let left = Left::new(patches, positions, taps);
                    write_product(small, left, &[weights.panels()]);
                },
            );
        });
        // SAFETY: every position is in one of the blocks, whose products were written.
        #[allow(unsafe_code)]
        unsafe {
            small.assume_init_mut()
        }
    })
}

/// Large images from small ones.
pub(super) fn input_grad<T: Element>(shape: &ConvShape, small: &[T], weight: &[T]) -> Vec<T> {
    let (c_small, c_large) = (shape.small.channels, shape.large.channels);
    let patch_len = shape.patch_len();
    let taps = transposed_taps(weight, c_small, c_large, shape.taps()); // [C_small, kh·kw·C_large]
    let weights = Packed::new(c_small, patch_len, |row| &taps[row * patch_len..][..patch_len]);
    let (small_len, large_len) = (shape.small.len(), shape.large.len());
    let group_len = group_len(shape);
    fill_chunks(shape.batch * large_len, group_len * large_len, |group, large| {
        let n_images = large.len() / large_len;
        let small = &small[group * group_len * small_len..][..n_images * small_len];
        if shape.is_pointwise() {
            let left = Panels::row_major(small, n_images * shape.small.area(), c_small);
            return product(large, Left::plain(left), weights.panels(), false);
        }
        for_each_block(shape, n_images, false, |block| {
            let positions = block.len(shape);
            let left =
                Panels::row_major(&small[block.positions(shape, c_small)], positions, c_small);
            with_scratch(positions * patch_len, |patches| {
                product(patches, Left::plain(left), weights.panels(), false);
                let image_patches = block.rows.len() * shape.small.width * patch_len;
                for (image, patches) in
                    block.images.clone().zip(patches.chunks_exact(image_patches))
                {
                    let image = &mut large[image * large_len..][..large_len];
                    dispatch(Scatter { shape, patches, rows: block.rows.clone(), image });
                }
            });
        });
    })
}

/// The weight's gradient `[C_small, C_large, kh, kw]`, summed over the batch.
///
/// A task takes some rows of the kernel and a run of images. The runs depend on the shape alone and are added in order,
/// so that the bits do not depend on the number of threads.
pub(super) fn weight_grad<T: Element>(shape: &ConvShape, large: &[T], small: &[T]) -> Vec<T> {
    const TASKS: usize = 16;
    /// Taps of a task aimed at: their sums stay in the cache.
    const TAPS: usize = 256;
    let (c_small, c_large) = (shape.small.channels, shape.large.channels);
    let segment_len = shape.kernel.1 * c_large;
    let in_place = padded::pays_over_positions(shape);
    let rows_per_block = (TAPS / segment_len).clamp(1, shape.kernel.0);
    let n_blocks = shape.kernel.0.div_ceil(rows_per_block);
    let runs = runs_of(shape.batch, TASKS.div_ceil(n_blocks));
    let tasks: Vec<(usize, &Range<usize>)> =
        runs.iter().flat_map(|run| (0..n_blocks).map(move |block| (block, run))).collect();
    let blocks: Vec<Vec<T>> = tasks
        .par_iter()
        .map(|&(block, run)| {
            let end = shape.kernel.0.min((block + 1) * rows_per_block);
            let kernel_rows = block * rows_per_block..end;
            let n_taps = kernel_rows.len() * segment_len;
            let mut grad = vec![T::zero(); n_taps * c_small];
            let large = &large[run.start * shape.large.len()..run.end * shape.large.len()];
            let small = &small[run.start * shape.small.len()..run.end * shape.small.len()];
            let mut add = false;
            for_each_block(shape, run.len(), in_place, |block| {
                let positions = block.len(shape);
                let small = &small[block.positions(shape, c_small)];
                let small_row = |position| &small[position * c_small..][..c_small];
                with_patches(
                    shape,
                    large,
                    &block,
                    kernel_rows.clone(),
                    in_place,
                    |patches, rows, taps| {
                        Packed::with_scratch(positions, c_small, small_row, |right| {
                            product(&mut grad, Left::new(patches, taps, rows), right, add);
                        });
                    },
                );
                add = true;
            });
            grad
        })
        .collect();
    assemble(blocks, n_blocks, c_small, shape.patch_len(), |index| {
        let (channel, tap) = (index / shape.taps(), index % shape.taps());
        let (ky, kx) = (tap / shape.kernel.1, tap % shape.kernel.1);
        let row = (ky % rows_per_block * shape.kernel.1 + kx) * c_large + channel;
        (ky / rows_per_block, row)
    })
}

/// Output positions that are multiplied together: some rows of some images.
struct Block {
    images: Range<usize>,
    rows: Range<usize>,
}

impl Block {
    /// Positions of the block.
    fn len(&self, shape: &ConvShape) -> usize {
        self.images.len() * self.rows.len() * shape.small.width
    }

    /// Its elements in the small images.
    fn positions(&self, shape: &ConvShape, channels: usize) -> Range<usize> {
        let row_len = shape.small.width * channels;
        let start = (self.images.start * shape.small.height + self.rows.start) * row_len;
        start..start + self.len(shape) * channels
    }
}

/// Images that one task takes.
fn group_len(shape: &ConvShape) -> usize {
    let per_thread = shape.batch.div_ceil(rayon::current_num_threads()).max(1);
    (POSITIONS / shape.small.area().max(1)).clamp(1, per_thread)
}

/// Cuts images into blocks whose patches stay in the cache: several small images, or some rows of a large one.
fn for_each_block(
    shape: &ConvShape,
    n_images: usize,
    in_place: bool,
    mut visit: impl FnMut(Block),
) {
    let positions = (BLOCK / shape.patch_len().max(1)).max(POSITIONS);
    let (height, width) = (shape.small.height, shape.small.width);
    let (images, rows) = if in_place {
        let n_blocks = padded::len(shape, height).div_ceil(BLOCK).min(height);
        (1, height.div_ceil(n_blocks.max(1)))
    } else {
        let images = (positions / (height * width).max(1)).max(1);
        (images, if images > 1 { height } else { (positions / width.max(1)).clamp(1, height) })
    };
    for image in (0..n_images).step_by(images) {
        for row in (0..height).step_by(rows) {
            visit(Block {
                images: image..(image + images).min(n_images),
                rows: row..(row + rows).min(height),
            });
        }
    }
}

/// Calls `body` with the patches of a block, the taps of some kernel rows: where they are, and where in there positions
/// and taps lie. With `in_place` they are not copied; the block then lies in one image.
fn with_patches<T: Element>(
    shape: &ConvShape,
    images: &[T],
    block: &Block,
    kernel_rows: Range<usize>,
    in_place: bool,
    body: impl FnOnce(&[T], Axis, Axis),
) {
    let positions = block.len(shape);
    if shape.is_pointwise() {
        let channels = shape.large.channels;
        let patches = &images[block.positions(shape, channels)];
        return body(patches, Axis::even(positions, channels), Axis::even(channels, 1));
    }
    let image = |index: usize| &images[index * shape.large.len()..][..shape.large.len()];
    if in_place {
        let image = image(block.images.start);
        return with_padded(shape, image, block.rows.clone(), kernel_rows, body);
    }
    let row_len = kernel_rows.len() * shape.kernel.1 * shape.large.channels;
    with_scratch(positions * row_len, |patches| {
        let image_patches = block.rows.len() * shape.small.width * row_len;
        for (index, patches) in block.images.clone().zip(patches.chunks_exact_mut(image_patches)) {
            gather(shape, image(index), block.rows.clone(), kernel_rows.clone(), patches);
        }
        body(patches, Axis::even(positions, row_len), Axis::even(row_len, 1));
    });
}

/// `dst`, row-major, from a product.
fn product<T: Element>(dst: &mut [T], left: Left<'_, T>, right: Panels<'_, T>, add: bool) {
    multiply(Destination::row_major(dst, right, add), left, right);
}

/// [`scatter`] on the machine's vectors.
struct Scatter<'a, T> {
    shape: &'a ConvShape,
    patches: &'a [T],
    rows: Range<usize>,
    image: &'a mut [T],
}

impl<T: Element> WithSimd for Scatter<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        scatter(self.shape, self.patches, self.rows, self.image);
    }
}
