//! `interpolate`: the images between images.

mod points;

use std::path::{Path as FilePath, PathBuf};

use clap::{Args, ValueEnum};
use gan_core::gif::{Delay, write_loop};
use gan_core::grid::Grid;
use gan_core::{Image, file};
use gan_latent::interpolate::{Discrete, Mode, Path, Shape, discrete_parts, mix};
use gan_latent::sheet::triangle;
use gan_latent::{Sheet, latents, sample};
use serde::Serialize;

use self::points::Points;
use super::{print, print_json, tables};
use crate::args::{Global, UsageError, existing_file};
use crate::console::Console;
use crate::explored::{Explored, ShownWeights, Start};
use crate::pictures::{Kind, Pictures};

/// Go from image to image through the latents between them
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Interpolate {
    /// The run folder
    run: PathBuf,
    #[command(flatten)]
    start: Start,
    /// The first latent of each of these seeds: 3,17 for a strip, 3,17,42 for a triangle
    #[arg(long, value_name = "A,B[,C]", value_delimiter = ',', conflicts_with_all = ["seed", "latents", "indices", "images"])]
    seeds: Vec<u64>,
    /// Pictures to go between, through the encoder of an autoencoder
    #[arg(long, value_name = "FILE", num_args = 1.., value_delimiter = ',', value_parser = existing_file, conflicts_with_all = ["seed", "latents", "indices"])]
    images: Vec<PathBuf>,
    /// Images from one point to the next, both among them; nine are at α = 0, 0.125, …, 1
    #[arg(long, value_name = "N", default_value_t = 9)]
    steps: usize,
    /// Along what numbers are interpolated
    #[arg(long, value_enum, default_value = "linear")]
    mode: Along,
    /// What becomes of discrete parts: bits, levels, classes, attributes
    #[arg(long, value_enum, default_value = "switch")]
    discrete: Parts,
    /// From each point to the next and from the last back to the first: eight points unless --indices or --seeds names
    /// others, all of a file
    #[arg(long = "loop")]
    closed: bool,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// A .png or a .gif; both in the run's interpolated/ unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Along what numbers are interpolated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Along {
    /// Straight lines
    Linear,
    /// Great circles, which keep the length of normal latents; other parts go straight
    Slerp,
}

/// What becomes of discrete parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Parts {
    /// They change all at once, to those of the nearest point
    Switch,
    /// What the network reads of them is mixed
    Blend,
}

impl Along {
    fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Slerp => "slerp",
        }
    }
}

impl From<Along> for Mode {
    fn from(along: Along) -> Self {
        match along {
            Along::Linear => Self::Linear,
            Along::Slerp => Self::Spherical,
        }
    }
}

impl Parts {
    fn name(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Blend => "blend",
        }
    }
}

impl From<Parts> for Discrete {
    fn from(parts: Parts) -> Self {
        match parts {
            Parts::Switch => Self::Switch,
            Parts::Blend => Self::Blend,
        }
    }
}

/// Points of a loop where nobody says which.
const USUAL_LOOP: usize = 8;
/// Images that are made at most.
const MOST_IMAGES: usize = 4096;
/// Time an image is shown, in hundredths of a second.
const DELAY: Delay = Delay(12);

const EXAMPLES: &str = "\
Examples:
  gan-cli interpolate runs/00001-faces
  gan-cli interpolate runs/00001-faces --seed 4 --indices 3,17 --mode slerp --steps 17
  gan-cli interpolate runs/00001-faces --seeds 1,2,3                      a triangle
  gan-cli interpolate runs/00001-faces --loop --indices 0,5,9,12,31 --out walk.gif
  gan-cli interpolate runs/00002-dcgan-levels --discrete blend
  gan-cli interpolate runs/00003-vae --images me.jpg you.png";

