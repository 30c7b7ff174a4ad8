//! Overlapping square tiles of an image `[H, W, C]`, as vectors of channels.

use pulp::Simd;

use crate::conv::shape::Image;
use crate::simd::Lanes;

/// Runs `$body` with `$i` bound to each index below `$len`, at most 4, one after another without a loop: what it
/// indexes can then stay in registers.
macro_rules! unrolled {
    ($i:ident < $len:expr => $body:expr) => {{
        const { assert!($len <= 4, "unrolled for 4 at most") };
        unrolled!(@ $i, $len, $body, 0 1 2 3);
    }};
    (@ $i:ident, $len:expr, $body:expr, $($index:literal)*) => {$(
        if $index < $len {
            let $i = $index;
            $body;
        }
    )*};
}
pub(super) use unrolled;

/// How tiles lie on a map: element `(i, j)` of tile `(ty, tx)` is the pixel
/// `(origin.0 + ty·tile_step + i·step, origin.1 + tx·tile_step + j·step)`.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) map: Image,
    /// Pixels between neighbours in a tile: the stride, for one phase of a strided convolution's input.
    pub(super) step: usize,
    pub(super) tile_step: usize,
    pub(super) origin: (isize, isize),
}

impl Grid {
    /// Where the pixels of a tile lie: `index` of channel 0 in an image, or `None` outside the map.
    #[inline(always)]
    pub(super) fn pixels<const SIDE: usize>(
        &self,
        ty: usize,
        tx: usize,
    ) -> [[Option<usize>; SIDE]; SIDE] {
        let coordinate = |origin: isize, tile: usize, i: usize, size: usize| {
            let at = origin + (tile * self.tile_step + i * self.step) as isize;
            (0..size as isize).contains(&at).then_some(at as usize)
        };
        let mut out = [[None; SIDE]; SIDE];
        for (i, row) in out.iter_mut().enumerate() {
            let Some(y) = coordinate(self.origin.0, ty, i, self.map.height) else { continue };
            for (j, pixel) in row.iter_mut().enumerate() {
                *pixel = coordinate(self.origin.1, tx, j, self.map.width)
                    .map(|x| (y * self.map.width + x) * self.map.channels);
            }
        }
        out
    }

    /// Pointers to the pixels of a tile. Those outside the map all become `outside`: zeros to read, or something that
    /// nobody reads to write.
    ///
    /// # Panics
    /// If the image is not one map, or `outside` is shorter than a pixel.
    #[inline(always)]
    pub(super) fn read<'a, T, const SIDE: usize>(
        &self,
        (ty, tx): (usize, usize),
        image: &'a [T],
        outside: &'a [T],
    ) -> [[*const T; SIDE]; SIDE] {
        assert!(image.len() == self.map.len() && outside.len() >= self.map.channels);
        let pixel = |at: Option<usize>| at.map_or(outside.as_ptr(), |at| image[at..].as_ptr());
        self.pixels::<SIDE>(ty, tx).map(|row| row.map(pixel))
    }

    /// [`Self::read`] for writing. `U` is `T`, or its uninitialized form.
    #[inline(always)]
    pub(super) fn write<U, T, const SIDE: usize>(
        &self,
        (ty, tx): (usize, usize),
        image: &mut [U],
        outside: &mut [T],
    ) -> [[*mut T; SIDE]; SIDE] {
        const { assert!(size_of::<U>() == size_of::<T>(), "another type") };
        assert!(image.len() == self.map.len() && outside.len() >= self.map.channels);
        let (image, outside) = (image.as_mut_ptr().cast::<T>(), outside.as_mut_ptr());
        // An index of `pixels` is within the image.
        let pixel = |at: Option<usize>| at.map_or(outside, |at| image.wrapping_add(at));
        self.pixels::<SIDE>(ty, tx).map(|row| row.map(pixel))
    }
}

/// A vector of every pixel, `channel` elements behind its pointer.
///
/// # Safety
/// A whole vector must be readable there.
#[allow(unsafe_code)]
#[inline(always)]
pub(super) unsafe fn load<S: Simd, T: Lanes, const SIDE: usize>(
    simd: S,
    pixels: &[[*const T; SIDE]; SIDE],
    channel: usize,
) -> [[T::Vector<S>; SIDE]; SIDE] {
    let mut out = [[T::splat(simd, T::from_f64(0.0)); SIDE]; SIDE];
    unrolled!(i < SIDE => {
        // SAFETY: the caller's promise.
        unrolled!(j < SIDE => out[i][j] = unsafe { T::load::<S>(pixels[i][j].add(channel)) });
    });
    out
}

/// Writes a vector of every pixel, or adds it.
///
/// # Safety
/// A whole vector must be writable there; where values are added, no other thread or reference may look.
#[allow(unsafe_code)]
#[inline(always)]
pub(super) unsafe fn store<S: Simd, T: Lanes, const SIDE: usize, const ADD: bool>(
    simd: S,
    pixels: &[[*mut T; SIDE]; SIDE],
    channel: usize,
    values: [[T::Vector<S>; SIDE]; SIDE],
) {
    unrolled!(i < SIDE => {
        unrolled!(j < SIDE => {
            // SAFETY: the caller's promise.
            unsafe {
                let at = pixels[i][j].add(channel);
                let value = values[i][j];
                let value = if ADD { T::plus(simd, T::load::<S>(at), value) } else { value };
                T::store::<S>(at, value);
            }
        });
    });
}

/// The vectors at one place of `SIDE²` matrices that lie `stride` apart; zeros beyond the first `rows` and `cols`
/// positions.
///
/// # Safety
/// A whole vector must be readable at each.
#[allow(unsafe_code)]
#[inline(always)]
pub(super) unsafe fn load_positions<S: Simd, T: Lanes, const SIDE: usize>(
    simd: S,
    from: *const T,
    stride: usize,
    (rows, cols): (usize, usize),
) -> [[T::Vector<S>; SIDE]; SIDE] {
    let mut out = [[T::splat(simd, T::from_f64(0.0)); SIDE]; SIDE];
    unrolled!(i < SIDE => {
        unrolled!(j < SIDE => if i < rows && j < cols {
            // SAFETY: the caller's promise.
            out[i][j] = unsafe { T::load::<S>(from.add((i * SIDE + j) * stride)) };
        });
    });
    out
}

/// Writes vectors to one place of `SIDE²` matrices that lie `stride` apart, of the first `rows` and `cols` positions.
///
/// # Safety
/// A whole vector must be writable at each.
#[allow(unsafe_code)]
#[inline(always)]
pub(super) unsafe fn store_positions<S: Simd, T: Lanes, const SIDE: usize>(
    to: *mut T,
    stride: usize,
    (rows, cols): (usize, usize),
    values: [[T::Vector<S>; SIDE]; SIDE],
) {
    unrolled!(i < SIDE => {
        unrolled!(j < SIDE => if i < rows && j < cols {
            // SAFETY: the caller's promise.
            unsafe { T::store::<S>(to.add((i * SIDE + j) * stride), values[i][j]) }
        });
    });
}
