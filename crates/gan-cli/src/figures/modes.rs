//! Points of a mixture: how many of its modes the generator covers.

use std::path::PathBuf;

use gan_core::file;
use gan_data::Split;
use gan_eval::{Modes, count_modes, mode_centers, nearest_modes};
use gan_latent::sample;
use serde::Serialize;

use super::{SEED, Subject};

/// Points that are drawn.
const POINTS: usize = 2500;
/// Standard deviations around a mode within which a point belongs to it, as Srivastava et al. 2017 count (VEEGAN,
/// <https://arxiv.org/abs/1705.07761>).
const REACH: f32 = 3.0;

/// `modes.json`.
#[derive(Serialize)]
struct Covered {
    /// Distance from a mode's center within which a point belongs to it: three standard deviations of its real points.
    radius: f32,
    seed: u64,
    centers: Vec<Vec<f32>>,
    #[serde(flatten)]
    found: Modes,
}

/// Nothing where the data does not say which mode its points are of.
pub(super) fn write(subject: &Subject<'_>) -> anyhow::Result<Vec<PathBuf>> {
    let &Subject { folder, checkpoint, data, device, .. } = subject;
    let all: Vec<usize> = (0..data.len(Split::Train)).collect();
    let Some(labels) = data.labels(Split::Train, &all)? else { return Ok(Vec::new()) };
    let labels: Vec<usize> = labels.to_vec1::<i64>()?.into_iter().map(|l| l as usize).collect();
    let real: Vec<Vec<f32>> = data.samples(Split::Train, &all)?.to_vec2()?;
    let (centers, deviation) = mode_centers(&real, &labels, data.manifest().classes.len());
    let latent = &checkpoint.header.config.latent;
    let z = sample::seeded(latent, POINTS, SEED, None, device)?.encode()?;
    let points = checkpoint.generator(device)?.images(&z, false)?.to_tensor()?;
    let points = points.flatten_from(1)?.to_vec2()?;
    let radius = REACH * deviation;
    let found = count_modes(&nearest_modes(&points, &centers, radius), centers.len())?;
    tracing::info!(
        "{} of {} modes covered; {:.1} % of {POINTS} points within three standard deviations of one",
        found.covered,
        found.modes,
        100.0 * found.high_quality as f64 / found.samples as f64
    );
    let path = folder.join("modes.json");
    file::write_json(&path, &Covered { radius, seed: SEED, centers, found })?;
    Ok(vec![path])
}
