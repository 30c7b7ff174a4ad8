//! The samples of a shard, read, decoded and resized by all cores.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{Progress, Skipped, Stage};
use crate::catalog::{Catalog, Chosen, Reader, Sample, Unreadable};
use crate::error::DataError;
use crate::resize::Resizer;
use crate::shape::SampleShape;
use crate::shard::Rows;
use crate::transform::Transform;

/// Samples between two calls of the progress callback, and a thread's smallest share of work.
const STRIDE: usize = 16;

/// Makes the rows of shards.
pub(super) struct RowMaker<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) sample: SampleShape,
    pub(super) transform: Option<Transform>,
    /// The source, as errors name it.
    pub(super) path: &'a Path,
    /// Whether damaged samples are errors.
    pub(super) strict: bool,
}

impl RowMaker<'_> {
    /// Reads these samples; damaged ones are left out and listed.
    pub(super) fn rows(&self, chosen: &[Chosen], done: &Counter<'_>) -> Result<Rows, DataError> {
        let size = self.sample.checked_bytes().expect("checked when the job was planned");
        let mut samples = vec![0u8; chosen.len() * size];
        let outcomes: Vec<Result<(), Unreadable>> = samples
            .par_chunks_exact_mut(size)
            .zip(chosen)
            .with_min_len(STRIDE.min(chosen.len().div_ceil(2)).max(1))
            .map_init(
                || Worker { reader: self.catalog.samples.reader(), resizer: Resizer::default() },
                |worker, (out, item)| {
                    let outcome = worker.fill(self, item.place(), out);
                    done.add(1);
                    outcome
                },
            )
            .collect();
        let mut rows = Rows::default();
        for (i, (item, outcome)) in chosen.iter().zip(outcomes).enumerate() {
            let name = || self.catalog.samples.name(item.place());
            match outcome {
                Ok(()) => {
                    samples.copy_within(i * size..(i + 1) * size, rows.splits.len() * size);
                    let facts = self.catalog.samples.facts(item.place());
                    rows.splits.push(item.split as u8);
                    rows.attributes.extend(facts.attributes);
                    rows.labels.extend(facts.label.map(i64::from));
                }
                Err(Unreadable::Lost(e)) => {
                    let (path, reason) = (self.path.into(), e.to_string());
                    return Err(DataError::Lost { path, name: name(), reason });
                }
                Err(Unreadable::Damaged(reason)) if self.strict => {
                    return Err(DataError::Damaged {
                        path: self.path.into(),
                        name: name(),
                        reason,
                    });
                }
                Err(Unreadable::Damaged(reason)) => {
                    rows.skipped.push(Skipped { name: name(), reason });
                }
            }
        }
        samples.truncate(rows.splits.len() * size);
        Ok(Rows { samples, ..rows })
    }
}

/// What one thread needs.
struct Worker<'a> {
    reader: Box<dyn Reader + 'a>,
    resizer: Resizer,
}

impl Worker<'_> {
    fn fill(
        &mut self,
        maker: &RowMaker<'_>,
        place: usize,
        out: &mut [u8],
    ) -> Result<(), Unreadable> {
        match (self.reader.read(place)?, maker.sample, maker.transform) {
            (Sample::Image(image), SampleShape::Image(shape), Some(transform)) => {
                Ok(self.resizer.fill(&image, &transform, shape, out)?)
            }
            (Sample::Point(point), SampleShape::Point(_), _) => {
                let bytes: Vec<u8> = point.iter().flat_map(|x| x.to_le_bytes()).collect();
                out.copy_from_slice(&bytes);
                Ok(())
            }
            _ => Err("neither a picture nor a point, as the others are".into()),
        }
    }
}

/// Counts samples and tells about it now and then.
pub(super) struct Counter<'a> {
    done: AtomicUsize,
    total: usize,
    progress: &'a (dyn Fn(Progress) + Sync),
}

impl<'a> Counter<'a> {
    pub(super) fn new(total: usize, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        Self { done: AtomicUsize::new(0), total, progress }
    }

    pub(super) fn add(&self, samples: usize) {
        let before = self.done.fetch_add(samples, Ordering::Relaxed);
        let done = before + samples;
        if before / STRIDE != done / STRIDE || done == self.total {
            (self.progress)(Progress { stage: Stage::Storing, done, total: Some(self.total) });
        }
    }
}
