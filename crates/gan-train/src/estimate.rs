//! How long a run will take and how much memory it needs, from a short measurement.

use std::sync::Arc;
use std::time::Instant;

use candle_core::Device;
use gan_data::Dataset;

use crate::config::Config;
use crate::error::TrainError;
use crate::trainer::Trainer;

/// What a few steps of a run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Seconds a training step.
    pub step_seconds: f64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Highest resident memory of the process so far, in bytes, where the system tells.
    pub peak_bytes: Option<u64>,
}

/// Runs a few steps of a copy of the run and throws it away.
///
/// The first step is left out of the time: it allocates.
pub fn measure(
    config: &Config,
    data: Arc<Dataset>,
    device: &Device,
) -> Result<Estimate, TrainError> {
    let mut trainer = Trainer::new(config.clone(), data, device)?;
    trainer.step()?;
    let start = Instant::now();
    let mut steps = 0;
    while steps == 0 || (steps < 5 && start.elapsed().as_secs_f64() < 1.0) {
        trainer.step()?;
        steps += 1;
    }
    Ok(Estimate {
        step_seconds: start.elapsed().as_secs_f64() / f64::from(steps),
        steps: trainer.total_steps(),
        peak_bytes: peak_resident_bytes(),
    })
}

/// Highest resident memory of this process so far (`VmHWM` of Linux); `None` elsewhere.
pub fn peak_resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
