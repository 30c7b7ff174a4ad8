//! How often each sample is served in an epoch.

use std::collections::BTreeMap;

use gan_core::Stream;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::shape::Split;

/// How often each sample is served in an epoch.
///
/// An epoch is as long as the split whatever is chosen here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Every sample at most once.
    #[default]
    Shuffle,
    /// Every group equally often: the samples with and those without the attribute of this name, or,
    /// under the name `class`, those of each class.
    Balanced(String),
    /// In proportion to the product of the weights of the attributes that a sample has; attributes
    /// without a weight, and missing ones, count 1.
    Weighted(BTreeMap<String, f64>),
}

impl Sampling {
    /// How often each sample of a split is wanted, in any unit; `None` where all are wanted once.
    pub(crate) fn weights(
        &self,
        data: &Dataset,
        split: Split,
    ) -> Result<Option<Vec<f64>>, DataError> {
        let weights = match self {
            Self::Shuffle => return Ok(None),
            Self::Balanced(name) => {
                let groups = data.groups(split, name)?;
                let mut sizes = vec![0usize; groups.iter().max().map_or(0, |max| max + 1)];
                groups.iter().for_each(|group| sizes[*group] += 1);
                groups.into_iter().map(|group| 1.0 / sizes[group] as f64).collect()
            }
            Self::Weighted(by_name) => {
                let mut weights = vec![1.0; data.len(split)];
                for (name, factor) in by_name {
                    if !(factor.is_finite() && *factor >= 0.0) {
                        return Err(DataError::Argument {
                            name: "weight of an attribute",
                            expected: "a number of at least 0".into(),
                            got: format!("{factor} for {name}"),
                        });
                    }
                    let has = data.having(split, name)?;
                    for (weight, _) in weights.iter_mut().zip(has).filter(|(_, has)| *has) {
                        *weight *= factor;
                    }
                }
                weights
            }
        };
        let sum: f64 = weights.iter().sum();
        let is_possible = weights.is_empty() || (sum.is_finite() && sum > 0.0);
        if !is_possible {
            return Err(DataError::Argument {
                name: "weights of attributes",
                expected: "some sample with a weight above 0, and a finite sum".into(),
                got: format!("a sum of {sum}"),
            });
        }
        Ok(Some(weights))
    }
}

/// As many indices as there are weights, each drawn in proportion to its weight, in random order.
///
/// By systematic resampling: one random number places a comb of equal steps over the weights in random
/// order, so that no sample is more than one away from the number of times that it should come.
pub(crate) fn draw(weights: &[f64], stream: &mut Stream) -> Vec<usize> {
    let n = weights.len();
    let mut order: Vec<usize> = (0..n).collect();
    stream.shuffle(&mut order);
    let total: f64 = weights.iter().sum();
    let offset = f64::from(stream.uniform(0.0, 1.0));
    let mut drawn = Vec::with_capacity(n);
    let mut reached = 0.0;
    for (k, &index) in order.iter().enumerate() {
        reached += weights[index];
        // The last one takes what rounding has left.
        let up_to = if k + 1 == n { n as f64 } else { reached / total * n as f64 - offset };
        while drawn.len() < n && (drawn.len() as f64) < up_to {
            drawn.push(index);
        }
    }
    stream.shuffle(&mut drawn);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_within_one_of_the_weights() {
        let weights: Vec<f64> = (0..500).map(|i| [1.0, 0.25, 3.0, 0.0][i % 4]).collect();
        let total: f64 = weights.iter().sum();
        for epoch in 0..20 {
            let drawn = draw(&weights, &mut Stream::indexed("test", 1, epoch));
            assert_eq!(drawn.len(), weights.len());
            let mut counts = vec![0f64; weights.len()];
            drawn.iter().for_each(|i| counts[*i] += 1.0);
            // The last index in the random order is allowed what rounding leaves.
            let off = counts
                .iter()
                .zip(&weights)
                .map(|(count, weight)| (count - weight / total * weights.len() as f64).abs());
            assert!(off.fold(0.0, f64::max) <= 1.0 + 1e-9);
        }
    }
}
