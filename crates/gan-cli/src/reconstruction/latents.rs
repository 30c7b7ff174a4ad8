//! How the entries of an autoencoder's latents are distributed, at one moment and over a training.

use std::path::{Path, PathBuf};

use candle_core::Device;
use gan_core::plot::{Plot, Series};
use gan_core::{Stream, file};
use gan_data::{Dataset, Split};
use gan_eval::ks_to_standard_normal;
use gan_train::reconstruct::ImageAutoencoder;
use gan_train::{Checkpoint, batches};
use serde::{Deserialize, Serialize};

use crate::cmd::tables::thousands;

/// Images whose latents are followed over a training: enough for the second digit of a distance, quick enough for every epoch.
pub(crate) const IMAGES: usize = 1000;
/// Normal samples beside which the latents' distribution is drawn.
const NORMALS: usize = 10_000;
/// Points of a curve of a distribution: few enough that the plot does not average them.
const CURVE: usize = 100;
/// Moments that a figure shows: with the normal samples as many curves as a plot has colors.
const DRAWN: usize = 5;
/// The file that holds a run's moments.
const FILE: &str = "latent_cdf.json";

/// All entries of all latents, of a variational autoencoder the means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entries {
    pub(crate) entries: usize,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    /// Kolmogorov's distance from N(0, 1).
    pub(crate) ks_distance: f64,
}

impl Entries {
    pub(crate) fn of(values: &[f32]) -> anyhow::Result<Self> {
        let count = values.len().max(1) as f64;
        let mean = values.iter().map(|&z| f64::from(z)).sum::<f64>() / count;
        let variance = values.iter().map(|&z| (f64::from(z) - mean).powi(2)).sum::<f64>() / count;
        let ks_distance = ks_to_standard_normal(values)?;
        Ok(Self { entries: values.len(), mean, variance, ks_distance })
    }

    /// To nine places: so many come back from JSON exactly, and a run that is resumed writes what one that was not does.
    fn rounded(self) -> Self {
        let places = |value: f64| (value * 1e9).round() / 1e9;
        let Self { entries, mean, variance, ks_distance } = self;
        let [mean, variance, ks_distance] = [mean, variance, ks_distance].map(places);
        Self { entries, mean, variance, ks_distance }
    }
}

/// How the latents of the same images were distributed at moments of a training.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    /// Shares of entries: what `quantiles` and `normal` are at or below.
    shares: Vec<f64>,
    /// The quantiles of 10,000 normal samples.
    normal: Vec<f32>,
    moments: Vec<Moment>,
}

/// One moment.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Moment {
    images_seen: u64,
    /// Epochs done, where the moment is the end of one.
    epoch: Option<u64>,
    #[serde(flatten)]
    latents: Entries,
    quantiles: Vec<f32>,
}

impl History {
    /// What a folder has, or an empty one.
    pub(crate) fn read(folder: &Path, seed: u64) -> Self {
        let path = folder.join(FILE);
        if let Ok(bytes) = fs_err::read(&path) {
            match serde_json::from_slice(&bytes) {
                Ok(history) => return history,
                Err(e) => tracing::warn!("{}: {e}; it is begun anew", path.display()),
            }
        }
        let mut stream = Stream::named("reconstruct.normal", seed);
        let normals: Vec<f32> = (0..NORMALS).map(|_| stream.normal()).collect();
        Self { shares: shares().collect(), normal: quantiles(&normals), moments: Vec::new() }
    }

    /// Whether `epoch` of `epochs` is followed: all of them, of many some.
    pub(crate) fn follows(epoch: u64, epochs: u64) -> bool {
        const MOST: u64 = 50;
        epoch.is_multiple_of(epochs.div_ceil(MOST).max(1))
    }

