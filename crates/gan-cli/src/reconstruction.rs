//! What an autoencoder makes of a data set: errors, pictures, and how its latents are distributed.

use std::path::Path;

use candle_core::Device;
use gan_core::plot::{Plot, Series};
use gan_core::{Image, Stream, image};
use gan_data::{Dataset, Split};
use gan_eval::{ImageErrors, ImageErrorsResult, ks_to_standard_normal};
use gan_latent::Sheet;
use gan_train::reconstruct::ImageAutoencoder;
use gan_train::{Checkpoint, batches};
use serde::Serialize;

use crate::console::Console;

/// Normal samples beside which the latents' distribution is drawn.
const NORMALS: usize = 10_000;
/// Points of a curve of a distribution: few enough that the plot does not average them.
const CURVE: usize = 150;

/// The errors over a split.
#[derive(Debug, Serialize)]
pub(crate) struct Reconstruction {
    pub(crate) split: Split,
    #[serde(flatten)]
    pub(crate) errors: ImageErrorsResult,
    pub(crate) latents: Latents,
    #[serde(skip)]
    values: Vec<f32>,
    #[serde(skip)]
    pairs: [Vec<Image>; 2],
}

/// All entries of all latents of a split, of a variational autoencoder the means.
#[derive(Debug, Serialize)]
pub(crate) struct Latents {
    pub(crate) entries: usize,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    /// Kolmogorov's distance from N(0, 1).
    pub(crate) ks_distance: f64,
}

/// Sends every image of a split through the autoencoder of a checkpoint; the first `shown` are kept to be looked at.
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
    let mut pairs = [Vec::new(), Vec::new()];
    let mut done = 0;
    for images in batches::of_split(data, split) {
        let images = images?;
        let latents = autoencoder.encode(&images)?;
        let decoded = autoencoder.decode(&latents)?.to_device(&Device::Cpu)?;
        errors.add(&decoded, &images)?;
        values.extend(latents.flatten_all()?.to_vec1::<f32>()?);
        let more = shown.saturating_sub(done).min(images.dim(0)?);
        if more > 0 {
            for (pairs, images) in pairs.iter_mut().zip([&images, &decoded]) {
                pairs.extend(image::from_tensor(&images.narrow(0, 0, more)?)?);
            }
        }
        done += images.dim(0)?;
        line.set(done as u64, "");
    }
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|&z| f64::from(z)).sum::<f64>() / count;
    let variance = values.iter().map(|&z| (f64::from(z) - mean).powi(2)).sum::<f64>() / count;
    let ks_distance = ks_to_standard_normal(&values)?;
    let latents = Latents { entries: values.len(), mean, variance, ks_distance };
    Ok(Reconstruction { split, errors: errors.result()?, latents, values, pairs })
}

impl Reconstruction {
    /// Writes the originals over their reconstructions.
    pub(crate) fn write_pairs(&self, path: &Path) -> anyhow::Result<()> {
        Ok(Sheet::new(self.pairs.to_vec()).render()?.write_png(path)?)
    }

    /// Draws the distribution of the latents' entries beside that of normal samples.
    pub(crate) fn latent_plot(&self, seed: u64) -> Plot {
        let mut stream = Stream::named("reconstruct.normal", seed);
        let normals: Vec<f32> = (0..NORMALS).map(|_| stream.normal()).collect();
        Plot {
            title: "Distribution of the latents' entries".into(),
            x_label: "value".into(),
            y_label: "share at or below".into(),
            y_range: Some((0.0, 1.0)),
            series: vec![
                Series::new("latents", distribution(&self.values)),
                Series::new("10,000 normal samples", distribution(&normals)),
            ],
            ..Plot::default()
        }
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

/// Some points of the distribution of values.
fn distribution(values: &[f32]) -> Vec<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let point = |i: usize| {
        let at = i * last / (CURVE - 1);
        (f64::from(sorted[at]), (at + 1) as f64 / sorted.len() as f64)
    };
    if sorted.is_empty() { Vec::new() } else { (0..CURVE).map(point).collect() }
}
