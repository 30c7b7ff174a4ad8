//! Weight gradients from the parts that tasks computed.

use std::ops::Range;

use super::transpose::{SIDE, write_columns};
use crate::buffer::fill_chunks;
use crate::element::Element;

/// `0..len` in at most `count` runs of nearly equal length.
pub(super) fn runs_of(len: usize, count: usize) -> Vec<Range<usize>> {
    let count = count.clamp(1, len.max(1));
    (0..count).map(|i| i * len / count..(i + 1) * len / count).collect()
}

/// `[c_small, patch_len]` from `blocks`, each `[rows, c_small]`: first all blocks of the first run of images, then
/// those of the second, and so on. `locate(column)` is the block of a run and the row in it; runs are added in order.
pub(super) fn assemble<T: Element>(
    blocks: Vec<Vec<T>>,
    blocks_per_run: usize,
    c_small: usize,
    patch_len: usize,
    locate: impl Fn(usize) -> (usize, usize) + Sync,
) -> Vec<T> {
    fill_chunks(c_small * patch_len, SIDE * patch_len, |index, out| {
        let first = index * SIDE;
        let n_channels = out.len() / patch_len;
        let mut square = [[T::zero(); SIDE]; SIDE]; // [column of a patch][channel]
        for column in (0..patch_len).step_by(SIDE) {
            let n_columns = SIDE.min(patch_len - column);
            for (i, line) in square.iter_mut().enumerate().take(n_columns) {
                let (block, row) = locate(column + i);
                let line = &mut line[..n_channels];
                let mut runs = blocks.iter().skip(block).step_by(blocks_per_run);
                let values = row * c_small + first..row * c_small + first + n_channels;
                if let Some(block) = runs.next() {
                    line.copy_from_slice(&block[values.clone()]);
                }
                for block in runs {
                    for (sum, &value) in line.iter_mut().zip(&block[values.clone()]) {
                        *sum += value;
                    }
                }
            }
            write_columns(&square, n_columns, n_channels, &mut out[column..], patch_len);
        }
    })
}
