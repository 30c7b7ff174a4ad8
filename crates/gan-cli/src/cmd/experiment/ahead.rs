//! What of an experiment is ahead, and about how long it will take.

use serde::Serialize;

use crate::args::Global;
use crate::cmd::{print, print_json, tables};

/// The steps of an experiment that are not done.
#[derive(Debug, Serialize)]
pub(super) struct Ahead {
    pub(super) steps: Vec<Expected>,
    /// Steps that are done.
    pub(super) done: usize,
}

/// A step that is ahead.
#[derive(Debug, Serialize)]
pub(super) struct Expected {
    pub(super) name: String,
    pub(super) what: String,
    pub(super) command: String,
    /// Measured for trainings; what a look took on two cores elsewhere.
    pub(super) seconds: f64,
    pub(super) trains: bool,
}

impl Ahead {
    fn seconds(&self, trains: bool) -> f64 {
        let steps = self.steps.iter().filter(|step| step.trains == trains);
        // The sum of no numbers is -0.
        steps.map(|step| step.seconds).fold(0.0, |sum, seconds| sum + seconds)
    }

    /// One line on the time.
    fn sentence(&self) -> String {
        let (training, looking) = (self.seconds(true), self.seconds(false));
        let done =
            if self.done > 0 { format!(", {} done before", self.done) } else { String::new() };
        format!(
            "{} steps will take about {}{done}: training {} as measured here, looking at what came out {} as on two cores",
            self.steps.len(),
            tables::duration(training + looking),
            tables::duration(training),
            tables::duration(looking)
        )
    }

    pub(super) fn announce(&self) {
        tracing::info!("{}", self.sentence());
    }

    /// All of it, as the result of the program.
    pub(super) fn show(&self, global: &Global) -> anyhow::Result<()> {
        if global.json {
            return print_json(&serde_json::to_value(self)?);
        }
        let rows = self
            .steps
            .iter()
            .map(|step| vec![step.name.clone(), tables::duration(step.seconds), step.what.clone()]);
        print(&tables::table(&["step", "about", "what"], &[1], rows.collect()))?;
        let commands: Vec<&str> = self.steps.iter().map(|step| step.command.as_str()).collect();
        print(&format!("\n{}\n\n{}", commands.join("\n"), self.sentence()))
    }
}
