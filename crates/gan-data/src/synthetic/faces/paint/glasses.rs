//! Glasses.

use super::{Sitter, eyes};
use crate::synthetic::canvas::{Canvas, Ink};
use crate::synthetic::color::Rgb;
use crate::synthetic::curve;
use crate::synthetic::faces::traits::Glasses;

pub(super) fn paint(canvas: &mut Canvas, sitter: &Sitter, glasses: &Glasses) {
    let frame = Ink::from(glasses.frame);
    let edge = sitter.traits.head.half_width;
    let turn = sitter.view.pose.turn * 2.2;
    for side in [-1.0, 1.0] {
        let x = side * (eyes::APART + 0.3);
        let lens = || match glasses.round {
            true => curve::ellipse((x, 0.4), 7.9, 7.3),
            false => {
                let corner = [
                    (-1.0, -0.86),
                    (-0.86, -1.0),
                    (0.86, -1.0),
                    (1.0, -0.86),
                    (1.0, 0.6),
                    (0.7, 1.0),
                    (-0.7, 1.0),
                    (-1.0, 0.6),
                ];
                curve::polygon(&corner.map(|(u, v)| (x + u * 8.4, 0.4 + v * 5.9)))
            }
        };
        canvas.fill(lens(), Ink::Flat(Rgb::new(214, 232, 246), 0.16));
        canvas.stroke(lens(), 1.7, frame);
        let temple = [(x + side * 8.0, -1.8), (side * edge - turn, -2.6)];
        canvas.stroke(curve::open(&temple), 1.5, frame);
    }
    let bridge = [(-2.8, -0.8), (0.0, -2.0), (2.8, -0.8)];
    canvas.stroke(curve::open(&bridge), 1.5, frame);
}
