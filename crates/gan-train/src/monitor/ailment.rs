//! What can be wrong with a run, and how it is told.

use serde::{Deserialize, Serialize};

/// A way in which adversarial training fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ailment {
    /// The curve stops changing: hardly any gradient reaches the generator and its loss stands still.
    VanishingGeneratorGradient,
    /// D(x) and D(G(z)) both stay at an end of [0, 1], so that D tells G nothing of use.
    SaturatedDiscriminator,
    /// The fakes are nearly copies of each other, or of a few.
    LowDiversity,
    /// The losses swing periodically and widely: the networks chase each other in a circle.
    Oscillation,
    /// A loss or gradient is NaN or infinite.
    NonFinite,
}

impl Ailment {
    /// Its name in reports and logs, the same as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VanishingGeneratorGradient => "vanishing-generator-gradient",
            Self::SaturatedDiscriminator => "saturated-discriminator",
            Self::LowDiversity => "low-diversity",
            Self::Oscillation => "oscillation",
            Self::NonFinite => "non-finite",
        }
    }

    /// What to try, with the keys of the settings.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::VanishingGeneratorGradient => {
                "train the generator with the non-saturating loss (loss.adversarial); bring \
                 optimizer.generator.lr and optimizer.discriminator.lr closer together"
            }
            Self::SaturatedDiscriminator => {
                "begin again with another seed, a lower optimizer.discriminator.lr or more \
                 phases.generator.steps; loss.real_target = 0.9 keeps the discriminator from \
                 being certain"
            }
            Self::LowDiversity => {
                "begin again with unrolling.steps = 2 or more, another loss.adversarial, or a lower \
                 optimizer.generator.lr; the newest checkpoint from before is the best to keep"
            }
            Self::Oscillation => {
                "lower optimizer.generator.lr and optimizer.discriminator.lr, or the first of \
                 their betas to 0.5 or 0; unrolling.steps = 2 or more damps as well"
            }
            Self::NonFinite => {
                "lower optimizer.generator.lr and optimizer.discriminator.lr, and continue from the \
                 last good checkpoint"
            }
        }
    }
}

/// That an ailment began, or lasts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What it is.
    pub ailment: Ailment,
    /// Real images seen where the judged stretch of the run began: the first step of the first
    /// window that showed it, or the first of the low checks in a row.
    pub since_images: u64,
    /// Real images seen when it was found, or last confirmed.
    pub images_seen: u64,
    /// What was seen, one sentence with the numbers.
    pub evidence: String,
    /// What to try, with the keys of the settings.
    pub remedy: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for ailment in [
            Ailment::VanishingGeneratorGradient,
            Ailment::SaturatedDiscriminator,
            Ailment::LowDiversity,
            Ailment::Oscillation,
            Ailment::NonFinite,
        ] {
            let json = serde_json::to_string(&ailment).expect("a string");
            assert_eq!(json, format!("{:?}", ailment.name()));
        }
    }
}
