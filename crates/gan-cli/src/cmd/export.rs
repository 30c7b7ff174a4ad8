//! `export`: weights for other programs.

use std::path::PathBuf;

use candle_core::Device;
use clap::Args;
use gan_core::RunDir;
use gan_train::Checkpoint;
use gan_train::export::Export;

use super::{print, print_json, tables};
use crate::args::Global;
use crate::explored::ShownWeights;

/// Write a run's networks for PyTorch: safetensors, a Python module, and the architecture
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportRun {
    /// The run folder
    run: PathBuf,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// The folder to write; export/ in the run unless given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli export runs/00001-faces
  gan-cli export runs/00002-vae --out vae-for-pytorch";

impl ExportRun {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<()> {
        let run = RunDir::open(&self.run)?;
        let (path, checkpoint) = Checkpoint::latest(&run, &Device::Cpu)?;
        let export = Export::new(&checkpoint, self.weights.into())?;
        let folder = self.out.unwrap_or_else(|| run.root().join("export"));
        let files = export.write(&folder)?;
        if global.json {
            let networks = export.networks.iter().map(|exported| {
                serde_json::json!({
                    "network": exported.network.name(),
                    "tensors": exported.tensors.len(),
                })
            });
            return print_json(&serde_json::json!({
                "files": files,
                "networks": networks.collect::<Vec<_>>(),
                "checkpoint": path,
                "images_seen": checkpoint.header.images_seen,
            }));
        }
        for exported in &export.networks {
            let values: usize = exported.tensors.iter().map(|(_, t)| t.elem_count()).sum();
            let (name, count) = (exported.network.name(), exported.tensors.len());
            print(&format!(
                "{name:14} {count} tensors, {} values",
                tables::thousands(values as u64)
            ))?;
        }
        let list: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        let (folder, first) = (folder.display(), &export.networks[0]);
        let (class, file) = (first.class(), first.network.name());
        print(&format!(
            "{}\nnext: cd {folder} && python -c 'from model import *; print(load({class}(), \"{file}.safetensors\"))'",
            list.join("\n")
        ))
    }
}
