//! What an autoencoder makes of a data set: errors, pictures, and how its latents are distributed.

mod extremes;
mod latents;

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use gan_core::image;
use gan_data::{Dataset, Split};
use gan_eval::{ImageErrors, ImageErrorsResult};
use gan_train::reconstruct::ImageAutoencoder;
use gan_train::{Checkpoint, batches};
use serde::Serialize;

use self::extremes::{Pair, Ranking};
pub(crate) use self::latents::{Entries, History, IMAGES};
use crate::console::Console;

/// The errors over a split.
#[derive(Debug, Serialize)]
pub(crate) struct Reconstruction {
    pub(crate) split: Split,
    #[serde(flatten)]
    pub(crate) errors: ImageErrorsResult,
    /// The images that come back best and worst, from the extreme one on.
    best: Vec<Pair>,
    worst: Vec<Pair>,
    pub(crate) latents: Entries,
    /// The latents of all images, one after another.
    #[serde(skip)]
    pub(crate) values: Vec<f32>,
    #[serde(skip)]
    first: Vec<Pair>,
}

/// Sends every image of a split through the autoencoder of a checkpoint; the first `shown`, and as many of the best and of
/// the worst, are kept to be looked at.
pub(crate) fn reconstruct(
    checkpoint: &Checkpoint,
    data: &Dataset,
    split: Split,
    shown: usize,
    device: &Device,
    console: &Console,
) -> anyhow::Result<Reconstruction> {
    let autoencoder = ImageAutoencoder::new(checkpoint, device)?;
    let line = console.progress("reconstructing", data.len(split) as u64);
    let (mut errors, mut values) = (ImageErrors::default(), Vec::new());
    let (mut best, mut worst) = (Ranking::lowest(shown), Ranking::highest(shown));
    let mut first = Vec::new();
    for images in batches::of_split(data, split) {
        let images = images?;
        let latents = autoencoder.encode(&images)?;
        let decoded = autoencoder.decode(&latents)?.to_device(&Device::Cpu)?;
        let before = errors.len();
        errors.add(&decoded, &images)?;
        values.extend(latents.flatten_all()?.to_vec1::<f32>()?);
        for (i, &mse) in errors.mse()[before..].iter().enumerate() {
            let index = before + i;
            let pair = || Ok(Pair::new(index, mse, picture(&images, i)?, picture(&decoded, i)?));
            if index < shown {
                first.push(pair()?);
            }
            best.offer(mse, pair)?;
            worst.offer(mse, pair)?;
        }
        line.set(errors.len() as u64, "");
    }
    let (best, worst) = (best.into_pairs(), worst.into_pairs());
    let latents = Entries::of(&values)?;
    Ok(Reconstruction { split, errors: errors.result()?, best, worst, latents, values, first })
}

/// One image of a batch.
fn picture(images: &Tensor, i: usize) -> anyhow::Result<gan_core::Image> {
    Ok(image::from_tensor(&images.narrow(0, i, 1)?)?.remove(0))
}

impl Reconstruction {
    /// Writes originals over their reconstructions, of the first images to `path` and of the best and worst ones beside it
    /// with the ends `-best` and `-worst`; returns the files.
    pub(crate) fn write_pictures(&self, path: &Path) -> anyhow::Result<[PathBuf; 3]> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let beside = |end: &str| path.with_file_name(format!("{stem}-{end}.png"));
        let files = [path.to_path_buf(), beside("best"), beside("worst")];
        for (file, pairs) in files.iter().zip([&self.first, &self.best, &self.worst]) {
            extremes::sheet(pairs)?.write_png(file)?;
        }
        Ok(files)
    }

    /// What a person is told.
    pub(crate) fn summary(&self) -> String {
        let Self { errors, latents, .. } = self;
        format!(
            "{} {} images: mean squared error {:.4} on the scale [-1, 1], {:.5} on [0, 1]; latents {:.3} from N(0, 1) \
             (Kolmogorov)",
            errors.images, self.split, errors.mse.mean, errors.mse_unit.mean, latents.ks_distance
        )
    }
}
