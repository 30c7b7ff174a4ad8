//! How many modes of a distribution samples cover: those of a mixture of Gaussians, or the thousand numbers of stacked
//! MNIST (Metz et al. 2017, <https://arxiv.org/abs/1611.02163>, section 3.3).

use serde::{Deserialize, Serialize};

use crate::error::{EvalError, Result};

/// How samples cover the modes of a uniform distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Modes {
    /// What was computed, in one sentence.
    pub protocol: String,
    /// Number of samples, those of no mode included.
    pub samples: usize,
    /// Samples that belong to a mode, the high-quality ones.
    pub high_quality: usize,
    /// Modes there are.
    pub modes: usize,
    /// Modes with at least one sample.
    pub covered: usize,
    /// Σ q ln(q · modes) over the shares q of the modes among those samples, in nats: 0 where all modes come
    /// equally often, ln(modes) where there is one.
    pub kl_to_uniform: f64,
    /// Samples of each mode.
    pub counts: Vec<usize>,
}

/// Counts the modes that samples belong to: `found` has the mode of each sample below `n_modes`, or nothing.
///
/// # Errors
/// If there are no samples, or a mode is too large.
pub fn count_modes(found: &[Option<usize>], n_modes: usize) -> Result<Modes> {
    if found.is_empty() {
        return Err(EvalError::NoSamples);
    }
    let mut counts = vec![0; n_modes];
    for (index, mode) in found.iter().enumerate() {
        let Some(mode) = *mode else { continue };
        let out_of_range = EvalError::ClassRange { index, class: mode, n_classes: n_modes };
        *counts.get_mut(mode).ok_or(out_of_range)? += 1;
    }
    let (samples, high_quality) = (found.len(), counts.iter().sum::<usize>());
    let divergence = |&count: &usize| {
        let share = count as f64 / high_quality as f64;
        share * (share * n_modes as f64).ln()
    };
    Ok(Modes {
        protocol: format!("modes of {n_modes} that at least one of {samples} samples belongs to"),
        samples,
        high_quality,
        modes: n_modes,
        covered: counts.iter().filter(|&&count| count > 0).count(),
        // Not a sum, which is −0 for nothing.
        kl_to_uniform: counts
            .iter()
            .filter(|&&count| count > 0)
            .map(divergence)
            .fold(0.0, |a, b| a + b),
        counts,
    })
}

/// The center of each mode and the standard deviation of a coordinate around it, of real `points` with their `labels` below
/// `n_modes`. A mode without points has no center and is left out.
pub fn mode_centers(points: &[Vec<f32>], labels: &[usize], n_modes: usize) -> (Vec<Vec<f32>>, f32) {
    let dimensions = points.first().map_or(0, Vec::len);
    let mut sums = vec![(vec![0f64; dimensions], 0usize); n_modes];
    for (point, &label) in points.iter().zip(labels) {
        let Some((sum, count)) = sums.get_mut(label) else { continue };
        *count += 1;
        sum.iter_mut().zip(point).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    let center = |(sum, count): &(Vec<f64>, usize)| -> Vec<f32> {
        sum.iter().map(|sum| (sum / *count as f64) as f32).collect()
    };
    let centers: Vec<Option<Vec<f32>>> =
        sums.iter().map(|mode| (mode.1 > 0).then(|| center(mode))).collect();
    let deviations = points.iter().zip(labels).flat_map(|(point, &label)| {
        let center = centers.get(label).and_then(Option::as_ref);
        let coordinates = center.into_iter().flat_map(move |center| center.iter().zip(point));
        coordinates.map(|(center, x)| f64::from(x - center).powi(2))
    });
    let squares: f64 = deviations.fold(0.0, |sum, square| sum + square);
    let deviation = (squares / (points.len() * dimensions).max(1) as f64).sqrt() as f32;
    (centers.into_iter().flatten().collect(), deviation)
}

/// The nearest of `centers` for each point, where it is within `radius`. All have as many coordinates.
pub fn nearest_modes(points: &[Vec<f32>], centers: &[Vec<f32>], radius: f32) -> Vec<Option<usize>> {
    let distance = |a: &[f32], b: &[f32]| {
        let squares: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
        squares.sqrt()
    };
    let nearest = |point: &Vec<f32>| {
        let distances = centers.iter().map(|center| distance(point, center)).enumerate();
        let (mode, distance) = distances.min_by(|a, b| a.1.total_cmp(&b.1))?;
        (distance <= radius).then_some(mode)
    };
    points.iter().map(nearest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covered_modes_and_their_evenness_are_counted() {
        let even = count_modes(&[Some(0), Some(1), None, Some(0), Some(1)], 4).expect("samples");
        assert_eq!((even.samples, even.high_quality, even.covered), (5, 4, 2));
        assert_eq!(even.counts, [2, 2, 0, 0]);
        assert!((even.kl_to_uniform - 2f64.ln()).abs() < 1e-12, "half of the modes");
        let one = count_modes(&[Some(3)], 4).expect("a sample");
        assert!((one.kl_to_uniform - 4f64.ln()).abs() < 1e-12);
        let all = count_modes(&[Some(0), Some(1), Some(2), Some(3)], 4).expect("samples");
        assert_eq!((all.covered, all.kl_to_uniform), (4, 0.0));
        let none = count_modes(&[None, None], 4).expect("samples");
        assert_eq!((none.covered, none.kl_to_uniform), (0, 0.0));
        assert!(count_modes(&[], 4).is_err() && count_modes(&[Some(4)], 4).is_err());
    }

    #[test]
    fn centers_and_deviation_are_those_of_labelled_points() {
        let points = [vec![1.0, 0.0], vec![3.0, 0.0], vec![0.0, 5.0], vec![0.0, 7.0]];
        let (centers, deviation) = mode_centers(&points, &[0, 0, 2, 2], 3);
        assert_eq!(centers, [vec![2.0, 0.0], vec![0.0, 6.0]]);
        assert!((deviation - 0.5f32.sqrt()).abs() < 1e-6, "half of the coordinates are 1 away");
        assert_eq!(mode_centers(&[], &[], 3).0, Vec::<Vec<f32>>::new());
    }

    #[test]
    fn points_belong_to_the_nearest_center_within_reach() {
        let centers = [vec![0.0, 0.0], vec![2.0, 0.0]];
        let points = [vec![0.3, 0.4], vec![1.8, 0.0], vec![1.0, 3.0], vec![-0.5, 0.0]];
        let found = nearest_modes(&points, &centers, 0.5);
        assert_eq!(found, [Some(0), Some(1), None, Some(0)]);
    }
}