/// What stands beside the picture as JSON.
#[derive(Serialize)]
struct Written<'a> {
    shape: &'static str,
    mode: &'static str,
    discrete: &'static str,
    steps: usize,
    /// What the points are: indices, seeds or files.
    points: &'a [String],
    /// For each image the weight of each point, in the order of the picture.
    weights: &'a [Vec<f64>],
    /// Images of the animation in their order, by their index.
    round: &'a [usize],
    /// What the latents' file has: the images, or the points where no latents have what was blended.
    latents_of: &'static str,
    latents: &'a FilePath,
    picture: Option<&'a FilePath>,
    animation: Option<&'a FilePath>,
    checkpoint: &'a FilePath,
    images_seen: u64,
}

impl Interpolate {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        if !(2..=MOST_IMAGES).contains(&self.steps) {
            let reason = format!("--steps is {}, expected 2 to {MOST_IMAGES}", self.steps);
            return Err(UsageError(reason).into());
        }
        let explored = Explored::open(&self.run, self.weights, global.device()?)?;
        let points = self.points(&explored)?;
        let path = self.path(points.labels.len())?;
        let pictures = Pictures::new(
            self.out.as_deref(),
            &explored.run,
            "interpolated",
            &self.words(&points.word),
        )?;
        let mixed = mix(&points.latents, &path.weights, self.mode.into(), self.discrete.into())?;
        let images = {
            let line = console.progress("interpolating", path.weights.len() as u64);
            let progress = |done| line.set(done as u64, "");
            sample::images_of(&explored.generator, &mixed.encoded, progress)?
        };
        let (picture, animation) = write_pictures(&pictures, &path, &points.labels, &images)?;
        let latents_file = pictures.beside("", "safetensors");
        latents::write(mixed.latents.as_ref().unwrap_or(&points.latents), &latents_file)?;
        let numbers = pictures.beside("", "json");
        let written = Written {
            shape: shape_name(path.shape),
            mode: self.mode.name(),
            discrete: self.discrete.name(),
            steps: self.steps,
            points: &points.labels,
            weights: &path.weights,
            round: &path.round,
            latents_of: if mixed.latents.is_some() { "images" } else { "points" },
            latents: &latents_file,
            picture: picture.as_deref(),
            animation: animation.as_deref(),
            checkpoint: &explored.path,
            images_seen: explored.checkpoint.header.images_seen,
        };
        file::write_json(&numbers, &written)?;
        if global.json {
            return print_json(&serde_json::to_value(&written)?);
        }
        self.tell(&written, discrete_parts(&points.latents)?, &numbers)
    }

    fn points(&self, explored: &Explored) -> anyhow::Result<Points> {
        if !self.images.is_empty() {
            return Points::of_images(&self.images, explored);
        }
        if !self.seeds.is_empty() {
            return Points::of_seeds(&self.seeds, explored);
        }
        let usual = match (self.closed, &self.start.latents) {
            (false, _) => 2,
            (true, None) => USUAL_LOOP,
            (true, Some(_)) => usize::MAX,
        };
        Points::of_start(&self.start, usual, explored)
    }

    /// The path that goes with a number of points.
    fn path(&self, points: usize) -> Result<Path, UsageError> {
        let (shape, images) = match (self.closed, points) {
            (_, 0 | 1) => {
                let reason = "one point alone has nothing to go to; name two for a strip, three for a triangle, more with --loop";
                return Err(UsageError(reason.into()));
            }
            (true, n) => (Shape::Loop, n.saturating_mul(self.steps - 1)),
            (false, 2) => (Shape::Strip, self.steps),
            (false, 3) => (Shape::Triangle, self.steps.saturating_mul(self.steps + 1) / 2),
            (false, n) => {
                return Err(UsageError(format!(
                    "{n} points are neither a strip of two nor a triangle of three; --loop goes through all of them"
                )));
            }
        };
        if images > MOST_IMAGES {
            let reason = format!(
                "--steps {} between {points} points are {images} images, expected at most {MOST_IMAGES}; take fewer",
                self.steps
            );
            return Err(UsageError(reason));
        }
        Ok(match shape {
            Shape::Strip => Path::strip(self.steps),
            Shape::Triangle => Path::triangle(self.steps),
            Shape::Loop => Path::closed(points, self.steps),
        })
    }

    /// What decides how the picture looks, for its name.
    fn words(&self, points: &str) -> Vec<String> {
        let mut words = vec![points.to_string()];
        words.extend((self.steps != 9).then(|| format!("steps-{}", self.steps)));
        words.extend(self.closed.then(|| "loop".to_string()));
        words.extend((self.mode == Along::Slerp).then(|| "slerp".to_string()));
        words.extend((self.discrete == Parts::Blend).then(|| "blend".to_string()));
        words.extend((self.weights == ShownWeights::Trained).then(|| "trained".to_string()));
        words
    }

    fn tell(
        &self,
        written: &Written<'_>,
        discrete: Vec<&str>,
        numbers: &FilePath,
    ) -> anyhow::Result<()> {
        let mut lines =
            vec![format!("{} images between {}", written.weights.len(), listed(written.points))];
        let mut line = |what: &str, file: Option<&FilePath>| {
            lines.extend(file.map(|file| format!("{what:10} {}", file.display())));
        };
        line("picture", written.picture);
        line("animation", written.animation);
        line("latents", Some(written.latents));
        line("numbers", Some(numbers));
        if !discrete.is_empty() {
            let parts = discrete.join(", ");
            lines.push(match self.discrete {
                Parts::Switch => format!(
                    "{parts}: discrete, and so taken from the nearest point; --discrete blend mixes what the network reads"
                ),
                Parts::Blend => format!(
                    "{parts}: blended to what no latent has, so that the file of latents has the points alone"
                ),
            });
        }
        let (run, file) = (self.run.display().to_string(), written.latents.display().to_string());
        lines.push(format!(
            "next: gan-cli sample {} --latents {} --labels",
            tables::quoted(&run),
            tables::quoted(&file)
        ));
        print(&lines.join("\n"))
    }
}

