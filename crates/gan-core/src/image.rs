//! Pictures in memory: 8-bit, gray or RGB, and their way to and from tensors.
//!
//! Networks see `[N, C, H, W]` f32 in [-1, 1]; files and shards hold u8. The two are linked by
//! `x = pixel / 127.5 − 1`.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::file::write_atomic;

/// Channels, height and width that the pictures of a data set or model share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// 1 (gray) or 3 (RGB).
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl ImageShape {
    /// Bytes of one u8 picture.
    pub fn bytes(self) -> usize {
        self.channels * self.height * self.width
    }
}

impl std::fmt::Display for ImageShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.channels == 1 { "gray" } else { "RGB" };
        write!(f, "{}×{} {kind}", self.width, self.height)
    }
}

/// A picture: rows of interleaved 8-bit pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    channels: usize,
    pixels: Vec<u8>, // [H, W, C]
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}×{}×{})", self.width, self.height, self.channels)
    }
}

impl Image {
    /// A picture from its pixels in `[H, W, C]` order; 1 (gray) or 3 (RGB) channels.
    pub fn new(width: usize, height: usize, channels: usize, pixels: Vec<u8>) -> Result<Self> {
        if !matches!(channels, 1 | 3) || pixels.len() != width * height * channels {
            return Err(Error::Shape {
                expected: format!("{width}×{height} pixels of 1 or 3 channels"),
                got: format!("{} bytes for {channels} channels", pixels.len()),
            });
        }
        Ok(Self { width, height, channels, pixels })
    }

    /// A picture of one color; `color` has one value a channel.
    pub fn filled(width: usize, height: usize, color: &[u8]) -> Result<Self> {
        Self::new(width, height, color.len(), color.repeat(width * height))
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// 1 for gray, 3 for RGB.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// All pixels, `[H, W, C]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The values of one pixel, one a channel.
    pub fn pixel(&self, x: usize, y: usize) -> &[u8] {
        let at = (y * self.width + x) * self.channels;
        &self.pixels[at..at + self.channels]
    }

    /// Sets one pixel; `color` has one value a channel.
    pub fn set_pixel(&mut self, x: usize, y: usize, color: &[u8]) {
        let at = (y * self.width + x) * self.channels;
        self.pixels[at..at + self.channels].copy_from_slice(color);
    }

    /// The same picture with three channels.
    pub fn to_rgb(&self) -> Self {
        if self.channels == 3 {
            return self.clone();
        }
        let pixels = self.pixels.iter().flat_map(|&v| [v, v, v]).collect();
        Self { channels: 3, pixels, ..*self }
    }

    /// Enlarged by a whole factor, every pixel a square.
    pub fn enlarged(&self, factor: usize) -> Self {
        let factor = factor.max(1);
        let mut pixels = Vec::with_capacity(self.pixels.len() * factor * factor);
        for row in self.pixels.chunks_exact(self.width * self.channels) {
            let wide: Vec<u8> =
                row.chunks_exact(self.channels).flat_map(|pixel| pixel.repeat(factor)).collect();
            for _ in 0..factor {
                pixels.extend_from_slice(&wide);
            }
        }
        let (width, height) = (self.width * factor, self.height * factor);
        Self { width, height, channels: self.channels, pixels }
    }

    /// Copies `other` into this picture with its upper left corner at `(x, y)`; it must fit and have
    /// the same number of channels.
    pub fn paste(&mut self, other: &Image, x: usize, y: usize) {
        assert_eq!(self.channels, other.channels, "pictures of different kinds");
        let row_bytes = other.width * other.channels;
        for (i, row) in other.pixels.chunks_exact(row_bytes).enumerate() {
            let at = ((y + i) * self.width + x) * self.channels;
            self.pixels[at..at + row_bytes].copy_from_slice(row);
        }
    }

    /// Reads a picture file: gray stays gray, everything else becomes RGB.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs_err::read(path)?;
        let decoded = ::image::load_from_memory(&bytes)
            .map_err(|e| Error::Picture { path: path.into(), reason: e.to_string() })?;
        let (width, height) = (decoded.width() as usize, decoded.height() as usize);
        let gray = matches!(decoded.color(), ::image::ColorType::L8 | ::image::ColorType::L16);
        if gray {
            Self::new(width, height, 1, decoded.into_luma8().into_raw())
        } else {
            Self::new(width, height, 3, decoded.into_rgb8().into_raw())
        }
    }

    /// Writes a PNG; the file is there whole or not at all.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        write_atomic(path, |file| Ok(std::io::Write::write_all(file, &self.png_bytes()?)?))
    }

    /// The picture as the bytes of a PNG file.
    pub fn png_bytes(&self) -> Result<Vec<u8>> {
        let color = match self.channels {
            1 => ::image::ExtendedColorType::L8,
            _ => ::image::ExtendedColorType::Rgb8,
        };
        let mut bytes = Vec::new();
        ::image::ImageEncoder::write_image(
            ::image::codecs::png::PngEncoder::new(&mut bytes),
            &self.pixels,
            self.width as u32,
            self.height as u32,
            color,
        )
        .map_err(|e| Error::Picture { path: "PNG".into(), reason: e.to_string() })?;
        Ok(bytes)
    }
}

