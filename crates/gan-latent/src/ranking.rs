//! Which single entries of a latent change an image most.

use candle_core::{Device, Tensor};
use candle_nn::ModuleT;
use gan_models::{Distribution, Latent, LatentBatch, Part};
use serde::{Deserialize, Serialize};

use crate::effect::{mean_changes, pairs};
use crate::error::LatentError;
use crate::sample::BATCH;

/// What one entry of a latent does to images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryEffect {
    /// The part that the entry belongs to.
    pub part: String,
    /// Its index within the part.
    pub entry: usize,
    /// Its name: an attribute's own, else `part[entry]`.
    pub name: String,
    /// Expected absolute change of a pixel on the scale [0, 1] when this entry alone is drawn anew.
    pub change: f64,
    /// Standard error of `change` over the latents.
    pub standard_error: f64,
    /// The change as a share of that between two independent images; 0 where these do not differ.
    pub share: f64,
}

/// The effects of the entries `(part, entry)` as means over `n` latents, the largest first; those of equal effect stay in
/// their order. The latents are those of [`part_effects`](crate::part_effects) under `seed`.
///
/// An entry takes the value of a second latent. One of two values takes the other one, and the change counts as often as a
/// new draw makes it: the same expectation with less variance. `progress` is told how many images of [`images_needed`] are done.
///
/// # Errors
/// If `n` is 0, there is no such part or entry, or the generator does not fit the latent.
pub fn rank_entries(
    generator: &impl ModuleT,
    latent: &Latent,
    entries: &[(String, usize)],
    n: usize,
    seed: u64,
    device: &Device,
    progress: impl Fn(usize),
) -> Result<Vec<EntryEffect>, LatentError> {
    if n == 0 {
        return Err(candle_core::Error::Msg("0 latents, expected 1 or more".into()).into());
    }
    let parts =
        entries.iter().map(|entry| part_of(latent, entry)).collect::<Result<Vec<_>, _>>()?;
    let mut independent = 0.0;
    let mut changes = vec![Vec::with_capacity(n); entries.len()];
    let mut done = 0;
    for from in (0..n).step_by(BATCH) {
        let (held, drawn) = pairs(latent, from..n.min(from + BATCH), seed, device)?;
        let images = generator.forward_t(&held.encode()?, false)?;
        done += held.len();
        let mut change = |other: &LatentBatch| {
            done += held.len();
            progress(done);
            mean_changes(&images, &generator.forward_t(&other.encode()?, false)?)
        };
        independent += change(&drawn)?.iter().sum::<f64>();
        for (((name, entry), part), changes) in entries.iter().zip(&parts).zip(&mut changes) {
            let whole = "a batch has all parts of its latent";
            let values = (held.part(name).expect(whole), drawn.part(name).expect(whole));
            let (anew, chances) = redrawn(&part.distribution, *entry, values.0, values.1)?;
            let of_images = change(&held.with_part(name, &anew)?)?;
            changes.extend(of_images.into_iter().zip(chances).map(|(change, p)| change * p));
        }
    }
    let independent = independent / n as f64;
    let of_entries = entries.iter().zip(&parts).zip(changes);
    let mut effects: Vec<EntryEffect> = of_entries
        .map(|(((_, entry), part), changes)| effect_of(part, *entry, &changes, independent))
        .collect();
    effects.sort_by(|a, b| b.change.total_cmp(&a.change));
    Ok(effects)
}

/// The effect of one entry from its changes; `independent` is the mean change between two independent images.
fn effect_of(part: &Part, entry: usize, changes: &[f64], independent: f64) -> EntryEffect {
    let (change, standard_error) = mean_and_error(changes);
    EntryEffect {
        part: part.name.clone(),
        entry,
        name: part.entry_names().swap_remove(entry),
        change,
        standard_error,
        share: if independent > 0.0 { change / independent } else { 0.0 },
    }
}

/// The part that an entry belongs to.
pub(crate) fn part_of<'a>(
    latent: &'a Latent,
    (name, entry): &(String, usize),
) -> Result<&'a Part, LatentError> {
    latent.part(name).filter(|part| *entry < part.distribution.size()).ok_or_else(|| {
        LatentError::Unfit(format!("the latent has no entry {entry} of a part {name:?}"))
    })
}

/// Images that [`rank_entries`] makes of `entries` entries and `n` latents.
pub fn images_needed(entries: usize, n: usize) -> usize {
    (entries + 2) * n
}

/// All entries of a latent, or those of one part.
pub fn entries_of(latent: &Latent, part: Option<&str>) -> Vec<(String, usize)> {
    let wanted = latent.parts().iter().filter(|own| part.is_none_or(|name| own.name == name));
    wanted
        .flat_map(|part| (0..part.distribution.size()).map(|entry| (part.name.clone(), entry)))
        .collect()
}

/// The values `(N, size)` of a part with one entry drawn anew, and for each latent how likely a new draw changes it.
fn redrawn(
    distribution: &Distribution,
    entry: usize,
    held: &Tensor,
    drawn: &Tensor,
) -> Result<(Tensor, Vec<f64>), LatentError> {
    let (mut rows, drawn) = (held.to_vec2::<f32>()?, drawn.to_vec2::<f32>()?);
    let mut chances = Vec::with_capacity(rows.len());
    for (row, drawn) in rows.iter_mut().zip(&drawn) {
        let (value, other) = (row[entry], drawn[entry]);
        let flipped = |one: f64| (1.0 - value, if value == 0.0 { one } else { 1.0 - one });
        let (anew, chance) = match distribution {
            Distribution::Binary { p, .. } => flipped(*p),
            Distribution::Attributes { frequencies, .. } => {
                flipped(frequencies.get(entry).copied().unwrap_or(0.5))
            }
            Distribution::Levels { levels: 2, .. }
            | Distribution::Categorical { classes: 2, .. } => flipped(0.5),
            _ => (other, 1.0),
        };
        row[entry] = anew;
        chances.push(chance);
    }
    Ok((Tensor::new(rows, held.device())?, chances))
}

