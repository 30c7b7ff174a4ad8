//! What was done of an experiment so far: `experiment.json`, and `experiment.md` to be read.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use gan_core::file;
use gan_core::run::EXPERIMENT;
use serde::{Deserialize, Serialize};

use super::found::Found;
use super::plan::Plan;
use crate::args::UsageError;
use crate::cmd::tables;

/// An experiment in its folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its letter.
    pub(super) experiment: String,
    pub(super) title: String,
    #[serde(flatten)]
    pub(super) asked: Asked,
    /// Images that the experiment usually sees.
    pub(super) usual_images: u64,
    /// In the order in which they were done.
    pub(super) steps: Vec<Done>,
}

/// What decides an experiment's numbers, beside machine and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// Images that a training of share 1 sees.
    pub(super) images: u64,
    pub(super) seed: u64,
    /// Data that was named.
    pub(super) data: Vec<String>,
}

/// A step that was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) name: String,
    pub(super) what: String,
    /// The command that repeats it.
    pub(super) command: String,
    /// The same wherever the experiment's folder is: what the step is known by.
    pub(super) key: String,
    pub(super) seconds: f64,
    /// Why there is nothing of it, where there is nothing.
    pub(super) left_out: Option<String>,
    /// Whether it was tried and failed; it is tried again when the experiment is continued.
    #[serde(default)]
    pub(super) failed: bool,
    /// What the monitor named over a training, and when first.
    pub(super) ailments: Vec<String>,
    pub(super) numbers: Vec<Found>,
    /// Pictures and tables, relative to the experiment's folder where they are in it.
    pub(super) files: Vec<PathBuf>,
}

impl Record {
    /// Continues what is in a folder, or begins.
    ///
    /// # Errors
    /// If the folder has something else, or the same with other options.
    pub(super) fn open(folder: &Path, plan: &Plan, asked: Asked) -> anyhow::Result<Self> {
        let path = json_in(folder);
        let new = Self {
            experiment: plan.name.into(),
            title: plan.title.clone(),
            asked,
            usual_images: plan.images,
            steps: Vec::new(),
        };
        if folder.is_file() {
            return new.in_new(folder);
        }
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return new.in_new(folder);
            }
            Err(e) => return Err(e.into()),
        };
        let there: Self = serde_json::from_str(&text).with_context(|| {
            format!(
                "{}: expected the record of an experiment; name another folder by --out",
                path.display()
            )
        })?;
        let (letter, asked) = (&there.experiment, &there.asked);
        if *letter != new.experiment || *asked != new.asked {
            let data: String = asked.data.iter().map(|data| format!(" --data {data}")).collect();
            let reason = format!(
                "{} is of experiment {letter} --images {} --seed {}{data}; give these to continue it, or another folder \
                 by --out",
                folder.display(),
                asked.images,
                asked.seed
            );
            return Err(UsageError(reason).into());
        }
        Ok(there)
    }

    fn in_new(self, folder: &Path) -> anyhow::Result<Self> {
        let begun = folder.is_dir() && fs_err::read_dir(folder)?.next().is_some();
        if begun || folder.is_file() {
            let reason = format!(
                "{}: expected a new or empty folder, or an experiment's; name another by --out",
                folder.display()
            );
            return Err(UsageError(reason).into());
        }
        Ok(self)
    }

    /// A step that was done just so.
    pub(super) fn done(&self, name: &str, key: &str) -> Option<&Done> {
        let same = |done: &&Done| done.name == name && done.key == key && done.left_out.is_none();
        self.steps.iter().find(same)
    }

    /// Adds a step, in place of one of that name.
    pub(super) fn add(&mut self, done: Done) {
        match self.steps.iter_mut().find(|old| old.name == done.name) {
            Some(old) => *old = done,
            None => self.steps.push(done),
        }
    }

    /// Steps of which there is nothing.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter(|done| done.left_out.is_some()).map(|done| done.name.as_str())
    }

    /// Steps that were tried and failed.
    pub(super) fn failed(&self) -> usize {
        self.steps.iter().filter(|done| done.failed).count()
    }

    /// Writes both files.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        file::write_json(&json_in(folder), self)?;
        file::write_bytes(&page_in(folder), self.page().as_bytes())?;
        Ok(())
    }

    /// What there is to be read, as Markdown.
    fn page(&self) -> String {
        let Asked { images, seed, data } = &self.asked;
        let mut page = format!("# Experiment {}: {}\n\n", self.experiment, self.title);
        let data = if data.is_empty() { "that of the presets".into() } else { data.join(", ") };
        let scaled = match images.cmp(&self.usual_images) {
            std::cmp::Ordering::Equal => String::new(),
            _ => format!(" (usually {})", tables::thousands(self.usual_images)),
        };
        let images = tables::thousands(*images);
        let seconds = self.steps.iter().map(|step| step.seconds).sum();
        writeln!(
            page,
            "Images a training sees: {images}{scaled}, a share of it where a step says so. Data: {data}. Seed {seed}. \
             {} so far.",
            tables::duration(seconds)
        )
        .ok();
        self.steps.iter().for_each(|step| step.write(&mut page));
        page
    }
}

