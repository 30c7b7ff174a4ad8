//! The collapse detector: watches the numbers of a run and names what goes wrong with it.
//!
//! A [`Monitor`] is told of every step by [`Monitor::observe`] and now and then how different the
//! fakes are from each other by [`Monitor::observe_diversity`]. It answers with [`Finding`]s: each
//! [`Ailment`] once when it begins, and again only after it went away. It touches no disk and no
//! weights, and never changes the run; what to do about non-finite numbers is a [`NanPolicy`]'s.
//!
//! Everything is judged by medians and quantiles over a window of the last steps (256 by default),
//! so that single bad batches change nothing, and not before the window is full. Thresholds come
//! from runs of this program that ended well and badly; their reasons stand with [`MonitorConfig`]
//! and in `rules.rs`. An ailment that lasts goes away only past a laxer threshold, so that values
//! near a threshold are not reported over and over.

mod ailment;
mod config;
mod diversity;
mod nan_policy;
mod rules;
mod statistics;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

pub use ailment::{Ailment, Finding};
pub use config::{MonitorConfig, OnNan};
pub use diversity::{Diversity, MOST_SAMPLES};
pub use nan_policy::{Action, MOST_ROLLBACKS, NanPolicy};
use rules::Row;

use crate::record::StepRecord;

/// Windows are judged this many times while all of their steps are replaced.
const CHECKS_A_WINDOW: usize = 16;
/// Steps whose median is one early value of the generator's gradient.
const EARLY_BLOCK: usize = 16;
/// By how much a threshold is laxer for an ailment that lasts.
const LENIENCY: f64 = 1.5;

/// What one step measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Real images seen, this step included.
    pub images_seen: u64,
    /// Step, counted from 1.
    pub step: u64,
    /// Discriminator loss.
    pub loss_d: f64,
    /// Generator loss.
    pub loss_g: f64,
    /// Mean D(x) in [0, 1]; ½ where the discriminator is a critic without probabilities (WGAN), so
    /// that saturation is not judged.
    pub d_real: f64,
    /// Mean D(G(z)) in [0, 1], before the discriminator's update; ½ as for `d_real`.
    pub d_fake: f64,
    /// Length of the discriminator's gradient.
    pub grad_norm_d: f64,
    /// Length of the generator's gradient.
    pub grad_norm_g: f64,
}

impl Observation {
    /// The first value that left the range of numbers, with its name.
    fn non_finite(&self) -> Option<(&'static str, f64)> {
        [
            ("the discriminator's loss", self.loss_d),
            ("the generator's loss", self.loss_g),
            ("the discriminator's gradient", self.grad_norm_d),
            ("the generator's gradient", self.grad_norm_g),
            ("D(x)", self.d_real),
            ("D(G(z))", self.d_fake),
        ]
        .into_iter()
        .find(|(_, value)| !value.is_finite())
    }
}

impl Observation {
    /// What a step of a GAN measured; `None` in other families.
    pub fn of(record: &StepRecord) -> Option<Self> {
        let game = record.game.as_ref()?;
        Some(Self {
            images_seen: record.images_seen,
            step: record.step,
            loss_d: game.loss_d,
            loss_g: game.loss_g,
            d_real: game.d_real,
            d_fake: game.d_fake_before,
            grad_norm_d: game.grad_norm_d,
            grad_norm_g: game.grad_norm_g,
        })
    }
}

/// An ailment that began and has not gone away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lasting {
    ailment: Ailment,
    since_images: u64,
    images_seen: u64,
    evidence: String,
}

impl Lasting {
    fn finding(&self) -> Finding {
        Finding {
            ailment: self.ailment,
            since_images: self.since_images,
            images_seen: self.images_seen,
            evidence: self.evidence.clone(),
            remedy: self.ailment.remedy(),
        }
    }
}

/// Everything that a [`Monitor`] remembers, for a checkpoint.
///
/// Numbers of the window are f32: their decimal form reads back exactly with any JSON parser.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonitorState {
    /// Steps observed with finite numbers.
    steps: u64,
    /// The last of them.
    window: VecDeque<Row>,
    /// Largest median of a block of early steps of the generator's gradient.
    early_gradient: f32,
    /// Checks in a row that found the fakes too alike.
    low_diversity_checks: u32,
    /// Images seen at the first of them.
    low_diversity_since: u64,
    lasting: Vec<Lasting>,
}

/// Watches a run. Deterministic; holds one window of numbers.
#[derive(Clone, Debug)]
pub struct Monitor {
    config: MonitorConfig,
    state: MonitorState,
}

impl Monitor {
    /// A monitor of a run at its beginning.
    pub fn new(config: MonitorConfig) -> Self {
        Self::resume(config, MonitorState::default())
    }

    /// The monitor that `state` was taken of; it answers as if it had never been interrupted.
    pub fn resume(config: MonitorConfig, state: MonitorState) -> Self {
        Self { config, state }
    }

    /// What [`Monitor::resume`] needs.
    pub fn state(&self) -> &MonitorState {
        &self.state
    }

