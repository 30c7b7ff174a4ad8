//! The three ways to find directions.

use candle_core::Tensor;
use gan_latent::boundary::{self, Fitted};
use gan_latent::{Space, directions, sample};
use gan_models::LatentBatch;
use serde::Serialize;

use super::Directions;
use crate::args::UsageError;
use crate::console::Console;
use crate::explored::Explored;
use crate::judge::Judge;

/// A direction that was found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Direction {
    pub(super) name: String,
    /// Of length 1 in standard deviations of the latent's entries; in the file beside, in their units.
    #[serde(skip)]
    pub(super) vector: Vec<f64>,
    /// Share of the variance of the first layer's activations, or of the squares of its weight.
    pub(super) share: Option<f64>,
    /// How well the boundary tells latents apart.
    pub(super) boundary: Option<Told>,
}

/// How well a boundary tells latents apart that it was not fitted to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Told {
    /// Clear latents of each kind.
    pub(super) of_each: usize,
    /// Share on their side among clear ones.
    pub(super) held_out_accuracy: f64,
    /// Balanced accuracy among all others.
    pub(super) unclear_accuracy: Option<f64>,
}

/// Latents whose activations are looked at at once.
const BATCH: usize = 256;
/// Values of all activations together: 1 GiB, beside which finding components takes twice as much again.
const MOST_VALUES: usize = 1 << 28;

/// Eigenvectors of the first layer's weight.
pub(super) fn by_factor(
    asked: &Directions,
    explored: &Explored,
    space: &Space,
) -> anyhow::Result<Vec<Direction>> {
    let weight = explored.generator.first_layer()?.weight()?;
    let found = directions::factorized(space, &weight, asked.n as usize)?;
    Ok(numbered(found, asked.n))
}

/// Principal components of the first layer's activations, with what the space leaves out as in the first face.
pub(super) fn by_activations(
    asked: &Directions,
    explored: &Explored,
    space: &Space,
    faces: &LatentBatch,
    console: &Console,
) -> anyhow::Result<Vec<Direction>> {
    let n = asked.samples as usize;
    let layer = explored.generator.first_layer()?;
    let of_one = layer.activations(&faces.narrow(0, 1)?.encode()?)?.dim(1)?;
    let most = MOST_VALUES / of_one.max(1);
    if n > most {
        return Err(UsageError(format!(
            "--samples is {n}, and the first layer of this generator has {of_one} values for each; expected at most {most}, \
             which take 3 GiB"
        ))
        .into());
    }
    let drawn = sample::seeded(explored.latent(), n, asked.start.seed, None, &explored.device)?;
    let mut latents = drawn;
    for part in space.left_out() {
        if let Some(values) = faces.part(part) {
            let one = values.narrow(0, 0, 1)?.repeat((n, 1))?;
            latents = latents.with_part(part, &one)?;
        }
    }
    let z = latents.encode()?;
    let activations = {
        let line = console.progress("first layer", n as u64);
        let batch = |from: usize| {
            line.set(from as u64, "");
            layer.activations(&z.narrow(0, from, BATCH.min(n - from))?)
        };
        let all = (0..n).step_by(BATCH).map(batch).collect::<candle_core::Result<Vec<_>>>()?;
        Tensor::cat(&all, 0)?
    };
    let _line = console.progress("principal components", 1);
    let k = asked.n as usize;
    Ok(numbered(
        directions::principal(space, &latents, &activations, k, asked.start.seed)?,
        asked.n,
    ))
}

fn numbered(found: Vec<directions::Found>, asked: u32) -> Vec<Direction> {
    if found.len() < asked as usize {
        tracing::info!("--n is {asked}, there are {} directions", found.len());
    }
    let direction = |(i, found): (usize, directions::Found)| Direction {
        name: i.to_string(),
        vector: found.direction,
        share: Some(found.share),
        boundary: None,
    };
    found.into_iter().enumerate().map(direction).collect()
}

