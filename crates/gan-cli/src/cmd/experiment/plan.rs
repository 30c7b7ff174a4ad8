//! The experiments as they are written in `assets/experiments`: what is trained, then what is looked at.

use anyhow::{Context, ensure};
use gan_train::{Preset, settings};
use serde::{Deserialize, Serialize};

/// One experiment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// A letter.
    #[serde(skip)]
    pub(super) name: &'static str,
    /// What it is about.
    pub(super) title: String,
    /// Images that a training of share 1 sees, unless asked for others.
    pub(super) images: u64,
    /// Options of `prepare` where the experiment has a transform of its own.
    #[serde(default)]
    pub(super) prepare: Option<String>,
    /// Data of its steps.
    pub(super) data: Kind,
    /// In the order in which they are done.
    #[serde(rename = "step")]
    pub(super) steps: Vec<Step>,
}

/// What images are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Faces in color, with attributes.
    Faces,
    /// Gray digits, with classes.
    Digits,
    /// Points in the plane, which are nobody's own.
    Points,
}

impl Kind {
    /// The data that presets name.
    pub(super) fn usual(self) -> &'static str {
        match self {
            Self::Faces => "celeba",
            Self::Digits => "mnist",
            Self::Points => "gaussians-ring",
        }
    }
}

/// One training, or one look at what was trained.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// Its name, and that of the run's folder.
    pub(super) name: String,
    /// What it shows.
    pub(super) what: String,
    /// A preset and settings for `train`.
    #[serde(default)]
    train: Option<String>,
    /// Any other command. `@NAME` is the run of that step, `@data` the data, `{A:B}` a number that shrinks with the
    /// number of images from A to B at least.
    #[serde(default)]
    command: Option<String>,
    /// Images that this training sees, as a share of the experiment's.
    #[serde(default = "whole")]
    share: f64,
    /// Data of this step, where it is other than the experiment's.
    #[serde(default)]
    data: Option<Kind>,
    /// Attributes without which the step makes no sense; `*` for any.
    #[serde(default)]
    pub(super) needs: Vec<String>,
    /// Seconds that a command takes with the usual number of images, as it was measured on two cores.
    #[serde(default)]
    pub(super) seconds: f64,
    /// What of its results is shown.
    #[serde(default)]
    pub(super) numbers: Vec<Number>,
}

fn whole() -> f64 {
    1.0
}

/// A number and where in the results it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Number {
    pub(super) what: String,
    /// A place in the JSON of a command, or `FILE#/place` in a file of a run. A JSON pointer, but for `key=value` in an
    /// array, which is its first element with that value.
    pub(super) at: String,
    /// Whether it is a share, to be read as percent.
    #[serde(default)]
    pub(super) percent: bool,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// So many steps of `train` with these words.
    Train { words: Vec<String>, steps: u64 },
    /// The words of another command.
    Look(Vec<String>),
}

/// All experiments, by letter.
const WRITTEN: [(&str, &str); 10] = [
    ("A", include_str!("../../../../../assets/experiments/a.toml")),
    ("B", include_str!("../../../../../assets/experiments/b.toml")),
    ("C", include_str!("../../../../../assets/experiments/c.toml")),
    ("D", include_str!("../../../../../assets/experiments/d.toml")),
    ("E", include_str!("../../../../../assets/experiments/e.toml")),
    ("F", include_str!("../../../../../assets/experiments/f.toml")),
    ("G", include_str!("../../../../../assets/experiments/g.toml")),
    ("H", include_str!("../../../../../assets/experiments/h.toml")),
    ("I", include_str!("../../../../../assets/experiments/i.toml")),
    ("J", include_str!("../../../../../assets/experiments/j.toml")),
];

impl Plan {
    /// The letters that there are.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        WRITTEN.iter().map(|(name, _)| *name)
    }

    /// The experiment of a letter, large or small.
    pub(super) fn find(name: &str) -> Option<anyhow::Result<Self>> {
        let (name, text) = WRITTEN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let read = || -> anyhow::Result<Self> {
            let mut plan: Self = toml::from_str(text)?;
            plan.name = name;
            Ok(plan)
        };
        Some(read().with_context(|| format!("experiment {name}")))
    }

    /// How much is left of what is usual where a training sees `images`; 1 at most.
    pub(super) fn scale(&self, images: u64) -> f64 {
        (images as f64 / self.images as f64).min(1.0)
    }

    /// Data of a step.
    pub(super) fn kind(&self, step: &Step) -> Kind {
        step.data.unwrap_or(self.data)
    }
}

impl Step {
    /// Whether it trains.
    pub(super) fn trains(&self) -> bool {
        self.train.is_some()
    }

    /// Steps whose runs it looks at.
    pub(super) fn uses(&self) -> impl Iterator<Item = &str> {
        let words = self.command.iter().chain(&self.train).flat_map(|text| text.split_whitespace());
        let names = words.filter_map(|word| word.strip_prefix('@'));
        names.map(|name| name.split_once('/').map_or(name, |(name, _)| name))
    }

