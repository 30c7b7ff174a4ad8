//! The mouth, from frown to smile.

use super::Sitter;
use crate::synthetic::canvas::{Canvas, Ink};
use crate::synthetic::color::Rgb;
use crate::synthetic::curve::{self, Point};

/// Height of the mouth's middle, from the eyes.
pub(super) const HEIGHT: f32 = 21.5;

/// The lines that lips lie along.
struct Lips {
    half_width: f32,
    /// Height of the middle and of the corners of the line where closed lips meet.
    middle: f32,
    corner: f32,
    open: f32,
    x: f32,
}

impl Lips {
    /// A point at `t` in [−1, 1] across the mouth, `share` of the way down its opening.
    fn at(&self, t: f32, share: f32) -> Point {
        let meeting = self.middle + (self.corner - self.middle) * t * t;
        (self.x + t * self.half_width, meeting + share * self.open * (1.0 - t * t))
    }

    /// The outline between two shares of the opening, a little inside of the corners.
    fn between(&self, upper: f32, lower: f32, reach: f32) -> [Point; 8] {
        let (far, near) = (reach, reach * 0.5);
        [
            self.at(-far, upper),
            self.at(-near, upper),
            self.at(near, upper),
            self.at(far, upper),
            self.at(far, lower),
            self.at(near, lower),
            self.at(-near, lower),
            self.at(-far, lower),
        ]
    }
}

pub(super) fn paint(canvas: &mut Canvas, sitter: &Sitter) {
    let mouth = &sitter.traits.mouth;
    let smiling = mouth.smiling();
    let open = if smiling { mouth.open * 1.25 } else { mouth.open };
    let shrink = if mouth.open > 0.0 && !smiling { 1.6 } else { 0.0 };
    let lips = Lips {
        half_width: 7.2 + 2.4 * mouth.smile.max(0.0) - shrink,
        middle: HEIGHT + 0.9 * mouth.smile - open * 0.4,
        corner: HEIGHT - 2.6 * mouth.smile - open * 0.1,
        open,
        x: sitter.view.pose.turn * 0.5,
    };
    let natural = sitter.skin.mix(Rgb::new(178, 58, 64), 0.5);
    let color = mouth.lipstick.unwrap_or(natural);
    let thick = if mouth.big_lips { 2.35 } else { 1.0 };

    outer(canvas, &lips, color, thick);
    if open > 0.0 {
        canvas.fill(curve::closed(&lips.between(0.0, 1.0, 0.9)), Rgb::new(88, 22, 28));
        let depth = if smiling { 0.55 } else { 0.3 };
        canvas.fill(curve::closed(&lips.between(0.04, depth, 0.8)), Rgb::new(252, 250, 244));
    } else {
        let line = [-1.0, -0.5, 0.0, 0.5, 1.0].map(|t| lips.at(t, 0.0));
        canvas.stroke(curve::open(&line), 0.9, color.mix(Rgb::new(70, 16, 22), 0.6));
    }
    if smiling {
        for side in [-1.0, 1.0] {
            let (x, y) = lips.at(side, 0.0);
            let dimple =
                [(x + side * 0.6, y - 1.6), (x + side * 1.5, y + 0.3), (x + side * 0.9, y + 2.0)];
            canvas.stroke(curve::open(&dimple), 0.8, Ink::Flat(sitter.shaded_skin(1.0), 0.7));
        }
    }
}

/// Both lips as one shape; the opening is painted over it.
fn outer(canvas: &mut Canvas, lips: &Lips, color: Rgb, thick: f32) {
    let lift = |t: f32, by: f32| {
        let (x, y) = lips.at(t, 0.0);
        (x, y - by * thick)
    };
    let drop = |t: f32, by: f32| {
        let (x, y) = lips.at(t, 1.0);
        (x, y + by * thick)
    };
    let upper = [
        lips.at(-1.0, 0.0),
        lift(-0.6, 0.9),
        lift(-0.2, 1.7),
        lift(0.0, 1.25),
        lift(0.2, 1.7),
        lift(0.6, 0.9),
        lips.at(1.0, 0.0),
    ];
    let lower =
        [lips.at(1.0, 0.0), drop(0.55, 1.5), drop(0.0, 2.2), drop(-0.55, 1.5), lips.at(-1.0, 0.0)];
    let all: Vec<Point> = upper.into_iter().chain(lower).collect();
    canvas.fill(curve::closed(&all), color);
    if thick > 1.5 {
        let (x, y) = lips.at(0.0, 1.0);
        canvas.fill(curve::ellipse((x, y + 2.2), 2.6, 0.8), Ink::Flat(Rgb::WHITE, 0.3));
    }
}
