//! What a run shows while it trains and leaves of its family: steps on the console, figures in the run folder.

use std::path::{Path, PathBuf};

use gan_core::RunDir;
use gan_train::monitor::Finding;
use gan_train::{Checkpoint, Observer, StepRecord, Trainer};

use crate::console::{Console, ProgressLine};
use crate::figures;

/// Shows the steps on the console.
pub(super) struct Shown<'a> {
    /// Gone once training is over.
    pub(super) line: Option<ProgressLine>,
    pub(super) console: &'a Console,
}

impl Observer for Shown<'_> {
    fn step(&mut self, r: &StepRecord) {
        self.line.iter().for_each(|line| line.set(r.step, &r.summary()));
    }

    fn found(&mut self, finding: &Finding) {
        tracing::warn!("{}: {} Try: {}", finding.ailment.name(), finding.evidence, finding.remedy);
    }

    fn wrote(&mut self, path: &Path) {
        tracing::debug!("wrote {}", path.display());
    }

    fn epoch(&mut self, run: &RunDir, trainer: &Trainer, epoch: u64) {
        if let Err(error) = figures::follow(run, trainer, epoch) {
            tracing::warn!("epoch {epoch} will be missing in the figures: {error:#}");
        }
    }

    fn figures_due(&mut self, run: &RunDir, trainer: &Trainer, epoch: u64) {
        let folder = run.epoch_plots(epoch);
        // The line of the training is on the console already: figures show no progress of their own.
        say(trainer
            .checkpoint()
            .map_err(Into::into)
            .and_then(|checkpoint| draw(&folder, &checkpoint, trainer, &Console::silent())));
    }

    fn ended(&mut self, run: &RunDir, trainer: &Trainer) {
        self.line = None;
        let newest = Checkpoint::latest(run, trainer.device()).map_err(anyhow::Error::from);
        let folder = run.plot("");
        say(newest.and_then(|(_, checkpoint)| draw(&folder, &checkpoint, trainer, self.console)));
    }
}

fn draw(
    folder: &Path,
    checkpoint: &Checkpoint,
    trainer: &Trainer,
    console: &Console,
) -> anyhow::Result<Vec<PathBuf>> {
    let (data, device) = (trainer.data(), trainer.device());
    figures::write(&figures::Subject { folder, checkpoint, data, device, console })
}

/// The run itself is saved, or goes on: what went wrong with its figures is said and no more.
fn say(drawn: anyhow::Result<Vec<PathBuf>>) {
    match drawn {
        Ok(paths) => {
            for path in paths {
                tracing::info!("drew {}", path.display());
            }
        }
        Err(error) => tracing::warn!("no figures: {error:#}"),
    }
}
