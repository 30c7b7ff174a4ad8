//! What the folders around pictures say: `train/`, `valid/` and `test/` are splits, and where all
//! pictures lie in two or more folders side by side, each folder is a class.

use std::collections::BTreeMap;

use crate::shape::Split;

/// Splits and classes of files, by their place in the list of names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// `None` for what lies in none of them; empty where the folders are no splits.
    pub(super) splits: Vec<Option<Split>>,
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
            // What lies in no split is left out, so that its class does not matter.
            let first = inner.clone().find_map(|name| name.split_once('/')).map_or("", |n| n.1);
            let inner = inner.map(|name| name.split_once('/').map_or(first, |(_, rest)| rest));
            let (classes, labels) = classes(inner);
            return Self { splits, classes, labels };
        }
        let (classes, labels) = classes(inner);
        Self { splits: Vec::new(), classes, labels }
    }
}

/// Number of files beside folders that would be classes without them; 0 where they are more than a tenth.
pub(super) fn beside_classes<'a>(names: impl Iterator<Item = &'a str> + Clone) -> usize {
    let shared = shared_folders(names.clone());
    let inner = names.map(|name| &name[shared..]);
    let strays = inner.clone().filter(|name| !name.contains('/')).count();
    if strays == 0 || strays * 10 > inner.clone().count() {
        return 0;
    }
    let (sorted, _) = classes(inner.filter(|name| name.contains('/')));
    if sorted.is_empty() { 0 } else { strays }
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

/// The splits, where all folders are named as some, one of them for training, and what lies beside them is
/// less than what lies in them.
fn splits<'a>(names: impl Iterator<Item = &'a str>) -> Option<Vec<Option<Split>>> {
    let mut splits = Vec::new();
    for name in names {
        splits.push(match name.split_once('/') {
            // Words alone: numbers are classes, as in `0/a.png`.
            Some((top, _)) => Some(Split::from_word(&top.trim().to_ascii_lowercase())?),
            None => None,
        });
    }
    let strays = splits.iter().filter(|split| split.is_none()).count();
    let is_split = splits.contains(&Some(Split::Train)) && strays * 2 < splits.len();
    is_split.then_some(splits)
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
                splits: splits.iter().copied().map(Some).collect(),
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
        let mut many: Vec<String> =
            (0..10).map(|i| format!("{}/{i}", ["cat", "dog"][i % 2])).collect();
        let names = |many: &[String]| beside_classes(many.iter().map(String::as_str));
        assert_eq!(names(&many), 0);
        many.push("preview.png".into());
        assert_eq!(names(&many), 1);
        many.push("preview2.png".into());
        assert_eq!(names(&many), 0);
        let stray = ["preview.png", "test/a.png", "train/b.png"];
        let splits = Layout::of(stray.into_iter()).splits;
        assert_eq!(splits, [None, Some(Test), Some(Train)]);
    }
}