impl Done {
    fn write(&self, page: &mut String) {
        write!(page, "\n## {}\n\n{}\n\n    {}\n", self.name, self.what, self.command).ok();
        if let Some(reason) = &self.left_out {
            let what = if self.failed { "Failed" } else { "Left out" };
            writeln!(page, "\n{what}: {reason}").ok();
            return;
        }
        page.push_str("\n| | |\n|---|---|\n");
        for number in &self.numbers {
            writeln!(page, "| {} | {number} |", number.what).ok();
        }
        writeln!(page, "| time | {} |", tables::duration(self.seconds)).ok();
        if !self.ailments.is_empty() {
            writeln!(page, "\nNamed by the monitor: {}.", self.ailments.join(", ")).ok();
        }
        for file in &self.files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            // A link with spaces is one in angle brackets.
            let shown = file.extension().is_some_and(|ending| ending != "csv" && ending != "html");
            let mark = if shown { "!" } else { "" };
            writeln!(page, "\n{mark}[{name}](<{}>)", file.display()).ok();
        }
    }
}

/// Where the record of the experiment in a folder is.
pub(super) fn json_in(folder: &Path) -> PathBuf {
    folder.join(EXPERIMENT)
}

/// Where its page is.
pub(super) fn page_in(folder: &Path) -> PathBuf {
    folder.join("experiment.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(images: u64) -> Asked {
        Asked { images, seed: 0, data: Vec::new() }
    }

    #[test]
    fn an_experiment_is_continued_with_the_same_options_alone() -> anyhow::Result<()> {
        let parent = tempfile::tempdir()?;
        let folder = parent.path().join("h");
        let plan = Plan::find("h").context("there")??;
        let mut record = Record::open(&folder, &plan, asked(5))?;
        record.add(Done {
            name: "digits".into(),
            what: "A generator".into(),
            command: "gan-cli train digits".into(),
            key: "train digits".into(),
            seconds: 61.0,
            left_out: None,
            failed: false,
            ailments: vec!["low diversity".into()],
            numbers: vec![Found { what: "share".into(), value: 0.5, percent: true }],
            files: vec!["digits/a b.png".into(), "digits/c.csv".into()],
        });
        record.write(&folder)?;
        let again = Record::open(&folder, &plan, asked(5))?;
        assert!(again.done("digits", "train digits").is_some());
        assert!(again.done("digits", "train digits --seed 1").is_none());
        let page = fs_err::read_to_string(page_in(&folder))?;
        for part in [
            "# Experiment H",
            "5 (usually",
            "    gan-cli train digits\n",
            "| share | 50.0 % |",
            "![a b.png](<digits/a b.png>)",
            "\n[c.csv]",
            "low diversity",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        let other = Record::open(&folder, &plan, asked(6)).expect_err("other options").to_string();
        assert!(other.contains("experiment H --images 5 --seed 0;"), "{other}");
        let other = Record::open(parent.path(), &plan, asked(5)).expect_err("not its folder");
        assert!(other.to_string().contains("a new or empty folder"), "{other}");
        Ok(())
    }
}
