//! Transposes of matrices, in tiles that fit the cache.

use crate::buffer::fill_chunks;
use crate::element::Element;

const TILE: usize = 16;

/// `dst [cols, rows]` from `src [rows, cols]`, both row-major.
pub(super) fn transpose<T: Element>(src: &[T], dst: &mut [T], rows: usize, cols: usize) {
    transpose_strided(src, cols, dst, rows, cols);
}

/// As [`transpose`], with rows of `src` that lie `src_stride` apart.
fn transpose_strided<T: Element>(
    src: &[T],
    src_stride: usize,
    dst: &mut [T],
    rows: usize,
    cols: usize,
) {
    for row in (0..rows).step_by(TILE) {
        for col in (0..cols).step_by(TILE) {
            for c in col..(col + TILE).min(cols) {
                let end = (row + TILE).min(rows);
                let out = &mut dst[c * rows + row..c * rows + end];
                for (r, out) in out.iter_mut().enumerate() {
                    *out = src[(row + r) * src_stride + c];
                }
            }
        }
    }
}

/// `[cols, rows]` from `src [rows, cols]`, on all threads.
pub(super) fn transposed<T: Element>(src: &[T], rows: usize, cols: usize) -> Vec<T> {
    fill_chunks(rows * cols, rows * TILE, |index, out| {
        let first = index * TILE;
        transpose_strided(&src[first.min(src.len())..], cols, out, rows, out.len() / rows.max(1));
    })
}
