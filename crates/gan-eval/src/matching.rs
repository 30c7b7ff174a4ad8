//! Codes against classes: how well an unsupervised choice agrees with labels that it never saw.
//!
//! InfoGAN's error of 5 % on MNIST (Chen et al. 2016, <https://arxiv.org/abs/1606.03657>, section 7.2) is "matching each
//! category in c₁ to a digit type": the one-to-one assignment here.

use serde::{Deserialize, Serialize};

use crate::error::{EvalError, Result};

/// How codes agree with classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestMatch {
    /// What was computed, in one sentence.
    pub protocol: String,
    /// Number of samples.
    pub samples: usize,
    /// Share of samples whose code is assigned to their class, at the best one-to-one assignment.
    pub accuracy: f64,
    /// The class of each code at that assignment; none where there are more codes than classes.
    pub assignment: Vec<Option<usize>>,
    /// Share of samples in the majority at their code: every code stands for its most frequent class, and several may
    /// stand for the same.
    pub majority_accuracy: f64,
    /// Samples by code (rows) and class (columns).
    pub table: Vec<Vec<usize>>,
}

/// Assigns codes to classes, one to one, so that most samples agree.
///
/// `codes` and `labels` have an entry a sample, below `n_codes` and `n_classes`.
///
/// # Errors
/// If there are no samples, or the lists do not pair up, or an entry is too large.
pub fn best_match(
    codes: &[usize],
    labels: &[usize],
    n_codes: usize,
    n_classes: usize,
) -> Result<BestMatch> {
    if codes.len() != labels.len() {
        return Err(EvalError::Codes { codes: codes.len(), labels: labels.len() });
    }
    if codes.is_empty() {
        return Err(EvalError::Empty);
    }
    let mut table = vec![vec![0; n_classes]; n_codes];
    for (index, (&code, &label)) in codes.iter().zip(labels).enumerate() {
        let cell = table.get_mut(code).and_then(|row| row.get_mut(label));
        *cell.ok_or(EvalError::CodeRange { index, code, label, n_codes, n_classes })? += 1;
    }
    let assignment = largest_assignment(&table, n_classes);
    let samples = codes.len();
    let share = |n: usize| n as f64 / samples as f64;
    let matched = assignment.iter().zip(&table).filter_map(|(class, row)| Some(row[(*class)?]));
    let majority = table.iter().filter_map(|row| row.iter().max());
    Ok(BestMatch {
        protocol: format!(
            "share of {samples} samples whose code, of {n_codes}, is assigned to their class, of {n_classes}; best \
             one-to-one assignment, found on the same samples"
        ),
        samples,
        accuracy: share(matched.sum()),
        majority_accuracy: share(majority.sum()),
        assignment,
        table,
    })
}

/// A column for each row, none twice, such that the sum of their `gain` is largest.
///
/// The Hungarian algorithm (Kuhn 1955, Munkres 1957) in the form of shortest augmenting paths, O(n³): rows enter one by
/// one, and for each the cheapest chain of reassignments to a free column is found as by Dijkstra. The potentials keep
/// all reduced costs at 0 or more, and at 0 along assigned pairs.
fn largest_assignment(gain: &[Vec<usize>], columns: usize) -> Vec<Option<usize>> {
    let n = gain.len().max(columns);
    // Rows and columns that are missing for a square cost nothing; the sign turns gain to cost.
    let cost = |row: usize, column: usize| {
        -(gain.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0) as i64)
    };
    let mut row_potential = vec![0; n];
    let mut column_potential = vec![0; n];
    let mut row_of = vec![None; n]; // of each column
    for start in 0..n {
        let mut distance = vec![i64::MAX; n]; // from `start` to each column
        let mut before = vec![None; n]; // the column before each on its shortest path
        let mut done = vec![false; n];
        let (mut row, mut came_from, mut reached) = (start, None, 0);
        let free = loop {
            for column in (0..n).filter(|&column| !done[column]) {
                let through =
                    reached + cost(row, column) - row_potential[row] - column_potential[column];
                if through < distance[column] {
                    (distance[column], before[column]) = (through, came_from);
                }
            }
            let nearest = (0..n).filter(|&c| !done[c]).min_by_key(|&c| distance[c]);
            let nearest = nearest.expect("with each row there is one more column than rows before");
            reached = distance[nearest];
            match row_of[nearest] {
                None => break nearest,
                Some(next) => (row, came_from) = (next, Some(nearest)),
            }
            done[nearest] = true;
        };
        row_potential[start] += reached;
        for column in (0..n).filter(|&column| done[column]) {
            let slack = reached - distance[column];
            column_potential[column] -= slack;
            row_potential[row_of[column].expect("its row was visited")] += slack;
        }
        // Every column of the path takes the row of the one before it.
        let mut column = free;
        while let Some(previous) = before[column] {
            row_of[column] = row_of[previous];
            column = previous;
        }
        row_of[column] = Some(start);
    }
    let mut assignment = vec![None; gain.len()];
    for (column, row) in row_of.into_iter().enumerate().take(columns) {
        if let Some(place) = row.and_then(|row: usize| assignment.get_mut(row)) {
            *place = Some(column);
        }
    }
    assignment
}

