//! Head, ears, nose, cheeks and wrinkles.

use super::{Sitter, hangs};
use crate::synthetic::canvas::{Canvas, Ink};
use crate::synthetic::color::Rgb;
use crate::synthetic::curve::{self, Point};
use crate::synthetic::faces::traits::{Cut, Head};

/// Top of the skull, from the eyes.
pub(super) const CROWN: f32 = -32.0;

/// Right half of the head's outline, from crown to chin.
pub(super) fn outline(head: &Head) -> [Point; 8] {
    let (w, chin) = (head.half_width, head.chin);
    [
        (0.0, CROWN),
        (w * 0.6, CROWN + 4.5),
        (w * 0.95, -14.0),
        (w, 0.0),
        (w * 0.95, 13.0),
        (w * head.jaw, chin - 11.5),
        (w * (head.jaw - 0.3), chin - 2.2),
        (0.0, chin),
    ]
}

pub(super) fn paint(canvas: &mut Canvas, sitter: &Sitter) {
    let head = &sitter.traits.head;
    let w = head.half_width;
    let skin = sitter.lit(w, sitter.skin.lighter(0.06), sitter.shaded_skin(0.5));
    // Hair that hangs down covers the ears.
    let ears: &[f32] = if hangs(sitter.traits.hair.cut) { &[] } else { &[-1.0, 1.0] };
    for side in ears {
        let x = side * (w + 0.6) - sitter.view.pose.turn * 1.2;
        canvas.fill(curve::ellipse((x, 6.5), 3.6, 6.0), skin);
        let hollow = Ink::Flat(sitter.shaded_skin(0.75), 0.6);
        canvas.fill(curve::ellipse((x + side * 0.6, 6.5), 1.6, 3.6), hollow);
    }
    canvas.fill(curve::closed(&curve::mirrored(&outline(head))), skin);
    if sitter.traits.hair.cut == Cut::Bald {
        let x = sitter.view.light.side * w * 0.4;
        canvas.fill(
            curve::ellipse((x, -22.0), 8.0, 6.5),
            Ink::Spot((x, -22.0), 8.0, Rgb::WHITE, 0.55),
        );
    }
}

/// A shaded bridge, wings and tip; the broad one is nearly twice as wide.
pub(super) fn nose(canvas: &mut Canvas, sitter: &Sitter) {
    let wide = if sitter.traits.big_nose { 6.0 } else { 3.3 };
    let tip = if sitter.traits.big_nose { 12.5 } else { 11.5 };
    let turn = sitter.view.pose.turn;
    let dark = -sitter.view.light.side.signum();
    let bridge = [
        (dark * 1.4 + turn * 0.3, -1.0),
        (dark * 2.0 + turn * 0.6, 6.0),
        (dark * wide + turn, tip - 1.5),
        (dark * wide * 0.8 + turn, tip + 0.8),
        (turn, tip + 1.0),
        (dark * 0.4 + turn * 0.6, 4.0),
    ];
    canvas.fill(curve::closed(&bridge), Ink::Flat(sitter.shaded_skin(0.6), 0.5));
    if sitter.traits.big_nose {
        let bulb = curve::ellipse((turn, tip - 1.6), wide * 0.92, 3.6);
        canvas.fill(bulb, Ink::Flat(sitter.shaded_skin(0.4), 0.75));
    }
    let base = [
        (turn - wide, tip - 1.2),
        (turn - wide * 0.75, tip + 1.0),
        (turn - wide * 0.3, tip + 0.7),
        (turn, tip + 1.5),
        (turn + wide * 0.3, tip + 0.7),
        (turn + wide * 0.75, tip + 1.0),
        (turn + wide, tip - 1.2),
    ];
    canvas.stroke(curve::open(&base), 1.15, sitter.shaded_skin(0.88));
    let shine = (turn - dark * 0.8, tip - 2.2);
    canvas.fill(curve::ellipse(shine, 1.3, 1.3), Ink::Flat(Rgb::WHITE, 0.35));
}

pub(super) fn rosy_cheeks(canvas: &mut Canvas, sitter: &Sitter) {
    let red =
        if sitter.traits.skin.tone > 0.7 { Rgb::new(205, 60, 62) } else { Rgb::new(246, 84, 96) };
    let x = sitter.traits.head.half_width * 0.61;
    for side in [-1.0, 1.0] {
        let center = (side * x, 12.0);
        canvas.fill(curve::ellipse(center, 7.5, 7.5), Ink::Spot(center, 7.5, red, 0.62));
    }
}

/// Forehead, corners of the eyes, folds beside the nose.
pub(super) fn wrinkles(canvas: &mut Canvas, sitter: &Sitter) {
    let ink = Ink::Flat(sitter.shaded_skin(1.0), 0.9);
    for (y, half) in [(-18.5, 8.5), (-15.0, 10.0)] {
        let line = [(-half, y), (-half * 0.4, y - 0.9), (half * 0.4, y - 0.9), (half, y)];
        canvas.stroke(curve::open(&line), 1.0, ink);
    }
    for side in [-1.0, 1.0] {
        let fold = [(side * 5.4, 12.0), (side * 8.6, 15.5), (side * 10.4, 20.0)];
        canvas.stroke(curve::open(&fold), 1.1, ink);
        let bag = [(side * 6.0, 4.6), (side * 10.0, 6.2), (side * 14.0, 4.8)];
        canvas.stroke(curve::open(&bag), 0.8, ink);
        for rise in [-1.8, 1.4] {
            let foot = [(side * 16.4, rise * 0.4), (side * 19.0, rise)];
            canvas.stroke(curve::open(&foot), 0.7, ink);
        }
    }
}

/// Hanging from the ears, or out of long hair.
pub(super) fn earrings(canvas: &mut Canvas, sitter: &Sitter, color: Rgb) {
    let hanging = hangs(sitter.traits.hair.cut);
    let x = sitter.traits.head.half_width + if hanging { 0.2 } else { 1.2 };
    let turn = sitter.view.pose.turn * 1.2;
    for side in [-1.0, 1.0] {
        let center = (side * x - turn, 15.2);
        canvas.fill(curve::ellipse(center, 2.3, 2.9), color.darker(0.35));
        canvas.fill(curve::ellipse(center, 1.7, 2.3), color);
    }
}
