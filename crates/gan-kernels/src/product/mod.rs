//! Products of matrices that lie in panels ([`crate::panels`]), by a micro-kernel that keeps a tile of the result in
//! registers.
//!
//! Every element of a result is summed over the inner dimension in order, in equal blocks of at most
//! [`INNER_BLOCK`]. How the rows
//! are cut into tiles does not change its bits.

mod left;
mod tile;

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

pub(crate) use self::left::{Axis, Left};
use self::tile::{Inner, NATIVE, PLAIN, TRANSPOSED, Tile, any_rows};
use crate::panels::Panels;
use crate::simd::{Lanes, dispatch};

/// Most of the inner dimension that a tile of the result is summed over at once: a right panel of 32 `f32` then takes
/// two thirds of a first-level cache of 48 KiB. Sums in blocks are also nearer to the truth than one long sum.
const INNER_BLOCK: usize = 256;
/// The same for left factors whose neighbours lie along the rows: tiles share its cache lines, which stay beside.
const INNER_BLOCK_TRANSPOSED: usize = 128;

/// Where a product goes: element `(i, j)` to `j / w · panel_stride + i · row_stride + j % w`, where `w` is the width of
/// the right factor's panels.
pub(crate) struct Destination<'a, T> {
    /// Initialized where `add` is set.
    data: &'a mut [MaybeUninit<T>],
    pub(crate) row_stride: usize,
    pub(crate) panel_stride: usize,
    /// Columns that exist. The last panel's further columns are not written.
    pub(crate) cols: usize,
    /// Add to what is there instead of replacing it.
    pub(crate) add: bool,
}

impl<'a, T: Lanes> Destination<'a, T> {
    /// What is in `data` is replaced, or with `add` added to.
    pub(crate) fn new(
        data: &'a mut [T],
        row_stride: usize,
        panel_stride: usize,
        cols: usize,
        add: bool,
    ) -> Self {
        // SAFETY: the same elements, into which products write nothing but initialized ones.
        #[allow(unsafe_code)]
        let data = unsafe { &mut *(std::ptr::from_mut(data) as *mut [MaybeUninit<T>]) };
        Self { data, row_stride, panel_stride, cols, add }
    }

    /// A row-major matrix as wide as `right`.
    pub(crate) fn row_major(data: &'a mut [T], right: Panels<'_, T>, add: bool) -> Self {
        Self::new(data, right.cols, right.width, right.cols, add)
    }
}

/// `left · [right₀ right₁ …]`, row-major, as the first content of `data`; the right factors lie side by side.
pub(crate) fn write_product<'a, T: Lanes>(
    data: &'a mut [MaybeUninit<T>],
    left: Left<'_, T>,
    rights: &[Panels<'_, T>],
) -> &'a mut [T] {
    let row_stride = rights.iter().map(|right| right.cols).sum();
    assert_eq!(data.len(), left.rows.len * row_stride, "elements of a product");
    let mut first = 0;
    for &right in rights.iter().filter(|right| right.cols > 0) {
        let Panels { cols, width: panel_stride, .. } = right;
        let data = &mut data[first..];
        multiply(Destination { data, row_stride, panel_stride, cols, add: false }, left, right);
        first += cols;
    }
    // SAFETY: the products have written every column.
    #[allow(unsafe_code)]
    unsafe {
        data.assume_init_mut()
    }
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
    if left.inner.step != 1 {
        dispatch(Multiply::<T, TRANSPOSED> { dst, left, right });
    } else if left.rows.step == right.width {
        dispatch(Multiply::<T, NATIVE> { dst, left, right });
    } else {
        dispatch(Multiply::<T, PLAIN> { dst, left, right });
    }
}

/// [`multiply`] by one kind of left factor.
struct Multiply<'a, T, const KIND: usize> {
    dst: Destination<'a, T>,
    left: Left<'a, T>,
    right: Panels<'a, T>,
}

impl<T: Lanes, const KIND: usize> WithSimd for Multiply<'_, T, KIND> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mut dst, left, right } = self;
        check::<S, T, KIND>(&dst, left, right);
        let width = panel_width::<S, T>();
        let (rows, inner) = (left.rows.len, left.inner.len.max(1));
        let b_step = right.row_stride;
        let most = if KIND == TRANSPOSED { INNER_BLOCK_TRANSPOSED } else { INNER_BLOCK };
        let block = inner.div_ceil(inner.div_ceil(most)); // as equal as they can be
        // Without an inner dimension there is one empty block, which writes zeros.
        for start in (0..inner).step_by(block) {
            let len = (left.inner.len - start).min(block);
            for panel in 0..dst.cols.div_ceil(width) {
                let b = right.data[panel * right.stride + start * right.row_stride..].as_ptr();
                let cols = width.min(dst.cols - panel * width);
                for first in (0..rows).step_by(left.rows.chunk) {
                    let chunk = left.rows.chunk.min(rows - first);
                    let n_tiles = chunk.div_ceil(tile_rows::<S>());
                    for tile in 0..n_tiles {
                        let (from, to) = (tile * chunk / n_tiles, (tile + 1) * chunk / n_tiles);
                        let row = first + from;
                        let a = Inner::new(left, row, start, len);
                        let c = &mut dst.data[panel * dst.panel_stride + row * dst.row_stride..];
                        let target = Tile { c, row_stride: dst.row_stride, cols, add: dst.add };
                        // SAFETY: `check` has seen that the factors and the destination hold what their sizes say.
                        #[allow(unsafe_code)]
                        unsafe {
                            any_rows::<S, T, KIND>(simd, to - from, a, b, b_step, target);
                        }
                    }
                }
            }
            dst.add = true;
        }
    }
}

/// Panics unless every element that [`multiply`] touches exists.
fn check<S: Simd, T: Lanes, const KIND: usize>(
    dst: &Destination<'_, T>,
    left: Left<'_, T>,
    right: Panels<'_, T>,
) {
    let width = panel_width::<S, T>();
    let (rows, inner) = (left.rows.len, left.inner.len);
    let right_panels = right.cols.div_ceil(width);
    assert!(right.width == width && right.rows == inner, "right factor of a product");
    assert!(
        right_panels == 0
            || inner == 0
            || right.data.len()
                >= (right_panels - 1) * right.stride + (inner - 1) * right.row_stride + width,
        "right factor of a product"
    );
    let neighbours = match KIND {
        TRANSPOSED => left.rows.step,
        _ => left.inner.step,
    };
    assert!(left.is_whole() && neighbours == 1, "left factor of a product");
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
}
