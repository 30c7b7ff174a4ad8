//! What a source turns out to hold: every sample's place, split and labels, and a way to read them from
//! many threads.

use gan_core::{Image, Stream};

use crate::error::DataError;
use crate::manifest::SourceId;
use crate::prepare::{PrepareOptions, Skipped};
use crate::selection::Selection;
use crate::shape::{SampleShape, Split};
use crate::transform::Transform;

/// An opened source.
pub(crate) struct Catalog {
    pub(crate) source: SourceId,
    /// The samples, in the order in which they are stored.
    pub(crate) items: Vec<Item>,
    pub(crate) attributes: Vec<String>,
    pub(crate) classes: Vec<String>,
    /// What lies in the source and is not taken.
    pub(crate) ignored: Vec<Skipped>,
    /// The shape that all samples have, where the source knows.
    pub(crate) shape: Option<SampleShape>,
    /// What is done to the pictures unless told otherwise.
    pub(crate) transform: Transform,
    pub(crate) samples: Box<dyn Samples>,
}

/// One sample of a source; a source may have millions, so that names are asked for when needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    place: u32,
    /// Its split, where the source has an opinion.
    pub(crate) split: Option<Split>,
}

impl Item {
    /// The sample that [`Samples`] has at `place`.
    pub(crate) fn new(place: usize, split: Option<Split>) -> Self {
        let place = place.try_into().expect("a source of at most 2³² samples");
        Self { place, split }
    }

    /// Index by which [`Samples`] and [`Reader`] find it.
    pub(crate) fn place(self) -> usize {
        self.place as usize
    }
}

/// The samples of a source, by place.
pub(crate) trait Samples: Send + Sync {
    /// Name that a person recognizes.
    fn name(&self, place: usize) -> String;

    /// What is known of a sample without reading it.
    fn facts(&self, place: usize) -> Facts;

    /// A reader for one thread.
    fn reader(&self) -> Box<dyn Reader + '_>;
}

/// What is known of a sample beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// 0 or 1, in the order of [`Catalog::attributes`].
    pub(crate) attributes: Vec<u8>,
    /// Index into [`Catalog::classes`].
    pub(crate) label: Option<u32>,
}

impl Facts {
    /// A label and no attributes.
    pub(crate) fn labelled(label: u32) -> Self {
        Self { attributes: Vec::new(), label: Some(label) }
    }
}

/// Reads samples on one thread.
pub(crate) trait Reader {
    /// Reads one sample.
    fn read(&mut self, place: usize) -> Result<Sample, Unreadable>;
}

/// Why a sample cannot be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It cannot be used, for this reason; the others can.
    Damaged(String),
    /// The source went away, or the system cannot read it: nothing is known of the sample.
    Lost(std::io::Error),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Damaged(reason) => f.write_str(reason),
            Self::Lost(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unreadable {}

impl From<String> for Unreadable {
    fn from(reason: String) -> Self {
        Self::Damaged(reason)
    }
}

impl From<&str> for Unreadable {
    fn from(reason: &str) -> Self {
        Self::Damaged(reason.into())
    }
}

impl From<std::io::Error> for Unreadable {
    /// Errors of the operating system are about the source, but for files that are not for us to read;
    /// those of decoders are about the file.
    fn from(error: std::io::Error) -> Self {
        let ours = error.kind() == std::io::ErrorKind::PermissionDenied;
        match error.raw_os_error() {
            Some(_) if !ours => Self::Lost(error),
            _ => Self::Damaged(error.to_string()),
        }
    }
}

/// What a reader returns.
pub(crate) enum Sample {
    /// A picture of any size.
    Image(Image),
    /// A point of the plane.
    Point([f32; 2]),
}

/// A sample that was chosen, with its final split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    place: u32,
    pub(crate) split: Split,
}

impl Chosen {
    /// Index by which [`Samples`] and [`Reader`] find it.
    pub(crate) fn place(self) -> usize {
        self.place as usize
    }
}

impl Catalog {
    /// Takes the samples that `options` select, gives each a split, then takes at most
    /// `options.limit` of them, spread over the splits in proportion. Splits and limit draw from
    /// streams of `options.seed`; the order stays.
    pub(crate) fn choose(&mut self, options: &PrepareOptions) -> Result<Vec<Chosen>, DataError> {
        let mut items = std::mem::take(&mut self.items);
        if let Some(only) = &options.only {
            self.select(only, &mut items)?;
        }
        let fractions = options.fractions;
        if fractions.is_some() {
            items.iter_mut().for_each(|item| item.split = None);
        }
        let (valid, test) = fractions.unwrap_or(PrepareOptions::DEFAULT_FRACTIONS);
        let in_range = |x: f64| (0.0..=1.0).contains(&x);
        if !in_range(valid) || !in_range(test) || !in_range(valid + test) {
            return Err(DataError::Argument {
                name: "fractions of the validation and test splits",
                expected: "at least 0, and not more than 1 together".into(),
                got: format!("{valid} and {test}"),
            });
        }
        let chosen = with_splits(&items, (valid, test), options.seed);
        Ok(match options.limit {
            Some(limit) if limit < chosen.len() => limited(&chosen, limit, options.seed),
            _ => chosen,
        })
    }

