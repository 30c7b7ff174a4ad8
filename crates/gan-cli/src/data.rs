//! From what `--data` names to an opened data set.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gan_data::{Dataset, PrepareOptions, Source, Split, cache};
use gan_train::config::DataConfig;

use crate::args::{Global, UsageError};
use crate::console::Console;

/// Opens shards as they are; prepares a raw source into the cache first.
pub(crate) fn open(
    config: &DataConfig,
    global: &Global,
    console: &Console,
) -> anyhow::Result<Arc<Dataset>> {
    let name = locate(&config.source)?;
    if is_shards(&name) {
        return open_folder(&name);
    }
    let options = PrepareOptions { size: config.size, limit: config.limit, ..Default::default() };
    let folder = {
        let source = Source::detect(&name.to_string_lossy())?;
        let progress = console.progress("preparing data", 0);
        cache::prepared(&source, &global.cache_dir(), &options, &progress.callback())?
    };
    open_folder(&folder)
}

/// Opens a folder of shards.
pub(crate) fn open_folder(folder: &Path) -> anyhow::Result<Arc<Dataset>> {
    let data = Dataset::open(folder)?;
    tracing::info!(
        "data: {}, {} images for training, {}",
        folder.display(),
        data.len(Split::Train),
        data.image_shape()
    );
    Ok(Arc::new(data))
}

/// Whether a folder holds prepared data.
pub(crate) fn is_shards(path: &Path) -> bool {
    path.join("manifest.json").is_file()
}

/// The path that a data set's name stands for: itself, or one under `GAN_DATA`.
pub(crate) fn locate(name: &str) -> anyhow::Result<PathBuf> {
    if name.starts_with("synthetic-") || Path::new(name).exists() {
        return Ok(name.into());
    }
    let Some(root) = std::env::var_os("GAN_DATA") else {
        return Err(UsageError(format!(
            "data {name:?}: there is no such path; name one with --data, or set GAN_DATA to the \
             folder that holds {name:?}"
        ))
        .into());
    };
    let path = Path::new(&root).join(name);
    if !path.exists() {
        let message = format!(
            "data {name:?}: there is neither such a path nor {}; name one with --data",
            path.display()
        );
        return Err(UsageError(message).into());
    }
    Ok(path)
}
