//! An autoencoder: test images over their reconstructions, the errors, and how its latents are distributed.

use std::path::PathBuf;

use gan_core::{RunDir, file};
use gan_data::Split;
use gan_train::Trainer;

use super::{SEED, Subject};
use crate::reconstruction::{self, History, IMAGES};

/// Images that are shown.
const SHOWN: usize = 10;

pub(super) fn write(subject: &Subject<'_>) -> anyhow::Result<Vec<PathBuf>> {
    let &Subject { folder, checkpoint, data, device, console } = subject;
    let mut history = History::read(folder, SEED);
    let split = Split::Test;
    if data.len(split) == 0 {
        tracing::info!("the data has no test split to reconstruct");
        history.add_checkpoint(checkpoint, None, data, device)?;
        return history.write(folder);
    }
    let found = reconstruction::reconstruct(checkpoint, data, split, SHOWN, device, console)?;
    tracing::info!("{}", found.summary());
    let followed = found.values.len() / data.len(split) * data.len(split).min(IMAGES);
    history.add(&found.values[..followed], checkpoint.header.images_seen, None)?;
    let mut files = history.write(folder)?;
    files.extend(found.write_pictures(&folder.join("reconstructions.png"))?);
    let numbers = folder.join("reconstruction.json");
    file::write_json(&numbers, &found)?;
    files.push(numbers);
    Ok(files)
}

/// Keeps how the latents are distributed after an epoch of a run, for the figure at its end.
pub(crate) fn follow(run: &RunDir, trainer: &Trainer, epoch: u64) -> anyhow::Result<()> {
    let batches = trainer.steps().checked_div(epoch).unwrap_or(trainer.total_steps());
    if trainer.config().autoencoder.is_none()
        || !History::follows(epoch, trainer.total_steps() / batches.max(1))
    {
        return Ok(());
    }
    let folder = run.plot("");
    let mut history = History::read(&folder, SEED);
    let checkpoint = trainer.checkpoint()?;
    history.add_checkpoint(&checkpoint, Some(epoch), trainer.data(), trainer.device())?;
    history.write_json(&folder)?;
    Ok(())
}
