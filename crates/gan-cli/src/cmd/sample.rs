//! `sample`: images of a trained generator.

pub(super) mod name;

use std::path::PathBuf;

use clap::Args;
use gan_core::RunDir;
use gan_latent::{Samples, latents, sample};
use gan_models::{LatentBatch, Truncation};

use self::name::Asked;
use super::{print, print_json};
use crate::args::{Global, UsageError, existing_file};
use crate::console::Console;
use crate::explored::{Explored, ShownWeights};
use crate::score::Scorer;

/// Draw images from a trained generator
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sample {
    /// The run folder
    run: PathBuf,
    /// Number of images
    #[arg(long, value_name = "N", default_value_t = USUAL_NUMBER)]
    n: usize,
    /// Seed of the latents; image i of a seed is the same whatever --n is
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Latents to use instead, a file that an earlier `sample` wrote
    #[arg(long, value_name = "FILE", value_parser = existing_file, conflicts_with_all = ["seed", "n"])]
    latents: Option<PathBuf>,
    /// Draw normal entries again while they lie beyond ±T (Brock et al. 2019); clip:T sets them to ±T instead
    #[arg(long, value_name = "T", conflicts_with = "latents", value_parser = truncation)]
    truncation: Option<Truncation>,
    /// Attributes that all images have, or with a minus lack: Smiling,-Male
    #[arg(long, value_name = "NAMES", value_delimiter = ',', allow_hyphen_values = true)]
    attributes: Vec<String>,
    /// An entry of a latent part that is the same in all images: code=3, bits.4=1
    #[arg(long, value_name = "PART[.I]=X")]
    fix: Vec<String>,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// Let the classifier of this run look at the images, and compare with what their latents ask for
    #[arg(long, value_name = "RUN")]
    classifier: Option<PathBuf>,
    /// Write the index of each image under it
    #[arg(long)]
    labels: bool,
    /// Write each image to a file of its own; --out names the folder
    #[arg(long, conflicts_with = "labels")]
    separate: bool,
    /// The grid's file; in the run's sampled/ unless given, named by the options: seed-3_truncation-0.7.png
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Images that are drawn unless a number is given.
const USUAL_NUMBER: usize = 64;

const EXAMPLES: &str = "\
Examples:
  gan-cli sample runs/00001-faces
  gan-cli sample runs/00002-cgan --attributes Smiling,-Male --truncation 0.7
  gan-cli sample runs/00003-infogan-mnist --fix digit=4
  gan-cli sample runs/00004-acgan --n 1000 --classifier runs/00005-face-classifier
  gan-cli sample runs/00001-faces --n 16 --seed 3 --labels --out grid.png
  gan-cli sample runs/00001-faces --n 1000 --separate --out fakes/";

impl Sample {
    /// The latents with what was asked to be the same in all of them.
    fn fixed(&self, mut latents: LatentBatch) -> anyhow::Result<LatentBatch> {
        let usage = |e: String| UsageError(e);
        for (i, attribute) in self.attributes.iter().enumerate() {
            let plain = |text: &String| text.trim_start_matches('-').to_string();
            if self.attributes[..i].iter().any(|other| plain(other) == plain(attribute)) {
                return Err(usage(format!("--attributes names {} twice", plain(attribute))).into());
            }
            let (name, value) = match attribute.strip_prefix('-') {
                Some(name) => (name, 0.0),
                None => (attribute.as_str(), 1.0),
            };
            let (part, entry) = latents.latent().attribute(name).map_err(usage)?;
            latents = latents.with_entry(&part, entry, value)?;
        }
        for fixed in &self.fix {
            let (part, entry, value) = parse_fixed(fixed)?;
            latents = latents.with_entry(part, entry, value).map_err(|e| usage(e.to_string()))?;
        }
        Ok(latents)
    }

    /// Where the samples go that nobody names: other options, another name.
    fn usual_out(&self, run: &RunDir) -> PathBuf {
        let n = (self.latents.is_none() && self.n != USUAL_NUMBER).then_some(self.n);
        let asked = Asked {
            seed: self.seed,
            latents: self.latents.as_deref(),
            n,
            truncation: self.truncation,
            attributes: &self.attributes,
            fix: &self.fix,
            trained_weights: matches!(self.weights, ShownWeights::Trained),
        };
        let folder = run.root().join("sampled");
        if self.separate { folder.join(asked.name()) } else { folder.join(asked.name() + ".png") }
    }

    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        if self.n == 0 {
            return Err(UsageError("--n is 0, expected 1 or more".into()).into());
        }
        let device = global.device()?;
        let Explored { run, path, checkpoint, generator, .. } =
            Explored::open(&self.run, self.weights, device.clone())?;
        let scorer = match &self.classifier {
            Some(classifier) => Some(Scorer::open(classifier, &run, &checkpoint, &device)?),
            None => None,
        };
        let latent = &checkpoint.header.config.latent;
        let latents = match &self.latents {
            Some(file) => latents::read(latent, file, &device)?,
            None => sample::seeded(latent, self.n, self.seed, self.truncation, &device)?,
        };
        let latents = self.fixed(latents)?;
        let n = latents.len();
        let samples = {
            let line = console.progress("sampling", n as u64);
            Samples::generate(&generator, latents, |done| line.set(done as u64, ""))?
        };
        let out = self.out.clone().unwrap_or_else(|| self.usual_out(&run));
        let latents_file = if self.separate {
            samples.write_separate(&out)?;
            out.join("latents.safetensors")
        } else {
            samples.write_grid(&out, self.labels)?;
            sample::latents_path(&out)
        };
        let scores = scorer.map(|scorer| scorer.score(&samples, &device)).transpose()?;
        let scores_file = latents_file.with_extension("scores.json");
        match &scores {
            Some(scores) => run.write_json(&scores_file, scores)?,
            // Those of other samples, which stood here before.
            None if scores_file.is_file() => fs_err::remove_file(&scores_file)?,
            None => {}
        }
        if global.json {
            return print_json(&serde_json::json!({
                "scores": scores,
                "n": n,
                "out": out,
                "latents": latents_file,
                "checkpoint": path,
                "images_seen": checkpoint.header.images_seen,
            }));
        }
        if let Some(scores) = &scores {
            print(&format!("{}\nscores:    {}\n", scores.table(), scores_file.display()))?;
        }
        print(&format!(
            "{n} images: {}\nlatents:   {}\nnext: the same latents later with --latents {}",
            out.display(),
            latents_file.display(),
            latents_file.display()
        ))
    }
}

/// `0.7` or `clip:0.7`.
fn truncation(text: &str) -> Result<Truncation, String> {
    let (clip, number) = match text.strip_prefix("clip:") {
        Some(number) => (true, number),
        None => (false, text),
    };
    match number.parse::<f32>() {
        // A smaller limit would take resampling forever.
        Ok(limit) if limit.is_finite() && limit >= 0.01 => {
            Ok(if clip { Truncation::Clip(limit) } else { Truncation::Resample(limit) })
        }
        _ => Err("expected a number of 0.01 or more, or clip: and such a number".into()),
    }
}

/// `part=value` for the first entry of a part, `part.i=value` for another.
fn parse_fixed(text: &str) -> Result<(&str, usize, f32), UsageError> {
    let wrong = || UsageError(format!("--fix {text}: expected PART=VALUE or PART.INDEX=VALUE"));
    let (place, value) = text.split_once('=').ok_or_else(wrong)?;
    let (part, entry) = place.rsplit_once('.').unwrap_or((place, "0"));
    Ok((part, entry.parse().map_err(|_| wrong())?, value.trim().parse().map_err(|_| wrong())?))
}
