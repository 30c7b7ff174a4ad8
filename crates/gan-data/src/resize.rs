//! A [`Transform`] carried out.

use gan_core::{Image, ImageShape};

use crate::pillow::PillowResizer;
use crate::transform::{Color, Crop, Resize, Transform};

/// A picture that is long and thin has many pixels when its shorter side fits; more are not resized.
const MAX_RESIZED: usize = 1 << 25;

/// Carries out transforms; keeps its buffers from picture to picture.
#[derive(Default)]
pub(crate) struct Resizer {
    resizer: PillowResizer,
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
        let cropped;
        let image = match transform.crop {
            Crop::None => image,
            Crop::Center { width, height } => {
                cropped = centre(image, width, height)?;
                &cropped
            }
        };
        let (target, crop) = geometry(image, transform.resize, shape)?;
        let most = MAX_RESIZED.max(8 * shape.width * shape.height);
        if target.0.saturating_mul(target.1) > most {
            let (w, h) = (image.width(), image.height());
            return Err(format!(
                "{w}×{h} pixels are too thin for {}×{}",
                shape.width, shape.height
            ));
        }
        let pixels = if target == (image.width(), image.height()) {
            image.pixels()
        } else {
            let from = (image.width(), image.height());
            let (filter, out) = (transform.filter, &mut self.resized);
            self.resizer.resample(image.pixels(), from, image.channels(), target, filter, out);
            out.as_slice()
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
            Ok((target, (half(target.0 - width), half(target.1 - height))))
        }
    }
}

/// The centre of a picture, torchvision's `CenterCrop`.
fn centre(image: &Image, width: usize, height: usize) -> Result<Image, String> {
    let (w, h, channels) = (image.width(), image.height(), image.channels());
    if w < width || h < height {
        return Err(format!("{w}×{h} pixels are less than the crop of {width}×{height}"));
    }
    let (left, top) = (half(w - width), half(h - height));
    let rows = image.pixels().chunks_exact(w * channels).skip(top).take(height);
    let pixels = rows.flat_map(|row| &row[left * channels..][..width * channels]);
    Image::new(width, height, channels, pixels.copied().collect()).map_err(|e| e.to_string())
}

/// Half of what is left over, to the nearest, halves to even.
fn half(spare: usize) -> usize {
    (spare as f64 / 2.0).round_ties_even() as usize
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
    use std::f64::consts::PI;

    use super::*;
    use crate::transform::Filter;

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

    /// The filters by their definitions, at a distance in pixels.
    fn kernel(filter: Filter, x: f64) -> f64 {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        match (filter, x.abs()) {
            (Filter::Box, x) => f64::from(u8::from(x <= 0.5)),
            (Filter::Bilinear, x) => (1.0 - x).max(0.0),
            (Filter::Bicubic, x) if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            (Filter::Bicubic, x) if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            (Filter::Lanczos, x) if x < 3.0 => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }

    /// One channel by the definition: the kernel widened to the size of a target pixel, f64, weights that
    /// add up to 1 within the picture.
    fn reference(
        image: &Image,
        channel: usize,
        (width, height): (usize, usize),
        filter: Filter,
    ) -> Vec<f64> {
        let weights = |from: usize, to: usize, at: usize| -> Vec<f64> {
            let scale = from as f64 / to as f64;
            let centre = (at as f64 + 0.5) * scale;
            let raw = (0..from).map(|i| kernel(filter, (i as f64 + 0.5 - centre) / scale.max(1.0)));
            let raw: Vec<f64> = raw.collect();
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

    const FILTERS: [Filter; 4] = [Filter::Box, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos];

    #[test]
    fn resampling_is_what_the_filters_define() {
        // Twice down, CelebA's proportions, up, and not square. A pixel on the box's edge is taken by one
        // neighbour or by both, so that sizes for it have no edges in common.
        for (from, to) in [((16, 16), (8, 8)), ((178, 218), (64, 64)), ((5, 7), (12, 9))] {
            for (filter, channels) in FILTERS.into_iter().flat_map(|f| [(f, 1), (f, 3)]) {
                if filter == Filter::Box && from != (16, 16) {
                    continue;
                }
                // In the middle of the range: between the passes values are clipped, which the definition
                // in one pass does not.
                let pixels = noise(from.0, from.1, channels).pixels().to_vec();
                let pixels = pixels.iter().map(|value| 96 + value / 4).collect();
                let image = Image::new(from.0, from.1, channels, pixels).expect("sizes agree");
                let color = if channels == 1 { Color::Gray } else { Color::Rgb };
                let straight = Transform::straight(to.0, to.1).with_color(color);
                let planes = transformed(&image, Transform { filter, ..straight });
                for (c, plane) in planes.chunks_exact(to.0 * to.1).enumerate() {
                    for (got, expected) in plane.iter().zip(reference(&image, c, to, filter)) {
                        // Both passes are rounded; negative lobes amplify what the first one rounds.
                        let off = (f64::from(*got) - expected).abs();
                        assert!(off <= 1.3, "{filter:?}: {got}, not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_thin_picture_is_refused_before_it_takes_memory() {
        let image = noise(1, 30_000, 1);
        let mut planes = vec![0; 3 * 256 * 256];
        let shape = ImageShape { channels: 3, height: 256, width: 256 };
        let transform = Transform::shorter_side(256, 256);
        let reason = Resizer::default().fill(&image, &transform, shape, &mut planes);
        assert_eq!(reason, Err("1×30000 pixels are too thin for 256×256".into()));
        let image = noise(20, 2_000, 1);
        Resizer::default().fill(&image, &transform, shape, &mut planes).expect("1:100");
    }

    #[test]
    fn a_crop_takes_the_centre() {
        let image = noise(178, 218, 3);
        let crop = Crop::Center { width: 178, height: 178 };
        let kept = Transform { crop, ..Transform::keep(Color::Rgb) };
        let planes = transformed(&image, kept);
        assert_eq!(planes.len(), 3 * 178 * 178);
        assert_eq!(planes[178 * 178 + 5], image.pixel(5, 20)[1]);
        let small = noise(100, 218, 3);
        let shape = kept.shape((178, 178));
        let mut planes = vec![0; shape.bytes()];
        let reason = Resizer::default().fill(&small, &kept, shape, &mut planes);
        assert_eq!(reason, Err("100×218 pixels are less than the crop of 178×178".into()));
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
