//! Smooth paths through points, so that a shape is written as the few points it passes.
//!
//! Catmull–Rom splines in their Bézier form. A point given twice makes a corner.

use tiny_skia::{Path, PathBuilder, Rect};

/// A place in drawing units: x to the right, y down.
pub(crate) type Point = (f32, f32);

/// The outline that passes all `points` and returns to the first.
pub(crate) fn closed(points: &[Point]) -> Option<Path> {
    let n = points.len();
    let mut path = PathBuilder::with_capacity(n + 2, 3 * n + 1);
    path.move_to(points.first()?.0, points.first()?.1);
    for i in 0..n {
        let around = [(i + n - 1) % n, i, (i + 1) % n, (i + 2) % n].map(|at| points[at]);
        push_segment(&mut path, around);
    }
    path.close();
    path.finish()
}

/// The line that passes all `points`, its ends free.
pub(crate) fn open(points: &[Point]) -> Option<Path> {
    let last = points.len().checked_sub(1)?;
    let mut path = PathBuilder::with_capacity(last + 1, 3 * last + 1);
    path.move_to(points[0].0, points[0].1);
    for i in 0..last {
        let around = [i.saturating_sub(1), i, i + 1, (i + 2).min(last)].map(|at| points[at]);
        push_segment(&mut path, around);
    }
    path.finish()
}

/// The piece of the spline between the second and the third of four points.
fn push_segment(path: &mut PathBuilder, [before, from, to, after]: [Point; 4]) {
    // Within a corner there is nothing to draw; the spline would make a small loop.
    if from == to {
        return;
    }
    path.cubic_to(
        from.0 + (to.0 - before.0) / 6.0,
        from.1 + (to.1 - before.1) / 6.0,
        to.0 - (after.0 - from.0) / 6.0,
        to.1 - (after.1 - from.1) / 6.0,
        to.0,
        to.1,
    );
}

/// The points of a symmetric outline from its right half, given from top to bottom. Points on the
/// axis are not repeated.
pub(crate) fn mirrored(right: &[Point]) -> Vec<Point> {
    let left = right.iter().rev().filter(|point| point.0 != 0.0).map(|point| (-point.0, point.1));
    right.iter().copied().chain(left).collect()
}

/// Straight lines through `points`, closed.
pub(crate) fn polygon(points: &[Point]) -> Option<Path> {
    let mut path = PathBuilder::with_capacity(points.len() + 1, points.len());
    let (first, rest) = points.split_first()?;
    path.move_to(first.0, first.1);
    for point in rest {
        path.line_to(point.0, point.1);
    }
    path.close();
    path.finish()
}

/// An ellipse by its center and half axes.
pub(crate) fn ellipse(center: Point, half_width: f32, half_height: f32) -> Option<Path> {
    let (w, h) = (half_width, half_height);
    PathBuilder::from_oval(Rect::from_xywh(center.0 - w, center.1 - h, 2.0 * w, 2.0 * h)?)
}

/// Many circles as one path: `(center, radius)`.
pub(crate) fn circles(all: impl IntoIterator<Item = (Point, f32)>) -> Option<Path> {
    let mut path = PathBuilder::new();
    for ((x, y), radius) in all {
        path.push_circle(x, y, radius);
    }
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_passes_its_points() {
        let square = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)];
        let path = closed(&square).expect("four points");
        let bounds = path.compute_tight_bounds().expect("not empty");
        assert!(bounds.left() <= 0.0 && bounds.right() >= 4.0);
        assert!(bounds.left() > -1.0 && bounds.right() < 5.0, "no more than a round bulge");
        assert!(closed(&[]).is_none() && open(&[]).is_none());
    }

    #[test]
    fn the_axis_is_not_repeated() {
        let points = mirrored(&[(0.0, -1.0), (2.0, 0.0), (0.0, 1.0)]);
        assert_eq!(points, [(0.0, -1.0), (2.0, 0.0), (0.0, 1.0), (-2.0, 0.0)]);
    }
}
