//! What samples are called where nobody names them: by everything that decides which images they are.

use std::path::Path;

use gan_models::Truncation;

use super::Temperature;
use crate::explored::ShownWeights;
use crate::words::{Words, of_attribute};

/// Which images were asked for, beside the run and its weights of today.
pub(super) struct Asked<'a> {
    pub(super) seed: u64,
    pub(super) latents: Option<&'a Path>,
    pub(super) indices: &'a [usize],
    /// Their number, where it is not the usual one.
    pub(super) n: Option<usize>,
    pub(super) truncation: Option<Truncation>,
    pub(super) temperatures: &'a [Temperature],
    pub(super) attributes: &'a [String],
    pub(super) fix: &'a [String],
    pub(super) weights: ShownWeights,
}

impl Asked<'_> {
    /// `seed-3`, `seed-3_n-16_truncation-0.7_z-temperature-0.5_Smiling_not-Male_digit=3`, `latents-seed-3_indices-0-7_digit=4`.
    pub(super) fn name(&self) -> String {
        let tempered = self.temperatures.iter().filter(|t| t.temperature != 1.0);
        Words::default()
            .source(self.latents, self.seed)
            .list("indices", self.indices)
            .add(self.n.map(|n| format!("n-{n}")))
            .add(self.truncation.map(|truncation| match truncation {
                Truncation::Resample(limit) => format!("truncation-{limit}"),
                Truncation::Clip(limit) => format!("clip-{limit}"),
            }))
            .add(tempered.map(|t| format!("{}-temperature-{}", t.part, t.temperature)))
            .add(self.attributes.iter().map(|name| of_attribute(name)))
            .add(self.fix.iter().cloned())
            .weights(self.weights)
            .name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_in_the_name() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (attributes, fix) = (words(&["Smiling", "-Male"]), words(&["bits.4=1", "digit= 3"]));
        let usual = || Asked {
            seed: 3,
            latents: None,
            indices: &[],
            n: None,
            truncation: None,
            temperatures: &[],
            attributes: &[],
            fix: &[],
            weights: ShownWeights::Average,
        };
        assert_eq!(usual().name(), "seed-3");
        let temperatures = [("z", 0.7), ("u", 1.0)]
            .map(|(part, temperature)| Temperature { part: part.into(), temperature });
        let all = Asked {
            n: Some(16),
            truncation: Some(Truncation::Resample(0.7)),
            temperatures: &temperatures,
            attributes: &attributes,
            fix: &fix,
            weights: ShownWeights::Trained,
            ..usual()
        };
        assert_eq!(
            all.name(),
            "seed-3_n-16_truncation-0.7_z-temperature-0.7_Smiling_not-Male_bits.4=1_digit=3_trained"
        );
        let clipped = Asked { truncation: Some(Truncation::Clip(0.7)), ..usual() };
        assert_eq!(clipped.name(), "seed-3_clip-0.7");
        let latents = Some(Path::new("runs/a/sampled/seed-3.safetensors"));
        let some = Asked { latents, indices: &[7, 0], ..usual() };
        assert_eq!(some.name(), "latents-seed-3_indices-7-0");
    }
}
