//! The gradient for the weight: `w = Gᵀ (Vᵀ·D) G`.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::tiles::{load_positions, unrolled};
use super::transform::{By, Filter, both_ways};
use super::{BLOCK_TILES, CHANNEL_BLOCK, Target, Tiling, Transformed};
use crate::buffer::{Aligned, with_scratch, with_scratches};
use crate::conv::assemble::{assemble, runs_of};
use crate::element::Element;
use crate::panels::Panels;
use crate::product::{Destination, Left, multiply, native_panel_width};
use crate::simd::{Lanes, dispatch};

impl<X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> Tiling<X, N, R, M> {
    /// `[C_small, C_large, kh, kw]`, summed over the batch.
    ///
    /// A task takes a block of large channels and a run of images. How many of either depends on the shape alone, and
    /// the runs are added in order, so that the bits do not depend on the number of threads.
    pub(super) fn weight_grad<T: Element>(&self, large: &[T], small: &[T]) -> Vec<T> {
        const TASKS: usize = 16;
        let shape = &self.shape;
        let plan = self.plan();
        let groups: Vec<Range<usize>> = (0..shape.batch)
            .step_by(plan.group_len)
            .map(|start| start..(start + plan.group_len).min(shape.batch))
            .collect();
        let n_blocks = shape.large.channels.div_ceil(plan.block_len);
        // Several blocks share the transformed gradients; a single one makes its own, which then stay in the cache.
        let group_d = |group: usize, out: &mut [T]| {
            let images = &groups[group];
            let small = &small[images.start * shape.small.len()..images.end * shape.small.len()];
            let d = self.d_of::<T>(images.len());
            with_scratch(self.pixel_len(), |outside| {
                let out = &mut out[..d.len(N * N)];
                dispatch(TransformSmall { tiling: self, small, d, out, outside });
            });
        };
        let d_len = self.d_of::<T>(plan.group_len).len(N * N);
        let all_d =
            (n_blocks > 1).then(|| Aligned::fill_chunks(groups.len() * d_len, d_len, group_d));

        let runs = runs_of(groups.len(), TASKS.div_ceil(n_blocks));
        let tasks: Vec<(usize, &Range<usize>)> =
            runs.iter().flat_map(|run| (0..n_blocks).map(move |block| (block, run))).collect();
        let blocks: Vec<Vec<T>> = tasks
            .par_iter()
            .map(|&(block, run)| {
                let end = shape.large.channels.min((block + 1) * plan.block_len);
                let channels = block * plan.block_len..end;
                self.block(large, channels, run.clone(), &groups, |group, body| match &all_d {
                    Some(all_d) => body(&all_d[group * d_len..][..d_len]),
                    None => with_scratch(d_len, |d_data| {
                        group_d(group, d_data);
                        body(d_data);
                    }),
                })
            })
            .collect();
        let block_rows = plan.block_len * shape.taps();
        assemble(blocks, n_blocks, shape.small.channels, shape.patch_len(), |column| {
            (column / block_rows, column % block_rows)
        })
    }

    /// How the work is cut: a task's transformed tiles and its products, of all positions, stay in the cache together.
    fn plan(&self) -> Plan {
        /// Products of all positions and channels up to which a task takes all channels: 1.2 MB in `f32`.
        const MOST_PRODUCTS: usize = 300_000;
        let channels = self.shape.large.channels;
        let whole = N * N * self.inner() * self.shape.small.channels <= MOST_PRODUCTS;
        let (block_len, tiles) = if whole {
            (channels, BLOCK_TILES / 2)
        } else {
            ((4 * CHANNEL_BLOCK / self.phases()).min(channels), BLOCK_TILES)
        };
        let group_len = (tiles / self.tiles_per_image()).clamp(1, self.shape.batch);
        Plan { block_len, group_len }
    }

    /// The layout of `D` of some images.
    fn d_of<T: Element>(&self, n_images: usize) -> Transformed {
        Transformed {
            rows: n_images * self.tiles_per_image(),
            cols: self.shape.small.channels,
            width: native_panel_width::<T>(),
        }
    }