/// Writes the pictures that are wanted; returns their files, the still one first.
fn write_pictures(
    pictures: &Pictures,
    path: &Path,
    points: &[String],
    images: &[Image],
) -> anyhow::Result<(Option<PathBuf>, Option<PathBuf>)> {
    let picture = pictures.file("", Kind::Png, true);
    if let Some(file) = &picture {
        draw(path, points, images)?.write_png(file)?;
    }
    let animation = pictures.file("", Kind::Gif, true);
    if let Some(file) = &animation {
        write_loop(file, &frames(path, images)?, DELAY)?;
    }
    Ok((picture, animation))
}

fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Strip => "strip",
        Shape::Triangle => "triangle",
        Shape::Loop => "loop",
    }
}

/// `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// The picture: α over a strip's images, the points beside a loop's rows.
fn draw(path: &Path, points: &[String], images: &[Image]) -> anyhow::Result<Image> {
    let mut rows: Vec<Vec<Image>> = Vec::with_capacity(path.rows.len());
    let mut rest = images;
    for &n in &path.rows {
        let (row, others) = rest.split_at(n.min(rest.len()));
        rows.push(row.to_vec());
        rest = others;
    }
    Ok(match path.shape {
        Shape::Triangle => triangle(&rows)?,
        Shape::Strip => {
            let alphas = path.weights.iter().map(|weights| rounded(weights[1]));
            Sheet::new(rows).over_columns(alphas).render()?
        }
        Shape::Loop => Sheet::new(rows).beside_rows(points).render()?,
    })
}

/// A number with at most three digits behind the point.
fn rounded(number: f64) -> String {
    ((number * 1000.0).round() / 1000.0).to_string()
}

/// Each image of an animation, enlarged as in grids.
fn frames(path: &Path, images: &[Image]) -> anyhow::Result<Vec<Image>> {
    let width = images.first().map_or(0, Image::width);
    // Alone in a window an image may be larger than in a grid.
    let scale = 2 * Grid::for_images(1, width).scale;
    Ok(path.round.iter().map(|&i| images[i].enlarged(scale)).collect())
}
