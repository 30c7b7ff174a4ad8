//! What is done to a picture before it is stored: crop, size, filter, color.

use gan_core::ImageShape;
use serde::{Deserialize, Serialize};

/// Longest side of stored pictures.
pub(crate) const MAX_STORED: usize = 8192;
/// Side of stored pictures where nothing else is said.
pub(crate) const DEFAULT_SIZE: usize = 64;

/// From a decoded picture to a stored one, in the order of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transform {
    /// The part that is taken first.
    pub crop: Crop,
    /// How the size is reached.
    pub resize: Resize,
    /// How pixels are weighted on the way.
    pub filter: Filter,
    /// Gray or RGB.
    pub color: Color,
}

/// The part of a picture that is taken before it is resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Crop {
    /// All of it.
    None,
    /// The centre, torchvision's `CenterCrop`; CelebA is often cropped to 108, 140, 148 or 178.
    Center {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
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

/// Resampling filter; its support grows with the reduction (antialiased). The pixels are those of Pillow's
/// `Image.resize`, bit for bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Every source pixel that a target pixel covers counts the same.
    Box,
    /// Triangle.
    #[default]
    Bilinear,
    /// Cubic convolution with a = −½ (Keys 1981), also called Catmull–Rom.
    Bicubic,
    /// Sinc under a window of three lobes.
    Lanczos,
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

/// What is wanted of a transform; what is left open is as the source has it by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransformOptions {
    /// Width and height to store.
    pub size: Option<(usize, usize)>,
    /// The part that is taken first.
    pub crop: Option<Crop>,
    /// How the size is reached.
    pub mode: Option<ResizeMode>,
    /// Resampling filter.
    pub filter: Option<Filter>,
    /// Gray or RGB.
    pub color: Option<Color>,
}

/// A [`Resize`] without its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizeMode {
    /// As [`Resize::Keep`].
    Keep,
    /// As [`Resize::Straight`].
    Straight,
    /// As [`Resize::ShorterSide`].
    ShorterSide,
}

impl TransformOptions {
    /// Square pictures of that side, everything else by default.
    pub fn square(side: usize) -> Self {
        Self { size: Some((side, side)), ..Self::default() }
    }

    /// What is wanted, over a source's default.
    pub(crate) fn over(self, default: Transform) -> Transform {
        let (width, height) =
            self.size.or(default.resize.size()).unwrap_or((DEFAULT_SIZE, DEFAULT_SIZE));
        let resize = match self.mode {
            Some(ResizeMode::Keep) => Resize::Keep,
            Some(ResizeMode::Straight) => Resize::Straight { width, height },
            Some(ResizeMode::ShorterSide) => Resize::ShorterSide { width, height },
            None if self.size.is_some() => default.resize.with_size(width, height),
            None => default.resize,
        };
        Transform {
            crop: self.crop.unwrap_or(default.crop),
            resize,
            filter: self.filter.unwrap_or(default.filter),
            color: self.color.unwrap_or(default.color),
        }
    }
}

impl Resize {
    /// Width and height, where they are given.
    fn size(self) -> Option<(usize, usize)> {
        match self {
            Resize::Keep => None,
            Resize::Straight { width, height } | Resize::ShorterSide { width, height } => {
                Some((width, height))
            }
        }
    }

    /// The same with another size; pictures that were kept are resized straight.
    fn with_size(self, width: usize, height: usize) -> Self {
        match self {
            Resize::Keep | Resize::Straight { .. } => Resize::Straight { width, height },
            Resize::ShorterSide { .. } => Resize::ShorterSide { width, height },
        }
    }
}

impl Transform {
    /// RGB, straight to `width`×`height`: CelebA's default.
    pub fn straight(width: usize, height: usize) -> Self {
        Self {
            crop: Crop::None,
            resize: Resize::Straight { width, height },
            filter: Filter::default(),
            color: Color::Rgb,
        }
    }

    /// RGB, the centre of the picture at `width`×`height`: the default of a folder of pictures.
    pub fn shorter_side(width: usize, height: usize) -> Self {
        Self { resize: Resize::ShorterSide { width, height }, ..Self::straight(width, height) }
    }

