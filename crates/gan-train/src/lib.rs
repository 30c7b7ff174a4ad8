//! The training loop of generative models: phases as data, metrics, checkpoints, exact resume.
//!
//! A [`Config`] names everything that decides a run's numbers. A [`Trainer`] turns it, a data set
//! and a device into steps; it touches no disk. A [`Session`] drives a trainer in a run folder:
//! metrics, grids, checkpoints, plots. What to show a person while it runs is an [`Observer`]'s.

mod autoencoding;
pub mod batches;
pub mod checkpoint;
mod classification;
pub mod classify;
mod conditions;
pub mod config;
mod error;
pub mod estimate;
pub mod export;
mod family;
mod gan;
pub mod import;
pub mod log;
pub mod loss;
pub mod monitor;
mod networks;
pub mod penalty;
pub mod phase;
pub mod preset;
mod progression;
pub mod recognize;
pub mod reconstruct;
pub mod record;
pub mod retention;
pub mod session;
pub mod settings;
pub mod trainer;
mod warm_start;

pub use checkpoint::{Checkpoint, Header, Weights};
pub use config::Config;
pub use error::TrainError;
pub use phase::{Network, Phase};
pub use preset::Preset;
pub use record::{Game, StepRecord};
pub use session::{Observer, Outcome, Session};
pub use trainer::Trainer;
