//! Tables, names and words of directions.

use std::path::{Path, PathBuf};

use gan_core::file;
use gan_core::heatmap::Heatmap;
use gan_latent::judged::Change;
use serde::Serialize;

use super::sought::Direction;
use super::{Directions, Method, USUAL_SAMPLES};
use crate::cmd::sample::name::{plain, shortened};
use crate::cmd::tables;

/// What moves along the directions: the attribute-leak matrix.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Table {
    pub(super) classifier: PathBuf,
    /// Latents over which changes are averaged.
    pub(super) latents: usize,
    /// A row a direction, a column an answer of the classifier: from one end of a strip to the other.
    pub(super) changes: Vec<Vec<Change>>,
}

/// What is written beside the picture.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    method: String,
    samples: u32,
    seed: u64,
    /// How far strips and changes go to either side, in standard deviations.
    reach: f64,
    /// Attributes to whose directions all are at right angles.
    hold: &'a [String],
    /// Parts of the latent that are held.
    left_out: &'a [String],
    directions: &'a [Direction],
    leaks: Option<&'a Table>,
}

/// Change of a probability, from −1 to 1, that gives a direction a name.
const NAMING: f64 = 0.15;
/// Columns of the heat map: what moves least is left to the CSV.
const MOST_COLUMNS: usize = 24;

impl Table {
    /// Gives directions that nobody named the name of what changes most along them.
    pub(super) fn name(&self, directions: &mut [Direction]) {
        for (direction, changes) in directions.iter_mut().zip(&self.changes) {
            let most = changes.iter().max_by(|a, b| size(a).total_cmp(&size(b)));
            if let Some(change) = most.filter(|change| size(change) >= NAMING) {
                let sign = if change.mean_change < 0.0 { '−' } else { '+' };
                direction.name = format!("{} {sign}{}", direction.name, change.name);
            }
        }
    }

    /// Writes the table as `.leaks.csv`, and what moves most of it as the heat map `.leaks.png`, in points of a hundred.
    pub(super) fn write(&self, names: &[String], out: &Path) -> anyhow::Result<()> {
        let Some(first) = self.changes.first() else { return Ok(()) };
        let mut csv = String::from("direction");
        first.iter().for_each(|change| csv += &format!(",{}", quoted(&change.name)));
        for (name, changes) in names.iter().zip(&self.changes) {
            csv += &format!("\n{}", quoted(name));
            changes.iter().for_each(|change| csv += &format!(",{:.4}", change.mean_change));
        }
        csv.push('\n');
        file::write_bytes(&out.with_extension("leaks.csv"), csv.as_bytes())?;
        let most = |j: usize| self.changes.iter().map(|row| size(&row[j])).fold(0.0, f64::max);
        let mut columns: Vec<usize> = (0..first.len()).collect();
        columns.sort_by(|a, b| most(*b).total_cmp(&most(*a)));
        columns.truncate(MOST_COLUMNS);
        // What has a direction of its own stands first, so that the diagonal is seen.
        let own = |j: &usize| names.iter().position(|name| *name == first[*j].name);
        columns.sort_by_key(|j| own(j).unwrap_or(usize::MAX));
        let row = |changes: &Vec<Change>| {
            columns.iter().map(|j| 100.0 * changes[*j].mean_change).collect()
        };
        let map = Heatmap {
            rows: names.to_vec(),
            columns: columns.iter().map(|j| first[*j].name.clone()).collect(),
            values: self.changes.iter().map(row).collect(),
            limit: 100.0,
        };
        Ok(map.image()?.write_png(&out.with_extension("leaks.png"))?)
    }
}

fn size(change: &Change) -> f64 {
    change.mean_change.abs()
}

/// A field of a CSV file, which may have commas or quotes in it (RFC 4180, section 2).
pub(crate) fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.into(),
    }
}

