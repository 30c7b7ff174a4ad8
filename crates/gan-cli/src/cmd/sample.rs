//! `sample`: images of a trained generator.

mod beside;
mod name;

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::RangedU64ValueParser;
use gan_core::RunDir;
use gan_latent::{Samples, sample};
use gan_models::{LatentBatch, Truncation};

use self::beside::{Beside, Same};
use self::name::Asked;
use super::{print, print_json};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::explored::{Explored, ShownWeights, Start};
use crate::pictures::{png_file, remove_stale};
use crate::score::Scorer;

/// Draw images from a trained generator
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sample {
    /// The run folder
    run: PathBuf,
    /// Number of images; image i of a seed is the same whatever it is
    #[arg(long, value_name = "N", default_value_t = USUAL_NUMBER, conflicts_with_all = ["latents", "indices"],
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST))]
    n: usize,
    #[command(flatten)]
    start: Start,
    /// Draw normal entries again while they lie beyond ±T (Brock et al. 2019); clip:T sets them to ±T instead
    #[arg(long, value_name = "T", conflicts_with = "latents", value_parser = truncation)]
    truncation: Option<Truncation>,
    /// Bring a normal or uniform part nearer to its middle, or with T > 1 farther from it: z=0.7 multiplies the part's
    /// distance from there by T, and so its standard deviation; after --truncation. Can be given for several parts
    #[arg(long, value_name = "PART=T", value_parser = temperature)]
    temperature: Vec<Temperature>,
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
    #[command(flatten)]
    beside: Beside,
    /// Write the index of each image under it, as it counts in the seed or the file
    #[arg(long)]
    labels: bool,
    /// Write each image to a file of its own, 00000.png and so on; --out names the folder
    #[arg(long, conflicts_with = "labels")]
    separate: bool,
    /// The grid's file; in the run's sampled/ unless given, named by the options: seed-3_truncation-0.7.png
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Images that are drawn unless a number is given, and at most.
const USUAL_NUMBER: usize = 64;
const MOST: u64 = 1_000_000;

/// How far a part of the latent lies from its middle, beside where it was drawn.
#[derive(Clone, Debug, PartialEq)]
struct Temperature {
    part: String,
    temperature: f64,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli sample runs/00001-faces
  gan-cli sample runs/00002-cgan --attributes Smiling,-Male --truncation 0.7
  gan-cli sample runs/00002-cgan --indices 3,17 --temperature z=0.5 --labels
  gan-cli sample runs/00003-infogan-mnist --fix digit=4
  gan-cli sample runs/00004-acgan --n 1000 --classifier runs/00005-face-classifier
  gan-cli sample runs/00006-vae --n 1000 --sharpness celeba --beside runs/00007-dcgan
  gan-cli sample runs/00001-faces --n 16 --seed 3 --labels --out grid.png
  gan-cli sample runs/00001-faces --n 1000 --separate --out fakes/";

impl Sample {
    /// The latents with their parts at the temperatures that were asked for.
    fn tempered(&self, mut latents: LatentBatch) -> Result<LatentBatch, UsageError> {
        for (i, Temperature { part, temperature }) in self.temperature.iter().enumerate() {
            if self.temperature[..i].iter().any(|other| other.part == *part) {
                return Err(UsageError(format!("--temperature names {part} twice")));
            }
            latents = latents
                .tempered(part, *temperature)
                .map_err(|e| UsageError(format!("--temperature: {e}")))?;
        }
        Ok(latents)
    }

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
        let Start { seed, latents, indices } = &self.start;
        let n =
            (latents.is_none() && indices.is_empty() && self.n != USUAL_NUMBER).then_some(self.n);
        let asked = Asked {
            seed: *seed,
            latents: latents.as_deref(),
            indices,
            n,
            truncation: self.truncation,
            temperatures: &self.temperature,
            attributes: &self.attributes,
            fix: &self.fix,
            weights: self.weights,
        };
        let folder = run.root().join("sampled");
        if self.separate { folder.join(asked.name()) } else { folder.join(asked.name() + ".png") }
    }

    /// The latents that are asked for.
    fn asked_latents(&self, explored: &Explored) -> anyhow::Result<LatentBatch> {
        let usual = if self.start.latents.is_some() { usize::MAX } else { self.n };
        let (latent, device) = (explored.latent(), &explored.device);
        let latents = self.start.latents(latent, usual, self.truncation, device)?;
        self.fixed(self.tempered(latents)?)
    }

