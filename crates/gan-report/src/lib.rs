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

use std::path::Path;

use gan_core::RunDir;

pub use error::{ReportError, Result};

/// Writes the page of a run folder to `out`, whole or not at all.
pub fn write_report(run: &Path, out: &Path) -> Result<()> {
    Ok(gan_core::file::write_bytes(out, render(run)?.as_bytes())?)
}

/// The page of a run folder as HTML.
pub fn render(run: &Path) -> Result<String> {
    let run = RunDir::open(run)?;
    page::render(&page::Page::of(&run)?)
}
