//! Convolutions by minimal filtering (Winograd 1980; Lavin & Gray 2016, <https://arxiv.org/abs/1509.09308>), in all
//! three passes, on images `[N, H, W, C]`.
//!
//! A convolution of stride `s` with an `s·r × s·r` kernel is the sum of `s²` convolutions of stride 1 with `r × r` taps,
//! one for each phase `(y mod s, x mod s)` of its input: a 4×4 kernel of stride 2 is a 2×2 one over four times the
//! channels. With F(m, r) in both directions a tile of `m × m` outputs then takes `n² = (m + r − 1)²` products instead
//! of `m²·r²`, and the products of all tiles, channels and phases are `n²` matrix products:
//!
//! ```text
//! V = Bᵀ x B  [n²][tiles × s²·C_large]    U = G w Gᵀ  [n²][s²·C_large × C_small]    D = A y Aᵀ  [n²][tiles × C_small]
//! forward          y = Aᵀ (V·U) A
//! input gradient   x = B (D·Uᵀ) Bᵀ
//! weight gradient  w = Gᵀ (Vᵀ·D) G
//! ```
//!
//! A kernel of an odd side has at stride 2 phases with a tap fewer. The last row and the last column of a tile multiply
//! the last tap alone, so that such phases have no products there: 25 a tile and channel instead of 36 for 3×3, 49
//! instead of 64 for 5×5.

mod forward;
mod input_grad;
mod tiles;
mod transform;
mod weight_grad;
mod weights;

use std::marker::PhantomData;
use std::ops::Range;

use self::tiles::Grid;
use self::transform::{F2x2, F2x3, Filter};
use super::shape::ConvShape;
use crate::element::Element;
use crate::panels::Panels;
use crate::product::Destination;

/// Channels are taken in blocks of this many, on every instruction set.
const CHANNEL_BLOCK: usize = 16;
/// Tiles that are multiplied together.
const BLOCK_TILES: usize = 128;

/// A filtering algorithm that computes a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// F(2, 2), kernels of 2·stride; 3×3 at stride 2.
    F2x2,
    /// F(2, 3), kernels of 3·stride; 5×5 at stride 2.
    F2x3,
}

impl Algorithm {
    /// Whether it computes this convolution, with fewer products than there are taps: square kernels of as many taps a
    /// phase or one fewer, channels in whole blocks.
    pub(super) fn computes(self, shape: &ConvShape) -> bool {
        let (taps, m) = match self {
            Self::F2x2 => (2, 2),
            Self::F2x3 => (3, 2),
        };
        let (stride, kernel) = (shape.geometry.stride.0, shape.kernel.0);
        let fewer_products = stride * (m - 1) + kernel < kernel * m;
        shape.geometry.stride == (stride, stride)
            && matches!(stride, 1 | 2)
            && shape.kernel == (kernel, kernel)
            && kernel.div_ceil(stride) == taps
            && fewer_products
            && shape.large.channels.is_multiple_of(CHANNEL_BLOCK)
            && shape.small.channels.is_multiple_of(CHANNEL_BLOCK)
    }

    /// Small images `[N, H, W, C]` from large ones.
    pub(super) fn forward<T: Element>(
        self,
        shape: &ConvShape,
        large: &[T],
        weight: &[T],
    ) -> Vec<T> {
        with_tiling!(self, shape, tiling => tiling.forward(large, weight))
    }

    /// Large images `[N, H, W, C]` from small ones.
    pub(super) fn input_grad<T: Element>(
        self,
        shape: &ConvShape,
        small: &[T],
        weight: &[T],
    ) -> Vec<T> {
        with_tiling!(self, shape, tiling => tiling.input_grad(small, weight))
    }

    /// The weight's gradient, `[C_small, C_large, kh, kw]`.
    pub(super) fn weight_grad<T: Element>(
        self,
        shape: &ConvShape,
        large: &[T],
        small: &[T],
    ) -> Vec<T> {
        with_tiling!(self, shape, tiling => tiling.weight_grad(large, small))
    }
}