    /// Where the samples go, if nothing is in the way of so many.
    fn place(&self, run: &RunDir, n: usize) -> anyhow::Result<PathBuf> {
        let out = self.out.clone().unwrap_or_else(|| self.usual_out(run));
        if !self.separate {
            return Ok(out);
        }
        let left = sample::left_by(&out, n)?;
        if let (Some(first), Some(last)) = (left.first(), left.last()) {
            let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
            anyhow::bail!(
                "{}: images of other samples are there, {} to {} ({} in all), and would lie beside latents that are not theirs; \
                 name another folder with --out, or delete them",
                out.display(),
                name(first),
                name(last),
                left.len()
            )
        }
        Ok(out)
    }

    /// Writes images and latents; returns the file of the latents.
    fn write(&self, samples: &Samples, out: &Path) -> anyhow::Result<PathBuf> {
        if self.separate {
            samples.write_separate(out)?;
            return Ok(out.join("latents.safetensors"));
        }
        let indices = match &self.start.indices[..] {
            [] => (0..samples.images.len()).collect(),
            typed => typed.to_vec(),
        };
        samples.write_grid(out, self.labels.then_some(&indices))?;
        Ok(sample::latents_path(out))
    }

    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        if let Some(out) = self.out.as_deref().filter(|_| !self.separate) {
            let name = out.display();
            png_file(&name.to_string()).map_err(|e| UsageError(format!("--out {name}: {e}")))?;
        }
        let device = global.device()?;
        let explored = Explored::open(&self.run, self.weights, device.clone())?;
        let scorer = match &self.classifier {
            Some(classifier) => {
                Some(Scorer::open(classifier, &explored.run, &explored.checkpoint, &device)?)
            }
            None => None,
        };
        let latents = self.asked_latents(&explored)?;
        let n = latents.len();
        let Self { truncation, weights, .. } = self;
        let same = Same { n, seed: self.start.seed, truncation, weights };
        let compared = self.beside.open(&explored, &same, global, console)?;
        let Explored { run, path, checkpoint, generator, .. } = explored;
        let out = self.place(&run, n)?;
        let samples = {
            let line = console.progress("sampling", n as u64);
            Samples::generate(&generator, latents, |done| line.set(done as u64, ""))?
        };
        let latents_file = self.write(&samples, &out)?;
        let scores = scorer.map(|scorer| scorer.score(&samples, &device)).transpose()?;
        let scores_file = latents_file.with_extension("scores.json");
        match &scores {
            Some(scores) => run.write_json(&scores_file, scores)?,
            // Those of other samples, which stood here before.
            None => remove_stale([scores_file.clone()])?,
        }
        let compared = beside::compare(
            compared,
            (&run, &samples.images),
            &same,
            &latents_file,
            (&device, console),
        )?;
        if global.json {
            return print_json(&serde_json::json!({
                "scores": scores,
                "scores_file": scores.as_ref().map(|_| &scores_file),
                "sharpness": compared,
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
        if let Some(compared) = &compared {
            print(&compared.summary())?;
        }
        print(&format!(
            "{n} images: {}\nlatents:   {}\nnext: gan-cli interpolate {} --latents {}",
            out.display(),
            latents_file.display(),
            super::tables::quoted(&run.root().display().to_string()),
            super::tables::quoted(&latents_file.display().to_string())
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

/// `part=0.7`.
fn temperature(text: &str) -> Result<Temperature, String> {
    let (part, number) = text.split_once('=').unwrap_or((text, ""));
    match number.trim().parse::<f64>() {
        Ok(temperature) if temperature.is_finite() && temperature > 0.0 => {
            Ok(Temperature { part: part.into(), temperature })
        }
        _ => Err("expected a part of the latent and a number of more than 0: z=0.7".into()),
    }
}

/// `part=value` for the first entry of a part, `part.i=value` for another.
fn parse_fixed(text: &str) -> Result<(&str, usize, f32), UsageError> {
    let wrong = || UsageError(format!("--fix {text}: expected PART=VALUE or PART.INDEX=VALUE"));
    let (place, value) = text.split_once('=').ok_or_else(wrong)?;
    let (part, entry) = place.rsplit_once('.').unwrap_or((place, "0"));
    Ok((part, entry.parse().map_err(|_| wrong())?, value.trim().parse().map_err(|_| wrong())?))
}
