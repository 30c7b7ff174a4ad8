//! Transformed weights, as right factors of the products.

use pulp::{Simd, WithSimd};

use super::Tiling;
use super::tiles::unrolled;
use super::transform::{By, Filter, both_ways};
use crate::buffer::Aligned;
use crate::conv::transpose::{transposed, transposed_taps};
use crate::element::Element;
use crate::panels::Panels;
use crate::product::native_panel_width;
use crate::simd::{Lanes, dispatch};

/// The `n²` matrices `U` or `Uᵀ`: panel after panel, in each the positions one after another.
pub(super) struct Weights<T> {
    data: Aligned<T>,
    rows: usize,
    cols: usize,
    width: usize,
    positions: usize,
}

impl<T: Element> Weights<T> {
    /// The matrix of one position.
    #[inline(always)]
    pub(super) fn position(&self, position: usize) -> Panels<'_, T> {
        let matrix = self.rows * self.width;
        Panels {
            data: &self.data[position * matrix..],
            rows: self.rows,
            cols: self.cols,
            width: self.width,
            row_stride: self.width,
            stride: self.positions * matrix,
        }
    }
}

impl<X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> Tiling<X, N, R, M> {
    /// `U`, `[s²·C_large × C_small]`, from `weight` `[C_small, C_large, kh, kw]`.
    pub(super) fn weights<T: Element>(&self, weight: &[T]) -> Weights<T> {
        let (c_small, patch_len) = (self.shape.small.channels, self.shape.patch_len());
        // Taps of one large channel, each a row of small channels: [C_large·kh·kw, C_small].
        let taps = transposed(weight, c_small, patch_len);
        let source = |row: usize, col: usize, tap: usize| {
            let (phase, channel) =
                (row / self.shape.large.channels, row % self.shape.large.channels);
            Some((channel * self.shape.taps() + self.tap(phase, tap)?) * c_small + col)
        };
        self.transform(&taps, self.inner(), c_small, source)
    }

    /// `Uᵀ`, `[C_small × s²·C_large]`.
    pub(super) fn transposed_weights<T: Element>(&self, weight: &[T]) -> Weights<T> {
        let (c_small, c_large) = (self.shape.small.channels, self.shape.large.channels);
        let n_taps = self.shape.taps();
        let taps = transposed_taps(weight, c_small, c_large, n_taps); // [C_small, kh·kw, C_large]
        let source = |row: usize, col: usize, tap: usize| {
            let (phase, channel) = (col / c_large, col % c_large);
            Some((row * n_taps + self.tap(phase, tap)?) * c_large + channel)
        };
        self.transform(&taps, c_small, self.inner(), source)
    }

    /// Index in a kernel of tap `tap` (of `r × r`) of a phase, if the kernel reaches it.
    #[inline(always)]
    pub(super) fn tap(&self, phase: usize, tap: usize) -> Option<usize> {
        let (py, px) = self.phase_offset(phase);
        let (y, x) = (tap / R * self.stride + py, tap % R * self.stride + px);
        let (height, width) = self.shape.kernel;
        (y < height && x < width).then_some(y * width + x)
    }

    /// `[rows × cols]` for every position, where the vector of taps `tap` at `(row, col)` begins at
    /// `source(row, col, tap)`; a tap without source is zero.
    fn transform<T: Element>(
        &self,
        taps: &[T],
        rows: usize,
        cols: usize,
        source: impl Fn(usize, usize, usize) -> Option<usize> + Sync,
    ) -> Weights<T> {
        let width = native_panel_width::<T>();
        let positions = N * N;
        let panel_len = positions * rows * width;
        let data =
            Aligned::fill_chunks(cols.div_ceil(width) * panel_len, panel_len, |panel, out| {
                let cols = panel * width..cols.min((panel + 1) * width);
                dispatch(TransformPanel::<_, _, X, N, R, M> {
                    taps,
                    rows,
                    cols,
                    width,
                    source: &source,
                    out,
                    filter: std::marker::PhantomData,
                });
            });
        Weights { data, rows, cols, width, positions }
    }
}

/// One panel of [`Tiling::transform`].
struct TransformPanel<'a, T, F, X, const N: usize, const R: usize, const M: usize> {
    taps: &'a [T],
    rows: usize,
    cols: std::ops::Range<usize>,
    width: usize,
    source: &'a F,
    out: &'a mut [T],
    filter: std::marker::PhantomData<X>,
}

impl<T, F, X, const N: usize, const R: usize, const M: usize> WithSimd
    for TransformPanel<'_, T, F, X, N, R, M>
where
    T: Element,
    F: Fn(usize, usize, usize) -> Option<usize>,
    X: Filter<N, R, M>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = <T as Lanes>::lanes::<S>();
        let matrix = self.rows * self.width;
        let first = self.cols.start;
        for row in 0..self.rows {
            for col in self.cols.clone().step_by(lanes) {
                let mut g = [[T::splat(simd, T::zero()); R]; R];
                for (tap, g) in g.as_flattened_mut().iter_mut().enumerate() {
                    let Some(at) = (self.source)(row, col, tap) else { continue };
                    let from = &self.taps[at..][..lanes];
                    // SAFETY: `from` is as long as a vector.
                    #[allow(unsafe_code)]
                    unsafe {
                        *g = T::load::<S>(from.as_ptr());
                    }
                }
                let u = both_ways!(By(simd), g, X::taps::<S, T>, R => N);
                for (position, &u) in u.as_flattened().iter().enumerate() {
                    let at = position * matrix + row * self.width + (col - first);
                    let to = &mut self.out[at..][..lanes];
                    // SAFETY: `to` is as long as a vector.
                    #[allow(unsafe_code)]
                    unsafe {
                        T::store::<S>(to.as_mut_ptr(), u);
                    }
                }
            }
        }
    }
}
