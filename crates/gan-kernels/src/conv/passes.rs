//! The three passes of a convolution on the CPU: im2col or col2im beside a matrix product, block by block.
//!
//! Weights are `[C_small, C_large · kh · kw]` throughout: what PyTorch stores for both directions.

use std::ops::Range;

use rayon::prelude::*;

use super::im2col::{Columns, col2im, im2col};
use super::shape::ConvShape;
use super::transpose::{transpose, transposed};
use crate::buffer::{fill_chunks, with_scratch};
use crate::element::Element;
use crate::matmul::{Matrix, Threads, Write, multiply};

/// Small images from large ones: the convolution.
pub(super) fn forward<T: Element>(shape: &ConvShape, large: &[T], weight: &[T]) -> Vec<T> {
    let (small_len, patch_len) = (shape.small.len(), shape.patch_len());
    if shape.is_dense() {
        let mut small = vec![T::zero(); shape.batch * small_len];
        let large = Matrix::new(large, shape.batch, patch_len);
        let weight = Matrix::new(weight, shape.small.channels, patch_len);
        multiply(&mut small, Write::Replace, large, weight.t(), Threads::All);
        return small;
    }
    let group_len = shape.group_len();
    let threads = threads_for(shape);
    fill_chunks(shape.batch * small_len, group_len * small_len, |group, small| {
        let images = &large[group * group_len * shape.large.len()..];
        let n_images = small.len() / small_len;
        let row_len = n_images * shape.small.area();
        let product = |small: &mut [T]| {
            let mut write = Write::Replace;
            for channels in shape.channel_blocks() {
                let first_tap = channels.start * shape.taps();
                let n_taps = channels.len() * shape.taps();
                let weight = Matrix::with_row_stride(
                    &weight[first_tap..],
                    shape.small.channels,
                    n_taps,
                    patch_len,
                );
                with_patches(shape, images, n_images, channels, |patches| {
                    let patches = Matrix::new(patches, n_taps, row_len);
                    multiply(small, write, weight, patches, threads);
                });
                write = Write::Add;
            }
        };
        if n_images == 1 {
            product(small);
        } else {
            with_scratch(small.len(), |by_channel| {
                product(by_channel);
                swap_image_and_channel(by_channel, small, shape.small.channels, n_images);
            });
        }
    })
}

/// Large images from small ones: the gradient of the convolution for its input, and the transposed convolution.
pub(super) fn input_grad<T: Element>(shape: &ConvShape, small: &[T], weight: &[T]) -> Vec<T> {
    let (large_len, small_len) = (shape.large.len(), shape.small.len());
    let (n_channels, patch_len) = (shape.small.channels, shape.patch_len());
    if shape.is_dense() {
        let mut large = vec![T::zero(); shape.batch * large_len];
        let small = Matrix::new(small, shape.batch, n_channels);
        let weight = Matrix::new(weight, n_channels, patch_len);
        multiply(&mut large, Write::Replace, small, weight, Threads::All);
        return large;
    }
    let weight_t = transposed(weight, n_channels, patch_len); // [C_large·kh·kw, C_small]
    let group_len = shape.group_len();
    let threads = threads_for(shape);
    fill_chunks(shape.batch * large_len, group_len * large_len, |group, large| {
        let n_images = large.len() / large_len;
        let small = &small[group * group_len * small_len..][..n_images * small_len];
        let row_len = n_images * shape.small.area();
        with_rows_by_channel(small, n_channels, n_images, |small| {
            let small = Matrix::new(small, n_channels, row_len);
            for channels in shape.channel_blocks() {
                let n_taps = channels.len() * shape.taps();
                let weight_t = &weight_t[channels.start * shape.taps() * n_channels..];
                let weight_t = Matrix::new(weight_t, n_taps, n_channels);
                with_scratch(n_taps * row_len, |patches| {
                    multiply(patches, Write::Replace, weight_t, small, threads);
                    for (i, image) in large.chunks_exact_mut(large_len).enumerate() {
                        let start = i * shape.small.area();
                        let columns = Columns { row_len, start };
                        pulp::Arch::new().dispatch(
                            #[inline(always)]
                            || col2im(shape, patches, columns, channels.clone(), image),
                        );
                    }
                });
            }
        });
    })
}

/// The gradient of the convolution for its weight, summed over the batch.
///
/// A task takes a block of large channels and a run of images. How many of either depends on the shape alone, and
/// the runs are added in order, so the bits do not depend on the number of threads.
pub(super) fn weight_grad<T: Element>(shape: &ConvShape, large: &[T], small: &[T]) -> Vec<T> {
    let (n_channels, patch_len) = (shape.small.channels, shape.patch_len());
    if shape.is_dense() {
        let mut weight = vec![T::zero(); n_channels * patch_len];
        let small = Matrix::new(small, shape.batch, n_channels);
        let large = Matrix::new(large, shape.batch, patch_len);
        multiply(&mut weight, Write::Replace, small.t(), large, Threads::All);
        return weight;
    }
    let small_len = shape.small.len();
    let small_t = fill_chunks(small.len(), small_len, |i, out| {
        let image = &small[i * small_len..][..small_len];
        transpose(image, out, n_channels, shape.small.area());
    }); // [N, H_small, W_small, C_small]

    let blocks: Vec<Range<usize>> = shape.channel_blocks().collect();
    let runs = image_runs(shape, blocks.len());
    let tasks: Vec<(&Range<usize>, &Range<usize>)> =
        runs.iter().flat_map(|run| blocks.iter().map(move |block| (block, run))).collect();
    let partial: Vec<Vec<T>> = tasks
        .par_iter()
        .map(|(channels, images)| block_weight_grad(shape, large, &small_t, channels, images))
        .collect();

    // Each block [its taps, C_small], runs added; then to [C_small, C_large·kh·kw].
    let mut totals = partial;
    let later_runs = totals.split_off(blocks.len());
    totals.par_iter_mut().enumerate().for_each(|(block, total)| {
        for run in later_runs.chunks_exact(blocks.len()) {
            for (total, &value) in total.iter_mut().zip(&run[block]) {
                *total += value;
            }
        }
    });
    gather_transposed(&totals, n_channels, patch_len)
}

