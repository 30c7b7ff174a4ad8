//! `invert`: the latents of given images.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use gan_core::{file, image, quality};
use gan_latent::invert::{Distance, PixelDistance, Targets};
use gan_latent::{Inversion, Inverted, Sheet, latents, sample};
use serde::Serialize;

use super::{print, print_json, tables};
use crate::args::Global;
use crate::console::Console;
use crate::explored::{Explored, ShownWeights};
use crate::inversion::{self, FeatureDistance, Loaded, Originals, Search};
use crate::pictures::png_file;

/// Find the latents whose images are nearest to given ones
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Invert {
    /// The run folder
    run: PathBuf,
    #[command(flatten)]
    originals: Originals,
    #[command(flatten)]
    search: Search,
    /// Compare what the classifier of this run sees, too
    #[arg(long, value_name = "RUN")]
    features: Option<PathBuf>,
    /// What a relative squared distance of 1 in its features weighs, beside a mean squared error of pixels of 1
    #[arg(long, value_name = "W", default_value_t = FEATURE_WEIGHT, requires = "features")]
    feature_weight: f64,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// The picture's file, latents, numbers and curves beside it; in the run's inverted/ unless given
    #[arg(long, value_name = "FILE", value_parser = png_file)]
    out: Option<PathBuf>,
}

const FEATURE_WEIGHT: f64 = 0.1;
/// Images that the picture shows at most, side by side.
const MOST_SHOWN: usize = 20;

const EXAMPLES: &str = "\
Examples:
  gan-cli invert runs/00001-dcgan me.jpg you.png
  gan-cli invert runs/00001-dcgan --split test --n 20
  gan-cli invert runs/00001-dcgan me.jpg --restarts 20 --iterations 1000
  gan-cli invert runs/00002-dcgan --features runs/00003-digit-classifier
  gan-cli sample runs/00001-dcgan --latents runs/00001-dcgan/inverted/me-jpg_you-png.safetensors";

/// How near one image came.
#[derive(Debug, Serialize)]
struct Nearness {
    image: String,
    /// Mean squared error on the scale [−1, 1].
    mse: f64,
    /// Decibel.
    psnr: f64,
    /// None where the image is smaller than its window.
    ssim: Option<f64>,
    /// The start that was kept, and where each start began and ended.
    best: usize,
    starts: Vec<f32>,
    ends: Vec<f32>,
}

/// The numbers of all images.
#[derive(Debug, Serialize)]
struct Numbers<'a> {
    inversion: &'a Inversion,
    /// Whether the first start of each image is what the run's encoder makes of it.
    encoder_start: bool,
    features: Option<&'a Path>,
    seconds: f64,
    images_per_minute: f64,
    mean: Means,
    images: Vec<Nearness>,
}

/// Means over the images; PSNR is that of the mean error.
#[derive(Debug, Serialize)]
struct Means {
    mse: f64,
    psnr: f64,
    ssim: Option<f64>,
    /// What the first start alone would have: its mean distance in the end, beside that of the best.
    first_end: f64,
    best_end: f64,
}

impl Invert {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        let settings = self.search.inversion()?;
        let explored = Explored::open(&self.run, self.weights, global.device()?)?;
        let features = match &self.features {
            Some(run) => Some(FeatureDistance::open(run, self.feature_weight, &explored)?),
            None => None,
        };
        let distance: &dyn Distance = match &features {
            Some(features) => features,
            None => &PixelDistance,
        };
        let originals = self.originals.load(&explored, global, console)?;
        let starts = inversion::encoder_starts(&explored, &originals.images)?;
        let targets = Targets::whole(originals.images.to_device(&explored.device)?);
        let begun = Instant::now();
        let to = (console, "inverting");
        let found =
            inversion::search(&explored, &settings, &targets, distance, starts.as_ref(), to)?;
        let seconds = begun.elapsed().as_secs_f64();
        let images = nearness(&found, &originals)?;
        let numbers = Numbers {
            inversion: &settings,
            encoder_start: starts.is_some(),
            features: self.features.as_deref(),
            seconds,
            images_per_minute: 60.0 * images.len() as f64 / seconds,
            mean: Means::of(&images),
            images,
        };
        let out = self.out.clone().unwrap_or_else(|| {
            let words = self.originals.words(&self.search);
            let words = words.path("features", self.features.as_deref());
            let words = words.unless(FEATURE_WEIGHT, "feature-weight", self.feature_weight);
            explored.run.root().join("inverted").join(words.weights(self.weights).name() + ".png")
        });
        write(&found, &originals, &numbers, &out)?;
        show(&explored, &numbers, &out, global)
    }
}

