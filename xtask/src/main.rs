//! Chores of the workspace, run as `cargo xtask`: dataset preprocessing into safetensors shards and
//! report generation. What they do is in the libraries, so that `gan-cli prepare` and
//! `gan-cli report` do the same without cargo.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use gan_data::{PrepareOptions, Source, prepare};

/// Chores of the workspace
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Turn any source of images into safetensors shards
    Preprocess {
        /// CelebA's zip or folder, idx files, a folder of images, synthetic-faces, synthetic-digits
        source: String,
        /// Folder for the shards
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Side of the images in pixels; 64 unless given, idx files keep theirs
        #[arg(long, value_name = "N")]
        size: Option<usize>,
        /// At most N images
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        /// Stop at the first damaged image instead of leaving it out
        #[arg(long)]
        strict: bool,
    },
    /// Write runs up as self-contained HTML pages, `report.html` in each
    Report {
        /// The run folders
        #[arg(required = true)]
        runs: Vec<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Task::parse() {
        Task::Preprocess { source, out, size, limit, strict } => {
            let source = Source::detect(&source)?;
            let options = PrepareOptions { size, limit, strict, ..PrepareOptions::default() };
            let prepared = prepare(&source, &out, &options, &|_| ())?;
            let images: usize = prepared.manifest.shards.iter().map(|shard| shard.images).sum();
            say(&format!("{}: {images} images in {:.1} s", out.display(), prepared.seconds))
        }
        Task::Report { runs } => runs.iter().try_for_each(|run| {
            let page = run.join("report.html");
            gan_report::write_report(run, &page)?;
            say(&page.display().to_string())
        }),
    }
}

fn say(line: &str) -> Result<()> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
