//! What a classifier sees change when single entries of a latent go from one end of what is shown of them to the other,
//! and whether that is one thing or many.

use candle_core::Tensor;
use candle_nn::ModuleT;
use gan_models::{Distribution, Latent, LatentBatch};
use serde::{Deserialize, Serialize};

use crate::error::LatentError;
use crate::judged::{judge, probability};
use crate::ranking::{mean_and_error, part_of};
use crate::traverse::values_in_range;

/// How one answer of a classifier moves with an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// The answer: an attribute or a class.
    pub name: String,
    /// Mean change of its probability over the latents, from −1 to 1; below a millionth, where f32 rounds, 0.
    pub change: f64,
    /// Standard error of `change`; 0 where the change is the same for every latent.
    pub standard_error: f64,
}

impl Move {
    /// Whether the change is more than [`CLEAR`] standard errors.
    pub fn is_clear(&self) -> bool {
        self.change.abs() > CLEAR * self.standard_error
    }
}

/// Standard errors from which on a change is taken for more than chance: of the means of 64 normal numbers around 0 one in 260 is.
pub const CLEAR: f64 = 3.0;
/// Changes below this are those of the generator's and the classifier's f32, and are 0.
const ROUNDED: f64 = 1e-6;

/// What moves with one entry: a value against another, or of a categorical choice one class against the mean of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryMoves {
    /// The part that the entry belongs to.
    pub part: String,
    /// Its index within the part.
    pub entry: usize,
    /// Its name: an attribute's own, else `part[entry]`.
    pub name: String,
    /// The lowest value; none where the mean over all classes stands in its place.
    pub from: Option<f32>,
    /// The highest value, or the class.
    pub to: f32,
    /// All answers of the classifier, in its order.
    pub moves: Vec<Move>,
    /// Number of answers that move clearly.
    pub clear: usize,
    /// Over all answers; none where nothing moves at all. What latents leave to chance is counted with it: forty answers of
    /// equal error that do not move have a participation of about 25.
    pub entanglement: Option<Entanglement>,
    /// Over those that move clearly, the others taken for unmoved; none where there are none.
    pub entanglement_of_clear: Option<Entanglement>,
}

/// Whether changes are those of one answer or of many.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entanglement {
    /// Answers that move at least half as much as the one that moves most, which is counted: 1 where it is alone.
    pub half: usize,
    /// Participation number (Σ|c|)²/Σc² of the changes c: 1 where one answer moves alone, k where k move equally.
    pub participation: f64,
}

impl Entanglement {
    /// That of changes; none where all are 0.
    pub fn of(changes: &[f64]) -> Option<Self> {
        let most = changes.iter().fold(0.0, |most: f64, c| most.max(c.abs()));
        if most == 0.0 {
            return None;
        }
        // Relative to the largest, whose square is then no subnormal.
        let sizes = || changes.iter().map(|c| c.abs() / most);
        let (sum, squares) = (sizes().sum::<f64>(), sizes().map(|c| c * c).sum::<f64>());
        let half = sizes().filter(|c| *c >= 0.5).count();
        Some(Self { half, participation: sum * sum / squares })
    }
}

impl EntryMoves {
    fn new(
        (part, entry, name): (&str, usize, &str),
        (from, to): (Option<f32>, f32),
        moves: Vec<Move>,
    ) -> Self {
        let changes = |of: &dyn Fn(&Move) -> bool| -> Vec<f64> {
            moves.iter().filter(|m| of(m)).map(|m| m.change).collect()
        };
        let (all, of_clear) = (changes(&|_| true), changes(&Move::is_clear));
        Self {
            part: part.into(),
            entry,
            name: name.into(),
            from,
            to,
            clear: of_clear.len(),
            entanglement: Entanglement::of(&all),
            entanglement_of_clear: Entanglement::of(&of_clear),
            moves,
        }
    }

    /// Answers that move clearly, the largest change first.
    pub fn strongest(&self) -> Vec<&Move> {
        let mut clear: Vec<&Move> = self.moves.iter().filter(|m| m.is_clear()).collect();
        clear.sort_by(|a, b| b.change.abs().total_cmp(&a.change.abs()));
        clear
    }

    /// Size of the largest clear change; 0 where there is none.
    pub fn largest(&self) -> f64 {
        self.strongest().first().map_or(0.0, |m| m.change.abs())
    }
}

/// Means over the entries of a part; of categorical choices over their classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartMoves {
    /// The part.
    pub part: String,
    /// Entries, or classes of choices.
    pub dimensions: usize,
    /// Those of them with which something moves clearly.
    pub moving: usize,
    /// Mean size of the largest clear change, which is 0 where there is none.
    pub largest: f64,
    /// Mean number of answers that move clearly.
    pub clear: f64,
    /// Means of [`EntryMoves::entanglement`]; none where nothing moves.
    pub entanglement: Option<MeanEntanglement>,
    /// Means of [`EntryMoves::entanglement_of_clear`] over those with which something moves clearly.
    pub entanglement_of_clear: Option<MeanEntanglement>,
}

/// Means of [`Entanglement`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanEntanglement {
    /// Of [`Entanglement::half`].
    pub half: f64,
    /// Of [`Entanglement::participation`].
    pub participation: f64,
}

