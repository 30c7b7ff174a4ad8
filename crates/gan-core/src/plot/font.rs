//! The bundled font: how wide a text is, and its outlines.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, OutlineCurve, Point};
use tiny_skia::{Path, PathBuilder};

/// Roboto Regular, cut down to Latin, Greek and common signs; see assets/README.md.
static ROBOTO: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../assets/Roboto-Latin.ttf");
    FontRef::try_from_slice(bytes).expect("the bundled file is a font")
});

/// Width of a line of text whose em is `size`.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    place_glyphs(text, size, |_, _| ())
}

/// Outlines of a line of text whose em is `size`, from (0, 0) on the baseline to the right; none
/// where nothing of it is visible.
pub(crate) fn outline(text: &str, size: f32) -> Option<Path> {
    let scale = size / units_per_em();
    let mut path = PathBuilder::new();
    place_glyphs(text, size, |glyph, left| {
        let Some(outline) = ROBOTO.outline(glyph) else { return };
        let at = |p: Point| (left + p.x * scale, -p.y * scale);
        let mut end = None;
        for curve in outline.curves {
            let start = match curve {
                OutlineCurve::Line(p, _)
                | OutlineCurve::Quad(p, ..)
                | OutlineCurve::Cubic(p, ..) => p,
            };
            if end != Some(start) {
                path.close();
                let (x, y) = at(start);
                path.move_to(x, y);
            }
            end = Some(draw(&mut path, curve, at));
        }
        path.close();
    });
    path.finish()
}

/// Adds one piece of an outline; returns where it ends, in units of the font.
fn draw(path: &mut PathBuilder, curve: OutlineCurve, at: impl Fn(Point) -> (f32, f32)) -> Point {
    match curve {
        OutlineCurve::Line(_, to) => {
            let (x, y) = at(to);
            path.line_to(x, y);
            to
        }
        OutlineCurve::Quad(_, control, to) => {
            let ((cx, cy), (x, y)) = (at(control), at(to));
            path.quad_to(cx, cy, x, y);
            to
        }
        OutlineCurve::Cubic(_, first, second, to) => {
            let ((ax, ay), (bx, by), (x, y)) = (at(first), at(second), at(to));
            path.cubic_to(ax, ay, bx, by, x, y);
            to
        }
    }
}

/// Calls `glyph(id, left)` for each character of a line; returns the line's width.
fn place_glyphs(text: &str, size: f32, mut glyph: impl FnMut(ab_glyph::GlyphId, f32)) -> f32 {
    let scale = size / units_per_em();
    let (mut left, mut before) = (0.0, None);
    for character in text.chars() {
        let id = ROBOTO.glyph_id(character);
        if let Some(before) = before {
            left += ROBOTO.kern_unscaled(before, id) * scale;
        }
        glyph(id, left);
        left += ROBOTO.h_advance_unscaled(id) * scale;
        before = Some(id);
    }
    left
}

fn units_per_em() -> f32 {
    ROBOTO.units_per_em().expect("the bundled font states it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_wide_as_its_letters() {
        assert_eq!(width("", 12.0), 0.0);
        let one = width("n", 12.0);
        assert!((5.0..8.0).contains(&one), "{one}");
        assert!((width("nnnn", 24.0) - 8.0 * one).abs() < 1e-3);
    }

    #[test]
    fn outlines_stand_on_the_baseline() {
        let bounds = outline("H", 100.0).expect("visible").bounds();
        assert!(bounds.bottom().abs() < 1.0 && (65.0..80.0).contains(&-bounds.top()));
        assert!(outline(" ", 12.0).is_none());
    }

    #[test]
    fn the_signs_of_the_field_are_there() {
        for sign in "−×·–—…λμσαβεéßøł°±²³≤≥≈∞".chars() {
            assert_ne!(ROBOTO.glyph_id(sign).0, 0, "{sign}");
        }
    }
}
