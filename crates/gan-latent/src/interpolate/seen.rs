//! What a classifier sees on the way from one image to another.

use serde::{Deserialize, Serialize};

use crate::judged::{probability, strongest};

/// A probability from which on a class counts as clearly seen.
pub const CLEAR: f64 = 0.9;

/// What a classifier of classes sees along a way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassesSeen {
    /// The most probable class of each image.
    pub classes: Vec<String>,
    /// Its probability.
    pub probabilities: Vec<f64>,
    /// Whether both ends are of one class.
    pub same_ends: bool,
    /// Classes between the ends that are those of neither, in the order in which they appear.
    pub third: Vec<Third>,
}

/// A class on the way that is that of neither end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Third {
    /// The class.
    pub class: String,
    /// The highest probability that it has in an image whose most probable class it is.
    pub probability: f64,
}

impl ClassesSeen {
    /// Of the log-odds of each image of a way, a column a class; `names` are those of the columns. The way has an image, and
    /// there is a class.
    pub fn of(names: &[String], log_odds: &[Vec<f32>]) -> Self {
        let best = |row: &Vec<f32>| *strongest(row, 1).first().expect("there is a class");
        let seen: Vec<usize> = log_odds.iter().map(best).collect();
        let probabilities: Vec<f64> =
            log_odds.iter().zip(&seen).map(|(row, k)| probability(row[*k])).collect();
        let ends = [seen.first(), seen.last()];
        let mut third: Vec<Third> = Vec::new();
        for (k, &probability) in seen.iter().zip(&probabilities) {
            if ends.contains(&Some(k)) {
                continue;
            }
            match third.iter_mut().find(|third| third.class == names[*k]) {
                Some(known) => known.probability = known.probability.max(probability),
                None => third.push(Third { class: names[*k].clone(), probability }),
            }
        }
        Self {
            same_ends: ends[0] == ends[1],
            classes: seen.iter().map(|k| names[*k].clone()).collect(),
            probabilities,
            third,
        }
    }

    /// Mean probability of the class seen in the image in the middle, or in the two there; none of ways of the ends alone.
    pub fn middle(&self) -> Option<f64> {
        let n = self.probabilities.len();
        (n > 2).then(|| f64::midpoint(self.probabilities[(n - 1) / 2], self.probabilities[n / 2]))
    }
}

/// What is seen on many ways.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMeans {
    /// How many ways.
    pub ways: usize,
    /// Share of the ways on which a third class appears.
    pub third: f64,
    /// And of those on which one has a probability of [`CLEAR`] or more.
    pub clear_third: f64,
    /// Mean of the highest class probability at both ends.
    pub ends: f64,
    /// And in the middle; none where ways are of two images.
    pub middle: Option<f64>,
}

impl ClassMeans {
    /// Over some ways; none where there are none.
    pub fn of<'a>(ways: impl IntoIterator<Item = &'a ClassesSeen>) -> Option<Self> {
        let ways: Vec<&ClassesSeen> = ways.into_iter().collect();
        let mean = |values: Vec<f64>| {
            let n = values.len();
            (n > 0).then(|| values.iter().sum::<f64>() / n as f64)
        };
        let share = |is: &dyn Fn(&ClassesSeen) -> bool| {
            mean(ways.iter().map(|way| f64::from(u8::from(is(way)))).collect())
        };
        let ends =
            ways.iter().flat_map(|way| [way.probabilities.first(), way.probabilities.last()]);
        Some(Self {
            ways: ways.len(),
            third: share(&|way| !way.third.is_empty())?,
            clear_third: share(&|way| way.third.iter().any(|third| third.probability >= CLEAR))?,
            ends: mean(ends.flatten().copied().collect())?,
            middle: mean(ways.iter().filter_map(|way| way.middle()).collect()),
        })
    }
}

/// What a classifier of attributes sees along a way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributesSeen {
    /// The attributes of which it says yes, for each image.
    pub present: Vec<Vec<String>>,
    /// Those in which the ends differ.
    pub changed: Vec<String>,
    /// Those in which the ends agree and an image between them does not.
    pub between: Vec<String>,
}

