//! How far apart classes lie in a space, in numbers.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::neighbours::{nearest, squared_distance};

/// How far apart classes lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Separation {
    /// Mean share of a point's nearest neighbours that are of its class.
    pub purity: f64,
    /// The share that neighbours drawn from all points would have.
    pub chance: f64,
    /// How many neighbours were looked at.
    pub neighbours: usize,
    /// Mean silhouette (Rousseeuw 1987, <https://doi.org/10.1016/0377-0427(87)90125-7>): 1 where classes are far apart, 0 where
    /// they lie in one another, below it where points are nearer to another class than to their own.
    pub silhouette: f64,
}

/// How far apart the classes of `points` lie, `labels` saying which class each is of; with `k` neighbours a point.
pub fn separation(points: &[Vec<f32>], labels: &[usize], k: usize) -> Separation {
    let classes = labels.iter().max().map_or(0, |most| most + 1);
    let mut counts = vec![0usize; classes];
    labels.iter().for_each(|label| counts[*label] += 1);
    let n = points.len().max(1) as f64;
    let k = k.min(points.len().saturating_sub(1));
    let found = nearest(points, k, |_| ());
    let same = found.iter().zip(labels).map(|(found, own)| {
        found.iter().filter(|(_, j)| labels[*j] == *own).count() as f64 / k.max(1) as f64
    });
    let purity = same.sum::<f64>() / n;
    let others = (points.len() as f64 - 1.0).max(1.0);
    let pairs: f64 = counts.iter().map(|&c| c as f64 * (c as f64 - 1.0)).sum();
    let silhouettes: Vec<f64> = (0..points.len())
        .into_par_iter()
        .map(|i| silhouette_of(points, labels, &counts, i))
        .collect();
    let silhouette = silhouettes.iter().sum::<f64>() / n;
    Separation { purity, chance: pairs / (n * others), neighbours: k, silhouette }
}

/// (b − a) / max(a, b), a the mean distance to the own class, b that to the nearest other; 0 in a class of one.
fn silhouette_of(points: &[Vec<f32>], labels: &[usize], counts: &[usize], i: usize) -> f64 {
    let mut sums = vec![0.0; counts.len()];
    for (point, label) in points.iter().zip(labels) {
        sums[*label] += squared_distance(&points[i], point).sqrt();
    }
    let own = labels[i];
    if counts[own] < 2 {
        return 0.0;
    }
    let a = sums[own] / (counts[own] - 1) as f64;
    let others = (0..counts.len()).filter(|c| *c != own && counts[*c] > 0);
    let b = others.map(|c| sums[c] / counts[c] as f64).fold(f64::INFINITY, f64::min);
    if b.is_finite() && a.max(b) > 0.0 { (b - a) / a.max(b) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pairs 1 wide and 10 apart: of the first point a = 1, b = (10 + 11)/2.
    #[test]
    fn two_pairs_in_closed_form() {
        let points: Vec<Vec<f32>> = [0.0, 1.0, 10.0, 11.0].iter().map(|x| vec![*x]).collect();
        let found = separation(&points, &[0, 0, 1, 1], 1);
        let expected = ((10.5 - 1.0) / 10.5 + (9.5 - 1.0) / 9.5) / 2.0;
        assert!((found.silhouette - expected).abs() < 1e-9, "{found:?}");
        assert_eq!((found.purity, found.neighbours), (1.0, 1));
        assert!((found.chance - 1.0 / 3.0).abs() < 1e-12);
        let mixed = separation(&points, &[0, 1, 0, 1], 1);
        assert!(mixed.silhouette < 0.0 && mixed.purity == 0.0, "{mixed:?}");
    }

    #[test]
    fn one_class_and_single_points_say_nothing() {
        let points: Vec<Vec<f32>> = [0.0, 1.0, 5.0].iter().map(|x| vec![*x]).collect();
        let found = separation(&points, &[0, 0, 0], 2);
        assert_eq!((found.silhouette, found.purity, found.chance), (0.0, 1.0, 1.0));
        assert_eq!(separation(&points, &[0, 1, 2], 2).silhouette, 0.0);
        assert_eq!(separation(&[], &[], 2).purity, 0.0);
    }
}
