//! t-SNE (van der Maaten and Hinton 2008, <https://jmlr.org/papers/v9/vandermaaten08a.html>) with Barnes and Hut's trees (van
//! der Maaten 2014, <https://jmlr.org/papers/v15/vandermaaten14a.html>).
//!
//! The start is the plane of the two principal components, very small, and the learning rate grows with the number of
//! points (Kobak and Berens 2019, <https://doi.org/10.1038/s41467-019-13056-x>): as scikit-learn has both. It is written here
//! because a map has to be the same whenever it is drawn, and bhtsne starts at random without a seed.

use gan_core::Stream;
use rayon::prelude::*;

use super::neighbours::nearest;
use super::pca;
use super::quadtree::Quadtree;
use crate::error::LatentError;

/// How a map is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TsneOptions {
    /// About how many neighbours a point is drawn to; at most a third of the points.
    pub perplexity: f64,
    /// Steps of gradient descent.
    pub iterations: usize,
    /// Size of a group beside its distance up to which it acts as one; 0 is exact.
    pub theta: f64,
    /// Seed of the little that the start is off the principal plane.
    pub seed: u64,
}

impl Default for TsneOptions {
    fn default() -> Self {
        Self { perplexity: 30.0, iterations: 1000, theta: 0.5, seed: 0 }
    }
}

/// A map and how well it keeps neighbourhoods.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// The places of the points.
    pub places: Vec<[f64; 2]>,
    /// Kullback-Leibler divergence of the map's neighbourhoods from the points', in nats.
    pub divergence: f64,
}

/// What of a map is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TsneProgress {
    /// The neighbours of so many points are found, by comparing all pairs.
    Neighbours(usize),
    /// So many steps of gradient descent are done.
    Steps(usize),
}

/// Points with fewer than that many make no map.
const FEWEST: usize = 8;
/// Steps in the beginning, in which neighbours attract twelve times as strongly, so that clusters form: a map of fewer steps
/// than twice as many is not finished.
pub const EARLY_STEPS: usize = 250;
const EXAGGERATION: f64 = 12.0;
/// Standard deviation of the start, and of what the seed adds to it.
const START: f64 = 1e-4;
const JITTER: f64 = 1e-6;

/// Attraction between a point and others: their indices and probabilities.
type Row = Vec<(u32, f64)>;

/// Places of `points` in the plane. `progress` is told what is done, while neighbours are looked for from any thread.
///
/// # Errors
/// If there are fewer than 8 points, or so few that the perplexity exceeds a third of them.
pub fn tsne(
    points: &[Vec<f32>],
    options: &TsneOptions,
    progress: impl Fn(TsneProgress) + Sync,
) -> Result<Embedding, LatentError> {
    let n = points.len();
    if n < FEWEST {
        return Err(LatentError::Unfit(format!(
            "{n} points make no map, expected {FEWEST} or more"
        )));
    }
    let most = (n - 1) as f64 / 3.0;
    if !(1.0..=most).contains(&options.perplexity) {
        let perplexity = options.perplexity;
        return Err(LatentError::Unfit(format!(
            "the perplexity is {perplexity}, expected 1 to {most:.0}, a third of the {n} points"
        )));
    }
    let found = |n: usize| progress(TsneProgress::Neighbours(n));
    let affinities = affinities(points, options.perplexity, found);
    let mut places = start(points, options.seed)?;
    let mut speed = vec![[0.0; 2]; n];
    let mut gains = vec![[1.0f64; 2]; n];
    let rate = (n as f64 / EXAGGERATION / 4.0).max(50.0);
    for iteration in 0..options.iterations {
        let (exaggeration, momentum) =
            if iteration < EARLY_STEPS { (EXAGGERATION, 0.5) } else { (1.0, 0.8) };
        let gradient = gradient(&affinities, &places, options.theta, exaggeration);
        for (i, gradient) in gradient.into_iter().enumerate() {
            for axis in 0..2 {
                let (g, gain) = (gradient[axis], &mut gains[i][axis]);
                let turned = g * speed[i][axis] > 0.0; // speed goes against the gradient
                *gain = if turned { (*gain * 0.8).max(0.01) } else { *gain + 0.2 };
                speed[i][axis] = momentum * speed[i][axis] - rate * *gain * g;
                places[i][axis] += speed[i][axis];
            }
        }
        centre(&mut places);
        progress(TsneProgress::Steps(iteration + 1));
    }
    let divergence = divergence(&affinities, &places, options.theta);
    Ok(Embedding { places, divergence })
}

