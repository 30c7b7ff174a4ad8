//! Inversion as commands have it: which images, how latents are searched for, and what is told of the search.

use std::path::{Path, PathBuf};

use candle_core::{Result as TensorResult, Tensor};
use clap::{Args, ValueEnum};
use gan_core::plot::{Plot, Series};
use gan_core::{ImageShape, RunDir, file, image};
use gan_data::Split;
use gan_latent::invert::{Descent, Distance, Losses, PixelDistance, Targets};
use gan_latent::{Inversion, Inverted};
use gan_models::LatentBatch;
use gan_train::Checkpoint;
use gan_train::batches::BATCH;
use gan_train::classify::ImageClassifier;
use gan_train::reconstruct::ImageAutoencoder;

use crate::args::{Global, UsageError, existing_file};
use crate::console::Console;
use crate::explored::Explored;
use crate::judge::classifier_for;
use crate::words::{Words, of_path};
use crate::{data, photos};

/// How latents are searched for.
#[derive(Args, Clone, Debug)]
pub(crate) struct Search {
    /// Starts of each image, of which the one that ends nearest is kept
    #[arg(long, value_name = "N", default_value_t = RESTARTS)]
    pub(crate) restarts: usize,
    /// Steps of each start
    #[arg(long, value_name = "N", default_value_t = ITERATIONS)]
    pub(crate) iterations: usize,
    /// How latents move along the gradient
    #[arg(long, value_enum, default_value = "adam")]
    pub(crate) optimizer: Optimizer,
    /// Rate of the first step; it falls to 0 by half a cosine. 0.1 for Adam and 10 for SGD unless given
    #[arg(long, value_name = "R")]
    pub(crate) learning_rate: Option<f64>,
    /// Seed of the starts, which are the latents that `sample --seed S --labels` shows
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
}

const RESTARTS: usize = Inversion::USUAL.restarts;
const ITERATIONS: usize = Inversion::USUAL.iterations;
/// Starts of one image go through the generator together.
const MOST_RESTARTS: usize = 1000;
const MOST_ITERATIONS: usize = 100_000;

/// How latents move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Optimizer {
    /// Adam with betas 0.9 and 0.999
    Adam,
    /// Plain gradient descent
    Sgd,
}

impl Search {
    /// What was typed, checked.
    pub(crate) fn inversion(&self) -> Result<Inversion, UsageError> {
        let within = |name: &str, value: usize, most: usize| match value {
            0 => Err(UsageError(format!("{name} is 0, expected 1 to {most}"))),
            n if n > most => Err(UsageError(format!("{name} is {n}, expected 1 to {most}"))),
            _ => Ok(()),
        };
        within("--restarts", self.restarts, MOST_RESTARTS)?;
        within("--iterations", self.iterations, MOST_ITERATIONS)?;
        let usual = match self.optimizer {
            Optimizer::Adam => 0.1,
            Optimizer::Sgd => 10.0,
        };
        let rate = self.learning_rate.unwrap_or(usual);
        if !(rate.is_finite() && rate > 0.0) {
            return Err(UsageError(format!("--learning-rate is {rate}, expected more than 0")));
        }
        let descent = match self.optimizer {
            Optimizer::Adam => Descent::Adam { rate },
            Optimizer::Sgd => Descent::Sgd { rate },
        };
        let Self { restarts, iterations, seed, .. } = *self;
        Ok(Inversion { restarts, iterations, descent, seed })
    }

    /// What of it is not usual, for a file's name.
    fn words(&self, words: Words) -> Words {
        words
            .unless(0, "seed", self.seed)
            .unless(RESTARTS, "restarts", self.restarts)
            .unless(ITERATIONS, "iterations", self.iterations)
            .add((self.optimizer == Optimizer::Sgd).then(|| "optimizer-sgd".into()))
            .add(self.learning_rate.map(|rate| format!("learning-rate-{rate}")))
    }
}

