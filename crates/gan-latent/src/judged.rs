//! What a classifier makes of the images of latents, and how much of it moves when the latents do.

use candle_core::Tensor;
use candle_nn::ModuleT;
use gan_models::LatentBatch;
use serde::{Deserialize, Serialize};

use crate::error::LatentError;
use crate::sample::BATCH;

/// The log-odds that a classifier gives each of its answers for the image of each latent: a row a latent, a column an
/// answer, above 0 where it says yes.
///
/// `look` is the classifier: images `(N, C, H, W)` in [−1, 1] → log-odds `(N, K)`. `progress` is told how many images are
/// done.
///
/// # Errors
/// Those of the generator and of `look`.
pub fn judge<E: From<LatentError>>(
    generator: &impl ModuleT,
    latents: &LatentBatch,
    look: impl Fn(&Tensor) -> Result<Tensor, E>,
    progress: impl Fn(usize),
) -> Result<Vec<Vec<f32>>, E> {
    let mut judged = Vec::with_capacity(latents.len());
    let tensor = |e: candle_core::Error| E::from(LatentError::from(e));
    for from in (0..latents.len()).step_by(BATCH) {
        let some = latents.narrow(from, BATCH.min(latents.len() - from)).map_err(tensor)?;
        let z = some.encode().map_err(tensor)?;
        let images = generator.forward_t(&z, false).map_err(tensor)?;
        judged.extend(look(&images)?.to_vec2::<f32>().map_err(tensor)?);
        progress(judged.len());
    }
    Ok(judged)
}

/// The probability of log-odds.
pub fn probability(log_odds: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(log_odds)).exp())
}

/// How one answer of a classifier changed from some images to others that were made of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The answer: an attribute or a class.
    pub name: String,
    /// Share of the images of which it is said before.
    pub before: f64,
    /// And after.
    pub after: f64,
    /// Mean change of its probability.
    pub mean_change: f64,
}

/// The change of every answer between images that were judged before and after, in the same order.
pub fn changes(names: &[String], before: &[Vec<f32>], after: &[Vec<f32>]) -> Vec<Change> {
    let n = before.len().max(1) as f64;
    let share =
        |rows: &[Vec<f32>], k: usize| rows.iter().filter(|row| row[k] > 0.0).count() as f64 / n;
    let change = |(k, name): (usize, &String)| {
        let moved = before.iter().zip(after).map(|(b, a)| probability(a[k]) - probability(b[k]));
        Change {
            name: name.clone(),
            before: share(before, k),
            after: share(after, k),
            mean_change: moved.sum::<f64>() / n,
        }
    };
    names.iter().enumerate().map(change).collect()
}

/// The `n` rows with the highest score, the highest first; of equal ones the earlier.
pub fn strongest(scores: &[f32], n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order.truncate(n);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_come_in_order() {
        assert_eq!(strongest(&[0.5, 3.0, -1.0, 3.0, 0.7], 3), [1, 3, 4]);
        assert_eq!(strongest(&[0.5, 3.0], 5), [1, 0]);
    }

    #[test]
    fn shares_and_means_are_over_the_same_images() {
        let names = ["a".to_string(), "b".to_string()];
        let three = 3f32.ln(); // probability ¾
        let (before, after) =
            ([vec![-three, 0.0], vec![three, 0.0]], [vec![three, 0.0], vec![three, 0.0]]);
        let found = changes(&names, &before, &after);
        assert_eq!((found[0].before, found[0].after), (0.5, 1.0));
        assert!((found[0].mean_change - 0.25).abs() < 1e-6, "{found:?}");
        assert_eq!((found[1].before, found[1].mean_change), (0.0, 0.0));
    }
}
