//! The three groups of latents: typed as indices, or picked by a classifier.

use gan_latent::judged::strongest;
use gan_latent::{latents, sample};
use gan_models::LatentBatch;
use serde::Serialize;

use super::Arithmetic;
use crate::args::UsageError;
use crate::console::Console;
use crate::explored::Explored;
use crate::judge::Judge;

/// The groups, by the latents' indices.
#[derive(Debug, Serialize)]
pub(super) struct Groups {
    /// What a classifier was asked to pick by.
    pub(super) attribute: Option<String>,
    pub(super) from: Option<String>,
    /// Latents whose mean is added.
    pub(super) plus: Vec<usize>,
    /// Latents whose mean is taken away.
    pub(super) minus: Vec<usize>,
    /// Latents to which the difference is added.
    pub(super) apply_to: Vec<usize>,
    /// Of those that a classifier picked: how many show what they were picked by.
    pub(super) plus_seen: Option<usize>,
    pub(super) minus_seen: Option<usize>,
}

/// Where latents come from.
pub(super) struct Source<'a> {
    explored: &'a Explored,
    seed: u64,
    file: Option<LatentBatch>,
}

impl<'a> Source<'a> {
    pub(super) fn new(asked: &Arithmetic, explored: &'a Explored) -> anyhow::Result<Self> {
        let read =
            |file: &std::path::PathBuf| latents::read(explored.latent(), file, &explored.device);
        let file = asked.latents.as_ref().map(read).transpose()?;
        Ok(Self { explored, seed: asked.seed, file })
    }

    /// The latents at some indices.
    pub(super) fn at(&self, indices: &[usize]) -> anyhow::Result<LatentBatch> {
        let Explored { device, .. } = self.explored;
        Ok(match &self.file {
            Some(file) => latents::select(file, indices)?,
            None => sample::seeded_at(self.explored.latent(), indices, self.seed, None, device)?,
        })
    }

    /// The groups that were typed.
    pub(super) fn by_index(&self, asked: &Arithmetic) -> anyhow::Result<Groups> {
        let options =
            [("--plus", &asked.plus), ("--minus", &asked.minus), ("--apply-to", &asked.apply_to)];
        for (option, indices) in options {
            if indices.is_empty() {
                return Err(UsageError(format!("{option} names no latent, expected 0,7,3")).into());
            }
            let n = self.file.as_ref().map(LatentBatch::len);
            if let (Some(n), Some(beyond)) = (n, n.and_then(|n| indices.iter().find(|i| **i >= n)))
            {
                let file = asked.latents.clone().unwrap_or_default();
                let (file, last) = (file.display(), n - 1);
                return Err(UsageError(format!(
                    "{option} has {beyond}, {file} has {n} latents, 0 to {last}"
                ))
                .into());
            }
        }
        let (plus, minus, apply_to) =
            (asked.plus.clone(), asked.minus.clone(), asked.apply_to.clone());
        let (plus_seen, minus_seen) = (None, None);
        Ok(Groups { attribute: None, from: None, plus, minus, apply_to, plus_seen, minus_seen })
    }

    /// The groups that a classifier picks: of the first latents those with the strongest answers, and of the next ones,
    /// which are in neither group, all that show what is to change.
    pub(super) fn by_classifier(
        &self,
        asked: &Arithmetic,
        name: &str,
        judge: &Judge,
        console: &Console,
    ) -> anyhow::Result<Groups> {
        let (to, wanted) = signed(judge, "--attribute", name)?;
        let (from, shown) = match &asked.from {
            Some(from) => signed(judge, "--from", from)?,
            None => (to, !wanted),
        };
        if (to, wanted) == (from, shown) {
            return Err(UsageError(format!("--attribute and --from are both {name}")).into());
        }
        if self.explored.latent().attribute(name.trim_start_matches('-')).is_ok() {
            tracing::info!("the latent has {name} itself: `sample --attributes {name}` sets it");
        }
        let picked = asked.samples as usize;
        let all: Vec<usize> = (0..picked + picked / 4).collect();
        let judged = judge.of(self.explored, &self.at(&all)?, "judging latents", console)?;
        let score = |place: usize, wanted: bool| -> Vec<f32> {
            judged.iter().map(|row| if wanted { row[place] } else { -row[place] }).collect()
        };
        let (towards, away) = (score(to, wanted), score(from, shown));
        let group = |scores: &[f32], option: &str, name: &str| {
            let seen = scores[..picked].iter().filter(|s| **s > 0.0).count();
            if seen < asked.group as usize {
                tracing::warn!(
                    "the classifier sees {option} {name} in {seen} of {picked} images: the group of {} has others too; \
                     raise --samples or lower --group",
                    asked.group
                );
            }
            strongest(&scores[..picked], asked.group as usize)
        };
        let opposite = asked.from.clone().unwrap_or_else(|| opposite(name));
        let plus = group(&towards, "--attribute", name);
        let minus = group(&away, "--from", &opposite);
        let apply_to: Vec<usize> =
            all[picked..].iter().copied().filter(|&i| away[i] > 0.0 && towards[i] <= 0.0).collect();
        if apply_to.is_empty() {
            let n = all.len() - picked;
            return Err(UsageError(format!(
                "the classifier sees {opposite} without {name} in none of {n} images: there is nothing to change; raise \
                 --samples, or name what this generator makes"
            ))
            .into());
        }
        let (attribute, from) = (Some(name.into()), Some(opposite));
        let seen = |group: &[usize], scores: &[f32]| {
            Some(group.iter().filter(|i| scores[**i] > 0.0).count())
        };
        let (plus_seen, minus_seen) = (seen(&plus, &towards), seen(&minus, &away));
        Ok(Groups { attribute, from, plus, minus, apply_to, plus_seen, minus_seen })
    }
}

/// Place of an attribute among a classifier's answers, and whether it is wanted: there is no minus before it.
pub(super) fn signed(judge: &Judge, option: &str, name: &str) -> Result<(usize, bool), UsageError> {
    match name.strip_prefix('-') {
        // A name itself may begin with a minus.
        Some(plain) if !judge.names.iter().any(|known| known == name) => {
            Ok((judge.place(option, plain)?, false))
        }
        _ => Ok((judge.place(option, name)?, true)),
    }
}

/// `-Male` of `Male`, and the other way round.
fn opposite(name: &str) -> String {
    name.strip_prefix('-').map_or_else(|| format!("-{name}"), Into::into)
}
