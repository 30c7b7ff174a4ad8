//! What lies on the way from point to point: how long it is, and what a classifier sees on it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};
use gan_latent::interpolate::{AttributesSeen, CLEAR, ClassMeans, ClassesSeen, Lengths, Path};
use serde::Serialize;

use super::made::Made;
use crate::cmd::tables;
use crate::explored::Explored;
use crate::judge::Judge;

/// Ways that are told one by one.
const MOST_TOLD: usize = 16;
/// Attributes that are told of one way.
const MOST_NAMED: usize = 4;
/// Attributes that are told of all ways.
const MOST_ATTRIBUTES: usize = 8;

/// All ways between successive points, and what they have in common.
#[derive(Serialize)]
pub(super) struct Ways {
    /// The way from each point to the next.
    ways: Vec<Way>,
    /// Means over the ways, each over those that have one.
    means: Means,
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Classes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Attributes>,
}

/// One way.
#[derive(Serialize)]
struct Way {
    from: String,
    to: String,
    /// Indices of its images.
    images: Vec<usize>,
    /// Root mean square changes of a pixel on [0, 1].
    #[serde(flatten)]
    lengths: Lengths,
    #[serde(flatten)]
    seen: Option<Seen>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Seen {
    Classes(ClassesSeen),
    Attributes(AttributesSeen),
}

#[derive(Serialize)]
struct Means {
    detour: Option<f64>,
    evenness: Option<f64>,
}

/// What a classifier of classes sees.
#[derive(Serialize)]
struct Classes {
    /// Ways whose ends are of two classes.
    two: Option<ClassMeans>,
    /// Between the same ends, the images that lie on a straight cross-fade of pixels.
    two_faded: Option<ClassMeans>,
    /// Ways whose ends are of one class.
    one: Option<ClassMeans>,
}

/// What a classifier of attributes sees.
#[derive(Serialize)]
struct Attributes {
    /// Mean number of attributes in which the ends of a way differ.
    changed: f64,
    /// Mean number of those that differ between equal ends.
    between: f64,
    /// On how many ways each of these does, the most frequent first.
    most_between: Vec<(String, usize)>,
}

impl Ways {
    /// Those of a path between points that are called `labels`.
    pub(super) fn of(
        path: &Path,
        labels: &[String],
        made: &Made,
        judge: Option<&Judge>,
        explored: &Explored,
    ) -> anyhow::Result<Self> {
        let mut ways = Vec::new();
        for segment in path.segments() {
            let pixels: Vec<_> = segment.images.iter().map(|i| &made.pixels[*i]).collect();
            let seen = judge.zip(made.judged.as_ref()).map(|(judge, judged)| {
                let rows: Vec<_> = segment.images.iter().map(|i| judged[*i].clone()).collect();
                Seen::of(judge, &rows)
            });
            ways.push(Way {
                from: labels[segment.from].clone(),
                to: labels[segment.to].clone(),
                lengths: Lengths::of(&pixels),
                images: segment.images,
                seen,
            });
        }
        let means = Means {
            detour: mean(ways.iter().filter_map(|way| way.lengths.detour)),
            evenness: mean(ways.iter().filter_map(|way| way.lengths.evenness)),
        };
        let (mut classes, mut attributes) = (None, None);
        match judge {
            Some(judge) if judge.of_classes => {
                classes = Some(Classes::of(&ways, made, judge, explored)?);
            }
            Some(_) => attributes = Some(Attributes::of(&ways)),
            None => {}
        }
        let classifier = judge.map(|judge| judge.run.clone());
        Ok(Self { ways, means, classifier, classes, attributes })
    }

    /// What a person is told.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let of = match self.ways.len() {
            1 => String::new(),
            n => format!(" (means of {n} ways)"),
        };
        if let Means { detour: Some(detour), evenness: Some(evenness) } = self.means {
            lines.push(format!(
                "way        {detour:.2} times as long as a straight cross-fade, the largest step {evenness:.2} times the \
                 mean{of}"
            ));
        }
        let Some(classifier) = &self.classifier else { return lines };
        lines.push(format!("seen by {}:", classifier.display()));
        lines.push(self.one_by_one());
        match self.ways.len() - self.ways.len().min(MOST_TOLD) {
            0 => {}
            more => lines.push(format!("… and {more} more in the file of numbers")),
        }
        lines.extend(self.classes.as_ref().map(Classes::table));
        lines.extend(self.attributes.as_ref().map(|all| all.sentence(self.ways.len())));
        lines
    }

    fn one_by_one(&self) -> String {
        let row = |way: &Way| {
            let mut row = vec![way.from.clone(), way.to.clone()];
            row.extend(match &way.seen {
                Some(Seen::Classes(seen)) => {
                    let steps = seen.classes.iter().zip(&seen.probabilities);
                    let steps = steps.map(|(class, p)| format!("{class} {}%", percent(*p)));
                    let third = seen.third.iter();
                    let third = third.map(|t| format!("{} {}%", t.class, percent(t.probability)));
                    [steps.collect::<Vec<_>>().join("  "), third.collect::<Vec<_>>().join(", ")]
                }
                Some(Seen::Attributes(seen)) => [some(&seen.changed), some(&seen.between)],
                None => [String::new(), String::new()],
            });
            row
        };
        let rows = self.ways.iter().take(MOST_TOLD).map(row).collect();
        let head = match self.classes {
            Some(_) => ["from", "to", "the class at each step", "third"],
            None => ["from", "to", "changes from end to end", "in between alone"],
        };
        tables::table(&head, &[], rows)
    }
}

