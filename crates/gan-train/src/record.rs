//! The metrics of one step, a line of `metrics.jsonl`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a step measured. Losses are batch means in nats; `d_*` are what the discriminator believes,
/// [`crate::loss::AdversarialLoss::belief`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Step, counted from 1.
    pub step: u64,
    /// Real images seen, this step included.
    pub images_seen: u64,
    /// Pass over the training data, counted from 0.
    pub epoch: u64,
    /// Seconds of training so far, this step included.
    pub seconds: f64,
    /// Discriminator loss: real plus fake.
    pub loss_d: f64,
    /// Generator loss.
    pub loss_g: f64,
    /// D(x).
    pub d_real: f64,
    /// D(G(z)) in the discriminator's phase.
    pub d_fake_before: f64,
    /// D(G(z)) in the generator's phase, after the discriminator's update.
    pub d_fake_after: f64,
    /// Share of the real images that D takes for real.
    pub accuracy_real: f64,
    /// Share of the fakes that D takes for fake.
    pub accuracy_fake: f64,
    /// Length of the discriminator's gradient over all its parameters.
    pub grad_norm_d: f64,
    /// Length of the generator's gradient over all its parameters.
    pub grad_norm_g: f64,
    /// The discriminator's learning rate.
    pub lr_d: f64,
    /// The generator's learning rate.
    pub lr_g: f64,
    /// Real images a second in this step.
    pub images_per_second: f64,
    /// What the monitor found in this step: an ailment's name and its evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// What a family measures beside: losses and accuracies of heads and codes, penalties.
    #[serde(flatten)]
    pub more: BTreeMap<String, f64>,
}

impl StepRecord {
    /// Notes what a family measures beside.
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.more.insert(name.into(), value);
    }

    /// The first value that left the range of numbers, with its name.
    pub fn non_finite(&self) -> Option<(&str, f64)> {
        [
            ("the discriminator's loss", self.loss_d),
            ("the generator's loss", self.loss_g),
            ("the discriminator's gradient", self.grad_norm_d),
            ("the generator's gradient", self.grad_norm_g),
        ]
        .into_iter()
        .chain(self.more.iter().map(|(name, value)| (name.as_str(), *value)))
        .find(|(_, value)| !value.is_finite())
    }

    /// Every value with the tag under which TensorBoard shows it.
    pub fn scalars(&self) -> Vec<(&str, f64)> {
        let more = self.more.iter().map(|(name, value)| (name.as_str(), *value));
        let mut scalars = vec![
            ("loss/discriminator", self.loss_d),
            ("loss/generator", self.loss_g),
            ("discriminator/real", self.d_real),
            ("discriminator/fake_before", self.d_fake_before),
            ("discriminator/fake_after", self.d_fake_after),
            ("accuracy/real", self.accuracy_real),
            ("accuracy/fake", self.accuracy_fake),
            ("gradient/discriminator", self.grad_norm_d),
            ("gradient/generator", self.grad_norm_g),
            ("learning_rate/discriminator", self.lr_d),
            ("learning_rate/generator", self.lr_g),
            ("images_per_second", self.images_per_second),
        ];
        scalars.extend(more);
        scalars
    }
}
