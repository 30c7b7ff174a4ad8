//! The gradient for the input, and the transposed convolution: `x = B (D·Uᵀ) Bᵀ`.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::tiles::{load, load_positions, store, store_positions, unrolled};
use super::transform::{By, Filter, both_ways};
use super::weights::Weights;
use super::{Target, Tiling, Transformed};
use crate::buffer::{fill_chunks, with_scratches};
use crate::element::Element;
use crate::product::{Left, multiply, native_panel_width};
use crate::simd::{Lanes, dispatch};

impl<X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> Tiling<X, N, R, M> {
    /// Large images from small ones.
    pub(super) fn input_grad<T: Element>(&self, small: &[T], weight: &[T]) -> Vec<T> {
        let weights = self.transposed_weights(weight);
        let (group_len, width) = (self.group_len(), native_panel_width::<T>());
        let (small_len, large_len) = (self.shape.small.len(), self.shape.large.len());
        fill_chunks(self.shape.batch * large_len, group_len * large_len, |group, large| {
            let n_images = large.len() / large_len;
            let small = &small[group * group_len * small_len..][..n_images * small_len];
            let rows = self.most_tiles(n_images);
            let d = Transformed { rows, cols: self.shape.small.channels, width };
            let v = Transformed { rows, cols: self.inner(), width };
            let lens = [d.len(N * N), v.len(N * N), self.pixel_len()];
            with_scratches(lens, |mut scratch| {
                for tiles in self.blocks(n_images) {
                    let (d, v) = (d.with_rows(tiles.len()), v.with_rows(tiles.len()));
                    let [d_data, v_data, outside] = scratch.each_mut().map(|data| &mut **data);
                    let scratch =
                        [&mut d_data[..d.len(N * N)], &mut v_data[..v.len(N * N)], outside];
                    let weights = &weights;
                    dispatch(Block { tiling: self, small, tiles, weights, d, v, scratch, large });
                }
            });
        })
    }

    /// `D` of some tiles of some small images.
    #[inline(always)]
    pub(super) fn transform_small<S: Simd, T: Element>(
        &self,
        simd: S,
        small: &[T],
        tiles: Range<usize>,
        to: Target<'_, T>,
    ) {
        let Target { layout: d, data: out, outside } = to;
        outside.fill(T::zero());
        let lanes = <T as Lanes>::lanes::<S>();
        let stride = d.position_stride();
        assert!(d.width.is_multiple_of(lanes));
        assert!(out.len() >= d.len(N * N) && d.cols == self.shape.small.channels);
        assert!(d.rows == tiles.len() && d.cols.is_multiple_of(lanes));
        let grid = self.small_grid();
        for (row, (image, tile)) in self.tiles(tiles).enumerate() {
            let image = &small[image * self.shape.small.len()..][..self.shape.small.len()];
            let pixels = grid.read::<T, M>(tile, image, outside);
            for channel in (0..d.cols).step_by(lanes) {
                let at = d.at(row, channel);
                // SAFETY: `pixels` are of one map, channels come in whole vectors; rows, columns and positions lie
                // within `d`, which `out` holds.
                #[allow(unsafe_code)]
                unsafe {
                    let y = load::<S, T, M>(simd, &pixels, channel);
                    let y = both_ways!(By(simd), y, X::output_transposed::<S, T>, M => N);
                    store_positions::<S, T, N>(out.as_mut_ptr().add(at), stride, (N, N), y);
                }
            }
        }
    }
}

/// Some tiles of some images, which are multiplied together.
struct Block<'a, T: Element, X, const N: usize, const R: usize, const M: usize> {
    tiling: &'a Tiling<X, N, R, M>,
    small: &'a [T],
    tiles: Range<usize>,
    weights: &'a Weights<T>,
    d: Transformed,
    v: Transformed,
    /// D, V and a pixel outside of all images.
    scratch: [&'a mut [T]; 3],
    /// The products are added to it.
    large: &'a mut [T],
}

impl<T: Element, X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> WithSimd
    for Block<'_, T, X, N, R, M>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiling, small, tiles, weights, d, v, scratch, large } = self;
        let [d_data, v_data, outside] = scratch;
        let to = Target { layout: d, data: d_data, outside };
        tiling.transform_small(simd, small, tiles.clone(), to);
        for (position, data) in v_data.chunks_exact_mut(v.position_stride()).enumerate() {
            let columns = tiling.columns_at(position, v.width);
            let left = Left::plain(d.position(d_data, position));
            let right = weights.position(position).columns(columns.clone());
            multiply(v.destination(data, columns), left, right);
        }
        let lanes = <T as Lanes>::lanes::<S>();
        let (channels, large_len) = (tiling.shape.large.channels, tiling.shape.large.len());
        assert!(v.rows == tiles.len() && v.cols == tiling.inner());
        assert!(v_data.len() >= v.len(N * N) && v.width.is_multiple_of(lanes));
        for phase in 0..tiling.phases() {
            let grid = tiling.phase_grid(phase);
            let positions = tiling.positions_of(phase);
            for (row, (image, tile)) in tiling.tiles(tiles.clone()).enumerate() {
                let image = &mut large[image * large_len..][..large_len];
                let pixels = grid.write::<_, T, N>(tile, image, outside);
                for channel in (0..channels).step_by(lanes) {
                    let at = v.at(row, phase * channels + channel);
                    // SAFETY: rows, columns and positions lie within `v`, which `v_data` holds; `pixels` are of one map.
                    #[allow(unsafe_code)]
                    unsafe {
                        let from = v_data.as_ptr().add(at);
                        let x =
                            load_positions::<S, T, N>(simd, from, v.position_stride(), positions);
                        let x = both_ways!(By(simd), x, X::input_transposed::<S, T>, N => N);
                        store::<S, T, N, true>(simd, &pixels, channel, x);
                    }
                }
            }
        }
    }
}