#[cfg(test)]
mod tests {
    use super::*;
    use gan_core::Stream;

    /// Calls `visit` with every order of `0..n`.
    fn permutations(n: usize, visit: &mut impl FnMut(&[usize])) {
        fn extend(n: usize, chosen: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
            if chosen.len() == n {
                return visit(chosen);
            }
            for next in 0..n {
                if !chosen.contains(&next) {
                    chosen.push(next);
                    extend(n, chosen, visit);
                    chosen.pop();
                }
            }
        }
        extend(n, &mut Vec::new(), visit);
    }

    fn brute_force(gain: &[Vec<usize>], columns: usize) -> usize {
        let mut best = 0;
        permutations(gain.len().max(columns), &mut |order| {
            let of_pair = |(row, column): (&Vec<usize>, &usize)| row.get(*column).copied();
            best = best.max(gain.iter().zip(order).filter_map(of_pair).sum());
        });
        best
    }

    #[test]
    fn no_assignment_is_better_than_the_one_found() {
        let mut stream = Stream::named("matching", 0);
        for case in 0..600 {
            let (rows, columns) = (1 + stream.below(6), 1 + stream.below(6));
            // Small bounds make ties, large ones make unique optima.
            let bound = [2, 5, 1000][case % 3];
            let gain: Vec<Vec<usize>> =
                (0..rows).map(|_| (0..columns).map(|_| stream.below(bound)).collect()).collect();
            let assignment = largest_assignment(&gain, columns);
            let chosen: Vec<usize> = assignment.iter().flatten().copied().collect();
            assert_eq!(chosen.len(), rows.min(columns), "{gain:?}");
            let mut distinct = chosen.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), chosen.len(), "a class twice: {gain:?}");
            let sum: usize =
                gain.iter().zip(&assignment).filter_map(|(row, c)| Some(row[(*c)?])).sum();
            assert_eq!(sum, brute_force(&gain, columns), "{gain:?}");
        }
    }

    #[test]
    fn renamed_classes_match_wholly() -> Result<()> {
        let labels: Vec<usize> = (0..1000).map(|i| i % 10).collect();
        let codes: Vec<usize> = labels.iter().map(|label| (label * 3 + 4) % 10).collect();
        let found = best_match(&codes, &labels, 10, 10)?;
        assert_eq!((found.accuracy, found.majority_accuracy), (1.0, 1.0));
        let expected: Vec<Option<usize>> =
            (0..10).map(|code| (0..10).find(|label| (label * 3 + 4) % 10 == code)).collect();
        assert_eq!(found.assignment, expected);
        assert_eq!(found.table[4][0], 100);
        Ok(())
    }

    /// Two codes share class 0; one of them has to take class 1, where it has a single sample.
    #[test]
    fn one_to_one_is_at_most_the_majority() -> Result<()> {
        let (codes, labels) = ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1]);
        let found = best_match(&codes, &labels, 2, 2)?;
        assert_eq!(found.table, [[3, 0], [2, 1]]);
        assert_eq!(found.assignment, [Some(0), Some(1)]);
        assert_eq!((found.accuracy, found.majority_accuracy), (4.0 / 6.0, 5.0 / 6.0));
        let more_codes = best_match(&[0, 1, 2, 2], &[0, 0, 0, 0], 3, 1)?;
        assert_eq!(more_codes.assignment, [None, None, Some(0)]);
        assert_eq!((more_codes.accuracy, more_codes.majority_accuracy), (0.5, 1.0));
        Ok(())
    }

    #[test]
    fn what_does_not_pair_up_is_refused() {
        assert!(best_match(&[], &[], 2, 2).is_err());
        assert!(best_match(&[0], &[0, 1], 2, 2).is_err());
        let message = best_match(&[0, 2], &[1, 1], 2, 2).expect_err("2 codes").to_string();
        assert!(message.contains("sample 1") && message.contains("code 2"), "{message}");
    }
}
