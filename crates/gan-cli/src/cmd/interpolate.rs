//! `interpolate`: the images between images.

mod draw;
mod given;
mod lost;
mod made;
mod options;
mod points;
mod way;

use std::path::{Path as FilePath, PathBuf};

use clap::Args;
use gan_core::file;
use gan_latent::interpolate::{Path, Shape, discrete_parts, mix};
use gan_latent::latents;
use serde::Serialize;

use self::draw::Drawn;
use self::given::Given;
use self::lost::Lost;
use self::made::Made;
use self::options::{Along, Parts};
use self::points::Points;
use self::way::Ways;
use super::{print, print_json, tables};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::explored::{Explored, ShownWeights, Start};
use crate::judge::Judge;
use crate::pictures::Pictures;
use crate::words::Words;

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
    /// Pictures to go between, through the encoder of an autoencoder, of a GAN by inversion: files, or images of the run's own data as test:7 and
    /// test:0-63
    #[arg(long, value_name = "FILE|SPLIT:I", num_args = 1.., value_delimiter = ',', value_parser = Given::parse, conflicts_with_all = ["seed", "latents", "indices"])]
    images: Vec<Given>,
    /// The first N latents of --seed or --latents
    #[arg(long, value_name = "N", conflicts_with_all = ["indices", "seeds", "images"])]
    points: Option<usize>,
    /// Images from one point to the next, both among them; nine are at α = 0, 0.125, …, 1
    #[arg(long, value_name = "N", default_value_t = 9)]
    steps: usize,
    /// Along what numbers are interpolated
    #[arg(long, value_enum, default_value = "linear")]
    mode: Along,
    /// What becomes of discrete parts: bits, levels, classes, attributes
    #[arg(long, value_enum, default_value = "switch")]
    discrete: Parts,
    /// From each point to the next and from the last back to the first: eight points unless --points, --indices, --seeds or
    /// --images names others, all of a file
    #[arg(long = "loop")]
    closed: bool,
    /// Let the classifier of this run look at every image: what it sees is written under them, and what lies on the way that
    /// is at neither end is counted
    #[arg(long, value_name = "RUN")]
    classifier: Option<PathBuf>,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// A .png or a .gif; both in the run's interpolated/ unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Points of a loop where nobody says which.
const USUAL_LOOP: usize = 8;
/// Points that are listed by name.
const MOST_LISTED: usize = 16;
/// Points whose weights are written for every image.
const MOST_WEIGHED: usize = 64;
/// Images that are made at most.
const MOST_IMAGES: usize = 4096;

const EXAMPLES: &str = "\
Examples:
  gan-cli interpolate runs/00001-faces
  gan-cli interpolate runs/00001-faces --seed 4 --indices 3,17 --mode slerp --steps 17
  gan-cli interpolate runs/00001-faces --seeds 1,2,3                      a triangle
  gan-cli interpolate runs/00001-faces --loop --indices 0,5,9,12,31 --out walk.gif
  gan-cli interpolate runs/00002-dcgan-levels --discrete blend
  gan-cli interpolate runs/00003-vae --images me.jpg you.png
  gan-cli interpolate runs/00004-mnist-conv --loop --points 64 --classifier runs/00005-digit-classifier
  gan-cli interpolate runs/00006-mnist-vae --loop --images test:0-63 --classifier runs/00005-digit-classifier";

/// What stands beside the picture as JSON.
#[derive(Serialize)]
struct Written<'a> {
    shape: &'static str,
    mode: &'static str,
    discrete: &'static str,
    steps: usize,
    /// What the points are: indices, seeds or files.
    points: &'a [String],
    /// For each image the weight of each point, in the order of the picture; left out where they are many, as those of a loop
    /// are 0 but for two, which go evenly from one to the other.
    #[serde(skip_serializing_if = "are_many")]
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
    #[serde(flatten)]
    ways: &'a Ways,
    /// What was lost of the pictures, where the points are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<&'a [Lost]>,
    /// How their latents were found: encoder or inversion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures_by: Option<&'static str>,
}

