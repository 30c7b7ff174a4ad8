//! Left factors: matrices whose rows and columns each lie evenly, or in evenly laid chunks.

use crate::panels::Panels;

/// Where the indices of one dimension lie: `i` at `i / chunk · chunk_stride + i % chunk · step`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) len: usize,
    pub(crate) chunk: usize,
    /// Elements from an index to the next in its chunk.
    pub(crate) step: usize,
    /// Elements from a chunk to the next.
    pub(crate) chunk_stride: usize,
}

impl Axis {
    /// `len` indices, `step` elements apart.
    pub(crate) fn even(len: usize, step: usize) -> Self {
        Self { len, chunk: len.max(1), step, chunk_stride: 0 }
    }

    pub(super) fn offset(&self, index: usize) -> usize {
        index / self.chunk * self.chunk_stride + index % self.chunk * self.step
    }

    /// The largest offset of an index.
    fn reach(&self) -> usize {
        let last = self.len.saturating_sub(1);
        let end_of_last_whole_chunk = (last / self.chunk * self.chunk).saturating_sub(1);
        self.offset(last).max(self.offset(end_of_last_whole_chunk))
    }
}

/// A left factor. Along its rows or along the inner dimension elements are neighbours within a chunk.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a, T> {
    pub(super) data: &'a [T],
    pub(super) rows: Axis,
    pub(super) inner: Axis,
}

impl<'a, T> Left<'a, T> {
    /// A matrix by where its rows and its inner dimension lie.
    pub(crate) fn new(data: &'a [T], rows: Axis, inner: Axis) -> Self {
        Self { data, rows, inner }
    }

    /// A matrix in panels.
    pub(crate) fn plain(panels: Panels<'a, T>) -> Self {
        let Panels { data, rows, cols, width, row_stride, stride } = panels;
        let inner = Axis { len: cols, chunk: width.max(1), step: 1, chunk_stride: stride };
        Self { data, rows: Axis::even(rows, row_stride), inner }
    }

    /// The transpose of a matrix in panels.
    pub(crate) fn transposed(panels: Panels<'a, T>) -> Self {
        let Self { data, rows, inner } = Self::plain(panels);
        Self { data, rows: inner, inner: rows }
    }

    /// Whether every element exists.
    pub(super) fn is_whole(&self) -> bool {
        self.rows.len == 0
            || self.inner.len == 0
            || self.rows.reach() + self.inner.reach() < self.data.len()
    }
}
