//! The minimal filtering algorithms F(m, r) of Winograd (1980): `m` outputs of a filter of `r` taps by `m + r − 1`
//! products, `y = Aᵀ[(G·g) ⊙ (Bᵀ·d)]`. Lavin & Gray 2016 (<https://arxiv.org/abs/1509.09308>, section 4) bring them
//! to convolutions.
//!
//! The form is linear in the taps `g` and in the data `d`, so that its derivatives need the transposes of the same
//! three matrices alone: `∂/∂d` is `B·[(G·g) ⊙ (A·y)]`, `∂/∂g` is `Gᵀ·[(Bᵀ·d) ⊙ (A·y)]`.

use pulp::Simd;

use crate::simd::Lanes;

/// F(M, R), whose vectors of products have `N = M + R − 1` elements.
pub(super) trait Filter<const N: usize, const R: usize, const M: usize>: Sync {
    /// `Bᵀ·d`
    fn input<S: Simd, T: Lanes>(by: By<S>, d: [T::Vector<S>; N]) -> [T::Vector<S>; N];
    /// `B·v`
    fn input_transposed<S: Simd, T: Lanes>(by: By<S>, v: [T::Vector<S>; N]) -> [T::Vector<S>; N];
    /// `G·g`
    fn taps<S: Simd, T: Lanes>(by: By<S>, g: [T::Vector<S>; R]) -> [T::Vector<S>; N];
    /// `Gᵀ·u`
    fn taps_transposed<S: Simd, T: Lanes>(by: By<S>, u: [T::Vector<S>; N]) -> [T::Vector<S>; R];
    /// `Aᵀ·m`
    fn output<S: Simd, T: Lanes>(by: By<S>, m: [T::Vector<S>; N]) -> [T::Vector<S>; M];
    /// `A·y`
    fn output_transposed<S: Simd, T: Lanes>(by: By<S>, y: [T::Vector<S>; M]) -> [T::Vector<S>; N];
}

/// Arithmetic on vectors of one instruction set.
#[derive(Clone, Copy)]
pub(super) struct By<S>(pub(super) S);

impl<S: Simd> By<S> {
    /// `a + b`
    #[inline(always)]
    fn add<T: Lanes>(self, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
        T::plus(self.0, a, b)
    }

    /// `a − b`
    #[inline(always)]
    fn sub<T: Lanes>(self, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
        T::minus(self.0, a, b)
    }

    /// `a + k·b`
    #[inline(always)]
    fn fma<T: Lanes>(self, a: T::Vector<S>, k: f64, b: T::Vector<S>) -> T::Vector<S> {
        T::mul_add(self.0, T::splat(self.0, T::from_f64(k)), b, a)
    }

    /// `k·a`
    #[inline(always)]
    fn scale<T: Lanes>(self, k: f64, a: T::Vector<S>) -> T::Vector<S> {
        T::times(self.0, T::splat(self.0, T::from_f64(k)), a)
    }
}

/// F(2, 2), from the points 0, 1 and ∞:
///
/// ```text
/// Bᵀ = [1 −1  0]   G = [1 0]   Aᵀ = [1 1  0]
///      [0  1  0]       [1 1]        [0 1 −1]
///      [0  1 −1]       [0 1]
/// ```
pub(super) struct F2x2;

impl Filter<3, 2, 2> for F2x2 {
    #[inline(always)]
    fn input<S: Simd, T: Lanes>(by: By<S>, [a, b, c]: [T::Vector<S>; 3]) -> [T::Vector<S>; 3] {
        [by.sub::<T>(a, b), b, by.sub::<T>(b, c)]
    }
    #[inline(always)]
    fn input_transposed<S: Simd, T: Lanes>(
        by: By<S>,
        [a, b, c]: [T::Vector<S>; 3],
    ) -> [T::Vector<S>; 3] {
        [a, by.add::<T>(by.sub::<T>(b, a), c), by.scale::<T>(-1.0, c)]
    }
    #[inline(always)]
    fn taps<S: Simd, T: Lanes>(by: By<S>, [g, h]: [T::Vector<S>; 2]) -> [T::Vector<S>; 3] {
        [g, by.add::<T>(g, h), h]
    }
    #[inline(always)]
    fn taps_transposed<S: Simd, T: Lanes>(
        by: By<S>,
        [a, b, c]: [T::Vector<S>; 3],
    ) -> [T::Vector<S>; 2] {
        [by.add::<T>(a, b), by.add::<T>(b, c)]
    }
    #[inline(always)]
    fn output<S: Simd, T: Lanes>(by: By<S>, [a, b, c]: [T::Vector<S>; 3]) -> [T::Vector<S>; 2] {
        [by.add::<T>(a, b), by.sub::<T>(b, c)]
    }
    #[inline(always)]
    fn output_transposed<S: Simd, T: Lanes>(
        by: By<S>,
        [x, y]: [T::Vector<S>; 2],
    ) -> [T::Vector<S>; 3] {
        [x, by.add::<T>(x, y), by.scale::<T>(-1.0, y)]
    }
}

