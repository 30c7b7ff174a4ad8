//! `bench`: the speed of this machine, measured.

use std::time::Instant;

use candle_core::Device;
use clap::{Args, ValueEnum};
use gan_data::prepare::read_all;
use gan_data::{PrepareOptions, Waiting, prepare};
use gan_kernels::measure::{Direction, LayerShape};
use gan_train::estimate::peak_resident_bytes;
use gan_train::{Preset, Trainer, settings};
use serde_json::json;

use super::{print, print_json, tables};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::data::{self, Located};

/// Measure the speed on this machine
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Bench {
    /// What to measure
    #[arg(value_enum)]
    what: What,
    /// Preset whose networks are measured
    #[arg(long, default_value = "dcgan")]
    preset: String,
    /// Data to train on or to prepare; synthetic 64×64 RGB unless given
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// With `layers`: only those whose name holds this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    layer: String,
    /// Images in a batch
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch_size: usize,
    /// Steps or batches that are timed, after one that is not
    #[arg(long, value_name = "N", default_value_t = 5)]
    steps: usize,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli bench step --batch-size 128
  gan-cli bench generate --json
  gan-cli bench layers --batch-size 16
  gan-cli bench layers --layer linear
  gan-cli bench prepare --data img_align_celeba.zip";

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Training steps.
    Step,
    /// Images from the generator.
    Generate,
    /// Images from a source to shards.
    Prepare,
    /// Single layers, in all three directions.
    Layers,
}