/// Normals of the boundaries of attributes.
pub(super) fn by_attribute(
    asked: &Directions,
    explored: &Explored,
    space: &Space,
    judge: &Judge,
    console: &Console,
) -> anyhow::Result<Vec<Direction>> {
    let places = |option: &str, names: &[String]| {
        names.iter().map(|name| judge.place(option, name)).collect::<Result<Vec<_>, _>>()
    };
    let (wanted, held) =
        (places("--attributes", &asked.attributes)?, places("--hold", &asked.hold)?);
    let n = asked.samples as usize;
    let latents = sample::seeded(explored.latent(), n, asked.start.seed, None, &explored.device)?;
    let judged = judge.of(explored, &latents, "judging latents", console)?;
    let points = space.points(&latents)?;
    let seen = Seen { names: &judge.names, judged, points, seed: asked.start.seed };
    let held = held.into_iter().map(|place| Ok(seen.asked(place)?.boundary.normal));
    let held = held.collect::<Result<Vec<_>, UsageError>>()?;
    let found = match wanted.is_empty() {
        true => seen.clearest(asked.n as usize, &asked.hold, console)?,
        false => {
            let fitted = |place: usize| Ok((judge.names[place].clone(), seen.asked(place)?));
            wanted.into_iter().map(fitted).collect::<Result<Vec<_>, UsageError>>()?
        }
    };
    found.into_iter().map(|(name, fitted)| direction(name, fitted, &held)).collect()
}

/// What a classifier has seen of some latents.
struct Seen<'a> {
    names: &'a [String],
    /// Log-odds, a row a latent.
    judged: Vec<Vec<f32>>,
    points: Vec<Vec<f64>>,
    seed: u64,
}

impl Seen<'_> {
    /// The boundary of the attribute `place`; none where too few have it or lack it.
    fn fit(&self, place: usize) -> Option<Fitted> {
        let scores: Vec<f32> = self.judged.iter().map(|row| row[place]).collect();
        boundary::fit(&self.points, &scores, self.seed)
    }

    /// The boundary of an attribute that somebody named.
    fn asked(&self, place: usize) -> Result<Fitted, UsageError> {
        self.fit(place).ok_or_else(|| {
            let seen = self.judged.iter().filter(|row| row[place] > 0.0).count();
            UsageError(format!(
                "{} is seen in {seen} of {} images: a boundary needs 20 with and 20 without; raise --samples, or name \
                 what this generator makes and lacks",
                self.names[place],
                self.points.len()
            ))
        })
    }

    /// The `most` attributes whose boundaries tell held-out latents apart best, the best first; none of `held`.
    fn clearest(
        &self,
        most: usize,
        held: &[String],
        console: &Console,
    ) -> Result<Vec<(String, Fitted)>, UsageError> {
        let line = console.progress("boundaries", self.names.len() as u64);
        let (mut found, mut too_few) = (Vec::new(), Vec::new());
        for (place, name) in self.names.iter().enumerate().filter(|(_, name)| !held.contains(name))
        {
            match self.fit(place) {
                Some(fitted) => found.push((name.clone(), fitted)),
                None => too_few.push(name.as_str()),
            }
            line.set(place as u64 + 1, name);
        }
        if !too_few.is_empty() {
            tracing::info!(
                "fewer than 20 of {} images with or without: {}; raise --samples for these",
                self.points.len(),
                too_few.join(", ")
            );
        }
        // Less two standard errors at most, so that few latents that happen to lie right do not come first.
        let at_least = |fitted: &Fitted| {
            let held_out = 2 * (fitted.of_each - fitted.of_each * 7 / 10);
            fitted.held_out_accuracy - 1.0 / (held_out as f64).sqrt()
        };
        found.sort_by(|a, b| at_least(&b.1).total_cmp(&at_least(&a.1)));
        found.truncate(most);
        if found.is_empty() {
            return Err(UsageError(format!(
                "of nothing that the classifier knows there are 20 images with and 20 without among {}; raise --samples",
                self.points.len()
            )));
        }
        Ok(found)
    }
}

fn direction(name: String, fitted: Fitted, held: &[Vec<f64>]) -> anyhow::Result<Direction> {
    let Some(vector) = directions::at_right_angles(&fitted.boundary.normal, held) else {
        let reason = format!("nothing of {name} is at right angles to what --hold names");
        return Err(UsageError(reason).into());
    };
    let boundary = Some(Told {
        of_each: fitted.of_each,
        held_out_accuracy: fitted.held_out_accuracy,
        unclear_accuracy: fitted.unclear_accuracy,
    });
    Ok(Direction { name, vector, share: None, boundary })
}