/// F(2, 3), from the points 0, 1, −1 and ∞:
///
/// ```text
/// Bᵀ = [1  0 −1  0]   G = [ 1    0   0 ]   Aᵀ = [1 1  1  0]
///      [0  1  1  0]       [1/2  1/2 1/2]        [0 1 −1 −1]
///      [0 −1  1  0]       [1/2 −1/2 1/2]
///      [0  1  0 −1]       [ 0    0   1 ]
/// ```
pub(super) struct F2x3;

impl Filter<4, 3, 2> for F2x3 {
    #[inline(always)]
    fn input<S: Simd, T: Lanes>(by: By<S>, [a, b, c, d]: [T::Vector<S>; 4]) -> [T::Vector<S>; 4] {
        [by.sub::<T>(a, c), by.add::<T>(b, c), by.sub::<T>(c, b), by.sub::<T>(b, d)]
    }
    #[inline(always)]
    fn input_transposed<S: Simd, T: Lanes>(
        by: By<S>,
        [a, b, c, d]: [T::Vector<S>; 4],
    ) -> [T::Vector<S>; 4] {
        let middle = by.add::<T>(by.sub::<T>(b, c), d);
        [a, middle, by.sub::<T>(by.add::<T>(b, c), a), by.scale::<T>(-1.0, d)]
    }
    #[inline(always)]
    fn taps<S: Simd, T: Lanes>(by: By<S>, [g, h, i]: [T::Vector<S>; 3]) -> [T::Vector<S>; 4] {
        let ends = by.add::<T>(g, i);
        let (sum, difference) = (by.add::<T>(ends, h), by.sub::<T>(ends, h));
        [g, by.scale::<T>(0.5, sum), by.scale::<T>(0.5, difference), i]
    }
    #[inline(always)]
    fn taps_transposed<S: Simd, T: Lanes>(
        by: By<S>,
        [a, b, c, d]: [T::Vector<S>; 4],
    ) -> [T::Vector<S>; 3] {
        let sum = by.add::<T>(b, c);
        [by.fma::<T>(a, 0.5, sum), by.scale::<T>(0.5, by.sub::<T>(b, c)), by.fma::<T>(d, 0.5, sum)]
    }
    #[inline(always)]
    fn output<S: Simd, T: Lanes>(by: By<S>, [a, b, c, d]: [T::Vector<S>; 4]) -> [T::Vector<S>; 2] {
        [by.add::<T>(by.add::<T>(a, b), c), by.sub::<T>(by.sub::<T>(b, c), d)]
    }
    #[inline(always)]
    fn output_transposed<S: Simd, T: Lanes>(
        by: By<S>,
        [x, y]: [T::Vector<S>; 2],
    ) -> [T::Vector<S>; 4] {
        [x, by.add::<T>(x, y), by.sub::<T>(x, y), by.scale::<T>(-1.0, y)]
    }
}

/// A transform of lines, `$line`, applied to the rows of a square of `$a`² vectors and then to the columns of what that
/// made: a square of `$b`². A macro, because a function that is passed is not compiled for the vectors at hand.
macro_rules! both_ways {
    ($by:expr, $x:expr, $line:expr, $a:ident => $b:ident) => {{
        let (by, x) = ($by, $x);
        let zero = T::splat(by.0, T::from_f64(0.0));
        let mut columns = [[zero; $a]; $b]; // [column][row]
        unrolled!(i < $a => {
            let row = $line(by, x[i]);
            unrolled!(j < $b => columns[j][i] = row[j]);
        });
        let mut out = [[zero; $b]; $b];
        unrolled!(j < $b => {
            let column = $line(by, columns[j]);
            unrolled!(i < $b => out[i][j] = column[i]);
        });
        out
    }};
}
pub(super) use both_ways;
