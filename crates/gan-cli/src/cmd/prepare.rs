//! `prepare`: any source of images to shards.

use std::path::PathBuf;

use clap::Args;
use gan_data::{PrepareOptions, Source, prepare};

use super::{print, print_json, tables};
use crate::args::Global;
use crate::console::Console;
use crate::data;

/// Turn any source of images into shards
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Prepare {
    /// CelebA's zip or folder, idx files, a folder of images, synthetic-faces, synthetic-digits, or
    /// a name under GAN_DATA
    source: String,
    /// Folder for the shards
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Side of the images in pixels; 64 unless given, idx files keep theirs
    #[arg(long, value_name = "N")]
    size: Option<usize>,
    /// At most N images, spread over the splits in proportion; the number of synthetic ones
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Seed of split, limit and synthetic images
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Stop at the first damaged image instead of leaving it out
    #[arg(long)]
    strict: bool,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli prepare img_align_celeba.zip --out celeba64
  gan-cli prepare photos/ --out photos128 --size 128
  gan-cli prepare synthetic-faces --out faces --limit 50000";

impl Prepare {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        let options = PrepareOptions {
            size: self.size,
            limit: self.limit,
            seed: self.seed,
            strict: self.strict,
            ..PrepareOptions::default()
        };
        let prepared = {
            let source = Source::detect(&data::locate(&self.source)?.to_string_lossy())?;
            let progress = console.progress("preparing", 0);
            prepare(&source, &self.out, &options, &progress.callback())?
        };
        let manifest = &prepared.manifest;
        let images: usize = manifest.shards.iter().map(|shard| shard.images).sum();
        if global.json {
            return print_json(&serde_json::json!({
                "out": self.out,
                "images": images,
                "skipped": manifest.skipped,
                "seconds": prepared.seconds,
                "images_per_second": images as f64 / prepared.seconds,
                "reused": prepared.reused,
                "manifest": manifest,
            }));
        }
        for skipped in prepared.skipped.iter().take(5) {
            tracing::warn!("left out {}: {}", skipped.name, skipped.reason);
        }
        if manifest.skipped > 0 {
            let log = self.out.join("prepare.log");
            tracing::warn!("{} images left out, listed in {}", manifest.skipped, log.display());
        }
        let done = if prepared.reused { "was there already" } else { "prepared" };
        print(&format!(
            "{} {done}: {} images, {}, in {}\nnext: gan-cli train dcgan --data {}",
            self.out.display(),
            tables::thousands(images as u64),
            manifest.image,
            tables::duration(prepared.seconds),
            self.out.display()
        ))
    }
}
