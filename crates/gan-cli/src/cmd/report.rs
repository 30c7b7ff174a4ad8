//! `report`: a run as one HTML page.

use std::path::PathBuf;

use clap::Args;
use gan_core::RunDir;

use super::{print, print_json};
use crate::args::Global;

/// Write a run up as one HTML page
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  gan-cli report runs/00001-faces\n  gan-cli report runs/00001-faces --out faces.html\n  \
                  gan-cli report runs/00002-mnist-fc runs/00003-mnist-fc   the second's curves beside the first's"
)]
pub(crate) struct Report {
    /// The run folder, and others whose curves are laid beside its own
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The page; report.html in the first run unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Report {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<()> {
        let Some((run, others)) = self.runs.split_first() else { return Ok(()) };
        let run = RunDir::open(run)?;
        let out = self.out.unwrap_or_else(|| run.root().join("report.html"));
        gan_report::write_report(run.root(), others, &out)?;
        if global.json {
            return print_json(&serde_json::json!({ "report": out }));
        }
        print(&format!("report: {}\nnext: open it in a browser", out.display()))
    }
}
