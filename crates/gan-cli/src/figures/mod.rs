//! What a run's family asks to be shown of its networks, when it ends and at chosen epochs: pictures in the run's
//! `plots/` or in a folder there, and their data as JSON beside them.

mod autoencoder;
mod classifier;
mod codes;
pub(crate) mod conditions;
mod modes;
mod parts;
#[cfg(test)]
mod tests;

pub(crate) use self::autoencoder::follow;

use std::path::{Path, PathBuf};

use candle_core::Device;
use gan_core::file;
use gan_data::{Dataset, Manifest};
use gan_latent::{Sheet, sample};
use gan_models::{Distribution, Generator, Latent, LatentBatch, Part};
use gan_train::Checkpoint;
use serde::Serialize;

use crate::console::Console;

/// Seed of the latents that are shown: those of a plain `gan-cli sample`.
const SEED: u64 = 0;
/// Entries of a part that are shown at most.
const MOST_ENTRIES: usize = 10;

/// What figures are drawn of, and where.
pub(crate) struct Subject<'a> {
    /// Where the files go.
    pub(crate) folder: &'a Path,
    pub(crate) checkpoint: &'a Checkpoint,
    /// What the run was trained on.
    pub(crate) data: &'a Dataset,
    pub(crate) device: &'a Device,
    pub(crate) console: &'a Console,
}

/// Writes what the run's configuration asks for; returns the files. Nothing for a plain latent.
pub(crate) fn write(subject: &Subject<'_>) -> anyhow::Result<Vec<PathBuf>> {
    let &Subject { folder, checkpoint, data, device, console } = subject;
    if data.manifest().sample.image().is_none() {
        return modes::write(subject);
    }
    let config = &checkpoint.header.config;
    if config.classifier.is_some() {
        return classifier::write(subject);
    }
    if config.autoencoder.is_some() {
        return autoencoder::write(subject);
    }
    let model = config.gan()?;
    let generator = checkpoint.generator(device)?;
    let mut figures = Figures {
        folder,
        generator,
        latent: &config.latent,
        data: data.manifest(),
        device,
        written: Vec::new(),
    };
    let told = [&model.auxiliary, &model.condition].into_iter().flatten();
    let told: Vec<&String> = told.collect();
    if !model.codes.is_empty() {
        codes::write(&mut figures, checkpoint, data, console)?;
    }
    for part in &told {
        conditions::write(&mut figures, part)?;
    }
    if model.codes.is_empty() && told.is_empty() && config.latent.parts().len() > 1 {
        parts::write(&mut figures)?;
    }
    Ok(figures.written)
}

/// The generator that is shown, and what has been written of it.
struct Figures<'a> {
    folder: &'a Path,
    generator: Generator,
    latent: &'a Latent,
    /// What the run was trained on.
    data: &'a Manifest,
    device: &'a Device,
    written: Vec<PathBuf>,
}

impl Figures<'_> {
    /// The first `n` latents of the seed.
    fn faces(&self, n: usize) -> anyhow::Result<LatentBatch> {
        Ok(sample::seeded(self.latent, n, SEED, None, self.device)?)
    }

    /// Writes a sheet as `{name}.png`; returns the file's name.
    fn sheet(&mut self, name: &str, sheet: &Sheet) -> anyhow::Result<String> {
        let file = format!("{name}.png");
        let path = self.folder.join(&file);
        sheet.render()?.write_png(&path)?;
        self.written.push(path);
        Ok(file)
    }

    /// Writes `{name}.json`.
    fn json(&mut self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let path = self.folder.join(format!("{name}.json"));
        file::write_json(&path, value)?;
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
