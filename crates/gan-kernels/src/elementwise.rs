//! Loops over all elements of a tensor, in parallel chunks that the compiler vectorizes for the machine at hand.

use crate::buffer::fill_chunks;
use crate::element::Element;

/// Elements in a chunk: 64 KiB of f32.
const CHUNK: usize = 16 * 1024;

/// `f(x)` of every element.
pub(crate) fn map<T: Element>(x: &[T], f: impl Fn(T) -> T + Sync) -> Vec<T> {
    fill_chunks(x.len(), CHUNK, |index, out| {
        let x = &x[index * CHUNK..][..out.len()];
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = f(x);
                }
            },
        );
    })
}

/// `f(x, y, z)` of every three elements.
pub(crate) fn map3<T: Element>(
    x: &[T],
    y: &[T],
    z: &[T],
    f: impl Fn(T, T, T) -> T + Sync,
) -> Vec<T> {
    fill_chunks(x.len(), CHUNK, |index, out| {
        let start = index * CHUNK;
        let (x, y, z) = (&x[start..], &y[start..], &z[start..]);
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (((out, &x), &y), &z) in out.iter_mut().zip(x).zip(y).zip(z) {
                    *out = f(x, y, z);
                }
            },
        );
    })
}
