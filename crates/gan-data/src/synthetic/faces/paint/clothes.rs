//! Neck, shoulders and what is worn on them.

use super::Sitter;
use crate::synthetic::canvas::{Canvas, Ink};
use crate::synthetic::color::Rgb;
use crate::synthetic::curve;
use crate::synthetic::faces::traits::Collar;

/// Where the neck meets the shoulders and where the picture has surely ended, from the eyes.
const COLLAR: f32 = 41.0;
const BOTTOM: f32 = 62.0;

pub(super) fn paint(canvas: &mut Canvas, sitter: &Sitter) {
    let traits = sitter.traits;
    let neck = if traits.male { 11.5 } else { 8.5 };
    let shoulders = if traits.male { 39.0 } else { 33.0 };
    let skin = sitter.lit(neck + 4.0, sitter.shaded_skin(0.22), sitter.shaded_skin(0.65));
    let throat = [
        (neck, 16.0),
        (neck, COLLAR - 4.0),
        (neck + 6.0, COLLAR + 2.0),
        (neck + 8.0, BOTTOM),
        (-neck - 8.0, BOTTOM),
        (-neck - 6.0, COLLAR + 2.0),
        (-neck, COLLAR - 4.0),
        (-neck, 16.0),
    ];
    canvas.fill(curve::polygon(&throat), skin);
    let chin = traits.head.chin + sitter.view.pose.down * 0.5;
    canvas.fill(
        curve::ellipse((0.0, chin - 3.0), neck, 7.0),
        Ink::Flat(sitter.shaded_skin(1.0), 0.45),
    );
    cloth(canvas, sitter, neck, shoulders);
    if traits.clothes.collar == Collar::Shirt {
        shirt(canvas, sitter, neck);
    }
    if let Some(color) = traits.clothes.necklace {
        let half = [(neck + 1.4, COLLAR - 2.6), (neck * 0.66, COLLAR + 2.8), (0.0, COLLAR + 5.0)];
        let string = curve::mirrored(&half);
        canvas.stroke(curve::open(&string), 2.4, color.darker(0.35));
        canvas.stroke(curve::open(&string), 1.5, color);
    }
}

/// From shoulder to shoulder, open at the neck.
fn cloth(canvas: &mut Canvas, sitter: &Sitter, neck: f32, shoulders: f32) {
    let clothes = &sitter.traits.clothes;
    let depth = match (clothes.collar, clothes.necklace.is_some()) {
        (Collar::Round, false) => COLLAR + 2.5,
        (Collar::Round, true) => COLLAR + 7.5,
        (Collar::Vee | Collar::Shirt, _) => COLLAR + 11.5,
    };
    let inner = neck + 1.5;
    let round = clothes.collar == Collar::Round;
    let bend = if round {
        (inner * 0.62, depth - 1.2)
    } else {
        (inner * 0.5, (COLLAR + depth) / 2.0 - 1.5)
    };
    let corner = (inner + 1.0, COLLAR - 3.0);
    // A point given twice is a corner.
    let middle = if round { bend } else { (0.0, depth) };
    let right = [
        (0.0, depth),
        middle,
        bend,
        corner,
        corner,
        (shoulders * 0.62, COLLAR + 0.6),
        (shoulders * 0.92, COLLAR + 5.0),
        (shoulders + 3.0, BOTTOM),
        (shoulders + 3.0, BOTTOM),
        (0.0, BOTTOM),
    ];
    let ink = sitter.lit(shoulders, clothes.color.lighter(0.1), clothes.color.darker(0.3));
    canvas.fill(curve::closed(&curve::mirrored(&right)), ink);
}

/// The shirt in the opening of a jacket, with or without a necktie.
fn shirt(canvas: &mut Canvas, sitter: &Sitter, neck: f32) {
    let white = Rgb::new(244, 245, 248);
    let front = [(-neck - 1.0, COLLAR - 2.5), (neck + 1.0, COLLAR - 2.5), (0.0, COLLAR + 14.0)];
    canvas.fill(curve::polygon(&front), white.darker(0.08));
    let throat = [(-neck * 0.8, COLLAR - 3.5), (neck * 0.8, COLLAR - 3.5), (0.0, COLLAR + 3.0)];
    canvas.fill(curve::polygon(&throat), sitter.shaded_skin(0.7));
    if let Some(color) = sitter.traits.clothes.necktie {
        let knot =
            [(-3.2, COLLAR - 0.4), (3.2, COLLAR - 0.4), (2.0, COLLAR + 4.0), (-2.0, COLLAR + 4.0)];
        let tongue = [(-2.0, COLLAR + 4.0), (2.0, COLLAR + 4.0), (5.0, BOTTOM), (-5.0, BOTTOM)];
        canvas.fill(curve::polygon(&tongue), color);
        canvas.fill(curve::polygon(&knot), color.darker(0.25));
    }
    for side in [-1.0, 1.0] {
        let wing = [
            (side * neck * 0.9, COLLAR - 5.0),
            (side * (neck + 2.4), COLLAR - 2.0),
            (side * 8.6, COLLAR + 6.5),
            (side * 2.4, COLLAR + 1.0),
        ];
        canvas.fill(curve::polygon(&wing), white);
    }
}