    /// What it does where the experiment sees `images`, scaled by `scale`; `place` says what `@NAME` stands for.
    pub(super) fn action(
        &self,
        images: u64,
        scale: f64,
        place: &dyn Fn(&str) -> String,
    ) -> anyhow::Result<Action> {
        let filled = |text: &str| -> anyhow::Result<Vec<String>> {
            text.split_whitespace().map(|word| fill(word, scale, place)).collect()
        };
        match (&self.train, &self.command) {
            (Some(train), None) => {
                let words = filled(train)?;
                let steps = steps_for(&words, images as f64 * self.share)?;
                Ok(Action::Train { words, steps })
            }
            (None, Some(command)) => Ok(Action::Look(filled(command)?)),
            _ => anyhow::bail!("step {}: expected either train or command", self.name),
        }
    }
}

/// Training steps in which the preset and settings of `words` see so many images.
fn steps_for(words: &[String], images: f64) -> anyhow::Result<u64> {
    let preset = words.first().context("a preset")?;
    let set = words.windows(2).filter(|pair| pair[0] == "--set");
    let typed: Vec<String> = set.map(|pair| pair[1].clone()).collect();
    let config = settings::apply(&Preset::find(preset)?.config()?, &typed)?;
    Ok(((images / config.training.batch_size as f64).round() as u64).max(1))
}

/// A word with what its `@NAME` and `{A:B}` stand for.
fn fill(word: &str, scale: f64, place: &dyn Fn(&str) -> String) -> anyhow::Result<String> {
    if let Some(rest) = word.strip_prefix('@') {
        // A file of a run: @vae/plots/losses.png.
        let (name, file) = rest.split_once('/').map_or((rest, None), |(name, f)| (name, Some(f)));
        let folder = place(name);
        return Ok(file.map_or(folder.clone(), |file| format!("{folder}/{file}")));
    }
    let Some((before, usual, least, after)) = range(word) else { return Ok(word.into()) };
    ensure!(least <= usual, "{word}: {least} is more than {usual}");
    Ok(format!("{before}{}{after}", (usual * scale).round().max(least)))
}

/// The numbers of a `{A:B}` in a word, and what is around it. Braces that TOML needs are none.
fn range(word: &str) -> Option<(&str, f64, f64, &str)> {
    let (before, rest) = word.split_once('{')?;
    let (range, after) = rest.split_once('}')?;
    let (usual, least) = range.split_once(':')?;
    Some((before, usual.parse().ok()?, least.parse().ok()?, after))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    fn place(name: &str) -> String {
        format!("/x y/{name}")
    }

    #[test]
    fn every_experiment_is_whole_and_its_commands_can_be_typed() -> anyhow::Result<()> {
        for name in Plan::names() {
            let plan = Plan::find(name).context("there")??;
            let mut known: Vec<&str> = vec!["data"];
            for step in &plan.steps {
                let about = format!("{name} {}", step.name);
                for asked in step.uses() {
                    assert!(known.contains(&asked), "{about}: {asked} is not there yet");
                }
                let words = match step.action(plan.images, 1.0, &place)? {
                    Action::Train { words, steps } => {
                        assert!(steps > 30, "{about}: {steps}");
                        assert!(step.seconds == 0.0, "{about}: the time of training is measured");
                        [vec!["train".into()], words].concat()
                    }
                    Action::Look(words) => {
                        assert!(step.seconds > 0.0, "{about}: says how long it takes");
                        words
                    }
                };
                let line = std::iter::once("gan-cli".to_string()).chain(words);
                // A file has to be there when it is typed.
                if let Err(error) = Cli::try_parse_from(line)
                    && !error.to_string().contains("there is no such file")
                {
                    panic!("{about}: {error}");
                }
                assert!(!known.contains(&step.name.as_str()), "{about}: there twice");
                let own = step.data.is_none_or(|kind| kind == plan.data);
                assert!(step.needs.is_empty() || own, "{about}: needs attributes of other data");
                known.push(&step.name);
            }
        }
        assert!(Plan::find("k").is_none());
        Ok(())
    }

    #[test]
    fn words_are_filled() -> anyhow::Result<()> {
        let filled = |word: &str, scale| fill(word, scale, &place);
        assert_eq!(filled("@vae", 1.0)?, "/x y/vae");
        assert_eq!(filled("@vae/a/b.png", 1.0)?, "/x y/vae/a/b.png");
        assert_eq!(filled("{100:8}", 0.25)?, "25");
        assert_eq!(filled("0-{100:8}", 0.01)?, "0-8");
        assert_eq!(filled("Male", 0.5)?, "Male");
        assert_eq!(filled("latent=[{size=3}]", 0.5)?, "latent=[{size=3}]");
        assert!(filled("{8:100}", 1.0).is_err());
        Ok(())
    }

    #[test]
    fn steps_see_the_images_that_are_asked_for() -> anyhow::Result<()> {
        let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
        assert_eq!(steps_for(&words("dcgan"), 128_000.0)?, 1000);
        assert_eq!(steps_for(&words("dcgan --set training.batch_size=64"), 128_000.0)?, 2000);
        assert_eq!(steps_for(&words("dcgan"), 3.0)?, 1);
        Ok(())
    }
}
