//! The error of file-facing operations: which file, what was wrong, what to do.

use std::path::PathBuf;

/// What can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file operation failed; the message of the operating system names the path (`fs_err`).
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A picture that could not be decoded or encoded.
    #[error("{}: {reason}", .path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What the codec said.
        reason: String,
    },

    /// A tensor or image of the wrong shape.
    #[error("expected {expected}, got {got}")]
    Shape {
        /// What was needed.
        expected: String,
        /// What came.
        got: String,
    },

    /// A file whose content is not what its name promises.
    #[error("{}: expected {expected}, found {found}; {remedy}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What a person can do about it.
        remedy: String,
    },

    /// A path that was named as a run and is none.
    #[error("{}: expected a run folder, found {found}; `gan-cli runs` lists the runs there are", .path.display())]
    NoRun {
        /// What was named.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },

    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;
