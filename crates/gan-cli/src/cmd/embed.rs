//! `embed`: a map in the plane of where a network places images.

mod colors;
mod report;

use std::path::{Path, PathBuf};

use candle_core::Device;
use clap::{Args, ValueEnum};
use gan_core::plot::Scatter;
use gan_core::{RunDir, Stream, file, image};
use gan_data::{Dataset, Split};
use gan_latent::boundary::Boundary;
use gan_latent::embed::{EARLY_STEPS, TsneOptions, TsneProgress, pca, separation, tsne};
use gan_train::Checkpoint;
use gan_train::batches::BATCH;
use gan_train::classify::ImageClassifier;
use gan_train::reconstruct::ImageAutoencoder;

use self::colors::Colors;
use self::report::{Linear, Report};
use super::{print, print_json};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::data;
use crate::pictures::png_file;
use crate::words::Words;

/// Draw a map of where an autoencoder or a classifier places images
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Embed {
    /// The run folder, of an autoencoder (latent means) or a classifier (what its last layer reads)
    run: PathBuf,
    /// Shards, a raw source or a name under GAN_DATA; the run's own data unless given
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Split whose images are placed
    #[arg(long, default_value = "test")]
    split: Split,
    /// What points are colored by: an attribute, or class; class or Male unless given, where the data has it
    #[arg(long, value_name = "NAME")]
    color_by: Option<String>,
    /// How the plane is found
    #[arg(long, value_enum, default_value = "tsne")]
    method: Method,
    /// Images at most; which ones the seed decides
    #[arg(long, value_name = "N", default_value_t = USUAL_NUMBER,
        value_parser = clap::value_parser!(u32).range(8..=100_000))]
    n: u32,
    /// About how many neighbours t-SNE keeps near a point
    #[arg(long, value_name = "X", default_value_t = 30.0)]
    perplexity: f64,
    /// Steps of t-SNE
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    iterations: u32,
    /// Seed of the choice of images and of the start of t-SNE
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// The picture's file, SVG, CSV and JSON beside it; in the run's embedded/ unless given
    #[arg(long, value_name = "FILE", value_parser = png_file)]
    out: Option<PathBuf>,
}

/// How the plane is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// t-SNE: neighbours stay neighbours
    Tsne,
    /// The two first principal components, in a moment
    Pca,
}

const USUAL_NUMBER: u32 = 5000;
/// Neighbours of a point whose classes are compared.
const NEIGHBOURS: usize = 10;
/// Points at most among which classes are compared, all with all: twenty times as many would take four hundred times as long.
const COMPARED: usize = 5000;

const EXAMPLES: &str = "\
Examples:
  gan-cli embed runs/00001-vae --color-by Male
  gan-cli embed runs/00002-mnist-vae --n 2000 --perplexity 50
  gan-cli embed runs/00003-digit-classifier --method pca
  gan-cli embed runs/00001-vae --data celeba --split valid --color-by Smiling --json";

/// A network that places images.
enum Placing {
    Autoencoder(Box<ImageAutoencoder>),
    Classifier(ImageClassifier),
}

