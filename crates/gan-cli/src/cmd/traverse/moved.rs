//! What a classifier sees move with each dimension, as a table, as CSV and as a heat map.

use std::path::PathBuf;

use gan_core::file;
use gan_core::heatmap::Heatmap;
use gan_latent::moves::{PartMoves, entry_moves, images_needed, of_parts};
use gan_latent::{EntryEffect, EntryMoves, sample};
use serde::Serialize;

use crate::cmd::tables;
use crate::cmd::tables::csv_field;
use crate::console::Console;
use crate::explored::Explored;
use crate::judge::Judge;

/// How the numbers come about.
const PROTOCOL: &str = "mean change of each answer's probability from the lowest to the highest value that is shown of a \
     dimension, or of a class against the mean of all, while all else is held, over the seed's first latents, with its standard \
     error; clear: more than three of these; half: answers that move at least half as much as the one that moves most; \
     participation: (Σ|c|)²/Σc² of the changes c";

/// Answers that are told of a dimension.
const TOLD: usize = 3;
/// Rows and columns of the heat map: what moves least is left to the CSV.
const MOST_ROWS: usize = 40;
const MOST_COLUMNS: usize = 24;
/// Points that have the full color where no cell has as many, so that a table of nothing stays pale.
const FULL_COLOR: f64 = 10.0;

/// What moves with the dimensions.
#[derive(Debug, Serialize)]
pub(super) struct Moved {
    classifier: PathBuf,
    /// Latents over which changes are averaged.
    latents: usize,
    seed: u64,
    protocol: &'static str,
    /// In the order of the ranking.
    dimensions: Vec<EntryMoves>,
    parts: Vec<PartMoves>,
    csv: PathBuf,
    /// None where there is but one dimension, or one answer.
    picture: Option<PathBuf>,
}

impl Moved {
    /// What moves with the dimensions of a ranking, over `n` latents of the seed.
    pub(super) fn find(
        explored: &Explored,
        judge: &Judge,
        ranking: &[EntryEffect],
        (seed, n): (u64, usize),
        console: &Console,
    ) -> anyhow::Result<Self> {
        let entries: Vec<(String, usize)> =
            ranking.iter().map(|effect| (effect.part.clone(), effect.entry)).collect();
        let latents = sample::seeded(explored.latent(), n, seed, None, &explored.device)?;
        let line =
            console.progress("judging", images_needed(explored.latent(), &entries, n) as u64);
        let dimensions = entry_moves(
            &explored.generator,
            &latents,
            &entries,
            &judge.names,
            |images| judge.look(images),
            |done| line.set(done as u64, ""),
        )?;
        Ok(Self {
            classifier: judge.run.clone(),
            latents: n,
            seed,
            protocol: PROTOCOL,
            parts: of_parts(&dimensions),
            dimensions,
            csv: PathBuf::new(),
            picture: None,
        })
    }

    /// Writes the matrix as CSV and, where there is more than one row and column, as a heat map.
    pub(super) fn write(&mut self, csv: PathBuf, picture: PathBuf) -> anyhow::Result<()> {
        file::write_bytes(&csv, self.matrix().as_bytes())?;
        self.csv = csv;
        if let Some(map) = self.map() {
            map.image()?.write_png(&picture)?;
            self.picture = Some(picture);
        }
        Ok(())
    }

    /// A row a dimension, a column an answer: mean changes of probabilities.
    fn matrix(&self) -> String {
        let mut text = String::from("dimension");
        if let Some(first) = self.dimensions.first() {
            first.moves.iter().for_each(|m| text += &format!(",{}", csv_field(&m.name)));
        }
        for dimension in &self.dimensions {
            text += &format!("\n{}", csv_field(&label(dimension)));
            dimension.moves.iter().for_each(|m| text += &format!(",{:.6}", m.change));
        }
        text + "\n"
    }

    /// The rows and columns that move most, in points of a hundred.
    fn map(&self) -> Option<Heatmap> {
        let all = &self.dimensions;
        let answers = all.first().map_or(0, |dimension| dimension.moves.len());
        if all.len() < 2 || answers < 2 {
            return None;
        }
        let size = |i: usize, j: usize| all[i].moves[j].change.abs();
        let of_row = |i: usize| (0..answers).map(|j| size(i, j)).fold(0.0, f64::max);
        let of_column = |j: usize| (0..all.len()).map(|i| size(i, j)).fold(0.0, f64::max);
        let mut rows = largest(all.len(), MOST_ROWS, of_row);
        // Those that are shown keep the order of the ranking.
        rows.sort_unstable();
        let columns = largest(answers, MOST_COLUMNS, of_column);
        let values: Vec<Vec<f64>> = rows
            .iter()
            .map(|&i| columns.iter().map(|&j| 100.0 * all[i].moves[j].change).collect())
            .collect();
        let most = values.iter().flatten().fold(FULL_COLOR, |most, value| most.max(value.abs()));
        Some(Heatmap {
            rows: rows.iter().map(|&i| label(&all[i])).collect(),
            columns: columns.iter().map(|&j| all[0].moves[j].name.clone()).collect(),
            values,
            limit: most,
        })
    }

    /// What moves most and clearly with a dimension, in points; of a choice with the class that moves most.
    pub(super) fn told(&self, part: &str, entry: usize) -> String {
        let own = self.dimensions.iter().filter(|d| d.part == part && d.entry == entry);
        let most = own.max_by(|a, b| a.largest().total_cmp(&b.largest()));
        let Some(dimension) = most else { return "–".into() };
        let points = |change: f64| {
            format!("{:+.0}", 100.0 * change).replace('-', "−") // as in the heat map
        };
        let told: Vec<String> = dimension
            .strongest()
            .iter()
            .filter(|m| 100.0 * m.change.abs() >= 0.5)
            .take(TOLD)
            .map(|m| format!("{} {}", m.name, points(m.change)))
            .collect();
        match (told.as_slice(), dimension.from) {
            ([], _) => "–".into(),
            (told, Some(_)) => told.join(", "),
            (told, None) => format!("= {}: {}", dimension.to, told.join(", ")),
        }
    }

