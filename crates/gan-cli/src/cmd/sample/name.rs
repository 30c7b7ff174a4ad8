//! What samples are called where nobody names them: by everything that decides which images they are.

use std::path::Path;

use gan_models::Truncation;

/// Longest name; file systems take 255 bytes, endings included.
const LONGEST: usize = 120;

/// Which images were asked for, beside the run and its weights of today.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub(super) seed: u64,
    pub(super) latents: Option<&'a Path>,
    /// Their number, where it is not the usual one.
    pub(super) n: Option<usize>,
    pub(super) truncation: Option<Truncation>,
    pub(super) attributes: &'a [String],
    pub(super) fix: &'a [String],
    pub(super) trained_weights: bool,
}

impl Asked<'_> {
    /// `seed-3`, `seed-3_n-16_truncation-0.7_Smiling_not-Male_digit=3`, `latents-seed-3_digit=4`.
    pub(super) fn name(&self) -> String {
        let mut words = vec![match self.latents.and_then(Path::file_stem) {
            Some(stem) => format!("latents-{}", stem.to_string_lossy()),
            None => format!("seed-{}", self.seed),
        }];
        words.extend(self.n.map(|n| format!("n-{n}")));
        words.extend(self.truncation.map(|truncation| match truncation {
            Truncation::Resample(limit) => format!("truncation-{limit}"),
            Truncation::Clip(limit) => format!("clip-{limit}"),
        }));
        words.extend(self.attributes.iter().map(|name| match name.strip_prefix('-') {
            Some(name) => format!("not-{name}"),
            None => name.clone(),
        }));
        words.extend(self.fix.iter().cloned());
        words.extend(self.trained_weights.then(|| "trained".to_string()));
        shortened(&plain(&words.join("_")))
    }
}

/// Without what file systems or shells take for something else.
pub(crate) fn plain(name: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || "_-.=".contains(c);
    name.chars().filter(|c| *c != ' ').map(|c| if kept(c) { c } else { '-' }).collect()
}

/// A long name is cut, and what tells it from others with the same beginning is a number at its end.
pub(crate) fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.into();
    }
    // FNV-1a (<https://www.ietf.org/archive/id/draft-eastlake-fnv-17.html>), the same on every machine.
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let end = name.floor_char_boundary(LONGEST - 9);
    format!("{}-{hash:08x}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_in_the_name() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (attributes, fix) = (words(&["Smiling", "-Male"]), words(&["bits.4=1", "digit= 3"]));
        let plain = Asked { seed: 3, ..Asked::default() };
        assert_eq!(plain.name(), "seed-3");
        let all = Asked {
            n: Some(16),
            truncation: Some(Truncation::Resample(0.7)),
            attributes: &attributes,
            fix: &fix,
            trained_weights: true,
            ..plain
        };
        assert_eq!(
            all.name(),
            "seed-3_n-16_truncation-0.7_Smiling_not-Male_bits.4=1_digit=3_trained"
        );
        let clipped = Asked { truncation: Some(Truncation::Clip(0.7)), ..Asked::default() };
        assert_eq!(clipped.name(), "seed-0_clip-0.7");
        let latents = Some(Path::new("runs/a/sampled/seed-3.safetensors"));
        assert_eq!(Asked { latents, ..Asked::default() }.name(), "latents-seed-3");
    }

    #[test]
    fn names_stay_within_a_folder_and_long_ones_differ() {
        let odd = ["a/../b".to_string()];
        assert_eq!(Asked { attributes: &odd, ..Asked::default() }.name(), "seed-0_a-..-b");
        let many = |last: &str| {
            let mut names: Vec<String> = (0..40).map(|i| format!("Attribute_{i}é")).collect();
            names.push(last.into());
            Asked { attributes: &names, ..Asked::default() }.name()
        };
        assert!(many("A").len() <= LONGEST && many("A") != many("-A"), "{}", many("A"));
    }
}