impl Embed {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        let device = global.device()?;
        let run = RunDir::open(&self.run)?;
        let (path, checkpoint) = Checkpoint::latest(&run, &device)?;
        let placing = self.placing(&checkpoint, &device)?;
        let mut config = checkpoint.header.config.data.clone();
        if let Some(data) = &self.data {
            (config.source, config.limit) = (data.clone(), None);
        }
        let data = data::open(&config, global, console)?;
        let indices = self.indices(&data)?;
        let colors = Colors::of(self.color_by.as_deref(), &data, self.split, &indices)?;
        let points = self.place(&placing, &data, &indices, console)?;
        let mut report = self.report(&placing, &points, &colors);
        let places = self.map(&points, &mut report, console)?;
        if let Some(labels) = &colors.labels {
            let line = console.progress("comparing classes", 3);
            measure(&points, &places, labels, &mut report, |done| line.set(done, ""));
        }
        let out = self
            .out
            .clone()
            .unwrap_or_else(|| run.root().join("embedded").join(self.file_name(&report) + ".png"));
        write(&out, &report, &colors, &indices, &places)?;
        let numbers = out.with_extension("json");
        run.write_json(&numbers, &report)?;
        if global.json {
            return print_json(&serde_json::json!({
                "out": out, "svg": out.with_extension("svg"), "csv": out.with_extension("csv"),
                "numbers": numbers, "checkpoint": path,
                "images_seen": checkpoint.header.images_seen, "found": report,
            }));
        }
        print(&report.summary(&out, &data, &self.run))
    }

    /// The network of a run that places images.
    fn placing(&self, checkpoint: &Checkpoint, device: &Device) -> anyhow::Result<Placing> {
        let config = &checkpoint.header.config;
        if config.autoencoder.is_some() {
            let network = ImageAutoencoder::new(checkpoint, device)?;
            return Ok(Placing::Autoencoder(Box::new(network)));
        }
        if config.classifier.is_some() {
            return Ok(Placing::Classifier(ImageClassifier::new(checkpoint, device)?));
        }
        Err(UsageError(format!(
            "{}: a GAN makes images and places none; name a run of vae, mnist-vae or an autoencoder, or of a classifier \
             (one image's latent is found by `gan-cli invert`)",
            self.run.display()
        ))
        .into())
    }

    /// Which images of the split are placed, in their order.
    fn indices(&self, data: &Dataset) -> anyhow::Result<Vec<usize>> {
        let n = data.len(self.split);
        if n == 0 {
            let reason = format!("the split {} of the data is empty; name another", self.split);
            return Err(UsageError(reason).into());
        }
        let mut indices: Vec<usize> = (0..n).collect();
        if n > self.n as usize {
            Stream::named("embed", self.seed).shuffle(&mut indices);
            indices.truncate(self.n as usize);
            indices.sort_unstable();
        }
        Ok(indices)
    }

    /// Where the network places the images.
    fn place(
        &self,
        placing: &Placing,
        data: &Dataset,
        indices: &[usize],
        console: &Console,
    ) -> anyhow::Result<Vec<Vec<f32>>> {
        let line = console.progress("placing images", indices.len() as u64);
        let mut points = Vec::with_capacity(indices.len());
        for some in indices.chunks(BATCH) {
            let images = image::normalize(&data.samples(self.split, some)?)?;
            let placed = match placing {
                Placing::Autoencoder(network) => network.encode(&images)?,
                Placing::Classifier(network) => network.features(&images)?,
            };
            points.extend(placed.to_device(&Device::Cpu)?.to_vec2::<f32>()?);
            line.set(points.len() as u64, "");
        }
        Ok(points)
    }

    fn report(&self, placing: &Placing, points: &[Vec<f32>], colors: &Colors) -> Report {
        let tsne = self.method == Method::Tsne;
        Report {
            points: match placing {
                Placing::Autoencoder(_) => "latent means",
                Placing::Classifier(_) => "features of the classifier",
            },
            split: self.split,
            n: points.len(),
            dimensions: points.first().map_or(0, Vec::len),
            method: if tsne { "tsne" } else { "pca" },
            seed: self.seed,
            perplexity: tsne.then_some(self.perplexity),
            divergence: None,
            variance_share: None,
            color_by: colors.name.clone(),
            classes: colors.classes.clone(),
            compared: None,
            in_map: None,
            in_space: None,
            linear: None,
        }
    }

    /// The places in the plane.
    fn map(
        &self,
        points: &[Vec<f32>],
        report: &mut Report,
        console: &Console,
    ) -> anyhow::Result<Vec<[f64; 2]>> {
        if self.method == Method::Pca {
            let (places, share) = pca(points)?;
            report.variance_share = Some(share);
            return Ok(places);
        }
        if (self.iterations as usize) < 2 * EARLY_STEPS {
            tracing::warn!(
                "--iterations {} ends while clusters form, which takes the first {EARLY_STEPS}: a map of 1000 is finished",
                self.iterations
            );
        }
        let options = TsneOptions {
            perplexity: self.perplexity,
            iterations: self.iterations as usize,
            seed: self.seed,
            ..TsneOptions::default()
        };
        let line = console.progress("t-SNE", 0);
        let found = tsne(points, &options, |done| match done {
            TsneProgress::Neighbours(done) => {
                line.set_of(done as u64, points.len() as u64, "neighbours");
            }
            TsneProgress::Steps(done) => {
                line.set_of(done as u64, u64::from(self.iterations), "steps");
            }
        })?;
        report.divergence = Some(found.divergence);
        Ok(found.places)
    }

    /// `tsne_Male_test`.
    fn file_name(&self, report: &Report) -> String {
        Words::default()
            .add([report.method.to_string()])
            .add(report.color_by.clone())
            .add([self.split.to_string()])
            .path("data", self.data.as_deref().map(Path::new))
            .unless(USUAL_NUMBER, "n", self.n)
            .unless(30.0, "perplexity", self.perplexity)
            .unless(1000, "steps", self.iterations)
            .unless(0, "seed", self.seed)
            .name()
    }
}

