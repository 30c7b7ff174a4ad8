//! From a source to a folder of shards, by all cores, and from where it was interrupted.
//!
//! The order of files on disk makes every interruption safe: the plan first, then shards, each renamed
//! into place when it is whole, then `prepare.log`, then the manifest. A folder with a manifest is
//! done; one with a plan alone continues after its last whole shard.

mod job;
pub(crate) mod lock;
pub(crate) mod output;
pub(crate) mod plan;
mod rows;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use job::Job;

use crate::error::DataError;
use crate::manifest::Manifest;
use crate::selection::Selection;
use crate::source::Source;
use crate::transform::TransformOptions;
use lock::WhenBusy;

/// What to make of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareOptions {
    /// What to do to each picture; what is left open is the source's default.
    pub transform: TransformOptions,
    /// Which samples are wanted; all where absent.
    pub only: Option<Selection>,
    /// At most this many samples, spread over the splits in proportion; the number of those of a
    /// built-in set.
    pub limit: Option<usize>,
    /// Parts for validation and test, in place of the split that the source has. Where it has none and
    /// nothing is said, [`PrepareOptions::DEFAULT_FRACTIONS`].
    pub fractions: Option<(f64, f64)>,
    /// Seed of split, limit and synthetic samples.
    pub seed: u64,
    /// Fail at the first damaged picture rather than leave it out.
    pub strict: bool,
    /// Samples in a shard; fewer where they are large.
    pub shard_samples: usize,
}

impl PrepareOptions {
    /// A tenth of the pictures for validation, a tenth to test.
    pub const DEFAULT_FRACTIONS: (f64, f64) = (0.1, 0.1);
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            transform: TransformOptions::default(),
            only: None,
            limit: None,
            fractions: None,
            seed: 0,
            strict: false,
            shard_samples: 4096,
        }
    }
}

/// How far a preparation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Files listed, or samples done.
    pub done: usize,
    /// How many there are; not known while they are listed.
    pub total: Option<usize>,
}

/// Part of a preparation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The files of the source are listed.
    Listing,
    /// Samples are read and stored.
    Storing,
}

/// A picture or file that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// Its name in the source.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl std::fmt::Display for Skipped {
    /// `name: reason`, on one line whatever the name is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name.replace(char::is_control, "\u{fffd}");
        write!(f, "{name}: {}", self.reason)
    }
}

/// What a preparation came to.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The data set that is now there.
    pub manifest: Manifest,
    /// Damaged pictures that were left out; empty where `reused`.
    pub skipped: Vec<Skipped>,
    /// Files in the source that are no pictures of it, and pictures without annotation.
    pub ignored: Vec<Skipped>,
    /// Time that it took.
    pub seconds: f64,
    /// Whether the data set was there already.
    pub reused: bool,
}

/// Prepares a source into the folder `out`, which is made where it is not there.
///
/// A folder that holds the finished data set of the same source and options is returned as it is; one
/// that was interrupted is continued, with the same bytes at the end; any other is refused.
/// `progress` is called from many threads.
///
/// # Errors
/// A source or option that is wrong, a folder that holds something else, is in use or cannot be written, and,
/// where `options.strict`, the first damaged picture. What was finished stays.
pub fn prepare(
    source: &Source,
    out: &Path,
    options: &PrepareOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Prepared, DataError> {
    Job::new(source, options, progress)?.run(out, WhenBusy::Refuse, progress)
}

/// Reads and decodes the samples that `options` choose, on all cores, and stores nothing: what the
/// decoders alone take. Returns how many could be read.
pub fn read_all(source: &Source, options: &PrepareOptions) -> Result<usize, DataError> {
    Ok(Job::new(source, options, &|_| ())?.read_all())
}
