//! `runs`: the list of runs and of prepared data.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use gan_core::RunDir;
use gan_core::results::{TestResult, test_results};
use gan_core::run::RunInfo;
use gan_data::cache::{self, Entry};
use gan_train::StepRecord;
use gan_train::log::jsonl;

use super::{print, print_json, tables};
use crate::args::Global;

/// List runs and prepared data
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  gan-cli runs\n  gan-cli runs --clean   empties the cache of prepared data"
)]
pub(crate) struct Runs {
    /// Folder of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// Remove the data prepared from raw sources; runs stay
    #[arg(long)]
    clean: bool,
}

/// What the list shows of a run.
struct Listed {
    run: RunDir,
    info: Option<RunInfo>,
    bytes: u64,
    last: Option<StepRecord>,
    test: Vec<TestResult>,
}

impl Runs {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<()> {
        let cache_dir = global.cache_dir();
        let prepared = cache::entries(&cache_dir)?;
        if self.clean {
            return clean(&prepared, global);
        }
        let runs: Vec<Listed> =
            RunDir::list(&self.runs)?.into_iter().map(Listed::read).collect::<Result<_, _>>()?;
        if global.json {
            return print_json(&serde_json::json!({
                "runs": runs.iter().map(Listed::json).collect::<Vec<_>>(),
                "prepared": prepared.iter().map(prepared_json).collect::<Vec<_>>(),
            }));
        }
        self.print_runs(&runs)?;
        print_prepared(&prepared)
    }

    fn print_runs(&self, runs: &[Listed]) -> anyhow::Result<()> {
        if runs.is_empty() {
            return print(&format!("no runs under {}\nnext: gan-cli train", self.runs.display()));
        }
        let head =
            ["run", "preset", "status", "images", "age", "size", "D loss", "G loss", "test split"];
        let rows = runs.iter().map(Listed::row).collect();
        print(&tables::table(&head, &[3, 5, 6, 7], rows))
    }
}

/// Empties the cache, but for what is being prepared at this moment.
fn clean(prepared: &[Entry], global: &Global) -> anyhow::Result<()> {
    let (mut removed, mut bytes) = (0, 0);
    for entry in prepared {
        if cache::remove(entry)? {
            removed += 1;
            bytes += entry.bytes;
        } else {
            tracing::warn!("{} is being prepared, and stays", entry.path.display());
        }
    }
    if global.json {
        return print_json(&serde_json::json!({"removed": removed, "bytes": bytes}));
    }
    let (bytes, cache_dir) = (tables::bytes(bytes), global.cache_dir());
    print(&format!("removed {removed} prepared data sets, {bytes}, from {}", cache_dir.display()))
}

impl Listed {
    fn read(run: RunDir) -> anyhow::Result<Self> {
        let info = run.read_info().ok();
        let last = jsonl::read(&run.metrics()).ok().and_then(|mut records| records.pop());
        let bytes = folder_bytes(run.root())?;
        let test = test_results(&run);
        Ok(Self { run, info, bytes, last, test })
    }

    fn row(&self) -> Vec<String> {
        let info = self.info.as_ref();
        let known = |text: Option<String>| text.unwrap_or_else(|| "?".into());
        let game = self.last.as_ref().and_then(|last| last.game.as_ref());
        // Of other families than GANs, which have no such losses.
        let loss = |value: Option<f64>| match (&self.last, value) {
            (Some(_), None) => "-".into(),
            (_, value) => known(value.map(|v| format!("{v:.3}"))),
        };
        vec![
            self.run.root().display().to_string(),
            known(info.map(|i| i.preset.clone())),
            known(info.map(|i| i.status.to_string())),
            known(info.map(|i| tables::thousands(i.images_seen))),
            known(info.and_then(|i| age(&i.started)).map(tables::duration)),
            tables::bytes(self.bytes),
            loss(game.map(|game| game.loss_d)),
            loss(game.map(|game| game.loss_g)),
            self.test.first().map_or("-".into(), ToString::to_string),
        ]
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "run": self.run.root(),
            "info": self.info,
            "bytes": self.bytes,
            "last": self.last,
            "test": tables::by_name(&self.test),
        })
    }
}

fn prepared_json(entry: &Entry) -> serde_json::Value {
    serde_json::json!({"path": entry.path, "bytes": entry.bytes, "manifest": entry.manifest})
}

fn print_prepared(prepared: &[Entry]) -> anyhow::Result<()> {
    if prepared.is_empty() {
        return Ok(());
    }
    let rows = prepared.iter().map(|entry| {
        let what = match &entry.manifest {
            Some(m) => format!("{} of {}", m.sample, m.source.name),
            None => "not finished".into(),
        };
        vec![entry.path.display().to_string(), what, tables::bytes(entry.bytes)]
    });
    print(&format!("\n{}", tables::table(&["prepared data", "what", "size"], &[2], rows.collect())))
}

/// Seconds since a time in RFC 3339.
fn age(started: &str) -> Option<f64> {
    let started = humantime::parse_rfc3339(started).ok()?;
    Some(SystemTime::now().duration_since(started).ok()?.as_secs_f64())
}

/// Bytes of all files below a folder.
fn folder_bytes(folder: &std::path::Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { folder_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
