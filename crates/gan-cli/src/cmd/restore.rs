//! `restore`: what a mask hides, filled by a generator.

mod filling;
mod numbers;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use gan_core::{Image, file};
use gan_latent::{Inversion, Mask};
use serde::Serialize;

use self::filling::Filling;
use self::numbers::OfMask;
use super::{print, print_json, tables};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::explored::{Explored, ShownWeights};
use crate::inversion::{Originals, Search};
use crate::pictures::png_file;
use crate::words::of_path;

/// Fill what a mask hides of images, by inversion
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// The run folder
    run: PathBuf,
    #[command(flatten)]
    originals: Originals,
    /// What hides pixels: pepper or pepper:SHARE, crosswalk, square or square:SIDE, or a picture whose dark
    /// pixels do
    #[arg(long, value_name = "MASKS", value_delimiter = ',', value_parser = asked, default_value = MASKS)]
    mask: Vec<Asked>,
    /// What the inversion compares with
    #[arg(long, value_enum, default_value = "both")]
    score: Score,
    #[command(flatten)]
    search: Search,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// The pictures' file, MASK before its ending, latents and numbers beside them; in the run's restored/ unless given
    #[arg(long, value_name = "FILE", value_parser = png_file)]
    out: Option<PathBuf>,
}

/// Images that a picture shows at most, side by side.
const MOST_SHOWN: usize = 10;
const MASKS: &str = "pepper,crosswalk,square";
/// What pepper and a square hide unless told: experiment H's.
const SHARE: f64 = 0.3;
const SIDE: usize = 8;

const EXAMPLES: &str = "\
Examples:
  gan-cli restore runs/00001-dcgan
  gan-cli restore runs/00001-dcgan --n 100 --mask pepper:0.5,square:12
  gan-cli restore runs/00001-dcgan me.jpg --mask hole.png --score visible";

/// What an inversion compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Score {
    /// The visible pixels alone
    Visible,
    /// The masked image, its hidden pixels black
    Masked,
    /// Each of both
    Both,
}

impl Score {
    /// What is compared with, one after the other.
    fn compared(self) -> &'static [Compared] {
        match self {
            Self::Visible => &[Compared::Visible],
            Self::Masked => &[Compared::Masked],
            Self::Both => &[Compared::Masked, Compared::Visible],
        }
    }
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Compared {
    Masked,
    Visible,
}

/// A mask as it was typed.
#[derive(Clone, Debug)]
struct Asked {
    text: String,
    mask: Mask,
}

/// All that was measured.
#[derive(Debug, Serialize)]
struct Numbers<'a> {
    inversion: &'a Inversion,
    seconds: f64,
    masks: Vec<OfMask>,
}

