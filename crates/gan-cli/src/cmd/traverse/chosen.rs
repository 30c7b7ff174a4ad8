//! Which parts and dimensions of a latent were asked for.

use gan_core::names;
use gan_models::{Distribution, Latent, Part};

use crate::args::UsageError;

/// Parts of a latent, and of one part some dimensions.
pub(super) struct Chosen<'a> {
    pub(super) parts: Vec<&'a Part>,
    /// Indices of dimensions that were typed, in their order; none where the ranking chooses.
    pub(super) dims: Vec<usize>,
}

impl<'a> Chosen<'a> {
    pub(super) fn new(
        latent: &'a Latent,
        part: Option<&str>,
        dims: &[String],
    ) -> Result<Self, UsageError> {
        let Some(name) = part else {
            let parts: Vec<&Part> = latent.parts().iter().collect();
            let chosen = Self { parts, dims: Vec::new() };
            return match chosen.parts.as_slice() {
                _ if dims.is_empty() => Ok(chosen),
                [only] => Ok(Self { dims: parse(only, dims)?, ..chosen }),
                _ => Err(UsageError(format!("--dims needs --part: {}", chosen.names()))),
            };
        };
        let Some(part) = latent.part(name) else {
            let known: Vec<&str> = latent.parts().iter().map(|part| part.name.as_str()).collect();
            let nearest = names::nearest(known.iter().copied(), name).map_or("", |(name, _)| name);
            return Err(UsageError(format!(
                "--part {name}: the latent has no such part; did you mean {nearest:?}? It has {}",
                known.join(", ")
            )));
        };
        Ok(Self { parts: vec![part], dims: parse(part, dims)? })
    }

    /// The parts as they can be typed.
    pub(super) fn names(&self) -> String {
        self.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Dimensions of a part: names of entries, numbers, ranges of numbers.
fn parse(part: &Part, dims: &[String]) -> Result<Vec<usize>, UsageError> {
    let (names, size) = (part.entry_names(), part.distribution.size());
    let mut chosen = Vec::new();
    for text in dims {
        let number = |text: &str| text.trim().parse::<usize>().ok();
        // A name first: some attributes begin with a digit, and have a line in them.
        let range = match (names.iter().position(|name| name == text), text.split_once('-')) {
            (Some(i), _) => Some((i, i)),
            (None, Some((from, to))) => number(from).zip(number(to)),
            (None, None) => number(text).map(|i| (i, i)),
        };
        let Some((from, to)) = range else { return Err(unknown(part, &names, text)) };
        if from > to || to >= size {
            let of = format!("part {:?} has {size}, 0 to {}", part.name, size - 1);
            return Err(UsageError(format!("--dims {text}: {of}")));
        }
        chosen.extend(from..=to);
    }
    Ok(chosen)
}

fn unknown(part: &Part, names: &[String], text: &str) -> UsageError {
    let name = &part.name;
    let nearest = match part.distribution {
        Distribution::Attributes { .. } => names::nearest(names.iter().map(String::as_str), text),
        _ => None,
    };
    UsageError(match nearest {
        Some((nearest, _)) => {
            format!("--dims {text}: part {name:?} has none of this name; did you mean {nearest:?}?")
        }
        None => format!("--dims {text}: expected numbers and ranges, as 3,7 or 0-15"),
    })
}

/// That a part's entries can have these values.
pub(super) fn check_values(part: &Part, values: &[f32], dims: bool) -> Result<(), UsageError> {
    let name = &part.name;
    if matches!(part.distribution, Distribution::Binary { .. }) && !dims {
        return Err(UsageError(format!(
            "--values does not go with the gradual walk through the bits of {name:?}; name some with --dims"
        )));
    }
    let most = match &part.distribution {
        Distribution::Normal { .. } | Distribution::Uniform { .. } => return Ok(()),
        Distribution::Binary { .. } | Distribution::Attributes { .. } => 2,
        Distribution::Levels { levels: n, .. } | Distribution::Categorical { classes: n, .. } => *n,
    };
    let cannot = |x: &&f32| x.fract() != 0.0 || **x < 0.0 || **x >= most as f32;
    match values.iter().find(cannot) {
        Some(value) => Err(UsageError(format!(
            "--values has {value}, expected {} for part {name:?}",
            part.distribution.range()
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latent() -> Latent {
        let part = |name: &str, distribution| Part { name: name.into(), distribution };
        let names = ["Smiling", "5-Clock", "Male"].map(String::from).to_vec();
        Latent::new(vec![
            part("z", Distribution::Normal { size: 20 }),
            part("bits", Distribution::Binary { p: 0.5, size: 4 }),
            part("attributes", Distribution::Attributes { names, frequencies: Vec::new() }),
        ])
    }

    fn dims(part: &str, text: &str) -> Result<Vec<usize>, String> {
        let text: Vec<String> = text.split(',').map(String::from).collect();
        Chosen::new(&latent(), Some(part), &text).map(|chosen| chosen.dims).map_err(|e| e.0)
    }

    #[test]
    fn dimensions_are_numbers_ranges_and_names() {
        assert_eq!(dims("z", "0-3,7,19,2"), Ok(vec![0, 1, 2, 3, 7, 19, 2]));
        assert_eq!(dims("z", "z[4]"), Ok(vec![4]));
        assert_eq!(dims("attributes", "Male,5-Clock,0"), Ok(vec![2, 1, 0]));
        for (part, text, expected) in [
            ("z", "20", "0 to 19"),
            ("z", "18-20", "0 to 19"),
            ("z", "5-2", "0 to 19"),
            ("z", "x", "expected numbers"),
            ("z", "", "expected numbers"),
            ("z", "-1", "expected numbers"),
            ("attributes", "Smilin", "did you mean \"Smiling\"?"),
            ("bit", "0", "did you mean \"bits\"?"),
        ] {
            let message = dims(part, text).expect_err(text);
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn dimensions_are_of_one_part() {
        let some = ["1".to_string()];
        let message = Chosen::new(&latent(), None, &some).err().expect("three parts").0;
        assert!(message.contains("z, bits, attributes"), "{message}");
        let plain = Latent::normal(3);
        assert_eq!(Chosen::new(&plain, None, &some).map(|c| c.dims).map_err(|e| e.0), Ok(vec![1]));
        assert_eq!(
            Chosen::new(&latent(), None, &[]).map(|c| c.parts.len()).map_err(|e| e.0),
            Ok(3)
        );
    }

    #[test]
    fn values_are_such_as_the_part_has() {
        let latent = latent();
        let check = |part: &str, values: &[f32], dims| {
            check_values(latent.part(part).expect(part), values, dims).map_err(|e| e.0)
        };
        assert_eq!(check("z", &[-7.5], false), Ok(()));
        assert_eq!(check("attributes", &[1.0, 0.0], false), Ok(()));
        assert!(check("attributes", &[0.5], false).expect_err("half").contains("0 or 1"));
        assert!(check("bits", &[0.0], false).expect_err("gradual").contains("--dims"));
        assert!(check("bits", &[2.0], true).expect_err("2").contains("0 or 1"));
    }
}
