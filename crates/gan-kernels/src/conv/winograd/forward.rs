//! The convolution: `y = Aᵀ (V·U) A`.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::tiles::{load, load_positions, store, store_positions, unrolled};
use super::transform::{By, Filter, both_ways};
use super::weights::Weights;
use super::{Target, Tiling, Transformed};
use crate::buffer::{with_scratches, write_chunks};
use crate::element::Element;
use crate::product::{Left, multiply, native_panel_width};
use crate::simd::{Lanes, dispatch};

impl<X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> Tiling<X, N, R, M> {
    /// Small images from large ones.
    pub(super) fn forward<T: Element>(&self, large: &[T], weight: &[T]) -> Vec<T> {
        let weights = self.weights(weight);
        let (group_len, width) = (self.group_len(), native_panel_width::<T>());
        let (small_len, large_len) = (self.shape.small.len(), self.shape.large.len());
        write_chunks(self.shape.batch * small_len, group_len * small_len, |group, small| {
            let n_images = small.len() / small_len;
            let large = &large[group * group_len * large_len..][..n_images * large_len];
            let rows = self.most_tiles(n_images);
            let v = Transformed { rows, cols: self.inner(), width };
            let m = Transformed { rows, cols: self.shape.small.channels, width };
            let lens = [v.len(N * N), m.len(N * N), self.pixel_len()];
            with_scratches(lens, |mut scratch| {
                for tiles in self.blocks(n_images) {
                    let (v, m) = (v.with_rows(tiles.len()), m.with_rows(tiles.len()));
                    let [v_data, m_data, outside] = scratch.each_mut().map(|data| &mut **data);
                    let scratch =
                        [&mut v_data[..v.len(N * N)], &mut m_data[..m.len(N * N)], outside];
                    let weights = &weights;
                    let small = &mut *small;
                    dispatch(Block { tiling: self, large, tiles, weights, v, m, scratch, small });
                }
            });
            // SAFETY: every pixel is in a tile, and the tiles of all blocks were written, all their channels.
            #[allow(unsafe_code)]
            unsafe {
                small.assume_init_mut()
            }
        })
    }

    /// `V` of some tiles of some images: the channels `channels`, all phases.
    ///
    /// Positions at which a phase has no products are left out where products take V `by_column`. Where they take whole
    /// panels, what fills a panel beside a phase's channels is multiplied by weights of zero, and has to be a number.
    #[inline(always)]
    pub(super) fn transform_large<S: Simd, T: Element>(
        &self,
        simd: S,
        large: &[T],
        tiles: Range<usize>,
        channels: Range<usize>,
        by_column: bool,
        to: Target<'_, T>,
    ) {
        let Target { layout: v, data: out, outside } = to;
        outside.fill(T::zero());
        let lanes = <T as Lanes>::lanes::<S>();
        let stride = v.position_stride();
        assert!(v.width.is_multiple_of(lanes));
        assert!(out.len() >= v.len(N * N) && channels.end <= self.shape.large.channels);
        assert!(v.rows == tiles.len() && v.cols == self.phases() * channels.len());
        assert!(channels.len().is_multiple_of(lanes));
        for phase in 0..self.phases() {
            let grid = self.phase_grid(phase);
            let positions = if by_column || channels.len().is_multiple_of(v.width) {
                self.positions_of(phase)
            } else {
                (N, N)
            };
            for (row, (image, tile)) in self.tiles(tiles.clone()).enumerate() {
                let image = &large[image * self.shape.large.len()..][..self.shape.large.len()];
                let pixels = grid.read::<T, N>(tile, image, outside);
                for (i, channel) in channels.clone().step_by(lanes).enumerate() {
                    let at = v.at(row, phase * channels.len() + i * lanes);
                    // SAFETY: `pixels` are of one map, `channel` begins a vector within `channels`; rows, columns and
                    // positions lie within `v`, which `out` holds.
                    #[allow(unsafe_code)]
                    unsafe {
                        let d = load::<S, T, N>(simd, &pixels, channel);
                        let d = both_ways!(By(simd), d, X::input::<S, T>, N => N);
                        store_positions::<S, T, N>(out.as_mut_ptr().add(at), stride, positions, d);
                    }
                }
            }
        }
    }
}

/// Some tiles of some images, which are multiplied together.
struct Block<'a, T: Element, X, const N: usize, const R: usize, const M: usize> {
    tiling: &'a Tiling<X, N, R, M>,
    large: &'a [T],
    tiles: Range<usize>,
    weights: &'a Weights<T>,
    v: Transformed,
    m: Transformed,
    /// V, M and a pixel outside of all images.
    scratch: [&'a mut [T]; 3],
    small: &'a mut [MaybeUninit<T>],
}

impl<T: Element, X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> WithSimd
    for Block<'_, T, X, N, R, M>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiling, large, tiles, weights, v, m, scratch, small } = self;
        let [v_data, m_data, outside] = scratch;
        let channels = 0..tiling.shape.large.channels;
        let to = Target { layout: v, data: v_data, outside };
        tiling.transform_large(simd, large, tiles.clone(), channels, false, to);
        for (position, data) in m_data.chunks_exact_mut(m.position_stride()).enumerate() {
            let inner = tiling.columns_at(position, v.width);
            let left = Left::plain(v.position(v_data, position).columns(inner.clone()));
            let right = weights.position(position).rows(inner);
            multiply(m.destination(data, 0..m.cols), left, right);
        }
        let lanes = <T as Lanes>::lanes::<S>();
        let grid = tiling.small_grid();
        let small_len = tiling.shape.small.len();
        assert!(m.rows == tiles.len() && m.cols == tiling.shape.small.channels);
        assert!(m_data.len() >= m.len(N * N) && m.width.is_multiple_of(lanes));
        for (row, (image, tile)) in tiling.tiles(tiles).enumerate() {
            let image = &mut small[image * small_len..][..small_len];
            let pixels = grid.write::<_, T, M>(tile, image, outside);
            for channel in (0..m.cols).step_by(lanes) {
                // SAFETY: rows, channels and positions lie within `m`, which `m_data` holds; `pixels` are of one map.
                #[allow(unsafe_code)]
                unsafe {
                    let from = m_data.as_ptr().add(m.at(row, channel));
                    let products =
                        load_positions::<S, T, N>(simd, from, m.position_stride(), (N, N));
                    let y = both_ways!(By(simd), products, X::output::<S, T>, N => M);
                    store::<S, T, M, false>(simd, &pixels, channel, y);
                }
            }
        }
    }
}
