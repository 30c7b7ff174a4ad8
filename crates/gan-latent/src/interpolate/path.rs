//! Paths between points: how much each point weighs in each image.

/// What a path looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// From one point to another.
    Strip,
    /// All mixtures of three points: the first at the top, the second at the lower left, the third at the lower right.
    Triangle,
    /// From each point to the next, and from the last to the first.
    Loop,
}

/// The images of a path between points.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// What it looks like.
    pub shape: Shape,
    /// For each image a weight for each point, which add up to 1; row after row of the picture.
    pub weights: Vec<Vec<f64>>,
    /// Images in each row of the picture.
    pub rows: Vec<usize>,
    /// Indices of the images as an animation shows them: its last frame continues into its first. A strip goes there and
    /// back, a triangle along its edges.
    pub round: Vec<usize>,
}

/// The way from one point to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The point where it starts.
    pub from: usize,
    /// The point where it ends.
    pub to: usize,
    /// Indices of its images in their order, those of both points among them.
    pub images: Vec<usize>,
}

impl Path {
    /// `steps` images from one point to the other, both among them: the second weighs α = 0, 1/(steps − 1), …, 1.
    /// `steps` is 2 or more.
    pub fn strip(steps: usize) -> Self {
        let legs = steps.max(2) - 1;
        let weights = (0..=legs).map(|i| {
            let alpha = i as f64 / legs as f64;
            vec![1.0 - alpha, alpha]
        });
        Self {
            shape: Shape::Strip,
            weights: weights.collect(),
            rows: vec![legs + 1],
            round: (0..=legs).chain((1..legs).rev()).collect(),
        }
    }

    /// The mixtures of three points on a grid of `steps` images along each edge, `steps (steps + 1) / 2` in all. In row r
    /// and column c the points weigh (s − r)/s, (r − c)/s and c/s with s = steps − 1. `steps` is 2 or more.
    pub fn triangle(steps: usize) -> Self {
        let side = steps.max(2) - 1;
        let share = |n: usize| n as f64 / side as f64;
        let row = |r: usize| (0..=r).map(move |c| vec![share(side - r), share(r - c), share(c)]);
        let at = |r: usize, c: usize| r * (r + 1) / 2 + c;
        let down = (0..side).map(|r| at(r, 0));
        let across = (0..side).map(|c| at(side, c));
        let up = (1..=side).rev().map(|r| at(r, r));
        Self {
            shape: Shape::Triangle,
            weights: (0..=side).flat_map(row).collect(),
            rows: (1..=side + 1).collect(),
            round: down.chain(across).chain(up).collect(),
        }
    }

    /// From each of `points` points to the next in `steps − 1` images, which begin with the point itself, and from the
    /// last one back to the first: a row a point. There are 2 points or more, and `steps` is 2 or more.
    pub fn closed(points: usize, steps: usize) -> Self {
        let legs = steps.max(2) - 1;
        let of_leg = |from: usize| {
            (0..legs).map(move |i| {
                let alpha = i as f64 / legs as f64;
                let mut weights = vec![0.0; points];
                weights[from] += 1.0 - alpha;
                weights[(from + 1) % points] += alpha;
                weights
            })
        };
        let weights: Vec<_> = (0..points).flat_map(of_leg).collect();
        let round = (0..weights.len()).collect();
        Self { shape: Shape::Loop, weights, rows: vec![legs; points], round }
    }

    /// The ways between successive points: of a strip the one, of a triangle its edges as its animation goes, of a loop one
    /// from each point.
    pub fn segments(&self) -> Vec<Segment> {
        if self.shape == Shape::Strip {
            return vec![Segment { from: 0, to: 1, images: (0..self.weights.len()).collect() }];
        }
        let points = self.weights.first().map_or(0, Vec::len);
        let legs = self.round.len() / points.max(1);
        let segment = |from: usize| {
            let on_round = |i: usize| self.round[(from * legs + i) % self.round.len()];
            Segment { from, to: (from + 1) % points, images: (0..=legs).map(on_round).collect() }
        };
        (0..points).map(segment).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_has_the_alphas_of_the_definition() {
        let strip = Path::strip(9);
        let alphas: Vec<f64> = strip.weights.iter().map(|w| w[1]).collect();
        assert_eq!(alphas, [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0]);
        assert!(strip.weights.iter().all(|w| w[0] == 1.0 - w[1]));
        assert_eq!(Path::strip(4).round, [0, 1, 2, 3, 2, 1]);
        assert_eq!(Path::strip(2).round, [0, 1]);
    }

    #[test]
    fn a_triangle_has_its_points_at_the_corners_and_their_mean_in_the_middle() {
        let triangle = Path::triangle(4);
        assert_eq!(triangle.rows, [1, 2, 3, 4]);
        let weights = &triangle.weights;
        assert_eq!(weights.len(), 10);
        assert_eq!(
            [&weights[0], &weights[6], &weights[9]],
            [&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0]]
        );
        assert_eq!(weights[4], [1.0 / 3.0; 3], "row 2, column 1");
        for w in weights {
            assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-15);
            assert!(w.iter().all(|w| (0.0..=1.0).contains(w)));
        }
        assert_eq!(triangle.round, [0, 1, 3, 6, 7, 8, 9, 5, 2]);
    }

    /// Every step of an animation is as long as every other, that from its last frame to its first among them.
    #[test]
    fn animations_are_closed() {
        for path in [Path::strip(9), Path::triangle(6), Path::closed(5, 9), Path::closed(2, 3)] {
            let n = path.round.len();
            let step = |i: usize| {
                let [a, b] = [i, (i + 1) % n].map(|i| &path.weights[path.round[i]]);
                a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>()
            };
            for i in 0..n {
                assert!((step(i) - step(0)).abs() < 1e-12, "{:?}: step {i}", path.shape);
            }
            assert!(step(0) > 0.0);
        }
    }

    #[test]
    fn a_loop_visits_every_point_once() {
        let path = Path::closed(3, 5);
        assert_eq!((path.weights.len(), path.rows.as_slice()), (12, [4, 4, 4].as_slice()));
        for (i, w) in path.weights.iter().enumerate() {
            assert_eq!(w.contains(&1.0), i % 4 == 0);
        }
        assert_eq!(path.weights[11], [0.75, 0.0, 0.25]);
    }

    /// Each segment has all weights but those of its two points at 0, and theirs go evenly from one to the other.
    #[test]
    fn segments_lead_from_point_to_point() {
        let paths = [
            (Path::strip(9), vec![(0, 1)]),
            (Path::strip(2), vec![(0, 1)]),
            (Path::triangle(6), vec![(0, 1), (1, 2), (2, 0)]),
            (Path::closed(4, 9), vec![(0, 1), (1, 2), (2, 3), (3, 0)]),
            (Path::closed(2, 2), vec![(0, 1), (1, 0)]),
        ];
        for (path, expected) in paths {
            let segments = path.segments();
            let ends: Vec<_> = segments.iter().map(|s| (s.from, s.to)).collect();
            assert_eq!(ends, expected, "{:?}", path.shape);
            for segment in segments {
                let legs = segment.images.len() - 1;
                for (i, image) in segment.images.iter().enumerate() {
                    let weights = &path.weights[*image];
                    let alpha = i as f64 / legs as f64;
                    assert!((weights[segment.from] - (1.0 - alpha)).abs() < 1e-12, "{weights:?}");
                    assert!((weights[segment.to] - alpha).abs() < 1e-12, "{weights:?}");
                }
            }
        }
    }
}
