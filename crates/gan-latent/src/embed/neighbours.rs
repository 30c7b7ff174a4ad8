//! The nearest neighbours of every point, by comparing all pairs.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

/// Points between two calls of what is told of the progress.
const TOLD_EVERY: usize = 64;

/// Squares of the distances of every point to its `k` nearest others with their indices, the nearest first; of equally
/// near ones the earlier. `progress` is told of how many points they are found.
pub(super) fn nearest<P: AsRef<[f32]> + Sync>(
    points: &[P],
    k: usize,
    progress: impl Fn(usize) + Sync,
) -> Vec<Vec<(f64, usize)>> {
    let done = AtomicUsize::new(0);
    let by_distance = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    let of = |i: usize| {
        let others = (0..points.len()).filter(|j| *j != i);
        let own = points[i].as_ref();
        let mut found: Vec<(f64, usize)> =
            others.map(|j| (squared_distance(own, points[j].as_ref()), j)).collect();
        if k < found.len() {
            found.select_nth_unstable_by(k, by_distance);
            found.truncate(k);
        }
        found.sort_by(by_distance);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(TOLD_EVERY) || done == points.len() {
            progress(done);
        }
        found
    };
    (0..points.len()).into_par_iter().map(of).collect()
}

/// Square of the distance of two points.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    // Eight sums beside each other fill a vector; f32 is exact enough within a group.
    let (a_groups, a_rest) = a.as_chunks::<8>();
    let (b_groups, b_rest) = b.as_chunks::<8>();
    let mut sums = [0f32; 8];
    for (a, b) in a_groups.iter().zip(b_groups) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    rest + sums.iter().map(|sum| f64::from(*sum)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_on_a_line() {
        let points = [0.0f32, 1.0, 3.0, 10.0].map(|x| vec![x]);
        let told = AtomicUsize::new(0);
        let found = nearest(&points, 2, |done| told.store(done, Ordering::Relaxed));
        assert_eq!(told.into_inner(), 4);
        assert_eq!(found[0], [(1.0, 1), (9.0, 2)]);
        assert_eq!(found[1], [(1.0, 0), (4.0, 2)]);
        assert_eq!(found[3], [(49.0, 2), (81.0, 1)]);
        assert_eq!(nearest(&points, 9, |_| ())[0].len(), 3);
    }

    #[test]
    fn groups_and_rest_are_summed() {
        let a: Vec<f32> = (0..19).map(|i| i as f32).collect();
        let b = vec![0.0; 19];
        let expected: f64 = (0..19).map(|i| f64::from(i * i)).sum();
        assert_eq!(squared_distance(&a, &b), expected);
    }
}
