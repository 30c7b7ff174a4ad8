//! Predictions against labels: a classifier against the data's, or against what a conditional generator was asked to make.

use serde::{Deserialize, Serialize};

use crate::error::{EvalError, Result};

/// How predictions agree with labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// What was computed, in one sentence.
    pub protocol: String,
    /// Number of samples.
    pub samples: usize,
    /// Share of samples whose prediction is their label.
    pub accuracy: f64,
    /// Balanced accuracy: the mean over labels of the share predicted so, at one over the number of classes for what always
    /// predicts the most frequent. Labels without samples do not count.
    pub balanced_accuracy: f64,
    /// Samples by label (rows) and prediction (columns).
    pub confusion: Vec<Vec<usize>>,
}

/// Compares `predictions` with `labels`, an entry a sample, both below `n_classes`.
///
/// # Errors
/// If there are no samples, or the lists do not pair up, or an entry is too large.
pub fn agreement(labels: &[usize], predictions: &[usize], n_classes: usize) -> Result<Agreement> {
    if labels.len() != predictions.len() {
        return Err(EvalError::Labels { predictions: predictions.len(), labels: labels.len() });
    }
    if labels.is_empty() {
        return Err(EvalError::NoSamples);
    }
    let mut confusion = vec![vec![0; n_classes]; n_classes];
    for (index, (&label, &prediction)) in labels.iter().zip(predictions).enumerate() {
        let class = label.max(prediction);
        let cell = confusion.get_mut(label).and_then(|row| row.get_mut(prediction));
        *cell.ok_or(EvalError::ClassRange { index, class, n_classes })? += 1;
    }
    let samples = labels.len();
    let right: usize = (0..n_classes).map(|i| confusion[i][i]).sum();
    let recall = |(label, row): (usize, &Vec<usize>)| {
        let n: usize = row.iter().sum();
        (n > 0).then(|| row[label] as f64 / n as f64)
    };
    let recalls: Vec<f64> = confusion.iter().enumerate().filter_map(recall).collect();
    Ok(Agreement {
        protocol: format!(
            "share of {samples} samples whose predicted class, of {n_classes}, is their label"
        ),
        samples,
        accuracy: right as f64 / samples as f64,
        balanced_accuracy: recalls.iter().sum::<f64>() / recalls.len() as f64,
        confusion,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_table() {
        let found = agreement(&[0, 0, 0, 1], &[0, 0, 1, 0], 3).expect("pairs");
        assert_eq!(found.confusion, [[2, 1, 0], [1, 0, 0], [0, 0, 0]]);
        assert_eq!((found.samples, found.accuracy), (4, 0.5));
        assert!((found.balanced_accuracy - (2.0 / 3.0 + 0.0) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_pair_up_is_refused() {
        assert!(agreement(&[], &[], 2).is_err());
        assert!(agreement(&[0], &[0, 1], 2).is_err());
        assert!(agreement(&[0, 2], &[0, 1], 2).is_err());
    }
}
