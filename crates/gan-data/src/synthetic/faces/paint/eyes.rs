//! Eyes and brows.

use tiny_skia::Transform;

use super::Sitter;
use crate::synthetic::canvas::{Canvas, Ink};
use crate::synthetic::color::Rgb;
use crate::synthetic::curve;
use crate::synthetic::faces::palette;
use crate::synthetic::faces::traits::HairColor;

/// From the middle between the eyes to either of them.
pub(super) const APART: f32 = 10.3;

const INK: Rgb = Rgb::new(44, 28, 26);

pub(super) fn paint(canvas: &mut Canvas, sitter: &Sitter) {
    for side in [-1.0, 1.0] {
        // The eye that turns away looks narrower.
        let narrowed = 1.0 - 0.07 * sitter.view.pose.turn * side;
        let size = sitter.traits.eyes.size;
        let place =
            Transform::from_translate(side * APART, 0.0).pre_scale(side * size * narrowed, size);
        canvas.within(place, |canvas| eye(canvas, sitter, side));
    }
}

/// One eye with its outer corner at positive x; `side` undoes the mirroring for what is not mirrored.
fn eye(canvas: &mut Canvas, sitter: &Sitter, side: f32) {
    let eyes = &sitter.traits.eyes;
    let lid = eyes.shadow.map_or(sitter.shaded_skin(0.55), |shadow| sitter.skin.mix(shadow, 0.85));
    let crease = if eyes.shadow.is_some() { -6.2 } else { -4.6 };
    let lid_shape =
        [(-5.2, 0.4), (-3.0, crease * 0.8), (1.6, crease), (6.0, -1.6), (5.6, 0.2), (0.0, 1.0)];
    canvas.fill(curve::closed(&lid_shape), lid);

    let white = [(-5.1, 0.9), (-2.6, -2.5), (1.6, -3.1), (5.2, -0.2), (2.8, 2.5), (-1.6, 2.7)];
    canvas.fill(curve::closed(&white), Rgb::new(252, 250, 247));
    let x = side * sitter.view.pose.turn * 0.5;
    canvas.fill(curve::ellipse((x, -0.2), 2.95, 2.95), eyes.iris.darker(0.35));
    canvas.fill(curve::ellipse((x, 0.0), 2.4, 2.4), eyes.iris.lighter(0.08));
    canvas.fill(curve::ellipse((x, -0.1), 1.35, 1.35), Rgb::new(18, 14, 16));
    let glint = (x + side * sitter.view.light.side.signum() * 1.0, -1.2);
    canvas.fill(curve::ellipse(glint, 0.85, 0.85), Rgb::WHITE);

    let made_up = eyes.shadow.is_some();
    let lash = if made_up { 1.7 } else { 1.15 };
    let line = [(-5.3, 1.1), (-2.6, -2.7), (1.6, -3.3), (5.3, -0.4)];
    canvas.stroke(curve::open(&line), lash, INK);
    if !sitter.traits.male || made_up {
        let wing = [(3.6, -2.2), (5.3, -1.2), (7.0, -2.6)];
        canvas.stroke(curve::open(&wing), lash * 0.85, INK);
    }
    let lower = [(5.0, 0.2), (2.8, 2.6), (-1.6, 2.8)];
    canvas.stroke(curve::open(&lower), 0.5, Ink::Flat(sitter.shaded_skin(1.0), 0.8));
}

pub(super) fn brows(canvas: &mut Canvas, sitter: &Sitter) {
    let traits = sitter.traits;
    let thick = match (traits.brows.bushy, traits.male) {
        (true, _) => 2.5,
        (false, true) => 1.15,
        (false, false) => 0.85,
    };
    let rise = if traits.brows.arched { 3.4 } else { 0.7 };
    let color = match traits.hair.color {
        HairColor::Gray => palette::hair(&traits.hair).mix(Rgb::new(110, 106, 108), 0.6),
        HairColor::Blond => sitter.hair.darker(0.4),
        _ => sitter.hair.darker(0.25),
    };
    for side in [-1.0, 1.0] {
        let shape = [
            (side * 4.6, -7.2 - thick * 0.6),
            (side * 11.2, -8.2 - rise - thick),
            (side * 16.4, -6.4 - rise * 0.2),
            (side * 16.4, -6.0 - rise * 0.2),
            (side * 11.2, -8.2 - rise + thick * 0.8),
            (side * 4.4, -7.2 + thick),
        ];
        canvas.fill(curve::closed(&shape), color);
    }
}
