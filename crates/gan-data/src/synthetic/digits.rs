//! Handwritten digits as strokes, white on black and centered as MNIST's are: the longer side of the
//! bounding box fills 20 of 28 pixels, and the center of mass is in the middle.
//!
//! A [`Glyph`] is a digit as one hand wrote it: the points of a template, moved a little, under a
//! random affine map. [`Glyph::paint`] draws no random number.

mod templates;

use gan_core::{Image, Stream};

use super::canvas::{Canvas, Ink, Tint};
use super::color::Rgb;
use super::curve::{self, Point};
use templates::TEMPLATES;

/// Share of the picture that the longer side of a digit fills.
const EXTENT: f32 = 20.0 / 28.0;

/// A digit as one hand wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Glyph {
    /// What it is, 0 to 9.
    pub digit: u8,
    /// Points that each stroke of the pen passes; the picture is the unit square.
    pub strokes: Vec<Vec<(f32, f32)>>,
    /// Width of the pen against the width of the picture.
    pub pen: f32,
    /// Brightness of the ink in [0, 1].
    pub ink: f32,
    /// How far the ink runs, from sharp, 0, to soft, 1.
    pub softness: f32,
}

impl Glyph {
    /// Writes `digit`, which must be below 10, in a hand drawn from `stream`.
    pub fn sample(digit: u8, stream: &mut Stream) -> Self {
        let variants = TEMPLATES[usize::from(digit)];
        let template = variants[stream.below(variants.len())];
        let jitter = stream.uniform(0.008, 0.03);
        let strokes: Vec<Vec<Point>> = template
            .iter()
            .map(|stroke| stroke.iter().map(|&point| moved(point, jitter, stream)).collect())
            .collect();
        let pen = stream.uniform(0.055, 0.125);
        let map = Affine::sample(stream);
        // The template is the middle of the pen's track.
        let extent = EXTENT * stream.uniform(0.94, 1.04) - pen;
        Self {
            digit,
            strokes: placed(strokes, &map, extent, 0.05 + pen / 2.0),
            pen,
            ink: stream.uniform(0.88, 1.0),
            softness: stream.uniform(0.3, 1.0),
        }
    }

    /// Paints the digit in gray, `size`×`size` pixels.
    pub fn paint(&self, size: usize) -> Image {
        let mut canvas = Canvas::new(size, 1.0, Tint::NEUTRAL);
        for stroke in &self.strokes {
            canvas.stroke(curve::open(stroke), self.pen, Ink::Flat(Rgb::WHITE, 1.0));
        }
        // Chosen by eye to look as MNIST at 28 pixels; larger pictures are blurred a little more.
        let share = 0.22 * self.softness * (size as f32 / 28.0).min(1.5);
        let pixels = softened(&canvas.coverage(), size.max(1), share, self.ink);
        Image::new(size.max(1), size.max(1), 1, pixels).expect("one value a pixel")
    }
}

/// Digit `index` of the set `seed`: a gray picture of `size`×`size` pixels and its label, 0 to 9. Every
/// ten successive digits, counted from 0, hold each label once.
pub fn draw(seed: u64, index: u64, size: usize) -> (Image, u8) {
    let digit = label(seed, index);
    let mut stream = Stream::indexed("synthetic.digits", seed, index);
    (Glyph::sample(digit, &mut stream).paint(size), digit)
}

/// The label of digit `index` of the set `seed`.
pub fn label(seed: u64, index: u64) -> u8 {
    let mut labels: [u8; 10] = std::array::from_fn(|digit| digit as u8);
    Stream::indexed("synthetic.digits.labels", seed, index / 10).shuffle(&mut labels);
    labels[(index % 10) as usize]
}

/// Slant, rotation and proportion of a hand.
struct Affine {
    slant: f32,
    angle: f32,
    stretch: f32,
}

impl Affine {
    fn sample(stream: &mut Stream) -> Self {
        Self {
            slant: 0.12 + 0.16 * stream.normal().clamp(-2.0, 2.0),
            angle: 0.07 * stream.normal().clamp(-2.0, 2.0),
            stretch: stream.uniform(0.8, 1.2),
        }
    }

    fn apply(&self, (x, y): Point) -> Point {
        let (x, y) = (self.stretch * x - self.slant * y, y);
        let (sin, cos) = self.angle.sin_cos();
        (x * cos - y * sin, x * sin + y * cos)
    }
}

fn moved((x, y): Point, jitter: f32, stream: &mut Stream) -> Point {
    let mut shift = || jitter * stream.normal().clamp(-2.0, 2.0);
    (x + shift(), y + shift())
}

/// Maps strokes, scales their longer side to `extent` and puts their center of mass into the middle, or
/// as near to it as leaves `margin` free at the edges.
fn placed(mut strokes: Vec<Vec<Point>>, map: &Affine, extent: f32, margin: f32) -> Vec<Vec<Point>> {
    for point in strokes.iter_mut().flatten() {
        *point = map.apply(*point);
    }
    let (mut low, mut high) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
    for &(x, y) in strokes.iter().flatten() {
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x), high.1.max(y));
    }
    let scale = extent / (high.0 - low.0).max(high.1 - low.1).max(1e-3);
    let center = center_of_mass(&strokes);
    // A digit whose mass is far from its middle stays inside of the picture.
    let fit = |center: f32, low: f32, high: f32| {
        let reach = (0.5 - margin) / scale;
        center.max(high - reach).min(low + reach)
    };
    let center = (fit(center.0, low.0, high.0), fit(center.1, low.1, high.1));
    for point in strokes.iter_mut().flatten() {
        *point = (0.5 + (point.0 - center.0) * scale, 0.5 + (point.1 - center.1) * scale);
    }
    strokes
}