/// Images to find latents of: files, or some of a data set.
#[derive(Args, Clone, Debug)]
pub(crate) struct Originals {
    /// Picture files of any size; images of the run's data set unless given
    #[arg(value_name = "IMAGE", value_parser = existing_file, conflicts_with_all = ["data", "split", "n"])]
    images: Vec<PathBuf>,
    /// Shards, a raw source or a name under GAN_DATA; the run's own data unless given
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Split whose first images are taken
    #[arg(long, default_value = "test")]
    split: Split,
    /// Number of them
    #[arg(long, value_name = "N", default_value_t = NUMBER)]
    n: usize,
}

/// Images of a data set unless more are asked for.
const NUMBER: usize = 10;

/// Most images of a data set at once: their curves are held in memory.
const MOST_IMAGES: usize = 1000;

/// Images with their names.
pub(crate) struct Loaded {
    /// `(N, C, H, W)` in [−1, 1] on the CPU.
    pub(crate) images: Tensor,
    pub(crate) names: Vec<String>,
}

impl Originals {
    /// Reads them in the form that the run's generator makes images in.
    pub(crate) fn load(
        &self,
        explored: &Explored,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Loaded> {
        let shape = explored.checkpoint.image()?;
        if self.images.is_empty() {
            return self.of_split(&explored.checkpoint, shape, global, console);
        }
        let images = self.images.iter().map(|path| photos::read(path, explored));
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into();
        Ok(Loaded {
            images: Tensor::cat(&images.collect::<anyhow::Result<Vec<_>>>()?, 0)?,
            names: self.images.iter().map(name).collect(),
        })
    }

    fn of_split(
        &self,
        checkpoint: &Checkpoint,
        shape: ImageShape,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Loaded> {
        let usage = |reason: String| Err(UsageError(reason).into());
        if !(1..=MOST_IMAGES).contains(&self.n) {
            return usage(format!("--n is {}, expected 1 to {MOST_IMAGES}", self.n));
        }
        let mut config = checkpoint.header.config.data.clone();
        if let Some(data) = &self.data {
            (config.source, config.limit) = (data.clone(), None);
        }
        let data = data::open(&config, global, console)?;
        let (found, there) = (data.image_shape()?, data.len(self.split));
        if found != shape {
            return usage(format!(
                "data {:?} has {found} images, the run's are {shape}; prepare it with --size, or name picture files",
                config.source
            ));
        }
        if there < self.n {
            return usage(format!(
                "--n is {}, the split {} of the data has {there} images",
                self.n, self.split
            ));
        }
        let indices: Vec<usize> = (0..self.n).collect();
        let images = image::normalize(&data.samples(self.split, &indices)?)?;
        let names = indices.iter().map(|i| format!("{} {i}", self.split)).collect();
        Ok(Loaded { images, names })
    }

    /// What tells them and the search from others, for a file's name.
    pub(crate) fn words(&self, search: &Search) -> Words {
        let words = match &self.images[..] {
            [] => Words::default()
                .add([self.split.to_string()])
                .unless(NUMBER, "n", self.n)
                .path("data", self.data.as_deref().map(Path::new)),
            images => Words::default().add(images.iter().map(|path| of_path(path))),
        };
        search.words(words)
    }
}

/// Pixels, and what a classifier sees: MSE plus a weight times the squared distance of its features as a share of the
/// target's, ‖φ(G(z)) − φ(x)‖² / ‖φ(x)‖².
pub(crate) struct FeatureDistance {
    classifier: ImageClassifier,
    weight: f64,
}

impl FeatureDistance {
    /// By the classifier of a run.
    pub(crate) fn open(run: &Path, weight: f64, explored: &Explored) -> anyhow::Result<Self> {
        if !(weight.is_finite() && weight > 0.0) {
            let reason = format!("--feature-weight is {weight}, expected more than 0");
            return Err(UsageError(reason).into());
        }
        Ok(Self { classifier: classifier_for(&RunDir::open(run)?, explored)?, weight })
    }

    fn features(&self, images: &Tensor) -> TensorResult<Tensor> {
        self.classifier.features(images).map_err(|e| candle_core::Error::Msg(e.to_string()))
    }
}

impl Distance for FeatureDistance {
    fn to<'a>(&'a self, targets: &Targets) -> TensorResult<Box<Losses<'a>>> {
        static PIXELS: PixelDistance = PixelDistance;
        let pixels = PIXELS.to(targets)?;
        let own = self.features(targets.images())?.detach(); // [B, F]
        // A target in which the classifier sees nothing counts as one of length 1.
        let lengths = own.sqr()?.sum(1)?;
        let lengths = lengths.eq(0.0)?.to_dtype(lengths.dtype())?.add(&lengths)?;
        let share = (lengths.recip()? * self.weight)?;
        Ok(Box::new(move |made| {
            let seen = (self.features(made)? - &own)?.sqr()?.sum(1)?;
            pixels(made)? + (seen * &share)?
        }))
    }
}

