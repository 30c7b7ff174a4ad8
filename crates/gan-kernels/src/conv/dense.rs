//! Convolutions whose kernel covers the whole image, once: products of `[N, patch]` and `[C_small, patch]`.
//!
//! The weight, which is large here, stays as it is: a left factor needs no packing. The images, which are small, are
//! transposed around it.

use super::layout::{channels_first, channels_last};
use super::shape::ConvShape;
use super::transpose::{transpose_into, transposed};
use crate::buffer::fill_chunks;
use crate::element::Element;
use crate::panels::{Packed, Panels};
use crate::product::{Destination, Left, multiply};

/// Whether the kernel covers the whole large image, once.
pub(super) fn is_dense(shape: &ConvShape) -> bool {
    shape.small.area() == 1
        && shape.kernel == (shape.large.height, shape.large.width)
        && shape.geometry.padding == (0, 0)
}

/// Small images from large ones: `yᵀ = w · xᵀ`.
pub(super) fn forward<T: Element>(shape: &ConvShape, large: &[T], weight: &[T]) -> Vec<T> {
    let (n, rows, patch_len) = (shape.batch, shape.small.channels, shape.patch_len());
    let x = channels_first(large, shape.large); // [N, patch], in the order of the weight
    let right = packed_transpose(&x, n, patch_len);
    let y = by_rows(rows, n, |first, n_rows, y| {
        let weight = Panels::row_major(&weight[first * patch_len..], n_rows, patch_len);
        product(y, Left::Plain(weight), right.panels());
    });
    transposed(&y, rows, n)
}

/// Large images from small ones: `xᵀ = wᵀ · yᵀ`.
pub(super) fn input_grad<T: Element>(shape: &ConvShape, small: &[T], weight: &[T]) -> Vec<T> {
    let (n, c_small, rows) = (shape.batch, shape.small.channels, shape.patch_len());
    let right = packed_transpose(small, n, c_small);
    let x = by_rows(rows, n, |first, n_rows, x| {
        let weight = Panels { cols: n_rows, ..Panels::row_major(weight, c_small, rows) };
        product(x, Left::Transposed(weight.skip_columns(first)), right.panels());
    });
    channels_last(&transposed(&x, rows, n), shape.large)
}

/// The weight's gradient `[C_small, C_large, kh, kw]`, summed over the batch: `w = yᵀ · x`.
pub(super) fn weight_grad<T: Element>(shape: &ConvShape, large: &[T], small: &[T]) -> Vec<T> {
    let (n, rows, patch_len) = (shape.batch, shape.small.channels, shape.patch_len());
    let x = channels_first(large, shape.large);
    let right = Packed::new(n, patch_len, |image| &x[image * patch_len..][..patch_len]);
    by_rows(rows, patch_len, |first, n_rows, w| {
        let small = Panels { cols: n_rows, ..Panels::row_major(small, n, rows) };
        product(w, Left::Transposed(small.skip_columns(first)), right.panels());
    })
}

/// The transpose of `x` `[rows, cols]` as a right factor.
fn packed_transpose<T: Element>(x: &[T], rows: usize, cols: usize) -> Packed<T> {
    Packed::by_panels(cols, rows, |first, n_columns, width, out| {
        transpose_into(&x[first * cols..], cols, out, width, n_columns, cols);
    })
}

/// `[rows, cols]`, some rows a task: `fill(first row, rows, elements)`. The cut does not change the bits.
fn by_rows<T: Element>(
    rows: usize,
    cols: usize,
    fill: impl Fn(usize, usize, &mut [T]) + Send + Sync,
) -> Vec<T> {
    let rows_per_task = rows.div_ceil(2 * rayon::current_num_threads()).next_multiple_of(12);
    fill_chunks(rows * cols, rows_per_task * cols, |task, out| {
        fill(task * rows_per_task, out.len() / cols, out);
    })
}

/// `dst`, row-major, from a product.
fn product<T: Element>(dst: &mut [T], left: Left<'_, T>, right: Panels<'_, T>) {
    multiply(Destination::row_major(dst, right), left, right);
}
