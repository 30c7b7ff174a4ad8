//! Hair: what hangs behind the head, and what frames the face.

use super::{Sitter, hangs, head};
use crate::synthetic::canvas::{Canvas, Ink};
use crate::synthetic::curve::{self, Point};
use crate::synthetic::faces::traits::{Cut, Hair, Hairline};

/// Paints what is behind head and shoulders.
pub(super) fn behind(canvas: &mut Canvas, sitter: &Sitter) {
    let hair = &sitter.traits.hair;
    if !hangs(hair.cut) {
        return;
    }
    // A little narrower than what hangs in front of it.
    let w = sitter.traits.head.half_width + hair.volume - 1.2;
    let end = if hair.cut == Cut::Long { 58.0 } else { 31.0 };
    let dark = sitter.lit(w, sitter.hair.darker(0.22), sitter.hair.darker(0.45));
    let right = [
        (0.0, head::CROWN - hair.volume + 1.0),
        (w * 0.62, head::CROWN - hair.volume + 5.5),
        (w * 0.98, -14.0),
        (w + 0.6, 6.0),
        (w + 1.0, end * 0.75),
        (w - 0.5, end),
        (0.0, end),
    ];
    canvas.fill(curve::closed(&curve::mirrored(&right)), dark);
}

/// Paints what is in front of the head: the cap, locks beside the face and curls.
pub(super) fn front(canvas: &mut Canvas, sitter: &Sitter) {
    let hair = &sitter.traits.hair;
    if hair.cut == Cut::Bald {
        return;
    }
    let w = sitter.traits.head.half_width;
    let ink = sitter.lit(w + hair.volume, sitter.hair.lighter(0.1), sitter.hair.darker(0.25));
    if hangs(hair.cut) {
        for side in [-1.0, 1.0] {
            canvas.fill(curve::closed(&lock(hair, w, side)), ink);
        }
    }
    if hair.wavy {
        canvas.fill(curve::circles(curls(hair, w)), ink);
    }
    canvas.fill(curve::closed(&cap(hair, w)), ink);
    shine(canvas, sitter, w);
}

/// The hair over the skull: its outer edge from ear to ear, then back along the hairline.
fn cap(hair: &Hair, w: f32) -> Vec<Point> {
    let v = hair.volume;
    let top = head::CROWN - v * if hair.hairline == Hairline::Receding { 0.45 } else { 1.0 };
    let ear = if hair.cut == Cut::Cropped { -4.0 } else { 1.0 };
    let (side, temple) = (w + v * 0.45, w + v * 0.8);
    let outer = [
        (-side * 0.99, ear),
        (-temple, -13.0),
        (-temple * 0.64, top + 4.5),
        (0.0, top),
        (temple * 0.64, top + 4.5),
        (temple, -13.0),
        (side * 0.99, ear),
    ];
    let mirror = if hair.part_right { 1.0 } else { -1.0 };
    let mut inner: Vec<Point> =
        hairline(hair).into_iter().map(|(x, y)| (x * w * mirror, y)).collect();
    if !hair.part_right {
        inner.reverse();
    }
    outer.into_iter().chain(inner).collect()
}

/// The edge of the forehead from right to left, x against the head's half width. A parting is drawn on
/// the right.
fn hairline(hair: &Hair) -> Vec<Point> {
    // From the right temple to the middle; a middle given twice is a corner.
    let symmetric: &[Point] = match hair.hairline {
        Hairline::Swept => return SWEPT.to_vec(),
        Hairline::Open => &[(0.93, -4.0), (0.84, -13.0), (0.55, -20.5), (0.0, -21.5)],
        Hairline::Curtain => {
            &[(0.94, -2.0), (0.82, -10.5), (0.4, -17.0), (0.0, -26.5), (0.0, -26.5)]
        }
        Hairline::Bangs => &[(0.95, -2.0), (0.86, -9.0), (0.5, -11.2), (0.44, -12.6), (0.0, -11.4)],
        Hairline::Receding => {
            &[(0.96, -3.0), (0.9, -12.0), (0.68, -22.0), (0.5, -28.5), (0.0, -25.5)]
        }
    };
    curve::mirrored(symmetric)
}

/// From the parting over the forehead to the other temple.
const SWEPT: [Point; 8] = [
    (0.93, -4.0),
    (0.86, -13.0),
    (0.52, -24.0),
    (0.42, -25.0),
    (0.1, -18.5),
    (-0.5, -13.5),
    (-0.86, -9.0),
    (-0.94, -3.0),
];

/// A strand beside the face, over ear and shoulder, from under the cap down.
fn lock(hair: &Hair, w: f32, side: f32) -> Vec<Point> {
    const STEPS: usize = 6;
    let (top, end) = (-18.0, if hair.cut == Cut::Long { 56.0 } else { 30.0 });
    // Waves swing the strand in and out on its way down.
    let swing = if hair.wavy { 2.0 } else { 0.0 };
    let outer_edge = w + hair.volume * 0.8;
    let at = |i: usize, edge: f32, widening: f32, swing: f32| {
        let t = i as f32 / STEPS as f32;
        let sway = if i.is_multiple_of(2) { -swing } else { swing };
        (side * (edge + widening * t + sway * t), top + (end - top) * t)
    };
    // The upper end is under the cap; the lower is given twice, as corners.
    let start = at(0, w * 0.95, 0.0, 0.0);
    let outer = (1..=STEPS).chain([STEPS]).map(|i| at(i, outer_edge, 1.8, swing));
    let inner = (0..=STEPS).chain([STEPS]).rev().map(|i| at(i, w * 0.86, 0.5, swing * 0.7));
    [start].into_iter().chain(outer).chain(inner).collect()
}

/// Curls along the outer edge: circles around the skull, and down to the end of the hair.
fn curls(hair: &Hair, w: f32) -> Vec<(Point, f32)> {
    let v = hair.volume;
    let radius = 4.2 + 0.35 * v;
    let crown = (0..8).map(|i| {
        let angle = std::f32::consts::PI * (0.02 + 0.96 * i as f32 / 7.0);
        let x = (w + v * 0.2) * angle.cos();
        ((x, -9.0 + (head::CROWN - v * 0.3 + 9.0) * angle.sin()), radius)
    });
    let mut all: Vec<(Point, f32)> = crown.collect();
    let end = match hair.cut {
        Cut::Long => 54.0,
        Cut::Bob => 30.0,
        _ => 0.0,
    };
    let mut y = 0.0;
    while y < end {
        for side in [-1.0, 1.0] {
            all.push(((side * (w + v * 0.55 + 0.02 * y), y), radius));
        }
        y += 10.5;
    }
    all
}

/// A strand that catches the light.
fn shine(canvas: &mut Canvas, sitter: &Sitter, w: f32) {
    let hair = &sitter.traits.hair;
    if hair.cut == Cut::Cropped || sitter.traits.hat.is_some() {
        return;
    }
    let top = head::CROWN - hair.volume * 0.3;
    let bright = Ink::Flat(sitter.hair.lighter(0.4), 0.5);
    let x = w * 0.55 * sitter.view.light.side.signum();
    let band = [(x - 7.0, top + 8.0), (x, top + 4.8), (x + 7.0, top + 6.6)];
    canvas.stroke(curve::open(&band), 1.8, bright);
}
