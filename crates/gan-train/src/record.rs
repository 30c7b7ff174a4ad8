//! The metrics of one step, a line of `metrics.jsonl`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

/// What a step measured.
///
/// JSON has no NaN and no infinity: such a number is null in a line, and `non_finite` there says by name what it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Line")]
pub struct StepRecord {
    /// Step, counted from 1.
    pub step: u64,
    /// Real images seen, this step included.
    pub images_seen: u64,
    /// Pass over the training data, counted from 0.
    pub epoch: u64,
    /// Seconds of training so far, this step included.
    pub seconds: f64,
    /// Real images a second in this step.
    pub images_per_second: f64,
    /// What the monitor found in this step: an ailment's name and its evidence.
    pub findings: Vec<String>,
    /// The game of a GAN; absent in other families.
    pub game: Option<Game>,
    /// What a family measures beside: losses and accuracies of heads and codes, penalties.
    pub more: BTreeMap<String, f64>,
}

/// The game of discriminator and generator in one step. Losses are batch means in nats; `d_*` are what the discriminator
/// believes, [`crate::loss::AdversarialLoss::belief`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Game {
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
}

/// A record as it is written.
#[derive(Serialize)]
struct Written<'a> {
    step: u64,
    images_seen: u64,
    epoch: u64,
    seconds: f64,
    images_per_second: f64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    findings: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    non_finite: BTreeMap<&'a str, String>,
    #[serde(flatten)]
    game: &'a Option<Game>,
    #[serde(flatten)]
    more: &'a BTreeMap<String, f64>,
}

impl Serialize for StepRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { step, images_seen, epoch, seconds, images_per_second, findings, game, more } =
            self;
        let numbers = game.iter().flat_map(Game::numbers);
        let numbers = numbers.chain(more.iter().map(|(name, value)| (name.as_str(), *value)));
        let wrong = numbers.filter(|(_, value)| !value.is_finite());
        Written {
            step: *step,
            images_seen: *images_seen,
            epoch: *epoch,
            seconds: *seconds,
            images_per_second: *images_per_second,
            findings,
            non_finite: wrong.map(|(name, value)| (name, value.to_string())).collect(),
            game,
            more,
        }
        .serialize(serializer)
    }
}

/// A record as it is read: whether it has a game is decided by its numbers.
#[derive(Deserialize)]
struct Line {
    step: u64,
    images_seen: u64,
    epoch: u64,
    seconds: f64,
    images_per_second: f64,
    #[serde(default)]
    findings: Vec<String>,
    #[serde(default)]
    non_finite: BTreeMap<String, String>,
    #[serde(flatten)]
    numbers: BTreeMap<String, Option<f64>>,
}

impl TryFrom<Line> for StepRecord {
    type Error = String;

    /// A game that is there is there whole: half of one is damage, not another family.
    fn try_from(line: Line) -> Result<Self, String> {
        let Line { step, images_seen, epoch, seconds, images_per_second, findings, .. } = line;
        let what = |name: &String| line.non_finite.get(name)?.parse::<f64>().ok();
        let number = |(name, value): (String, Option<f64>)| {
            let value = value.or_else(|| what(&name)).unwrap_or(f64::NAN);
            (name, value)
        };
        let mut more: BTreeMap<String, f64> = line.numbers.into_iter().map(number).collect();
        let game = if Game::NAMES.iter().any(|name| more.contains_key(*name)) {
            let values = Game::NAMES
                .map(|name| more.remove(name).ok_or_else(|| format!("the record has no {name}")));
            Some(Game::from_values(values)?)
        } else {
            None
        };
        Ok(Self { step, images_seen, epoch, seconds, images_per_second, findings, game, more })
    }
}

impl Game {
    /// Names of its numbers, in order.
    const NAMES: [&'static str; 11] = [
        "loss_d",
        "loss_g",
        "d_real",
        "d_fake_before",
        "d_fake_after",
        "accuracy_real",
        "accuracy_fake",
        "grad_norm_d",
        "grad_norm_g",
        "lr_d",
        "lr_g",
    ];

    /// A game of its numbers, in the order of their names; the first that is missing is the error.
    fn from_values(values: [Result<f64, String>; 11]) -> Result<Self, String> {
        let [
            loss_d,
            loss_g,
            d_real,
            d_fake_before,
            d_fake_after,
            accuracy_real,
            accuracy_fake,
            grad_norm_d,
            grad_norm_g,
            lr_d,
            lr_g,
        ] = values;
        Ok(Self {
            loss_d: loss_d?,
            loss_g: loss_g?,
            d_real: d_real?,
            d_fake_before: d_fake_before?,
            d_fake_after: d_fake_after?,
            accuracy_real: accuracy_real?,
            accuracy_fake: accuracy_fake?,
            grad_norm_d: grad_norm_d?,
            grad_norm_g: grad_norm_g?,
            lr_d: lr_d?,
            lr_g: lr_g?,
        })
    }

