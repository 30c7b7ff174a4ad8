//! A preparation: decides what is stored where, then lets all cores read samples while one thread
//! writes shards.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Instant, SystemTime};

use gan_core::ImageShape;
use rayon::prelude::*;

use super::lock::{Lock, WhenBusy};
use super::plan::Plan;
use super::rows::{Counter, RowMaker};
use super::{PrepareOptions, Prepared, Progress, Skipped, output};
use crate::catalog::{Catalog, Chosen, Reader, Sample, Unreadable};
use crate::error::DataError;
use crate::manifest::{self, Manifest};
use crate::shape::{SampleShape, Split, SplitCounts};
use crate::shard::{self, Layout, Report, Rows, Shard};
use crate::source::Source;
use crate::transform::{MAX_STORED, Transform};

/// What is kept of a sample while it is planned takes memory; more are not planned.
const MAX_SAMPLES: usize = 100_000_000;

/// A source that was looked into, with all that was decided about it.
pub(crate) struct Job {
    path: PathBuf,
    catalog: Catalog,
    chosen: Vec<Chosen>,
    strict: bool,
    start: Instant,
    files: Vec<PathBuf>,
    /// The files as they were before they were looked into.
    stamps: Vec<Stamp>,
    pub(crate) plan: Plan,
}

impl Job {
    /// Opens a source and plans its preparation; writes nothing.
    pub(crate) fn new(
        source: &Source,
        options: &PrepareOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Self, DataError> {
        let (start, files) = (Instant::now(), source.files());
        let stamps = stamps(&files);
        let limit = options.limit.unwrap_or(1);
        if !(1..=MAX_SAMPLES).contains(&limit) {
            return Err(DataError::Argument {
                name: "limit",
                expected: format!("1 to {MAX_SAMPLES} samples"),
                got: limit.to_string(),
            });
        }
        let mut catalog = source.open(options, progress)?;
        let chosen = catalog.choose(options)?;
        let (sample, transform) = match catalog.shape {
            Some(SampleShape::Point(dimensions)) => (SampleShape::Point(dimensions), None),
            _ => {
                let transform = options.transform.over(catalog.transform);
                let shape = stored_shape(&transform, &catalog, &chosen, &source.path())?;
                (SampleShape::Image(shape), Some(transform))
            }
        };
        let plan = Plan::new(catalog.source.clone(), sample, transform, options);
        let (path, strict) = (source.path(), options.strict);
        Ok(Self { path, catalog, chosen, strict, start, files, stamps, plan })
    }

    /// Carries the plan out in a folder.
    pub(crate) fn run(
        self,
        out: &Path,
        when_busy: WhenBusy,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Prepared, DataError> {
        output::make(out)?;
        self.write(out, when_busy, progress).map_err(|error| output::explain(out, error))
    }

    /// Reads every sample and stores none; returns how many could be read.
    pub(super) fn read_all(&self) -> usize {
        let read =
            |reader: &mut Box<dyn Reader + '_>, item: &Chosen| reader.read(item.place()).is_ok();
        let readers = || self.catalog.samples.reader();
        self.chosen.par_iter().map_init(readers, read).filter(|read| *read).count()
    }

    fn write(
        self,
        out: &Path,
        when_busy: WhenBusy,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Prepared, DataError> {
        // What is finished can be used from a folder that is not to be written.
        if self.plan.is_claimed(out)
            && let Found::Whole(manifest) = self.found(out)?
        {
            return Ok(self.prepared(*manifest, Vec::new(), true));
        }
        Plan::refuse_foreign(out)?;
        let _lock = Lock::take(out, when_busy)?;
        self.plan.claim(out)?;
        // Whoever held the lock before may have finished it.
        match self.found(out)? {
            Found::Whole(manifest) => return Ok(self.prepared(*manifest, Vec::new(), true)),
            Found::Damaged(path) => {
                tracing::warn!("making again what is damaged: {}", path.display());
            }
            Found::Nothing => {}
        }
        output::remove_unfinished(out)?;
        let reports = self.write_shards(out, progress)?;
        let (manifest, skipped) = self.summary(reports)?;
        output::write_log(out, &skipped, &self.catalog.ignored)?;
        manifest.write(out)?;
        Ok(self.prepared(manifest, skipped, false))
    }

    fn prepared(self, manifest: Manifest, skipped: Vec<Skipped>, reused: bool) -> Prepared {
        let (ignored, seconds) = (self.catalog.ignored, self.start.elapsed().as_secs_f64());
        Prepared { manifest, skipped, ignored, seconds, reused }
    }

    /// What a folder holds of an earlier preparation.
    fn found(&self, out: &Path) -> Result<Found, DataError> {
        let path = out.join(manifest::FILE);
        if !path.is_file() {
            return Ok(Found::Nothing);
        }
        let Some(manifest) = Manifest::read_whole(out)? else { return Ok(Found::Damaged(path)) };
        for entry in &manifest.shards {
            let path = out.join(&entry.file);
            if !path.is_file() || shard::hash(&fs_err::read(&path)?) != entry.xxh3 {
                return Ok(Found::Damaged(path));
            }
        }
        if self.strict && manifest.skipped > 0 {
            return Err(DataError::Content {
                path: out.into(),
                expected: "a data set without damaged pictures, as strict asks".into(),
                found: format!("one that left out {}", manifest.skipped),
                remedy: "see prepare.log in it, repair them, and choose another folder".into(),
            });
        }
        Ok(Found::Whole(Box::new(manifest)))
    }

    fn write_shards(
        &self,
        out: &Path,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<Report>, DataError> {
        let done = Counter::new(self.chosen.len(), progress);
        let (maker, layout) = (self.row_maker(), self.layout());
        // One shard is written while the next one is made; a third would only take memory.
        let (sender, receiver) = sync_channel::<(usize, Rows)>(0);
        std::thread::scope(|scope| {
            let writer = scope.spawn(move || {
                write_all(receiver, |index, rows| {
                    // What was read of another source must not be found by who continues.
                    self.check_unchanged()?;
                    rows.write(out, index, layout)
                })
            });
            let mut kept = Vec::new();
            let mut failure = None;
            for (index, chosen) in self.chosen.chunks(self.plan.shard_samples).enumerate() {
                let there = Shard::report(out, index, layout, chosen.len());
                if let Some(report) = there.filter(|r| !self.strict || r.skipped.is_empty()) {
                    done.add(chosen.len());
                    kept.push(report);
                    continue;
                }
                let sent = maker.rows(chosen, &done).map(|rows| sender.send((index, rows)).is_ok());
                match sent {
                    Ok(true) => {}
                    Ok(false) => break, // The writer has failed and says why below.
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            drop(sender);
            let written = writer.join().expect("the writer returns its errors");
            if let Some(error) = failure {
                return Err(error);
            }
            kept.extend(written?);
            kept.sort_by(|a, b| a.entry.file.cmp(&b.entry.file));
            Ok(kept)
        })
    }

    /// Refuses a source that is another file than the one that was looked into.
    fn check_unchanged(&self) -> Result<(), DataError> {
        if stamps(&self.files) == self.stamps {
            return Ok(());
        }
        Err(DataError::Content {
            path: self.path.clone(),
            expected: "a source that stays as it is while it is read".into(),
            found: "that it was changed meanwhile".into(),
            remedy: "prepare it into another folder once it is whole".into(),
        })
    }

    fn row_maker(&self) -> RowMaker<'_> {
        RowMaker {
            catalog: &self.catalog,
            sample: self.plan.sample,
            transform: self.plan.transform,
            path: &self.path,
            strict: self.strict,
        }
    }

    fn layout(&self) -> Layout {
        Layout {
            sample: self.plan.sample,
            columns: self.catalog.attributes.len(),
            classes: self.catalog.classes.len(),
        }
    }

    fn summary(&self, reports: Vec<Report>) -> Result<(Manifest, Vec<Skipped>), DataError> {
        let mut counts = SplitCounts::default();
        let (mut shards, mut skipped) = (Vec::new(), Vec::new());
        for report in reports {
            for split in Split::ALL {
                counts.add(split, report.counts.of(split));
            }
            skipped.extend(report.skipped);
            shards.push(report.entry);
        }
        if counts.total() == 0 {
            return Err(DataError::Content {
                path: self.path.clone(),
                expected: "pictures that can be decoded".into(),
                found: format!("{} that cannot", skipped.len()),
                remedy: skipped
                    .first()
                    .map(|s| format!("{}: {}", s.name, s.reason))
                    .unwrap_or_default(),
            });
        }
        let manifest = Manifest {
            version: manifest::VERSION,
            sample: self.plan.sample,
            transform: self.plan.transform,
            counts,
            attributes: self.catalog.attributes.clone(),
            classes: self.catalog.classes.clone(),
            shards,
            source: self.catalog.source.clone(),
            only: self.plan.only.clone(),
            limit: self.plan.limit,
            fractions: self.plan.fractions,
            seed: self.plan.seed,
            skipped: skipped.len(),
        };
        Ok((manifest, skipped))
    }
}

/// A finished data set in a folder.
enum Found {
    Nothing,
    /// It has this file, which is not as it was written.
    Damaged(PathBuf),
    Whole(Box<Manifest>),
}

/// Length and time of change of a file.
type Stamp = Option<(u64, SystemTime)>;

/// Those of the files that a source is; files in a folder are compared when they are read.
fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some((meta.len(), meta.modified().ok()?))
    };
    files.iter().map(stamp).collect()
}

fn write_all(
    shards: Receiver<(usize, Rows)>,
    write: impl Fn(usize, &Rows) -> Result<Report, DataError>,
) -> Result<Vec<Report>, DataError> {
    shards.into_iter().map(|(index, rows)| write(index, &rows)).collect()
}

/// Shape of the stored pictures: the transform's, the source's, or that of the first picture which can be
/// decoded.
fn stored_shape(
    transform: &Transform,
    catalog: &Catalog,
    chosen: &[Chosen],
    path: &Path,
) -> Result<ImageShape, DataError> {
    let known = catalog.shape.and_then(SampleShape::image).map(|shape| (shape.width, shape.height));
    let size = match transform.size().or(known) {
        Some(size) => Some(size),
        None => first_size(catalog, chosen, path)?,
    };
    let (width, height) = size.ok_or_else(|| DataError::Content {
        path: path.into(),
        expected: "pictures that can be decoded".into(),
        found: "none".into(),
        remedy: "name the folder or zip that holds them".into(),
    })?;
    if [width, height].iter().any(|side| !(1..=MAX_STORED).contains(side)) {
        return Err(DataError::Argument {
            name: "picture size",
            expected: format!("1 to {MAX_STORED} pixels a side"),
            got: format!("{width}×{height}"),
        });
    }
    Ok(transform.shape((width, height)))
}

fn first_size(
    catalog: &Catalog,
    chosen: &[Chosen],
    path: &Path,
) -> Result<Option<(usize, usize)>, DataError> {
    let mut reader = catalog.samples.reader();
    for item in chosen {
        match reader.read(item.place()) {
            Ok(Sample::Image(image)) => return Ok(Some((image.width(), image.height()))),
            Ok(Sample::Point(_)) | Err(Unreadable::Damaged(_)) => {}
            Err(Unreadable::Lost(e)) => {
                let (name, reason) = (catalog.samples.name(item.place()), e.to_string());
                return Err(DataError::Lost { path: path.into(), name, reason });
            }
        }
    }
    Ok(None)
}
