//! `train`: from a preset or a checkpoint to a run folder.

mod child;
mod shown;

use std::path::{Path, PathBuf};

use candle_core::Device;
use clap::Args;
use gan_core::RunDir;
use gan_core::run::{RunInfo, Status};
use gan_train::config::Length;
use gan_train::estimate::{self, Estimate};
use gan_train::{Checkpoint, Config, Network, Outcome, Preset, Session, Trainer, settings};

use self::shown::Shown;
use super::{print, print_json, tables};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::{data, interrupt};

/// Train a model, or continue a run
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Train {
    /// What to train; `gan-cli presets` lists them
    #[arg(default_value = "faces", conflicts_with = "resume")]
    preset: String,
    /// Shards, a raw source, a name under GAN_DATA, synthetic-faces or synthetic-digits
    #[arg(long, value_name = "DATA", conflicts_with = "resume")]
    data: Option<String>,
    /// Run folder to make; the next number under runs/ unless given
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Passes over the training images
    #[arg(long, value_name = "N", conflicts_with_all = ["steps", "resume"])]
    epochs: Option<u64>,
    /// Training steps; with --resume the total, those already done included
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Real images in a batch
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    batch_size: Option<usize>,
    /// Seed of all random numbers
    #[arg(long, value_name = "S", conflicts_with = "resume")]
    seed: Option<u64>,
    /// Any key of the configuration, see `gan-cli presets NAME`; with --resume a new run that names its parent
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Continue this run exactly where its newest checkpoint stands
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    /// Say what would be trained, how long and with how much memory; train nothing
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli train                                     about 3 minutes on built-in faces
  gan-cli train digits --epochs 2
  gan-cli train dcgan --data img_align_celeba.zip --steps 500
  gan-cli train dcgan --data mnist --set optimizer.generator.lr=1e-4
  gan-cli train infogan-mnist --data mnist --set ema.decay=0.999
  gan-cli train mnist-fc --data mnist --set unrolling.steps=0 --set loss.adversarial=least-squares
  gan-cli train --resume runs/00001-faces --steps 2000
  gan-cli train --resume runs/00001-faces --set optimizer.generator.lr=1e-4   a new run, its child";

impl Train {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<Outcome> {
        let device = global.device()?;
        match &self.resume {
            Some(run) => self.resume_run(run, &device, global, console),
            None => self.new_run(&device, global, console),
        }
    }

    fn new_run(
        &self,
        device: &Device,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Outcome> {
        let mut config = Preset::find(&self.preset)?.config()?;
        if self.data.is_some() {
            // How much of its own data a preset draws says nothing of other data.
            (config.data.size, config.data.limit) = (None, None);
        }
        config = settings::apply(&config, &self.settings())?;
        if let Some(length) = self.length() {
            config.training.length = length;
        }
        let data = data::open(&config.data, global, console)?;
        let chosen = self.set.iter().any(|setting| setting.trim_start().starts_with("data.flips"));
        if config.data.flips && !data.manifest().bears_mirroring() && !chosen {
            tracing::info!(
                "flips are off: a mirrored digit is another sign (--set data.flips=true)"
            );
            config.data.flips = false;
        }
        let estimate = estimate::measure(&config, data.clone(), device)?;
        let mut trainer = Trainer::new(config, data, device)?;
        warm_start(&mut trainer, device)?;
        if self.dry_run {
            return self.describe(&trainer, &estimate, global);
        }
        announce(&estimate);
        let run = match &self.out {
            Some(root) => RunDir::create_at(root)?,
            None => RunDir::create_next(Path::new("runs"), &self.preset)?,
        };
        let info = new_info(&run, trainer.config(), device, global);
        train(trainer, run, info, global, console)
    }

    /// What was typed as settings of the configuration.
    fn settings(&self) -> Vec<String> {
        let quoted = |text: &str| toml::Value::String(text.into()).to_string();
        let given = [
            self.data.as_ref().map(|data| format!("data.source={}", quoted(data))),
            self.batch_size.map(|n| format!("training.batch_size={n}")),
            self.seed.map(|seed| format!("seed={seed}")),
        ];
        given.into_iter().flatten().chain(self.set.iter().cloned()).collect()
    }

    fn length(&self) -> Option<Length> {
        self.epochs.map(Length::Epochs).or(self.steps.map(Length::Steps))
    }

    fn resume_run(
        &self,
        root: &Path,
        device: &Device,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Outcome> {
        let run = RunDir::open(root)?;
        let (path, mut checkpoint) = Checkpoint::latest(&run, device)?;
        tracing::info!("continuing {} after step {}", path.display(), checkpoint.header.step);
        let changed = !self.set.is_empty();
        if changed {
            checkpoint.header.config = child::config(&checkpoint.header, &self.set)?;
        }
        let data = data::open(&checkpoint.header.config.data, global, console)?;
        let mut trainer = Trainer::resume(&checkpoint, data, device)?;
        if let Some(length) = self.length() {
            trainer.set_length(length);
        }
        let info = run.read_info();
        // One that was killed over its last figures has all steps, and no figures.
        let over = info.as_ref().is_ok_and(|info| info.status == Status::Finished);
        if over && trainer.steps() >= trainer.total_steps() {
            return Err(UsageError(format!(
                "{} has {} steps, all that were asked for; give a larger total with --steps",
                root.display(),
                trainer.steps()
            ))
            .into());
        }
        if self.dry_run {
            let left = trainer.total_steps() - trainer.steps();
            print(&format!("{left} steps would follow after step {}", trainer.steps()))?;
            return Ok(Outcome::Finished);
        }
        if changed {
            let child = child::folder(&run, &trainer.config().preset)?;
            let parent = Some(run.name());
            let info = RunInfo { parent, ..new_info(&child, trainer.config(), device, global) };
            return train(trainer, child, info, global, console);
        }
        let mut info = match info {
            Ok(info) => info,
            Err(_) => new_info(&run, trainer.config(), device, global),
        };
        info.device = device_name(device).into();
        info.threads = global.thread_count();
        train(trainer, run, info, global, console)
    }

    fn describe(
        &self,
        trainer: &Trainer,
        estimate: &Estimate,
        global: &Global,
    ) -> anyhow::Result<Outcome> {
        let networks = trainer.summaries()?;
        if global.json {
            print_json(&serde_json::json!({
                "config": trainer.config(),
                "networks": networks,
                "steps": estimate.steps,
                "seconds": estimate.step_seconds * estimate.steps as f64,
                "peak_rss_bytes": estimate.peak_bytes,
            }))?;
            return Ok(Outcome::Finished);
        }
        print(&trainer.config().to_toml()?)?;
        for network in &networks {
            print(&format!("\n{}", tables::network(network)))?;
        }
        print(&format!("\n{}", estimate_line(estimate)))?;
        Ok(Outcome::Finished)
    }
}

/// Begins with the weights that the configuration names.
fn warm_start(trainer: &mut Trainer, device: &Device) -> anyhow::Result<()> {
    let from = trainer.config().warm_start.clone();
    for (network, path) in
        [(Network::Generator, from.generator), (Network::Discriminator, from.discriminator)]
    {
        if let Some(path) = path {
            trainer.warm_start(network, &Checkpoint::find(Path::new(&path), device)?)?;
            tracing::info!("the {} begins with the weights of {path}", network.name());
        }
    }
    Ok(())
}

/// Drives the session and says at its end where everything is.
fn train(
    trainer: Trainer,
    run: RunDir,
    info: RunInfo,
    global: &Global,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let stop = interrupt::install()?;
    console.log_to(&run.log())?;
    let total = trainer.total_steps();
    tracing::info!("run: {}, {} steps on {}", run.root().display(), total, info.device);
    let mut session = Session::new(trainer, run, info)?;
    let line = Some(console.progress("training", total));
    let outcome = session.train(&stop, &mut Shown { line, console })?;
    report_end(&session, outcome, global)?;
    Ok(outcome)
}

fn report_end(session: &Session, outcome: Outcome, global: &Global) -> anyhow::Result<()> {
    let (run, trainer) = (session.run_dir(), session.trainer());
    let grid = run.samples()?.pop().map(|(_, path)| path);
    let checkpoint = run.checkpoints()?.pop().map(|(_, path)| path);
    let speed = trainer.images_seen() as f64 / trainer.seconds().max(f64::MIN_POSITIVE);
    if global.json {
        return print_json(&serde_json::json!({
            "run": run.root(),
            "outcome": outcome_name(outcome),
            "findings": trainer.lasting_findings(),
            "steps": trainer.steps(),
            "images_seen": trainer.images_seen(),
            "seconds": trainer.seconds(),
            "images_per_second": speed,
            "grid": grid,
            "checkpoint": checkpoint,
        }));
    }
    let root = run.root().display();
    tracing::info!(
        "{} after {} steps, {} images in {} ({speed:.0} images/s)",
        outcome_name(outcome),
        trainer.steps(),
        tables::thousands(trainer.images_seen()),
        tables::duration(trainer.seconds()),
    );
    for finding in trainer.lasting_findings() {
        let (name, since) = (finding.ailment.name(), tables::thousands(finding.since_images));
        tracing::warn!("{name} since image {since}: {} Try: {}", finding.evidence, finding.remedy);
    }
    let mut lines = Vec::new();
    let mut point = |what: &str, path: Option<PathBuf>| {
        if let Some(path) = path.filter(|path| path.exists()) {
            lines.push(format!("{what:13} {}", path.display()));
        }
    };
    point("sample grid", grid);
    point("loss plot", Some(run.plot("losses.png")));
    point("test accuracy", Some(run.plot("classifier.json")));
    point("reconstructed", Some(run.plot("reconstructions.png")));
    point("progression", Some(run.progression()));
    point("checkpoint", checkpoint);
    lines.push(match outcome {
        Outcome::Finished | Outcome::StoppedEarly if trainer.config().generates() => {
            format!("next: gan-cli sample {root}   or   gan-cli report {root}")
        }
        Outcome::Finished | Outcome::StoppedEarly => {
            format!("next: gan-cli sample RUN --classifier {root}   or   gan-cli report {root}")
        }
        Outcome::Interrupted => format!("next: gan-cli train --resume {root}"),
    });
    print(&lines.join("\n"))
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::StoppedEarly => "stopped early",
        Outcome::Interrupted => "interrupted",
    }
}

fn announce(estimate: &Estimate) {
    tracing::info!("{}", estimate_line(estimate));
}

fn estimate_line(estimate: &Estimate) -> String {
    let time = tables::duration(estimate.step_seconds * estimate.steps as f64);
    let memory = match estimate.peak_bytes {
        Some(bytes) => format!(", {} of memory", tables::bytes(bytes)),
        None => String::new(),
    };
    format!("{} steps will take about {time}{memory}", tables::thousands(estimate.steps))
}

pub(super) fn new_info(run: &RunDir, config: &Config, device: &Device, global: &Global) -> RunInfo {
    let words: Vec<String> = global.typed.iter().map(|word| tables::quoted(word)).collect();
    RunInfo {
        name: run.name(),
        preset: config.preset.clone(),
        command: format!("gan-cli {}", words.join(" ")),
        parent: None,
        status: Status::Running,
        reason: None,
        started: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
        seconds: 0.0,
        steps: 0,
        total_steps: 0,
        images_seen: 0,
        device: device_name(device).into(),
        threads: global.thread_count(),
        seed: config.seed,
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

fn device_name(device: &Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda(_) => "cuda",
        Device::Metal(_) => "metal",
    }
}