/// Pictures of one size as a tensor u8 `[N, C, H, W]`.
pub fn to_tensor(images: &[Image], device: &Device) -> Result<Tensor> {
    let Some(first) = images.first() else {
        return Err(Error::Shape { expected: "at least one picture".into(), got: "none".into() });
    };
    let (w, h, c) = (first.width, first.height, first.channels);
    let mut planes = vec![0u8; images.len() * c * h * w];
    for (image, out) in images.iter().zip(planes.chunks_exact_mut(c * h * w)) {
        if (image.width, image.height, image.channels) != (w, h, c) {
            return Err(Error::Shape {
                expected: format!("{first:?}, as the first picture"),
                got: format!("{image:?}"),
            });
        }
        for (channel, plane) in out.chunks_exact_mut(h * w).enumerate() {
            for (value, pixel) in plane.iter_mut().zip(image.pixels.chunks_exact(c)) {
                *value = pixel[channel];
            }
        }
    }
    Ok(Tensor::from_vec(planes, (images.len(), c, h, w), device)?)
}

/// u8 pixels to f32 in [-1, 1], any shape.
pub fn normalize(pixels: &Tensor) -> Result<Tensor> {
    Ok(pixels.to_dtype(DType::F32)?.affine(1.0 / 127.5, -1.0)?)
}

/// f32 in [-1, 1] to u8 pixels, rounded to the nearest and clipped; any shape.
pub fn quantize(images: &Tensor) -> Result<Tensor> {
    let pixels = images.affine(127.5, 127.5)?.round()?.clamp(0f32, 255f32)?;
    Ok(pixels.to_dtype(DType::U8)?)
}

/// A tensor `[N, C, H, W]`, u8 pixels or floats in [-1, 1], as pictures.
pub fn from_tensor(images: &Tensor) -> Result<Vec<Image>> {
    let (n, c, h, w) = images.dims4()?;
    let pixels = match images.dtype() {
        DType::U8 => images.clone(),
        _ => quantize(&images.to_dtype(DType::F32)?)?,
    };
    let pixels = pixels.to_device(&Device::Cpu)?.permute((0, 2, 3, 1))?; // [N, H, W, C]
    let pixels = pixels.flatten_all()?.to_vec1::<u8>()?;
    let size = c * h * w;
    (0..n).map(|i| Image::new(w, h, c, pixels[i * size..(i + 1) * size].to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(width: usize, height: usize, channels: usize) -> Image {
        let pixels = (0..width * height * channels).map(|i| (i * 7 % 256) as u8).collect();
        Image::new(width, height, channels, pixels).expect("sizes agree")
    }

    #[test]
    fn tensor_round_trip_keeps_every_pixel() -> Result<()> {
        for channels in [1, 3] {
            let images = vec![gradient(5, 3, channels), gradient(5, 3, channels)];
            let tensor = to_tensor(&images, &Device::Cpu)?;
            assert_eq!(tensor.dims(), [2, channels, 3, 5]);
            assert_eq!(from_tensor(&normalize(&tensor)?)?, images);
            assert_eq!(from_tensor(&tensor)?, images);
        }
        Ok(())
    }

    #[test]
    fn every_byte_survives_normalization() -> Result<()> {
        let bytes = Tensor::from_vec((0..=255u8).collect::<Vec<_>>(), 256, &Device::Cpu)?;
        let values = normalize(&bytes)?.to_vec1::<f32>()?;
        assert_eq!((values[0], values[255]), (-1.0, 1.0));
        let back = quantize(&normalize(&bytes)?)?.to_vec1::<u8>()?;
        assert_eq!(back, bytes.to_vec1::<u8>()?);
        Ok(())
    }

    #[test]
    fn values_out_of_range_are_clipped() -> Result<()> {
        let values = Tensor::new(&[-7f32, -1.0, 1.0, 9.0], &Device::Cpu)?;
        assert_eq!(quantize(&values)?.to_vec1::<u8>()?, [0, 0, 255, 255]);
        Ok(())
    }

    #[test]
    fn png_round_trip() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for channels in [1, 3] {
            let path = folder.path().join("a.png");
            let image = gradient(9, 4, channels);
            image.write_png(&path)?;
            assert_eq!(Image::read(&path)?, image);
        }
        Ok(())
    }

    #[test]
    fn what_is_no_picture_is_named() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.png");
        fs_err::write(&path, "hello")?;
        let message = Image::read(&path).expect_err("not a picture").to_string();
        assert!(message.contains("a.png"), "{message}");
        Ok(())
    }

    #[test]
    fn enlarging_repeats_pixels() {
        let image = Image::new(2, 1, 1, vec![1, 2]).expect("sizes agree");
        assert_eq!(image.enlarged(2).pixels(), [1, 1, 2, 2, 1, 1, 2, 2]);
    }
}
