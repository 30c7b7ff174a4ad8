//! What the folders around pictures say: `train/`, `valid/` and `test/` are splits, and where all
//! pictures lie in two or more folders side by side, each folder is a class.

use std::collections::BTreeMap;

use crate::shape::Split;

/// Splits and classes of files, by their place in the list of names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Empty where the folders are no splits.
    pub(super) splits: Vec<Split>,
    /// Names of the classes; empty where the folders are none.
    pub(super) classes: Vec<String>,
    /// Empty where there are no classes.
    pub(super) labels: Vec<u32>,
}

impl Layout {
    /// Reads the paths of files, `/` between their parts.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let shared = shared_folders(names.clone());
        let inner = names.map(|name| &name[shared..]);
        if let Some(splits) = splits(inner.clone()) {
            let inner = inner.map(|name| name.split_once('/').map_or(name, |(_, rest)| rest));
            let (classes, labels) = classes(inner);
            return Self { splits, classes, labels };
        }
        let (classes, labels) = classes(inner);
        Self { splits: Vec::new(), classes, labels }
    }
}

/// Length of the folders that all names begin with.
fn shared_folders<'a>(mut names: impl Iterator<Item = &'a str>) -> usize {
    let Some(first) = names.next() else { return 0 };
    let mut shared = first.rfind('/').map_or(0, |slash| slash + 1);
    for name in names {
        while !name.starts_with(&first[..shared]) {
            shared = first[..shared - 1].rfind('/').map_or(0, |slash| slash + 1);
        }
    }
    shared
}

/// The splits, where every file lies in a folder named as one and some are for training.
fn splits<'a>(names: impl Iterator<Item = &'a str>) -> Option<Vec<Split>> {
    let of_name = |name: &str| {
        let (top, _) = name.split_once('/')?;
        // Numbers are classes here, as in `0/a.png`.
        if top.starts_with(|c: char| c.is_ascii_digit()) { None } else { top.parse().ok() }
    };
    let splits: Vec<Split> = names.map(of_name).collect::<Option<_>>()?;
    splits.contains(&Split::Train).then_some(splits)
}

/// Class names and labels; both empty where the files are in no classes.
fn classes<'a>(names: impl Iterator<Item = &'a str> + Clone) -> (Vec<String>, Vec<u32>) {
    let mut numbers = BTreeMap::new();
    let mut n = 0;
    for name in names.clone() {
        let Some((top, _)) = name.split_once('/') else { return Default::default() };
        numbers.insert(top, 0);
        n += 1;
    }
    // A folder a picture is a way of storing them, not of sorting them.
    if numbers.len() < 2 || numbers.len() * 2 > n {
        return Default::default();
    }
    numbers.values_mut().zip(0..).for_each(|(number, i)| *number = i);
    let labels = names.filter_map(|name| name.split_once('/')).map(|(top, _)| numbers[top]);
    let labels = labels.collect();
    (numbers.into_keys().map(String::from).collect(), labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_classes_splits_both_or_neither() {
        let check = |names: &[&str], classes: &[&str], labels: &[u32], splits: &[Split]| {
            let expected = Layout {
                splits: splits.into(),
                classes: classes.iter().map(ToString::to_string).collect(),
                labels: labels.into(),
            };
            assert_eq!(Layout::of(names.iter().copied()), expected, "{names:?}");
        };
        use Split::{Test, Train, Valid};
        check(&["a.jpg", "b.jpg"], &[], &[], &[]);
        check(&["x/a.jpg", "x/b.jpg"], &[], &[], &[]);
        check(&["cat/1", "cat/2", "dog/1", "dog/x/2"], &["cat", "dog"], &[0, 0, 1, 1], &[]);
        check(
            &["in/cat/1", "in/cat/2", "in/dog/1", "in/dog/2"],
            &["cat", "dog"],
            &[0, 0, 1, 1],
            &[],
        );
        check(&["0/1", "0/2", "1/1", "1/2"], &["0", "1"], &[0, 0, 1, 1], &[]);
        check(&["cat/1", "cat/2", "dog/1", "2"], &[], &[], &[]);
        check(&["a/1", "b/2", "c/3"], &[], &[], &[]);
        check(&["Test/1", "train/2", "val/3"], &[], &[], &[Test, Train, Valid]);
        check(&["test/1", "test/2"], &[], &[], &[]);
        let both = ["d/test/cat/1", "d/train/cat/1", "d/train/dog/1", "d/train/dog/2"];
        check(&both, &["cat", "dog"], &[0, 0, 1, 1], &[Test, Train, Train, Train]);
        check(&[], &[], &[], &[]);
    }
}