    /// Adds a moment. What is known of later ones goes: the run went back to a checkpoint, and comes there again.
    pub(crate) fn add(
        &mut self,
        values: &[f32],
        images_seen: u64,
        epoch: Option<u64>,
    ) -> anyhow::Result<()> {
        let known = self.moments.iter().find(|moment| moment.images_seen == images_seen);
        let epoch = epoch.or_else(|| known?.epoch);
        self.moments.retain(|moment| moment.images_seen < images_seen);
        let (latents, quantiles) = (Entries::of(values)?.rounded(), quantiles(values));
        self.moments.push(Moment { images_seen, epoch, latents, quantiles });
        Ok(())
    }

    /// Adds the moment of a checkpoint.
    pub(crate) fn add_checkpoint(
        &mut self,
        checkpoint: &Checkpoint,
        epoch: Option<u64>,
        data: &Dataset,
        device: &Device,
    ) -> anyhow::Result<()> {
        let values = latents(checkpoint, data, device)?;
        self.add(&values, checkpoint.header.images_seen, epoch)
    }

    /// Writes the numbers alone.
    pub(crate) fn write_json(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = folder.join(FILE);
        file::write_json(&path, self)?;
        Ok(path)
    }

    /// Writes the numbers and their figures; returns the files.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = vec![self.write_json(folder)?];
        let plots = [("latent_cdf", Some(self.distributions())), ("latent_ks", self.distances())];
        for (name, plot) in plots {
            let Some(plot) = plot else { continue };
            let [png, svg] = ["png", "svg"].map(|end| folder.join(format!("{name}.{end}")));
            plot.write_png(&png)?;
            plot.write_svg(&svg)?;
            files.extend([png, svg]);
        }
        Ok(files)
    }

    /// The distributions of some moments, the first and the last among them, beside that of normal samples.
    fn distributions(&self) -> Plot {
        let curve = |name: String, quantiles: &[f32]| {
            let values = quantiles.iter().map(|&value| f64::from(value));
            Series::new(name, values.zip(self.shares.iter().copied()).collect())
        };
        let drawn = picked(self.moments.len(), DRAWN).map(|i| &self.moments[i]);
        let mut series: Vec<Series> =
            drawn.map(|moment| curve(moment.name(), &moment.quantiles)).collect();
        series.push(curve("10,000 normal samples".into(), &self.normal));
        Plot {
            title: "Distribution of the latents' entries".into(),
            x_label: "value".into(),
            y_label: "share at or below".into(),
            y_range: Some((0.0, 1.0)),
            series,
            ..Plot::default()
        }
    }

    /// The distance from N(0, 1) over the training, where more than one moment is known.
    fn distances(&self) -> Option<Plot> {
        let point = |moment: &Moment| (moment.images_seen as f64, moment.latents.ks_distance);
        (self.moments.len() > 1).then(|| Plot {
            title: "Distance of the latents' entries from N(0, 1)".into(),
            x_label: "images seen".into(),
            y_label: "Kolmogorov's distance".into(),
            series: vec![Series::new("latents", self.moments.iter().map(point).collect())],
            ..Plot::default()
        })
    }
}

impl Moment {
    fn name(&self) -> String {
        match (self.images_seen, self.epoch) {
            (0, _) => "before training".into(),
            (_, Some(epoch)) => format!("after epoch {epoch}"),
            (images, None) => format!("after {} images", thousands(images)),
        }
    }
}

/// The latents that are followed: of the first images of the test split, or of the training split where there is none.
fn latents(checkpoint: &Checkpoint, data: &Dataset, device: &Device) -> anyhow::Result<Vec<f32>> {
    let autoencoder = ImageAutoencoder::new(checkpoint, device)?;
    let split = if data.len(Split::Test) > 0 { Split::Test } else { Split::Train };
    let (mut values, mut left) = (Vec::new(), IMAGES);
    for images in batches::of_split(data, split) {
        let images = images?;
        let n = left.min(images.dim(0)?);
        let latents = autoencoder.encode(&images.narrow(0, 0, n)?)?;
        values.extend(latents.flatten_all()?.to_vec1::<f32>()?);
        left -= n;
        if left == 0 {
            break;
        }
    }
    Ok(values)
}

