//! What a step left: numbers in its results, and pictures.

use std::path::{Path, PathBuf};

use gan_core::RunDir;
use gan_train::StepRecord;
use gan_train::log::jsonl;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::Number;
use crate::cmd::tables;

/// A number that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) what: String,
    pub(super) value: f64,
    /// Whether it is a share, to be read as percent.
    #[serde(default)]
    pub(super) percent: bool,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.percent {
            return write!(f, "{:.1} %", 100.0 * self.value);
        }
        if self.value.fract() == 0.0 {
            return write!(f, "{:.0}", self.value);
        }
        // Three digits that tell something.
        let before_point = self.value.abs().log10().floor();
        let places = (2.0 - before_point).clamp(0.0, 8.0);
        write!(f, "{:.*}", places as usize, self.value)
    }
}

/// The numbers of a step in its result, and in the files of its run. Where the result has nothing, as of digits that nobody
/// saw, there is none; a place that is not there at all is said.
pub(super) fn numbers(wanted: &[Number], result: &Value, run: Option<&RunDir>) -> Vec<Found> {
    let value = |number: &Number| match (number.at.split_once('#'), run) {
        (None, _) => place(result, &number.at).cloned(),
        (Some((file, at)), Some(run)) => {
            let text = fs_err::read(run.root().join(file)).ok()?;
            place(&serde_json::from_slice(&text).ok()?, at).cloned()
        }
        (Some(_), None) => None,
    };
    let found = |number: &Number| {
        let value = value(number);
        if value.is_none() {
            tracing::warn!("{:?} was not found: nothing is at {}", number.what, number.at);
        }
        let value = value?.as_f64()?;
        Some(Found { what: number.what.clone(), value, percent: number.percent })
    };
    wanted.iter().filter_map(found).collect()
}

/// The place of a JSON pointer, in which `key=value` is the first element of an array with that value. All that is below a
/// null is null.
fn place<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(value, |value, token| match token.split_once('=') {
        _ if value.is_null() => Some(value),
        Some((key, wanted)) => value
            .as_array()?
            .iter()
            .find(|element| element.get(key).and_then(Value::as_str) == Some(wanted)),
        None if value.is_array() => value.get(token.parse::<usize>().ok()?),
        None => value.get(token),
    })
}

/// What every training tells, of a GAN where its discriminator stands over the last tenth of the run; and what the monitor
/// named.
pub(super) fn of_training(run: &RunDir) -> anyhow::Result<(Vec<Found>, Vec<String>)> {
    let info = run.read_info()?;
    let found = |what: &str, value: f64| Found { what: what.into(), value, percent: false };
    let mut all = vec![
        found("images seen", info.images_seen as f64),
        found("images a second", info.images_seen as f64 / info.seconds.max(f64::MIN_POSITIVE)),
    ];
    let records: Vec<StepRecord> = jsonl::read(&run.metrics())?;
    let last = &records[records.len() - records.len().div_ceil(10)..];
    let games: Vec<_> = last.iter().filter_map(|record| record.game.as_ref()).collect();
    if !games.is_empty() {
        let mean =
            |of: &dyn Fn(usize) -> f64| (0..games.len()).map(of).sum::<f64>() / games.len() as f64;
        all.push(found("D(x) at the end", mean(&|i| games[i].d_real)));
        all.push(found("D(G(z)) at the end", mean(&|i| games[i].d_fake_before)));
    }
    Ok((all, ailments(&records)))
}

/// What the monitor named over a run, each with the image at which it did so first.
fn ailments(records: &[StepRecord]) -> Vec<String> {
    let mut named: Vec<(&str, u64)> = Vec::new();
    for record in records {
        for said in &record.findings {
            let name = said.split(':').next().unwrap_or_default();
            if !named.iter().any(|(known, _)| *known == name) {
                named.push((name, record.images_seen));
            }
        }
    }
    let told = |(name, images)| format!("{name} (first at image {})", tables::thousands(images));
    named.into_iter().map(told).collect()
}

/// Endings of what is shown.
const SHOWN: [&str; 5] = ["png", "gif", "svg", "csv", "html"];

/// The pictures and tables that a result names.
pub(super) fn files_in(result: &Value) -> Vec<PathBuf> {
    let mut files = Vec::new();
    gather(result, &mut files);
    files.sort();
    files.dedup();
    // A drawing that is there as PNG is shown once.
    let is_twice = |file: &PathBuf| {
        file.extension().is_some_and(|e| e == "svg") && files.contains(&file.with_extension("png"))
    };
    files.iter().filter(|file| !is_twice(file)).cloned().collect()
}

fn gather(value: &Value, files: &mut Vec<PathBuf>) {
    match value {
        Value::String(text) if is_shown(Path::new(text)) => files.push(text.into()),
        Value::Array(all) => all.iter().for_each(|value| gather(value, files)),
        Value::Object(all) => all.values().for_each(|value| gather(value, files)),
        _ => {}
    }
}

fn is_shown(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| SHOWN.contains(&ending)) && path.is_file()
}

/// The pictures that a training left: its last grid, its progression, its plots but for those that are there as PNG too.
pub(super) fn files_of(run: &RunDir) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = run.samples()?.pop().map(|(_, path)| path).into_iter().collect();
    files.extend(Some(run.progression()).filter(|path| path.is_file()));
    if run.plot("").is_dir() {
        let mut plots: Vec<PathBuf> = fs_err::read_dir(run.plot(""))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_shown(path) && path.extension().is_none_or(|e| e != "svg"))
            .collect();
        plots.sort();
        files.extend(plots);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_key_and_by_value() {
        let value = serde_json::json!({
            "masks": [{"mask": "pepper", "psnr": [1.0, 2.5]}, {"mask": "square:8", "psnr": [3.0]}],
            "nobody": null,
        });
        let at = |pointer: &str| place(&value, pointer).and_then(Value::as_f64);
        assert_eq!(at("/masks/mask=square:8/psnr/0"), Some(3.0));
        assert_eq!(at("/masks/0/psnr/1"), Some(2.5));
        assert_eq!(place(&value, "/nobody/share"), Some(&Value::Null));
        for wrong in ["/masks/mask=crosswalk/psnr/0", "/masks/2", "/masks/x", "/psnr", "/masks/0"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_shown_with_digits_that_tell_something() {
        let shown = |value, percent| Found { what: String::new(), value, percent }.to_string();
        assert_eq!(shown(0.1149, true), "11.5 %");
        assert_eq!(shown(99_968.0, false), "99968");
        assert_eq!(shown(24.31, false), "24.3");
        assert_eq!(shown(0.8712, false), "0.871");
        assert_eq!(shown(0.007_123, false), "0.00712");
        assert_eq!(shown(-1234.5, false), "-1234");
        assert_eq!(shown(0.0, false), "0");
    }

    #[test]
    fn files_that_are_there_are_found_in_a_result() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.png");
        fs_err::write(&file, b"x")?;
        let gone = folder.path().join("b.png");
        let result =
            serde_json::json!({"views": [{"picture": &file}, {"picture": gone}], "out": &file});
        assert_eq!(files_in(&result), [file]);
        Ok(())
    }
}
