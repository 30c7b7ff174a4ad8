//! Doing an experiment's steps: each is a command of the program, as a person would type it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use gan_core::RunDir;
use gan_core::run::Status;
use gan_train::Outcome;
use serde_json::Value;

use super::ahead::{Ahead, Expected};
use super::found;
use super::named::{Named, open};
use super::plan::{Action, Plan, Step};
use super::record::{Done, Record};
use crate::args::{Cli, Global, UsageError};
use crate::cmd::{kept, tables};
use crate::console::Console;

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

    /// Whether the experiment prepares data of its own.
    fn prepares(&self) -> Option<&str> {
        self.plan.prepare.as_deref().filter(|_| self.data.of(self.plan.data).is_none())
    }

    /// The data of a step, where it is not what the preset names.
    fn data_of(&self, step: &Step) -> Option<String> {
        let kind = self.plan.kind(step);
        let own = (self.prepares().is_some() && kind == self.plan.data)
            .then(|| self.place(OWN_DATA).display().to_string());
        self.data.of(kind).cloned().or(own)
    }

    /// What a step does, its words filled in.
    fn action(&self, step: &Step) -> anyhow::Result<Action> {
        let place = |name: &str| -> anyhow::Result<String> {
            if name == "data" {
                let usual = || self.plan.kind(step).usual().to_string();
                return Ok(self.data_of(step).unwrap_or_else(usual));
            }
            Ok(self.place(name).display().to_string())
        };
        let images = self.record.asked.images;
        step.action(images, self.plan.scale(images), &place)
    }

    /// The command that a step is.
    fn words(&self, step: &Step) -> anyhow::Result<Vec<String>> {
        Ok(match self.action(step)? {
            Action::Look(words) => words,
            Action::Train { words, steps } => {
                let out = self.place(&step.name).display().to_string();
                let seed = self.record.asked.seed.to_string();
                let mut all = vec!["train".into()];
                all.extend(words);
                all.extend(["--steps".into(), steps.to_string(), "--seed".into(), seed]);
                all.extend(["--out".into(), out]);
                let named = all.iter().any(|word| word == "--data");
                if let Some(data) = self.data_of(step).filter(|_| !named) {
                    all.extend(["--data".into(), data]);
                }
                all
            }
        })
    }

    /// What is not done yet, with the time that it will take.
    pub(super) fn ahead(&self) -> anyhow::Result<Ahead> {
        let scale = self.plan.scale(self.record.asked.images);
        let mut ahead = Ahead { steps: Vec::new(), done: 0 };
        for step in &self.plan.steps {
            let words = self.words(step)?;
            let command = line(&words);
            let left = match self.run_of(step) {
                _ if self.record.done(&step.name, &command).is_some() => 0.0,
                Some(run) => part_left(&run, &words),
                None => 1.0,
            };
            if left == 0.0 {
                ahead.done += 1;
                continue;
            }
            let seconds = match step.trains() {
                true => left * self.measured(step, &words)?,
                false => (step.seconds * scale).max(1.0),
            };
            let (name, what) = (step.name.clone(), step.what.clone());
            let trains = step.trains();
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
        let line = self.console.progress("measuring the speed of", 1);
        line.set(0, &step.name);
        // Each would say again what the data is.
        let silently = tracing::subscriber::NoSubscriber::default();
        let (_, result) = tracing::subscriber::with_default(silently, || self.command(&words))?;
        let seconds = result.pointer("/seconds").and_then(Value::as_f64);
        seconds.with_context(|| format!("{}: no estimate", step.name))
    }

    /// The run of a training that was begun.
    fn run_of(&self, step: &Step) -> Option<RunDir> {
        step.trains().then(|| RunDir::open(&self.place(&step.name)).ok()).flatten()
    }

    /// Does what is left, step by step.
    pub(super) fn run(&mut self, stop: &AtomicBool) -> anyhow::Result<Outcome> {
        fs_err::create_dir_all(self.folder)?;
        self.record.write(self.folder)?;
        if let Some(options) = self.prepares() {
            let mut words = vec!["prepare".to_string(), self.plan.data.usual().into()];
            words.extend(options.split_whitespace().map(str::to_string));
            words.extend(["--out".into(), self.place(OWN_DATA).display().to_string()]);
            self.command(&words).context("preparing the experiment's data")?;
        }
        let total = self.plan.steps.len();
        for (i, step) in self.plan.steps.iter().enumerate() {
            let words = self.words(step)?;
            let command = line(&words);
            if !step.trains() && self.record.done(&step.name, &command).is_some() {
                continue;
            }
            self.console.log_to(&self.folder.join("log.txt"))?;
            tracing::info!("step {} of {total}, {}: {}", i + 1, step.name, step.what);
            let done = match self.lacking(step)? {
                Some(reason) => Some(Done::without(step, command, reason)),
                None if step.trains() => self.train(step, &words)?,
                None => Some(self.look(step, &words).unwrap_or_else(|error| {
                    // A weak generator shows too little for some looks; the others go on.
                    tracing::warn!("step {} failed: {error:#}", step.name);
                    let reason = format!("{error:#}");
                    Done { failed: true, ..Done::without(step, command, reason) }
                })),
            };
            let Some(done) = done else { return Ok(Outcome::Interrupted) };
            self.record.add(done);
            self.record.write(self.folder)?;
            if stop.load(Ordering::Relaxed) {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    /// What the data lacks that a step needs.
    fn lacking(&self, step: &Step) -> anyhow::Result<Option<String>> {
        if step.needs.is_empty() {
            return Ok(None);
        }
        let name = self.data_of(step).unwrap_or_else(|| self.plan.kind(step).usual().into());
        let data = open(&name, self.global, self.console)?;
        let known = &data.manifest().attributes;
        let lacking: Vec<&str> =
            step.needs.iter().filter(|n| !known.contains(n)).map(String::as_str).collect();
        Ok((!lacking.is_empty()).then(|| format!("the data has no {}", lacking.join(", "))))
    }

    /// Trains, or goes on training; `None` if it was interrupted.
    fn train(&mut self, step: &Step, words: &[String]) -> anyhow::Result<Option<Done>> {
        let root = self.place(&step.name);
        let mut left = 1.0;
        if let Some(run) = self.run_of(step) {
            left = part_left(&run, words);
            if left == 1.0 {
                // It has no checkpoint: nothing of it can be continued.
                fs_err::remove_dir_all(&root)?;
            }
        }
        if left > 0.0 {
            // Looks at what was there before this training say nothing of what comes now.
            self.forget_looks_at(&step.name)?;
            let again = resumed(words);
            let (outcome, _) = self.command(if left < 1.0 { &again } else { words })?;
            if outcome == Outcome::Interrupted {
                return Ok(None);
            }
        }
        let run = RunDir::open(&root)?;
        let mut numbers = found::of_training(&run)?;
        numbers.extend(found::numbers(&step.numbers, &Value::Null, Some(&run)));
        Ok(Some(Done {
            name: step.name.clone(),
            what: step.what.clone(),
            command: line(words),
            seconds: run.read_info()?.seconds,
            left_out: None,
            failed: false,
            ailments: found::ailments(&run)?,
            numbers,
            files: self.inside(found::files_of(&run)?),
        }))
    }

    fn forget_looks_at(&mut self, run: &str) -> anyhow::Result<()> {
        let folder = self.place(run).display().to_string();
        let mut looks = Vec::new();
        for step in &self.plan.steps {
            if !step.trains() && self.words(step)?.iter().any(|w| w.starts_with(&folder)) {
                looks.push(step.name.clone());
            }
        }
        self.record.steps.retain(|done| !looks.contains(&done.name));
        Ok(())
    }

    /// Any other command.
    fn look(&self, step: &Step, words: &[String]) -> anyhow::Result<Done> {
        let start = Instant::now();
        let (_, result) = self.command(words)?;
        Ok(Done {
            name: step.name.clone(),
            what: step.what.clone(),
            command: line(words),
            seconds: start.elapsed().as_secs_f64(),
            left_out: None,
            failed: false,
            ailments: Vec::new(),
            numbers: found::numbers(&step.numbers, &result, None),
            files: self.inside(found::files_in(&result)),
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
    fn without(step: &Step, command: String, reason: String) -> Self {
        Self {
            name: step.name.clone(),
            what: step.what.clone(),
            command,
            seconds: 0.0,
            left_out: Some(reason),
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

/// How much of a training is left: 0 if nothing is, 1 if there is nothing to continue from.
fn part_left(run: &RunDir, words: &[String]) -> f64 {
    let Some(wanted) = value_of(words, "--steps").and_then(|steps| steps.parse::<u64>().ok())
    else {
        return 1.0;
    };
    let (Ok(info), Ok(checkpoints)) = (run.read_info(), run.checkpoints()) else { return 1.0 };
    match info.status {
        Status::Finished => 0.0,
        _ if checkpoints.is_empty() => 1.0,
        _ => (1.0 - info.steps as f64 / wanted as f64).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON),
    }
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
