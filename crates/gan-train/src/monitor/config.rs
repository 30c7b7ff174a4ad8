//! What is watched for, and how strictly.

use serde::{Deserialize, Serialize};

use super::Ailment;

/// What to do when a loss or gradient is NaN or infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnNan {
    /// End the run with an error.
    #[default]
    Stop,
    /// Go back to the last good checkpoint, a few times at most.
    Rollback,
}

/// Thresholds of a [`Monitor`](super::Monitor).
///
/// The defaults part runs of this program that ended well (synthetic digits and faces, MNIST, CelebA
/// over 150,000 images here and in PyTorch) from runs that did not (wrong learning rates and updates
/// a step, momentum 0.99, an unlucky seed), at about the geometric middle between the worst of
/// the well and the best of the bad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MonitorConfig {
    /// Whether anything but non-finite numbers is judged.
    pub enabled: bool,
    /// What to do about non-finite numbers.
    pub on_nan: OnNan,
    /// Steps that are judged together, and before which nothing is judged.
    ///
    /// 256: a discriminator that leads in the first 100 steps of a large network is normal.
    pub window: usize,
    /// How near to 0 or 1 the medians of D(x) and D(G(z)) both are in a saturated window.
    ///
    /// 0.05: medians of 256 steps come no nearer than 0.10 in runs that end well, and to 0.001 to
    /// 0.04 in those that end as gray or noise.
    pub saturation: f64,
    /// Share of its early length below which the generator's gradient vanishes, if its loss stands
    /// still as well.
    ///
    /// 0.1: runs that end well keep 0.25 and more, or lose it while the loss moves.
    pub gradient_share: f64,
    /// Share of the reals' diversity that the fakes fall below.
    ///
    /// 0.25: after 256 steps runs that end well have 0.5 and more; a generator of noisy faint shapes
    /// has 0.4, one picture less than 0.1.
    pub diversity_share: f64,
    /// Checks in a row that must find it.
    pub diversity_checks: u32,
    /// Ailments with which a run ends early; its newest checkpoint is from before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_on: Vec<Ailment>,
    /// Autocorrelation of the generator's loss one period later in a swinging window.
    ///
    /// 0.5: the largest of any lag is 0.2 to 0.47 in runs that end well, and near 1 for a clean cycle.
    pub periodicity: f64,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            on_nan: OnNan::Stop,
            window: 256,
            saturation: 0.05,
            gradient_share: 0.1,
            diversity_share: 0.25,
            diversity_checks: 3,
            stop_on: Vec::new(),
            periodicity: 0.5,
        }
    }
}

impl MonitorConfig {
    /// Says what is wrong with values that parse but cannot be meant.
    pub fn check(&self) -> Result<(), String> {
        if !(32..=8192).contains(&self.window) {
            return Err(format!("monitor.window is {}, expected 32 to 8192 steps", self.window));
        }
        if self.diversity_checks == 0 {
            return Err("monitor.diversity_checks is 0, expected 1 or more".into());
        }
        for (key, value, most) in [
            ("saturation", self.saturation, 0.3),
            ("gradient_share", self.gradient_share, 1.0),
            ("diversity_share", self.diversity_share, 1.0),
            ("periodicity", self.periodicity, 1.0),
        ] {
            if !(value > 0.0 && value < most) {
                return Err(format!("monitor.{key} is {value}, expected between 0 and {most}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let config: MonitorConfig = toml::from_str("on_nan = \"rollback\"").expect("known keys");
        assert_eq!(config, MonitorConfig { on_nan: OnNan::Rollback, ..MonitorConfig::default() });
        assert_eq!(config.check(), Ok(()));
        toml::from_str::<MonitorConfig>("windows = 3").expect_err("an unknown key");
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        let default = MonitorConfig::default;
        for (config, part) in [
            (MonitorConfig { window: 8, ..default() }, "monitor.window is 8"),
            (MonitorConfig { saturation: 0.5, ..default() }, "monitor.saturation is 0.5"),
            (MonitorConfig { gradient_share: f64::NAN, ..default() }, "monitor.gradient_share"),
            (MonitorConfig { diversity_share: 0.0, ..default() }, "monitor.diversity_share is 0"),
            (MonitorConfig { diversity_checks: 0, ..default() }, "monitor.diversity_checks"),
            (MonitorConfig { periodicity: 1.0, ..default() }, "monitor.periodicity is 1"),
        ] {
            let message = config.check().expect_err(part);
            assert!(message.contains(part), "{message}");
        }
    }
}
