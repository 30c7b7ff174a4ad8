//! `prepare`: any source of images to shards.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gan_data::{
    Color, Crop, Filter, PrepareOptions, Prepared, ResizeMode, Selection, Source, Split,
    TransformOptions, parse_size, prepare,
};

use super::{print, print_json, tables};
use crate::args::{Global, UsageError, existing_file};
use crate::console::Console;
use crate::data::{self, Located};

/// Turn any source of images into shards
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Prepare {
    /// A folder or zip of images, CelebA's zip or folder, idx files, CIFAR's binary batches, a built-in
    /// set (synthetic-faces, synthetic-digits, stacked-mnist:DIGITS, gaussians-ring, gaussians-grid),
    /// or a name under GAN_DATA
    source: String,
    /// Folder for the shards; the source's name with -shards unless given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    transform: TransformArgs,
    /// Only images with these attributes or classes, and without those after a minus: Smiling,-Male
    #[arg(long, value_name = "NAMES", allow_hyphen_values = true)]
    only: Option<Selection>,
    /// At most N images, spread over the splits in proportion; the number of those of a built-in set
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Parts for validation and test, in place of the source's own split; 0.1,0.1 where it has none
    #[arg(long, value_name = "VALID,TEST", value_parser = fractions)]
    fractions: Option<(f64, f64)>,
    /// Table of splits: a file name and train, valid or test (or 0, 1, 2) a line
    #[arg(long, value_name = "FILE", value_parser = existing_file)]
    splits: Option<PathBuf>,
    /// Table of binary attributes in the form of CelebA's list_attr_celeba.txt, or CSV
    #[arg(long, value_name = "FILE", value_parser = existing_file)]
    attributes: Option<PathBuf>,
    /// Seed of split, limit and built-in sets
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Stop at the first damaged image instead of leaving it out
    #[arg(long)]
    strict: bool,
}

