//! Single settings over a configuration: `key=value`, any key, nearest one named where unknown.
//!
//! A key is a path of table keys joined by dots. Elements of a list are addressed by their position
//! or by their `name` or `network`: `latent.z.size=50`, `phases.generator.steps=2`.

use gan_core::names;
use toml::{Table, Value};

use crate::config::Config;
use crate::error::TrainError;

/// Keys that a configuration may have without every one having them.
const OPTIONAL: &[&str] = &[
    "data.size",
    "data.limit",
    "model.condition",
    "model.auxiliary",
    "model.codes",
    "model.skip_z",
    "optimizer.recognizer",
    "monitor.stop_on",
    "loss.penalty",
    "loss.clip",
    "loss.clip.bound",
    "autoencoder.prior",
    "ema",
    "ema.decay",
    "warm_start.generator",
    "warm_start.discriminator",
    "output.figures_at",
];

/// Applies `settings`, each `key=value`, to `config` and checks the result.
pub fn apply(config: &Config, settings: &[String]) -> Result<Config, TrainError> {
    let mut table = Table::try_from(config).map_err(|e| TrainError::Config(e.to_string()))?;
    let mut read = Ok(config.clone());
    let mut first_wrong = None;
    for setting in settings {
        let Some((key, text)) = setting.split_once('=') else {
            return Err(TrainError::Config(format!("setting {setting:?}: expected key=value")));
        };
        let key = key.trim();
        config.refuse_foreign(key)?;
        let value = parse_value(text.trim());
        let Some(place) = find(&mut table, key) else {
            let near = nearest(config, &table, key);
            return Err(TrainError::Config(format!("no setting {key:?}; did you mean {near:?}?")));
        };
        *place = widen(value, place);
        read = parse(&table);
        // One setting may need another to make sense: what counts is where the last stretch without sense begins.
        first_wrong = read.is_err().then(|| first_wrong.unwrap_or(setting));
    }
    let config = read.map_err(|reason| {
        TrainError::Config(match first_wrong {
            Some(setting) => format!("setting {setting:?}: {reason}"),
            None => reason,
        })
    })?;
    config.check()?;
    Ok(config)
}

fn parse(table: &Table) -> Result<Config, String> {
    let text = toml::to_string(table).map_err(|e| e.to_string())?;
    toml::from_str(&text).map_err(|e| readable(e.message()))
}

/// What was said of a configuration that cannot be read, on one line; of a name that is not known with the nearest one.
pub(crate) fn readable(message: &str) -> String {
    let message = message.trim_end().replace('\n', "; ");
    // serde puts names between backticks, first the unknown one and then those that there are.
    let mut quoted = message.split('`').skip(1).step_by(2);
    let typed = quoted.next();
    let known: Vec<&str> = quoted.collect();
    match (typed, names::nearest(known.iter().copied(), typed.unwrap_or_default())) {
        (Some(typed), Some((nearest, _))) if message.starts_with("unknown") => {
            let known = known.join(", ");
            format!("{typed:?} is not known; did you mean {nearest:?}? there are {known}")
        }
        _ => message,
    }
}

/// A TOML value where it is one, else the text itself.
fn parse_value(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}"));
    parsed.ok().and_then(|mut t| t.remove("value")).unwrap_or_else(|| Value::String(text.into()))
}

/// `1` is meant as `1.0` where a float stood.
fn widen(value: Value, old: &Value) -> Value {
    match (value, old) {
        (Value::Integer(i), Value::Float(_)) => Value::Float(i as f64),
        (value, _) => value,
    }
}

/// The value at a dotted key; optional ones are made.
fn find<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Value> {
    if OPTIONAL.contains(&key) {
        let mut place = table;
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop()?;
        for part in parts {
            let table = Value::Table(Table::new());
            place = place.entry(part).or_insert(table).as_table_mut()?;
        }
        return Some(place.entry(last).or_insert(Value::Boolean(false)));
    }
    let mut parts = key.split('.');
    let mut place = table.get_mut(parts.next()?)?;
    for part in parts {
        place = match place {
            Value::Table(table) => table.get_mut(part)?,
            Value::Array(items) => {
                let index = items.iter().position(|item| label(item) == Some(part));
                items.get_mut(index.or_else(|| part.parse().ok())?)?
            }
            _ => return None,
        };
    }
    Some(place)
}

/// The name by which a list's element is addressed.
fn label(item: &Value) -> Option<&str> {
    item.get("name").or_else(|| item.get("network"))?.as_str()
}

/// The existing key that is most like `key`.
fn nearest(config: &Config, table: &Table, key: &str) -> String {
    let fits = |key: &&&str| config.refuse_foreign(key).is_ok();
    let mut keys: Vec<String> = OPTIONAL.iter().filter(fits).map(ToString::to_string).collect();
    for (name, value) in table {
        collect_keys(name, value, &mut keys);
    }
    // A key is often given without its table: `lr` means `optimizer.generator.lr`.
    let likeness = |candidate: &String| {
        let last = candidate.rsplit('.').next().unwrap_or_default();
        let ours = key.rsplit('.').next().unwrap_or_default();
        strsim::jaro_winkler(candidate, key) + strsim::jaro_winkler(last, ours)
    };
    keys.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}

