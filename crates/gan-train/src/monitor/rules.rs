//! What a window of steps shows: each rule answers with its evidence, or nothing.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::statistics::{median, spread, swing};
use super::{Diversity, Observation};

/// Spread of a loss, in nats, at which it stands still.
///
/// Runs that end well have 1 and more, a settled game of undecided networks 0.07.
const STANDSTILL: f64 = 0.05;
/// Spread of a swinging loss as a share of its median.
///
/// Runs that end well have 0.2 to 0.4 at periods of 8 steps and more.
const WIDE: f64 = 0.5;
/// Shortest period in steps of a swing: below, it is the see-saw of any run.
const SHORTEST_PERIOD: usize = 8;

/// What is kept of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) images_seen: u64,
    pub(super) loss_d: f32,
    pub(super) loss_g: f32,
    pub(super) d_real: f32,
    pub(super) d_fake: f32,
    pub(super) grad_norm_g: f32,
}

impl From<&Observation> for Row {
    fn from(observation: &Observation) -> Self {
        // Finite in f64 need not be in f32, and JSON has no infinity.
        let single = |value: f64| (value as f32).clamp(f32::MIN, f32::MAX);
        Self {
            images_seen: observation.images_seen,
            loss_d: single(observation.loss_d),
            loss_g: single(observation.loss_g),
            d_real: single(observation.d_real),
            d_fake: single(observation.d_fake),
            grad_norm_g: single(observation.grad_norm_g),
        }
    }
}

/// The medians of D(x) and D(G(z)) are both within `end` of 0 or 1.
///
/// The generator's gradient is not asked for: under the non-saturating loss it stays long, even grows
/// as the run ends in one gray picture, while it vanishes under the minimax loss.
pub(super) fn saturated(rows: &VecDeque<Row>, end: f64) -> Option<String> {
    let real = median(rows.iter().map(|row| row.d_real));
    let fake = median(rows.iter().map(|row| row.d_fake));
    let at_end = |value: f64| value <= end || value >= 1.0 - end;
    if !(at_end(real) && at_end(fake)) {
        return None;
    }
    let meaning = match (real > 0.5, fake > 0.5) {
        (true, false) => {
            "the discriminator tells nearly every fake, from which the generator hardly learns"
        }
        (true, true) => "the discriminator takes everything for real and teaches nothing",
        (false, false) => "the discriminator takes everything for fake and teaches nothing",
        (false, true) => "the discriminator takes fakes for real and reals for fake",
    };
    Some(format!(
        "over {} steps D(x) is {real:.3} and D(G(z)) {fake:.3} (loss D {}, loss G {}, gradient of G \
         {}, all medians): {meaning}",
        rows.len(),
        digits(median(rows.iter().map(|row| row.loss_d))),
        digits(median(rows.iter().map(|row| row.loss_g))),
        digits(median(rows.iter().map(|row| row.grad_norm_g))),
    ))
}

/// How near to ½ both medians of D(x) and D(G(z)) are where the discriminator is undecided: 0.02 on a ring of Gaussians that is
/// met, 0.2 and more in runs that learn.
const UNDECIDED: f64 = 0.1;

/// The generator's gradient is at most `share` of `early`, and its loss stands still, while the discriminator takes sides.
/// Where it is undecided about real images and fakes alike, the game has come to its end: a small gradient is what to expect.
pub(super) fn vanishing(
    rows: &VecDeque<Row>,
    early: f64,
    share: f64,
    leniency: f64,
) -> Option<String> {
    let gradient = median(rows.iter().map(|row| row.grad_norm_g));
    let moves = spread(rows.iter().map(|row| row.loss_g));
    if gradient > share * leniency * early || moves > STANDSTILL * leniency {
        return None;
    }
    let side = |belief: f64| (belief - 0.5).abs();
    let (real, fake) =
        (median(rows.iter().map(|row| row.d_real)), median(rows.iter().map(|row| row.d_fake)));
    if side(real).max(side(fake)) < UNDECIDED / leniency {
        return None;
    }
    Some(format!(
        "the curve stops changing: over {} steps the generator's gradient has length {} after {} \
         early in the run, and its loss stays within {} of {}",
        rows.len(),
        digits(gradient),
        digits(early),
        digits(moves),
        digits(median(rows.iter().map(|row| row.loss_g))),
    ))
}

/// The generator's loss repeats itself one period later with at least `periodicity`, went to the
/// other side in between, and swings by a large share of itself.
pub(super) fn oscillating(rows: &VecDeque<Row>, periodicity: f64, leniency: f64) -> Option<String> {
    let losses: Vec<f32> = rows.iter().map(|row| row.loss_g).collect();
    let swing = swing(&losses)?;
    let least = periodicity / leniency;
    let middle = median(losses.iter().copied());
    let wide = swing.spread * leniency >= WIDE * middle.abs();
    if swing.period < SHORTEST_PERIOD || swing.peak < least || swing.trough > -least || !wide {
        return None;
    }
    Some(format!(
        "over {} steps the generator's loss swings by {} around {} with a period of about {} steps \
         (autocorrelation {:.2}), and the discriminator's by {}",
        rows.len(),
        digits(swing.spread),
        digits(middle),
        swing.period,
        swing.peak,
        digits(spread(rows.iter().map(|row| row.loss_d))),
    ))
}

/// The sentence for fakes that are too alike.
pub(super) fn low_diversity(diversity: &Diversity, checks: u32) -> String {
    format!(
        "in {checks} checks in a row the fakes are nearly alike: the distance to the most similar \
         other sample is {} among fakes and {} among real images, {:.0} % of it",
        digits(diversity.fake),
        digits(diversity.real),
        100.0 * diversity.share()
    )
}

/// Three significant digits, for a person.
fn digits(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".into()
    } else if !(1e-3..1e5).contains(&size) {
        format!("{value:.2e}")
    } else {
        let decimals = (2.0 - size.log10().floor()).max(0.0) as usize;
        format!("{value:.decimals$}")
    }
}
