//! Runs that go on from another one's checkpoint with other settings.

use std::path::Path;

use gan_core::RunDir;
use gan_train::config::WarmStart;
use gan_train::{Config, Header, settings};

use crate::args::UsageError;

/// The configuration of a run that goes on with other settings: those that its weights and positions do not depend on. Imported
/// weights have no positions yet.
pub(super) fn config(parent: &Header, set: &[String]) -> anyhow::Result<Config> {
    let (imported, parent) = (!parent.imported.is_empty(), &parent.config);
    let mut config = settings::apply(parent, set)?;
    let other_batches = config.training.batch_size != parent.training.batch_size;
    let fixed = [
        ("seed", !imported && config.seed != parent.seed),
        ("data", !imported && config.data != parent.data),
        ("latent", config.latent != parent.latent),
        ("model", config.model != parent.model),
        ("autoencoder", config.autoencoder != parent.autoencoder),
        ("classifier", config.classifier != parent.classifier),
        ("training.batch_size", !imported && other_batches),
        ("warm_start", config.warm_start != parent.warm_start),
    ];
    if let Some((key, _)) = fixed.iter().find(|(_, differs)| *differs) {
        let reason = format!(
            "a run that is resumed has its {key} already; train a new one, with warm_start.generator and \
             warm_start.discriminator for its weights"
        );
        return Err(UsageError(reason).into());
    }
    config.warm_start = WarmStart::default(); // its weights come from the checkpoint
    Ok(config)
}

/// A fresh folder beside the parent's.
pub(super) fn folder(parent: &RunDir, preset: &str) -> anyhow::Result<RunDir> {
    let beside = match parent.root().parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(RunDir::create_next(beside, preset)?)
}