    /// Means of the parts, for people.
    pub(super) fn table(&self) -> String {
        let row = |part: &PartMoves| {
            let mean = |x: Option<f64>| x.map_or("–".to_string(), |x| format!("{x:.1}"));
            let (all, clear) = (part.entanglement, part.entanglement_of_clear);
            vec![
                part.part.clone(),
                part.dimensions.to_string(),
                part.moving.to_string(),
                format!("{:.1}", 100.0 * part.largest),
                format!("{:.1}", part.clear),
                mean(all.map(|e| e.half)),
                mean(all.map(|e| e.participation)),
                mean(clear.map(|e| e.half)),
                mean(clear.map(|e| e.participation)),
            ]
        };
        let head = [
            "part",
            "dimensions",
            "moving",
            "largest (points)",
            "clear",
            "half",
            "participation",
            "half of clear",
            "participation of clear",
        ];
        let right: Vec<usize> = (1..head.len()).collect();
        let table = tables::table(&head, &right, self.parts.iter().map(row).collect());
        format!(
            "{table}\nmeans over {} latents: dimensions with which something moves clearly (over three standard errors), and by \
             how much;\nanswers that move clearly, that move half as much as the one that moves most, and how many equal ones they \
             are like",
            self.latents
        )
    }

    /// The files, for people.
    pub(super) fn files(&self) -> String {
        let picture = self.picture.as_ref().map(|file| format!(", {}", file.display()));
        format!("moves: {}{}", self.csv.display(), picture.unwrap_or_default())
    }
}

/// A dimension, or a class of a choice.
fn label(dimension: &EntryMoves) -> String {
    match dimension.from {
        Some(_) => dimension.name.clone(),
        None => format!("{} = {}", dimension.name, dimension.to),
    }
}

/// The `most` of `n` of the largest size, the largest first; of equal ones the earlier.
fn largest(n: usize, most: usize, size: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| size(*b).total_cmp(&size(*a)));
    order.truncate(most);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use gan_latent::moves::Move;

    /// A dimension of which answer `a0`, `a1`, … moves by so many points, all clearly but the first.
    fn dimension(entry: usize, from: Option<f32>, to: f32, points: &[f64]) -> EntryMoves {
        let one = |(k, points): (usize, &f64)| Move {
            name: format!("a{k}"),
            change: points / 100.0,
            standard_error: if k == 0 { 1.0 } else { 0.0 },
        };
        EntryMoves {
            part: "p".into(),
            entry,
            name: format!("p[{entry}]"),
            from,
            to,
            moves: points.iter().enumerate().map(one).collect(),
            clear: points.len() - 1,
            entanglement: None,
            entanglement_of_clear: None,
        }
    }

    fn moved(dimensions: Vec<EntryMoves>) -> Moved {
        Moved {
            classifier: "judge".into(),
            latents: 64,
            seed: 0,
            protocol: PROTOCOL,
            parts: of_parts(&dimensions),
            dimensions,
            csv: PathBuf::new(),
            picture: None,
        }
    }

    #[test]
    fn what_moves_clearly_is_told_with_its_sign() {
        let found = moved(vec![
            dimension(0, Some(0.0), 1.0, &[50.0, 2.4, -12.0, 0.4, 8.0, -3.0]),
            dimension(1, Some(0.0), 1.0, &[50.0, 0.2, 0.0, 0.0, 0.0, 0.0]),
            dimension(2, None, 0.0, &[0.0, 2.0, 0.0, 0.0, 0.0, 0.0]),
            dimension(2, None, 1.0, &[0.0, -4.0, 0.0, 0.0, 0.0, 0.0]),
        ]);
        assert_eq!(found.told("p", 0), "a2 −12, a4 +8, a5 −3");
        assert_eq!(found.told("p", 1), "–");
        assert_eq!(found.told("p", 2), "= 1: a1 −4");
        assert_eq!(found.told("q", 0), "–");
        let csv = found.matrix();
        assert_eq!(csv.lines().count(), 5);
        assert_eq!(csv.lines().next(), Some("dimension,a0,a1,a2,a3,a4,a5"));
        assert!(csv.ends_with("p[2] = 1,0.000000,-0.040000,0.000000,0.000000,0.000000,0.000000\n"));
    }

    #[test]
    fn a_map_has_what_moves_most_in_the_order_of_the_ranking() {
        let rows: Vec<EntryMoves> = (0..50)
            .map(|i| dimension(i, Some(0.0), 1.0, &[0.0, if i < 5 { 0.1 } else { i as f64 }]))
            .collect();
        let map = moved(rows.clone()).map().expect("two rows and columns");
        assert_eq!((map.rows.len(), map.columns), (40, vec!["a1".to_string(), "a0".to_string()]));
        assert_eq!((map.rows[0].as_str(), map.rows[39].as_str()), ("p[10]", "p[49]"));
        assert!((map.values[39][0] - 49.0).abs() < 1e-9 && (map.limit - 49.0).abs() < 1e-9);
        assert!(moved(rows[..1].to_vec()).map().is_none());
        let pale = moved(rows[..3].to_vec()).map().expect("three rows");
        assert_eq!(pale.limit, FULL_COLOR);
    }
}
