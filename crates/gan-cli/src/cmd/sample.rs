//! `sample`: images of a trained generator.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use gan_core::RunDir;
use gan_latent::{Samples, latents, sample};
use gan_train::Checkpoint;

use super::{print, print_json};
use crate::args::{Global, UsageError};
use crate::console::Console;

/// Draw images from a trained generator
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sample {
    /// The run folder
    run: PathBuf,
    /// Number of images
    #[arg(long, value_name = "N", default_value_t = 64)]
    n: usize,
    /// Seed of the latents; image i of a seed is the same whatever --n is
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Latents to use instead, a file that an earlier `sample` wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "n"])]
    latents: Option<PathBuf>,
    /// Write the index of each image under it
    #[arg(long)]
    labels: bool,
    /// Write each image to a file of its own; --out names the folder
    #[arg(long, conflicts_with = "labels")]
    separate: bool,
    /// The grid's file; sampled/seed-S.png in the run unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli sample runs/00001-faces
  gan-cli sample runs/00001-faces --n 16 --seed 3 --labels --out grid.png
  gan-cli sample runs/00001-faces --n 1000 --separate --out fakes/";

impl Sample {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        if self.n == 0 {
            return Err(UsageError("--n is 0, expected 1 or more".into()).into());
        }
        let device = global.device()?;
        let run = RunDir::open(&self.run)?;
        let (path, checkpoint) = Checkpoint::latest(&run, &device)?;
        let generator = checkpoint
            .generator(&device)
            .with_context(|| format!("reading the generator of {}", path.display()))?;
        let latent = &checkpoint.header.config.latent;
        let latents = match &self.latents {
            Some(file) => latents::read(latent, file, &device)?,
            None => sample::seeded(latent, self.n, self.seed, &device)?,
        };
        let n = latents.len();
        let samples = {
            let line = console.progress("sampling", n as u64);
            Samples::generate(&generator, latents, |done| line.set(done as u64, ""))?
        };
        let out = self.out.unwrap_or_else(|| {
            let name = format!("seed-{}", self.seed);
            let folder = run.root().join("sampled");
            if self.separate { folder.join(name) } else { folder.join(name + ".png") }
        });
        let latents_file = if self.separate {
            samples.write_separate(&out)?;
            out.join("latents.safetensors")
        } else {
            samples.write_grid(&out, self.labels)?;
            sample::latents_path(&out)
        };
        if global.json {
            return print_json(&serde_json::json!({
                "n": n,
                "out": out,
                "latents": latents_file,
                "checkpoint": path,
                "images_seen": checkpoint.header.images_seen,
            }));
        }
        print(&format!(
            "{n} images: {}\nlatents:   {}\nnext: the same latents later with --latents {}",
            out.display(),
            latents_file.display(),
            latents_file.display()
        ))
    }
}