    /// `[taps of the channels, C_small]`, summed over a run of groups of images, whose `D` `with_d` lends.
    fn block<T: Element>(
        &self,
        large: &[T],
        channels: Range<usize>,
        run: Range<usize>,
        groups: &[Range<usize>],
        with_d: impl Fn(usize, &mut dyn FnMut(&[T])),
    ) -> Vec<T> {
        let rows = self.phases() * channels.len();
        let c_small = self.shape.small.channels;
        let large_len = self.shape.large.len();
        let mut taps = vec![T::zero(); channels.len() * self.shape.taps() * c_small];
        with_scratch(N * N * rows * c_small, |products| {
            for group in run.clone() {
                let images = &groups[group];
                let d = self.d_of::<T>(images.len());
                let v = Transformed { rows: d.rows, cols: rows, width: rows };
                with_d(group, &mut |d_data| {
                    with_scratches([v.len(N * N), self.pixel_len()], |[v_data, outside]| {
                        dispatch(Group {
                            tiling: self,
                            large: &large[images.start * large_len..images.end * large_len],
                            channels: channels.clone(),
                            v,
                            v_data,
                            outside,
                            d,
                            d_data,
                            products,
                            add: group > run.start,
                        });
                    });
                });
            }
            dispatch(Taps { tiling: self, channels: channels.len(), products, taps: &mut taps });
        });
        taps
    }
}

/// How a weight gradient is cut into tasks.
struct Plan {
    /// Large channels of a task.
    block_len: usize,
    /// Images whose tiles are multiplied together.
    group_len: usize,
}

/// `D` of some images.
struct TransformSmall<'a, T, X, const N: usize, const R: usize, const M: usize> {
    tiling: &'a Tiling<X, N, R, M>,
    small: &'a [T],
    d: Transformed,
    out: &'a mut [T],
    outside: &'a mut [T],
}

impl<T: Element, X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> WithSimd
    for TransformSmall<'_, T, X, N, R, M>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let tiles = 0..self.d.rows;
        let to = Target { layout: self.d, data: self.out, outside: self.outside };
        self.tiling.transform_small(simd, self.small, tiles, to);
    }
}

/// `products (+)= Vᵀ·D` of some images and channels, `[n²][s²·channels, C_small]`.
struct Group<'a, T, X, const N: usize, const R: usize, const M: usize> {
    tiling: &'a Tiling<X, N, R, M>,
    large: &'a [T],
    channels: Range<usize>,
    v: Transformed,
    v_data: &'a mut [T],
    outside: &'a mut [T],
    d: Transformed,
    d_data: &'a [T],
    products: &'a mut [T],
    add: bool,
}

impl<T: Element, X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> WithSimd
    for Group<'_, T, X, N, R, M>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiling, v, v_data, d, .. } = self;
        let n_channels = self.channels.len();
        let to = Target { layout: v, data: &mut *v_data, outside: self.outside };
        tiling.transform_large(simd, self.large, 0..v.rows, self.channels, true, to);
        let matrix = v.cols * d.cols;
        for (position, data) in self.products.chunks_exact_mut(matrix).enumerate() {
            let phases = tiling.phases_at(position);
            let rows = phases.start * n_channels..phases.end * n_channels;
            let right = d.position(self.d_data, position);
            let data = &mut data[rows.start * d.cols..rows.end * d.cols];
            let left = Panels {
                cols: rows.len(),
                ..v.position(v_data, position).skip_columns(rows.start)
            };
            let dst = Destination::row_major(data, right, self.add);
            multiply(dst, Left::transposed(left), right);
        }
    }
}

/// `taps = Gᵀ products G`, `[channels·kh·kw, C_small]`.
struct Taps<'a, T, X, const N: usize, const R: usize, const M: usize> {
    tiling: &'a Tiling<X, N, R, M>,
    channels: usize,
    products: &'a [T],
    taps: &'a mut [T],
}

impl<T: Element, X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> WithSimd
    for Taps<'_, T, X, N, R, M>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = <T as Lanes>::lanes::<S>();
        let tiling = self.tiling;
        let c_small = tiling.shape.small.channels;
        let matrix = tiling.phases() * self.channels * c_small;
        for row in 0..tiling.phases() * self.channels {
            let (phase, channel) = (row / self.channels, row % self.channels);
            let positions = tiling.positions_of(phase);
            for col in (0..c_small).step_by(lanes) {
                let from = &self.products[row * c_small + col..];
                assert!(from.len() >= (N * N - 1) * matrix + lanes);
                // SAFETY: the last position's vector ends within `from`.
                #[allow(unsafe_code)]
                let products =
                    unsafe { load_positions::<S, T, N>(simd, from.as_ptr(), matrix, positions) };
                let g = both_ways!(By(simd), products, X::taps_transposed::<S, T>, N => R);
                for (tap, &g) in g.as_flattened().iter().enumerate() {
                    let Some(tap) = tiling.tap(phase, tap) else { continue };
                    let tap = channel * tiling.shape.taps() + tap;
                    let to = &mut self.taps[tap * c_small + col..][..lanes];
                    // SAFETY: `to` is as long as a vector.
                    #[allow(unsafe_code)]
                    unsafe {
                        T::store::<S>(to.as_mut_ptr(), g);
                    }
                }
            }
        }
    }
}
