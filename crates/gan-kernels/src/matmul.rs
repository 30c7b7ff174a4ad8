//! Matrix products on slices: the `gemm` crate behind checked views.

use crate::element::Element;

/// A strided view of a matrix.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// `rows × cols`, each row contiguous.
    pub(crate) fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::with_row_stride(data, rows, cols, cols)
    }

    /// `rows × cols`, rows contiguous and `row_stride` apart.
    pub(crate) fn with_row_stride(
        data: &'a [T],
        rows: usize,
        cols: usize,
        row_stride: usize,
    ) -> Self {
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transposed view.
    pub(crate) fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// Elements from the first to the last that the view touches.
    fn extent(&self) -> usize {
        if self.rows == 0 || self.cols == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride + 1
    }
}

/// What a product does with the destination's content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// `dst = a·b`
    Replace,
    /// `dst += a·b`
    Add,
}

/// Threads of one product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The calling thread alone: inside rayon tasks.
    One,
    /// rayon's pool.
    All,
}

/// `dst [a.rows, b.cols]`, row-major, from `a·b`.
pub(crate) fn multiply<T: Element>(
    dst: &mut [T],
    write: Write,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    threads: Threads,
) {
    assert_eq!(a.cols, b.rows, "inner dimensions of a matrix product");
    assert_eq!(dst.len(), a.rows * b.cols, "destination of a matrix product");
    assert!(a.extent() <= a.data.len() && b.extent() <= b.data.len());
    // SAFETY: the three asserts above keep every access of gemm within the slices; `dst` is a unique borrow.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            dst.as_mut_ptr(),
            1,
            b.cols as isize,
            write == Write::Add,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            match threads {
                Threads::One => gemm::Parallelism::None,
                Threads::All => gemm::Parallelism::Rayon(0),
            },
        );
    }
}