/// What is done to each image.
#[derive(Args, Debug)]
struct TransformArgs {
    /// Width and height in pixels; 64 unless given, idx files and CIFAR keep theirs
    #[arg(long, value_name = "N|WxH", value_parser = parse_size)]
    size: Option<(usize, usize)>,
    /// Take the centre of this size first, or none; CelebA is often cropped to 108, 140, 148 or 178
    #[arg(long, value_name = "N|WxH|none")]
    crop: Option<Crop>,
    /// How the size is reached
    #[arg(long, value_name = "HOW", value_enum)]
    resize: Option<Mode>,
    /// Resampling filter, antialiased; bilinear unless given. Pixels are those of Pillow's Image.resize
    #[arg(long, value_name = "FILTER", value_enum)]
    filter: Option<FilterName>,
    /// Channels to store
    #[arg(long, value_name = "COLOR", value_enum)]
    color: Option<ColorName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Straight to the size, whatever that does to the proportions
    Straight,
    /// The shorter side to the size, then the centre
    ShorterSide,
    /// Not at all; all images must have one size
    Keep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FilterName {
    Box,
    Bilinear,
    Bicubic,
    Lanczos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColorName {
    Gray,
    Rgb,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli prepare photos/                                    any images, 64×64 → photos-shards
  gan-cli prepare img_align_celeba.zip --out celeba64        attributes and split are found beside it
  gan-cli prepare img_align_celeba.zip --out women --crop 178 --size 128 --only Smiling,-Male
  gan-cli prepare pets.zip --out pets --size 96x64 --filter lanczos --fractions 0.2,0
  gan-cli prepare fashion-mnist/ --out fashion
  gan-cli prepare stacked-mnist:mnist/ --out stacked
  gan-cli prepare synthetic-faces --out faces --limit 50000";

impl TransformArgs {
    fn options(&self) -> TransformOptions {
        TransformOptions {
            size: self.size,
            crop: self.crop,
            mode: self.resize.map(|mode| match mode {
                Mode::Straight => ResizeMode::Straight,
                Mode::ShorterSide => ResizeMode::ShorterSide,
                Mode::Keep => ResizeMode::Keep,
            }),
            filter: self.filter.map(|filter| match filter {
                FilterName::Box => Filter::Box,
                FilterName::Bilinear => Filter::Bilinear,
                FilterName::Bicubic => Filter::Bicubic,
                FilterName::Lanczos => Filter::Lanczos,
            }),
            color: self.color.map(|color| match color {
                ColorName::Gray => Color::Gray,
                ColorName::Rgb => Color::Rgb,
            }),
        }
    }
}

impl Prepare {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        if self.transform.resize == Some(Mode::Keep) && self.transform.size.is_some() {
            let message =
                "--size and --resize keep: one of them says the size, leave the other away";
            return Err(UsageError(message.into()).into());
        }
        let options = PrepareOptions {
            transform: self.transform.options(),
            only: self.only.clone(),
            limit: self.limit,
            fractions: self.fractions,
            seed: self.seed,
            strict: self.strict,
            ..PrepareOptions::default()
        };
        let out = self.out.clone().unwrap_or_else(|| default_out(&self.source));
        let source = match data::locate(&self.source)? {
            Located::Raw(source) => source.with_tables(self.attributes, self.splits)?,
            Located::Shards(path) => {
                let message = format!("{}: is prepared already; use it as it is", path.display());
                return Err(UsageError(message).into());
            }
        };
        let prepared = {
            let progress = console.progress("preparing", 0);
            prepare(&source, &out, &options, &progress.callback())?
        };
        if global.json { show_json(&prepared, &out) } else { show(&prepared, &out) }
    }
}

fn show(prepared: &Prepared, out: &Path) -> anyhow::Result<()> {
    data::warn_of_left_out(prepared, out);
    let manifest = &prepared.manifest;
    let counts = Split::ALL.map(|split| (split, manifest.counts.of(split)));
    let counts = counts.into_iter().filter(|(_, n)| *n > 0);
    let counts: Vec<String> =
        counts.map(|(split, n)| format!("{} {split}", tables::thousands(n as u64))).collect();
    let folder = tables::quoted(&out.to_string_lossy());
    let train = match data::is_trainable(manifest) {
        true => format!("   or   gan-cli train dcgan --data {folder}"),
        false => String::new(),
    };
    print(&format!(
        "{} {}: {} ({}), {}, in {}\nnext: gan-cli info {folder}{train}",
        out.display(),
        if prepared.reused { "was there already" } else { "prepared" },
        tables::thousands(manifest.counts.total() as u64),
        counts.join(", "),
        manifest.sample,
        tables::duration(prepared.seconds),
    ))
}

fn show_json(prepared: &Prepared, out: &Path) -> anyhow::Result<()> {
    let manifest = &prepared.manifest;
    let samples = manifest.counts.total();
    print_json(&serde_json::json!({
        "out": out,
        "samples": samples,
        "skipped": manifest.skipped,
        "not_taken": prepared.ignored.len(),
        "seconds": prepared.seconds,
        "images_per_second": samples as f64 / prepared.seconds,
        "reused": prepared.reused,
        "manifest": manifest,
    }))
}

/// `photos/` and `photos.zip` → `photos-shards`, in the current folder.
fn default_out(source: &str) -> PathBuf {
    let source = Source::stacked_digits(source).map_or(source, |_| "stacked-mnist");
    let path = Path::new(source);
    let full = path.canonicalize().unwrap_or_else(|_| path.into());
    let name = full.file_name().map_or("data".into(), |name| name.to_string_lossy());
    let endings = [".tar.gz", ".tgz", ".zip", ".gz", ".parquet"];
    let stem = endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    PathBuf::from(format!("{stem}-shards"))
}

fn fractions(text: &str) -> Result<(f64, f64), String> {
    let parse = |part: &str| part.trim().parse().ok().filter(|x| (0.0..=1.0).contains(x));
    let both = text.split_once(',').and_then(|(valid, test)| parse(valid).zip(parse(test)));
    both.filter(|(valid, test)| valid + test <= 1.0).ok_or_else(|| {
        format!("expected two parts, as 0.1,0.1, not more than 1 together, got {text:?}")
    })
}
