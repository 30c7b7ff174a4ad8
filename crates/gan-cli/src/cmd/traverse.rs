//! `traverse`: what single dimensions of a latent do.

mod chosen;
mod moved;
mod ranked;
mod view;

use std::path::{Path, PathBuf};

use clap::Args;
use gan_core::file;
use gan_latent::{EntryEffect, latents};
use serde::Serialize;

use self::chosen::Chosen;
use self::moved::Moved;
use self::ranked::{LATENTS, PROTOCOL};
use self::view::{Faces, View};
use super::{print, print_json, tables};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::explored::{Explored, ShownWeights, Start};
use crate::judge::Judge;
use crate::pictures::{Kind, Pictures};
use crate::words::Words;

/// Change single dimensions of a latent, and rank them by what they change
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Traverse {
    /// The run folder
    run: PathBuf,
    /// The latent's part; all of them unless given (gan-cli info RUN lists them)
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Its dimensions, by number or name: 0-15, 3,7, Smiling,Male; those that change most unless given
    #[arg(long, value_name = "I,J-K,…", value_delimiter = ',')]
    dims: Vec<String>,
    /// Values that they take: -2,0,2; all there are, or nine over the range, unless given
    #[arg(long, value_name = "X,Y,…", value_delimiter = ',', allow_hyphen_values = true)]
    values: Vec<f32>,
    /// Number of faces: 1 sheet of numbers and levels, 10 columns of classes and attributes, 64 faces of the gradual walk
    /// through bits, unless given
    #[arg(long, value_name = "N", conflicts_with = "indices")]
    faces: Option<usize>,
    /// Run of a classifier: which attributes or classes move with each dimension, and how many at once
    #[arg(long, value_name = "RUN")]
    classifier: Option<PathBuf>,
    /// Latents over which what the classifier sees is averaged
    #[arg(long, value_name = "N", default_value_t = LATENTS as u32, requires = "classifier",
        value_parser = clap::value_parser!(u32).range(2..=100_000))]
    judged: u32,
    #[command(flatten)]
    start: Start,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// A .png or a .gif, which begins the name of each where there are several; in the run's traversed/ unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Faces that are shown at most.
const MOST_FACES: usize = 256;
/// Rows of the ranking that are printed.
const PRINTED: usize = 12;

const EXAMPLES: &str = "\
Examples:
  gan-cli traverse runs/00001-faces
  gan-cli traverse runs/00002-dcgan-levels --part levels --dims 0-15 --faces 3
  gan-cli traverse runs/00002-dcgan-levels --classifier runs/00006-face-classifier
  gan-cli traverse runs/00002-dcgan-levels --part u --indices 7 --values=-2,0,2
  gan-cli traverse runs/00003-dcgan-binary --part bits --out walk.gif
  gan-cli traverse runs/00004-infogan-2x10 --part code
  gan-cli traverse runs/00005-cgan --part attributes --dims Smiling,Male --indices 3,8";

/// What stands beside the pictures as JSON.
#[derive(Serialize)]
struct Written<'a> {
    views: Vec<Shown>,
    /// Largest first.
    ranking: &'a [EntryEffect],
    ranking_protocol: &'static str,
    ranking_latents: usize,
    ranking_seed: u64,
    ranking_csv: &'a Path,
    /// What a classifier sees, if there is one.
    moves: Option<&'a Moved>,
    checkpoint: &'a Path,
    images_seen: u64,
}

/// A view and its files. The latent of row r and column c has the index `r · columns + c` in the file of latents.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    view: view::Described,
    picture: Option<PathBuf>,
    animation: Option<PathBuf>,
    latents: PathBuf,
}

