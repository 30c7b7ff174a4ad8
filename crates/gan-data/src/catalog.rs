//! What a source turns out to hold: every picture's name and split, and a way to read them from
//! many threads.

use gan_core::{Image, Stream};

use crate::error::DataError;
use crate::manifest::SourceId;
use crate::prepare::{PrepareOptions, Skipped};
use crate::shape::Split;

/// An opened source.
pub(crate) struct Catalog {
    pub(crate) source: SourceId,
    /// The pictures, in the order in which they are stored.
    pub(crate) items: Vec<Item>,
    pub(crate) attributes: Vec<String>,
    pub(crate) classes: Vec<String>,
    /// What lies in the source and is not taken.
    pub(crate) ignored: Vec<Skipped>,
    /// Width and height that all pictures have, where the source knows.
    pub(crate) size: Option<(usize, usize)>,
    pub(crate) pictures: Box<dyn Pictures>,
}

/// One picture of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Name that a person recognizes.
    pub(crate) name: String,
    /// Index by which [`Reader::read`] finds it.
    pub(crate) place: usize,
    /// Its split, where the source has an opinion.
    pub(crate) split: Option<Split>,
}

/// The pictures of a source.
pub(crate) trait Pictures: Send + Sync {
    /// A reader for one thread.
    fn reader(&self) -> Box<dyn Reader + '_>;
}

/// Reads pictures on one thread.
pub(crate) trait Reader {
    /// Reads one picture; the error is the reason why it cannot be used.
    fn read(&mut self, place: usize) -> Result<Sample, String>;
}

/// A picture with what is known of it.
pub(crate) struct Sample {
    pub(crate) image: Image,
    /// 0 or 1, in the order of [`Catalog::attributes`].
    pub(crate) attributes: Vec<u8>,
    /// Index into [`Catalog::classes`].
    pub(crate) label: Option<u8>,
}

/// A picture that was chosen, with its final split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) place: usize,
    pub(crate) split: Split,
}

impl Catalog {
    /// Gives every picture a split, then takes at most `options.limit` of them, spread over the splits
    /// in proportion. Both draw from streams of `options.seed`; the order stays.
    pub(crate) fn choose(&mut self, options: &PrepareOptions) -> Result<Vec<Chosen>, DataError> {
        let (valid, test) = (options.valid_fraction, options.test_fraction);
        let in_range = |x: f64| (0.0..=1.0).contains(&x);
        if !in_range(valid) || !in_range(test) || !in_range(valid + test) {
            return Err(DataError::Argument {
                name: "fractions of the validation and test splits",
                expected: "at least 0, and not more than 1 together".into(),
                got: format!("{valid} and {test}"),
            });
        }
        let items = std::mem::take(&mut self.items);
        let mut open: Vec<usize> = (0..items.len()).filter(|&i| items[i].split.is_none()).collect();
        let n_valid = (open.len() as f64 * valid).round() as usize;
        let n_test = (open.len() as f64 * test).round() as usize;
        Stream::named("data.split", options.seed).shuffle(&mut open);
        let mut drawn = vec![Split::Train; items.len()];
        for (rank, i) in open.into_iter().enumerate() {
            drawn[i] = match rank {
                r if r < n_valid => Split::Valid,
                r if r < n_valid + n_test => Split::Test,
                _ => Split::Train,
            };
        }
        let chosen: Vec<Chosen> = items
            .into_iter()
            .zip(drawn)
            .map(|(Item { name, place, split }, drawn)| Chosen {
                name,
                place,
                split: split.unwrap_or(drawn),
            })
            .collect();
        Ok(match options.limit {
            Some(limit) if limit < chosen.len() => limited(chosen, limit, options.seed),
            _ => chosen,
        })
    }
}

/// Takes `limit` of the pictures, each split in proportion to its size (largest remainders first).
fn limited(all: Vec<Chosen>, limit: usize, seed: u64) -> Vec<Chosen> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    Stream::named("data.limit", seed).shuffle(&mut order);
    let mut by_split: Vec<Vec<usize>> = Split::ALL
        .iter()
        .map(|split| order.iter().copied().filter(|&i| all[i].split == *split).collect())
        .collect();
    let share = |n: usize| limit as u128 * n as u128;
    let total = all.len() as u128;
    let mut quota: Vec<usize> =
        by_split.iter().map(|members| (share(members.len()) / total) as usize).collect();
    let mut ranks: Vec<usize> = (0..quota.len()).collect();
    ranks.sort_by_key(|&s| std::cmp::Reverse(share(by_split[s].len()) % total));
    let missing = limit - quota.iter().sum::<usize>();
    ranks.into_iter().take(missing).for_each(|s| quota[s] += 1);
    let mut keep = vec![false; all.len()];
    for (members, quota) in by_split.iter_mut().zip(quota) {
        members.iter().take(quota).for_each(|&i| keep[i] = true);
    }
    all.into_iter().zip(keep).filter_map(|(chosen, keep)| keep.then_some(chosen)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_keeps_proportions_and_order() {
        let all: Vec<Chosen> = (0..100)
            .map(|i| Chosen {
                name: format!("{i:03}"),
                place: i,
                split: Split::from_number((i % 10).saturating_sub(7) as u8).expect("0 to 2"),
            })
            .collect();
        let some = limited(all.clone(), 33, 5);
        let count = |split| some.iter().filter(|c| c.split == split).count();
        assert_eq!(some.len(), 33);
        // Of 80, 10 and 10 in a hundred: 26.4, 3.3 and 3.3.
        assert_eq!(Split::ALL.map(count), [27, 3, 3]);
        assert!(some.windows(2).all(|w| w[0].place < w[1].place));
        assert_eq!(some, limited(all.clone(), 33, 5));
        assert_ne!(some, limited(all, 33, 6));
    }
}
