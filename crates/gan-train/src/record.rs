//! The metrics of one step, a line of `metrics.jsonl`.

use serde::{Deserialize, Serialize};

/// What a step measured. Losses are batch means in nats; `d_*` are mean sigmoids of logits.
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
}

impl StepRecord {
    /// The first value that left the range of numbers, with its name.
    pub fn non_finite(&self) -> Option<(&'static str, f64)> {
        [
            ("the discriminator's loss", self.loss_d),
            ("the generator's loss", self.loss_g),
            ("the discriminator's gradient", self.grad_norm_d),
            ("the generator's gradient", self.grad_norm_g),
        ]
        .into_iter()
        .find(|(_, value)| !value.is_finite())
    }

    /// Every value with the tag under which TensorBoard shows it.
    pub fn scalars(&self) -> [(&'static str, f64); 12] {
        [
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
        ]
    }
}