impl Interpolate {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        self.check_steps()?;
        let explored = Explored::open(&self.run, self.weights, global.device()?)?;
        let judge = self.judge(&explored)?;
        let judge = judge.as_ref();
        let points = self.points(&explored, global, console)?;
        let path = self.path(points.labels.len())?;
        let pictures = self.pictures(&explored, &points.word)?;
        let mixed = mix(&points.latents, &path.weights, self.mode.into(), self.discrete.into())?;
        let made = Made::of(&explored, &mixed.encoded, judge, console)?;
        let ways = Ways::of(&path, &points.labels, &made, judge, &explored)?;
        let found = points.pictures.as_ref();
        let given = found.map(|found| Made::given(&found.images, judge)).transpose()?;
        let given = given.as_ref();
        let lost = found
            .zip(given)
            .map(|(found, given)| Lost::of(&points, &found.images, given, (&path, &made), judge))
            .transpose()?;
        let labels = &points.labels;
        let drawn = Drawn { path: &path, points: labels, made: &made, given, judge };
        let (picture, animation) = drawn.write(&pictures)?;
        let latents_file = pictures.beside("", "safetensors");
        latents::write(mixed.latents.as_ref().unwrap_or(&points.latents), &latents_file)?;
        let numbers = pictures.beside("", "json");
        let written = Written {
            shape: shape_name(path.shape),
            mode: self.mode.name(),
            discrete: self.discrete.name(),
            steps: self.steps,
            points: labels,
            weights: &path.weights,
            round: &path.round,
            latents_of: if mixed.latents.is_some() { "images" } else { "points" },
            latents: &latents_file,
            picture: picture.as_deref(),
            animation: animation.as_deref(),
            checkpoint: &explored.path,
            images_seen: explored.checkpoint.header.images_seen,
            ways: &ways,
            pictures: lost.as_deref(),
            pictures_by: found.map(|found| found.by),
        };
        file::write_json(&numbers, &written)?;
        if global.json {
            return print_json(&serde_json::to_value(&written)?);
        }
        self.tell(&written, discrete_parts(&points.latents)?, &numbers)
    }

    fn check_steps(&self) -> Result<(), UsageError> {
        if (2..=MOST_IMAGES).contains(&self.steps) {
            return Ok(());
        }
        Err(UsageError(format!("--steps is {}, expected 2 to {MOST_IMAGES}", self.steps)))
    }

    fn judge(&self, explored: &Explored) -> anyhow::Result<Option<Judge>> {
        self.classifier.as_deref().map(|run| Judge::open(run, explored)).transpose()
    }

    fn points(
        &self,
        explored: &Explored,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Points> {
        if !self.images.is_empty() {
            return Points::of_images(&self.images, explored, global, console);
        }
        if let Some(n) = self.points {
            // Too many are refused before they are drawn.
            self.path(n)?;
            return Points::of_first(&self.start, n, explored);
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

    /// Where the pictures go.
    fn pictures(&self, explored: &Explored, points: &str) -> Result<Pictures, UsageError> {
        Pictures::new(self.out.as_deref(), &explored.run, "interpolated", &self.words(points))
    }

    /// What decides how the picture looks, for its name.
    fn words(&self, points: &str) -> Words {
        let classifier = self.classifier.as_deref().and_then(FilePath::file_name);
        Words::default()
            .add([points.to_string()])
            .unless(9, "steps", self.steps)
            .add(self.closed.then(|| "loop".to_string()))
            .add((self.mode == Along::Slerp).then(|| "slerp".to_string()))
            .add((self.discrete == Parts::Blend).then(|| "blend".to_string()))
            .add(classifier.map(|name| format!("seen-by-{}", name.to_string_lossy())))
            .weights(self.weights)
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
        let lost = written.pictures.zip(written.pictures_by);
        lines.extend(lost.map(|(all, by)| Lost::sentence(all, by)));
        lines.extend(written.ways.lines());
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

fn are_many(weights: &&[Vec<f64>]) -> bool {
    weights.first().is_some_and(|of_points| of_points.len() > MOST_WEIGHED)
}

fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Strip => "strip",
        Shape::Triangle => "triangle",
        Shape::Loop => "loop",
    }
}

/// `a and b`, `a, b and c`; of many the first and the last.
fn listed(names: &[String]) -> String {
    match names {
        [first, .., last] if names.len() > MOST_LISTED => {
            format!("{} points, {first} to {last}", names.len())
        }
        [] => String::new(),
        [only] => only.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}
