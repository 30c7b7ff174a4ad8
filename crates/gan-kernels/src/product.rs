//! Products of matrices that lie in panels ([`crate::panels`]), by a micro-kernel that keeps a tile of the result in
//! registers.
//!
//! Every element of a result is summed over the inner dimension in order, in blocks of [`INNER_BLOCK`]. How the rows
//! are cut into tiles does not change its bits.

use pulp::{Simd, WithSimd};

use crate::panels::Panels;
use crate::simd::{Lanes, dispatch};

/// Inner dimension that a tile of the result is summed over at once: a right panel of 32 `f32` then takes half of a
/// first-level cache of 32 KiB. Sums in blocks are also nearer to the truth than one long sum.
const INNER_BLOCK: usize = 128;

/// Where a product goes: element `(i, j)` to `j / w · panel_stride + i · row_stride + j % w`, where `w` is the width of
/// the right factor's panels.
pub(crate) struct Destination<'a, T> {
    pub(crate) data: &'a mut [T],
    pub(crate) row_stride: usize,
    pub(crate) panel_stride: usize,
    /// Columns that exist. The last panel's further columns are not written.
    pub(crate) cols: usize,
    /// Add to what is there instead of replacing it.
    pub(crate) add: bool,
}

impl<'a, T> Destination<'a, T> {
    /// A row-major matrix as wide as `right`, to be replaced.
    pub(crate) fn row_major(data: &'a mut [T], right: Panels<'_, T>) -> Self {
        let Panels { cols, width, .. } = right;
        Self { data, row_stride: cols, panel_stride: width, cols, add: false }
    }
}

/// The left factor: a matrix in panels, or its transpose.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a, T> {
    Plain(Panels<'a, T>),
    Transposed(Panels<'a, T>),
}

/// Columns of the panels that right factors have on this instruction set.
pub(crate) const fn panel_width<S: Simd, T: Lanes>() -> usize {
    vectors::<S>() * (size_of::<T::Vector<S>>() / size_of::<T>())
}

/// [`panel_width`] of the instruction set that the kernels run on.
pub(crate) fn native_panel_width<T: Lanes>() -> usize {
    struct Width<T>(std::marker::PhantomData<T>);
    impl<T: Lanes> WithSimd for Width<T> {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            panel_width::<S, T>()
        }
    }
    dispatch(Width::<T>(std::marker::PhantomData))
}

/// Vectors of a panel's row. Without vector registers the compiler makes its own of eight elements.
const fn vectors<S: Simd>() -> usize {
    if S::IS_SCALAR { 8 } else { 2 }
}

/// Most rows of a tile: what fits the registers beside the panel's row and one broadcast element.
const fn tile_rows<S: Simd>() -> usize {
    if S::IS_SCALAR {
        2
    } else if S::REGISTER_COUNT >= 32 {
        12
    } else {
        6
    }
}

/// `dst = left · right`, or `dst += left · right`, on the calling thread.
///
/// The panels of `right` have [`native_panel_width`] columns, all of them readable; what is in a column that
/// does not exist does not matter.
pub(crate) fn multiply<T: Lanes>(dst: Destination<'_, T>, left: Left<'_, T>, right: Panels<'_, T>) {
    match left {
        Left::Plain(left) if left.width == right.width => {
            dispatch(Multiply::<T, NATIVE> { dst, left, right });
        }
        Left::Plain(left) => dispatch(Multiply::<T, PLAIN> { dst, left, right }),
        Left::Transposed(left) => dispatch(Multiply::<T, TRANSPOSED> { dst, left, right }),
    }
}

/// A left factor in panels as wide as those of right factors. The distance of its rows is then known to the compiler,
/// and the rows of a tile need no register each.
const NATIVE: usize = 0;
/// A left factor in panels of any width.
const PLAIN: usize = 1;
/// The transpose of a matrix in panels of any width.
const TRANSPOSED: usize = 2;

/// [`multiply`] by one kind of left factor.
struct Multiply<'a, T, const KIND: usize> {
    dst: Destination<'a, T>,
    left: Panels<'a, T>,
    right: Panels<'a, T>,
}