/// `[taps of the channels, C_small]`, summed over a run of images.
fn block_weight_grad<T: Element>(
    shape: &ConvShape,
    large: &[T],
    small_t: &[T],
    channels: &Range<usize>,
    images: &Range<usize>,
) -> Vec<T> {
    let n_taps = channels.len() * shape.taps();
    let n_channels = shape.small.channels;
    let mut grad = vec![T::zero(); n_taps * n_channels];
    let mut write = Write::Replace;
    for first in images.clone().step_by(shape.group_len()) {
        let n_images = shape.group_len().min(images.end - first);
        let row_len = n_images * shape.small.area();
        let small_t = Matrix::new(&small_t[first * shape.small.len()..], row_len, n_channels);
        let group = &large[first * shape.large.len()..];
        with_patches(shape, group, n_images, channels.clone(), |patches| {
            let patches = Matrix::new(patches, n_taps, row_len);
            multiply(&mut grad, write, patches, small_t, Threads::One);
        });
        write = Write::Add;
    }
    grad
}

/// Runs of images that the weight gradient treats apart, so that there are tasks for many threads even where
/// there are few channel blocks.
fn image_runs(shape: &ConvShape, n_blocks: usize) -> Vec<Range<usize>> {
    const TASKS: usize = 32;
    let group_len = shape.group_len();
    let n_groups = shape.batch.div_ceil(group_len);
    let n_runs = TASKS.div_ceil(n_blocks.max(1)).clamp(1, n_groups.max(1));
    let run_len = n_groups.div_ceil(n_runs) * group_len;
    (0..shape.batch)
        .step_by(run_len.max(1))
        .map(|start| start..(start + run_len).min(shape.batch))
        .collect()
}

/// Calls `body` with the im2col block of some channels of `n_images` large images.
fn with_patches<T: Element>(
    shape: &ConvShape,
    images: &[T],
    n_images: usize,
    channels: Range<usize>,
    body: impl FnOnce(&[T]),
) {
    let area = shape.small.area();
    if shape.is_pointwise() && n_images == 1 {
        return body(&images[channels.start * area..channels.end * area]);
    }
    let row_len = n_images * area;
    with_scratch(channels.len() * shape.taps() * row_len, |patches| {
        for (i, image) in images.chunks(shape.large.len()).take(n_images).enumerate() {
            let start = i * area;
            let columns = Columns { row_len, start };
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || im2col(shape, image, channels.clone(), patches, columns),
            );
        }
        body(patches);
    });
}

/// Calls `body` with `images [n_images, n_channels, area]` as `[n_channels, n_images · area]`.
fn with_rows_by_channel<T: Element>(
    images: &[T],
    n_channels: usize,
    n_images: usize,
    body: impl FnOnce(&[T]),
) {
    if n_images == 1 {
        return body(images);
    }
    with_scratch(images.len(), |by_channel| {
        swap_image_and_channel(images, by_channel, n_images, n_channels);
        body(by_channel);
    });
}

/// `dst [inner, outer, area]` from `src [outer, inner, area]`.
fn swap_image_and_channel<T: Element>(src: &[T], dst: &mut [T], outer: usize, inner: usize) {
    let area = src.len() / (outer * inner);
    for (i, plane) in src.chunks_exact(area).enumerate() {
        let (o, i) = (i / inner, i % inner);
        dst[(i * outer + o) * area..][..area].copy_from_slice(plane);
    }
}

/// `[n_channels, patch_len]` from consecutive blocks `[taps, n_channels]`.
fn gather_transposed<T: Element>(blocks: &[Vec<T>], n_channels: usize, patch_len: usize) -> Vec<T> {
    const ROWS: usize = 16;
    fill_chunks(n_channels * patch_len, ROWS * patch_len, |index, out| {
        let first_channel = index * ROWS;
        let mut first_tap = 0;
        for block in blocks {
            for (tap, values) in block.chunks_exact(n_channels).enumerate() {
                let channels = values[first_channel..].iter();
                for (row, &value) in out.chunks_exact_mut(patch_len).zip(channels) {
                    row[first_tap + tap] = value;
                }
            }
            first_tap += block.len() / n_channels;
        }
    })
}

/// A single group has the pool to itself; several share it, each on one thread.
fn threads_for(shape: &ConvShape) -> Threads {
    if shape.batch <= shape.group_len() { Threads::All } else { Threads::One }
}