fn collect_keys(path: &str, value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                collect_keys(&format!("{path}.{name}"), value, keys);
            }
        }
        Value::Array(items) if items.iter().all(Value::is_table) => {
            for (i, item) in items.iter().enumerate() {
                let name = label(item).map_or_else(|| i.to_string(), ToString::to_string);
                collect_keys(&format!("{path}.{name}"), item, keys);
            }
        }
        _ => keys.push(path.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use gan_data::Sampling;

    use super::*;
    use crate::config::Length;
    use crate::phase::Network;
    use crate::preset::PRESETS;

    fn with(settings: &[&str]) -> Result<Config, String> {
        let base = PRESETS[0].config().expect("a preset of ours");
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        apply(&base, &settings).map_err(|e| e.to_string())
    }

    #[test]
    fn any_key_can_be_set() {
        let config = with(&[
            "seed=7",
            "data.source=my photos",
            "data.limit=1000",
            "ema.decay=0.99",
            "monitor.stop_on=[\"low-diversity\"]",
            "model.codes=[]",
            "loss.adversarial=softplus",
            "loss.penalty={ r1 = { gamma = 10 } }",
            "data.sampling={ balanced = \"Smiling\" }",
            "latent.z.size=32",
            "phases.generator.steps=2",
            "optimizer.generator.lr=1",
            "optimizer.discriminator.betas=[0.0, 0.9]",
            "training.length={ steps = 3 }",
            "model.skip_z=true",
            "output.figures_at=[13, 25]",
        ])
        .expect("all are known");
        assert_eq!((config.seed, config.data.limit), (7, Some(1000)));
        assert_eq!(config.data.source, "my photos");
        assert_eq!(config.data.sampling, Sampling::Balanced("Smiling".into()));
        assert_eq!(config.latent.encoded_size(), 32);
        let optimizer = |network| config.optimizer.of(network).expect("an optimizer");
        assert_eq!(optimizer(Network::Generator).lr, 1.0);
        assert_eq!(optimizer(Network::Discriminator).betas, (0.0, 0.9));
        assert_eq!(config.training.length, Length::Steps(3));
        assert_eq!(config.output.figures_at, [13, 25]);
        assert!(config.model.is_some_and(|model| model.skip_z));
        let generator = config.phases.iter().find(|p| p.network == Network::Generator);
        assert_eq!(generator.map(|p| p.steps), Some(2));
    }

    #[test]
    fn optional_keys_can_be_set_where_a_preset_has_none() {
        let base = crate::Preset::find("dcgan").and_then(|p| p.config()).expect("a preset of ours");
        let set = ["data.limit=300", "data.size=32", "ema.decay=0.5", "loss.clip.bound=1"];
        let config = apply(&base, &set.map(ToString::to_string)).expect("all are known");
        assert_eq!((config.data.limit, config.data.size), (Some(300), Some(32)));
        assert_eq!(config.loss.clip.map(|clip| clip.bound), Some(1.0));
    }

    #[test]
    fn an_unknown_key_is_answered_with_the_nearest() {
        for (typed, meant) in [
            ("optimizer.generator.learning_rat=1", "optimizer.generator."),
            ("training.batchsize=4", "training.batch_size"),
            ("batch_size=4", "training.batch_size"),
            ("data.flip=true", "data.flips"),
            ("latent.y.size=3", "latent.z.size"),
        ] {
            let message = with(&[typed]).expect_err(typed);
            assert!(message.contains(meant), "{typed}: {message}");
        }
    }

    #[test]
    fn of_several_settings_the_wrong_one_is_named() {
        let settings = ["seed=1", "model.generator=dcgam", "latent.z.size=3"];
        let message = with(&settings).expect_err("no such generator");
        assert!(message.starts_with("setting \"model.generator=dcgam\": "), "{message}");
        // A categorical part has a count, no size: neither setting makes sense without the other.
        let part = "latent.z={ name = \"z\", kind = \"categorical\", classes = 3, count = 1 }";
        with(&["latent.z.kind=categorical", part]).expect("sense in the end");
    }

    #[test]
    fn settings_of_another_family_are_refused_with_the_reason() {
        for (preset, setting, reason) in [
            ("vae", "loss.real_target=0.9", "loss.real_target is a GAN's"),
            ("vae", "unrolling.steps=2", "nothing for this autoencoder"),
            ("vae", "monitor.window=128", "monitor.window is a GAN's"),
            ("digit-classifier", "latent.z.size=3", "a GAN's or an autoencoder's"),
            ("digit-classifier", "ema.decay=0.9", "nothing for this classifier"),
            ("dcgan", "autoencoder.prior={ kl = { weight = 1 } }", "an autoencoder's"),
        ] {
            let base = crate::Preset::find(preset).and_then(|p| p.config()).expect(preset);
            let message = apply(&base, &[setting.into()]).expect_err(setting).to_string();
            assert!(message.contains(reason), "{setting}: {message}");
        }
        let base = crate::Preset::find("vae").and_then(|p| p.config()).expect("a preset of ours");
        apply(&base, &["monitor.on_nan=rollback".into()]).expect("every family has numbers");
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        for (setting, part) in [
            ("training.batch_size=1", "batch norm"),
            ("training.batch_size=many", "many"),
            ("optimizer.generator.lr=-1", "more than 0"),
            (
                "model.generator=dcgam",
                "\"dcgam\" is not known; did you mean \"dcgan\"? there are conv, dcgan",
            ),
            ("data.sampling={ balancd = \"Smiling\" }", "did you mean \"balanced\"?"),
            ("latent.z.kind=norml", "did you mean \"normal\"?"),
            ("loss.penalty={ r1 = { gama = 1 } }", "did you mean \"gamma\"?"),
            ("latent.z.size=0", "size 0"),
            ("phases.generator.steps=0", "generator"),
            ("output.grid_every=0", "grid_every"),
            ("output.figures_at=[13, 0]", "epoch 0"),
            ("seed", "key=value"),
        ] {
            let message = with(&[setting]).expect_err(setting);
            assert!(message.contains(part), "{setting}: {message}");
        }
    }
}