/// Runs `$body` with `$tiling` bound to the [`Tiling`] of `$shape` for `$algorithm`.
macro_rules! with_tiling {
    ($algorithm:expr, $shape:expr, $tiling:ident => $body:expr) => {
        match $algorithm {
            Algorithm::F2x2 => {
                let $tiling = Tiling::<F2x2, 3, 2, 2>::new($shape);
                $body
            }
            Algorithm::F2x3 => {
                let $tiling = Tiling::<F2x3, 4, 3, 2>::new($shape);
                $body
            }
        }
    };
}
use with_tiling;

/// A convolution cut into tiles for one filtering algorithm.
struct Tiling<X, const N: usize, const R: usize, const M: usize> {
    shape: ConvShape,
    /// Stride, which is the number of phases in either direction.
    stride: usize,
    /// Tiles down and across an image.
    tiles: (usize, usize),
    filter: PhantomData<X>,
}

impl<X: Filter<N, R, M>, const N: usize, const R: usize, const M: usize> Tiling<X, N, R, M> {
    fn new(shape: &ConvShape) -> Self {
        let tiles = (shape.small.height.div_ceil(M), shape.small.width.div_ceil(M));
        Self { shape: *shape, stride: shape.geometry.stride.0, tiles, filter: PhantomData }
    }

    fn phases(&self) -> usize {
        self.stride * self.stride
    }

    /// Pixels from the origin of the large image to that of a phase: the phases whose kernels have all their taps down,
    /// or across, come one after another.
    #[inline(always)]
    fn phase_offset(&self, phase: usize) -> (usize, usize) {
        match self.stride {
            1 => (0, 0),
            _ => [(0, 1), (0, 0), (1, 0), (1, 1)][phase],
        }
    }

    /// Whether phases have a tap fewer.
    #[inline(always)]
    fn is_odd(&self) -> bool {
        !self.shape.kernel.0.is_multiple_of(self.stride)
    }

    /// Positions down and across at which a phase has products.
    #[inline(always)]
    fn positions_of(&self, phase: usize) -> (usize, usize) {
        let (py, px) = self.phase_offset(phase);
        let fewer = |offset: usize| usize::from(self.is_odd() && offset > 0);
        (N - fewer(py), N - fewer(px))
    }

    /// Phases that have products at a position.
    #[inline(always)]
    fn phases_at(&self, position: usize) -> Range<usize> {
        let is_last = |index| index == N - 1 && self.is_odd();
        match (is_last(position / N), is_last(position % N)) {
            (false, false) => 0..self.phases(),
            (true, false) => 0..2,
            (false, true) => 1..3,
            (true, true) => 1..2,
        }
    }

    /// Columns of V that have products at a position, and further ones to fill panels of `width`.
    #[inline(always)]
    fn columns_at(&self, position: usize, width: usize) -> Range<usize> {
        let (phases, channels) = (self.phases_at(position), self.shape.large.channels);
        let end = (phases.end * channels).next_multiple_of(width).min(self.inner());
        phases.start * channels / width * width..end
    }

    /// Columns of V: the channels of all phases.
    fn inner(&self) -> usize {
        self.phases() * self.shape.large.channels
    }

    fn tiles_per_image(&self) -> usize {
        self.tiles.0 * self.tiles.1
    }

    /// `(image, (ty, tx))` of some tiles, which are counted through the images.
    #[inline(always)]
    fn tiles(
        &self,
        tiles: Range<usize>,
    ) -> impl Iterator<Item = (usize, (usize, usize))> + use<X, N, R, M> {
        let (per_image, across) = (self.tiles_per_image(), self.tiles.1);
        tiles.map(move |tile| {
            let (image, tile) = (tile / per_image, tile % per_image);
            (image, (tile / across, tile % across))
        })
    }

    /// Where the tiles of one phase read the large image.
    fn phase_grid(&self, phase: usize) -> Grid {
        let (py, px) = self.phase_offset(phase);
        let padding = self.shape.geometry.padding;
        Grid {
            map: self.shape.large,
            step: self.stride,
            tile_step: self.stride * M,
            origin: (py as isize - padding.0 as isize, px as isize - padding.1 as isize),
        }
    }

