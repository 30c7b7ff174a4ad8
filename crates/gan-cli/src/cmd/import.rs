//! `import`: weights that other programs trained.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use clap::Args;
use gan_core::run::{RunInfo, Status};
use gan_core::{RunDir, file};
use gan_latent::sample::{self, Samples};
use gan_models::Truncation;
use gan_train::import::{ARCHITECTURES, Architecture, Imported};
use gan_train::{Network, TrainError};

use super::{print, print_json, tables};
use crate::args::{Global, UsageError};
use crate::console::Console;

/// Turn weights of PyTorch or safetensors into a run
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// State dicts (.pth, .pt, .safetensors) of a generator, of a discriminator, or of both
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The architecture: dcgan, or a TOML file of layers and keys (docs/import.md)
    #[arg(long = "as", value_name = "MODEL", default_value = ARCHITECTURES[0].0)]
    architecture: String,
    /// Run folder to make; the next number under runs/ unless given
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// What it would be trained on further: shards, a raw source or a name under GAN_DATA
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// An input and what the original program makes of it in evaluation mode, as NumPy files
    #[arg(long, num_args = 2, value_names = ["INPUT.npy", "OUTPUT.npy"])]
    check: Option<Vec<PathBuf>>,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli import netG_epoch_24.pth netD_epoch_24.pth
  gan-cli import netG_epoch_24.pth --check z.npy images.npy
  gan-cli import generator.pt discriminator.pt --as my-gan.toml --out runs/my-gan";

/// Largest difference from the original's output that passes as the same: f32 instead of f64 makes a hundredth of it.
const TOLERANCE: f64 = 1e-4;
/// Images in the run's first grid.
const GRID_IMAGES: usize = 64;

/// How an output differs from the original's.
#[derive(serde::Serialize)]
struct Difference {
    /// Values that were compared.
    values: usize,
    /// Largest absolute difference.
    largest: f64,
    /// Largest absolute value of the original's.
    of: f64,
}

impl Import {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        let device = global.device()?;
        let architecture =
            Architecture::find(&self.architecture).map_err(|e| UsageError(e.to_string()))?;
        let imported = Imported::read(&self.files, &architecture)?;
        let difference = match self.check.as_deref() {
            Some([input, output]) => Some(compare(&imported, input, output)?),
            _ => None,
        };
        let differs = difference.as_ref().is_some_and(|found| found.largest > TOLERANCE);
        // A discriminator alone is looked at, and refused where a run was asked for.
        let makes_a_run = imported.found().iter().any(|(n, _)| *n == Network::Generator);
        let run = match !differs && (makes_a_run || self.out.is_some()) {
            true => Some(self.write_run(&imported, &device, global, console)?),
            false => None,
        };
        self.show(&imported, difference.as_ref(), run.as_ref(), global)?;
        match (difference, &self.check) {
            (Some(Difference { largest, .. }), Some(files)) if differs => Err(anyhow::anyhow!(
                "the output differs from {} by up to {largest:.1e}, expected {TOLERANCE:.0e} at most: another \
                 architecture, or another input; no run was made",
                files[1].display()
            )),
            _ => Ok(()),
        }
    }

    fn show(
        &self,
        imported: &Imported,
        difference: Option<&Difference>,
        run: Option<&RunDir>,
        global: &Global,
    ) -> anyhow::Result<()> {
        if global.json {
            let networks = imported.found().into_iter().map(|(network, placed)| {
                serde_json::json!({
                    "network": network.name(),
                    "file": placed.path(),
                    "prefix": placed.prefix(),
                    "tensors": placed.tensor_count(),
                })
            });
            return print_json(&serde_json::json!({
                "run": run.map(RunDir::root),
                "image": imported.image(),
                "networks": networks.collect::<Vec<_>>(),
                "difference": difference,
            }));
        }
        for network in imported.summaries()? {
            print(&format!("{}\n", tables::network(&network)))?;
        }
        for (network, placed) in imported.found() {
            let prefix = match placed.prefix() {
                "" => String::new(),
                prefix => format!(", under {prefix}"),
            };
            let (count, path) = (placed.tensor_count(), placed.path().display());
            print(&format!("{:14} {count} tensors of {path}{prefix}", network.name()))?;
        }
        if let Some(Difference { values, largest, of }) = difference {
            print(&format!(
                "check          {values} values differ by {largest:.1e} at most, the largest is {of:.3}"
            ))?;
        }
        match run {
            Some(run) => {
                let root = run.root().display();
                print(&format!(
                    "run            {root}\nsample grid    {}\nnext: gan-cli sample {root}   or   gan-cli train --resume {root} --steps 1000",
                    run.sample(0).display()
                ))
            }
            None => Ok(()),
        }
    }

    /// The run folder: configuration, checkpoint, tables and a first grid.
    fn write_run(
        &self,
        imported: &Imported,
        device: &Device,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<RunDir> {
        let checkpoint = imported.checkpoint(self.data.as_deref())?;
        let run = match &self.out {
            Some(root) => RunDir::create_at(root)?,
            None => RunDir::create_next(Path::new("runs"), "imported")?,
        };
        let config = &checkpoint.header.config;
        file::write_bytes(&run.config(), config.to_toml()?.as_bytes())?;
        run.write_json(&run.models(), &imported.summaries()?)?;
        checkpoint.save(&run.checkpoint(0))?;
        if (imported.image().height, imported.image().width) != (1, 1) {
            let generator = checkpoint.generator(device)?;
            let (latent, seed) = (&config.latent, config.seed);
            let latents = sample::seeded(latent, GRID_IMAGES, seed, None::<Truncation>, device)?;
            let line = console.progress("sampling", GRID_IMAGES as u64);
            let samples = Samples::generate(&generator, latents, |done| line.set(done as u64, ""))?;
            samples.write_grid(&run.sample(0), None)?;
        }
        let info = RunInfo {
            status: Status::Imported,
            ..super::train::new_info(&run, config, device, global)
        };
        run.write_info(&info)?;
        Ok(run)
    }
}

/// Runs an input through its network and compares.
fn compare(imported: &Imported, input: &Path, output: &Path) -> anyhow::Result<Difference> {
    let read = |path: &Path| {
        let tensor = Tensor::read_npy(path).map_err(|e| {
            UsageError(format!("{}: expected an array of NumPy: {e}", path.display()))
        });
        tensor.map(|tensor| (tensor.to_dtype(DType::F64), tensor.dims().to_vec()))
    };
    let ((input, _), (expected, dims)) = (read(input)?, read(output)?);
    let found = imported.evaluate(&input?.to_dtype(DType::F32)?)?;
    if found.elem_count() != dims.iter().product::<usize>() {
        return Err(TrainError::Config(format!(
            "{}: {dims:?} values, and the network makes {:?}",
            output.display(),
            found.dims()
        ))
        .into());
    }
    let values = |tensor: Tensor| tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    let (found, expected) = (values(found)?, values(expected?)?);
    let largest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    Ok(Difference {
        values: expected.len(),
        largest: largest.fold(0.0, nan_is_large),
        of: expected.iter().fold(0.0, |of, value| of.max(value.abs())),
    })
}

/// The larger one, where nothing is larger than what is no number.
fn nan_is_large(a: f64, b: f64) -> f64 {
    if b.is_nan() { f64::INFINITY } else { a.max(b) }
}
