//! Beard, goatee, moustache and the shadow of a day.

use super::mouth;
use super::{Sitter, head};
use crate::synthetic::canvas::{Canvas, Ink};
use crate::synthetic::color::Rgb;
use crate::synthetic::curve::{self, Point};
use crate::synthetic::faces::traits::{Beard, HairColor};

pub(super) fn paint(canvas: &mut Canvas, sitter: &Sitter) {
    let traits = sitter.traits;
    let color = match traits.hair.color {
        HairColor::Black => sitter.hair.lighter(0.04),
        HairColor::Brown | HairColor::Blond => sitter.hair.darker(0.2),
        HairColor::Gray => sitter.hair.darker(0.1),
    };
    match traits.beard {
        Beard::None => {}
        Beard::Shadow => {
            let gray = sitter.skin.mix(Rgb::new(54, 56, 66), 0.9);
            canvas.fill(curve::closed(&jaw(sitter, 16.2, 0.2)), Ink::Flat(gray, 0.34));
        }
        Beard::Goatee => canvas.fill(curve::closed(&goatee(sitter)), color),
        Beard::Full => {
            canvas.fill(curve::closed(&jaw(sitter, 24.5, 1.6)), color);
        }
    }
    if traits.mustache {
        let y = mouth::HEIGHT - 3.0 - 0.8 * traits.mouth.open.min(2.5);
        let shape = [
            (0.0, y - 2.2),
            (3.4, y - 2.9),
            (8.2, y - 0.4),
            (11.0, y + 4.2),
            (8.6, y + 3.6),
            (4.4, y + 1.7),
            (0.0, y + 1.5),
        ];
        let dark = if traits.beard == Beard::Full { color.darker(0.12) } else { color };
        canvas.fill(curve::closed(&curve::mirrored(&shape)), dark);
    }
}

/// From ear to ear below the cheeks; `inner` is the height of its edge in the middle and `beyond` how
/// far it stands off the chin.
fn jaw(sitter: &Sitter, inner: f32, beyond: f32) -> Vec<Point> {
    let [.., cheek, jaw, side, chin] = head::outline(&sitter.traits.head);
    // The features have moved with the turn, but a beard ends where the head does.
    let turn = sitter.view.pose.turn * 2.2;
    let w = sitter.traits.head.half_width;
    let right = [
        (0.0, inner),
        (6.0, inner + 0.4 - 0.06 * (inner - 15.0)),
        (12.0, 18.4),
        (w * 0.83, 11.0),
        (w * 0.92, -3.0),
        (w * 0.985, -3.0),
        (cheek.0 + beyond * 0.2, cheek.1),
        (jaw.0 + beyond * 0.8, jaw.1 + beyond * 0.5),
        (side.0 + beyond * 0.6, side.1 + beyond * 0.9),
        (chin.0, chin.1 + beyond),
    ];
    curve::mirrored(&right).into_iter().map(|(x, y)| (x - turn, y)).collect()
}

fn goatee(sitter: &Sitter) -> Vec<Point> {
    let chin = sitter.traits.head.chin;
    let low = mouth::HEIGHT + 4.2 + 0.9 * sitter.traits.mouth.open;
    curve::mirrored(&[
        (0.0, low.min(chin - 7.0)),
        (4.2, low.min(chin - 7.0) + 0.6),
        (7.4, chin - 8.5),
        (7.4, chin - 2.8),
        (4.6, chin + 1.4),
        (0.0, chin + 2.8),
    ])
}
