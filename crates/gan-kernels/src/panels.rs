//! Matrices in panels: cut into bands of columns, each stored row after row.
//!
//! Element `(i, j)` of a matrix with panels of width `w` lies at `panel(j / w) + i·s + j % w`; rows of a panel usually lie side by side, `s = w`. The same panels serve as a
//! right factor, as a left factor and as a transposed left factor of [`crate::product`], so that nothing is packed again
//! between the passes of a convolution. A row-major matrix is a single panel.

use std::ops::Range;

use crate::buffer::{Aligned, with_scratch};
use crate::element::Element;
use crate::product::native_panel_width;

/// A matrix in panels.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Columns of a panel.
    pub(crate) width: usize,
    /// Elements from a row of a panel to the next.
    pub(crate) row_stride: usize,
    /// Elements from a panel to the next.
    pub(crate) stride: usize,
}

impl<'a, T> Panels<'a, T> {
    /// A row-major matrix: a single panel.
    pub(crate) fn row_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self { data, rows, cols, width: cols, row_stride: cols, stride: 0 }
    }

    /// Some columns, from the first of a panel on.
    #[inline(always)]
    pub(crate) fn columns(self, columns: Range<usize>) -> Self {
        debug_assert!(columns.start.is_multiple_of(self.width) && columns.end <= self.cols);
        let data = &self.data[columns.start / self.width * self.stride..];
        Self { data, cols: columns.len(), ..self }
    }

    /// Some rows.
    #[inline(always)]
    pub(crate) fn rows(self, rows: Range<usize>) -> Self {
        let data = &self.data[rows.start * self.row_stride..];
        Self { data, rows: rows.len(), ..self }
    }

    /// A single panel from column `first` on; `cols` counts from there.
    pub(crate) fn skip_columns(self, first: usize) -> Self {
        Self { data: &self.data[first..], ..self }
    }
}

/// A right factor packed into panels.
pub(crate) struct Packed<T> {
    data: Aligned<T>,
    rows: usize,
    cols: usize,
    width: usize,
}

impl<T: Element> Packed<T> {
    /// Packs `rows × cols`, where `row(i)` is a row.
    pub(crate) fn new<'s>(rows: usize, cols: usize, row: impl Fn(usize) -> &'s [T] + Sync) -> Self {
        let width = native_panel_width::<T>();
        let data = Aligned::fill_chunks(
            cols.div_ceil(width) * rows * width,
            rows * width,
            |panel, out| {
                let cols = panel * width..cols.min((panel + 1) * width);
                for (i, out) in out.chunks_exact_mut(width).enumerate() {
                    out[..cols.len()].copy_from_slice(&row(i)[cols.clone()]);
                }
            },
        );
        Self { data, rows, cols, width }
    }

    /// Packs `rows × cols`, where `fill(first column, columns, panel width, panel)` writes a panel.
    pub(crate) fn by_panels(
        rows: usize,
        cols: usize,
        fill: impl Fn(usize, usize, usize, &mut [T]) + Send + Sync,
    ) -> Self {
        let width = native_panel_width::<T>();
        let data = Aligned::fill_chunks(
            cols.div_ceil(width) * rows * width,
            rows * width,
            |panel, out| {
                let first = panel * width;
                fill(first, width.min(cols - first), width, out);
            },
        );
        Self { data, rows, cols, width }
    }

    /// Calls `body` with `rows × cols`, packed into memory that is used again. Columns that `row(i)` lacks are zero.
    pub(crate) fn with_scratch<'s, R>(
        rows: usize,
        cols: usize,
        row: impl Fn(usize) -> &'s [T],
        body: impl FnOnce(Panels<'_, T>) -> R,
    ) -> R {
        let width = native_panel_width::<T>();
        with_scratch(cols.div_ceil(width) * rows * width, |data| {
            for (panel, out) in data.chunks_exact_mut((rows * width).max(1)).enumerate() {
                for (i, out) in out.chunks_exact_mut(width).enumerate() {
                    let row = row(i);
                    let from = (panel * width).min(row.len());
                    let row = &row[from..row.len().min(from + width)];
                    out[..row.len()].copy_from_slice(row);
                    out[row.len()..].fill(T::zero());
                }
            }
            body(Panels { data, rows, cols, width, row_stride: width, stride: rows * width })
        })
    }

    /// The packed matrix.
    pub(crate) fn panels(&self) -> Panels<'_, T> {
        let Self { data, rows, cols, width } = self;
        Panels {
            data,
            rows: *rows,
            cols: *cols,
            width: *width,
            row_stride: *width,
            stride: rows * width,
        }
    }
}
