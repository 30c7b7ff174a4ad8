//! `info`: what a run, a data set or a model is.

use std::path::{Path, PathBuf};

use clap::Args;
use gan_core::RunDir;
use gan_core::results::{TestResult, test_results};
use gan_data::{Dataset, Frequency, Manifest, Split, is_prepared};
use gan_models::NetworkSummary;
use gan_models::config::MODELS;
use gan_train::log::jsonl;

use super::{print, print_json, tables};
use crate::args::{Global, UsageError};
use crate::data;

/// Describe a run, a data set or the models there are
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  gan-cli info runs/00001-faces\n  gan-cli info celeba64\n  gan-cli info --models"
)]
pub(crate) struct Info {
    /// A run folder or a folder of shards
    #[arg(required_unless_present = "models")]
    path: Option<PathBuf>,
    /// List the models there are
    #[arg(long, conflicts_with = "path")]
    models: bool,
    /// Picture of 64 samples of a data set, or map of its points; samples.png in its folder unless given
    #[arg(long, value_name = "F.png")]
    out: Option<PathBuf>,
}

impl Info {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.path {
            None => list_models(global),
            Some(path) if is_prepared(&path) => describe_data(&path, self.out, global),
            Some(path) if path.join("config.toml").is_file() => describe_run(&path, global),
            Some(path) if path.join("prepare.json").is_file() => Err(anyhow::anyhow!(
                "{}: expected a finished data set, found a preparation that was not finished; run the same prepare again, it \
                 goes on where it was",
                path.display()
            )),
            Some(path) => Err(UsageError(format!(
                "{}: expected a run folder (config.toml) or a folder of shards (manifest.json)",
                path.display()
            ))
            .into()),
        }
    }
}

fn list_models(global: &Global) -> anyhow::Result<()> {
    if global.json {
        let list: Vec<_> = MODELS
            .iter()
            .map(|(name, what)| serde_json::json!({"name": name, "what": what}))
            .collect();
        return print_json(&serde_json::json!({ "models": list }));
    }
    let rows = MODELS.iter().map(|(name, what)| vec![(*name).into(), (*what).into()]).collect();
    print(&tables::table(&["model", "what"], &[], rows))
}

fn describe_run(root: &Path, global: &Global) -> anyhow::Result<()> {
    let run = RunDir::open(root)?;
    let info = run.read_info()?;
    let networks: Vec<NetworkSummary> =
        serde_json::from_str(&fs_err::read_to_string(run.models())?)?;
    let last = jsonl::read(&run.metrics()).ok().and_then(|mut records| records.pop());
    let test = test_results(&run);
    let config = fs_err::read_to_string(run.config())?;
    if global.json {
        return print_json(&serde_json::json!({
            "run": info,
            "networks": networks,
            "last": last,
            "test": tables::by_name(&test),
            "config": toml::from_str::<toml::Table>(&config)?,
        }));
    }
    print(&format!(
        "{}: {}, {} of {} steps, {} images in {}\n{}\n",
        run.name(),
        info.status,
        info.steps,
        info.total_steps,
        tables::thousands(info.images_seen),
        tables::duration(info.seconds),
        info.command
    ))?;
    if let Some(reason) = info.reason {
        print(&format!("{reason}\n"))?;
    }
    for network in &networks {
        print(&format!("{}\n", tables::network(network)))?;
    }
    if let Some(last) = last {
        print(&format!("last step: {}\n", last.summary()))?;
    }
    if !test.is_empty() {
        let words: Vec<String> = test.iter().map(TestResult::to_string).collect();
        print(&format!("test split: {}\n", words.join(", ")))?;
    }
    print(&config)
}

/// Samples in the picture of a data set.
const PREVIEW: usize = 64;

