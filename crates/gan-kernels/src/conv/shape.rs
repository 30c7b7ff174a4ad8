//! Sizes of one convolution and how its work is cut into blocks.

use std::ops::Range;

use crate::geometry::ConvGeometry;

/// Sizes of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Image {
    pub(super) fn area(&self) -> usize {
        self.height * self.width
    }

    pub(super) fn len(&self) -> usize {
        self.channels * self.area()
    }
}

/// A convolution between `large` images (its input) and `small` ones (its output). The transposed convolution has
/// the same shape read from small to large.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConvShape {
    pub(super) batch: usize,
    pub(super) large: Image,
    pub(super) small: Image,
    pub(super) kernel: (usize, usize),
    pub(super) geometry: ConvGeometry,
}

/// Columns of an im2col block aimed at: positions of one large map, or of several small ones together.
const BLOCK_POSITIONS: usize = 256;
/// Rows of an im2col block aimed at; with the columns above a block of f32 takes a quarter of a 1 MiB cache.
const BLOCK_TAPS: usize = 256;

impl ConvShape {
    /// Kernel taps of one channel.
    pub(super) fn taps(&self) -> usize {
        self.kernel.0 * self.kernel.1
    }

    /// Weights that one small channel has: `C_large · kh · kw`.
    pub(super) fn patch_len(&self) -> usize {
        self.large.channels * self.taps()
    }

    /// Whether the kernel covers the whole large image, once: a plain matrix product over the batch.
    pub(super) fn is_dense(&self) -> bool {
        self.small.area() == 1
            && self.kernel == (self.large.height, self.large.width)
            && self.geometry.padding == (0, 0)
    }

    /// Whether a patch is one pixel, so that the large image is its own im2col.
    pub(super) fn is_pointwise(&self) -> bool {
        self.kernel == (1, 1)
            && self.geometry == ConvGeometry::square(1, 0)
            && self.large.area() == self.small.area()
    }

    /// Images that one task takes together.
    pub(super) fn group_len(&self) -> usize {
        let wanted = BLOCK_POSITIONS / self.small.area().max(1);
        wanted.clamp(1, self.batch.max(1))
    }

    /// Ranges of large channels whose taps make one im2col block.
    pub(super) fn channel_blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let channels = self.large.channels;
        let len = self.channel_block_len();
        (0..channels).step_by(len).map(move |start| start..(start + len).min(channels))
    }

    /// Large channels in one im2col block.
    pub(super) fn channel_block_len(&self) -> usize {
        (BLOCK_TAPS / self.taps()).clamp(1, self.large.channels.max(1))
    }
}
