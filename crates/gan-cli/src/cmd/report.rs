//! `report`: a run as one HTML page.

use std::path::PathBuf;

use clap::Args;
use gan_core::RunDir;

use super::print;
use crate::console::Console;

/// Write a run up as one HTML page
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  gan-cli report runs/00001-faces\n  gan-cli report runs/00001-faces --out faces.html"
)]
pub(crate) struct Report {
    /// The run folder
    run: PathBuf,
    /// The page; report.html in the run unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Report {
    pub(crate) fn run(self, _console: &Console) -> anyhow::Result<()> {
        let run = RunDir::open(&self.run)?;
        let out = self.out.unwrap_or_else(|| run.root().join("report.html"));
        gan_report::write_report(run.root(), &out)?;
        print(&format!("report: {}\nnext: open it in a browser", out.display()))
    }
}