fn describe_data(folder: &Path, out: Option<PathBuf>, global: &Global) -> anyhow::Result<()> {
    let data = Dataset::open(folder)?;
    let picture = write_picture(&data, out)?;
    let manifest: &Manifest = data.manifest();
    let (attributes, classes) = data.frequencies();
    if global.json {
        let by_name = |list: &[Frequency]| -> serde_json::Map<String, serde_json::Value> {
            list.iter().map(|f| (f.name.clone(), serde_json::json!(f.counts))).collect()
        };
        return print_json(&serde_json::json!({
            "manifest": manifest,
            "digest": data.digest(),
            "attributes": by_name(&attributes),
            "classes": by_name(&classes),
            "picture": picture,
        }));
    }
    let mut lines = described(&data);
    for (title, list) in [("attribute", &attributes), ("class", &classes)] {
        if !list.is_empty() {
            lines.push(format!("\n{}", frequency_table(title, list, &data)));
        }
    }
    if let Some(picture) = &picture {
        let what = if manifest.sample.image().is_some() { "picture of 64 samples" } else { "map" };
        lines.push(format!("\n{what}: {}", picture.display()));
    }
    if data::is_trainable(manifest) {
        lines.push(format!(
            "next: gan-cli train dcgan --data {}",
            tables::quoted(&folder.to_string_lossy())
        ));
    }
    print(&lines.join("\n"))
}

/// Writes the picture of a data set. Without a name for it that is a help and no duty: a folder that is not
/// to be written is described all the same.
fn write_picture(data: &Dataset, out: Option<PathBuf>) -> anyhow::Result<Option<PathBuf>> {
    if let Some(path) = out.as_ref().filter(|p| p.extension().is_none_or(|e| e != "png")) {
        let message = format!("--out {}: expected the name of a PNG file, F.png", path.display());
        return Err(UsageError(message).into());
    }
    let picture = data.preview(PREVIEW)?;
    match out {
        Some(path) => {
            picture.write_png(&path)?;
            Ok(Some(path))
        }
        None => {
            let path = data.folder().join("samples.png");
            if let Err(error) = picture.write_png(&path) {
                tracing::warn!("no picture of samples ({error}); name a file for it with --out");
                return Ok(None);
            }
            Ok(Some(path))
        }
    }
}

/// The manifest, a line a fact.
fn described(data: &Dataset) -> Vec<String> {
    let (folder, manifest) = (data.folder(), data.manifest());
    let splits: Vec<String> = Split::ALL
        .iter()
        .map(|split| format!("{} {split}", tables::thousands(data.len(*split) as u64)))
        .collect();
    let mut lines = vec![
        format!("{}: {}, {}", folder.display(), manifest.sample, splits.join(", ")),
        format!("from       {} ({})", manifest.source.name, manifest.source.kind),
    ];
    if let Some(transform) = &manifest.transform {
        lines.push(format!("transform  {transform}"));
    }
    if let Some(only) = &manifest.only {
        lines.push(format!("only       {only}"));
    }
    if let Some(limit) = manifest.limit {
        lines.push(format!("limit      {limit}"));
    }
    if let Some((valid, test)) = manifest.fractions {
        lines.push(format!("fractions  {valid} valid, {test} test"));
    }
    lines.push(format!("seed       {}", manifest.seed));
    if manifest.skipped > 0 {
        lines.push(format!("left out   {} damaged images, see prepare.log", manifest.skipped));
    }
    lines.push(format!("source     {}", manifest.source.digest));
    lines.push(format!("digest     {}", data.digest()));
    let hashes: Vec<String> = manifest
        .shards
        .iter()
        .take(4)
        .map(|shard| format!("{} {}", shard.file, shard.xxh3))
        .collect();
    let more = manifest.shards.len().saturating_sub(hashes.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    lines.push(format!("shards     {}{more}", hashes.join(", ")));
    lines
}

/// Rows of a table of classes that are shown; a thousand classes are for the JSON form.
const MAX_ROWS: usize = 100;

fn frequency_table(title: &str, list: &[Frequency], data: &Dataset) -> String {
    let total: usize = Split::ALL.iter().map(|split| data.len(*split)).sum();
    let rows = list.iter().take(MAX_ROWS).map(|frequency| {
        let share = 100.0 * frequency.counts.iter().sum::<usize>() as f64 / total.max(1) as f64;
        let counts = frequency.counts.map(|n| tables::thousands(n as u64));
        let row = [frequency.name.clone(), format!("{share:.1} %")];
        row.into_iter().chain(counts).collect()
    });
    let head = [title, "share", "train", "valid", "test"];
    let table = tables::table(&head, &[1, 2, 3, 4], rows.collect());
    match list.len().saturating_sub(MAX_ROWS) {
        0 => table,
        more => format!("{table}\n… and {more} more; --json has them all"),
    }
}
