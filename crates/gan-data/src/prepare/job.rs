//! A preparation: decides what is stored where, then lets all cores read pictures while one thread
//! writes shards.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use rayon::prelude::*;

use super::lock::{Lock, WhenBusy};
use super::plan::Plan;
use super::{PrepareOptions, Prepared, Progress, Skipped};
use crate::catalog::{Catalog, Chosen, Reader};
use crate::error::DataError;
use crate::manifest::{self, Manifest};
use crate::resize::Resizer;
use crate::shape::SplitCounts;
use crate::shard::{Layout, Report, Rows, Shard};
use crate::source::Source;
use crate::transform::{Resize, Transform};

/// Pictures between two calls of the progress callback, and a thread's smallest share of work.
const STRIDE: usize = 16;
/// Where the names of pictures that were left out are listed.
const LOG: &str = "prepare.log";

/// A source that was looked into, with all that was decided about it.
pub(crate) struct Job {
    path: PathBuf,
    catalog: Catalog,
    chosen: Vec<Chosen>,
    strict: bool,
    pub(crate) plan: Plan,
}

impl Job {
    /// Opens a source and plans its preparation; writes nothing.
    pub(crate) fn new(source: &Source, options: &PrepareOptions) -> Result<Self, DataError> {
        let given = options.transform.unwrap_or_else(|| source.default_transform());
        let transform = match (options.size, source) {
            (None, _) => given,
            (Some(_), Source::Synthetic(_)) => Transform { resize: Resize::Keep, ..given },
            (Some(size), _) => given.with_size(size, size),
        };
        check_size(&transform)?;
        let mut catalog = source.open(options)?;
        let chosen = catalog.choose(options)?;
        if chosen.is_empty() {
            return Err(DataError::Argument {
                name: "limit",
                expected: "at least one picture".into(),
                got: "none".into(),
            });
        }
        let size = match (transform.size(), catalog.size) {
            (Some(size), _) | (None, Some(size)) => size,
            (None, None) => first_size(&catalog, &chosen).ok_or_else(|| DataError::Content {
                path: source.path(),
                expected: "pictures that can be decoded".into(),
                found: "none".into(),
                remedy: "name the folder or zip that holds them".into(),
            })?,
        };
        let image = transform.shape(size);
        let plan = Plan::new(catalog.source.clone(), image, transform, options);
        Ok(Self { path: source.path(), catalog, chosen, strict: options.strict, plan })
    }