/// In the middle of equal parts, so that single far values do not stretch the figure.
fn shares() -> impl Iterator<Item = f64> {
    (0..CURVE).map(|i| (i as f64 + 0.5) / CURVE as f64)
}

/// The smallest values that at least each share of values is at or below.
fn quantiles(values: &[f32]) -> Vec<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = |share: f64| (share * sorted.len() as f64).ceil() as usize;
    shares().filter_map(|share| sorted.get(at(share).saturating_sub(1)).copied()).collect()
}

/// At most `most` of `0..len`, evenly, with both ends.
fn picked(len: usize, most: usize) -> impl Iterator<Item = usize> {
    let n = len.min(most);
    let gaps = n.saturating_sub(1).max(1);
    (0..n).map(move |i| (i * len.saturating_sub(1) + gaps / 2) / gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of N(m, 1) at the middles of `n` equal parts would need an inverse: a ramp has them in closed form.
    fn ramp(n: usize, from: f32) -> Vec<f32> {
        (1..=n).map(|i| from + i as f32 / n as f32).collect()
    }

    #[test]
    fn quantiles_of_a_ramp_are_its_shares() {
        for (value, share) in quantiles(&ramp(1000, 0.0)).into_iter().zip(shares()) {
            assert!((f64::from(value) - share).abs() < 1e-6, "{share}: {value}");
        }
        assert_eq!(quantiles(&[3.0]), vec![3.0; CURVE]);
        assert_eq!(quantiles(&[]), Vec::<f32>::new());
    }

    #[test]
    fn a_run_that_went_back_knows_nothing_of_later_moments() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut history = History::read(folder.path(), 0);
        for epoch in 0..4 {
            history.add(&ramp(50, epoch as f32), 100 * epoch, Some(epoch))?;
        }
        history.add(&ramp(50, 3.0), 300, None)?;
        let whole = (0..4).map(Some).collect::<Vec<_>>();
        let epochs = |history: &History| -> Vec<Option<u64>> {
            history.moments.iter().map(|moment| moment.epoch).collect()
        };
        assert_eq!(epochs(&history), whole, "the same moment again keeps its epoch");
        history.write(folder.path())?;
        let mut again = History::read(folder.path(), 0);
        assert_eq!(again, history);
        again.add(&ramp(50, 1.0), 100, Some(1))?;
        assert_eq!(epochs(&again), whole[..2]);
        again.add(&ramp(50, 9.0), 150, None)?;
        assert_eq!(again.moments[2].name(), "after 150 images");
        assert!(again.moments[2].latents.ks_distance > 0.999);

        fs_err::write(folder.path().join(FILE), "{")?;
        assert_eq!(History::read(folder.path(), 0).moments, []);
        Ok(())
    }

    #[test]
    fn figures_show_both_ends() -> anyhow::Result<()> {
        assert_eq!(picked(21, 5).collect::<Vec<_>>(), [0, 5, 10, 15, 20]);
        for len in 1..40 {
            let some: Vec<usize> = picked(len, 5).collect();
            assert_eq!((some[0], some.last().copied()), (0, Some(len - 1)), "{some:?}");
            assert!(some.len() == len.min(5) && some.is_sorted_by(|a, b| a < b), "{some:?}");
        }
        assert_eq!(picked(0, 5).count(), 0);
        let mut history = History::read(Path::new("nowhere"), 0);
        history.add(&ramp(50, 0.0), 0, Some(0))?;
        assert!(history.distances().is_none(), "one moment makes no line");
        let names: Vec<String> =
            history.distributions().series.into_iter().map(|s| s.name).collect();
        assert_eq!(names, ["before training", "10,000 normal samples"]);
        Ok(())
    }

    #[test]
    fn of_many_epochs_some_are_followed() {
        let followed = |epochs: u64| (0..=epochs).filter(|e| History::follows(*e, epochs)).count();
        assert_eq!([followed(0), followed(20), followed(50), followed(51)], [1, 21, 51, 26]);
        assert!(followed(10_000) == 51);
    }
}
