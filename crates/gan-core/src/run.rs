//! The run folder: where a training run keeps everything, and how its parts are called.
//!
//! | name | what |
//! |---|---|
//! | `config.toml` | the resolved configuration, enough to repeat the run |
//! | `run.json` | [`RunInfo`]: state, command, device, time |
//! | `metrics.jsonl` | one JSON object a line |
//! | `models.json` | layers, shapes and parameter counts |
//! | `data.json` | the manifest of the data set |
//! | `real.png`, `samples/{images_seen}.png` | grids |
//! | `progression.gif`, `plots/` | written at the end |
//! | `plots/epoch-{epoch}/` | figures on the way |
//! | `checkpoints/{images_seen}.safetensors` | weights and everything that resuming needs |
//! | `sampled/` | grids of `sample`, with their latents |
//! | `log.txt` | what the program said |

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::file::write_json;

/// In a folder of several runs, what was done with them as one experiment.
pub const EXPERIMENT: &str = "experiment.json";

/// A folder of one training run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    root: PathBuf,
}

/// State of a run, kept in `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Folder name of the run.
    pub name: String,
    /// Preset that the configuration started from.
    pub preset: String,
    /// Command that repeats the run.
    pub command: String,
    /// Run that this one continues with other settings.
    pub parent: Option<String>,
    /// How it stands.
    pub status: Status,
    /// Why it stopped, where it did not finish.
    pub reason: Option<String>,
    /// When it was started first, RFC 3339, UTC.
    pub started: String,
    /// Seconds of training so far, over all its sessions.
    pub seconds: f64,
    /// Training steps done.
    pub steps: u64,
    /// Training steps asked for.
    pub total_steps: u64,
    /// Real images seen.
    pub images_seen: u64,
    /// Device of the last session.
    pub device: String,
    /// Threads of the last session.
    pub threads: usize,
    /// Seed of all random streams.
    pub seed: u64,
    /// Version of the program.
    pub version: String,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Under way, or killed without a chance to say so.
    Running,
    /// All steps done.
    Finished,
    /// Stopped by a person; a checkpoint was saved.
    Interrupted,
    /// Stopped by an error.
    Failed,
    /// Trained by another program, and not yet here.
    Imported,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Imported => "imported",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        })
    }
}

impl RunDir {
    /// Makes the next folder `runs/{number}-{preset}` under `parent`.
    ///
    /// Two programs that start at once get different numbers, as making a folder is atomic.
    pub fn create_next(parent: &Path, preset: &str) -> Result<Self> {
        fs_err::create_dir_all(parent)?;
        let mut number = 1 + numbers(parent)?.into_iter().max().unwrap_or(0);
        loop {
            let root = parent.join(format!("{number:05}-{preset}"));
            match std::fs::create_dir(&root) {
                Ok(()) => return Ok(Self { root }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(e) => {
                    let message = format!("cannot make the run folder {}: {e}", root.display());
                    return Err(Error::Io(std::io::Error::new(e.kind(), message)));
                }
            }
        }
    }

    /// Makes a folder of a given name, which must be new or empty.
    pub fn create_at(root: &Path) -> Result<Self> {
        fs_err::create_dir_all(root)?;
        if fs_err::read_dir(root)?.next().is_some() {
            return Err(Error::Content {
                path: root.into(),
                expected: "a new or empty folder".into(),
                found: "files".into(),
                remedy: "name another folder, or continue that run with --resume".into(),
            });
        }
        Ok(Self { root: root.into() })
    }

    /// An existing run.
    pub fn open(root: &Path) -> Result<Self> {
        let run = Self { root: root.into() };
        if run.config().is_file() {
            return Ok(run);
        }
        let found = match root {
            _ if root.is_file() => "a file",
            _ if root.is_dir() => "a folder without config.toml",
            _ => "nothing",
        };
        Err(Error::NoRun { path: root.into(), found })
    }

    /// All runs under `parent` that were started, those of experiments there among them, in the order of their names.
    pub fn list(parent: &Path) -> Result<Vec<Self>> {
        let mut runs = Vec::new();
        if parent.is_dir() {
            for entry in fs_err::read_dir(parent)?.filter_map(std::result::Result::ok) {
                let run = Self { root: entry.path() };
                if run.config().is_file() {
                    runs.push(run);
                } else if run.root.join(EXPERIMENT).is_file() {
                    runs.extend(Self::list(&run.root)?);
                }
            }
        }
        runs.sort_by(|a, b| a.root.cmp(&b.root));
        Ok(runs)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        // `.` and `..` have no name of their own until they are resolved.
        let resolved = self.root.canonicalize().unwrap_or_else(|_| self.root.clone());
        resolved.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// `config.toml`.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// `run.json`.
    pub fn info(&self) -> PathBuf {
        self.root.join("run.json")
    }

    /// `metrics.jsonl`.
    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.jsonl")
    }

    /// `models.json`.
    pub fn models(&self) -> PathBuf {
        self.root.join("models.json")
    }

    /// `data.json`.
    pub fn data(&self) -> PathBuf {
        self.root.join("data.json")
    }

    /// `log.txt`.
    pub fn log(&self) -> PathBuf {
        self.root.join("log.txt")
    }

    /// `real.png`.
    pub fn real(&self) -> PathBuf {
        self.root.join("real.png")
    }

    /// `progression.gif`.
    pub fn progression(&self) -> PathBuf {
        self.root.join("progression.gif")
    }

    /// `plots/{name}`.
    pub fn plot(&self, name: &str) -> PathBuf {
        self.root.join("plots").join(name)
    }

    /// `plots/epoch-{epoch}`, three digits so that names sort by time: the folder of figures after that many epochs.
    pub fn epoch_plots(&self, epoch: u64) -> PathBuf {
        self.plot(&format!("epoch-{epoch:03}"))
    }

    /// The folders of [`RunDir::epoch_plots`] that there are, by epoch, in order.
    pub fn drawn_epochs(&self) -> Result<Vec<(u64, PathBuf)>> {
        let folder = self.plot("");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut epochs: Vec<(u64, PathBuf)> = fs_err::read_dir(folder)?
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let epoch = path.file_name()?.to_str()?.strip_prefix("epoch-")?.parse().ok()?;
                path.is_dir().then_some((epoch, path))
            })
            .collect();
        epochs.sort();
        Ok(epochs)
    }

    /// `samples/{images_seen}.png`, nine digits so that names sort by time.
    pub fn sample(&self, images_seen: u64) -> PathBuf {
        self.root.join("samples").join(format!("{images_seen:09}.png"))
    }

    /// `checkpoints/{images_seen}.safetensors`.
    pub fn checkpoint(&self, images_seen: u64) -> PathBuf {
        self.root.join("checkpoints").join(format!("{images_seen:09}.safetensors"))
    }

    /// Sample grids by images seen, in order.
    pub fn samples(&self) -> Result<Vec<(u64, PathBuf)>> {
        numbered(&self.root.join("samples"), "png")
    }

    /// Checkpoints by images seen, in order.
    pub fn checkpoints(&self) -> Result<Vec<(u64, PathBuf)>> {
        numbered(&self.root.join("checkpoints"), "safetensors")
    }

    /// Reads `run.json`.
    pub fn read_info(&self) -> Result<RunInfo> {
        let text = fs_err::read_to_string(self.info())?;
        serde_json::from_str(&text).map_err(|e| Error::Content {
            path: self.info(),
            expected: "the state of a run as JSON".into(),
            found: e.to_string(),
            remedy: "remove the file; only the list of runs needs it".into(),
        })
    }

    /// Writes `run.json`.
    pub fn write_info(&self, info: &RunInfo) -> Result<()> {
        self.write_json(&self.info(), info)
    }

    /// Writes any serializable value as indented JSON.
    pub fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<()> {
        write_json(path, value)
    }
}