/// How far apart the classes lie, in the map and where it comes from. `progress` is told how many of three parts are done.
fn measure(
    points: &[Vec<f32>],
    places: &[[f64; 2]],
    labels: &[usize],
    report: &mut Report,
    progress: impl Fn(u64),
) {
    let compared = points.len().min(COMPARED);
    let chosen = || (0..compared).map(|i| i * points.len() / compared);
    let of: Vec<usize> = chosen().map(|i| labels[i]).collect();
    let flat: Vec<Vec<f32>> = chosen().map(|i| places[i].map(|x| x as f32).to_vec()).collect();
    report.compared = Some(compared);
    report.in_map = Some(separation(&flat, &of, NEIGHBOURS));
    progress(1);
    let chosen: Vec<Vec<f32>> = chosen().map(|i| points[i].clone()).collect();
    report.in_space = Some(separation(&chosen, &of, NEIGHBOURS));
    progress(2);
    if report.classes.len() != 2 {
        return;
    }
    let points: Vec<Vec<f64>> =
        points.iter().map(|p| p.iter().map(|x| f64::from(*x)).collect()).collect();
    let has: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
    // In turns of ten, so that an order of the data does no harm.
    let of = |wanted: fn(usize) -> bool| -> (Vec<Vec<f64>>, Vec<bool>) {
        let chosen = (0..points.len()).filter(|i| wanted(i % 10));
        chosen.map(|i| (points[i].clone(), has[i])).unzip()
    };
    let ((train, known), (held_out, asked)) = (of(|turn| turn < 7), of(|turn| turn >= 7));
    report.linear = Boundary::between(&train, &known).map(|plane| {
        let share = asked.iter().filter(|has| **has).count() as f64 / asked.len().max(1) as f64;
        let held_out_accuracy = plane.accuracy(&held_out, &asked);
        Linear { held_out_accuracy, commoner: share.max(1.0 - share) }
    });
}

/// Writes the map as PNG and SVG, and its points as CSV.
fn write(
    out: &Path,
    report: &Report,
    colors: &Colors,
    indices: &[usize],
    places: &[[f64; 2]],
) -> anyhow::Result<()> {
    let class = |i: usize| colors.labels.as_ref().map_or(0, |labels| labels[i]);
    let way = if report.method == "tsne" { "t-SNE" } else { "principal plane" };
    let scatter = Scatter {
        title: format!("{way} of {} {}", super::tables::thousands(report.n as u64), report.points),
        note: format!("{} images, {} dimensions", report.split, report.dimensions),
        classes: colors.classes.clone(),
        points: places.iter().enumerate().map(|(i, place)| (*place, class(i))).collect(),
    };
    scatter.write_png(out)?;
    scatter.write_svg(&out.with_extension("svg"))?;
    let mut csv = String::from("index,x,y,class\n");
    for (i, (index, [x, y])) in indices.iter().zip(places).enumerate() {
        let class = super::tables::csv_field(&colors.classes[class(i)]);
        csv += &format!("{index},{x:.5},{y:.5},{class}\n");
    }
    Ok(file::write_bytes(&out.with_extension("csv"), csv.as_bytes())?)
}
