//! Doing an experiment's steps: each is a command of the program, as a person would type it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use gan_core::RunDir;
use gan_train::Outcome;
use serde_json::Value;

use super::ahead::{Ahead, Expected};
use super::found;
use super::named::Named;
use super::plan::{Action, Plan, Step};
use super::record::{Done, Record};
use super::standing::{self, Standing};
use crate::args::{Cli, Global, UsageError};
use crate::cmd::{kept, tables};
use crate::console::Console;
use crate::data::{self, Located};

/// An experiment under way.
pub(super) struct Work<'a> {
    pub(super) plan: &'a Plan,
    pub(super) folder: &'a Path,
    pub(super) data: Named,
    pub(super) record: Record,
    pub(super) global: &'a Global,
    pub(super) console: &'a Console,
}

/// Name of the step that prepares the experiment's own data.
const OWN_DATA: &str = "data";

impl Work<'_> {
    /// Folder of a step's run, or of the prepared data.
    fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// How the experiment prepares data of its own, if it does.
    fn prepares(&self) -> Option<&str> {
        let raw = || matches!(data::locate(self.plan.data.usual()), Ok(Located::Raw(_)));
        let own = self.data.of(self.plan.data).is_none();
        self.plan.prepare.as_deref().filter(|_| own && raw())
    }

    /// The data of a step, where it is not what the preset names.
    fn data_of(&self, step: &Step) -> Option<String> {
        let kind = self.plan.kind(step);
        let own = (self.prepares().is_some() && kind == self.plan.data)
            .then(|| self.place(OWN_DATA).display().to_string());
        self.data.of(kind).cloned().or(own)
    }

    /// The command that a step is, and how many steps a training has.
    fn command_of(&self, step: &Step) -> anyhow::Result<(Vec<String>, u64)> {
        let folder = |name: &str| self.place(name).display().to_string();
        self.filled(step, &folder)
    }

    /// What a step is made by, wherever the experiment's folder is.
    fn key_of(&self, step: &Step) -> anyhow::Result<String> {
        Ok(line(&self.filled(step, &|name: &str| format!("@{name}"))?.0))
    }

    fn filled(
        &self,
        step: &Step,
        folder: &dyn Fn(&str) -> String,
    ) -> anyhow::Result<(Vec<String>, u64)> {
        let given = self.data_of(step);
        let data = || given.clone().unwrap_or_else(|| self.plan.kind(step).usual().to_string());
        let place = |name: &str| if name == OWN_DATA { data() } else { folder(name) };
        let images = self.record.asked.images;
        Ok(match step.action(images, self.plan.scale(images), &place)? {
            Action::Look(words) => (words, 0),
            Action::Train { words, steps } => {
                let seed = self.record.asked.seed.to_string();
                let mut all = vec!["train".into()];
                all.extend(words);
                all.extend(["--steps".into(), steps.to_string(), "--seed".into(), seed]);
                all.extend(["--out".into(), folder(&step.name)]);
                let named = all.iter().any(|word| word == "--data");
                if let Some(data) = given.filter(|_| !named) {
                    all.extend(["--data".into(), data]);
                }
                (all, steps)
            }
        })
    }

    /// What is not done yet, with the time that it will take.
    pub(super) fn ahead(&self) -> anyhow::Result<Ahead> {
        let scale = self.plan.scale(self.record.asked.images);
        let mut ahead = Ahead { steps: Vec::new(), done: 0 };
        let (mut left_out, mut to_train) = (Vec::new(), Vec::new());
        for step in &self.plan.steps {
            if self.lacking(step, &left_out).is_some() {
                left_out.push(step.name.as_str());
                continue;
            }
            let (words, steps) = self.command_of(step)?;
            let is_stale = step.uses().any(|name| to_train.contains(&name));
            let done = self.record.done(&step.name, &self.key_of(step)?).is_some() && !is_stale;
            let seconds = match step.trains() {
                true => match Standing::of(&self.place(&step.name), steps)? {
                    Standing::Finished => None,
                    standing => {
                        to_train.push(step.name.as_str());
                        Some(standing.left() * self.measured(step, &words)?)
                    }
                },
                false => Some((step.seconds * scale).max(1.0)).filter(|_| !done),
            };
            let Some(seconds) = seconds else {
                ahead.done += 1;
                continue;
            };
            let (name, what) = (step.name.clone(), step.what.clone());
            let (command, trains) = (line(&words), step.trains());
            ahead.steps.push(Expected { name, what, command, seconds, trains });
        }
        Ok(ahead)
    }

    /// Seconds that a whole training takes, from a few of its steps.
    fn measured(&self, step: &Step, words: &[String]) -> anyhow::Result<f64> {
        let mut words = words.to_vec();
        let own = self.place(OWN_DATA).display().to_string();
        if words.last() == Some(&own) && !Path::new(&own).exists() {
            // Not prepared yet: the preset's data is as large.
            words.truncate(words.len() - 2);
        }
        words.push("--dry-run".into());
        tracing::info!("measuring how fast {} is", step.name);
        // Each would say again what the data is.
        let silently = tracing::subscriber::NoSubscriber::default();
        let (_, result) = tracing::subscriber::with_default(silently, || self.command(&words))?;
        let seconds = result.pointer("/seconds").and_then(Value::as_f64);
        seconds.with_context(|| format!("{}: no estimate", step.name))
    }

    /// Does what is left, step by step.
    pub(super) fn run(&mut self, stop: &AtomicBool) -> anyhow::Result<Outcome> {
        self.record.steps.retain(|done| self.plan.steps.iter().any(|s| s.name == done.name));
        self.record.write(self.folder)?;
        if let Some(options) = self.prepares() {
            let mut words = vec!["prepare".to_string(), self.plan.data.usual().into()];
            words.extend(options.split_whitespace().map(str::to_string));
            words.extend(["--out".into(), self.place(OWN_DATA).display().to_string()]);
            self.command(&words).context("preparing the experiment's data")?;
        }
        let total = self.plan.steps.len();
        for (i, step) in self.plan.steps.iter().enumerate() {
            self.console.log_to(&self.folder.join("log.txt"))?;
            let named = format!("step {} of {total}, {}: {}", i + 1, step.name, step.what);
            let Some(done) = self.step(step, &named)? else { return Ok(Outcome::Interrupted) };
            self.record.add(done);
            self.record.write(self.folder)?;
            if stop.load(Ordering::Relaxed) {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    /// Does a step, unless it is done; `None` if it was interrupted.
    fn step(&mut self, step: &Step, named: &str) -> anyhow::Result<Option<Done>> {
        let ((words, steps), key) = (self.command_of(step)?, self.key_of(step)?);
        let left_out: Vec<&str> = self.record.left_out().collect();
        if let Some(reason) = self.lacking(step, &left_out) {
            return Ok(Some(Done { left_out: Some(reason), ..Done::of(step, &words, key) }));
        }
        let before = self.record.done(&step.name, &key).cloned();
        let done = if step.trains() {
            let standing = Standing::of(&self.place(&step.name), steps)?;
            if let (Standing::Finished, Some(before)) = (standing, before) {
                return Ok(Some(before));
            }
            tracing::info!("{named}");
            self.train(step, &words, standing)
        } else {
            if before.is_some() {
                return Ok(before);
            }
            tracing::info!("{named}");
            self.look(step, &words).map(Some)
        };
        Ok(match done {
            Ok(done) => done.map(|done| Done { key, ..done }),
            Err(error) => {
                // A weak generator shows too little for some looks, and one of several losses may diverge: the others go on.
                let reason = format!("{error:#}");
                tracing::warn!("step {} failed: {reason}", step.name);
                let left_out = Some(reason);
                Some(Done { failed: true, left_out, ..Done::of(step, &words, key) })
            }
        })
    }

    /// Why a step makes no sense here: what the data lacks, or runs that were left out.
    fn lacking(&self, step: &Step, left_out: &[&str]) -> Option<String> {
        if let Some(run) = step.uses().find(|name| left_out.contains(name)) {
            return Some(format!("there is no {run}"));
        }
        let known = &self.data.attributes;
        let is_lacking = |wanted: &&String| match wanted.as_str() {
            "*" => known.is_empty(),
            _ => !known.contains(wanted),
        };
        let lacking: Vec<&str> = step
            .needs
            .iter()
            .filter(is_lacking)
            .map(|wanted| if wanted == "*" { "attributes" } else { wanted })
            .collect();
        (!lacking.is_empty()).then(|| format!("the data has no {}", lacking.join(", ")))
    }

    /// Trains, or goes on training; `None` if it was interrupted.
    fn train(
        &mut self,
        step: &Step,
        words: &[String],
        standing: Standing,
    ) -> anyhow::Result<Option<Done>> {
        let root = self.place(&step.name);
        if standing != Standing::Finished {
            // Looks at what was there before this training say nothing of what comes now.
            self.forget_looks_at(&step.name);
            self.record.write(self.folder)?;
            if standing == Standing::New {
                standing::clear(&root)?;
            }
            let again = resumed(words);
            let words = if standing == Standing::New { words } else { &again };
            let (outcome, _) = self.command(words)?;
            if outcome == Outcome::Interrupted {
                return Ok(None);
            }
        }
        let run = RunDir::open(&root)?;
        let (mut numbers, ailments) = found::of_training(&run)?;
        numbers.extend(found::numbers(&step.numbers, &Value::Null, Some(&run)));
        Ok(Some(Done {
            seconds: run.read_info()?.seconds,
            ailments,
            numbers,
            files: self.inside(found::files_of(&run)?),
            ..Done::of(step, words, String::new())
        }))
    }

    fn forget_looks_at(&mut self, run: &str) {
        let looks: Vec<&str> = self
            .plan
            .steps
            .iter()
            .filter(|step| step.uses().any(|name| name == run))
            .map(|step| step.name.as_str())
            .collect();
        self.record.steps.retain(|done| !looks.contains(&done.name.as_str()));
    }

    /// Any other command.
    fn look(&self, step: &Step, words: &[String]) -> anyhow::Result<Done> {
        let start = Instant::now();
        let (_, result) = self.command(words)?;
        Ok(Done {
            seconds: start.elapsed().as_secs_f64(),
            numbers: found::numbers(&step.numbers, &result, None),
            files: self.inside(found::files_in(&result)),
            ..Done::of(step, words, String::new())
        })
    }

    /// Files as seen from the experiment's folder.
    fn inside(&self, files: Vec<PathBuf>) -> Vec<PathBuf> {
        let shorter =
            |file: PathBuf| file.strip_prefix(self.folder).map(Path::to_path_buf).unwrap_or(file);
        files.into_iter().map(shorter).collect()
    }

    /// Runs a command in this program, and has its result.
    fn command(&self, words: &[String]) -> anyhow::Result<(Outcome, Value)> {
        let typed = std::iter::once("gan-cli").chain(words.iter().map(String::as_str));
        let cli = Cli::try_parse_from(typed).map_err(|e| UsageError(e.to_string()))?;
        let global = Global { json: true, typed: words.to_vec(), ..self.global.clone() };
        let (outcome, printed) = kept(|| cli.command.run(&global, self.console))?;
        let result = printed.last().and_then(|text| serde_json::from_str(text).ok());
        Ok((outcome, result.unwrap_or_default()))
    }
}

impl Done {
    /// A step of which nothing is known yet.
    fn of(step: &Step, words: &[String], key: String) -> Self {
        Self {
            name: step.name.clone(),
            what: step.what.clone(),
            command: line(words),
            key,
            seconds: 0.0,
            left_out: None,
            failed: false,
            ailments: Vec::new(),
            numbers: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// A command as a person types it.
fn line(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| tables::quoted(word)).collect();
    format!("gan-cli {}", quoted.join(" "))
}

/// The command that continues a training.
fn resumed(words: &[String]) -> Vec<String> {
    let value = |option: &str| value_of(words, option).unwrap_or_default().to_string();
    ["train", "--resume", &value("--out"), "--steps", &value("--steps")].map(String::from).to_vec()
}

fn value_of<'a>(words: &'a [String], option: &str) -> Option<&'a str> {
    let place = words.iter().position(|word| word == option)?;
    words.get(place + 1).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_is_continued_by_its_folder_and_total() {
        let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
        let begun = words("train dcgan --set seed=1 --steps 782 --seed 0 --out a/b --data celeba");
        assert_eq!(resumed(&begun), words("train --resume a/b --steps 782"));
        assert_eq!(value_of(&begun, "--none"), None);
        assert_eq!(line(&words("sample x")), "gan-cli sample x");
    }
}