impl<T: Lanes, const KIND: usize> WithSimd for Multiply<'_, T, KIND> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mut dst, left, right } = self;
        let plain = KIND != TRANSPOSED;
        let (rows, inner) = if plain { (left.rows, left.cols) } else { (left.cols, left.rows) };
        check::<S, T>(plain, &dst, left, right, rows, inner);
        let width = panel_width::<S, T>();
        // Rows of a transposed left factor are columns of its panels: a tile stays within one.
        let band = if plain { rows } else { left.width }.max(1);
        // Without an inner dimension there is one empty block, which writes zeros.
        for start in (0..inner.max(1)).step_by(INNER_BLOCK) {
            let len = (inner - start).min(INNER_BLOCK);
            for panel in 0..dst.cols.div_ceil(width) {
                let right = &right.data[panel * right.stride + start * width..];
                let cols = width.min(dst.cols - panel * width);
                for first in (0..rows).step_by(band) {
                    let band = band.min(rows - first);
                    let n_tiles = band.div_ceil(tile_rows::<S>());
                    for tile in 0..n_tiles {
                        // As equal as they can be.
                        let (from, to) = (tile * band / n_tiles, (tile + 1) * band / n_tiles);
                        let row = first + from;
                        let a = Inner::new(plain, left, row, start, len);
                        let c = &mut dst.data[panel * dst.panel_stride + row * dst.row_stride..];
                        let target = Tile { c, row_stride: dst.row_stride, cols, add: dst.add };
                        // SAFETY: `check` has seen that the factors and the destination hold what their sizes say.
                        #[allow(unsafe_code)]
                        unsafe {
                            any_rows::<S, T, KIND>(simd, to - from, a, right.as_ptr(), target);
                        }
                    }
                }
            }
            dst.add = true;
        }
    }
}

/// Panics unless every element that [`multiply`] touches exists.
fn check<S: Simd, T: Lanes>(
    plain: bool,
    dst: &Destination<'_, T>,
    a: Panels<'_, T>,
    right: Panels<'_, T>,
    rows: usize,
    inner: usize,
) {
    let holds = |p: &Panels<'_, T>| {
        let panels = p.cols.div_ceil(p.width.max(1));
        p.rows == 0
            || panels == 0
            || p.data.len()
                >= (panels - 1) * p.stride + (p.rows - 1) * p.width + p.width.min(p.cols)
    };
    let width = panel_width::<S, T>();
    let right_panels = right.cols.div_ceil(width);
    assert!(right.width == width && right.rows == inner, "right factor of a product");
    assert!(holds(&a), "left factor of a product");
    assert!(
        right_panels == 0 || right.data.len() >= (right_panels - 1) * right.stride + inner * width,
        "right factor of a product"
    );
    assert!(dst.cols <= right.cols, "columns of a product");
    let last_panel = dst.cols.div_ceil(width).saturating_sub(1);
    let last_cols = dst.cols - last_panel * width;
    assert!(
        rows == 0
            || dst.data.len()
                >= last_panel * dst.panel_stride + (rows - 1) * dst.row_stride + last_cols,
        "destination of a product"
    );
    assert!(rows <= 1 || dst.row_stride >= width.min(dst.cols), "rows of a product overlap");
    assert!(last_panel == 0 || dst.panel_stride >= width, "panels of a product overlap");
    // A plain left factor's panels are taken whole, but for a single one.
    let whole = !plain || a.cols <= a.width || INNER_BLOCK.is_multiple_of(a.width);
    assert!(whole, "panels of a left factor");
}

/// The elements of the left factor that one tile reads: chunks along the inner dimension.
#[derive(Clone, Copy)]
struct Inner<T> {
    first: *const T,
    /// Elements from a row of the tile to the next (plain), or from an inner index to the next (transposed).
    step: usize,
    chunk_len: usize,
    chunk_stride: usize,
    len: usize,
}

impl<T> Inner<T> {
    #[inline(always)]
    fn new(plain: bool, a: Panels<'_, T>, row: usize, start: usize, len: usize) -> Self {
        let (row, col) = if plain { (row, start) } else { (start, row) };
        let at =
            if len == 0 { 0 } else { col / a.width * a.stride + row * a.width + col % a.width };
        let (chunk_len, chunk_stride) = if plain { (a.width.min(len), a.stride) } else { (len, 0) };
        Self { first: a.data[at..].as_ptr(), step: a.width, chunk_len, chunk_stride, len }
    }
}