    /// The pixels as they are.
    pub fn keep(color: Color) -> Self {
        Self { resize: Resize::Keep, color, ..Self::straight(0, 0) }
    }

    /// The same with another color.
    pub fn with_color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    /// Width and height of what is stored, or `None` where the source decides.
    pub fn size(&self) -> Option<(usize, usize)> {
        match (self.resize.size(), self.crop) {
            (Some(size), _) => Some(size),
            (None, Crop::Center { width, height }) => Some((width, height)),
            (None, Crop::None) => None,
        }
    }

    /// Shape of what is stored from pictures of `(width, height)`.
    pub(crate) fn shape(&self, (width, height): (usize, usize)) -> ImageShape {
        let (width, height) = self.size().unwrap_or((width, height));
        ImageShape { channels: self.color.channels(), height, width }
    }
}

impl std::fmt::Display for Transform {
    /// `centre 178×178, straight to 64×64 (bilinear), RGB`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Crop::Center { width, height } = self.crop {
            write!(f, "centre {width}×{height}, ")?;
        }
        let filter = match self.filter {
            Filter::Box => "box",
            Filter::Bilinear => "bilinear",
            Filter::Bicubic => "bicubic",
            Filter::Lanczos => "Lanczos",
        };
        match self.resize {
            Resize::Keep => write!(f, "size kept")?,
            Resize::Straight { width, height } => {
                write!(f, "straight to {width}×{height} ({filter})")?;
            }
            Resize::ShorterSide { width, height } => {
                write!(f, "centre at {width}×{height} ({filter})")?;
            }
        }
        f.write_str(if self.color == Color::Gray { ", gray" } else { ", RGB" })
    }
}

impl std::str::FromStr for Crop {
    type Err = String;

    /// `none`, or the size of the centre: `178`, `148x148`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        parse_size(text).map(|(width, height)| Self::Center { width, height })
    }
}

/// Reads `64`, or `96x64` for width × height.
pub fn parse_size(text: &str) -> Result<(usize, usize), String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=MAX_STORED).contains(side));
    let size = match text.split_once(['x', '×']) {
        Some((width, height)) => side(width).zip(side(height)),
        None => side(text).map(|side| (side, side)),
    };
    size.ok_or_else(|| format!("expected N or WxH, each of 1 to {MAX_STORED} pixels, got {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_change_what_they_name() {
        let celeba = Transform::straight(64, 64);
        let check = |options: TransformOptions, expected: Transform| {
            assert_eq!(options.over(celeba), expected, "{options:?}");
        };
        check(TransformOptions::default(), celeba);
        check(TransformOptions::square(32), Transform::straight(32, 32));
        let mode = Some(ResizeMode::ShorterSide);
        check(TransformOptions { mode, ..Default::default() }, Transform::shorter_side(64, 64));
        let crop = Crop::Center { width: 178, height: 178 };
        let mode = Some(ResizeMode::Keep);
        check(
            TransformOptions { crop: Some(crop), mode, ..Default::default() },
            Transform { crop, resize: Resize::Keep, ..celeba },
        );
        let digits = Transform::keep(Color::Gray);
        let resized = TransformOptions::square(32).over(digits);
        assert_eq!(resized.resize, Resize::Straight { width: 32, height: 32 });
        assert_eq!(resized.color, Color::Gray);
        assert_eq!(digits.size(), None);
    }

    #[test]
    fn a_transform_reads_as_a_sentence() {
        let crop = Crop::Center { width: 178, height: 178 };
        let celeba = Transform { crop, ..Transform::straight(64, 64) };
        assert_eq!(celeba.to_string(), "centre 178×178, straight to 64×64 (bilinear), RGB");
        assert_eq!(Transform::keep(Color::Gray).to_string(), "size kept, gray");
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_size("64"), Ok((64, 64)));
        assert_eq!(parse_size("96x64"), Ok((96, 64)));
        assert_eq!("178".parse(), Ok(Crop::Center { width: 178, height: 178 }));
        assert_eq!("none".parse(), Ok(Crop::None));
        for text in ["", "0", "x", "64x", "9000", "-3", "6 4"] {
            parse_size(text).expect_err(text);
        }
    }
}
