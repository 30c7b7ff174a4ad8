//! `directions`: ways through a latent space along which images change in one respect.

mod shown;
mod sought;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gan_latent::{Sheet, Space, directions, latents};
use gan_models::LatentBatch;

use self::shown::{Report, Table};
use self::sought::Direction;
use super::{print, print_json};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::explored::{Explored, ShownWeights, Start};
use crate::judge::Judge;
use crate::pictures::{png_file, remove_stale};

/// Find directions along which images change in one respect, and what else changes along them
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Directions {
    /// The run folder
    run: PathBuf,
    /// How directions are found
    #[arg(long, value_enum)]
    method: Method,
    /// Directions to find; of attributes the best told ones, unless --attributes names some
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=200))]
    n: u32,
    /// Run of a classifier: what changes along each direction, and for --method attribute what latents show
    #[arg(long, value_name = "RUN", required_if_eq("method", "attribute"))]
    classifier: Option<PathBuf>,
    /// Attributes or classes to find a direction for
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    attributes: Vec<String>,
    /// Attributes that are to stay: only what of a direction is at right angles to theirs
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    hold: Vec<String>,
    /// Latents that directions are found from
    #[arg(long, value_name = "N", default_value_t = USUAL_SAMPLES,
        value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    samples: u32,
    /// Steps of a strip
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(2..=64))]
    steps: u32,
    /// How far strips go to either side, in standard deviations of the latents
    #[arg(long, value_name = "X", default_value_t = 3.0)]
    reach: f64,
    /// Latents over which changes along the directions are averaged
    #[arg(long, value_name = "N", default_value_t = USUAL_JUDGED, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    judged: u32,
    #[command(flatten)]
    start: Start,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// The picture's file, tables and directions beside it; in the run's directions/ unless given
    #[arg(long, value_name = "FILE", value_parser = png_file)]
    out: Option<PathBuf>,
}

/// How directions are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Principal components of the first layer's activations (GANSpace)
    Pca,
    /// Eigenvectors of the first layer's weight (SeFa)
    Factor,
    /// Normals of linear boundaries between latents that a classifier tells apart (InterFaceGAN)
    Attribute,
}

const USUAL_SAMPLES: u32 = 4000;
const USUAL_JUDGED: u32 = 200;

const EXAMPLES: &str = "\
Examples:
  gan-cli directions runs/00001-faces --method factor
  gan-cli directions runs/00001-faces --method pca --n 5 --reach 4 --classifier runs/00003-face-classifier
  gan-cli directions runs/00002-dcgan --method attribute --classifier runs/00003-face-classifier
  gan-cli directions runs/00002-dcgan --method attribute --attributes Smiling,Male --hold Young --classifier runs/00003-face-classifier";

