//! Linear boundaries between latents whose images have something and those whose images have not (InterFaceGAN, Shen et
//! al. 2020, <https://arxiv.org/abs/1907.10786>, section 2).
//!
//! Deviation: the normal is that of a logistic regression with a little weight decay, not of a linear SVM; both are linear, and
//! on groups that lie far apart they find the same.

use gan_core::Stream;

use crate::eigen::solve;
use crate::judged::strongest;
use crate::vector::{dot, length, normalized};

/// A plane between two kinds of points.
#[derive(Clone, Debug, PartialEq)]
pub struct Boundary {
    /// The direction that leads to those that have it, of length 1.
    pub normal: Vec<f64>,
    /// A point x lies on their side where `normal`·x > `threshold`.
    pub threshold: f64,
}

/// Weight decay beside the mean loss of a sample: as if each direction had a prior of this variance's inverse over N samples.
const DECAY: f64 = 1e-3;
/// Newton's steps, of which six are usual.
const MOST_STEPS: usize = 50;

impl Boundary {
    /// The boundary between `points`, of which `has` says which have it: logistic regression by Newton's method (Hastie et
    /// al., The Elements of Statistical Learning, section 4.4.1) with a decay of the weights but the intercept. `None`
    /// where a kind has no points.
    pub fn between(points: &[Vec<f64>], has: &[bool]) -> Option<Self> {
        let mut weights = regression(points, has)?;
        let intercept = weights.pop()?;
        let length = length(&weights);
        let found = length > 0.0 && length.is_finite();
        found.then(|| Self { threshold: -intercept / length, normal: normalized(weights) })
    }

    /// Whether a point lies on the side of those that have it.
    pub fn has(&self, point: &[f64]) -> bool {
        dot(&self.normal, point) > self.threshold
    }

    /// Share of points on their side.
    pub fn accuracy(&self, points: &[Vec<f64>], has: &[bool]) -> f64 {
        let right = points.iter().zip(has).filter(|(point, has)| self.has(point) == **has).count();
        right as f64 / points.len().max(1) as f64
    }
}

/// The weights of the logistic regression, the intercept last.
fn regression(points: &[Vec<f64>], has: &[bool]) -> Option<Vec<f64>> {
    let positives = has.iter().filter(|has| **has).count();
    if positives == 0 || positives == has.len() {
        return None;
    }
    let mut weights = vec![0.0; points.first()?.len() + 1];
    for _ in 0..MOST_STEPS {
        let (gradient, hessian) = derivatives(points, has, &weights);
        let step = solve(hessian, &gradient)?;
        weights.iter_mut().zip(&step).for_each(|(w, s)| *w -= s);
        if dot(&step, &step) <= 1e-16 * dot(&weights, &weights) {
            break;
        }
    }
    Some(weights)
}

/// Gradient and Hessian, its lower half, of the mean logistic loss with decay.
fn derivatives(points: &[Vec<f64>], has: &[bool], weights: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let size = weights.len();
    let n = points.len() as f64;
    let (mut gradient, mut hessian) = (vec![0.0; size], vec![vec![0.0; size]; size]);
    let mut extended = vec![1.0; size];
    for (point, has) in points.iter().zip(has) {
        extended[..size - 1].copy_from_slice(point);
        let p = 1.0 / (1.0 + (-dot(weights, &extended)).exp());
        let (error, curvature) = ((p - f64::from(u8::from(*has))) / n, p * (1.0 - p) / n);
        for (i, x) in extended.iter().enumerate() {
            gradient[i] += error * x;
            let scaled = curvature * x;
            hessian[i][..=i].iter_mut().zip(&extended).for_each(|(h, y)| *h += scaled * y);
        }
    }
    for i in 0..size - 1 {
        gradient[i] += DECAY * weights[i];
        hessian[i][i] += DECAY;
    }
    hessian[size - 1][size - 1] += 1e-12; // where all points are certain, nothing else curves the intercept
    (gradient, hessian)
}

/// A boundary that was fitted to the clearest points and tried on others.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The boundary.
    pub boundary: Boundary,
    /// Points of each kind that it was fitted to and tried on.
    pub of_each: usize,
    /// Share on their side of the clear points that it was not fitted to; half of these have it.
    pub held_out_accuracy: f64,
    /// Balanced accuracy over the points that are not clear, which it never saw: mean over both kinds.
    pub unclear_accuracy: Option<f64>,
}

/// Points of each kind below which a boundary says nothing.
const FEWEST: usize = 20;

/// Fits the boundary of an attribute of which `scores` are the log-odds: to 70 % of the clearest quarter of the points with
/// the highest scores above 0 and as many with the lowest below, tried on the other 30 % and on those between, as the
/// paper does. `None` where a kind has fewer than 20 points.
pub fn fit(points: &[Vec<f64>], scores: &[f32], seed: u64) -> Option<Fitted> {
    let positives = scores.iter().filter(|score| **score > 0.0).count();
    let of_each = (points.len() / 4).min(positives).min(scores.len() - positives);
    if of_each < FEWEST {
        return None;
    }
    let lowest: Vec<f32> = scores.iter().map(|score| -score).collect();
    let mut stream = Stream::named("boundary", seed);
    let mut shuffled = |mut group: Vec<usize>| {
        stream.shuffle(&mut group);
        group
    };
    let groups = [shuffled(strongest(scores, of_each)), shuffled(strongest(&lowest, of_each))];
    let fitted_to = of_each * 7 / 10;
    let take = |range: std::ops::Range<usize>| {
        let indices = groups.iter().flat_map(|group| group[range.clone()].iter().copied());
        of(points, scores, indices)
    };
    let (train, labels) = take(0..fitted_to);
    let boundary = Boundary::between(&train, &labels)?;
    let (held_out, labels) = take(fitted_to..of_each);
    let held_out_accuracy = boundary.accuracy(&held_out, &labels);
    let clear: std::collections::HashSet<usize> = groups.iter().flatten().copied().collect();
    let unclear = |has: bool| {
        let between = (0..points.len()).filter(|i| !clear.contains(i));
        let (points, labels) = of(points, scores, between.filter(|i| (scores[*i] > 0.0) == has));
        (!points.is_empty()).then(|| boundary.accuracy(&points, &labels))
    };
    let unclear_accuracy = unclear(true).zip(unclear(false)).map(|(a, b)| (a + b) / 2.0);
    Some(Fitted { boundary, of_each, held_out_accuracy, unclear_accuracy })
}

