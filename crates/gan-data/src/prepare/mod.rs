//! From a source to a folder of shards, by all cores, and from where it was interrupted.
//!
//! The order of files on disk makes every interruption safe: the plan first, then shards, each renamed
//! into place when it is whole, then `prepare.log`, then the manifest. A folder with a manifest is
//! done; one with a plan alone continues after its last whole shard.

mod job;
pub(crate) mod lock;
pub(crate) mod plan;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use job::Job;

use crate::error::DataError;
use crate::manifest::Manifest;
use crate::source::Source;
use crate::transform::Transform;
use lock::WhenBusy;

/// What to make of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareOptions {
    /// What to do to each picture; `None` is the source's default.
    pub transform: Option<Transform>,
    /// Side of square pictures in pixels; changes the size of the transform.
    pub size: Option<usize>,
    /// At most this many pictures, spread over the splits in proportion; the number of synthetic
    /// ones.
    pub limit: Option<usize>,
    /// Seed of split, limit and synthetic pictures.
    pub seed: u64,
    /// Fail at the first damaged picture rather than leave it out.
    pub strict: bool,
    /// Pictures in a shard; fewer where they are large.
    pub shard_images: usize,
    /// Part of the pictures for validation, where the source has no split of its own.
    pub valid_fraction: f64,
    /// Part of the pictures for testing, where the source has no split of its own.
    pub test_fraction: f64,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            transform: None,
            size: None,
            limit: None,
            seed: 0,
            strict: false,
            shard_images: 4096,
            valid_fraction: 0.1,
            test_fraction: 0.1,
        }
    }
}

/// How far a preparation is, in pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pictures done.
    pub done: usize,
    /// Pictures to do.
    pub total: usize,
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
pub fn prepare(
    source: &Source,
    out: &Path,
    options: &PrepareOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Prepared, DataError> {
    let start = std::time::Instant::now();
    let prepared = Job::new(source, options)?.run(out, WhenBusy::Refuse, progress)?;
    Ok(Prepared { seconds: start.elapsed().as_secs_f64(), ..prepared })
}
