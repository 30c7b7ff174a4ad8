//! gan-data over real files, which the tests write: every source, what is wrong with them, resuming,
//! and the loader.

mod bad_input;
mod fixtures;
mod known_sets;
mod labels;
mod loader;
mod output;
mod pictures;
mod regression;
mod resume;
mod sources;

/// What tests return.
type Outcome = Result<(), Box<dyn std::error::Error>>;