/// Some points with whether they have it.
fn of(
    points: &[Vec<f64>],
    scores: &[f32],
    indices: impl Iterator<Item = usize>,
) -> (Vec<Vec<f64>>, Vec<bool>) {
    indices.map(|i| (points[i].clone(), scores[i] > 0.0)).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(n: usize, size: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut stream = Stream::named("cloud", seed);
        (0..n).map(|_| (0..size).map(|_| f64::from(stream.normal())).collect()).collect()
    }

    fn normal(size: usize) -> Vec<f64> {
        normalized((0..size).map(|i| (i as f64 * 1.7).sin()).collect())
    }

    #[test]
    fn a_known_normal_is_found() {
        let (points, normal) = (cloud(4000, 30, 1), normal(30));
        let scores: Vec<f32> = points.iter().map(|p| (dot(p, &normal) - 0.3) as f32).collect();
        let found = fit(&points, &scores, 0).expect("both kinds");
        let cosine = dot(&found.boundary.normal, &normal);
        assert!(cosine > 0.97, "{cosine}");
        assert!(found.held_out_accuracy > 0.98, "{}", found.held_out_accuracy);
        assert!(found.unclear_accuracy.expect("there are some") > 0.7, "{found:?}");
        assert_eq!(fit(&points, &scores, 0), Some(found));
    }

    #[test]
    fn what_does_not_depend_on_the_points_is_not_told() {
        let points = cloud(4000, 30, 1);
        let mut stream = Stream::named("noise", 0);
        let scores: Vec<f32> = points.iter().map(|_| stream.normal()).collect();
        let found = fit(&points, &scores, 0).expect("both kinds");
        // 600 held-out points at chance: a standard error of 2 %.
        assert!((found.held_out_accuracy - 0.5).abs() < 0.08, "{}", found.held_out_accuracy);
    }

    /// Points with noisy labels, whose log-odds are 2 x₀ − 1.
    fn noisy() -> (Vec<Vec<f64>>, Vec<bool>) {
        let points = cloud(3000, 4, 2);
        let mut stream = Stream::named("labels", 0);
        let has =
            points.iter().map(|p| stream.chance(1.0 / (1.0 + (1.0 - 2.0 * p[0]).exp()))).collect();
        (points, has)
    }

    /// The mean negative log-likelihood of the labels with the weights' decay: what the regression makes least.
    fn loss(points: &[Vec<f64>], has: &[bool], weights: &[f64]) -> f64 {
        let (intercept, slopes) = weights.split_last().expect("the intercept");
        let of_point = |(point, has): (&Vec<f64>, &bool)| {
            let log_odds = dot(slopes, point) + intercept;
            (if *has { -log_odds } else { log_odds }).exp().ln_1p()
        };
        let sum: f64 = points.iter().zip(has).map(of_point).sum();
        sum / points.len() as f64 + DECAY / 2.0 * dot(slopes, slopes)
    }

    #[test]
    fn the_gradient_vanishes_at_what_is_found() {
        let (points, has) = noisy();
        let gradient = |weights: &[f64]| -> Vec<f64> {
            let moved = |i: usize, by: f64| {
                let mut moved = weights.to_vec();
                moved[i] += by;
                loss(&points, &has, &moved)
            };
            let step = 1e-4;
            let slope = |i: usize| (moved(i, step) - moved(i, -step)) / (2.0 * step);
            (0..weights.len()).map(slope).collect()
        };
        let found = regression(&points, &has).expect("both kinds");
        // Central differences: step² / 6 of the third derivative, which is below one here, and what f64 rounds over the step.
        let off = gradient(&found);
        assert!(off.iter().all(|g| g.abs() < 1e-8), "{off:?}");
        let start = gradient(&[0.0; 5]);
        let (exact, _) = derivatives(&points, &has, &[0.0; 5]);
        assert!(start[0] < -0.1, "the loss falls towards what is found: {start:?}");
        assert!(start.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-8), "{start:?} {exact:?}");
    }

    /// The slope is 2 and the intercept −1, but for the decay.
    #[test]
    fn noisy_labels_are_regressed() {
        let (points, has) = noisy();
        let found = Boundary::between(&points, &has).expect("both kinds");
        assert!(found.normal[0] > 0.99 && (found.threshold - 0.5).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn one_kind_alone_has_no_boundary() {
        assert_eq!(Boundary::between(&cloud(30, 3, 0), &[true; 30]), None);
        assert_eq!(fit(&cloud(200, 3, 0), &[1.0; 200], 0), None);
    }
}
