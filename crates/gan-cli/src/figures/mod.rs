//! What a run's family asks to be shown of its generator when it ends: pictures in the run's `plots/`, and their data
//! as JSON beside them.

mod codes;
mod conditions;
mod parts;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use candle_core::Device;
use gan_core::RunDir;
use gan_data::Dataset;
use gan_latent::{Sheet, sample};
use gan_models::{Distribution, Generator, Latent, LatentBatch, Part};
use gan_train::Checkpoint;
use serde::Serialize;

use crate::console::Console;

/// Seed of the latents that are shown: those of a plain `gan-cli sample`.
const SEED: u64 = 0;
/// Entries of a part that are shown at most.
const MOST_ENTRIES: usize = 10;

/// Writes what the run's configuration asks for; returns the files. Nothing for a plain latent, or for points.
pub(crate) fn write(
    run: &RunDir,
    checkpoint: &Checkpoint,
    data: &Dataset,
    device: &Device,
    console: &Console,
) -> anyhow::Result<Vec<PathBuf>> {
    if data.manifest().sample.image().is_none() {
        return Ok(Vec::new());
    }
    let config = &checkpoint.header.config;
    let generator = checkpoint.generator(device)?;
    let mut figures =
        Figures { run, generator, latent: &config.latent, device, written: Vec::new() };
    let told = [&config.model.auxiliary, &config.model.condition].into_iter().flatten();
    let told: Vec<&String> = told.collect();
    if !config.model.codes.is_empty() {
        codes::write(&mut figures, checkpoint, data, console)?;
    }
    for part in &told {
        conditions::write(&mut figures, part)?;
    }
    if config.model.codes.is_empty() && told.is_empty() && config.latent.parts().len() > 1 {
        parts::write(&mut figures)?;
    }
    Ok(figures.written)
}

/// The generator that is shown, and what has been written of it.
struct Figures<'a> {
    run: &'a RunDir,
    generator: Generator,
    latent: &'a Latent,
    device: &'a Device,
    written: Vec<PathBuf>,
}

impl Figures<'_> {
    /// The first `n` latents of the seed.
    fn faces(&self, n: usize) -> anyhow::Result<LatentBatch> {
        Ok(sample::seeded(self.latent, n, SEED, None, self.device)?)
    }

    /// Writes a sheet as `plots/{name}.png`; returns the file's name.
    fn sheet(&mut self, name: &str, sheet: &Sheet) -> anyhow::Result<String> {
        let file = format!("{name}.png");
        let path = self.run.plot(&file);
        sheet.render()?.write_png(&path)?;
        self.written.push(path);
        Ok(file)
    }

    /// Writes `plots/{name}.json`.
    fn json(&mut self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let path = self.run.plot(&format!("{name}.json"));
        self.run.write_json(&path, value)?;
        self.written.push(path);
        Ok(())
    }
}

/// What a sheet shows, for its JSON.
#[derive(Serialize)]
struct Shown {
    /// The picture's file name.
    file: String,
    /// The part that changes.
    part: String,
    /// Names of its entries that change, in the order of the sheet.
    entries: Vec<String>,
    /// The values that they take, in the order of the sheet.
    values: Vec<f32>,
    /// Seed of the latents; the sheet has the first `faces` of them.
    seed: u64,
    /// Number of latents.
    faces: usize,
}

/// What stands over the columns: the classes of a choice; other values are in the JSON alone.
fn numbers(part: &Part, values: &[f32]) -> Vec<usize> {
    match part.distribution {
        Distribution::Categorical { .. } => values.iter().map(|&class| class as usize).collect(),
        _ => Vec::new(),
    }
}
