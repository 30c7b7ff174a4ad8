//! Pictures of a run, embedded into the page.

use std::path::Path;

use base64::Engine;
use gan_core::RunDir;
use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::text;

/// A picture with what stands below it.
#[derive(Serialize)]
pub(crate) struct Picture {
    /// `data:` address that holds the whole file.
    pub(crate) source: Value,
    pub(crate) caption: String,
}

/// At most so many sample grids are shown side by side, and figures of so many epochs.
const STAGES: usize = 6;

/// A picture file, where there is one.
pub(crate) fn picture(path: &Path, caption: &str) -> Result<Option<Picture>> {
    if !path.is_file() {
        return Ok(None);
    }
    let kind = match path.extension().and_then(|e| e.to_str()) {
        Some("gif") => "image/gif",
        _ => "image/png",
    };
    let data = base64::engine::general_purpose::STANDARD.encode(fs_err::read(path)?);
    // Nothing in it needs escaping; as plain text every `/` would grow to six characters.
    let source = Value::from_safe_string(format!("data:{kind};base64,{data}"));
    Ok(Some(Picture { source, caption: caption.into() }))
}

/// The last sample grid.
pub(crate) fn last_samples(run: &RunDir) -> Result<Option<Picture>> {
    match run.samples()?.last() {
        Some((images, path)) => picture(path, &format!("generated images, {}", after(*images))),
        None => Ok(None),
    }
}

/// Sample grids from the first to the last, evenly picked; none where there is only one.
pub(crate) fn progression(run: &RunDir) -> Result<Vec<Picture>> {
    let samples = run.samples()?;
    if samples.len() < 2 {
        return Ok(Vec::new());
    }
    let mut stages = Vec::new();
    for i in spread(samples.len(), STAGES) {
        let (images, path) = &samples[i];
        stages.extend(picture(path, &after(*images))?);
    }
    Ok(stages)
}

/// The figures of one epoch.
#[derive(Serialize)]
pub(crate) struct Stage {
    title: String,
    figures: Vec<Picture>,
}

/// Figures drawn on the way, by epoch: of many epochs some, evenly picked, the first and the last among them.
pub(crate) fn stages(run: &RunDir) -> Result<Vec<Stage>> {
    let epochs = run.drawn_epochs()?;
    let mut stages = Vec::new();
    for i in spread(epochs.len(), STAGES) {
        let (epoch, folder) = &epochs[i];
        let figures = figures(folder)?;
        if !figures.is_empty() {
            stages.push(Stage { title: format!("After epoch {epoch}"), figures });
        }
    }
    Ok(stages)
}

/// Pictures in `plots/`, or in a folder of an epoch there, that the page does not draw itself.
pub(crate) fn figures(folder: &Path) -> Result<Vec<Picture>> {
    /// The trainer's own curves: the page has them as drawings from the same numbers.
    const DRAWN: [&str; 7] =
        ["losses", "discriminator", "accuracy", "gradients", "throughput", "mse", "latent"];
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut figures = Vec::new();
    for path in paths {
        let png = path.extension().is_some_and(|e| e == "png");
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        if png && !DRAWN.contains(&stem.as_str()) {
            figures.extend(picture(&path, &stem.replace(['_', '-'], " "))?);
        }
    }
    Ok(figures)
}

fn after(images: u64) -> String {
    match images {
        0 => "before training".into(),
        n => format!("after {} images", text::grouped(n)),
    }
}

/// At most `n` of `0..len`, evenly, with both ends.
fn spread(len: usize, n: usize) -> Vec<usize> {
    if len <= n {
        return (0..len).collect();
    }
    (0..n).map(|i| (i * (len - 1) + (n - 1) / 2) / (n - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_hold_both_ends() {
        assert_eq!(spread(3, 6), [0, 1, 2]);
        assert_eq!(spread(6, 6), [0, 1, 2, 3, 4, 5]);
        assert_eq!(spread(11, 6), [0, 2, 4, 6, 8, 10]);
        for len in 7..50 {
            let picked = spread(len, 6);
            assert_eq!((picked[0], picked[5]), (0, len - 1));
            assert!(picked.is_sorted_by(|a, b| a < b));
        }
    }
}
