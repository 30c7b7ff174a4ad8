//! Samples held against real images and against those of other runs.

use std::path::{Path, PathBuf};

use candle_core::Device;
use clap::Args;
use gan_core::{Image, RunDir};
use gan_latent::{Samples, sample};
use gan_models::Truncation;
use serde::Serialize;

use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::data;
use crate::explored::{Explored, ShownWeights};
use crate::pictures::remove_stale;
use crate::sharpness::Comparison;

/// What samples are held against.
#[derive(Args, Debug)]
pub(super) struct Beside {
    /// Measure how sharp the samples are and how far from the mean image, beside as many real images of this data
    #[arg(long, value_name = "DATA")]
    sharpness: Option<String>,
    /// Samples of this run too, as many and with the same seed; can be given more than once
    #[arg(
        long,
        value_name = "RUN",
        requires = "sharpness",
        conflicts_with_all = ["latents", "indices", "temperature", "attributes", "fix", "separate"]
    )]
    beside: Vec<PathBuf>,
}

/// Which samples the other runs are to make.
pub(super) struct Same {
    pub(super) n: usize,
    pub(super) seed: u64,
    pub(super) truncation: Option<Truncation>,
    pub(super) weights: ShownWeights,
}

/// The numbers and their pictures.
#[derive(Serialize)]
pub(super) struct Compared {
    file: PathBuf,
    pub(super) spectra: PathBuf,
    spectra_svg: PathBuf,
    pub(super) panels: PathBuf,
    found: Comparison,
}

impl Beside {
    /// The real images and the other runs, opened before anything is drawn.
    pub(super) fn open(
        &self,
        explored: &Explored,
        same: &Same,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Option<(Comparison, Vec<Explored>)>> {
        let Some(source) = &self.sharpness else { return Ok(None) };
        let shape = explored.checkpoint.image()?;
        let mut others = Vec::new();
        for run in &self.beside {
            let other = Explored::open(run, same.weights, explored.device.clone())?;
            let made = other.checkpoint.image()?;
            if made != shape {
                let (first, other) = (explored.run.root().display(), run.display());
                let reason =
                    format!("{other} makes {made} images, {first} {shape}; both must be alike");
                return Err(UsageError(reason).into());
            }
            others.push(other);
        }
        let mut config = explored.checkpoint.header.config.data.clone();
        (config.source, config.limit) = (source.clone(), None);
        let data = data::open(&config, global, console)?;
        let comparison = Comparison::with(&data, source, same.n, shape, console)?;
        Ok(Some((comparison, others)))
    }
}

/// Measures the samples and those of the other runs; writes numbers and pictures with the name of `latents`.
pub(super) fn compare(
    opened: Option<(Comparison, Vec<Explored>)>,
    (run, images): (&RunDir, &[Image]),
    same: &Same,
    latents: &Path,
    (device, console): (&Device, &Console),
) -> anyhow::Result<Option<Compared>> {
    let [file, spectra, drawn, panels] =
        ["sharpness.json", "spectra.png", "spectra.svg", "beside.png"]
            .map(|end| latents.with_extension(end));
    let Some((mut found, others)) = opened else {
        // Those of other samples, which stood here before.
        remove_stale([file, spectra, drawn, panels])?;
        return Ok(None);
    };
    found.add(run.root(), images, console)?;
    for other in others {
        let latents = sample::seeded(other.latent(), same.n, same.seed, same.truncation, device)?;
        let line = console.progress("sampling", same.n as u64);
        let samples =
            Samples::generate(&other.generator, latents, |done| line.set(done as u64, ""))?;
        drop(line);
        found.add(other.run.root(), &samples.images, console)?;
    }
    let plot = found.spectra();
    plot.write_png(&spectra)?;
    plot.write_svg(&drawn)?;
    found.panels()?.write_png(&panels)?;
    run.write_json(&file, &found)?;
    Ok(Some(Compared { file, spectra, spectra_svg: drawn, panels, found }))
}

impl Compared {
    /// What a person is told.
    pub(super) fn summary(&self) -> String {
        format!(
            "{}\nsharpness: {}\nspectra:   {}\nbeside:    {}\n",
            self.found.table(),
            self.file.display(),
            self.spectra.display(),
            self.panels.display()
        )
    }
}