/// The principal plane, scaled to a small map, with a little of the seed's.
fn start(points: &[Vec<f32>], seed: u64) -> Result<Vec<[f64; 2]>, LatentError> {
    let (mut places, _) = pca(points)?;
    let square = places.iter().map(|place| place[0] * place[0]).sum::<f64>() / places.len() as f64;
    let scale = START / square.sqrt().max(f64::MIN_POSITIVE);
    let mut stream = Stream::named("t-SNE", seed);
    for x in places.iter_mut().flatten() {
        *x = *x * scale + JITTER * f64::from(stream.normal());
    }
    Ok(places)
}

fn centre(places: &mut [[f64; 2]]) {
    for axis in 0..2 {
        let mean = places.iter().map(|place| place[axis]).sum::<f64>() / places.len() as f64;
        places.iter_mut().for_each(|place| place[axis] -= mean);
    }
}

/// The symmetric probabilities of pairs among neighbours; those of all pairs add up to 1.
fn affinities(points: &[Vec<f32>], perplexity: f64, progress: impl Fn(usize) + Sync) -> Vec<Row> {
    let k = ((3.0 * perplexity) as usize).clamp(1, points.len() - 1);
    let neighbours = nearest(points, k, progress);
    let n = points.len() as f64;
    let mut rows: Vec<Row> = vec![Vec::with_capacity(2 * k); points.len()];
    for (i, found) in neighbours.iter().enumerate() {
        for ((_, j), p) in found.iter().zip(conditional(found, perplexity)) {
            rows[i].push((*j as u32, p / (2.0 * n)));
            rows[*j].push((i as u32, p / (2.0 * n)));
        }
    }
    for row in &mut rows {
        // Two that are neighbours of each other have two halves.
        row.sort_by_key(|(j, _)| *j);
        row.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
    }
    rows
}

/// Probabilities of a point's neighbours under the Gaussian whose perplexity is the wanted one, found by bisection.
fn conditional(neighbours: &[(f64, usize)], perplexity: f64) -> Vec<f64> {
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let nearest = neighbours.first().map_or(0.0, |(square, _)| *square);
    let mut precision = 1.0;
    let mut p = Vec::new();
    for _ in 0..100 {
        p = neighbours.iter().map(|(square, _)| (-(square - nearest) * precision).exp()).collect();
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= sum);
        let entropy: f64 = p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        let off = entropy - perplexity.ln();
        if off.abs() < 1e-7 {
            break;
        }
        if off > 0.0 {
            low = precision
        } else {
            high = precision
        }
        precision = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * precision };
    }
    p
}

/// The gradient of the divergence by the places.
fn gradient(
    affinities: &[Row],
    places: &[[f64; 2]],
    theta: f64,
    exaggeration: f64,
) -> Vec<[f64; 2]> {
    let tree = Quadtree::new(places);
    let repelled: Vec<_> =
        (0..places.len()).into_par_iter().map(|i| tree.repulsion(i, places[i], theta)).collect();
    let total: f64 = repelled.iter().map(|repulsion| repulsion.weight).sum();
    let of = |i: usize| {
        let mut attracted = [0.0; 2];
        for &(j, p) in &affinities[i] {
            let other = places[j as usize];
            let by = [places[i][0] - other[0], places[i][1] - other[1]];
            let weight = exaggeration * p / (1.0 + by[0] * by[0] + by[1] * by[1]);
            attracted[0] += weight * by[0];
            attracted[1] += weight * by[1];
        }
        std::array::from_fn(|axis| {
            4.0 * (attracted[axis] - repelled[i].force[axis] / total.max(f64::MIN_POSITIVE))
        })
    };
    (0..places.len()).into_par_iter().map(of).collect()
}

