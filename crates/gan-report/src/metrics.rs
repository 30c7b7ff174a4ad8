//! `metrics.jsonl`: one JSON object a line, whatever keys it has.

use gan_core::RunDir;
use serde_json::{Map, Value};

use crate::error::{ReportError, Result};

/// All lines that could be read, in their order.
pub(crate) struct Metrics {
    lines: Vec<Map<String, Value>>,
    /// Lines before the last that are no JSON object.
    pub(crate) damaged: usize,
}

impl Metrics {
    /// Reads a run's metrics; a torn last line, as a killed program leaves it, is left out in silence.
    pub(crate) fn read(run: &RunDir) -> Result<Self> {
        let none = |found: &str| ReportError::NoMetrics {
            path: run.metrics(),
            found: found.into(),
            run: run.root().into(),
        };
        if !run.metrics().is_file() {
            return Err(none("no such file"));
        }
        // A torn line may end within a character.
        let bytes = fs_err::read(run.metrics())?;
        let metrics = Self::parse(&String::from_utf8_lossy(&bytes));
        match metrics.lines.is_empty() {
            true if bytes.is_empty() => Err(none("an empty file")),
            true => Err(none("no whole line")),
            false => Ok(metrics),
        }
    }

    fn parse(text: &str) -> Self {
        let mut metrics = Self { lines: Vec::new(), damaged: 0 };
        let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
        while let Some(line) = lines.next() {
            match serde_json::from_str(line) {
                Ok(object) => metrics.lines.push(object),
                Err(_) if lines.peek().is_none() => {}
                Err(_) => metrics.damaged += 1,
            }
        }
        metrics
    }

    /// Number of lines read.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Names of all columns that hold a number somewhere, sorted.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .lines
            .iter()
            .flatten()
            .filter(|(_, value)| value.is_number())
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// `(images seen, value)` of the lines that have a number in this column; where a line does not
    /// say how many images were seen, its number stands for them.
    pub(crate) fn points(&self, column: &str) -> Vec<(f64, f64)> {
        let point = |(i, line): (usize, &Map<String, Value>)| {
            let images = line.get("images_seen").and_then(Value::as_f64).unwrap_or(i as f64);
            Some((images, line.get(column)?.as_f64()?))
        };
        self.lines.iter().enumerate().filter_map(point).collect()
    }

    /// The last number of a column.
    pub(crate) fn last(&self, column: &str) -> Option<f64> {
        self.lines.iter().rev().find_map(|line| line.get(column)?.as_f64())
    }

    /// Mean of a column over the last `n` lines.
    pub(crate) fn mean_at_end(&self, column: &str, n: usize) -> Option<f64> {
        let end = &self.lines[self.lines.len().saturating_sub(n)..];
        let values: Vec<f64> = end.iter().filter_map(|line| line.get(column)?.as_f64()).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_and_damaged_lines_are_left_out() {
        let text = "{\"images_seen\":64,\"loss_d\":1.5}\nnonsense\n{\"images_seen\":128,\"loss_d\":null}\n\
                    {\"images_seen\":192,\"loss_d\":0.5,\"note\":\"x\"}\n{\"images_seen\":256,\"los";
        let metrics = Metrics::parse(text);
        assert_eq!((metrics.len(), metrics.damaged), (3, 1));
        assert_eq!(metrics.columns(), ["images_seen", "loss_d"]);
        assert_eq!(metrics.points("loss_d"), [(64.0, 1.5), (192.0, 0.5)]);
        assert_eq!(metrics.last("loss_d"), Some(0.5));
        assert_eq!(metrics.mean_at_end("loss_d", 10), Some(1.0));
        assert_eq!(metrics.mean_at_end("unknown", 10), None);
    }
}
