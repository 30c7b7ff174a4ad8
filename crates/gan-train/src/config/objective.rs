//! What the networks of a GAN are trained to, and the devices that keep their game going.

use serde::{Deserialize, Serialize};

use crate::loss::AdversarialLoss;
use crate::penalty::{ClipConfig, PenaltyConfig};

/// The losses and their weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossConfig {
    /// The game between discriminator and generator.
    #[serde(default)]
    pub adversarial: AdversarialLoss,
    /// Target of the discriminator for real images; less than 1 is one-sided label smoothing.
    #[serde(default = "one")]
    pub real_target: f64,
    /// Weight of the discriminator's adversarial loss; ½ makes the sum over real and fake a mean.
    #[serde(default = "one")]
    pub discriminator_weight: f64,
    /// Weight of the auxiliary head's loss, in both networks' losses.
    #[serde(default = "one")]
    pub auxiliary_weight: f64,
    /// λ of InfoGAN: weight of the codes' loss, in all networks' losses.
    #[serde(default = "one")]
    pub code_weight: f64,
    /// Penalty on the discriminator's gradient; none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<PenaltyConfig>,
    /// Bound on the discriminator's weights; none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<ClipConfig>,
}

fn one() -> f64 {
    1.0
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            adversarial: AdversarialLoss::default(),
            real_target: 1.0,
            discriminator_weight: 1.0,
            auxiliary_weight: 1.0,
            code_weight: 1.0,
            penalty: None,
            clip: None,
        }
    }
}

impl LossConfig {
    /// Says what is wrong with values that parse but cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        let target = self.real_target;
        if !(target > 0.0 && target <= 1.0) {
            return Err(format!(
                "loss.real_target is {target}, expected more than 0 and at most 1"
            ));
        }
        if target != 1.0 && !self.adversarial.supports_smoothing() {
            return Err(format!(
                "loss.real_target is {target}, but the {} loss has no target to smooth; leave it at 1",
                self.adversarial.name()
            ));
        }
        if self.adversarial == AdversarialLoss::Wasserstein
            && self.penalty.is_none()
            && self.clip.is_none()
        {
            return Err("the wasserstein loss has no lower bound for a free critic; set loss.penalty or loss.clip".into());
        }
        for (key, weight) in [
            ("discriminator_weight", self.discriminator_weight),
            ("auxiliary_weight", self.auxiliary_weight),
            ("code_weight", self.code_weight),
        ] {
            if !(weight.is_finite() && weight > 0.0) {
                return Err(format!("loss.{key} is {weight}, expected more than 0"));
            }
        }
        self.penalty.map_or(Ok(()), |penalty| penalty.check())?;
        self.clip.map_or(Ok(()), |clip| clip.check())
    }
}

/// Unrolling (Metz et al. 2017, <https://arxiv.org/abs/1611.02163>) without the gradient through the unrolled steps: before
/// each step of the generator the discriminator is moved ahead on the same real batch, and put back after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unrolling {
    /// Steps ahead, k; 0 for none.
    pub steps: usize,
}

/// The moving average of the generator's weights that samples are drawn from (Karras et al. 2018,
/// <https://arxiv.org/abs/1710.10196>, section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmaConfig {
    /// Share of the average that stays at each step.
    pub decay: f64,
}

impl EmaConfig {
    /// Says what is wrong with values that parse but cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        if (0.0..1.0).contains(&self.decay) {
            return Ok(());
        }
        Err(format!("ema.decay is {}, expected [0, 1)", self.decay))
    }
}

/// Runs or checkpoints whose weights a run begins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmStart {
    /// For the generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<String>,
    /// For the discriminator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<String>,
}
