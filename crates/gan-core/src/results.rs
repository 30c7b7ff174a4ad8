//! What was measured of a run on the test split when it ended: numbers in the files that its family left in `plots/`.

use serde_json::Value;

use crate::run::RunDir;

/// One number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestResult {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it is, for a person.
    pub title: &'static str,
    /// The number.
    pub value: f64,
    /// Whether it is a share of all samples, to be read as percent.
    pub is_share: bool,
}

/// File, place in it, name, title, and whether it is a share.
type Known = (&'static str, &'static str, &'static str, &'static str, bool);

/// The first of a file is what a run is judged by.
const KNOWN: [Known; 3] = [
    ("classifier.json", "/accuracy", "accuracy", "accuracy", true),
    ("classifier.json", "/balanced_accuracy", "balanced_accuracy", "balanced accuracy", true),
    ("reconstruction.json", "/mse/mean", "mse", "mean squared error", false),
];

/// What a run's files say: of a classifier how often it is right, of an autoencoder its error on the scale [-1, 1]. Files
/// that are not there or cannot be read say nothing.
pub fn test_results(run: &RunDir) -> Vec<TestResult> {
    let read = |&(file, place, name, title, is_share): &Known| {
        let text = fs_err::read(run.plot(file)).ok()?;
        let value = serde_json::from_slice::<Value>(&text).ok()?.pointer(place)?.as_f64()?;
        Some(TestResult { name, title, value, is_share })
    };
    KNOWN.iter().filter_map(read).collect()
}

impl std::fmt::Display for TestResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { title, value, is_share, .. } = self;
        match is_share {
            true => write!(f, "{title} {:.2} %", 100.0 * value),
            false => write!(f, "{title} {value:.4}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::file::write_bytes;

    #[test]
    fn files_of_a_family_are_read_and_damaged_ones_say_nothing() -> Result<()> {
        let parent = tempfile::tempdir()?;
        let run = RunDir::create_next(parent.path(), "digit-classifier")?;
        assert_eq!(test_results(&run), []);
        let text = br#"{"accuracy":0.9924,"balanced_accuracy":0.9923,"questions":[]}"#;
        write_bytes(&run.plot("classifier.json"), text)?;
        let words: Vec<String> = test_results(&run).iter().map(ToString::to_string).collect();
        assert_eq!(words, ["accuracy 99.24 %", "balanced accuracy 99.23 %"]);
        write_bytes(&run.plot("classifier.json"), &text[..20])?;
        write_bytes(&run.plot("reconstruction.json"), br#"{"mse":{"mean":0.01974}}"#)?;
        let [error] = test_results(&run)[..] else { panic!("one number") };
        assert_eq!((error.name, error.to_string().as_str()), ("mse", "mean squared error 0.0197"));
        Ok(())
    }
}
