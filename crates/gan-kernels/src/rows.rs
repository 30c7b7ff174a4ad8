//! Matrices `[rows, channels]`: sums over the rows, and what every row gets alike.

use std::ops::Range;

use rayon::prelude::*;

use crate::buffer::with_scratch;
use crate::element::Element;
use crate::simd::vectorized;

/// Elements that one task takes at least.
const CHUNK: usize = 16 * 1024;

/// Rows of a chunk, at least one.
pub(crate) fn rows_per_chunk(channels: usize) -> usize {
    (CHUNK / channels.max(1)).max(1)
}

/// For each channel the `K` sums that `add(rows, sums)` adds to `sums` `[K, channels]`, over all rows.
///
/// Within 32 rows sums are taken in `T`, beyond in f64, in an order that depends on the sizes alone.
pub(crate) fn sum_rows<T: Element, const K: usize>(
    n_rows: usize,
    channels: usize,
    add: impl Fn(Range<usize>, &mut [T]) + Sync,
) -> Vec<[f64; K]> {
    const ROWS: usize = 32;
    const TASKS: usize = 64;
    let rows_per_task = n_rows.div_ceil(TASKS).max(rows_per_chunk(channels));
    let partial: Vec<Vec<[f64; K]>> = (0..n_rows.div_ceil(rows_per_task))
        .into_par_iter()
        .map(|task| {
            let end = n_rows.min((task + 1) * rows_per_task);
            let mut totals = vec![[0.0; K]; channels];
            with_scratch(K * channels, |sums: &mut [T]| {
                for first in (task * rows_per_task..end).step_by(ROWS) {
                    sums.fill(T::zero());
                    add(first..end.min(first + ROWS), sums);
                    for (k, sums) in sums.chunks_exact(channels).enumerate() {
                        for (total, sum) in totals.iter_mut().zip(sums) {
                            total[k] += sum.to_f64();
                        }
                    }
                }
            });
            totals
        })
        .collect();
    let mut totals = vec![[0.0; K]; channels];
    for partial in partial {
        for (total, partial) in totals.iter_mut().zip(partial) {
            for k in 0..K {
                total[k] += partial[k];
            }
        }
    }
    totals
}

/// The sum of each column of `x` `[rows, channels]`.
pub(crate) fn column_sums<T: Element>(x: &[T], channels: usize) -> Vec<f64> {
    let sums = sum_rows::<T, 1>(x.len() / channels, channels, |rows, sums| {
        vectorized(
            #[inline(always)]
            || {
                for row in x[rows.start * channels..rows.end * channels].chunks_exact(channels) {
                    for (sum, &x) in sums.iter_mut().zip(row) {
                        *sum += x;
                    }
                }
            },
        );
    });
    sums.into_iter().map(|[sum]| sum).collect()
}

/// Adds `row` to every row of `x`.
pub(crate) fn add_row<T: Element>(x: &mut [T], row: &[T]) {
    x.par_chunks_mut(rows_per_chunk(row.len()) * row.len()).for_each(|x| {
        vectorized(
            #[inline(always)]
            || {
                for x in x.chunks_exact_mut(row.len()) {
                    for (x, &value) in x.iter_mut().zip(row) {
                        *x += value;
                    }
                }
            },
        );
    });
}
