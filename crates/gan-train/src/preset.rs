//! The presets: named configurations, compiled in from `assets/presets`.

use gan_core::names;

use crate::config::Config;
use crate::error::TrainError;

/// A named configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Name on the command line.
    pub name: &'static str,
    /// The file as it was written, comments included; its first line says what it is.
    pub toml: &'static str,
}

macro_rules! preset {
    ($name:literal) => {
        Preset {
            name: $name,
            toml: include_str!(concat!("../../../assets/presets/", $name, ".toml")),
        }
    };
}

/// All presets; the first is the default.
pub const PRESETS: &[Preset] = &[
    preset!("faces"),
    preset!("digits"),
    preset!("dcgan"),
    preset!("dcgan-binary"),
    preset!("dcgan-levels"),
    preset!("acgan"),
    preset!("infogan"),
    preset!("infogan-2x10"),
    preset!("infogan-mnist"),
    preset!("mnist-fc"),
    preset!("mnist-conv"),
    preset!("ring"),
    preset!("celeba-unrolled"),
    preset!("celeba-stabilized"),
    preset!("cgan"),
    preset!("digit-classifier"),
    preset!("face-classifier"),
    preset!("vae"),
    preset!("mnist-vae"),
    preset!("mnist-autoencoder"),
    preset!("mnist-autoencoder-gaussian"),
];

impl Preset {
    /// The preset called `name`.
    pub fn find(name: &str) -> Result<Self, TrainError> {
        if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) {
            return Ok(*preset);
        }
        let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        let nearest = names::nearest(known.iter().copied(), name);
        let hint = nearest.map(|(nearest, _)| format!("; did you mean {nearest:?}?"));
        Err(TrainError::Config(format!(
            "no preset {name:?}{} there are {}",
            hint.unwrap_or_default(),
            known.join(", ")
        )))
    }

    /// One line on what it is.
    pub fn summary(&self) -> &'static str {
        self.toml.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// The configuration it stands for.
    pub fn config(&self) -> Result<Config, TrainError> {
        Config::from_toml(self.toml)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_whole_and_bears_its_name() {
        for preset in PRESETS {
            let config = preset.config().expect(preset.name);
            assert_eq!(config.preset, preset.name);
            config.check().expect(preset.name);
            assert!(preset.summary().len() > 20, "{} says what it is", preset.name);
            let again = Config::from_toml(&config.to_toml().expect("plain data"));
            assert_eq!(again.expect("its own form"), config);
        }
    }

    #[test]
    fn an_unknown_preset_is_answered_with_the_nearest_and_the_known_ones() {
        for (typed, meant) in [("dcgam", "dcgan"), ("mnist-cnn", "mnist-conv"), ("VAE", "vae")] {
            let message = Preset::find(typed).expect_err("no such preset").to_string();
            assert!(message.contains(&format!("{typed:?}; did you mean {meant:?}?")), "{message}");
            assert!(message.contains("there are faces, digits"), "{message}");
        }
    }
}
