//! What an inversion makes small.

use candle_core::{Result, Tensor};
use gan_core::ImageShape;

/// Images that latents are searched for.
#[derive(Clone, Debug)]
pub struct Targets {
    /// `(N, C, H, W)` in [−1, 1].
    pub(super) images: Tensor,
    /// Which pixels count, 1 or 0, `(N, 1, H, W)`; all where there is none.
    visible: Option<Tensor>,
}

/// The distance of images `(B, C, H, W)` in [−1, 1] from targets: one number a row, `(B,)`, differentiable in the images.
pub type Losses<'a> = dyn Fn(&Tensor) -> Result<Tensor> + 'a;

/// A distance between images. What it is of the targets alone is computed once.
pub trait Distance {
    /// The distance from `targets`, row by row.
    ///
    /// # Errors
    /// If the targets do not fit.
    fn to<'a>(&'a self, targets: &Targets) -> Result<Box<Losses<'a>>>;
}

/// Mean squared error over the visible pixels and the channels, on the scale [−1, 1].
#[derive(Clone, Copy, Debug)]
pub struct PixelDistance;

impl Targets {
    /// Whole images `(N, C, H, W)` in [−1, 1], on the generator's device.
    pub fn whole(images: Tensor) -> Self {
        Self { images, visible: None }
    }

    /// Images of which some pixels count: `visible` is 1 or 0, `(N, 1, H, W)`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn visible(images: Tensor, visible: Tensor) -> Result<Self> {
        let (n, _, height, width) = images.dims4()?;
        if visible.dims() != [n, 1, height, width] {
            let dims = visible.dims();
            candle_core::bail!("a mask is {dims:?}, expected {:?}", [n, 1, height, width])
        }
        Ok(Self { images, visible: Some(visible) })
    }

    /// The images, `(N, C, H, W)`.
    pub fn images(&self) -> &Tensor {
        &self.images
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.images.dim(0).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size of an image.
    ///
    /// # Errors
    /// If they are no images.
    pub fn shape(&self) -> Result<ImageShape> {
        let (_, channels, height, width) = self.images.dims4()?;
        Ok(ImageShape { channels, height, width })
    }

    /// The targets `from..from + n`.
    pub(super) fn narrow(&self, from: usize, n: usize) -> Result<Self> {
        let narrow = |t: &Tensor| t.narrow(0, from, n)?.contiguous();
        Ok(Self {
            images: narrow(&self.images)?,
            visible: self.visible.as_ref().map(narrow).transpose()?,
        })
    }

    /// Each target `times` times, one after the other.
    pub(super) fn repeated(&self, times: usize) -> Result<Self> {
        let repeated = |t: &Tensor| {
            let (n, c, h, w) = t.dims4()?;
            t.unsqueeze(1)?.broadcast_as((n, times, c, h, w))?.contiguous()?.flatten(0, 1)
        };
        Ok(Self {
            images: repeated(&self.images)?,
            visible: self.visible.as_ref().map(repeated).transpose()?,
        })
    }
}

impl Distance for PixelDistance {
    fn to<'a>(&'a self, targets: &Targets) -> Result<Box<Losses<'a>>> {
        let images = targets.images.clone();
        let Some(visible) = &targets.visible else {
            return Ok(Box::new(move |made| (made - &images)?.sqr()?.flatten_from(1)?.mean(1)));
        };
        // Shares of the visible values, so that a sum is their mean.
        let channels = images.dim(1)? as f64;
        let counts = (visible.sum_keepdim((1, 2, 3))? * channels)?;
        let shares = visible.broadcast_div(&counts)?.broadcast_as(images.shape())?.contiguous()?;
        Ok(Box::new(move |made| ((made - &images)?.sqr()? * &shares)?.flatten_from(1)?.sum(1)))
    }
}
