//! Loops over all elements of a tensor, in parallel chunks that the compiler vectorizes for the machine at hand.

use rayon::prelude::*;

use crate::activation::Pointwise;
use crate::buffer::fill_chunks;
use crate::element::Element;
use crate::simd::vectorized;

/// Elements in a chunk: 64 KiB of f32.
const CHUNK: usize = 16 * 1024;

/// `f(x)` of every element.
pub(crate) fn map<T: Element>(x: &[T], f: impl Fn(T) -> T + Sync) -> Vec<T> {
    fill_chunks(x.len(), CHUNK, |index, out| {
        let x = &x[index * CHUNK..][..out.len()];
        vectorized(
            #[inline(always)]
            || {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = f(x);
                }
            },
        );
    })
}

/// `x = f(x)`
pub(crate) fn value_in_place<T: Element>(x: &mut [T], f: impl Pointwise<T>) {
    x.par_chunks_mut(CHUNK).for_each(|x| {
        vectorized(
            #[inline(always)]
            || {
                for x in x {
                    *x = f.value(*x);
                }
            },
        );
    });
}

/// `grad *= f'`, where `y` is the value of `f`.
pub(crate) fn multiply_by_slope<T: Element>(grad: &mut [T], y: &[T], f: impl Pointwise<T>) {
    update(grad, y, |grad, y| grad * f.slope(y));
}

/// `x *= factor`
pub(crate) fn multiply_in_place<T: Element>(x: &mut [T], factor: &[T]) {
    update(x, factor, |x, factor| x * factor);
}

/// `sum += more`
pub(crate) fn add_in_place<T: Element>(sum: &mut [T], more: &[T]) {
    update(sum, more, |sum, more| sum + more);
}

/// `x = f(x, y)`
pub(crate) fn update<T: Element>(x: &mut [T], y: &[T], f: impl Fn(T, T) -> T + Sync) {
    x.par_chunks_mut(CHUNK).zip(y.par_chunks(CHUNK)).for_each(|(x, y)| {
        vectorized(
            #[inline(always)]
            || {
                for (x, &y) in x.iter_mut().zip(y) {
                    *x = f(*x, y);
                }
            },
        );
    });
}
