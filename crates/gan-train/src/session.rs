//! A session drives a trainer in a run folder: metrics, grids, checkpoints and what is left at the
//! end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use candle_core::Tensor;
use gan_core::grid::Grid;
use gan_core::run::{RunInfo, Status};
use gan_core::{Image, RunDir, cloud, file, image};
use gan_data::{SampleShape, Split};
use gan_models::LatentBatch;

use crate::checkpoint::Checkpoint;
use crate::error::TrainError;
use crate::log::jsonl::MetricsFile;
use crate::log::tensorboard::EventWriter;
use crate::monitor::{Action, Finding, NanPolicy};
use crate::record::StepRecord;
use crate::trainer::Trainer;
use crate::{progression, retention};

/// Is told what happens while a run trains; shows it to a person.
pub trait Observer {
    /// A step was made.
    fn step(&mut self, record: &StepRecord);
    /// The monitor found something.
    fn found(&mut self, finding: &Finding);
    /// A grid or checkpoint was written.
    fn wrote(&mut self, path: &Path);
    /// Whole epochs are done: none before the first step.
    fn epoch(&mut self, _run: &RunDir, _trainer: &Trainer, _epoch: u64) {}
    /// An epoch of `output.figures_at` is done: the time to draw what the family shows.
    fn figures_due(&mut self, _run: &RunDir, _trainer: &Trainer, _epoch: u64) {}
    /// Training is over and its last checkpoint saved, but the run is not called finished before this returns: the time for
    /// the last figures, which a run that was killed over them gets when it is continued.
    fn ended(&mut self, _run: &RunDir, _trainer: &Trainer) {}
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps done.
    Finished,
    /// Ended before its length, as the configuration asks for when something is found.
    StoppedEarly,
    /// Asked to stop; a checkpoint was saved.
    Interrupted,
}

/// A trainer in a run folder.
pub struct Session {
    trainer: Trainer,
    run: RunDir,
    info: RunInfo,
    /// What sample grids show, where the family has a generator.
    grid_latents: Option<LatentBatch>,
    metrics: MetricsFile,
    events: EventWriter,
}

impl Session {
    /// Begins a run in a fresh folder, or continues one where `trainer` already has steps.
    pub fn new(trainer: Trainer, run: RunDir, info: RunInfo) -> Result<Self, TrainError> {
        let config = trainer.config();
        let grid_latents = match config.generates() {
            true => Some(trainer.grid_latents(config.output.grid_images)?),
            false => None,
        };
        file::write_bytes(&run.config(), trainer.config().to_toml()?.as_bytes())?;
        run.write_json(&run.models(), &trainer.summaries()?)?;
        run.write_json(&run.data(), trainer.data().manifest())?;
        let step = trainer.steps();
        let metrics = MetricsFile::continue_after(&run.metrics(), step)?;
        let events = EventWriter::continue_at(run.root(), step, unix_time())?;
        let mut session = Self { trainer, run, info, grid_latents, metrics, events };
        session.write_real()?;
        if step == 0 {
            session.write_grid()?;
        }
        session.write_info(Status::Running, None)?;
        Ok(session)
    }

    /// The trainer.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// The run folder.
    pub fn run_dir(&self) -> &RunDir {
        &self.run
    }