impl Restore {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        let settings = self.search.inversion()?;
        if let Some(i) =
            (1..self.mask.len()).find(|&i| self.names()[..i].contains(&self.names()[i]))
        {
            let reason = format!("--mask has {} twice", self.names()[i]);
            return Err(UsageError(reason).into());
        }
        let explored = Explored::open(&self.run, self.weights, global.device()?)?;
        let shape = explored.checkpoint.image()?;
        let originals = self.originals.load(&explored, global, console)?;
        let n = originals.names.len();
        let visible = self
            .mask
            .iter()
            .map(|asked| asked.mask.visible(n, (shape.height, shape.width), settings.seed))
            .collect::<Result<Vec<_>, _>>()?;
        let out = self.out.clone().unwrap_or_else(|| {
            explored.run.root().join("restored").join(self.file_name() + ".png")
        });
        let begun = Instant::now();
        let filling = Filling {
            explored: &explored,
            settings: &settings,
            originals: &originals,
            scores: self.score.compared(),
            out: &out,
            console,
        };
        let mut masks = Vec::new();
        for (name, visible) in self.names().iter().zip(&visible) {
            masks.push(filling.under(name, visible)?);
        }
        let seconds = begun.elapsed().as_secs_f64();
        let numbers = Numbers { inversion: &settings, seconds, masks };
        file::write_json(&out.with_extension("json"), &numbers)?;
        self.show(&explored, &numbers, n, &out, global)
    }

    /// `test`, `test_n-100_masks-pepper-0.5-hole-png_visible`.
    fn file_name(&self) -> String {
        let usual = || MASKS.split(',').eq(self.mask.iter().map(|asked| asked.text.as_str()));
        let word = |asked: &Asked| match asked.mask {
            Mask::Picture(_) => of_path(Path::new(&asked.text)),
            _ => asked.text.replace(':', "-"),
        };
        let masks: Vec<String> = self.mask.iter().filter(|_| !usual()).map(word).collect();
        let score = match self.score {
            Score::Visible => Some("visible".to_string()),
            Score::Masked => Some("masked".to_string()),
            Score::Both => None,
        };
        let words = self.originals.words(&self.search).list("masks", &masks).add(score);
        words.weights(self.weights).name()
    }

    /// The masks' names: unless it is a picture's, as it was typed.
    fn names(&self) -> Vec<String> {
        let name = |asked: &Asked| match asked.mask {
            Mask::Picture(_) => {
                Path::new(&asked.text).file_stem().unwrap_or_default().to_string_lossy().into()
            }
            _ => asked.text.replace(':', "-"),
        };
        self.mask.iter().map(name).collect()
    }

    fn show(
        &self,
        explored: &Explored,
        numbers: &Numbers<'_>,
        n: usize,
        out: &Path,
        global: &Global,
    ) -> anyhow::Result<()> {
        let pictures: Vec<PathBuf> =
            self.names().iter().map(|name| place(out, name, "png")).collect();
        let names = self.names();
        let of = |compared: &Compared| {
            let compared = *compared;
            names.iter().map(move |name| latents_of(out, name, compared))
        };
        let latents: Vec<PathBuf> = self.score.compared().iter().flat_map(of).collect();
        if global.json {
            return print_json(&serde_json::json!({
                "pictures": pictures,
                "latents": latents,
                "numbers": out.with_extension("json"),
                "checkpoint": explored.path,
                "images_seen": explored.checkpoint.header.images_seen,
                "found": numbers,
            }));
        }
        let rows = numbers.masks.iter().flat_map(OfMask::rows).collect();
        let head = ["mask", "hidden", "image", "PSNR [dB]", "SSIM", "MSE of hidden"];
        let mut text = format!(
            "{}\nmeans over {n} images against the clean ones; PSNR is that of the mean squared error\n",
            tables::table(&head, &[1, 3, 4, 5], rows)
        );
        for picture in &pictures {
            text += &format!("picture {}\n", picture.display());
        }
        for file in &latents {
            text += &format!("latents {}\n", file.display());
        }
        print(&format!(
            "{text}numbers {}\nnext: gan-cli invert {}",
            out.with_extension("json").display(),
            explored.run.root().display()
        ))
    }
}

/// Where the latents go that were found under a mask.
fn latents_of(out: &Path, mask: &str, compared: Compared) -> PathBuf {
    let word = if compared == Compared::Masked { "masked" } else { "visible" };
    place(out, mask, &format!("{word}.safetensors"))
}

/// `out` with the mask's name before its ending.
fn place(out: &Path, mask: &str, ending: &str) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}_{mask}.{ending}"))
}

/// `pepper`, `pepper:0.3`, `crosswalk`, `square`, `square:8` or a picture's file.
fn asked(text: &str) -> Result<Asked, String> {
    let expected = "expected pepper[:SHARE], crosswalk, square[:SIDE] or the file of a picture";
    let (kind, value) = match text.split_once(':') {
        Some((kind, value)) => (kind, Some(value)),
        None => (text, None),
    };
    let mask = match kind {
        "pepper" => {
            let share = value.map_or(Ok(SHARE), str::parse).map_err(|_| expected)?;
            if !(share > 0.0 && share < 1.0) {
                return Err(format!(
                    "the share of hidden pixels is {share}, expected more than 0 and less than 1"
                ));
            }
            Mask::Pepper { share }
        }
        "crosswalk" if value.is_none() => Mask::Crosswalk,
        "square" => {
            Mask::Square { side: value.map_or(Ok(SIDE), str::parse).map_err(|_| expected)? }
        }
        _ if Path::new(text).is_file() => {
            Mask::Picture(Image::read(Path::new(text)).map_err(|e| e.to_string())?)
        }
        _ => return Err(format!("there is no such mask or file; {expected}")),
    };
    Ok(Asked { text: text.into(), mask })
}