impl Directions {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        self.check()?;
        let explored = Explored::open(&self.run, self.weights, global.device()?)?;
        let space = Space::of(explored.latent())?;
        let judge = match &self.classifier {
            Some(run) => Some(Judge::open(run, &explored)?),
            None => None,
        };
        let faces = self.start.latents(explored.latent(), 1, None, &explored.device)?;
        let mut found = match (self.method, &judge) {
            (Method::Attribute, Some(judge)) => {
                sought::by_attribute(&self, &explored, &space, judge, console)?
            }
            (Method::Factor, _) => sought::by_factor(&self, &explored, &space)?,
            _ => sought::by_activations(&self, &explored, &space, &faces, console)?,
        };
        let table = match &judge {
            Some(judge) => Some(self.leaks(&explored, &space, judge, &found, console)?),
            None => None,
        };
        if let (Some(table), true) = (&table, self.method != Method::Attribute) {
            table.name(&mut found);
        }
        let out = self.out.clone().unwrap_or_else(|| {
            explored.run.root().join("directions").join(shown::file_name(&self) + ".png")
        });
        self.draw(&explored, &space, &faces, &found, &out)?;
        let names: Vec<String> = found.iter().map(|d| d.name.clone()).collect();
        let vectors: Vec<Vec<f64>> = found.iter().map(|d| d.vector.clone()).collect();
        directions::write(&space, &names, &vectors, &out.with_extension("safetensors"))?;
        match &table {
            Some(table) => table.write(&names, &out)?,
            None => remove_stale(shown::leaks_paths(&out))?,
        }
        let report = Report::new(&self, space.left_out(), &found, table.as_ref());
        explored.run.write_json(&out.with_extension("json"), &report)?;
        if global.json {
            return print_json(&serde_json::json!({
                "out": out, "numbers": out.with_extension("json"),
                "directions": out.with_extension("safetensors"),
                "faces": (0..faces.len()).map(|i| shown::face_path(&out, i)).collect::<Vec<_>>(),
                "leaks": table.as_ref().map(|_| shown::leaks_paths(&out)),
                "checkpoint": explored.path, "found": report,
            }));
        }
        print(&report.summary(&out, &self.run))
    }

    /// What was typed that cannot be.
    fn check(&self) -> Result<(), UsageError> {
        if !(self.reach.is_finite() && self.reach > 0.0) {
            return Err(UsageError(format!("--reach is {}, expected more than 0", self.reach)));
        }
        let of_attributes = [("--attributes", &self.attributes), ("--hold", &self.hold)];
        for (option, names) in of_attributes {
            if !names.is_empty() && self.method != Method::Attribute {
                let reason = "is for --method attribute: the others find what nobody named";
                return Err(UsageError(format!("{option} {reason}")));
            }
        }
        if let Some(both) = self.attributes.iter().find(|name| self.hold.contains(name)) {
            return Err(UsageError(format!(
                "{both} cannot change and stay: --attributes and --hold name it"
            )));
        }
        Ok(())
    }

    /// How much everything that the classifier knows moves along each direction.
    fn leaks(
        &self,
        explored: &Explored,
        space: &Space,
        judge: &Judge,
        found: &[Direction],
        console: &Console,
    ) -> anyhow::Result<Table> {
        let n = self.judged as usize;
        let latents = self.start.latents(explored.latent(), n, None, &explored.device)?;
        // Those that are shown may be few.
        let latents = match self.start.indices.is_empty() {
            true => latents,
            false => Start { indices: Vec::new(), ..self.start.clone() }.latents(
                explored.latent(),
                n,
                None,
                &explored.device,
            )?,
        };
        let vectors: Vec<Vec<f64>> = found.iter().map(|d| d.vector.clone()).collect();
        let line = console.progress("moving along", (2 * vectors.len() * latents.len()) as u64);
        let changes = directions::leaks(
            &explored.generator,
            (space, &latents),
            (&vectors, self.reach),
            &judge.names,
            |images| judge.look(images),
            |done| line.set(done as u64, ""),
        )?;
        Ok(Table { classifier: judge.run.clone(), latents: latents.len(), changes })
    }

    /// Writes the strips of each face.
    fn draw(
        &self,
        explored: &Explored,
        space: &Space,
        faces: &LatentBatch,
        found: &[Direction],
        out: &std::path::Path,
    ) -> anyhow::Result<()> {
        let amounts = directions::amounts(self.steps as usize, self.reach);
        let vectors: Vec<Vec<f64>> = found.iter().map(|d| d.vector.clone()).collect();
        for i in 0..faces.len() {
            let face = latents::select(faces, &[i])?;
            let rows = directions::strips(&explored.generator, space, &face, &vectors, &amounts)?;
            let over = amounts.iter().map(shown::amount);
            let sheet =
                Sheet::new(rows).over_columns(over).beside_rows(found.iter().map(|d| &d.name));
            sheet.render()?.write_png(&shown::face_path(out, i))?;
        }
        let further = (faces.len()..).map(|i| shown::face_path(out, i));
        Ok(remove_stale(further.take_while(|path| path.is_file()))?)
    }
}