/// Mean place of the ink: each straight piece counts at its middle by its length.
fn center_of_mass(strokes: &[Vec<Point>]) -> Point {
    let (mut x, mut y, mut total) = (0.0, 0.0, 1e-6);
    for piece in strokes.iter().flat_map(|stroke| stroke.windows(2)) {
        let [a, b] = [piece[0], piece[1]];
        let length = (a.0 - b.0).hypot(a.1 - b.1);
        x += length * (a.0 + b.0) / 2.0;
        y += length * (a.1 + b.1) / 2.0;
        total += length;
    }
    (x / total, y / total)
}

/// Blurs with the separable kernel (share, 1, share), normalized, and scales by `ink`. Nothing is
/// beyond the edges.
fn softened(coverage: &[u8], size: usize, share: f32, ink: f32) -> Vec<u8> {
    let values: Vec<f32> = coverage.iter().map(|&value| f32::from(value)).collect();
    let value = |x: usize, y: usize| values[y * size + x];
    let blend = |at: usize, line: &dyn Fn(usize) -> f32| {
        let before = at.checked_sub(1).map_or(0.0, line);
        let after = if at + 1 < size { line(at + 1) } else { 0.0 };
        (line(at) + share * (before + after)) / (1.0 + 2.0 * share)
    };
    let mut rows = vec![0.0; values.len()];
    for (i, out) in rows.iter_mut().enumerate() {
        *out = blend(i % size, &|x| value(x, i / size));
    }
    // Ink saturates, so that the inside of a stroke stays white in spite of the blur.
    let saturated = |value: f32| ((value * 1.12).min(255.0) * ink).round() as u8;
    (0..rows.len()).map(|i| saturated(blend(i / size, &|y| rows[y * size + i % size]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ink of a picture and its center of mass, in pixels.
    fn mass(image: &Image) -> (f32, f32, f32) {
        let (mut total, mut x, mut y) = (0.0, 0.0, 0.0);
        for (i, &value) in image.pixels().iter().enumerate() {
            let ink = f32::from(value) / 255.0;
            total += ink;
            x += ink * ((i % image.width()) as f32 + 0.5);
            y += ink * ((i / image.width()) as f32 + 0.5);
        }
        (total, x / total, y / total)
    }

    #[test]
    fn the_same_index_is_the_same_digit_and_no_other() {
        let all: Vec<_> = (0..50).map(|index| draw(3, index, 28)).collect();
        for (index, one) in (0..).zip(&all) {
            assert_eq!(*one, draw(3, index, 28));
            assert_ne!(one.0, draw(4, index, 28).0);
        }
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other.0 != one.0));
        }
    }

    #[test]
    fn ten_in_a_row_hold_every_label() {
        for block in 0..20 {
            let mut labels: Vec<u8> = (0..10).map(|i| draw(1, block * 10 + i, 28).1).collect();
            labels.sort_unstable();
            assert_eq!(labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
    }

    #[test]
    fn every_size_has_a_centered_digit() {
        for size in [28, 32, 45, 64, 128] {
            for index in 0..40 {
                let (image, label) = draw(7, index, size);
                assert_eq!((image.width(), image.height(), image.channels()), (size, size, 1));
                let (ink, x, y) = mass(&image);
                let share = ink / (size * size) as f32;
                assert!((0.02..0.4).contains(&share), "{label} of {size}: {share} is ink");
                // Overlapping strokes count once in the picture, twice in what was centered.
                let off = (x - size as f32 / 2.0).hypot(y - size as f32 / 2.0) / size as f32;
                assert!(off < 0.08, "{label} of {size} is {off} off the middle");
            }
        }
    }

    #[test]
    fn ink_ends_before_the_edge() {
        for index in 0..500 {
            let (image, label) = draw(5, index, 28);
            for i in 0..28 {
                for (x, y) in [(i, 0), (i, 27), (0, i), (27, i)] {
                    assert!(image.pixel(x, y)[0] < 40, "{label} of index {index} touches the edge");
                }
            }
        }
    }

    /// Labels are true: even the nearest mean picture tells most digits.
    #[test]
    fn digits_are_told_apart() {
        let floats =
            |image: &Image| -> Vec<f32> { image.pixels().iter().map(|&v| f32::from(v)).collect() };
        let mut means = vec![vec![0.0f32; 28 * 28]; 10];
        for index in 0..2000 {
            let (image, label) = draw(0, index, 28);
            for (mean, value) in means[usize::from(label)].iter_mut().zip(floats(&image)) {
                *mean += value / 200.0;
            }
        }
        let right = (0..500).filter(|index| {
            let (image, label) = draw(1, *index, 28);
            let pixels = floats(&image);
            let distance = |mean: &[f32]| -> f32 {
                mean.iter().zip(&pixels).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let nearest =
                (0..10).min_by(|a, b| distance(&means[*a]).total_cmp(&distance(&means[*b])));
            nearest == Some(usize::from(label))
        });
        let right = right.count();
        assert!(right > 350, "{right} of 500");
    }
}