/// Kullback-Leibler divergence of the map from the affinities.
fn divergence(affinities: &[Row], places: &[[f64; 2]], theta: f64) -> f64 {
    let tree = Quadtree::new(places);
    let weights = (0..places.len()).map(|i| tree.repulsion(i, places[i], theta).weight);
    let total: f64 = weights.sum();
    let of = |(i, row): (usize, &Row)| {
        let term = |&(j, p): &(u32, f64)| {
            let other = places[j as usize];
            let square = (places[i][0] - other[0]).powi(2) + (places[i][1] - other[1]).powi(2);
            p * (p * total * (1.0 + square)).ln()
        };
        row.iter().filter(|(_, p)| *p > 0.0).map(term).sum::<f64>()
    };
    affinities.iter().enumerate().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::separation;

    /// `classes` Gaussian clouds of `each` points in ten dimensions, their centres 10 apart on the axes.
    fn clusters(classes: usize, each: usize) -> (Vec<Vec<f32>>, Vec<usize>) {
        let mut stream = Stream::named("clusters", 1);
        let mut points = Vec::new();
        for i in 0..classes * each {
            let mut point: Vec<f32> = (0..10).map(|_| stream.normal()).collect();
            point[i % classes] += 10.0;
            points.push(point);
        }
        let labels = (0..points.len()).map(|i| i % classes).collect();
        (points, labels)
    }

    #[test]
    fn clusters_stay_clusters_and_the_map_is_of_its_seed() -> Result<(), LatentError> {
        let (points, labels) = clusters(4, 40);
        let options = TsneOptions { perplexity: 10.0, iterations: 600, ..Default::default() };
        let found = tsne(&points, &options, |_| ())?;
        let map: Vec<Vec<f32>> =
            found.places.iter().map(|p| p.map(|x| x as f32).to_vec()).collect();
        let apart = separation(&map, &labels, 10);
        assert!(apart.purity > 0.99 && apart.silhouette > 0.5, "{apart:?}");
        assert!(found.divergence > 0.0 && found.divergence < 1.0, "{}", found.divergence);
        assert_eq!(tsne(&points, &options, |_| ())?, found);
        let other = tsne(&points, &TsneOptions { seed: 1, ..options }, |_| ())?;
        assert_ne!(other.places, found.places);
        Ok(())
    }

    #[test]
    fn probabilities_have_the_perplexity_and_add_up_to_1() {
        let (points, _) = clusters(3, 30);
        for found in nearest(&points, 45, |_| ()).iter().take(9) {
            let p = conditional(found, 15.0);
            let entropy: f64 = p.iter().map(|p| -p * p.ln()).sum();
            assert!(
                (entropy.exp() - 15.0).abs() < 1e-4 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-12
            );
        }
        let rows = affinities(&points, 15.0, |_| ());
        let total: f64 = rows.iter().flatten().map(|(_, p)| p).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        let of = |i: usize, j: u32| rows[i].iter().find(|(k, _)| *k == j).map(|(_, p)| *p);
        let (j, p) = rows[5][3];
        assert_eq!(of(j as usize, 5), Some(p), "the same both ways");
    }

    /// The gradient is the derivative of the divergence: both without groups, against differences.
    #[test]
    fn the_gradient_leads_downhill() {
        let (points, _) = clusters(3, 10);
        let affinities = affinities(&points, 5.0, |_| ());
        let mut stream = Stream::named("places", 0);
        let places: Vec<[f64; 2]> =
            points.iter().map(|_| [0; 2].map(|_| f64::from(stream.normal()))).collect();
        let found = gradient(&affinities, &places, 0.0, 1.0);
        for (i, axis) in [(0, 0), (7, 1), (29, 0)] {
            let at = |by: f64| {
                let mut moved = places.clone();
                moved[i][axis] += by;
                divergence(&affinities, &moved, 0.0)
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!(
                (found[i][axis] - slope).abs() < 1e-7,
                "{i} {axis}: {} {slope}",
                found[i][axis]
            );
        }
    }

    #[test]
    fn too_few_points_and_wrong_perplexities_are_refused() {
        let (points, _) = clusters(2, 20);
        let wrong = |points: &[Vec<f32>], perplexity: f64| {
            let options = TsneOptions { perplexity, ..Default::default() };
            tsne(points, &options, |_| ()).expect_err("refused").to_string()
        };
        assert!(wrong(&points[..5], 1.0).contains("5 points"));
        assert!(wrong(&points, 30.0).contains("1 to 13"));
        wrong(&points, f64::NAN);
    }
}