    /// Carries the plan out in a folder. `seconds` is left to the caller.
    pub(crate) fn run(
        self,
        out: &Path,
        when_busy: WhenBusy,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Prepared, DataError> {
        fs_err::create_dir_all(out)?;
        let _lock = Lock::take(out, when_busy)?;
        self.plan.claim(out)?;
        let (ignored, seconds) = (self.catalog.ignored.clone(), 0.0);
        if out.join(manifest::FILE).is_file() {
            let manifest = Manifest::read(out)?;
            return Ok(Prepared { manifest, skipped: Vec::new(), ignored, seconds, reused: true });
        }
        remove_unfinished(out)?;
        let reports = self.write_shards(out, progress)?;
        let (manifest, skipped) = self.summary(reports)?;
        write_log(out, &skipped, &ignored)?;
        manifest.write(out)?;
        Ok(Prepared { manifest, skipped, ignored, seconds, reused: false })
    }

    fn write_shards(
        &self,
        out: &Path,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<Report>, DataError> {
        let done = Counter { done: AtomicUsize::new(0), total: self.chosen.len(), progress };
        let layout = Layout {
            image: self.plan.image,
            columns: self.catalog.attributes.len(),
            has_labels: !self.catalog.classes.is_empty(),
        };
        // One shard is written while the next one is made; a third would only take memory.
        let (sender, receiver) = sync_channel::<(usize, Rows)>(0);
        std::thread::scope(|scope| {
            let writer = scope
                .spawn(move || write_all(receiver, |index, rows| rows.write(out, index, layout)));
            let mut kept = Vec::new();
            let mut failure = None;
            for (index, items) in self.chosen.chunks(self.plan.shard_images).enumerate() {
                let there = Shard::report(out, index, layout, items.len());
                if let Some(report) = there.filter(|r| !self.strict || r.skipped.is_empty()) {
                    done.add(items.len());
                    kept.push(report);
                    continue;
                }
                let sent = self.rows(items, &done).map(|rows| sender.send((index, rows)).is_ok());
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

    /// Reads, decodes and resizes the pictures of one shard on all cores.
    fn rows(&self, items: &[Chosen], done: &Counter<'_>) -> Result<Rows, DataError> {
        let size = self.plan.image.bytes();
        let mut images = vec![0u8; items.len() * size];
        let facts: Vec<Result<Facts, String>> = images
            .par_chunks_exact_mut(size)
            .zip(items)
            .with_min_len(STRIDE.min(items.len().div_ceil(2)))
            .map_init(
                || Worker {
                    job: self,
                    reader: self.catalog.pictures.reader(),
                    resizer: Resizer::default(),
                },
                |worker, (planes, item)| {
                    let facts = worker.fill(item, planes);
                    done.add(1);
                    facts
                },
            )
            .collect();
        let mut rows = Rows::default();
        for (i, (item, facts)) in items.iter().zip(facts).enumerate() {
            match facts {
                Ok(facts) => {
                    images.copy_within(i * size..(i + 1) * size, rows.splits.len() * size);
                    rows.splits.push(item.split as u8);
                    rows.attributes.extend(facts.attributes);
                    rows.labels.extend(facts.label.map(i64::from));
                }
                Err(reason) if self.strict => {
                    let (path, name) = (self.path.clone(), item.name.clone());
                    return Err(DataError::Damaged { path, name, reason });
                }
                Err(reason) => rows.skipped.push(Skipped { name: item.name.clone(), reason }),
            }
        }
        images.truncate(rows.splits.len() * size);
        Ok(Rows { images, ..rows })
    }

    fn summary(&self, reports: Vec<Report>) -> Result<(Manifest, Vec<Skipped>), DataError> {
        let mut counts = SplitCounts::default();
        let (mut shards, mut skipped) = (Vec::new(), Vec::new());
        for report in reports {
            for split in crate::shape::Split::ALL {
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
            image: self.plan.image,
            transform: self.plan.transform,
            counts,
            attributes: self.catalog.attributes.clone(),
            classes: self.catalog.classes.clone(),
            shards,
            source: self.catalog.source.clone(),
            seed: self.plan.seed,
            skipped: skipped.len(),
        };
        Ok((manifest, skipped))
    }
}

/// What is known of a picture beside its pixels.
struct Facts {
    attributes: Vec<u8>,
    label: Option<u8>,
}

/// What one thread needs.
struct Worker<'a> {
    job: &'a Job,
    reader: Box<dyn Reader + 'a>,
    resizer: Resizer,
}

impl Worker<'_> {
    fn fill(&mut self, item: &Chosen, planes: &mut [u8]) -> Result<Facts, String> {
        let sample = self.reader.read(item.place)?;
        let plan = &self.job.plan;
        self.resizer.fill(&sample.image, &plan.transform, plan.image, planes)?;
        Ok(Facts { attributes: sample.attributes, label: sample.label })
    }
}

/// Counts pictures and tells about it now and then.
struct Counter<'a> {
    done: AtomicUsize,
    total: usize,
    progress: &'a (dyn Fn(Progress) + Sync),
}

impl Counter<'_> {
    fn add(&self, images: usize) {
        let before = self.done.fetch_add(images, Ordering::Relaxed);
        let done = before + images;
        if before / STRIDE != done / STRIDE || done == self.total {
            (self.progress)(Progress { done, total: self.total });
        }
    }
}

fn write_all(
    shards: Receiver<(usize, Rows)>,
    write: impl Fn(usize, &Rows) -> Result<Report, DataError>,
) -> Result<Vec<Report>, DataError> {
    shards.into_iter().map(|(index, rows)| write(index, &rows)).collect()
}

fn check_size(transform: &Transform) -> Result<(), DataError> {
    match transform.size() {
        Some((w, h)) if !(1..=8192).contains(&w) || !(1..=8192).contains(&h) => {
            Err(DataError::Argument {
                name: "picture size",
                expected: "1 to 8192 pixels a side".into(),
                got: format!("{w}×{h}"),
            })
        }
        _ => Ok(()),
    }
}

/// Width and height of the first picture that can be decoded.
fn first_size(catalog: &Catalog, chosen: &[Chosen]) -> Option<(usize, usize)> {
    let mut reader = catalog.pictures.reader();
    let sample = chosen.iter().find_map(|item| reader.read(item.place).ok())?;
    Some((sample.image.width(), sample.image.height()))
}

/// Removes the temporary files that a killed preparation leaves.
fn remove_unfinished(folder: &Path) -> Result<(), DataError> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(".writing-") {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn write_log(out: &Path, skipped: &[Skipped], ignored: &[Skipped]) -> Result<(), DataError> {
    let mut text = String::new();
    for (title, list) in [("damaged, left out", skipped), ("not taken", ignored)] {
        text += &format!("{title}: {}\n", list.len());
        for Skipped { name, reason } in list {
            text += &format!("  {name}: {reason}\n");
        }
    }
    Ok(gan_core::file::write_bytes(&out.join(LOG), text.as_bytes())?)
}
