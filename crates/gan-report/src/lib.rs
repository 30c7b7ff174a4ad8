//! A run folder as one self-contained HTML page: no script, nothing fetched, readable on paper.
//!
//! The crate reads files alone and knows nothing of models, data sets or training. `config.toml` and
//! `metrics.jsonl` must be there; whatever else is missing is said on the page.

mod curves;
mod error;
mod facts;
mod metrics;
mod page;
mod pictures;
mod text;

use std::path::{Path, PathBuf};

use gan_core::RunDir;

pub use error::{ReportError, Result};

/// Writes the page of a run folder to `out`, whole or not at all; `others` are runs whose curves are laid beside its own.
///
/// # Errors
/// If a run folder lacks its configuration or metrics, or the page cannot be written.
pub fn write_report(run: &Path, others: &[PathBuf], out: &Path) -> Result<()> {
    Ok(gan_core::file::write_bytes(out, render(run, others)?.as_bytes())?)
}

/// The page of [`write_report`] as HTML.
///
/// # Errors
/// If a run folder lacks its configuration or metrics.
pub fn render(run: &Path, others: &[PathBuf]) -> Result<String> {
    let run = RunDir::open(run)?;
    let others = others.iter().map(|other| Ok(RunDir::open(other)?)).collect::<Result<Vec<_>>>()?;
    page::render(&page::Page::of(&run, &others)?)
}