/// An amount over a column: `−1.5`, `0`, `+3`.
pub(super) fn amount(amount: &f64) -> String {
    let rounded = (10.0 * amount).round() / 10.0;
    if rounded == 0.0 { "0".into() } else { format!("{rounded:+}").replace('-', "−") }
}

/// `factor_n-5_seed-3`.
pub(super) fn file_name(asked: &Directions) -> String {
    let method = method(asked.method);
    let mut words = vec![method.to_string()];
    words.extend((asked.n != 10).then(|| format!("n-{}", asked.n)));
    words.extend(asked.attributes.iter().cloned());
    words.extend(asked.hold.iter().map(|name| format!("hold-{name}")));
    words.push(match asked.start.latents.as_deref().and_then(Path::file_stem) {
        Some(stem) => format!("latents-{}", stem.to_string_lossy()),
        None => format!("seed-{}", asked.start.seed),
    });
    words.extend(asked.start.indices.iter().map(ToString::to_string));
    words.extend((asked.samples != USUAL_SAMPLES).then(|| format!("samples-{}", asked.samples)));
    words.extend((asked.reach != 3.0).then(|| format!("reach-{}", asked.reach)));
    words.extend((asked.steps != 7).then(|| format!("steps-{}", asked.steps)));
    shortened(&plain(&words.join("_")))
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Pca => "pca",
        Method::Factor => "factor",
        Method::Attribute => "attribute",
    }
}

impl<'a> Report<'a> {
    pub(super) fn new(
        asked: &'a Directions,
        left_out: &'a [String],
        directions: &'a [Direction],
        leaks: Option<&'a Table>,
    ) -> Self {
        Self {
            method: method(asked.method).into(),
            samples: asked.samples,
            seed: asked.start.seed,
            reach: asked.reach,
            hold: &asked.hold,
            left_out,
            directions,
            leaks,
        }
    }

    /// What a person is told.
    pub(super) fn summary(&self, out: &Path, run: &Path) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let row = |(i, direction): (usize, &Direction)| {
            let found = match (&direction.boundary, direction.share) {
                (Some(told), _) => {
                    let unclear = told.unclear_accuracy.map_or("–".into(), percent);
                    vec![percent(told.held_out_accuracy), unclear]
                }
                (None, share) => vec![share.map_or("–".into(), percent)],
            };
            let moved = self.leaks.map(|table| moved_most(&table.changes[i]));
            [vec![direction.name.clone()], found, moved.into_iter().collect()].concat()
        };
        let mut head = match self.directions.iter().any(|d| d.boundary.is_some()) {
            true => vec!["direction", "right, clear latents", "right, the others"],
            false => vec!["direction", "share"],
        };
        let right: Vec<usize> = (1..head.len()).collect();
        head.extend(self.leaks.map(|_| "moves (points)"));
        let rows = self.directions.iter().enumerate().map(row).collect();
        let mut text = tables::table(&head, &right, rows) + "\n\n";
        if !self.left_out.is_empty() {
            text += &format!("held as they were: {}\n", self.left_out.join(", "));
        }
        text += &format!("strips      {}\n", out.display());
        if self.leaks.is_some() {
            text += &format!("leaks       {}\n", out.with_extension("leaks.png").display());
            text += &format!("            {}\n", out.with_extension("leaks.csv").display());
        }
        text += &format!("directions  {}\n", out.with_extension("safetensors").display());
        text += &format!("numbers     {}\n", out.with_extension("json").display());
        let run = run.display();
        match self.leaks {
            Some(_) => {
                text + &format!(
                    "next: other faces along them with --indices 3 or --seed 1, as in gan-cli sample {run} --labels"
                )
            }
            None => {
                text + "next: the same with --classifier RUN, which says what changes along each"
            }
        }
    }
}

/// What moves most along a direction.
fn moved_most(changes: &[Change]) -> String {
    let mut order: Vec<&Change> = changes.iter().collect();
    order.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let told = order.iter().take(3).map(|c| format!("{} {:+.0}", c.name, 100.0 * c.mean_change));
    told.collect::<Vec<_>>().join(", ")
}
