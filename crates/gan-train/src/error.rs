//! What can go wrong in training.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Files of the run folder, grids, plots.
    #[error(transparent)]
    Core(#[from] gan_core::Error),

    /// The data set.
    #[error(transparent)]
    Data(#[from] gan_data::DataError),

    /// A tensor operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),

    /// A file operation; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A setting that cannot be.
    #[error("{0}")]
    Config(String),

    /// Data or a checkpoint that are not what they were when the run was made.
    #[error("{0}")]
    Changed(String),

    /// A checkpoint that does not hold what its name promises.
    #[error("{}: expected {expected}, found {found}; {remedy}", .path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What a person can do about it.
        remedy: String,
    },

    /// A file of weights that cannot be read.
    #[error(transparent)]
    StateDict(#[from] gan_models::state_dict::StateDictError),

    /// Weights that are not those of an architecture.
    #[error("{}{place} is not {as_what}: {differences}", .path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// Where in the file, for a sentence.
        place: String,
        /// Which network was expected.
        as_what: String,
        /// Every tensor that is missing, unknown or of another shape.
        differences: String,
    },

    /// Training left the range of numbers.
    #[error(
        "{what} is {value} at step {step}; lower optimizer.generator.lr or \
         optimizer.discriminator.lr; {last_good}"
    )]
    NonFinite {
        /// Which value.
        what: String,
        /// NaN or infinite.
        value: f64,
        /// Step, counted from 1.
        step: u64,
        /// Which checkpoint is the last good one.
        last_good: String,
    },
}