    /// Where the tiles lie on the small image.
    fn small_grid(&self) -> Grid {
        Grid { map: self.shape.small, step: 1, tile_step: M, origin: (0, 0) }
    }

    /// Elements of the longest pixel.
    fn pixel_len(&self) -> usize {
        self.shape.large.channels.max(self.shape.small.channels)
    }

    /// Images that one task takes: some tiles, and work for every thread.
    fn group_len(&self) -> usize {
        let per_thread = self.shape.batch.div_ceil(rayon::current_num_threads());
        (BLOCK_TILES / self.tiles_per_image().max(1)).clamp(1, per_thread.max(1))
    }

    /// Cuts the tiles of some images into blocks of nearly equal size that are multiplied together.
    fn blocks(&self, n_images: usize) -> impl Iterator<Item = Range<usize>> + use<X, N, R, M> {
        let n_tiles = n_images * self.tiles_per_image();
        let n_blocks = n_tiles.div_ceil(BLOCK_TILES);
        (0..n_blocks).map(move |i| i * n_tiles / n_blocks..(i + 1) * n_tiles / n_blocks)
    }

    /// The most tiles that a block of [`Self::blocks`] has.
    fn most_tiles(&self, n_images: usize) -> usize {
        let n_tiles = n_images * self.tiles_per_image();
        n_tiles.div_ceil(n_tiles.div_ceil(BLOCK_TILES).max(1))
    }
}

/// Where transformed tiles go.
struct Target<'a, T> {
    layout: Transformed,
    data: &'a mut [T],
    /// A pixel outside of all images, which becomes zero.
    outside: &'a mut [T],
}

/// The layout of `n²` transformed matrices, one for each position in a tile.
#[derive(Clone, Copy)]
struct Transformed {
    rows: usize,
    cols: usize,
    width: usize,
}

impl Transformed {
    /// Elements from a position to the next. The cache line (of `f32`) at its end keeps the positions of one tile,
    /// which are written together, out of the same cache set.
    fn position_stride(&self) -> usize {
        self.cols.div_ceil(self.width) * self.rows * self.width + 16
    }

    /// The same for another number of rows.
    fn with_rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    fn len(&self, positions: usize) -> usize {
        positions * self.position_stride()
    }

    /// Index of an element of position 0.
    #[inline(always)]
    fn at(&self, row: usize, col: usize) -> usize {
        (col / self.width * self.rows + row) * self.width + col % self.width
    }

    /// Some columns of the matrix of one position, whole panels, as the destination of a product.
    #[inline(always)]
    fn destination<'a, T: Element>(
        &self,
        data: &'a mut [T],
        columns: Range<usize>,
    ) -> Destination<'a, T> {
        let panel_len = self.rows * self.width;
        let data = &mut data[columns.start / self.width * panel_len..];
        Destination::new(data, self.width, panel_len, columns.len(), false)
    }

    /// The matrix of one position.
    #[inline(always)]
    fn position<'a, T>(&self, data: &'a [T], position: usize) -> Panels<'a, T> {
        Panels {
            data: &data[position * self.position_stride()..][..self.position_stride()],
            rows: self.rows,
            cols: self.cols,
            width: self.width,
            row_stride: self.width,
            stride: self.rows * self.width,
        }
    }
}

#[cfg(test)]
mod tests {
    use gan_core::Stream;

    use super::*;
    use crate::check::reference;
    use crate::conv::layout::{channels_first, channels_last};
    use crate::geometry::ConvGeometry;

