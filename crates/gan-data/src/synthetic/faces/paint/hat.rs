//! Hats: they cover the head above the brows.

use super::{Sitter, head};
use crate::synthetic::canvas::Canvas;
use crate::synthetic::curve;
use crate::synthetic::faces::traits::{Hat, HatShape};

/// Lower edge of a hat, from the eyes.
const EDGE: f32 = -15.0;

pub(super) fn paint(canvas: &mut Canvas, sitter: &Sitter, hat: &Hat) {
    let w = sitter.traits.head.half_width + sitter.traits.hair.volume * 0.7 + 1.6;
    let cloth = sitter.lit(w, hat.color.lighter(0.12), hat.color.darker(0.35));
    let top = head::CROWN - 8.0;
    let height = if hat.shape == HatShape::Brim { top - 1.0 } else { top };
    let dome = [
        (0.0, height),
        (w * 0.62, height + 3.5),
        (w * 0.95, EDGE - 10.0),
        (w, EDGE - 1.0),
        (w * 0.98, EDGE + 1.0),
        (w * 0.5, EDGE - 0.4),
        (0.0, EDGE - 1.0),
    ];
    canvas.fill(curve::closed(&curve::mirrored(&dome)), cloth);
    match hat.shape {
        HatShape::Beanie => {
            canvas.fill(curve::circles([((0.0, top - 1.5), 5.0)]), hat.band);
            canvas.fill(band(w + 0.8, EDGE - 5.5, EDGE + 2.0), hat.band);
        }
        HatShape::Cap => {
            canvas.fill(curve::ellipse((0.0, EDGE - 13.5), 5.4, 4.6), hat.band);
            let peak = curve::mirrored(&[
                (0.0, EDGE - 7.0),
                (w * 0.55, EDGE - 5.5),
                (w * 0.96, EDGE + 1.2),
                (w * 0.96, EDGE + 1.2),
                (w * 0.6, EDGE + 2.8),
                (0.0, EDGE + 3.6),
            ]);
            canvas.fill(curve::closed(&peak), hat.color.darker(0.42));
        }
        HatShape::Brim => {
            canvas.fill(band(w * 1.01, EDGE - 8.5, EDGE), hat.band);
            let brim = curve::ellipse((0.0, EDGE + 0.6), w + 13.0, 4.2);
            canvas.fill(brim, sitter.lit(w + 12.0, hat.color.lighter(0.2), hat.color.darker(0.3)));
        }
    }
}

/// A strip around the hat, bent as the head is round.
fn band(half_width: f32, top: f32, bottom: f32) -> Option<tiny_skia::Path> {
    let w = half_width;
    curve::closed(&curve::mirrored(&[
        (0.0, top - 1.6),
        (w * 0.6, top - 1.0),
        (w, top),
        (w, top),
        (w, bottom),
        (w, bottom),
        (w * 0.6, bottom - 1.0),
        (0.0, bottom - 1.6),
    ]))
}
