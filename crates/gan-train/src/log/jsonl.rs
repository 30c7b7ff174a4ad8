//! `metrics.jsonl`: one record a line, appended a whole line at a time.

use std::io::Write;
use std::path::Path;

use fs_err::{File, OpenOptions};
use gan_core::file;

use crate::error::TrainError;
use crate::record::StepRecord;

/// An open metrics file.
pub struct MetricsFile {
    file: File,
}

impl MetricsFile {
    /// Opens the file so that the record after `step` comes next: later ones, left by a session that
    /// was killed after its last checkpoint, are dropped. A new run begins at step 0.
    pub fn continue_after(path: &Path, step: u64) -> Result<Self, TrainError> {
        if path.exists() {
            let kept = read(path)?.into_iter().filter(|record| record.step <= step);
            let mut text = String::new();
            for record in kept {
                text += &line(&record)?;
            }
            file::write_bytes(path, text.as_bytes())?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file })
    }

    /// Appends a record.
    pub fn append(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        // One write for a whole line: a reader never sees half of one.
        Ok(self.file.write_all(line(record)?.as_bytes())?)
    }
}

fn line(record: &StepRecord) -> Result<String, TrainError> {
    let mut line = serde_json::to_string(record).map_err(std::io::Error::from)?;
    line.push('\n');
    Ok(line)
}

/// All whole records of a file; a torn last line, as a power cut leaves it, is passed over.
pub fn read(path: &Path) -> Result<Vec<StepRecord>, TrainError> {
    let text = fs_err::read_to_string(path)?;
    let mut records = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        match serde_json::from_str(line) {
            Ok(record) => records.push(record),
            Err(_) if i + 1 == lines.len() => {}
            Err(e) => {
                return Err(gan_core::Error::Content {
                    path: path.into(),
                    expected: "a record of metrics a line".into(),
                    found: format!("line {}: {e}", i + 1),
                    remedy: "remove that line".into(),
                }
                .into());
            }
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Game;

    fn record(step: u64) -> StepRecord {
        let game = Some(Game { loss_d: 0.1 + step as f64, ..Game::default() });
        StepRecord { step, game, ..StepRecord::default() }
    }

    #[test]
    fn continuing_drops_what_came_after_the_checkpoint() -> Result<(), TrainError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("metrics.jsonl");
        let mut metrics = MetricsFile::continue_after(&path, 0)?;
        for step in 1..=5 {
            metrics.append(&record(step))?;
        }
        let torn = fs_err::read_to_string(&path)? + "{\"step\":6,\"lo";
        fs_err::write(&path, torn)?;
        let mut metrics = MetricsFile::continue_after(&path, 3)?;
        metrics.append(&record(4))?;
        assert_eq!(read(&path)?, (1..=4).map(record).collect::<Vec<_>>());
        Ok(())
    }

    #[test]
    fn a_damaged_line_is_named() -> Result<(), TrainError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("metrics.jsonl");
        fs_err::write(&path, "{}\nnonsense\n{}\n")?;
        let message = read(&path).expect_err("line 1 lacks its step").to_string();
        assert!(message.contains("line 1"), "{message}");
        Ok(())
    }
}