    /// A random shape that `algorithm` computes: odd and even sizes, not square, any padding, more tiles than a block.
    fn draw(algorithm: Algorithm, stream: &mut Stream, large: bool) -> ConvShape {
        let taps = if algorithm == Algorithm::F2x3 { 3 } else { 2 };
        let stride = 1 + stream.below(2);
        // 3×3 and 5×5 at stride 2 have phases with a tap fewer.
        let kernel = taps * stride - usize::from(stride == 2 && stream.chance(0.5));
        let channels = |stream: &mut Stream| CHANNEL_BLOCK * (1 + stream.below(5));
        let (c_large, c_small) = (channels(stream), channels(stream));
        let side = |stream: &mut Stream| kernel + stream.below(if large { 20 } else { 5 });
        let x = [1 + stream.below(3), c_large, side(stream), side(stream)];
        let geometry = ConvGeometry::square(stride, stream.below(kernel));
        ConvShape::of_conv2d(&x, &[c_small, c_large, kernel, kernel], geometry).expect("a shape")
    }

    /// Largest error over the largest expected value.
    fn error<T: Element>(got: &[T], expected: &[f64]) -> f64 {
        assert_eq!(got.len(), expected.len());
        let largest = expected.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
        let pairs = got.iter().zip(expected);
        pairs.fold(0.0, |worst, (got, expected)| {
            worst.max((got.to_f64() - expected).abs() / largest)
        })
    }

    /// The worst errors of the three passes on one shape.
    fn errors<T: Element>(
        algorithm: Algorithm,
        shape: &ConvShape,
        stream: &mut Stream,
    ) -> [f64; 3] {
        assert!(algorithm.computes(shape), "{shape:?}");
        let mut noise = |len: usize| -> (Vec<T>, Vec<f64>) {
            let values = (0..len).map(|_| T::from_f64(f64::from(stream.normal())));
            values.map(|x| (x, x.to_f64())).unzip()
        };
        let (large, large_f64) = noise(shape.batch * shape.large.len());
        let (small, small_f64) = noise(shape.batch * shape.small.len());
        let (weight, weight_f64) = noise(shape.weight_dims().iter().product());
        let (x, y) = (channels_last(&large, shape.large), channels_last(&small, shape.small));
        let forward = algorithm.forward(shape, &x, &weight);
        let input_grad = algorithm.input_grad(shape, &y, &weight);
        let weight_grad = algorithm.weight_grad(shape, &x, &y);
        [
            error(
                &channels_first(&forward, shape.small),
                &reference::forward(shape, &large_f64, &weight_f64),
            ),
            error(
                &channels_first(&input_grad, shape.large),
                &reference::input_grad(shape, &small_f64, &weight_f64),
            ),
            error(&weight_grad, &reference::weight_grad(shape, &large_f64, &small_f64)),
        ]
    }

    #[test]
    fn all_passes_equal_plain_loops() {
        let mut stream = Stream::named("winograd", 1);
        for algorithm in [Algorithm::F2x2, Algorithm::F2x3] {
            for i in 0..24 {
                let shape = draw(algorithm, &mut stream, i % 8 == 0);
                for error in errors::<f32>(algorithm, &shape, &mut stream) {
                    assert!(error < 3e-6, "{algorithm:?} {shape:?}: {error:.1e} in f32");
                }
                for error in errors::<f64>(algorithm, &shape, &mut stream) {
                    assert!(error < 1e-13, "{algorithm:?} {shape:?}: {error:.1e} in f64");
                }
            }
        }
    }

    /// How images are grouped depends on the number of threads; results must not.
    #[test]
    fn the_number_of_threads_does_not_change_bits() {
        let mut stream = Stream::named("winograd threads", 1);
        let shape =
            ConvShape::of_conv2d(&[16, 32, 12, 12], &[48, 32, 4, 4], ConvGeometry::square(2, 1))
                .expect("a shape");
        let mut noise = |len: usize| (0..len).map(|_| stream.normal()).collect::<Vec<f32>>();
        let large = noise(shape.batch * shape.large.len());
        let small = noise(shape.batch * shape.small.len());
        let weight = noise(shape.weight_dims().iter().product());
        let run = |threads: usize| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let algorithm = Algorithm::F2x2;
                [
                    algorithm.forward(&shape, &large, &weight),
                    algorithm.input_grad(&shape, &small, &weight),
                    algorithm.weight_grad(&shape, &large, &small),
                ]
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(5));
    }
}
