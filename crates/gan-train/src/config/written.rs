//! The form in which a configuration is written: without what means nothing for its family. What is left out has its
//! default when it is read, so that older files, which have it, are read as well.

use gan_core::ImageShape;
use gan_models::{Latent, ModelConfig};
use serde::{Serialize, Serializer};

use super::{
    AutoencoderConfig, ClassifierConfig, Config, DataConfig, EmaConfig, LossConfig, Optimizers,
    OutputConfig, TrainingConfig, Unrolling, WarmStart,
};
use crate::error::TrainError;
use crate::monitor::{MonitorConfig, OnNan};
use crate::phase::Phase;

/// [`Config`] in the order in which its tables are written.
#[derive(Serialize)]
struct Written<'a> {
    preset: &'a str,
    seed: u64,
    data: &'a DataConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<ImageShape>,
    #[serde(skip_serializing_if = "Latent::is_empty")]
    latent: &'a Latent,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: &'a Option<ModelConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier: &'a Option<ClassifierConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autoencoder: &'a Option<AutoencoderConfig>,
    training: &'a TrainingConfig,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: &'a Vec<Phase>,
    optimizer: &'a Optimizers,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<&'a LossConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unrolling: Option<Unrolling>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ema: Option<EmaConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_start: Option<&'a WarmStart>,
    monitor: Watched<'a>,
    output: &'a OutputConfig,
}

/// What is watched for: without a game, numbers that are none.
#[derive(Serialize)]
#[serde(untagged)]
enum Watched<'a> {
    Game(&'a MonitorConfig),
    Numbers { on_nan: OnNan },
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Every key by name, so that a new one cannot be forgotten here.
        let Self {
            preset,
            seed,
            data,
            image,
            latent,
            model,
            classifier,
            autoencoder,
            training,
            phases,
            optimizer,
            loss,
            unrolling,
            ema,
            warm_start,
            monitor,
            output,
        } = self;
        let has_game = self.family() == GAN;
        Written {
            preset,
            seed: *seed,
            data,
            image: *image,
            latent,
            model,
            classifier,
            autoencoder,
            training,
            phases,
            optimizer,
            loss: has_game.then_some(loss),
            unrolling: has_game.then_some(*unrolling),
            ema: *ema,
            warm_start: has_game.then_some(warm_start),
            monitor: match has_game {
                true => Watched::Game(monitor),
                false => Watched::Numbers { on_nan: monitor.on_nan },
            },
            output,
        }
        .serialize(serializer)
    }
}

/// The families, as they are called in messages.
const GAN: &str = "GAN";
const CLASSIFIER: &str = "classifier";
const AUTOENCODER: &str = "autoencoder";

/// The families that read a table; all read the others.
const READ_BY: [(&str, &[&str]); 9] = [
    ("latent", &[GAN, AUTOENCODER]),
    ("model", &[GAN]),
    ("classifier", &[CLASSIFIER]),
    ("autoencoder", &[AUTOENCODER]),
    ("phases", &[GAN]),
    ("loss", &[GAN]),
    ("unrolling", &[GAN]),
    ("ema", &[GAN]),
    ("warm_start", &[GAN]),
];

impl Config {
    /// What is trained, in a word.
    fn family(&self) -> &'static str {
        match (&self.classifier, &self.autoencoder) {
            (Some(_), _) => CLASSIFIER,
            (None, Some(_)) => AUTOENCODER,
            (None, None) => GAN,
        }
    }

    /// Refuses a key that means nothing for the family.
    pub(crate) fn refuse_foreign(&self, key: &str) -> Result<(), TrainError> {
        let table = key.split('.').next().unwrap_or(key);
        let read_by = READ_BY.iter().find(|(name, _)| *name == table);
        let families = match key.strip_prefix("monitor.") {
            Some(key) if key != "on_nan" => &[GAN],
            _ => read_by.map_or(&[GAN, CLASSIFIER, AUTOENCODER][..], |(_, families)| families),
        };
        let own = self.family();
        if families.contains(&own) {
            return Ok(());
        }
        let owner = |family: &&str| match *family {
            AUTOENCODER => "an autoencoder's".to_string(),
            family => format!("a {family}'s"),
        };
        let owners = families.iter().map(owner).collect::<Vec<_>>().join(" or ");
        Err(TrainError::Config(format!(
            "{key} is {owners}, and does nothing for this {own}; leave it away"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::PRESETS;

    #[test]
    fn what_means_nothing_is_not_written_and_older_files_are_read() {
        let defaults =
            "[loss]\nadversarial = \"non-saturating\"\n[unrolling]\nsteps = 0\n[warm_start]\n";
        for preset in PRESETS {
            let config = preset.config().expect(preset.name);
            let text = config.to_toml().expect("plain data");
            let of_games = ["[loss]", "[unrolling]", "[warm_start]", "saturation"];
            let written = of_games.map(|part| text.contains(part));
            assert_eq!(written, [config.model.is_some(); 4], "{text}");
            assert!(text.contains("on_nan"), "{text}");
            if config.model.is_none() {
                let old = text.replace("[monitor]", "[monitor]\nwindow = 128") + defaults;
                let old = Config::from_toml(&old).expect("as it was written before");
                old.check().expect(preset.name);
                assert_eq!(old.loss, config.loss);
                let odd = text + "[loss]\nreal_target = 0.9\n";
                let odd = Config::from_toml(&odd).expect("known keys").check();
                let message = odd.expect_err("a GAN's").to_string();
                assert!(message.contains("loss is a GAN's"), "{message}");
            }
        }
    }
}
