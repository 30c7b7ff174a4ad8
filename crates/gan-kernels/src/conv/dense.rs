//! Convolutions whose kernel covers the whole image, once: products of `[N, patch]` and `[C_small, patch]`.
//!
//! The weight, which is large here, is read once and where it lies, as far as its rows allow.

use std::mem::MaybeUninit;

use super::layout::{channels_first, channels_last};
use super::shape::ConvShape;
use super::transpose::transpose_into;
use crate::buffer::{LINE, fill_columns, with_scratch, write_chunks};
use crate::element::Element;
use crate::panels::{Packed, Panels};
use crate::product::{Destination, Left, multiply, native_panel_width, write_product};

/// Whether the kernel covers the whole large image, once.
pub(super) fn is_dense(shape: &ConvShape) -> bool {
    shape.small.area() == 1
        && shape.kernel == (shape.large.height, shape.large.width)
        && shape.geometry.padding == (0, 0)
}

/// Small images from large ones: `yᵀ = w · xᵀ`, some rows of `w` a task.
pub(super) fn forward<T: Element>(shape: &ConvShape, large: &[T], weight: &[T]) -> Vec<T> {
    let (n, rows, patch_len) = (shape.batch, shape.small.channels, shape.patch_len());
    let x = channels_first(large, shape.large); // [N, patch], in the order of the weight
    let right = packed_transpose(&x, n, patch_len);
    let rows_per_task = rows_per_task::<T>(rows);
    fill_columns(n, rows, (rows_per_task, rows_per_task), |first, rows, y| {
        let weight = Panels::row_major(&weight[first * patch_len..], rows, patch_len);
        with_scratch(rows * n, |products| {
            let dst = Destination::row_major(products, right.panels(), false);
            multiply(dst, Left::plain(weight), right.panels());
            transpose_into(products, n, y, rows_per_task, rows, n);
        });
    })
}

/// Large images from small ones: `x = y · w`, a panel of `w` a task.
pub(super) fn input_grad<T: Element>(shape: &ConvShape, small: &[T], weight: &[T]) -> Vec<T> {
    let (n, c_small, patch_len) = (shape.batch, shape.small.channels, shape.patch_len());
    // Read where it lies: packing it took a tenth of the whole, for a linear layer 784→1024 at batch 64.
    let y = Left::plain(Panels::row_major(small, n, c_small));
    let width = native_panel_width::<T>();
    let lead = columns_to_alignment(weight, patch_len).min(patch_len);
    let lead = if (1..width).contains(&lead) { lead } else { width };
    let x = fill_columns(n, patch_len, (lead, width), |first, cols, x| {
        let whole = Panels { width, ..Panels::row_major(weight, c_small, patch_len) };
        let in_place = Panels { cols, ..whole.skip_columns(first) };
        let dst = Destination::new(x, width, width, cols, false);
        if first + width <= patch_len && !shares_cache_sets::<T>(patch_len, 512) {
            return multiply(dst, y, in_place);
        }
        let row = |row| &in_place.data[row * patch_len..][..cols];
        Packed::with_scratch(c_small, width, row, |right| {
            multiply(dst, y, Panels { cols, ..right });
        });
    });
    channels_last(x, shape.large).into_owned()
}

/// Columns until every row of `matrix`, whose rows have `len` elements, is at the beginning of a cache line, if they
/// are there together. Vectors that lie across two lines made an input gradient a tenth slower.
fn columns_to_alignment<T>(matrix: &[T], len: usize) -> usize {
    if (len * size_of::<T>()).is_multiple_of(LINE) { matrix.as_ptr().align_offset(LINE) } else { 0 }
}

/// Whether rows that lie `stride` apart fall into few sets of a cache, where they displace each other: one of `bytes / 64`
/// at most. Rows that are read by many tiles, as the weight gradient's are, need more sets.
fn shares_cache_sets<T>(stride: usize, bytes: usize) -> bool {
    (stride * size_of::<T>()).is_multiple_of(bytes)
}

/// The weight's gradient `[C_small, C_large, kh, kw]`, summed over the batch: `w = yᵀ · x`.
pub(super) fn weight_grad<T: Element>(shape: &ConvShape, large: &[T], small: &[T]) -> Vec<T> {
    let (n, rows, patch_len) = (shape.batch, shape.small.channels, shape.patch_len());
    let x = channels_first(large, shape.large);
    let width = native_panel_width::<T>();
    // Whole panels of x where they lie, the columns that are left packed.
    let split = if shares_cache_sets::<T>(patch_len, 256) { 0 } else { patch_len / width * width };
    let in_place = Panels { width, stride: width, ..Panels::row_major(&x, n, patch_len) };
    let rest = Packed::new(n, patch_len - split, |image| &x[image * patch_len..][split..patch_len]);
    let y = Packed::new(n, rows, |image| &small[image * rows..][..rows]);
    by_rows(rows, patch_len, |first, w| {
        let y = y.panels();
        let y =
            Panels { data: &y.data[first / y.width * y.stride..], cols: w.len() / patch_len, ..y };
        write_product(w, Left::transposed(y), &[in_place.columns(0..split), rest.panels()])
    })
}

/// The transpose of `x` `[rows, cols]` as a right factor.
fn packed_transpose<T: Element>(x: &[T], rows: usize, cols: usize) -> Packed<T> {
    Packed::by_panels(cols, rows, |first, n_columns, width, out| {
        transpose_into(&x[first * cols..], cols, out, width, n_columns, cols);
    })
}

/// `[rows, cols]`, some rows a task: `write(first row, elements)`. The first row is a multiple of a panel's width; the
/// cut does not change the bits.
fn by_rows<T: Element>(
    rows: usize,
    cols: usize,
    write: impl for<'a> Fn(usize, &'a mut [MaybeUninit<T>]) -> &'a mut [T] + Send + Sync,
) -> Vec<T> {
    let rows_per_task = rows_per_task::<T>(rows);
    write_chunks(rows * cols, rows_per_task * cols, |task, out| write(task * rows_per_task, out))
}

/// Rows of a task: a few tasks a thread, each of whole panels.
fn rows_per_task<T: Element>(rows: usize) -> usize {
    rows.div_ceil(4 * rayon::current_num_threads()).next_multiple_of(native_panel_width::<T>())
}
