//! Transposes of weights and images, by way of small squares: rows that lie a power of two apart share a cache set, and are read
//! once here instead of once for every column.

use crate::buffer::fill_chunks;
use crate::element::Element;

/// Side of a square: one cache line of `f32`.
pub(super) const SIDE: usize = 16;

/// `dst [cols, rows]` from `rows` rows of `src`, which lie `src_stride` apart.
fn transpose<T: Element>(src: &[T], src_stride: usize, dst: &mut [T], rows: usize, cols: usize) {
    transpose_into(src, src_stride, dst, rows, rows, cols);
}

/// [`transpose`] to rows of `dst` that lie `dst_stride` apart.
pub(super) fn transpose_into<T: Element>(
    src: &[T],
    src_stride: usize,
    dst: &mut [T],
    dst_stride: usize,
    rows: usize,
    cols: usize,
) {
    let mut square = [[T::zero(); SIDE]; SIDE];
    for row in (0..rows).step_by(SIDE) {
        let n_rows = SIDE.min(rows - row);
        for col in (0..cols).step_by(SIDE) {
            let n_cols = SIDE.min(cols - col);
            for (r, line) in square.iter_mut().enumerate().take(n_rows) {
                line[..n_cols].copy_from_slice(&src[(row + r) * src_stride + col..][..n_cols]);
            }
            let dst = &mut dst[col * dst_stride + row..];
            write_columns(&square, n_rows, n_cols, dst, dst_stride);
        }
    }
}

/// The columns of a square as rows of `dst`, `stride` apart.
#[inline(always)]
pub(super) fn write_columns<T: Element>(
    square: &[[T; SIDE]; SIDE],
    n_rows: usize,
    n_cols: usize,
    dst: &mut [T],
    stride: usize,
) {
    for col in 0..n_cols {
        let out = &mut dst[col * stride..][..n_rows];
        if let Ok(out) = <&mut [T; SIDE]>::try_from(&mut *out) {
            for (out, line) in out.iter_mut().zip(square) {
                *out = line[col];
            }
        } else {
            for (out, line) in out.iter_mut().zip(square) {
                *out = line[col];
            }
        }
    }
}

/// `[cols, rows]` from `src [rows, cols]`, on all threads.
pub(super) fn transposed<T: Element>(src: &[T], rows: usize, cols: usize) -> Vec<T> {
    fill_chunks(rows * cols, rows * SIDE, |index, out| {
        let first = index * SIDE;
        transpose(&src[first.min(src.len())..], cols, out, rows, out.len() / rows.max(1));
    })
}

/// `[outer, cols, rows]` from `src [outer, rows, cols]`, on all threads: the taps of a weight before its channels.
pub(super) fn transposed_taps<T: Element>(
    src: &[T],
    outer: usize,
    rows: usize,
    cols: usize,
) -> Vec<T> {
    let len = rows * cols;
    let group = (16 * 1024 / len.max(1)).clamp(1, outer.max(1));
    fill_chunks(outer * len, group * len, |index, out| {
        let src = &src[index * group * len..];
        for (src, out) in src.chunks_exact(len).zip(out.chunks_exact_mut(len)) {
            transpose(src, cols, out, rows, cols);
        }
    })
}
