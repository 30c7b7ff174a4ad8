//! What was typed: the global options and the list of commands.

use std::path::PathBuf;

use anyhow::Context;
use candle_core::Device;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cmd;

/// Trains generative models of faces and digits, and walks through what they learned.
#[derive(Debug, Parser)]
#[command(name = "gan-cli", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli train                                    about 3 minutes on built-in faces
  gan-cli prepare img_align_celeba.zip --out celeba64
  gan-cli train dcgan --data celeba64
  gan-cli sample runs/00001-faces --n 64 --seed 1
  gan-cli interpolate runs/00001-faces
  gan-cli traverse runs/00001-faces
  gan-cli report runs/00001-faces
  gan-cli experiment A --dry-run                   all of a known experiment: trained, explored, written up";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Turn any source of images into shards
    Prepare(cmd::prepare::Prepare),
    /// Train a model, or continue a run
    Train(Box<cmd::train::Train>),
    Experiment(cmd::experiment::Experiment),
    /// List the presets, or print one as TOML
    Presets(cmd::presets::Presets),
    /// Describe a run, a data set or the models there are
    Info(cmd::info::Info),
    /// Draw images from a trained generator
    Sample(cmd::sample::Sample),
    /// Go from image to image through the latents between them
    Interpolate(cmd::interpolate::Interpolate),
    /// Change single dimensions of a latent, and rank them by what they change
    Traverse(cmd::traverse::Traverse),
    Import(cmd::import::Import),
    Export(cmd::export::ExportRun),
    Arithmetic(Box<cmd::arithmetic::Arithmetic>),
    Directions(Box<cmd::directions::Directions>),
    Embed(Box<cmd::embed::Embed>),
    Reconstruct(cmd::reconstruct::Reconstruct),
    Invert(cmd::invert::Invert),
    Restore(cmd::restore::Restore),
    /// List runs and prepared data
    Runs(cmd::runs::Runs),
    /// Measure the speed on this machine
    Bench(cmd::bench::Bench),
    /// Check the kernels of this build on this device, and measure them
    Doctor(cmd::doctor::Doctor),
    /// Write a run up as one HTML page
    Report(cmd::report::Report),
}

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Where tensors live: auto, cpu, cuda, cuda:N or metal
    #[arg(long, global = true, default_value = "auto", value_name = "DEVICE")]
    pub(crate) device: String,
    /// Threads to compute with; all cores unless given
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Folder for data prepared from raw sources
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Say more (-v debug, -vv trace)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Form of the log on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Print results as one JSON object on one line of stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The words of the command, for what records them.
    #[arg(skip)]
    pub(crate) typed: Vec<String>,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Something typed that cannot be: exit code 2.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl Global {
    /// Starts the one thread pool that all computing shares.
    pub(crate) fn start_threads(&self) -> anyhow::Result<()> {
        if self.threads == Some(0) {
            return Err(UsageError("--threads is 0, expected 1 or more".into()).into());
        }
        gan_kernels::check_simd().map_err(UsageError)?;
        gan_kernels::keep_freed_memory();
        gan_kernels::start_threads(self.thread_count()).context("cannot start the threads")
    }

    /// Threads that are computed with.
    pub(crate) fn thread_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
        self.threads.unwrap_or_else(cores)
    }

    /// The device that was asked for.
    pub(crate) fn device(&self) -> anyhow::Result<Device> {
        let text = self.device.as_str();
        let device = match text.split_once(':').unwrap_or((text, "0")) {
            ("auto", _) if candle_core::utils::cuda_is_available() => Device::new_cuda(0),
            ("auto", _) if candle_core::utils::metal_is_available() => Device::new_metal(0),
            ("auto" | "cpu", "0") => Ok(Device::Cpu),
            ("cuda", index) => {
                let index = index.parse().map_err(|_| wrong_device(text))?;
                Device::new_cuda(index)
            }
            ("metal", "0") => Device::new_metal(0),
            _ => return Err(wrong_device(text).into()),
        };
        let tuned = device.and_then(|device| {
            gan_kernels::tune_device(&device)?;
            Ok(device)
        });
        tuned.map_err(|e| {
            let reason = e.to_string();
            let first = reason.lines().next().unwrap_or_default();
            anyhow::anyhow!(
                "--device {text} cannot be used: {first}; build with --features {}, or use \
                 --device cpu",
                text.split(':').next().unwrap_or(text)
            )
        })
    }

    /// Folder of prepared data.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        let home = || dirs::cache_dir().unwrap_or_else(std::env::temp_dir).join("gan-cli");
        self.cache.clone().unwrap_or_else(home)
    }
}

/// A file that a command reads, for options that name one.
pub(crate) fn existing_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.exists() && !path.is_dir() { Ok(path) } else { Err("there is no such file".into()) }
}

fn wrong_device(text: &str) -> UsageError {
    UsageError(format!("--device {text}: expected auto, cpu, cuda, cuda:N or metal"))
}
