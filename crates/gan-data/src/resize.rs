//! A [`Transform`] carried out: resampling by `fast_image_resize`, whose 16-bit weights come within
//! one gray level of Pillow's.

use fast_image_resize as fir;
use gan_core::Image;

use crate::transform::{Color, Filter, Resize, Transform};
use gan_core::ImageShape;

/// Carries out transforms; keeps its buffers from picture to picture.
#[derive(Default)]
pub(crate) struct Resizer {
    resizer: fir::Resizer,
    resized: Vec<u8>, // [H, W, C]
}

impl Resizer {
    /// Transforms a picture into planes `[C, H, W]` of `shape`. The error is a reason.
    pub(crate) fn fill(
        &mut self,
        image: &Image,
        transform: &Transform,
        shape: ImageShape,
        planes: &mut [u8],
    ) -> Result<(), String> {
        let (target, crop) = geometry(image, transform.resize, shape)?;
        let pixels = if target == (image.width(), image.height()) {
            image.pixels()
        } else {
            self.resample(image, target, transform.filter)?;
            &self.resized
        };
        let window = Window { stride: target.0, left: crop.0, top: crop.1 };
        match (image.channels(), transform.color) {
            (1, _) => {
                let (first, rest) = planes.split_at_mut(shape.height * shape.width);
                window.copy(pixels, shape, first, |p: &[u8; 1]| p[0]);
                rest.chunks_exact_mut(first.len()).for_each(|plane| plane.copy_from_slice(first));
            }
            (_, Color::Gray) => window.copy(pixels, shape, planes, luma),
            (_, Color::Rgb) => {
                for (c, plane) in planes.chunks_exact_mut(shape.height * shape.width).enumerate() {
                    window.copy(pixels, shape, plane, |p: &[u8; 3]| p[c]);
                }
            }
        }
        Ok(())
    }

    fn resample(
        &mut self,
        image: &Image,
        size: (usize, usize),
        filter: Filter,
    ) -> Result<(), String> {
        match image.channels() {
            1 => self.resample_as::<fir::pixels::U8>(image, size, filter),
            _ => self.resample_as::<fir::pixels::U8x3>(image, size, filter),
        }
    }

    /// For one pixel type: the form for any type would compile the resampler for all fourteen.
    fn resample_as<P: fir::PixelTrait>(
        &mut self,
        image: &Image,
        (width, height): (usize, usize),
        filter: Filter,
    ) -> Result<(), String> {
        let (w, h) = (image.width() as u32, image.height() as u32);
        let source = fir::images::TypedImageRef::<P>::from_buffer(w, h, image.pixels())
            .map_err(|e| e.to_string())?;
        self.resized.resize(width * height * image.channels(), 0);
        let (w, h) = (width as u32, height as u32);
        let mut out = fir::images::TypedImage::<P>::from_buffer(w, h, &mut self.resized)
            .map_err(|e| e.to_string())?;
        let filter = match filter {
            Filter::Bilinear => fir::FilterType::Bilinear,
        };
        let options = fir::ResizeOptions::new()
            .resize_alg(fir::ResizeAlg::Convolution(filter))
            .use_alpha(false);
        self.resizer.resize_typed(&source, &mut out, &options).map_err(|e| e.to_string())
    }
}

/// Size to resample to, and the corner of the part that is kept of that.
type Geometry = ((usize, usize), (usize, usize));

/// Torchvision's `Resize` and `CenterCrop`: the longer side is rounded down, the crop's corner to
/// the nearest, halves to even.
fn geometry(image: &Image, resize: Resize, shape: ImageShape) -> Result<Geometry, String> {
    let (w, h) = (image.width(), image.height());
    match resize {
        Resize::Keep if (w, h) != (shape.width, shape.height) => {
            Err(format!("{w}×{h} pixels, the others have {}×{}", shape.width, shape.height))
        }
        Resize::Keep | Resize::Straight { .. } => Ok(((shape.width, shape.height), (0, 0))),
        Resize::ShorterSide { width, height } => {
            // Compares w/width with h/height in whole numbers.
            let target = if w * height <= h * width {
                (width, (h * width / w).max(height))
            } else {
                ((w * height / h).max(width), height)
            };
            let half = |spare: usize| (spare as f64 / 2.0).round_ties_even() as usize;
            Ok((target, (half(target.0 - width), half(target.1 - height))))
        }
    }
}

/// The part of interleaved pixels that is kept.
struct Window {
    stride: usize,
    left: usize,
    top: usize,
}

