//! `arithmetic`: the mean of some latents minus the mean of others, added to a third group.

mod groups;
mod shown;

use std::path::PathBuf;

use clap::Args;
use gan_latent::judged::{Change, changes};
use gan_latent::{Samples, Space, arithmetic, latents, vector};
use gan_models::LatentBatch;
use serde::Serialize;

use self::groups::Groups;
use super::{print, print_json};
use crate::args::{Global, UsageError, existing_file};
use crate::console::Console;
use crate::explored::{Explored, ShownWeights};
use crate::judge::Judge;
use crate::pictures::{png_file, remove_stale};

/// Add the mean of some latents minus the mean of others to a third group
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arithmetic {
    /// The run folder
    run: PathBuf,
    /// Seed of the latents; latent i of a seed is the one that `sample --seed S --labels` shows as i
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Latents to take instead, a file that an earlier command wrote
    #[arg(long, value_name = "FILE", value_parser = existing_file, conflicts_with_all = ["seed", "attribute"])]
    latents: Option<PathBuf>,
    /// Latents whose mean is added, by their index
    #[arg(long, value_name = "I,J,…", value_delimiter = ',', requires_all = ["minus", "apply_to"])]
    plus: Vec<usize>,
    /// Latents whose mean is taken away
    #[arg(long, value_name = "I,J,…", value_delimiter = ',', requires = "plus")]
    minus: Vec<usize>,
    /// Latents to which the difference is added
    #[arg(long, value_name = "I,J,…", value_delimiter = ',', requires = "plus")]
    apply_to: Vec<usize>,
    /// Attribute or class that is added, or with a minus taken away: --classifier picks the groups
    #[arg(long, value_name = "NAME", allow_hyphen_values = true, requires = "classifier",
        conflicts_with_all = ["plus", "minus", "apply_to"], required_unless_present = "plus")]
    attribute: Option<String>,
    /// What the images show before; that they lack the attribute unless given: Blond_Hair
    #[arg(long, value_name = "NAME", allow_hyphen_values = true, requires = "attribute")]
    from: Option<String>,
    /// Run of a classifier, which picks the groups and says what changed
    #[arg(long, value_name = "RUN")]
    classifier: Option<PathBuf>,
    /// Latents that the classifier picks groups from; a quarter as many others are changed and scored
    #[arg(long, value_name = "N", default_value_t = 4000, requires = "attribute",
        value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    samples: u32,
    /// Latents in each group that the classifier picks, at most half of --samples
    #[arg(long, value_name = "N", default_value_t = 10, requires = "attribute",
        value_parser = clap::value_parser!(u32).range(1..))]
    group: u32,
    /// Latents that the picture shows
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=64))]
    n: u32,
    /// How much of the difference is added
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_hyphen_values = true)]
    strength: f64,
    /// Which of the generator's weights
    #[arg(long, value_enum, default_value = "average")]
    weights: ShownWeights,
    /// The picture's file, latents and numbers beside it; in the run's arithmetic/ unless given
    #[arg(long, value_name = "FILE", value_parser = png_file)]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli arithmetic runs/00001-faces --seed 3 --plus 3,7,12 --minus 5,9 --apply-to 1,2
  gan-cli arithmetic runs/00001-faces --plus 4 --minus 3 --apply-to 2       # z2 + z4 - z3
  gan-cli arithmetic runs/00002-dcgan --attribute Smiling --classifier runs/00003-face-classifier
  gan-cli arithmetic runs/00002-dcgan --attribute -Male --classifier runs/00003-face-classifier
  gan-cli arithmetic runs/00002-dcgan --attribute Black_Hair --from Blond_Hair --classifier runs/00003-face-classifier";

/// What is written beside the picture.
#[derive(Serialize)]
struct Report {
    /// Seed of the latents, or the file that they are from.
    seed: Option<u64>,
    latents: Option<PathBuf>,
    #[serde(flatten)]
    groups: Groups,
    strength: f64,
    /// Length of what is added, in standard deviations of a latent's entries.
    length: f64,
    /// The length that groups of these sizes give by chance.
    length_by_chance: f64,
    /// Parts of the latent that keep their values.
    left_out: Vec<String>,
    score: Option<Score>,
}

/// What a classifier says of the changed latents.
#[derive(Serialize)]
struct Score {
    classifier: PathBuf,
    /// Number of latents that were changed and looked at.
    latents: usize,
    /// The attribute that was to change.
    asked: Option<Asked>,
    /// Every answer, those that changed most first.
    changes: Vec<Change>,
}

/// The change that was asked for.
#[derive(Serialize)]
struct Asked {
    /// The attribute, with a minus if it was to go.
    name: String,
    /// Share of the latents whose image shows it before, after, and after a random change of the same length.
    before: f64,
    after: f64,
    control: f64,
}