/// The part of the destination that one tile writes.
struct Tile<'a, T> {
    c: &'a mut [T],
    row_stride: usize,
    cols: usize,
    add: bool,
}

/// [`tile`] for a number of rows that is known at run time alone.
///
/// # Safety
/// As for [`tile`], and `rows` is at most [`tile_rows`].
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn any_rows<S: Simd, T: Lanes, const KIND: usize>(
    simd: S,
    rows: usize,
    a: Inner<T>,
    b: *const T,
    target: Tile<'_, T>,
) {
    macro_rules! by_rows {
        ($($n:literal)*) => {
            match rows {
                $($n if $n <= tile_rows::<S>() => {
                    // SAFETY: the caller's promise.
                    unsafe {
                        if S::IS_SCALAR {
                            tile::<S, T, $n, 8, KIND>(simd, a, b, target)
                        } else if target.cols * 2 <= panel_width::<S, T>() {
                            tile::<S, T, $n, 1, KIND>(simd, a, b, target)
                        } else {
                            tile::<S, T, $n, 2, KIND>(simd, a, b, target)
                        }
                    }
                })*
                _ => unreachable!("tiles have at most {} rows", tile_rows::<S>()),
            }
        };
    }
    by_rows!(1 2 3 4 5 6 7 8 9 10 11 12)
}

/// `ROWS` rows and `VECTORS` vectors of the result, kept in registers over the inner dimension.
///
/// # Safety
/// `a` and `b` reach over the inner dimension; `target` holds `ROWS` rows of its `cols` columns.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn tile<S: Simd, T: Lanes, const ROWS: usize, const VECTORS: usize, const KIND: usize>(
    simd: S,
    a: Inner<T>,
    mut b: *const T,
    target: Tile<'_, T>,
) {
    let lanes = T::lanes::<S>();
    let width = panel_width::<S, T>();
    // SAFETY: all offsets lie within what the caller promises: rows below `ROWS`, inner indices below `a.len`,
    // vectors within a panel's width.
    unsafe {
        let zero = T::splat(simd, T::from_f64(0.0));
        let mut acc = [[zero; VECTORS]; ROWS];
        let mut chunk = a.first;
        let mut left = a.len;
        while left > 0 {
            let len = left.min(a.chunk_len);
            let mut element = chunk;
            for _ in 0..len {
                let mut row_of_b = [zero; VECTORS];
                for (v, vector) in row_of_b.iter_mut().enumerate() {
                    *vector = T::load::<S>(b.add(v * lanes));
                }
                for (r, acc) in acc.iter_mut().enumerate() {
                    let x = *element.add(match KIND {
                        NATIVE => r * width,
                        PLAIN => r * a.step,
                        _ => r,
                    });
                    let x = T::splat(simd, x);
                    for (acc, &y) in acc.iter_mut().zip(&row_of_b) {
                        *acc = T::mul_add(simd, x, y, *acc);
                    }
                }
                element = element.add(if KIND == TRANSPOSED { a.step } else { 1 });
                b = b.add(width);
            }
            chunk = chunk.wrapping_add(a.chunk_stride);
            left -= len;
        }
        let c = target.c.as_mut_ptr();
        if target.cols < VECTORS * lanes {
            // A copy, so that the sums themselves need no address.
            let sums = std::hint::black_box(acc);
            for (r, row) in sums.iter().enumerate() {
                let row = std::slice::from_raw_parts(row.as_ptr().cast::<T>(), target.cols);
                for (j, &sum) in row.iter().enumerate() {
                    let to = c.add(r * target.row_stride + j);
                    *to = if target.add { *to + sum } else { sum };
                }
            }
            return;
        }
        if target.add {
            for (r, acc) in acc.iter_mut().enumerate() {
                for (v, acc) in acc.iter_mut().enumerate() {
                    let old = T::load::<S>(c.add(r * target.row_stride + v * lanes));
                    *acc = T::plus(simd, old, *acc);
                }
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (v, &acc) in acc.iter().enumerate() {
                T::store::<S>(c.add(r * target.row_stride + v * lanes), acc);
            }
        }
    }
}