impl Window {
    /// Copies the window pixel by pixel into a plane `[H, W]`.
    fn copy<const C: usize>(
        &self,
        pixels: &[u8],
        shape: ImageShape,
        plane: &mut [u8],
        value: impl Fn(&[u8; C]) -> u8,
    ) {
        let (pixels, _) = pixels.as_chunks::<C>();
        for (y, row) in plane.chunks_exact_mut(shape.width).enumerate() {
            let at = (self.top + y) * self.stride + self.left;
            for (out, pixel) in row.iter_mut().zip(&pixels[at..at + shape.width]) {
                *out = value(pixel);
            }
        }
    }
}

/// ITU-R 601 luma in 16-bit fixed point, as Pillow's.
fn luma(&[r, g, b]: &[u8; 3]) -> u8 {
    ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: usize, height: usize, channels: usize) -> Image {
        let mut stream = gan_core::Stream::named("noise", 1);
        let pixels = (0..width * height * channels).map(|_| stream.below(256) as u8).collect();
        Image::new(width, height, channels, pixels).expect("sizes agree")
    }

    fn transformed(image: &Image, transform: Transform) -> Vec<u8> {
        let shape = transform.shape((image.width(), image.height()));
        let mut planes = vec![0; shape.bytes()];
        Resizer::default().fill(image, &transform, shape, &mut planes).expect("a valid transform");
        planes
    }

    /// One channel by the definition: triangle of the width of a target pixel, f64, weights that add
    /// up to 1 within the picture.
    fn reference(image: &Image, channel: usize, (width, height): (usize, usize)) -> Vec<f64> {
        let weights = |from: usize, to: usize, at: usize| -> Vec<f64> {
            let scale = from as f64 / to as f64;
            let centre = (at as f64 + 0.5) * scale;
            let triangle =
                |i: usize| (1.0 - ((i as f64 + 0.5 - centre) / scale.max(1.0)).abs()).max(0.0);
            let raw: Vec<f64> = (0..from).map(triangle).collect();
            let sum: f64 = raw.iter().sum();
            raw.iter().map(|w| w / sum).collect()
        };
        let mut out = Vec::new();
        for y in 0..height {
            let rows = weights(image.height(), height, y);
            for x in 0..width {
                let columns = weights(image.width(), width, x);
                let mut sum = 0.0;
                for (j, row) in rows.iter().enumerate() {
                    for (i, column) in columns.iter().enumerate() {
                        sum += row * column * f64::from(image.pixel(i, j)[channel]);
                    }
                }
                out.push(sum);
            }
        }
        out
    }

    #[test]
    fn straight_resize_is_the_antialiased_triangle() {
        // Twice down, CelebA's proportions, up, and not square.
        for (from, to) in [((16, 16), (8, 8)), ((178, 218), (64, 64)), ((5, 7), (12, 9))] {
            for channels in [1, 3] {
                let image = noise(from.0, from.1, channels);
                let color = if channels == 1 { Color::Gray } else { Color::Rgb };
                let planes = transformed(&image, Transform::straight(to.0, to.1).with_color(color));
                for (c, plane) in planes.chunks_exact(to.0 * to.1).enumerate() {
                    for (got, expected) in plane.iter().zip(reference(&image, c, to)) {
                        // Rounded after each of two passes, with weights of 16 bits.
                        assert!((f64::from(*got) - expected).abs() <= 1.1, "{got}, not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn one_color_stays_that_color() {
        let image = Image::filled(50, 31, &[10, 130, 250]).expect("three channels");
        for transform in [Transform::straight(7, 5), Transform::shorter_side(64, 64)] {
            let planes = transformed(&image, transform);
            for (plane, value) in planes.chunks_exact(planes.len() / 3).zip([10, 130, 250]) {
                assert!(plane.iter().all(|v| *v == value));
            }
        }
    }

    #[test]
    fn shorter_side_keeps_the_centre_in_proportion() {
        // 8×4 whose left and right quarters are white: of 4×4 nothing white is left.
        let pixels = (0..32).map(|i| if (2..6).contains(&(i % 8)) { 0 } else { 255 }).collect();
        let image = Image::new(8, 4, 1, pixels).expect("sizes agree");
        let gray = Transform::shorter_side(4, 4).with_color(Color::Gray);
        assert_eq!(transformed(&image, gray), [0; 16]);
        let tall = noise(178, 218, 3);
        let shape = ImageShape { channels: 3, height: 64, width: 64 };
        let resize = Resize::ShorterSide { width: 64, height: 64 };
        assert_eq!(geometry(&tall, resize, shape), Ok(((64, 78), (0, 7))));
    }

    #[test]
    fn colors_are_converted_both_ways() {
        let image = Image::filled(2, 2, &[255, 0, 0]).expect("three channels");
        assert_eq!(transformed(&image, Transform::keep(Color::Gray)), [76; 4]);
        let gray = noise(3, 2, 1);
        let planes = transformed(&gray, Transform::keep(Color::Rgb));
        assert!(planes.chunks_exact(6).all(|plane| plane == gray.pixels()));
    }
}
