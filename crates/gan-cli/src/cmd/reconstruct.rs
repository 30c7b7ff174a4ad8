//! `reconstruct`: images through an autoencoder and back.

use std::path::{Path, PathBuf};

use clap::Args;
use gan_core::RunDir;
use gan_data::Split;
use gan_train::Checkpoint;

use super::{print, print_json};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::pictures::png_file;
use crate::words::Words;
use crate::{data, reconstruction};

/// Send images through an autoencoder and measure what comes back
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Reconstruct {
    /// The run folder
    run: PathBuf,
    /// Shards, a raw source or a name under GAN_DATA; the run's own data unless given
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Split whose images are taken
    #[arg(long, default_value = "test")]
    split: Split,
    /// Images that a picture shows: the first, the best and the worst so many
    #[arg(long, value_name = "N", default_value_t = NUMBER)]
    n: usize,
    /// File of the first images' picture, those of the best and worst ones and the numbers beside it; in the run's
    /// reconstructed/ unless given
    #[arg(long, value_name = "FILE", value_parser = png_file)]
    out: Option<PathBuf>,
}

/// Images that the picture shows, and at most, side by side.
const NUMBER: usize = 10;
const MOST_SHOWN: usize = 100;

const EXAMPLES: &str = "\
Examples:
  gan-cli reconstruct runs/00001-vae
  gan-cli reconstruct runs/00001-vae --split train --n 20
  gan-cli reconstruct runs/00002-mnist-vae --json";

impl Reconstruct {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        if !(1..=MOST_SHOWN).contains(&self.n) {
            let reason = format!("--n is {}, expected 1 to {MOST_SHOWN}", self.n);
            return Err(UsageError(reason).into());
        }
        let device = global.device()?;
        let run = RunDir::open(&self.run)?;
        let (path, checkpoint) = Checkpoint::latest(&run, &device)?;
        let mut config = checkpoint.header.config.data.clone();
        if let Some(data) = &self.data {
            (config.source, config.limit) = (data.clone(), None);
        }
        let data = data::open(&config, global, console)?;
        if data.len(self.split) == 0 {
            let reason = format!("the split {} of the data is empty", self.split);
            return Err(UsageError(reason).into());
        }
        let found =
            reconstruction::reconstruct(&checkpoint, &data, self.split, self.n, &device, console)?;
        let out = self
            .out
            .clone()
            .unwrap_or_else(|| run.root().join("reconstructed").join(self.file_name() + ".png"));
        let [_, best, worst] = found.write_pictures(&out)?;
        let numbers = out.with_extension("json");
        run.write_json(&numbers, &found)?;
        if global.json {
            return print_json(&serde_json::json!({
                "out": out,
                "best": best,
                "worst": worst,
                "numbers": numbers,
                "checkpoint": path,
                "images_seen": checkpoint.header.images_seen,
                "found": found,
            }));
        }
        let mse = &found.errors.mse;
        print(&format!(
            "{}\nfirst   {}\nbest    {}, image {} at {:.4} the first\nworst   {}, image {} at {:.4} the first\n\
             numbers {}\nnext: gan-cli sample {}",
            found.summary(),
            out.display(),
            best.display(),
            mse.min.index,
            mse.min.value,
            worst.display(),
            mse.max.index,
            mse.max.value,
            numbers.display(),
            self.run.display()
        ))
    }

    /// `test`, `train_n-20_data-mnist`.
    fn file_name(&self) -> String {
        let words = Words::default().add([self.split.to_string()]).unless(NUMBER, "n", self.n);
        words.path("data", self.data.as_deref().map(Path::new)).name()
    }
}