    /// Trains to the end, or until `stop` is set: then the step under way is finished and a
    /// checkpoint saved.
    pub fn train(
        &mut self,
        stop: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, TrainError> {
        match self.train_steps(stop, observer) {
            Ok(outcome) => Ok(outcome),
            Err(error) => {
                // The error of the training is the one to report, whatever this write does.
                self.write_info(Status::Failed, Some(error.to_string())).ok();
                Err(error)
            }
        }
    }

    fn train_steps(
        &mut self,
        stop: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, TrainError> {
        let total = self.trainer.total_steps();
        let mut saved = false;
        if self.trainer.steps() == 0 {
            observer.epoch(&self.run, &self.trainer, 0);
        }
        while self.trainer.steps() < total {
            if stop.load(Ordering::Relaxed) {
                if !saved {
                    self.save_checkpoint(observer)?;
                }
                self.write_info(Status::Interrupted, Some("stopped by a person".into()))?;
                return Ok(Outcome::Interrupted);
            }
            let before = self.trainer.images_seen();
            let record = self.trainer.step()?;
            self.log(&record)?;
            if record.non_finite().is_some() {
                self.roll_back(&record, observer)?;
                continue;
            }
            observer.step(&record);
            for finding in self.trainer.findings() {
                observer.found(finding);
            }
            if let Some(reason) = self.reason_to_stop() {
                if self.run.checkpoints()?.is_empty() {
                    self.save_checkpoint(observer)?;
                }
                self.write_end(observer)?;
                self.write_info(Status::Finished, Some(reason))?;
                return Ok(Outcome::StoppedEarly);
            }
            saved = self.write_due(before, observer)?;
        }
        if !saved {
            self.save_checkpoint(observer)?;
        }
        self.write_end(observer)?;
        self.write_info(Status::Finished, None)?;
        Ok(Outcome::Finished)
    }

    /// What the configuration asks for between `before` images and those seen now; whether a checkpoint was saved.
    fn write_due(&mut self, before: u64, observer: &mut dyn Observer) -> Result<bool, TrainError> {
        let output = &self.trainer.config().output;
        let seen = self.trainer.images_seen();
        let crossed = |every: u64| before / every != seen / every;
        let save = crossed(output.checkpoint_every);
        let grid = crossed(output.grid_every);
        let epoch = self.trainer.whole_epochs();
        let figures_at = epoch.filter(|n| output.figures_at.contains(n));
        if let Some(epoch) = epoch {
            observer.epoch(&self.run, &self.trainer, epoch);
        }
        if (grid || figures_at.is_some())
            && let Some(path) = self.write_grid()?
        {
            observer.wrote(&path);
        }
        if let Some(epoch) = figures_at {
            observer.figures_due(&self.run, &self.trainer, epoch);
        }
        if save {
            self.save_checkpoint(observer)?;
            self.write_info(Status::Running, None)?;
        }
        Ok(save)
    }

    /// What a run leaves to look at.
    fn write_end(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        if self.write_grid()?.is_some() {
            progression::write_progression(&self.run)?;
        }
        progression::write_plots(&self.run)?;
        observer.ended(&self.run, &self.trainer);
        Ok(())
    }

    /// What was found, and has not gone away, that the configuration ends a run for.
    fn reason_to_stop(&self) -> Option<String> {
        let stop_on = &self.trainer.config().monitor.stop_on;
        if stop_on.is_empty() {
            return None;
        }
        let mut found = self.trainer.lasting_findings().into_iter();
        let finding = found.find(|finding| stop_on.contains(&finding.ailment))?;
        Some(format!("stopped early: {}: {}", finding.ailment.name(), finding.evidence))
    }

    /// After a step that left the range of numbers: back to the newest checkpoint with lower learning rates, where the
    /// configuration says so and there is one; else the error to stop with.
    fn roll_back(
        &mut self,
        record: &StepRecord,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        for finding in self.trainer.findings() {
            observer.found(finding);
        }
        let checkpoints = self.run.checkpoints()?;
        let on_nan = self.trainer.config().monitor.on_nan;
        let mut policy = NanPolicy::after(on_nan, self.trainer.rollbacks());
        let (Action::RollBack { .. }, Some((_, path))) =
            (policy.on_non_finite(), checkpoints.last())
        else {
            return self.check_finite(record);
        };
        let checkpoint = Checkpoint::load(path, self.trainer.device())?;
        self.trainer = self.trainer.rolled_back(checkpoint)?;
        let step = self.trainer.steps();
        self.metrics = MetricsFile::continue_after(&self.run.metrics(), step)?;
        self.events = EventWriter::continue_at(self.run.root(), step, unix_time())?;
        Ok(())
    }

    fn check_finite(&self, record: &StepRecord) -> Result<(), TrainError> {
        let Some((what, value)) = record.non_finite() else { return Ok(()) };
        let last_good = match self.run.checkpoints()?.pop() {
            Some((_, path)) => format!("the last good checkpoint is {}", path.display()),
            None => "no checkpoint was written before it".into(),
        };
        let what = what.to_string();
        Err(TrainError::NonFinite { what, value, step: record.step, last_good })
    }

    fn log(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        self.metrics.append(record)?;
        let now = unix_time();
        for (tag, value) in record.scalars() {
            self.events.scalar(tag, record.step, now, value)?;
        }
        Ok(self.events.flush()?)
    }

    /// Real samples of the training split, so that generated ones have something to be held against.
    fn write_real(&self) -> Result<(), TrainError> {
        let data = self.trainer.data();
        let n = self.trainer.config().output.grid_images.min(data.len(Split::Train));
        let samples = data.samples(Split::Train, &(0..n).collect::<Vec<_>>())?;
        self.picture(&samples)?.write_png(&self.run.real())?;
        Ok(())
    }

    /// A grid of samples, where the family has a generator.
    fn write_grid(&mut self) -> Result<Option<PathBuf>, TrainError> {
        let Some(latents) = &self.grid_latents else { return Ok(None) };
        let samples = self.trainer.generate(latents)?;
        let path = self.run.sample(self.trainer.images_seen());
        self.picture(&samples)?.write_png(&path)?;
        Ok(Some(path))
    }

    /// Images `(N, C, H, W)` in a grid; points `(N, D)` or `(N, D, 1, 1)` in a map that reaches as far as the real ones.
    fn picture(&self, samples: &Tensor) -> Result<Image, TrainError> {
        let data = self.trainer.data();
        match data.manifest().sample {
            SampleShape::Image(shape) => {
                let images = image::from_tensor(samples)?;
                Ok(Grid::for_images(images.len(), shape.width).render(&images)?)
            }
            SampleShape::Point(_) => {
                let all: Vec<usize> = (0..data.len(Split::Train)).collect();
                let reach = cloud::reach(&data.samples(Split::Train, &all)?.to_vec2()?);
                Ok(cloud::map(&samples.flatten_from(1)?.to_vec2()?, reach)?)
            }
        }
    }

    fn save_checkpoint(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let path = self.run.checkpoint(self.trainer.images_seen());
        self.trainer.checkpoint()?.save(&path)?;
        observer.wrote(&path);
        let keep = self.trainer.config().output.keep_checkpoints;
        for old in retention::superseded(&self.run.checkpoints()?, keep) {
            fs_err::remove_file(old)?;
        }
        Ok(())
    }

    fn write_info(&mut self, status: Status, reason: Option<String>) -> Result<(), TrainError> {
        self.info.status = status;
        self.info.reason = reason;
        self.info.seconds = self.trainer.seconds();
        self.info.steps = self.trainer.steps();
        self.info.total_steps = self.trainer.total_steps();
        self.info.images_seen = self.trainer.images_seen();
        Ok(self.run.write_info(&self.info)?)
    }
}

/// Seconds after 1970.
fn unix_time() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64())
}
