//! What is done to a picture before it is stored: size, filter, color.

use serde::{Deserialize, Serialize};

use gan_core::ImageShape;

/// From a decoded picture to a stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transform {
    /// How the size is reached.
    pub resize: Resize,
    /// How pixels are weighted on the way.
    pub filter: Filter,
    /// Gray or RGB.
    pub color: Color,
}

/// How a picture comes to its stored size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Resize {
    /// As it is; all pictures must then have one size.
    Keep,
    /// Straight to the size, whatever that does to the proportions.
    Straight {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// In proportion until the shorter side fits, then the centre is cut out.
    ShorterSide {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
}

/// Resampling filter; its support grows with the reduction (antialiased), as Pillow's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Triangle.
    Bilinear,
}

/// Channels of stored pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Color {
    /// One channel, luma of ITU-R 601 as Pillow's `convert("L")`.
    Gray,
    /// Three channels; gray pictures are repeated.
    Rgb,
}

impl Color {
    /// 1 or 3.
    pub fn channels(self) -> usize {
        match self {
            Color::Gray => 1,
            Color::Rgb => 3,
        }
    }
}

impl Transform {
    /// RGB, straight to `width`×`height`: CelebA's default.
    pub fn straight(width: usize, height: usize) -> Self {
        Self {
            resize: Resize::Straight { width, height },
            filter: Filter::Bilinear,
            color: Color::Rgb,
        }
    }

    /// RGB, the centre of the picture at `width`×`height`: the default of a folder of pictures.
    pub fn shorter_side(width: usize, height: usize) -> Self {
        Self { resize: Resize::ShorterSide { width, height }, ..Self::straight(width, height) }
    }

    /// The pixels as they are.
    pub fn keep(color: Color) -> Self {
        Self { resize: Resize::Keep, filter: Filter::Bilinear, color }
    }

    /// The same with another color.
    pub fn with_color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    /// The same with another size; pictures that were kept are resized straight.
    pub fn with_size(self, width: usize, height: usize) -> Self {
        let resize = match self.resize {
            Resize::Keep | Resize::Straight { .. } => Resize::Straight { width, height },
            Resize::ShorterSide { .. } => Resize::ShorterSide { width, height },
        };
        Self { resize, ..self }
    }

    /// Width and height of what is stored, or `None` where the source decides.
    pub fn size(&self) -> Option<(usize, usize)> {
        match self.resize {
            Resize::Keep => None,
            Resize::Straight { width, height } | Resize::ShorterSide { width, height } => {
                Some((width, height))
            }
        }
    }

    /// Shape of what is stored from pictures of `(width, height)`.
    pub(crate) fn shape(&self, (width, height): (usize, usize)) -> ImageShape {
        let (width, height) = self.size().unwrap_or((width, height));
        ImageShape { channels: self.color.channels(), height, width }
    }
}
