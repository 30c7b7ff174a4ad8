//! A picture while it is painted: tiny-skia under a transform and a light.

use gan_core::Image;
use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Paint, Path, Pixmap,
    RadialGradient, Shader, SpreadMode, Stroke, Transform,
};

use super::color::Rgb;
use super::curve::Point;

/// What a shape is filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ink {
    /// One color at an opacity in [0, 1].
    Flat(Rgb, f32),
    /// From the first color at the first point to the second at the second.
    Linear([Point; 2], [Rgb; 2]),
    /// A soft spot: the color at an opacity in the center, nothing at the radius.
    Spot(Point, f32, Rgb, f32),
}

impl From<Rgb> for Ink {
    fn from(color: Rgb) -> Self {
        Self::Flat(color, 1.0)
    }
}

/// How all colors change under the light of a scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tint {
    /// Factors of red, green and blue.
    pub(crate) gain: [f32; 3],
}

impl Tint {
    /// Leaves every color as it is.
    pub(crate) const NEUTRAL: Self = Self { gain: [1.0; 3] };

    fn apply(self, color: Rgb, opacity: f32) -> Color {
        let [r, g, b] = self.gain;
        let part = |value: f32| value.clamp(0.0, 1.0);
        Color::from_rgba(part(color.r * r), part(color.g * g), part(color.b * b), part(opacity))
            .unwrap_or(Color::BLACK)
    }
}

/// A square picture that shapes are painted on, one over the other.
pub(crate) struct Canvas {
    pixmap: Pixmap,
    transform: Transform,
    tint: Tint,
}

impl Canvas {
    /// A transparent canvas of `size`×`size` pixels, at least one, that is `units` wide in the
    /// coordinates of what will be painted.
    pub(crate) fn new(size: usize, units: f32, tint: Tint) -> Self {
        let size = u32::try_from(size.max(1)).unwrap_or(u32::MAX);
        let pixmap = Pixmap::new(size, size).expect("a picture of this size fits into memory");
        let scale = size as f32 / units;
        Self { pixmap, transform: Transform::from_scale(scale, scale), tint }
    }

    /// Paints with `inner` applied before the present transform, then goes back to that.
    pub(crate) fn within(&mut self, inner: Transform, paint: impl FnOnce(&mut Self)) {
        let outer = self.transform;
        self.transform = outer.pre_concat(inner);
        paint(self);
        self.transform = outer;
    }

    /// Fills a path; a path that could not be built paints nothing.
    pub(crate) fn fill(&mut self, path: Option<Path>, ink: impl Into<Ink>) {
        let Some(path) = path else { return };
        let paint = self.paint(ink.into());
        self.pixmap.fill_path(&path, &paint, FillRule::Winding, self.transform, None);
    }

    /// Strokes a path with round ends and corners.
    pub(crate) fn stroke(&mut self, path: Option<Path>, width: f32, ink: impl Into<Ink>) {
        let Some(path) = path else { return };
        let paint = self.paint(ink.into());
        let stroke = Stroke {
            width,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        self.pixmap.stroke_path(&path, &paint, &stroke, self.transform, None);
    }

    fn paint(&self, ink: Ink) -> Paint<'static> {
        let point = |(x, y): Point| tiny_skia::Point::from_xy(x, y);
        let stops = |colors: [Color; 2]| {
            vec![GradientStop::new(0.0, colors[0]), GradientStop::new(1.0, colors[1])]
        };
        let (fallback, gradient) = match ink {
            Ink::Flat(color, opacity) => (self.tint.apply(color, opacity), None),
            Ink::Linear([from, to], colors) => {
                let colors = colors.map(|color| self.tint.apply(color, 1.0));
                let (from, to) = (point(from), point(to));
                let same = Transform::identity();
                (colors[0], LinearGradient::new(from, to, stops(colors), SpreadMode::Pad, same))
            }
            Ink::Spot(center, radius, color, opacity) => {
                let colors = [opacity, 0.0].map(|opacity| self.tint.apply(color, opacity));
                let (center, same) = (point(center), Transform::identity());
                let stops = stops(colors);
                let pad = SpreadMode::Pad;
                (colors[1], RadialGradient::new(center, 0.0, center, radius, stops, pad, same))
            }
        };
        let shader = gradient.unwrap_or(Shader::SolidColor(fallback));
        Paint { shader, ..Paint::default() }
    }

    /// The picture in RGB, what was left unpainted black.
    pub(crate) fn into_rgb(self) -> Image {
        let size = self.pixmap.width() as usize;
        let pixels = self.pixmap.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        Image::new(size, size, 3, pixels).expect("three values a pixel")
    }

    /// How much was painted on each pixel, row by row: 0 is nothing, 255 all of it.
    pub(crate) fn coverage(&self) -> Vec<u8> {
        self.pixmap.data().chunks_exact(4).map(|pixel| pixel[3]).collect()
    }
}