impl Traverse {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        self.check()?;
        let explored = Explored::open(&self.run, self.weights, global.device()?)?;
        let chosen = Chosen::new(explored.latent(), self.part.as_deref(), &self.dims)?;
        self.check_values(&chosen)?;
        let judge = match &self.classifier {
            Some(run) => Some(Judge::open(run, &explored)?),
            None => None,
        };
        // Before anything is made, so that a wrong name costs no time.
        let pictures =
            Pictures::new(self.out.as_deref(), &explored.run, "traversed", &self.words())?;
        let ranking = ranked::rank(&explored, &chosen, self.start.seed, console)?;
        let of = |judge| {
            let (seed, n) = (self.start.seed, self.judged as usize);
            Moved::find(&explored, judge, &ranking, (seed, n), console)
        };
        let mut moved = judge.as_ref().map(of).transpose()?;
        let faces = Faces { start: &self.start, number: self.faces };
        let mut views = Vec::new();
        for part in &chosen.parts {
            views.extend(view::of_part(&explored, part, &chosen, &self.values, &ranking, &faces)?);
        }
        let alone = views.len() == 1;
        let shown = views
            .into_iter()
            .map(|view| show(view, &explored, &pictures, alone, console))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let part = self.part.as_deref().filter(|_| self.out.is_none()).unwrap_or_default();
        let (csv, json) = (pictures.beside(part, "csv"), pictures.beside(part, "json"));
        file::write_bytes(&csv, ranked::csv(&ranking).as_bytes())?;
        if let Some(moved) = &mut moved {
            moved.write(pictures.beside(part, "moves.csv"), pictures.beside(part, "moves.png"))?;
        }
        let written = Written {
            views: shown,
            ranking: &ranking,
            ranking_protocol: PROTOCOL,
            ranking_latents: LATENTS,
            ranking_seed: self.start.seed,
            ranking_csv: &csv,
            moves: moved.as_ref(),
            checkpoint: &explored.path,
            images_seen: explored.checkpoint.header.images_seen,
        };
        file::write_json(&json, &written)?;
        if global.json {
            return print_json(&serde_json::to_value(&written)?);
        }
        self.tell(&written, &json)
    }

    /// What can be said before a run is opened.
    fn check(&self) -> Result<(), UsageError> {
        let faces = self.faces.unwrap_or(self.start.indices.len());
        if self.faces == Some(0) || faces > MOST_FACES {
            return Err(UsageError(format!("{faces} faces, expected 1 to {MOST_FACES}")));
        }
        match self.values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(UsageError(format!("--values has {value}, expected numbers"))),
            None => Ok(()),
        }
    }

    /// Values are of one part, and such as it can have.
    fn check_values(&self, chosen: &Chosen<'_>) -> anyhow::Result<()> {
        if self.values.is_empty() {
            return Ok(());
        }
        let [part] = chosen.parts.as_slice() else {
            let reason = format!("--values needs --part: {}", chosen.names());
            return Err(UsageError(reason).into());
        };
        chosen::check_values(part, &self.values, !self.dims.is_empty())?;
        Ok(())
    }

    /// What decides how the pictures look, beside the part, for their names.
    fn words(&self) -> Words {
        let classifier = self.classifier.as_deref().and_then(Path::file_name);
        Words::default()
            .source(self.start.latents.as_deref(), self.start.seed)
            .list("faces", &self.start.indices)
            .add(self.faces.map(|n| format!("n-{n}")))
            .list("dims", &self.dims)
            .list("values", &self.values)
            .add(classifier.map(|name| format!("seen-by-{}", name.to_string_lossy())))
            .unless(LATENTS, "judged", self.judged as usize)
            .weights(self.weights)
    }

    fn tell(&self, written: &Written<'_>, json: &Path) -> anyhow::Result<()> {
        let mut lines = vec![ranked::table(written.ranking, PRINTED, written.moves), String::new()];
        if let Some(moved) = written.moves {
            lines.extend([moved.table(), String::new()]);
        }
        for Shown { view, picture, animation, latents } in &written.views {
            lines.push(format!("{}: {}", view.name, view.what));
            for file in [picture.as_ref(), animation.as_ref(), Some(latents)].into_iter().flatten()
            {
                lines.push(format!("  {}", file.display()));
            }
        }
        lines.push(format!("ranking: {}, {}", written.ranking_csv.display(), json.display()));
        lines.extend(written.moves.map(Moved::files));
        let run = self.run.display().to_string();
        let run = tables::quoted(&run);
        match (written.ranking.first(), written.views.first()) {
            (Some(strongest), _) if self.dims.is_empty() => lines.push(format!(
                "next: gan-cli traverse {run} --part {} --dims {}",
                strongest.part, strongest.entry
            )),
            (_, Some(view)) => lines.push(format!(
                "next: gan-cli sample {run} --latents {} --labels",
                tables::quoted(&view.latents.display().to_string())
            )),
            _ => {}
        }
        print(&lines.join("\n"))
    }
}

/// Draws a view and writes its files.
fn show(
    view: View,
    explored: &Explored,
    pictures: &Pictures,
    alone: bool,
    console: &Console,
) -> anyhow::Result<Shown> {
    let images = {
        let line = console.progress("traversing", view.cells.latents().len() as u64);
        let name = view.described.name.clone();
        view.cells.images(&explored.generator, |done| line.set(done as u64, &name))?
    };
    // A file that was named is the one picture's.
    let suffix = if alone && pictures.are_named() { "" } else { view.described.name.as_str() };
    let picture = pictures.file(suffix, Kind::Png, true);
    if let Some(file) = &picture {
        view.sheet(&images).render()?.write_png(file)?;
    }
    let animation = pictures.file(suffix, Kind::Gif, view.is_walk());
    if let Some(file) = &animation {
        view.write_gif(&images, file)?;
    }
    let latents = pictures.beside(suffix, "safetensors");
    latents::write(view.cells.latents(), &latents)?;
    Ok(Shown { view: view.described, picture, animation, latents })
}
