//! How sharp samples are beside real images, and how far from their mean.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use gan_core::plot::{Plot, Series};
use gan_core::{Image, ImageShape, grid::Grid, image, text};
use gan_data::{Dataset, Split};
use gan_eval::{MeanImage, Sharpness, SharpnessResult, Spread};
use gan_train::batches::{self, BATCH};
use serde::Serialize;

use crate::args::UsageError;
use crate::cmd::tables;
use crate::console::Console;

/// Training images whose mean is taken, at most.
const MEAN_OF: usize = 10_000;
/// Images that a panel shows, and how many of them in a row.
const SHOWN: usize = 32;
const COLUMNS: usize = 4;
/// Pixels between panels, and their colors.
const GAP: usize = 12;
const BACKGROUND: u8 = 255;
const INK: u8 = 60;

/// Real images, and sets of samples that are held against them.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// What the real images are of.
    data: String,
    split: Split,
    /// Training images whose mean the distances are from.
    mean_of: usize,
    #[serde(skip)]
    mean: MeanImage,
    /// The real images, then each set in the order in which it came.
    sets: Vec<Measured>,
}

/// One set of images.
#[derive(Debug, Serialize)]
struct Measured {
    name: String,
    /// The run that made them, where they are not real.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<PathBuf>,
    #[serde(flatten)]
    sharpness: SharpnessResult,
    /// Root of the mean squared difference from the mean image, on [0, 1].
    from_mean: Spread,
    #[serde(skip)]
    shown: Vec<Image>,
}

impl Comparison {
    /// Real images to hold samples of `expected` shape against: the first `n` of the test split, or of the training split
    /// where there is none.
    ///
    /// # Errors
    /// If they are of another shape.
    pub(crate) fn with(
        data: &Dataset,
        name: &str,
        n: usize,
        expected: ImageShape,
        console: &Console,
    ) -> anyhow::Result<Self> {
        if data.manifest().sample.image() != Some(expected) {
            let (sample, name) = (&data.manifest().sample, name.to_string());
            let reason = format!("{name} has {sample}, the run makes {expected} images");
            return Err(UsageError(reason).into());
        }
        let mut mean = MeanImage::default();
        {
            let most = data.len(Split::Train).min(MEAN_OF);
            let line = console.progress("mean of the training images", most as u64);
            first(data, Split::Train, most, |images| {
                mean.add(images)?;
                line.set(mean.images() as u64, "");
                Ok(())
            })?;
        }
        let split = if data.len(Split::Test) > 0 { Split::Test } else { Split::Train };
        let mut real = Vec::new();
        first(data, split, n, |images| {
            real.extend(image::from_tensor(images)?);
            Ok(())
        })?;
        let (data, mean_of) = (name.to_string(), mean.images());
        let mut comparison = Self { data, split, mean_of, mean, sets: Vec::new() };
        comparison.measure("real".into(), None, &real, console)?;
        Ok(comparison)
    }

    /// Measures the samples of a run.
    pub(crate) fn add(
        &mut self,
        run: &Path,
        images: &[Image],
        console: &Console,
    ) -> anyhow::Result<()> {
        let short = run.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = short.filter(|short| self.sets.iter().all(|set| set.name != *short));
        self.measure(name.unwrap_or_else(|| run.display().to_string()), Some(run), images, console)
    }

    fn measure(
        &mut self,
        name: String,
        run: Option<&Path>,
        images: &[Image],
        console: &Console,
    ) -> anyhow::Result<()> {
        let line = console.progress("measuring", images.len() as u64);
        let (mut sharpness, mut distances) = (Sharpness::default(), Vec::new());
        for batch in images.chunks(BATCH) {
            let batch = image::normalize(&image::to_tensor(batch, &Device::Cpu)?)?;
            sharpness.add(&batch)?;
            distances.extend(self.mean.distances(&batch)?);
            line.set(distances.len() as u64, "");
        }
        let from_mean = Spread::over(&distances).ok_or(gan_eval::EvalError::NoSamples)?;
        let (sharpness, run) = (sharpness.result()?, run.map(Path::to_path_buf));
        let shown = images.iter().take(SHOWN).cloned().collect();
        self.sets.push(Measured { name, run, sharpness, from_mean, shown });
        Ok(())
    }

    /// The numbers, those of samples also as shares of the real images'.
    pub(crate) fn table(&self) -> String {
        let Some(real) = self.sets.first() else { return String::new() };
        let share = |value: f64, of: f64| format!("{:.0} %", 100.0 * value / of);
        let rows = self.sets.iter().map(|set| {
            let (gradient, distance) = (set.sharpness.gradient.mean, set.from_mean.mean);
            vec![
                set.name.clone(),
                tables::thousands(set.sharpness.images as u64),
                format!("{gradient:.4}"),
                share(gradient, real.sharpness.gradient.mean),
                format!("{:.2} %", 100.0 * set.sharpness.fine_share),
                format!("{distance:.4}"),
                share(distance, real.from_mean.mean),
            ]
        });
        let head = ["", "images", "gradient", "of real", "fine detail", "from the mean", "of real"];
        tables::table(&head, &[1, 2, 3, 4, 5, 6], rows.collect())
    }

