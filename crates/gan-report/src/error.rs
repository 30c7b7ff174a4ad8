//! What keeps a report from being written.

use std::path::PathBuf;

/// What can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder is no run, or a file of it cannot be read.
    #[error(transparent)]
    Core(#[from] gan_core::Error),

    /// A file operation failed; the message names the path (`fs_err`).
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// There is nothing to report on.
    #[error(
        "{}: expected one JSON object a line, found {found}; train the run for at least one logging \
         interval (`gan-cli train --resume {}`), then ask for its report again",
        .path.display(), .run.display()
    )]
    NoMetrics {
        /// `metrics.jsonl` of the run.
        path: PathBuf,
        /// What was found there.
        found: String,
        /// The run.
        run: PathBuf,
    },

    /// The template that comes with the program failed: a defect of ours.
    #[error("the page's template failed: {0:#}; please report this")]
    Template(#[from] minijinja::Error),
}

/// Result of this crate's operations.
pub type Result<T, E = ReportError> = std::result::Result<T, E>;
