//! Sizes of one convolution.

use candle_core::{Result, bail};

use crate::geometry::ConvGeometry;

/// Sizes of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Image {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Image {
    pub(crate) fn area(&self) -> usize {
        self.height * self.width
    }

    pub(crate) fn len(&self) -> usize {
        self.channels * self.area()
    }
}

/// A convolution between `large` images (its input) and `small` ones (its output). The transposed convolution has
/// the same shape read from small to large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConvShape {
    pub(crate) batch: usize,
    pub(crate) large: Image,
    pub(crate) small: Image,
    pub(crate) kernel: (usize, usize),
    pub(crate) geometry: ConvGeometry,
}

impl ConvShape {
    /// The convolution of `x` `[N, C_in, H, W]` by `w` `[C_out, C_in, kh, kw]`.
    pub(crate) fn of_conv2d(x: &[usize], w: &[usize], geometry: ConvGeometry) -> Result<Self> {
        let (batch, large) = image_dims("conv2d input", x)?;
        let [c_out, c_in, kh, kw] = weight_dims("conv2d", w)?;
        if c_in != large.channels {
            bail!("conv2d: input has {} channels, weight {w:?} expects {c_in}", large.channels)
        }
        let (height, width) = geometry.output_size((large.height, large.width), (kh, kw))?;
        let small = Image { channels: c_out, height, width };
        Self { batch, large, small, kernel: (kh, kw), geometry }.checked("conv2d")
    }

    /// The transposed convolution of `x` `[N, C_in, H, W]` by `w` `[C_in, C_out, kh, kw]`.
    pub(crate) fn of_conv_transpose2d(
        x: &[usize],
        w: &[usize],
        geometry: ConvGeometry,
        output_padding: (usize, usize),
    ) -> Result<Self> {
        let (batch, small) = image_dims("conv_transpose2d input", x)?;
        let [c_in, c_out, kh, kw] = weight_dims("conv_transpose2d", w)?;
        if c_in != small.channels {
            bail!(
                "conv_transpose2d: input has {} channels, weight {w:?} expects {c_in}",
                small.channels
            )
        }
        let size = (small.height, small.width);
        let (height, width) = geometry.transposed_output_size(size, (kh, kw), output_padding)?;
        let large = Image { channels: c_out, height, width };
        Self { batch, large, small, kernel: (kh, kw), geometry }.checked("conv_transpose2d")
    }

    /// Kernel taps of one channel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel.0 * self.kernel.1
    }

    /// Weights that one small channel has: `C_large · kh · kw`.
    pub(crate) fn patch_len(&self) -> usize {
        self.large.channels * self.taps()
    }

    /// The shape, if all that is computed with it can be counted: images, weights, patches, padded coordinates.
    pub(crate) fn checked(self, op: &str) -> Result<Self> {
        let Self { batch, large, small, kernel, geometry } = self;
        let product = |factors: &[usize]| {
            let count = factors.iter().try_fold(1usize, |a, &b| a.checked_mul(b));
            // Coordinates are signed, and transformed tiles take a few times as much.
            count.is_some_and(|count| count <= isize::MAX as usize / 64)
        };
        let countable = product(&[batch, large.channels, large.height, large.width])
            && product(&[batch, small.channels, small.height, small.width])
            && product(&[small.channels, large.channels, kernel.0, kernel.1])
            && product(&[batch, small.height, small.width, large.channels, kernel.0, kernel.1])
            && product(&[small.height, geometry.stride.0])
            && product(&[small.width, geometry.stride.1])
            && product(&[geometry.padding.0])
            && product(&[geometry.padding.1]);
        if !countable {
            bail!("{op}: sizes beyond what memory can hold: {self:?}")
        }
        Ok(self)
    }

    /// Whether a row of patches is a pixel of the large image.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == (1, 1) && self.geometry == ConvGeometry::square(1, 0)
    }

    /// `[C_small, C_large, kh, kw]`
    pub(crate) fn weight_dims(&self) -> [usize; 4] {
        [self.small.channels, self.large.channels, self.kernel.0, self.kernel.1]
    }
}

pub(super) fn image_dims(what: &str, dims: &[usize]) -> Result<(usize, Image)> {
    let &[batch, channels, height, width] = dims else {
        bail!("{what} must be [N, C, H, W], got {dims:?}")
    };
    if dims.contains(&0) {
        bail!("{what} is empty: {dims:?}")
    }
    Ok((batch, Image { channels, height, width }))
}

fn weight_dims(op: &str, dims: &[usize]) -> Result<[usize; 4]> {
    let Ok(weight) = dims.try_into() else {
        bail!("{op} weight must have 4 dimensions, got {dims:?}")
    };
    if dims.contains(&0) {
        bail!("{op} weight is empty: {dims:?}")
    }
    Ok(weight)
}