    /// Its numbers, in the order of their names.
    fn values(&self) -> [f64; 11] {
        [
            self.loss_d,
            self.loss_g,
            self.d_real,
            self.d_fake_before,
            self.d_fake_after,
            self.accuracy_real,
            self.accuracy_fake,
            self.grad_norm_d,
            self.grad_norm_g,
            self.lr_d,
            self.lr_g,
        ]
    }

    /// Names under which TensorBoard shows them, in the same order.
    const TAGS: [&'static str; 11] = [
        "loss/discriminator",
        "loss/generator",
        "discriminator/real",
        "discriminator/fake_before",
        "discriminator/fake_after",
        "accuracy/real",
        "accuracy/fake",
        "gradient/discriminator",
        "gradient/generator",
        "learning_rate/discriminator",
        "learning_rate/generator",
    ];

    fn numbers(&self) -> impl Iterator<Item = (&str, f64)> {
        Self::NAMES.into_iter().zip(self.values())
    }

    fn scalars(&self) -> impl Iterator<Item = (&str, f64)> {
        Self::TAGS.into_iter().zip(self.values())
    }
}

impl StepRecord {
    /// Notes what a family measures beside.
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.more.insert(name.into(), value);
    }

    /// The first value that left the range of numbers, with its name.
    pub fn non_finite(&self) -> Option<(&str, f64)> {
        let game = self.game.iter().flat_map(|game| {
            [
                ("the discriminator's loss", game.loss_d),
                ("the generator's loss", game.loss_g),
                ("the discriminator's gradient", game.grad_norm_d),
                ("the generator's gradient", game.grad_norm_g),
            ]
        });
        game.chain(self.more.iter().map(|(name, value)| (name.as_str(), *value)))
            .find(|(_, value)| !value.is_finite())
    }

    /// Every value with the tag under which TensorBoard shows it.
    pub fn scalars(&self) -> Vec<(&str, f64)> {
        let mut scalars: Vec<(&str, f64)> = self.game.iter().flat_map(Game::scalars).collect();
        scalars.push(("images_per_second", self.images_per_second));
        scalars.extend(self.more.iter().map(|(name, value)| (name.as_str(), *value)));
        scalars
    }

    /// What a person is told of a step on one line.
    pub fn summary(&self) -> String {
        let mut words = Vec::new();
        match &self.game {
            Some(Game { loss_d, loss_g, d_real, d_fake_after, .. }) => words.push(format!(
                "D {loss_d:.3} G {loss_g:.3} D(x) {d_real:.2} D(G(z)) {d_fake_after:.2}"
            )),
            None => words.extend(
                ["loss", "accuracy"]
                    .iter()
                    .filter_map(|name| Some(format!("{name} {:.3}", self.more.get(*name)?))),
            ),
        }
        words.push(format!("{:.0} images/s", self.images_per_second));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_every_family_are_read_as_they_were_written() {
        let more = BTreeMap::from([("loss".to_string(), 0.5)]);
        let game = Some(Game { loss_d: 1.5, lr_g: 2e-4, ..Game::default() });
        for record in [
            StepRecord { step: 3, game, ..StepRecord::default() },
            StepRecord { step: 3, more, findings: vec!["x".into()], ..StepRecord::default() },
        ] {
            let text = serde_json::to_string(&record).expect("plain data");
            let read: StepRecord = serde_json::from_str(&text).expect("its own form");
            assert_eq!(read, record);
        }
    }

    #[test]
    fn numbers_that_json_has_not_are_null_and_named() {
        let game = Game { loss_g: f64::NAN, grad_norm_g: f64::INFINITY, ..Game::default() };
        let more = BTreeMap::from([("penalty".to_string(), f64::NEG_INFINITY)]);
        let record = StepRecord { step: 3, game: Some(game), more, ..StepRecord::default() };
        let text = serde_json::to_string(&record).expect("JSON");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let named = serde_json::json!({"grad_norm_g": "inf", "loss_g": "NaN", "penalty": "-inf"});
        assert_eq!(value["non_finite"], named);
        assert!(value["loss_g"].is_null() && value["loss_d"].is_f64(), "{text}");
        let read: StepRecord = serde_json::from_str(&text).expect("its own form");
        assert_eq!(read.more, record.more);
        let game = read.game.expect("a GAN");
        assert!(game.loss_g.is_nan() && game.grad_norm_g == f64::INFINITY);
        let unnamed = text.replace("\"NaN\"", "\"?\"");
        let read: StepRecord = serde_json::from_str(&unnamed).expect("a null is no number");
        assert!(read.game.expect("a GAN").loss_g.is_nan());
    }

    #[test]
    fn half_a_game_is_refused() {
        let game = Some(Game::default());
        let text = serde_json::to_string(&StepRecord { game, ..StepRecord::default() });
        let text = text.expect("plain data").replace("\"loss_g\"", "\"lost\"");
        let error = serde_json::from_str::<StepRecord>(&text).expect_err("no loss_g");
        assert!(error.to_string().contains("loss_g"), "{error}");
    }
}
