//! A drawing as pixels.

use tiny_skia::{FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Stroke, Transform};

use super::font;
use super::layout::{Anchor, Dots, Drawing, Ink, Line, Text, WIDTH};
use crate::error::{Error, Result};
use crate::image::Image;

/// Pixels for a unit of the drawing.
const SCALE: f32 = 2.0;
/// Color of text and axes on white.
const INK: [u8; 3] = [0x1F, 0x23, 0x28];

/// The whole drawing on white.
pub(super) fn render(drawing: &Drawing) -> Result<Image> {
    let (width, height) = ((WIDTH * SCALE) as u32, (drawing.height * SCALE) as u32);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| Error::Shape {
        expected: "a drawing of some size".into(),
        got: format!("{width}×{height} pixels"),
    })?;
    pixels.fill(tiny_skia::Color::WHITE);
    for dots in &drawing.dots {
        fill(&mut pixels, dots);
    }
    for line in &drawing.lines {
        stroke(&mut pixels, line);
    }
    for text in &drawing.texts {
        write(&mut pixels, text);
    }
    let rgb = pixels.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
    Image::new(width as usize, height as usize, 3, rgb)
}

/// Each dot by itself, so that they darken where they lie over one another.
fn fill(pixels: &mut Pixmap, dots: &Dots) {
    let paint = paint(dots.ink, dots.opacity);
    for &(x, y) in &dots.points {
        let Some(path) = PathBuilder::from_circle(x, y, dots.radius) else { continue };
        let place = Transform::from_scale(SCALE, SCALE);
        pixels.fill_path(&path, &paint, FillRule::Winding, place, None);
    }
}

fn stroke(pixels: &mut Pixmap, line: &Line) {
    let mut path = PathBuilder::new();
    for (i, &(x, y)) in line.points.iter().enumerate() {
        match i {
            0 => path.move_to(x, y),
            _ => path.line_to(x, y),
        }
    }
    let Some(path) = path.finish() else { return };
    let style = Stroke {
        width: line.width,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Stroke::default()
    };
    let paint = paint(line.ink, line.opacity);
    pixels.stroke_path(&path, &paint, &style, Transform::from_scale(SCALE, SCALE), None);
}

fn write(pixels: &mut Pixmap, text: &Text) {
    let Some(path) = font::outline(&text.text, text.size) else { return };
    let width = font::width(&text.text, text.size);
    let shift = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let turn = if text.upwards { Transform::from_rotate(-90.0) } else { Transform::identity() };
    let (x, y) = text.at;
    let place = turn.pre_translate(shift, 0.0).post_translate(x, y).post_scale(SCALE, SCALE);
    pixels.fill_path(&path, &paint(Ink::Text, text.opacity), FillRule::Winding, place, None);
}

fn paint(ink: Ink, opacity: f32) -> Paint<'static> {
    let [r, g, b] = match ink {
        Ink::Text => INK,
        Ink::Color(color) => color,
    };
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, (opacity * 255.0).round() as u8);
    paint
}