    /// What begins with this step.
    ///
    /// Non-finite numbers are reported even where the monitor is not enabled, because nothing can
    /// be trained after them.
    pub fn observe(&mut self, observation: &Observation) -> Vec<Finding> {
        let now = observation.images_seen;
        let non_finite = observation.non_finite();
        let evidence = non_finite
            .map(|(what, value)| format!("{what} is {value} at step {}", observation.step));
        let mut findings: Vec<_> =
            self.settle(Ailment::NonFinite, evidence, now, now).into_iter().collect();
        if non_finite.is_some() || !self.config.enabled {
            return findings;
        }
        self.remember(observation);
        let stride = (self.config.window / CHECKS_A_WINDOW).max(1) as u64;
        if self.warm() && self.state.steps.is_multiple_of(stride) {
            findings.extend(self.judge(now));
        }
        findings
    }

    /// What a look at samples shows, after `images_seen` real images.
    ///
    /// The generator's first pictures are all alike in any run, so that nothing is judged before the
    /// window of steps is full.
    pub fn observe_diversity(&mut self, images_seen: u64, diversity: &Diversity) -> Vec<Finding> {
        if !self.config.enabled || !self.warm() {
            return Vec::new();
        }
        let limit = self.config.diversity_share * self.leniency(Ailment::LowDiversity);
        let state = &mut self.state;
        if diversity.share() >= limit {
            state.low_diversity_checks = 0;
        } else {
            if state.low_diversity_checks == 0 {
                state.low_diversity_since = images_seen;
            }
            state.low_diversity_checks = state.low_diversity_checks.saturating_add(1);
        }
        let (checks, since) = (state.low_diversity_checks, state.low_diversity_since);
        let low = checks >= self.config.diversity_checks;
        let evidence = low.then(|| rules::low_diversity(diversity, checks));
        self.settle(Ailment::LowDiversity, evidence, since, images_seen).into_iter().collect()
    }

    /// What began and has not gone away, each with its newest evidence.
    pub fn lasting(&self) -> Vec<Finding> {
        self.state.lasting.iter().map(Lasting::finding).collect()
    }

    /// Whether the window is full.
    fn warm(&self) -> bool {
        self.state.window.len() >= self.config.window
    }

    fn remember(&mut self, observation: &Observation) {
        let state = &mut self.state;
        state.steps += 1;
        state.window.push_back(Row::from(observation));
        while state.window.len() > self.config.window {
            state.window.pop_front();
        }
        let early = state.steps <= self.config.window as u64;
        if early && state.steps.is_multiple_of(EARLY_BLOCK as u64) {
            let block = state.window.iter().rev().take(EARLY_BLOCK);
            let median = statistics::median(block.map(|row| row.grad_norm_g));
            state.early_gradient = state.early_gradient.max(median as f32);
        }
    }

    /// Judges the window by every rule.
    fn judge(&mut self, now: u64) -> Vec<Finding> {
        let since = self.state.window.front().map_or(now, |row| row.images_seen);
        let config = &self.config;
        let verdicts = {
            let (rows, early) = (&self.state.window, f64::from(self.state.early_gradient));
            [
                Ailment::SaturatedDiscriminator,
                Ailment::VanishingGeneratorGradient,
                Ailment::Oscillation,
            ]
            .map(|ailment| {
                let leniency = self.leniency(ailment);
                let evidence = match ailment {
                    Ailment::SaturatedDiscriminator => {
                        rules::saturated(rows, config.saturation * leniency)
                    }
                    Ailment::VanishingGeneratorGradient => {
                        rules::vanishing(rows, early, config.gradient_share, leniency)
                    }
                    _ => rules::oscillating(rows, config.periodicity, leniency),
                };
                (ailment, evidence)
            })
        };
        verdicts
            .into_iter()
            .filter_map(|(ailment, evidence)| self.settle(ailment, evidence, since, now))
            .collect()
    }

    /// By how much the thresholds of `ailment` are laxer now.
    fn leniency(&self, ailment: Ailment) -> f64 {
        let lasts = self.state.lasting.iter().any(|lasting| lasting.ailment == ailment);
        if lasts { LENIENCY } else { 1.0 }
    }

    /// Begins, renews or ends `ailment`; a finding where it begins.
    fn settle(
        &mut self,
        ailment: Ailment,
        evidence: Option<String>,
        since_images: u64,
        images_seen: u64,
    ) -> Option<Finding> {
        let lasting = &mut self.state.lasting;
        let place = lasting.iter().position(|lasting| lasting.ailment == ailment);
        match (place, evidence) {
            (None, None) => None,
            (None, Some(evidence)) => {
                lasting.push(Lasting { ailment, since_images, images_seen, evidence });
                lasting.last().map(Lasting::finding)
            }
            (Some(i), Some(evidence)) => {
                lasting[i].images_seen = images_seen;
                lasting[i].evidence = evidence;
                None
            }
            (Some(i), None) => {
                lasting.remove(i);
                None
            }
        }
    }
}
