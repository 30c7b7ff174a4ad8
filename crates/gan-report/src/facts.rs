//! The key facts of a run: what one wants to know before looking at any picture.

use gan_core::RunDir;
use gan_core::results::test_results;
use gan_core::run::RunInfo;
use serde::Serialize;

use crate::metrics::Metrics;
use crate::text::{duration, grouped, moment, number};

/// A line of a table of facts.
#[derive(Serialize)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A fact that may be unknown.
fn fact(name: &str, value: Option<String>) -> Option<Fact> {
    Some(Fact { name: name.into(), value: value? })
}

/// Lines over which values “at the end” are averaged: a twentieth of all, a single one is too noisy.
fn end(metrics: &Metrics) -> usize {
    (metrics.len() / 20).max(1)
}

/// Where these values come from, in words.
pub(crate) fn end_in_words(metrics: &Metrics) -> String {
    match end(metrics) {
        1 => "Values at the end are those of the last line of metrics.".into(),
        n => format!(
            "Values at the end are means over the last {n} of {} lines of metrics.",
            metrics.len()
        ),
    }
}

/// How training went; `train_images` is the size of the training split, where it is known.
pub(crate) fn results(
    run: &RunDir,
    info: Option<&RunInfo>,
    metrics: &Metrics,
    train_images: Option<u64>,
) -> Vec<Fact> {
    let whole = |column| metrics.last(column).map(|v| v as u64);
    let images = info.map(|i| i.images_seen).or_else(|| whole("images_seen"));
    let seconds = info.map(|i| i.seconds).or_else(|| metrics.last("seconds"));
    let steps = match info {
        Some(i) if i.steps != i.total_steps => {
            Some(format!("{} of {}", grouped(i.steps), grouped(i.total_steps)))
        }
        Some(i) => Some(grouped(i.steps)),
        None => whole("step").map(grouped),
    };
    let speed = match (images, seconds) {
        (Some(images), Some(seconds)) if seconds > 0.0 => Some(number(images as f64 / seconds)),
        _ => None,
    };
    let epochs = match (images, train_images) {
        (Some(seen), Some(train)) if train > 0 => {
            Some(format!("{:.2}", seen as f64 / train as f64))
        }
        _ => None,
    };
    let at_end = |column| metrics.mean_at_end(column, end(metrics)).map(number);
    let tested = test_results(run);
    let of_test = tested.iter().map(|result| {
        fact(&format!("On the test split: {}", result.title), Some(number(result.value)))
    });
    [
        fact("Images seen", images.map(grouped)),
        fact("Training steps", steps),
        fact("Epochs", epochs),
        fact("Training time", seconds.map(duration)),
        fact("Images per second", speed),
        fact("D(x) at the end", at_end("d_real")),
        fact("D(G(z)) at the end", at_end("d_fake_after").or_else(|| at_end("d_fake_before"))),
        fact("Discriminator loss at the end", at_end("loss_d")),
        fact("Generator loss at the end", at_end("loss_g")),
        fact("Loss at the end", at_end("loss")),
        fact("Accuracy on training batches at the end", at_end("accuracy")),
        fact("Mean squared error at the end", at_end("mse")),
    ]
    .into_iter()
    .chain(of_test)
    .flatten()
    .collect()
}

/// With what it was trained.
pub(crate) fn setting(info: &RunInfo) -> Vec<Fact> {
    [
        fact("Preset", Some(info.preset.clone())),
        fact("Continues", info.parent.clone()),
        fact("Started", Some(moment(&info.started))),
        fact("Device", Some(info.device.clone())),
        fact("Threads", Some(info.threads.to_string())),
        fact("Seed", Some(info.seed.to_string())),
        fact("Program version", Some(info.version.clone())),
    ]
    .into_iter()
    .flatten()
    .collect()
}