impl Bench {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        if self.steps == 0 || self.batch_size == 0 {
            return Err(UsageError("--steps and --batch-size are 1 or more".into()).into());
        }
        if !self.layer.is_empty() && self.what != What::Layers {
            return Err(UsageError("--layer goes with bench layers alone".into()).into());
        }
        let device = global.device()?;
        let mut more = Extra::default();
        let seconds = match self.what {
            What::Prepare => return self.prepare(global, console),
            What::Layers => return self.layers(global),
            What::Step => {
                let mut trainer = self.trainer(&device, global, console)?;
                // The loader begins with the trainer: its first batch is hardly ever ready.
                trainer.step()?;
                let before = trainer.waiting();
                let seconds = self.timed(&device, || Ok(trainer.step().map(drop)?))?;
                more = waiting(before, trainer.waiting());
                seconds
            }
            What::Generate => {
                let trainer = self.trainer(&device, global, console)?;
                let latents = trainer.grid_latents(self.batch_size)?;
                self.timed(&device, || Ok(trainer.generate(&latents).map(drop)?))?
            }
        };
        self.show(seconds, self.batch_size, more, global)
    }

    fn trainer(
        &self,
        device: &Device,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Trainer> {
        let mut config = Preset::find(&self.preset)?.config()?;
        // A generator draws single images too; training needs two.
        let trained =
            if self.what == What::Step { self.batch_size } else { self.batch_size.max(2) };
        config = settings::apply(&config, &[format!("training.batch_size={trained}")])?;
        match &self.data {
            Some(data) => config.data.source = data.clone(),
            None => {
                config.data.source = "synthetic-faces".into();
                config.data.size = Some(64);
                config.data.limit = Some((self.batch_size * 8).max(1000));
            }
        }
        let data = data::open(&config.data, global, console)?;
        Ok(Trainer::new(config, data, device)?)
    }

    /// Seconds of each timed repetition; the first one, which allocates, is left out.
    fn timed(
        &self,
        device: &Device,
        mut run: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<f64>> {
        run()?;
        let mut seconds = Vec::with_capacity(self.steps);
        for _ in 0..self.steps {
            device.synchronize()?;
            let start = Instant::now();
            run()?;
            device.synchronize()?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        Ok(seconds)
    }

    /// The layers one by one, as JSON or as a table; the best of all runs counts.
    fn layers(&self, global: &Global) -> anyhow::Result<()> {
        let (mut rows, mut layers) = (Vec::new(), Vec::new());
        let measured = LayerShape::MEASURED;
        let named = measured.iter().filter(|layer| layer.to_string().contains(&self.layer));
        for layer in named {
            let mut row = vec![layer.to_string()];
            for direction in Direction::ALL {
                let best = layer.best_seconds(self.batch_size, direction, self.steps)?;
                row.push(format!("{:.2}", 1e3 * best));
                let layer = layer.to_string();
                layers.push(
                    json!({ "layer": layer, "direction": direction.name(), "seconds": best }),
                );
            }
            rows.push(row);
        }
        if layers.is_empty() {
            let names = measured.map(|layer| layer.to_string()).join(", ");
            let message = format!("--layer {}: no such layer; there are {names}", self.layer);
            return Err(UsageError(message).into());
        }
        if global.json {
            return print_json(&json!({
                "batch_size": self.batch_size,
                "threads": global.thread_count(),
                "layers": layers,
            }));
        }
        let head = ["layer", "forward, ms", "input gradient, ms", "weight gradient, ms"];
        print(&tables::table(&head, &[1, 2, 3], rows))
    }

    fn prepare(&self, global: &Global, console: &Console) -> anyhow::Result<()> {
        let name = self.data.as_deref().unwrap_or("synthetic-faces");
        let Located::Raw(source) = data::locate(name)? else {
            let message = format!("{name}: is prepared already; name what it was made from");
            return Err(UsageError(message).into());
        };
        let (mut seconds, mut decoding) = (Vec::new(), Vec::new());
        let mut images = 0;
        for _ in 0..self.steps {
            let start = Instant::now();
            read_all(&source, &PrepareOptions::default())?;
            decoding.push(start.elapsed().as_secs_f64());
            let folder = tempfile::tempdir()?;
            let progress = console.progress("preparing", 0);
            let out = folder.path().join("shards");
            let done = prepare(&source, &out, &PrepareOptions::default(), &progress.callback())?;
            images = done.manifest.counts.total();
            seconds.push(done.seconds);
        }
        let decoded = images as f64 / median(&mut decoding);
        let prepared = images as f64 / median(&mut seconds);
        let text = format!(
            "reading and decoding alone: {decoded:.1} images/s; preparing reaches {:.0} % of it",
            100.0 * prepared / decoded
        );
        let more = Extra { text, json: json!({ "decoded_images_per_second": decoded }) };
        self.show(seconds, images, more, global)
    }

    fn show(
        &self,
        mut seconds: Vec<f64>,
        images: usize,
        more: Extra,
        global: &Global,
    ) -> anyhow::Result<()> {
        let median = median(&mut seconds);
        let speed = |s: f64| images as f64 / s;
        let (best, worst) = (seconds[0], seconds[seconds.len() - 1]);
        let peak = peak_resident_bytes();
        if global.json {
            let mut result = json!({
                "what": format!("{:?}", self.what).to_lowercase(),
                "preset": self.preset,
                "batch_size": self.batch_size,
                "threads": global.thread_count(),
                "images_per_second": speed(median),
                "images_per_second_best": speed(best),
                "images_per_second_worst": speed(worst),
                "seconds_median": median,
                "peak_rss_bytes": peak,
            });
            for (key, value) in more.json.as_object().into_iter().flatten() {
                result[key] = value.clone();
            }
            return print_json(&result);
        }
        let memory =
            peak.map_or_else(String::new, |peak| format!(", peak memory {}", tables::bytes(peak)));
        print(&format!(
            "{:.1} images/s (median of {}; {:.1} to {:.1}), {} threads{memory}\n{}",
            speed(median),
            seconds.len(),
            speed(worst),
            speed(best),
            global.thread_count(),
            more.text
        ))
    }
}

/// A figure beside the speed, as a line and as keys of the JSON object.
#[derive(Default)]
struct Extra {
    text: String,
    json: serde_json::Value,
}

/// How often the loader had the next batch ready between two moments.
fn waiting(before: Waiting, after: Waiting) -> Extra {
    let (batches, ready) = (after.batches - before.batches, after.ready - before.ready);
    let seconds = (after.time - before.time).as_secs_f64();
    Extra {
        text: format!(
            "the next batch was ready for {ready} of {batches} steps; {:.1} ms were spent waiting",
            seconds * 1e3
        ),
        json: json!({ "batches": batches, "batches_ready": ready, "waited_seconds": seconds }),
    }
}

/// Sorts values and returns the middle one.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