impl Seen {
    fn of(judge: &Judge, rows: &[Vec<f32>]) -> Self {
        match judge.of_classes {
            true => Self::Classes(ClassesSeen::of(&judge.names, rows)),
            false => Self::Attributes(AttributesSeen::of(&judge.names, rows)),
        }
    }
}

impl Way {
    fn classes(&self) -> Option<&ClassesSeen> {
        match &self.seen {
            Some(Seen::Classes(seen)) => Some(seen),
            _ => None,
        }
    }
}

impl Classes {
    fn of(ways: &[Way], made: &Made, judge: &Judge, explored: &Explored) -> anyhow::Result<Self> {
        let mut faded = Vec::new();
        for way in ways.iter().filter(|way| way.classes().is_some_and(|seen| !seen.same_ends)) {
            faded.push(ClassesSeen::of(&judge.names, &cross_fade(way, made, judge, explored)?));
        }
        let seen = || ways.iter().filter_map(Way::classes);
        Ok(Self {
            two: ClassMeans::of(seen().filter(|seen| !seen.same_ends)),
            two_faded: ClassMeans::of(&faded),
            one: ClassMeans::of(seen().filter(|seen| seen.same_ends)),
        })
    }

    fn table(&self) -> String {
        let row = |what: &str, means: &Option<ClassMeans>| {
            means.as_ref().map(|means| {
                vec![
                    what.to_string(),
                    means.ways.to_string(),
                    format!("{} %", percent(means.third)),
                    format!("{} %", percent(means.clear_third)),
                    format!("{} %", percent(means.ends)),
                    means.middle.map_or("–".into(), |middle| format!("{} %", percent(middle))),
                ]
            })
        };
        let rows = [
            row("of two classes", &self.two),
            row("the same, cross-faded", &self.two_faded),
            row("of one class", &self.one),
        ];
        let clear = format!("at {} % or more", percent(CLEAR));
        let head = ["ends", "ways", "with a third", &clear, "sure at the ends", "in the middle"];
        tables::table(&head, &[1, 2, 3, 4, 5], rows.into_iter().flatten().collect())
    }
}

/// The answers for images on the straight line in pixels from a way's first image to its last.
fn cross_fade(
    way: &Way,
    made: &Made,
    judge: &Judge,
    explored: &Explored,
) -> anyhow::Result<Vec<Vec<f32>>> {
    let steps = way.images.len();
    let [first, last] = [0, steps - 1].map(|i| &made.pixels[way.images[i]]);
    let mut pixels = Vec::with_capacity(steps * first.len());
    for i in 0..steps {
        let alpha = i as f32 / (steps - 1) as f32;
        pixels.extend(first.iter().zip(last).map(|(a, b)| (1.0 - alpha) * a + alpha * b));
    }
    let shape = explored.checkpoint.image()?;
    let shape = (steps, shape.channels, shape.height, shape.width);
    Ok(judge.look(&Tensor::from_vec(pixels, shape, &Device::Cpu)?)?.to_vec2()?)
}

impl Attributes {
    fn of(ways: &[Way]) -> Self {
        let seen: Vec<_> = ways
            .iter()
            .filter_map(|way| match &way.seen {
                Some(Seen::Attributes(seen)) => Some(seen),
                _ => None,
            })
            .collect();
        let mut counts = BTreeMap::<&str, usize>::new();
        for name in seen.iter().flat_map(|seen| &seen.between) {
            *counts.entry(name).or_default() += 1;
        }
        let mut most: Vec<_> = counts.into_iter().map(|(name, n)| (name.to_string(), n)).collect();
        most.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let of = |count: fn(&AttributesSeen) -> usize| {
            mean(seen.iter().map(|seen| count(seen) as f64)).unwrap_or_default()
        };
        Self {
            changed: of(|seen| seen.changed.len()),
            between: of(|seen| seen.between.len()),
            most_between: most,
        }
    }

    fn sentence(&self, ways: usize) -> String {
        let most = self.most_between.iter().take(MOST_ATTRIBUTES);
        let most: Vec<_> = most.map(|(name, n)| format!("{name} {n}")).collect();
        let most = match most.is_empty() || ways == 1 {
            true => String::new(),
            false => format!("; these most often: {}", most.join(", ")),
        };
        format!(
            "{:.1} attributes differ between the ends of a way, {:.1} more in between alone{most}",
            self.changed, self.between
        )
    }
}

/// As many names as fit into a table's column.
fn some(names: &[String]) -> String {
    match names.len().checked_sub(MOST_NAMED) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMED].join(", ")),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A share as whole percents.
fn percent(share: f64) -> String {
    format!("{:.0}", 100.0 * share)
}