/// The measures of every image.
fn nearness(found: &Inverted, originals: &Loaded) -> anyhow::Result<Vec<Nearness>> {
    let (made, images) = (&found.images, &originals.images);
    let (mse, ssim) = (quality::mse(made, images)?, quality::ssim(made, images).ok());
    let of = |(i, name): (usize, &String)| {
        let at = |place: fn(&Vec<f32>) -> Option<&f32>| {
            found.curves[i].iter().filter_map(|curve| place(curve).copied()).collect()
        };
        Nearness {
            image: name.clone(),
            mse: mse[i],
            psnr: quality::psnr_of_mse(mse[i]),
            ssim: ssim.as_ref().map(|ssim| ssim[i]),
            best: found.best[i],
            starts: at(|curve| curve.first()),
            ends: at(|curve| curve.last()),
        }
    };
    Ok(originals.names.iter().enumerate().map(of).collect())
}

impl Means {
    fn of(images: &[Nearness]) -> Self {
        let mean = |value: &dyn Fn(&Nearness) -> f64| {
            images.iter().map(value).sum::<f64>() / images.len().max(1) as f64
        };
        let mse = mean(&|image| image.mse);
        Self {
            mse,
            psnr: quality::psnr_of_mse(mse),
            ssim: images
                .iter()
                .all(|image| image.ssim.is_some())
                .then(|| mean(&|image| image.ssim.expect("all have one"))),
            first_end: mean(&|image| f64::from(image.ends[0])),
            best_end: mean(&|image| f64::from(image.ends[image.best])),
        }
    }
}

/// Where the curves go, beside the picture.
fn beside(out: &Path, ending: &str) -> PathBuf {
    out.with_extension(ending)
}

fn write(
    found: &Inverted,
    originals: &Loaded,
    numbers: &Numbers<'_>,
    out: &Path,
) -> anyhow::Result<()> {
    let shown = MOST_SHOWN.min(originals.names.len());
    let row = |images: &candle_core::Tensor| image::from_tensor(&images.narrow(0, 0, shown)?);
    let sheet = Sheet::new(vec![row(&originals.images)?, row(&found.images)?])
        .over_columns(&originals.names[..shown])
        .beside_rows(["original", "inverted"]);
    sheet.render()?.write_png(out)?;
    latents::write(&found.latents, &sample::latents_path(out))?;
    inversion::write_curves(found, &beside(out, "curves.csv"))?;
    inversion::curve_plot(found, &originals.names).write_png(&beside(out, "curves.png"))?;
    Ok(file::write_json(&beside(out, "json"), numbers)?)
}

fn show(
    explored: &Explored,
    numbers: &Numbers<'_>,
    out: &Path,
    global: &Global,
) -> anyhow::Result<()> {
    let latents = sample::latents_path(out);
    if global.json {
        return print_json(&serde_json::json!({
            "out": out,
            "latents": latents,
            "numbers": beside(out, "json"),
            "curves": beside(out, "curves.csv"),
            "curves_plot": beside(out, "curves.png"),
            "checkpoint": explored.path,
            "images_seen": explored.checkpoint.header.images_seen,
            "found": numbers,
        }));
    }
    let rows = numbers.images.iter().take(MOST_SHOWN).map(|image| {
        vec![
            image.image.clone(),
            format!("{:.4}", image.mse),
            format!("{:.2}", image.psnr),
            image.ssim.map_or("–".into(), |ssim| format!("{ssim:.3}")),
            image.best.to_string(),
        ]
    });
    let head = ["image", "MSE", "PSNR [dB]", "SSIM", "best restart"];
    let Means { mse, psnr, ssim, first_end, best_end } = &numbers.mean;
    let ssim = ssim.map_or(String::new(), |ssim| format!(", SSIM {ssim:.3}"));
    print(&format!(
        "{}\nmean of {} images: MSE {mse:.4} on the scale [-1, 1], PSNR {psnr:.2} dB{ssim}; distance {best_end:.4} after {} \
         restarts, {first_end:.4} after the first alone; {:.1} images/min\n\
         picture {}\nlatents {}\nnumbers {}\ncurves  {}, {}\nnext: gan-cli sample {} --latents {}",
        tables::table(&head, &[1, 2, 3, 4], rows.collect()),
        numbers.images.len(),
        numbers.inversion.restarts,
        numbers.images_per_minute,
        out.display(),
        latents.display(),
        beside(out, "json").display(),
        beside(out, "curves.csv").display(),
        beside(out, "curves.png").display(),
        explored.run.root().display(),
        latents.display()
    ))
}
