//! `info`: what a run, a data set or a model is.

use std::path::{Path, PathBuf};

use clap::Args;
use gan_core::RunDir;
use gan_data::{Dataset, Manifest, Split};
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
}

impl Info {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.path {
            None => list_models(global),
            Some(path) if data::is_shards(&path) => describe_data(&path, global),
            Some(path) if path.join("config.toml").is_file() => describe_run(&path, global),
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
    let config = fs_err::read_to_string(run.config())?;
    if global.json {
        return print_json(&serde_json::json!({
            "run": info,
            "networks": networks,
            "last": last,
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
        print(&format!(
            "last step: D loss {:.3}, G loss {:.3}, D(x) {:.3}, D(G(z)) {:.3} / {:.3}\n",
            last.loss_d, last.loss_g, last.d_real, last.d_fake_before, last.d_fake_after
        ))?;
    }
    print(&config)
}

fn describe_data(folder: &Path, global: &Global) -> anyhow::Result<()> {
    let data = Dataset::open(folder)?;
    let manifest: &Manifest = data.manifest();
    let counts = Split::ALL.map(|split| (split.to_string(), data.len(split)));
    if global.json {
        return print_json(&serde_json::json!({
            "manifest": manifest,
            "digest": data.digest(),
        }));
    }
    let splits: Vec<String> =
        counts.iter().map(|(name, n)| format!("{} {name}", tables::thousands(*n as u64))).collect();
    print(&format!(
        "{}: {}, {}\nfrom {} ({})\ndigest {}",
        folder.display(),
        manifest.image,
        splits.join(", "),
        manifest.source.name,
        manifest.source.kind,
        data.digest()
    ))?;
    if !manifest.attributes.is_empty() {
        print(&format!("attributes: {}", manifest.attributes.join(", ")))?;
    }
    if !manifest.classes.is_empty() {
        print(&format!("classes: {}", manifest.classes.join(", ")))?;
    }
    print(&format!("transform: {}", serde_json::to_string(&manifest.transform)?))
}