impl Arithmetic {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        if !self.strength.is_finite() {
            return Err(UsageError("--strength is no finite number".into()).into());
        }
        if self.group > self.samples / 2 {
            return Err(UsageError(format!(
                "--group {} of --samples {}: the strongest and the weakest would be the same latents; expected at most {}",
                self.group,
                self.samples,
                self.samples / 2
            ))
            .into());
        }
        let explored = Explored::open(&self.run, self.weights, global.device()?)?;
        let space = Space::of(explored.latent())?;
        let judge = match &self.classifier {
            Some(run) => Some(Judge::open(run, &explored)?),
            None => None,
        };
        let source = groups::Source::new(&self, &explored)?;
        let groups = match (&self.attribute, &judge) {
            (Some(name), Some(judge)) => source.by_classifier(&self, name, judge, console)?,
            _ => source.by_index(&self)?,
        };
        let of = |indices: &[usize]| source.at(indices);
        let difference =
            arithmetic::mean_difference(&space, &of(&groups.plus)?, &of(&groups.minus)?)?;
        let before = of(&groups.apply_to)?;
        let score = match &judge {
            Some(judge) => {
                let before = (&before, &space, &difference[..]);
                Some(self.score(&explored, judge, &groups, before, console)?)
            }
            None => None,
        };
        let report = self.report(&space, &difference, groups, score);
        let before = before.narrow(0, before.len().min(self.n as usize))?;
        let after = space.shifted(&before, &difference, self.strength)?;
        let out = self.out.clone().unwrap_or_else(|| self.usual_out(&explored));
        self.draw(&explored, &source, &report.groups, [&before, &after], &out)?;
        let (latents_file, numbers) =
            (out.with_extension("safetensors"), out.with_extension("json"));
        latents::write(&after, &latents_file)?;
        explored.run.write_json(&numbers, &report)?;
        if global.json {
            return print_json(&serde_json::json!({
                "out": out, "latents": latents_file, "numbers": numbers,
                "groups": report.groups.attribute.as_ref().map(|_| shown::groups_path(&out)),
                "checkpoint": explored.path, "found": report,
            }));
        }
        print(&shown::summary(&report, &out, &latents_file, &self.run))
    }

    fn report(
        &self,
        space: &Space,
        difference: &[f64],
        groups: Groups,
        score: Option<Score>,
    ) -> Report {
        let by_chance = arithmetic::length_by_chance(space, groups.plus.len(), groups.minus.len());
        Report {
            seed: self.latents.is_none().then_some(self.seed),
            latents: self.latents.clone(),
            strength: self.strength,
            length: vector::length(difference) * self.strength.abs(),
            length_by_chance: by_chance * self.strength.abs(),
            left_out: space.left_out().to_vec(),
            groups,
            score,
        }
    }

    /// What the classifier says before, after, and after a random change of the same length.
    fn score(
        &self,
        explored: &Explored,
        judge: &Judge,
        groups: &Groups,
        (latents, space, difference): (&LatentBatch, &Space, &[f64]),
        console: &Console,
    ) -> anyhow::Result<Score> {
        let after = space.shifted(latents, difference, self.strength)?;
        let before = judge.of(explored, latents, "judging before", console)?;
        let after = judge.of(explored, &after, "judging after", console)?;
        let mut found = changes(&judge.names, &before, &after);
        let asked = match &groups.attribute {
            Some(name) => {
                let (place, wanted) = groups::signed(judge, "--attribute", name)?;
                let length = vector::length(difference);
                let random = arithmetic::random_direction(space, length, self.seed);
                let random = space.shifted(latents, &random, self.strength)?;
                let random = judge.of(explored, &random, "judging a random change", console)?;
                let control = changes(&judge.names, &before, &random);
                let share = |share: f64| if wanted { share } else { 1.0 - share };
                Some(Asked {
                    name: name.clone(),
                    before: share(found[place].before),
                    after: share(found[place].after),
                    control: share(control[place].after),
                })
            }
            None => None,
        };
        found.sort_by(|a, b| b.mean_change.abs().total_cmp(&a.mean_change.abs()));
        let classifier = judge.run.clone();
        Ok(Score { classifier, latents: latents.len(), asked, changes: found })
    }

    /// Writes the picture, and the groups as another where a classifier picked them.
    fn draw(
        &self,
        explored: &Explored,
        source: &groups::Source<'_>,
        groups: &Groups,
        rows: [&LatentBatch; 2],
        out: &std::path::Path,
    ) -> anyhow::Result<()> {
        let images = |latents: &LatentBatch| {
            Ok::<_, anyhow::Error>(
                Samples::generate(&explored.generator, latents.clone(), |_| ())?.images,
            )
        };
        let [before, after] = [images(rows[0])?, images(rows[1])?];
        let terms = [&groups.plus[..], &groups.minus, &groups.apply_to];
        let sheet = match terms {
            // One of each is an equation, all of whose terms can be shown.
            [&[plus], &[minus], &[start]] => {
                let terms = images(&source.at(&[plus, minus])?)?;
                shown::equation([start, plus, minus], before, terms, after, self.strength)
            }
            _ => shown::rows("before", before, "after", after, &groups.apply_to),
        };
        sheet.render()?.write_png(out)?;
        if groups.attribute.is_none() {
            remove_stale([shown::groups_path(out)])?;
        } else {
            let first = |group: &[usize]| source.at(&group[..group.len().min(self.n as usize)]);
            let (plus, minus) = (images(&first(&groups.plus)?)?, images(&first(&groups.minus)?)?);
            let sheet = shown::rows("plus", plus, "minus", minus, &[]);
            sheet.render()?.write_png(&shown::groups_path(out))?;
        }
        Ok(())
    }

    /// Where the picture goes that nobody names: other options, another name.
    fn usual_out(&self, explored: &Explored) -> PathBuf {
        explored.run.root().join("arithmetic").join(shown::file_name(self) + ".png")
    }
}