/// Numbers at the beginning of the folder names under `parent`.
fn numbers(parent: &Path) -> Result<Vec<u64>> {
    Ok(fs_err::read_dir(parent)?
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.split('-').next()?.parse().ok()
        })
        .collect())
}

/// Files `{number}.{extension}` of a folder, by number; none where the folder is missing.
fn numbered(folder: &Path, extension: &str) -> Result<Vec<(u64, PathBuf)>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files: Vec<(u64, PathBuf)> = fs_err::read_dir(folder)?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let right = path.extension().is_some_and(|e| e == extension);
            Some((path.file_stem()?.to_str()?.parse().ok()?, path)).filter(|_| right)
        })
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_bytes;

    #[test]
    fn runs_are_numbered_past_the_highest() -> Result<()> {
        let parent = tempfile::tempdir()?;
        let first = RunDir::create_next(parent.path(), "dcgan")?;
        assert_eq!(first.name(), "00001-dcgan");
        fs_err::create_dir(parent.path().join("00041-old"))?;
        fs_err::create_dir(parent.path().join("notes"))?;
        assert_eq!(RunDir::create_next(parent.path(), "digits")?.name(), "00042-digits");
        Ok(())
    }

    #[test]
    fn only_started_runs_are_listed_and_opened() -> Result<()> {
        let parent = tempfile::tempdir()?;
        let run = RunDir::create_next(parent.path(), "dcgan")?;
        assert!(RunDir::open(run.root()).is_err());
        assert!(RunDir::list(parent.path())?.is_empty());
        fs_err::write(run.config(), "")?;
        assert_eq!(RunDir::list(parent.path())?, [RunDir::open(run.root())?]);
        // Runs of an experiment are in its folder; other folders are nobody's business.
        for (folder, listed) in [("notes", 1), ("experiment-A", 2)] {
            let inner = RunDir::create_at(&parent.path().join(folder).join("dcgan"))?;
            fs_err::write(inner.config(), "")?;
            if folder != "notes" {
                fs_err::write(parent.path().join(folder).join(EXPERIMENT), "{}")?;
            }
            assert_eq!(RunDir::list(parent.path())?.len(), listed, "{folder}");
        }
        Ok(())
    }

    #[test]
    fn a_named_folder_must_be_empty() -> Result<()> {
        let parent = tempfile::tempdir()?;
        let root = parent.path().join("mine");
        let run = RunDir::create_at(&root)?;
        assert!(RunDir::create_at(&root).is_ok(), "still empty");
        fs_err::write(run.log(), "x")?;
        let message = RunDir::create_at(&root).expect_err("not empty").to_string();
        assert!(message.contains("--resume"), "{message}");
        Ok(())
    }

    #[test]
    fn numbered_files_come_in_order() -> Result<()> {
        let parent = tempfile::tempdir()?;
        let run = RunDir::create_next(parent.path(), "dcgan")?;
        for images in [1200, 64, 12_345_678_901] {
            write_bytes(&run.sample(images), b"")?;
        }
        write_bytes(&run.root().join("samples/notes.txt"), b"")?;
        for epoch in [1000, 25, 13] {
            write_bytes(&run.epoch_plots(epoch).join("a.png"), b"")?;
        }
        write_bytes(&run.epoch_plots(2), b"a file")?;
        let epochs: Vec<u64> = run.drawn_epochs()?.into_iter().map(|(epoch, _)| epoch).collect();
        assert_eq!(epochs, [13, 25, 1000]);
        let seen: Vec<u64> = run.samples()?.into_iter().map(|(n, _)| n).collect();
        assert_eq!(seen, [64, 1200, 12_345_678_901]);
        Ok(())
    }
}