impl AttributesSeen {
    /// Of the log-odds of each image of a way, a column an attribute; `names` are those of the columns.
    pub fn of(names: &[String], log_odds: &[Vec<f32>]) -> Self {
        let says = |row: &[f32], k: usize| row[k] > 0.0;
        let those = |is: &dyn Fn(usize) -> bool| -> Vec<String> {
            (0..names.len()).filter(|k| is(*k)).map(|k| names[k].clone()).collect()
        };
        let (changed, between) = match log_odds {
            [first, inner @ .., last] => (
                those(&|k| says(first, k) != says(last, k)),
                those(&|k| {
                    says(first, k) == says(last, k)
                        && inner.iter().any(|row| says(row, k) != says(first, k))
                }),
            ),
            _ => (Vec::new(), Vec::new()),
        };
        let present = log_odds.iter().map(|row| those(&|k| says(row, k))).collect();
        Self { present, changed, between }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> Vec<String> {
        names.split(' ').map(ToString::to_string).collect()
    }

    /// Log-odds of probabilities, a row an image.
    fn odds<const K: usize>(rows: &[[f64; K]]) -> Vec<Vec<f32>> {
        let odds = |row: &[f64; K]| row.iter().map(|p| (p / (1.0 - p)).ln() as f32).collect();
        rows.iter().map(odds).collect()
    }

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-6, "{got}, not {expected}");
    }

    #[test]
    fn a_third_class_is_that_of_neither_end() {
        let names = names("0 1 2");
        let way = ClassesSeen::of(
            &names,
            &odds(&[[0.8, 0.1, 0.1], [0.3, 0.2, 0.5], [0.02, 0.03, 0.95], [0.1, 0.6, 0.3]]),
        );
        assert_eq!(way.classes, ["0", "2", "2", "1"]);
        assert!(!way.same_ends);
        assert_eq!(way.third.len(), 1);
        assert_eq!(way.third[0].class, "2");
        close(way.third[0].probability, 0.95);
        close(way.middle().expect("four images"), (0.5 + 0.95) / 2.0);

        let straight =
            ClassesSeen::of(&names, &odds(&[[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.1, 0.7, 0.2]]));
        assert_eq!(straight.third, []);
        let same =
            ClassesSeen::of(&names, &odds(&[[0.9, 0.05, 0.05], [0.3, 0.6, 0.1], [0.8, 0.1, 0.1]]));
        assert!(same.same_ends);
        assert_eq!(same.third[0].class, "1");

        let means = ClassMeans::of([&way, &straight]).expect("two ways");
        assert_eq!((means.ways, means.third, means.clear_third), (2, 0.5, 0.5));
        close(means.ends, (0.8 + 0.6 + 0.8 + 0.7) / 4.0);
        close(means.middle.expect("inner images"), (0.725 + 0.5) / 2.0);
        let means = ClassMeans::of([&same]).expect("a way");
        assert_eq!((means.third, means.clear_third), (1.0, 0.0), "0.6 is not clear");
        assert_eq!(ClassMeans::of([]), None);
    }

    #[test]
    fn ways_of_the_ends_alone_have_no_middle() {
        let way = ClassesSeen::of(&names("0 1"), &odds(&[[0.8, 0.2], [0.4, 0.6]]));
        assert_eq!((way.middle(), way.third.len()), (None, 0));
        assert_eq!(ClassMeans::of([&way]).expect("a way").middle, None);
    }

    #[test]
    fn attributes_change_for_good_or_in_between() {
        let names = names("Smiling Male Young Bald");
        let rows = [
            [0.9, 0.2, 0.9, 0.1],
            [0.9, 0.6, 0.2, 0.1],
            [0.2, 0.2, 0.3, 0.1],
            [0.2, 0.1, 0.7, 0.1],
        ];
        let seen = AttributesSeen::of(&names, &odds(&rows));
        assert_eq!(seen.changed, ["Smiling"]);
        assert_eq!(seen.between, ["Male", "Young"]);
        assert_eq!(seen.present[1], ["Smiling", "Male"]);
        assert!(AttributesSeen::of(&names, &odds(&rows[..1])).between.is_empty());
    }
}