/// What an autoencoder's encoder makes of images, to start from; nothing where the run has no encoder.
pub(crate) fn encoder_starts(
    explored: &Explored,
    images: &Tensor,
) -> anyhow::Result<Option<LatentBatch>> {
    let config = &explored.checkpoint.header.config;
    if config.autoencoder.is_none() || config.latent.parts().len() != 1 {
        return Ok(None);
    }
    let encoder = ImageAutoencoder::new(&explored.checkpoint, &explored.device)?;
    let n = images.dim(0)?;
    let part = |from| Ok(encoder.encode(&images.narrow(0, from, BATCH.min(n - from))?)?);
    let parts = (0..n).step_by(BATCH).map(part).collect::<anyhow::Result<Vec<_>>>()?;
    let latents = Tensor::cat(&parts, 0)?;
    Ok(Some(config.latent.batch(|_| Ok(latents.clone()))?))
}

/// Searches, with a bar.
pub(crate) fn search(
    explored: &Explored,
    inversion: &Inversion,
    targets: &Targets,
    distance: &dyn Distance,
    starts: Option<&LatentBatch>,
    (console, what): (&Console, &str),
) -> anyhow::Result<Inverted> {
    let rows = targets.len() * inversion.restarts;
    let line = console.progress(what, 0);
    let say = format!("steps of {rows} latents");
    let progress = |done: usize, of: usize| line.set_of(done as u64, of as u64, &say);
    let latent = explored.latent();
    Ok(inversion.run(&explored.generator, latent, targets, distance, starts, progress)?)
}

/// The distance from start to end, a line a restart; of several images the means.
pub(crate) fn curve_plot(found: &Inverted, names: &[String]) -> Plot {
    let restarts = found.curves.first().map_or(0, Vec::len);
    let of = match names {
        [one] => one.clone(),
        _ => format!("mean of {} images", names.len()),
    };
    let line = |r: usize| {
        let curves: Vec<&[f32]> = found.curves.iter().map(|starts| starts[r].as_slice()).collect();
        let steps = curves.first().map_or(0, |curve| curve.len());
        let mean = |i: usize| {
            curves.iter().map(|curve| f64::from(curve[i])).sum::<f64>() / curves.len() as f64
        };
        Series::new(format!("restart {r}"), (0..steps).map(|i| (i as f64, mean(i))).collect())
    };
    Plot {
        title: format!("Inversion, {of}"),
        x_label: "iteration".into(),
        y_label: "distance".into(),
        log_y: true,
        // More lines than colors cannot be told apart.
        series: (0..restarts.min(8)).map(line).collect(),
        ..Plot::default()
    }
}

/// All curves as a table: a row an iteration, a column `image/restart`.
pub(crate) fn write_curves(found: &Inverted, path: &Path) -> anyhow::Result<()> {
    let columns: Vec<(String, &Vec<f32>)> = found
        .curves
        .iter()
        .enumerate()
        .flat_map(|(i, starts)| {
            starts.iter().enumerate().map(move |(r, c)| (format!("{i}/{r}"), c))
        })
        .collect();
    let mut text = String::from("iteration");
    columns.iter().for_each(|(name, _)| text += &format!(",{name}"));
    for step in 0..columns.first().map_or(0, |(_, curve)| curve.len()) {
        text += &format!("\n{step}");
        columns.iter().for_each(|(_, curve)| text += &format!(",{}", curve[step]));
    }
    text.push('\n');
    Ok(file::write_bytes(path, text.as_bytes())?)
}