    /// The power spectra of all sets.
    pub(crate) fn spectra(&self) -> Plot {
        let curve = |set: &Measured| {
            let points = set.sharpness.spectrum.iter().enumerate().skip(1);
            Series::new(&set.name, points.map(|(radius, &power)| (radius as f64, power)).collect())
        };
        Plot {
            title: "Power of waves in images".into(),
            x_label: "cycles over the shorter side".into(),
            y_label: "mean power".into(),
            log_y: true,
            series: self.sets.iter().map(curve).collect(),
            ..Plot::default()
        }
    }

    /// The first images of all sets side by side, the same number of each, with the names above.
    pub(crate) fn panels(&self) -> anyhow::Result<Image> {
        let n = self.sets.iter().map(|set| set.shown.len()).min().unwrap_or(0);
        let mut panels = Vec::new();
        for set in &self.sets {
            let width = set.shown.first().map_or(0, Image::width);
            let grid = Grid::for_images(n, width).with_columns(COLUMNS);
            panels.push(grid.render(&set.shown[..n])?);
        }
        let channels = panels.first().map_or(1, Image::channels);
        let width: usize = panels.iter().map(|panel| panel.width() + GAP).sum();
        let height = panels.iter().map(Image::height).max().unwrap_or(0) + text::LINE;
        let mut all =
            Image::filled(width.saturating_sub(GAP), height, &vec![BACKGROUND; channels])?;
        let mut x = 0;
        for (set, panel) in self.sets.iter().zip(&panels) {
            let name = text::fitted(&set.name, panel.width());
            let left = x + (panel.width() - text::width(&name)) / 2;
            text::draw(&mut all, &name, left, 0, &vec![INK; channels]);
            all.paste(panel, x, text::LINE);
            x += panel.width() + GAP;
        }
        Ok(all)
    }
}

/// Hands over the first `n` images of a split, in batches `(N, C, H, W)` in [−1, 1].
fn first(
    data: &Dataset,
    split: Split,
    n: usize,
    mut take: impl FnMut(&Tensor) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut left = n.min(data.len(split));
    for images in batches::of_split(data, split) {
        if left == 0 {
            break;
        }
        let images = images?;
        let some = left.min(images.dim(0)?);
        take(&images.narrow(0, 0, some)?)?;
        left -= some;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gan_data::{PrepareOptions, Source, prepare};

    use super::*;

    /// Sixty digits in the plane of 28×28.
    fn digits(folder: &Path) -> anyhow::Result<Dataset> {
        let mut options = PrepareOptions { limit: Some(60), ..PrepareOptions::default() };
        options.transform.size = Some((28, 28));
        prepare(&Source::detect("synthetic-digits")?, folder, &options, &|_| ())?;
        Ok(Dataset::open(folder)?)
    }

    #[test]
    fn gray_pictures_are_less_sharp_than_digits_and_noise_is_sharper() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let data = digits(&folder.path().join("data"))?;
        let shape = ImageShape { channels: 1, height: 28, width: 28 };
        let console = Console::silent();
        let mut comparison = Comparison::with(&data, "digits", 20, shape, &console)?;
        let real = data.len(Split::Test).min(20);
        let gray = vec![Image::filled(28, 28, &[128])?; 3];
        let dots: Vec<u8> = (0..784).map(|i| if (i / 28 + i) % 2 == 0 { 255 } else { 0 }).collect();
        comparison.add(Path::new("a/gray"), &gray, &console)?;
        comparison.add(Path::new("b/gray"), &[Image::new(28, 28, 1, dots)?], &console)?;
        let [of_real, of_gray, of_dots] = &comparison.sets[..] else { panic!("three sets") };
        assert_eq!((of_real.sharpness.images, of_gray.sharpness.images), (real, 3));
        assert_eq!((of_gray.name.as_str(), of_dots.name.as_str()), ("gray", "b/gray"));
        assert_eq!(of_gray.sharpness.gradient.mean, 0.0);
        assert!(of_dots.sharpness.gradient.mean > of_real.sharpness.gradient.mean);
        assert!(of_dots.sharpness.fine_share > 0.999 && of_real.sharpness.fine_share < 0.9);
        assert!(of_real.from_mean.mean > 0.0);

        let table = comparison.table();
        assert!(table.contains("0 %") && table.lines().count() == 4, "{table}");
        let names: Vec<String> = comparison.spectra().series.into_iter().map(|s| s.name).collect();
        assert_eq!(names, ["real", "gray", "b/gray"]);
        let panels = comparison.panels()?;
        assert_eq!(panels.width(), 3 * (58 + 2) + 2 * GAP, "one image of each, as of the fewest");
        let middle = |panel: usize| panels.pixel(panel * (60 + GAP) + 30, text::LINE + 30).to_vec();
        assert_eq!(middle(1), [128]);
        Ok(())
    }

    #[test]
    fn images_of_another_shape_are_refused() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let data = digits(&folder.path().join("data"))?;
        let shape = ImageShape { channels: 3, height: 28, width: 28 };
        let refused = Comparison::with(&data, "digits", 20, shape, &Console::silent());
        assert!(refused.is_err_and(|e| e.is::<UsageError>()));
        Ok(())
    }
}