/// The mean, and its standard error; of one value this is 0.
pub(crate) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pixel is `weights · z`.
    struct Linear(Vec<f32>);

    impl ModuleT for Linear {
        fn forward_t(&self, z: &Tensor, _train: bool) -> candle_core::Result<Tensor> {
            assert!(z.dim(0)? <= BATCH);
            let pixel = z.matmul(&Tensor::new(self.0.clone(), z.device())?.unsqueeze(1)?)?; // [N, 1]
            pixel.reshape(((), 1, 1, 1))?.broadcast_as((z.dim(0)?, 3, 2, 2))
        }
    }

    fn mixed() -> Latent {
        let part = |name: &str, distribution| Part { name: name.into(), distribution };
        Latent::new(vec![
            part("z", Distribution::Normal { size: 2 }),
            part("u", Distribution::Uniform { low: -1.0, high: 1.0, size: 1 }),
            part("bits", Distribution::Binary { p: 0.25, size: 1 }),
            part("levels", Distribution::Levels { levels: 10, size: 1 }),
            part("code", Distribution::Categorical { classes: 2, count: 1 }),
            part(
                "attributes",
                Distribution::Attributes { names: vec!["Male".into()], frequencies: vec![0.1] },
            ),
        ])
    }

    const WEIGHTS: [f32; 8] = [0.3, 0.0, 0.2, 0.8, 0.1, 0.0, 0.7, 0.6];

    fn ranked(n: usize, seed: u64) -> Result<Vec<EntryEffect>, LatentError> {
        let entries = entries_of(&mixed(), None);
        let generator = Linear(WEIGHTS.to_vec());
        rank_entries(&generator, &mixed(), &entries, n, seed, &Device::Cpu, |_| ())
    }

    /// E|x − x′| is 2/√π for N(0, 1), 2/3 for U(−1, 1), 2p(1 − p) for a bit and (k² − 1)/(3k) for k levels; half of it on the
    /// scale [0, 1].
    #[test]
    fn linear_factors_have_their_expected_effect() -> Result<(), LatentError> {
        let effects = ranked(20_000, 5)?;
        let expected = [
            ("z[0]", 0.3 / std::f64::consts::PI.sqrt()),
            ("z[1]", 0.0),
            ("u", 0.2 / 3.0),
            ("bits", 0.8 * 0.25 * 0.75),
            ("levels", 0.1 * 99.0 / 30.0 / 2.0),
            ("code", 0.7 / 4.0),
            ("Male", 0.6 * 0.1 * 0.9),
        ];
        assert_eq!(effects.len(), expected.len());
        for (name, expected) in expected {
            let got = effects.iter().find(|e| e.name == name).expect(name);
            let off = (got.change - expected).abs();
            // 4.5 standard errors, and what f32 rounds.
            assert!(off <= 4.5 * got.standard_error + 1e-6, "{got:?}, expected {expected}");
            assert!(got.standard_error < 0.02 * expected + 1e-12, "{got:?}");
        }
        assert!(effects.is_sorted_by(|a, b| a.change >= b.change));
        assert_eq!((effects[0].name.as_str(), effects[6].name.as_str()), ("code", "z[1]"));
        Ok(())
    }

    /// One draw of a part of one entry is what [`crate::part_effects`] measures.
    #[test]
    fn an_entry_that_is_its_part_has_the_effect_of_the_part() -> Result<(), LatentError> {
        let parts = crate::part_effects(&Linear(WEIGHTS.to_vec()), &mixed(), 65, 3, &Device::Cpu)?;
        let effects = ranked(65, 3)?;
        for name in ["u", "levels"] {
            let part = parts.iter().find(|p| p.part == name).expect(name);
            let entry = effects.iter().find(|e| e.part == name).expect(name);
            assert!((part.change - entry.change).abs() < 1e-7, "{part:?} {entry:?}");
            assert!((part.share() - entry.share).abs() < 1e-6);
        }
        Ok(())
    }

    #[test]
    fn the_seed_decides_and_wrong_entries_are_refused() -> Result<(), LatentError> {
        assert_eq!(ranked(70, 1)?, ranked(70, 1)?);
        assert_ne!(ranked(70, 1)?, ranked(70, 2)?);
        assert!(ranked(0, 1).is_err());
        let generator = Linear(WEIGHTS.to_vec());
        for entry in [("z", 2), ("y", 0)] {
            let entries = [(entry.0.to_string(), entry.1)];
            assert!(
                rank_entries(&generator, &mixed(), &entries, 3, 0, &Device::Cpu, |_| ()).is_err()
            );
        }
        let last = std::cell::Cell::new(0);
        let entries = entries_of(&mixed(), Some("z"));
        rank_entries(&generator, &mixed(), &entries, 70, 0, &Device::Cpu, |n| last.set(n))?;
        assert_eq!(last.get(), images_needed(2, 70));
        Ok(())
    }
}
