//! What a run leaves to look at when it ends: progression GIF and plots.

use std::collections::BTreeSet;

use gan_core::gif::{Delay, write_gif};
use gan_core::plot::{Plot, Series};
use gan_core::{Image, RunDir};

use crate::error::TrainError;
use crate::log::jsonl;
use crate::record::{Game, StepRecord};

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
type Curve = (&'static str, fn(&Game) -> f64);

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

/// What a family measures: file name, title, what y is, whether y is a share, and the beginning of the names.
type Measures = (&'static str, &'static str, &'static str, bool, &'static str);

/// Beside the game of a GAN.
const OF_HEADS: [Measures; 2] = [
    ("head_losses", "Losses of heads and codes", "loss [nats]", false, "loss_"),
    ("head_accuracies", "Accuracy of heads and codes", "share told right", true, "accuracy_"),
];

/// In other families.
const OF_OTHERS: [Measures; 4] = [
    ("losses", "Losses", "loss", false, "loss"),
    ("mse", "Mean squared error of reconstructions on [-1, 1]", "error", false, "mse"),
    ("latent", "Moments of the latents", "moment", false, "z_"),
    ("accuracy", "Accuracy on training batches", "share told right", true, "accuracy"),
];

/// Draws `plots/*.{png,svg}` from `metrics.jsonl`.
pub(crate) fn write_plots(run: &RunDir) -> Result<(), TrainError> {
    let records = jsonl::read(&run.metrics())?;
    let series = |curves: &[Curve], x: fn(&StepRecord) -> f64| -> Vec<Series> {
        let points = |value: fn(&Game) -> f64| {
            records.iter().filter_map(|r| Some((x(r), value(r.game.as_ref()?)))).collect()
        };
        curves.iter().map(|(name, value)| Series::new(*name, points(*value))).collect()
    };
    let is_game = records.iter().any(|record| record.game.is_some());
    if is_game {
        for (file, title, y_label, share, curves) in PLOTS {
            let series = series(curves, |r| r.images_seen as f64);
            write_plot(run, file, plot(title, "real images seen", y_label, share, series))?;
        }
        let (_, title, y_label, share, curves) = PLOTS[0];
        let series = series(curves, |r| r.seconds);
        write_plot(run, "losses_time", plot(title, "seconds", y_label, share, series))?;
    }
    let measures = if is_game { &OF_HEADS[..] } else { &OF_OTHERS[..] };
    for &(file, title, y_label, share, beginning) in measures {
        let series = series_of_more(&records, beginning);
        if !series.is_empty() {
            // The losses of one family differ by orders of magnitude.
            let log_y = !is_game && file == "losses";
            let plot = plot(title, "real images seen", y_label, share, series);
            write_plot(run, file, Plot { log_y, ..plot })?;
        }
    }
    Ok(())
}

/// A curve for each of a family's own measures whose name begins so; the rest of the name says which it is.
fn series_of_more(records: &[StepRecord], beginning: &str) -> Vec<Series> {
    let names: BTreeSet<&String> = records
        .iter()
        .flat_map(|record| record.more.keys())
        .filter(|name| name.starts_with(beginning))
        .collect();
    let curve = |key: &String| {
        let rest = key[beginning.len()..].trim_start_matches('_').replace('_', " ");
        let label = if rest.is_empty() { key.clone() } else { rest };
        let value = |r: &StepRecord| Some((r.images_seen as f64, *r.more.get(key)?));
        Series::new(label, records.iter().filter_map(value).collect())
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