    fn select(&self, only: &Selection, items: &mut Vec<Item>) -> Result<(), DataError> {
        let filter = only.resolve(&self.attributes, &self.classes)?;
        items.retain(|item| filter.takes(&self.samples.facts(item.place())));
        if items.is_empty() {
            return Err(DataError::Argument {
                name: "selection",
                expected: "one that some pictures fulfil".into(),
                got: format!("{only}, which none does"),
            });
        }
        Ok(())
    }
}

/// Gives the items without a split one, in these fractions.
fn with_splits(items: &[Item], (valid, test): (f64, f64), seed: u64) -> Vec<Chosen> {
    let mut open: Vec<u32> =
        (0..items.len() as u32).filter(|&i| items[i as usize].split.is_none()).collect();
    let n_valid = (open.len() as f64 * valid).round() as usize;
    let n_test = (open.len() as f64 * test).round() as usize;
    Stream::named("data.split", seed).shuffle(&mut open);
    let mut chosen: Vec<Chosen> = items
        .iter()
        .map(|item| Chosen { place: item.place, split: item.split.unwrap_or(Split::Train) })
        .collect();
    let (in_valid, rest) = open.split_at(n_valid.min(open.len()));
    in_valid.iter().for_each(|&i| chosen[i as usize].split = Split::Valid);
    rest.iter().take(n_test).for_each(|&i| chosen[i as usize].split = Split::Test);
    chosen
}

/// Takes `limit` of the samples, each split in proportion to its size (largest remainders first).
fn limited(all: &[Chosen], limit: usize, seed: u64) -> Vec<Chosen> {
    let mut order: Vec<u32> = (0..all.len() as u32).collect();
    Stream::named("data.limit", seed).shuffle(&mut order);
    let members = |split: Split| all.iter().filter(|chosen| chosen.split == split).count();
    let share = |split: Split| limit as u128 * members(split) as u128;
    let total = all.len() as u128;
    let mut quota = Split::ALL.map(|split| (share(split) / total) as usize);
    let mut ranks = Split::ALL;
    ranks.sort_by_key(|&split| std::cmp::Reverse(share(split) % total));
    let missing = limit - quota.iter().sum::<usize>();
    ranks.into_iter().take(missing).for_each(|split| quota[split as usize] += 1);
    let mut keep = vec![false; all.len()];
    for i in order {
        let left = &mut quota[all[i as usize].split as usize];
        if *left > 0 {
            *left -= 1;
            keep[i as usize] = true;
        }
    }
    all.iter().zip(keep).filter_map(|(chosen, keep)| keep.then_some(*chosen)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_keeps_proportions_and_order() {
        let all: Vec<Chosen> = (0..100)
            .map(|place| Chosen {
                place,
                split: Split::from_number((place % 10).saturating_sub(7) as u8).expect("0 to 2"),
            })
            .collect();
        let some = limited(&all, 33, 5);
        let count = |split| some.iter().filter(|c| c.split == split).count();
        assert_eq!(some.len(), 33);
        // Of 80, 10 and 10 in a hundred: 26.4, 3.3 and 3.3.
        assert_eq!(Split::ALL.map(count), [27, 3, 3]);
        assert!(some.windows(2).all(|w| w[0].place < w[1].place));
        assert_eq!(some, limited(&all, 33, 5));
        assert_ne!(some, limited(&all, 33, 6));
    }

    #[test]
    fn fractions_are_of_the_items_without_a_split() {
        let item = |place| Item::new(place, (place < 20).then_some(Split::Test));
        let items: Vec<Item> = (0..120).map(item).collect();
        let chosen = with_splits(&items, (0.1, 0.25), 1);
        let count = |split| chosen.iter().filter(|c| c.split == split).count();
        assert_eq!(Split::ALL.map(count), [65, 10, 20 + 25]);
        assert!(chosen[..20].iter().all(|c| c.split == Split::Test));
        assert!(chosen.iter().enumerate().all(|(i, c)| c.place() == i));
        assert_ne!(chosen, with_splits(&items, (0.1, 0.25), 2));
    }
}
