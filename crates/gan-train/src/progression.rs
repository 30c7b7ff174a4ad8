//! What a run leaves to look at when it ends: progression GIF and plots.

use std::collections::BTreeSet;

use gan_core::gif::{Delay, write_gif};
use gan_core::plot::{Plot, Series};
use gan_core::{Image, RunDir};

use crate::error::TrainError;
use crate::log::jsonl;
use crate::record::StepRecord;

/// Most frames of a progression; a longer run's grids are thinned evenly.
const MOST_FRAMES: usize = 60;
/// Time a frame is shown, in hundredths of a second.
const FRAME_DELAY: Delay = Delay(12);

/// Joins the run's sample grids to `progression.gif`.
pub(crate) fn write_progression(run: &RunDir) -> Result<(), TrainError> {
    let grids = run.samples()?;
    let frames = thin(grids.len())
        .into_iter()
        .map(|i| Image::read(&grids[i].1))
        .collect::<Result<Vec<_>, _>>()?;
    if frames.is_empty() {
        return Ok(());
    }
    Ok(write_gif(&run.progression(), &frames, FRAME_DELAY)?)
}

/// Indices of at most [`MOST_FRAMES`] of `n` grids, the first and the last among them.
fn thin(n: usize) -> Vec<usize> {
    if n <= MOST_FRAMES {
        return (0..n).collect();
    }
    (0..MOST_FRAMES).map(|i| i * (n - 1) / (MOST_FRAMES - 1)).collect()
}

/// A curve's name and the value of a record that it shows.
type Curve = (&'static str, fn(&StepRecord) -> f64);

/// A plot: file name, title, what y is, whether y is a share, and its curves.
type PlotSpec = (&'static str, &'static str, &'static str, bool, &'static [Curve]);

const PLOTS: [PlotSpec; 3] = [
    (
        "losses",
        "Losses",
        "loss [nats]",
        false,
        &[("discriminator", |r| r.loss_d), ("generator", |r| r.loss_g)],
    ),
    (
        "discriminator",
        "What the discriminator believes",
        "mean probability of being real",
        true,
        &[
            ("D(x)", |r| r.d_real),
            ("D(G(z)) before", |r| r.d_fake_before),
            ("D(G(z)) after", |r| r.d_fake_after),
        ],
    ),
    (
        "accuracy",
        "Accuracy of the discriminator",
        "share told right",
        true,
        &[("real", |r| r.accuracy_real), ("fake", |r| r.accuracy_fake)],
    ),
];

/// What a family measures beside: file name, title, what y is, whether y is a share, and the beginning of the names.
const MORE: [(&str, &str, &str, bool, &str); 2] = [
    ("head_losses", "Losses of heads and codes", "loss [nats]", false, "loss_"),
    ("head_accuracies", "Accuracy of heads and codes", "share told right", true, "accuracy_"),
];

/// Draws `plots/*.{png,svg}` from `metrics.jsonl`.
pub(crate) fn write_plots(run: &RunDir) -> Result<(), TrainError> {
    let records = jsonl::read(&run.metrics())?;
    for (file, title, y_label, share, curves) in PLOTS {
        let series = curves.iter().map(|(name, value)| {
            let points = records.iter().map(|r| (r.images_seen as f64, value(r)));
            Series::new(*name, points.collect())
        });
        write_plot(run, file, plot(title, "real images seen", y_label, share, series.collect()))?;
    }
    let (_, title, y_label, share, curves) = PLOTS[0];
    let series = curves.iter().map(|(name, value)| {
        Series::new(*name, records.iter().map(|r| (r.seconds, value(r))).collect())
    });
    write_plot(run, "losses_time", plot(title, "seconds", y_label, share, series.collect()))?;
    for (file, title, y_label, share, beginning) in MORE {
        let series = series_of_more(&records, beginning);
        if !series.is_empty() {
            write_plot(run, file, plot(title, "real images seen", y_label, share, series))?;
        }
    }
    Ok(())
}

/// A curve for each of a family's own measures whose name begins so.
fn series_of_more(records: &[StepRecord], beginning: &str) -> Vec<Series> {
    let names: BTreeSet<&str> = records
        .iter()
        .flat_map(|record| record.more.keys())
        .filter_map(|name| name.strip_prefix(beginning))
        .collect();
    let curve = |name: &str| {
        let key = format!("{beginning}{name}");
        let value = |r: &StepRecord| Some((r.images_seen as f64, *r.more.get(&key)?));
        Series::new(name.replace('_', " "), records.iter().filter_map(value).collect())
    };
    names.into_iter().map(curve).collect()
}

fn plot(title: &str, x_label: &str, y_label: &str, share: bool, series: Vec<Series>) -> Plot {
    Plot {
        title: title.into(),
        x_label: x_label.into(),
        y_label: y_label.into(),
        y_range: share.then_some((0.0, 1.0)),
        series,
        ..Plot::default()
    }
}

fn write_plot(run: &RunDir, file: &str, plot: Plot) -> Result<(), TrainError> {
    plot.write_png(&run.plot(&format!("{file}.png")))?;
    plot.write_svg(&run.plot(&format!("{file}.svg")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_both_ends() {
        assert_eq!(thin(3), [0, 1, 2]);
        let many = thin(1000);
        assert_eq!((many.len(), many[0], many[MOST_FRAMES - 1]), (MOST_FRAMES, 0, 999));
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