/// How every answer of a classifier moves with each of `entries` `(part, entry)`, in their order: from the lowest value of
/// [`values_in_range`] to the highest while all else of `latents` is held. Of a choice of more than two classes there is one
/// for each class, against the mean of all.
///
/// `names` are the answers; `look` and `progress` as in [`judge`], with all images of [`images_needed`].
///
/// # Errors
/// If there is no such part or entry, and those of [`judge`].
pub fn entry_moves<E: From<LatentError>>(
    generator: &impl ModuleT,
    latents: &LatentBatch,
    entries: &[(String, usize)],
    names: &[String],
    look: impl Fn(&Tensor) -> Result<Tensor, E>,
    progress: impl Fn(usize),
) -> Result<Vec<EntryMoves>, E> {
    let (mut found, mut done) = (Vec::new(), 0);
    for place in entries {
        let (part, entry) = place;
        let own = part_of(latents.latent(), place)?;
        let values = ends(&own.distribution);
        let mut seen = Vec::with_capacity(values.len());
        for value in &values {
            let with = latents.with_entry(part, *entry, *value).map_err(LatentError::from)?;
            let judged = judge(generator, &with, &look, |n| progress(done + n))?;
            done += latents.len();
            seen.push(judged.iter().map(|row| probabilities(row)).collect::<Vec<_>>());
        }
        let name = own.entry_names().swap_remove(*entry);
        let one = |from, to, moves| EntryMoves::new((part, *entry, &name), (from, to), moves);
        if let (&[low, high], [before, after]) = (values.as_slice(), seen.as_slice()) {
            found.push(one(Some(low), high, moves(names, before, after)));
        } else {
            let mean = mean_of(&seen);
            let of_class = |(class, seen): (&f32, &Vec<Vec<f64>>)| {
                one(None, *class, moves(names, &mean, seen))
            };
            found.extend(values.iter().zip(&seen).map(of_class));
        }
    }
    Ok(found)
}

fn probabilities(log_odds: &[f32]) -> Vec<f64> {
    log_odds.iter().map(|x| probability(*x)).collect()
}

/// Images that [`entry_moves`] makes of `n` latents and these entries; those that there are not need none.
pub fn images_needed(latent: &Latent, entries: &[(String, usize)], n: usize) -> usize {
    let values = |place: &(String, usize)| {
        part_of(latent, place).map_or(0, |part| ends(&part.distribution).len())
    };
    entries.iter().map(values).sum::<usize>() * n
}

/// Means of each part, in the order in which parts come first.
pub fn of_parts(all: &[EntryMoves]) -> Vec<PartMoves> {
    let mut names: Vec<&str> = Vec::new();
    for entry in all {
        if !names.contains(&entry.part.as_str()) {
            names.push(&entry.part);
        }
    }
    let means = |part: &str| {
        let own: Vec<&EntryMoves> = all.iter().filter(|entry| entry.part == part).collect();
        let n = own.len() as f64;
        PartMoves {
            part: part.into(),
            dimensions: own.len(),
            moving: own.iter().filter(|entry| entry.clear > 0).count(),
            largest: own.iter().map(|entry| entry.largest()).sum::<f64>() / n,
            clear: own.iter().map(|entry| entry.clear as f64).sum::<f64>() / n,
            entanglement: mean_entanglement(own.iter().filter_map(|entry| entry.entanglement)),
            entanglement_of_clear: mean_entanglement(
                own.iter().filter_map(|entry| entry.entanglement_of_clear),
            ),
        }
    };
    names.into_iter().map(means).collect()
}

fn mean_entanglement(all: impl Iterator<Item = Entanglement>) -> Option<MeanEntanglement> {
    let all: Vec<Entanglement> = all.collect();
    let n = all.len() as f64;
    (!all.is_empty()).then(|| MeanEntanglement {
        half: all.iter().map(|e| e.half as f64).sum::<f64>() / n,
        participation: all.iter().map(|e| e.participation).sum::<f64>() / n,
    })
}

/// The lowest and the highest value that are shown; all classes of a choice of more than two, as these have no order.
fn ends(distribution: &Distribution) -> Vec<f32> {
    let values = values_in_range(distribution);
    match (distribution, values.as_slice()) {
        (Distribution::Categorical { classes, .. }, _) if *classes > 2 => values,
        (_, &[low, .., high]) => vec![low, high],
        _ => values,
    }
}

/// The change of every answer between probabilities before and after, a row a latent in both.
fn moves(names: &[String], before: &[Vec<f64>], after: &[Vec<f64>]) -> Vec<Move> {
    let of_answer = |(k, name): (usize, &String)| {
        let changes: Vec<f64> = before.iter().zip(after).map(|(b, a)| a[k] - b[k]).collect();
        let (change, standard_error) = mean_and_error(&changes);
        let change = if change.abs() < ROUNDED { 0.0 } else { change };
        Move { name: name.clone(), change, standard_error }
    };
    names.iter().enumerate().map(of_answer).collect()
}

/// For each latent the mean probabilities over all classes of a choice.
fn mean_of(seen: &[Vec<Vec<f64>>]) -> Vec<Vec<f64>> {
    let latents = seen.first().map_or(0, Vec::len);
    let of_latent = |i: usize| {
        let mut mean = vec![0.0; seen[0][i].len()];
        for rows in seen {
            mean.iter_mut().zip(&rows[i]).for_each(|(m, p)| *m += p / seen.len() as f64);
        }
        mean
    };
    (0..latents).map(of_latent).collect()
}

#[cfg(test)]
mod tests;
