//! From what `--data` names to an opened data set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gan_data::{
    Dataset, Manifest, PrepareOptions, Prepared, Source, Split, TransformOptions, cache,
    is_prepared,
};
use gan_train::Preset;
use gan_train::config::DataConfig;

use crate::args::{Global, UsageError};
use crate::cmd::tables::thousands;
use crate::console::Console;

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Located {
    /// A folder of shards.
    Shards(PathBuf),
    /// Something that shards can be made from.
    Raw(Source),
}

/// Opens shards as they are; prepares a raw source into the cache first.
pub(crate) fn open(
    config: &DataConfig,
    global: &Global,
    console: &Console,
) -> anyhow::Result<Arc<Dataset>> {
    let source = match locate(&config.source)? {
        Located::Shards(folder) => return open_folder(&folder),
        Located::Raw(source) => source,
    };
    let options = PrepareOptions {
        transform: config.size.map(TransformOptions::square).unwrap_or_default(),
        limit: config.limit,
        ..Default::default()
    };
    let (folder, prepared) = {
        let progress = console.progress("preparing data", 0);
        cache::prepared(&source, &global.cache_dir(), &options, &progress.callback())?
    };
    warn_of_left_out(&prepared, &folder);
    open_folder(&folder)
}

/// Opens a folder of shards.
pub(crate) fn open_folder(folder: &Path) -> anyhow::Result<Arc<Dataset>> {
    let data = Dataset::open(folder)?;
    tracing::info!(
        "data: {}, {} for training, {}",
        folder.display(),
        thousands(data.len(Split::Train) as u64),
        data.manifest().sample
    );
    Ok(Arc::new(data))
}

/// Whether there are networks for such samples.
pub(crate) fn is_trainable(manifest: &Manifest) -> bool {
    let dcgan = Preset::find("dcgan").and_then(|preset| preset.config());
    let fits = |image| {
        dcgan.is_ok_and(|config| config.gan().is_ok_and(|model| model.check(image).is_ok()))
    };
    manifest.sample.image().is_some_and(fits)
}

/// Says what of a source was left out, and why.
pub(crate) fn warn_of_left_out(prepared: &Prepared, folder: &Path) {
    let log = folder.join("prepare.log");
    for skipped in prepared.skipped.iter().take(5) {
        tracing::warn!("left out {skipped}");
    }
    let damaged = prepared.manifest.skipped;
    if damaged > 0 {
        tracing::warn!("{} damaged images left out, listed in {}", damaged, log.display());
    }
    if !prepared.ignored.is_empty() {
        let mut reasons = BTreeMap::<&str, usize>::new();
        for ignored in &prepared.ignored {
            *reasons.entry(&ignored.reason).or_default() += 1;
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let reasons: Vec<String> =
            reasons.iter().take(4).map(|(reason, n)| format!("{n} × {reason}")).collect();
        tracing::warn!(
            "{} files not taken, listed in {} ({})",
            thousands(prepared.ignored.len() as u64),
            log.display(),
            reasons.join(", ")
        );
    }
}

/// What a name stands for: shards or a source there, a built-in set, or one of these under `GAN_DATA`.
pub(crate) fn locate(name: &str) -> anyhow::Result<Located> {
    if is_prepared(Path::new(name)) {
        return Ok(Located::Shards(name.into()));
    }
    if let Some(digits) = Source::stacked_digits(name) {
        return match locate(digits)? {
            Located::Raw(digits) => Ok(Located::Raw(Source::Stacked(Box::new(digits)))),
            Located::Shards(path) => Err(UsageError(format!(
                "data {name:?}: {} is prepared already; name the digits it was prepared from",
                path.display()
            ))
            .into()),
        };
    }
    let root = std::env::var_os("GAN_DATA");
    let under_root = root.as_ref().map(|root| Path::new(root).join(name));
    let here = PathBuf::from(name);
    for path in [Some(&here), under_root.as_ref()].into_iter().flatten() {
        if is_prepared(path) {
            return Ok(Located::Shards(path.clone()));
        }
        match Source::detect(&path.to_string_lossy()) {
            Ok(source) => return Ok(Located::Raw(source)),
            Err(error) if path.exists() => return Err(error.into()),
            Err(_) => {}
        }
    }
    Err(UsageError(match under_root {
        Some(path) => format!(
            "data {name:?}: there is neither such a path nor {}; name one that is there",
            path.display()
        ),
        None => format!(
            "data {name:?}: there is no such path; name one that is there, or set GAN_DATA to the \
             folder that holds {name:?}"
        ),
    })
    .into())
}
