//! Which samples of a source are wanted: `Smiling,-Male`.

use gan_core::names;
use serde::{Deserialize, Serialize};

use crate::catalog::Facts;
use crate::error::DataError;

/// Names of attributes and classes, each wanted or, after a minus sign, not wanted.
///
/// A sample is taken where every attribute is as said and its class is one of the wanted ones, where any
/// class is, and none of the unwanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selection(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    name: String,
    wanted: bool,
}

impl std::str::FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let terms: Vec<Term> = text
            .split(',')
            .map(str::trim)
            .map(|term| match term.strip_prefix('-') {
                Some(name) => Term { name: name.trim().into(), wanted: false },
                None => Term { name: term.trim_start_matches('+').trim().into(), wanted: true },
            })
            .collect();
        if terms.iter().any(|term| term.name.is_empty()) {
            return Err(format!("expected names apart by commas, as Smiling,-Male, got {text:?}"));
        }
        Ok(Self(terms))
    }
}

impl TryFrom<String> for Selection {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Selection> for String {
    fn from(selection: Selection) -> Self {
        selection.to_string()
    }
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, Term { name, wanted }) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(f, "{comma}{}{name}", if *wanted { "" } else { "-" })?;
        }
        Ok(())
    }
}

impl Selection {
    /// Finds the names among those of a source.
    pub(crate) fn resolve(
        &self,
        attributes: &[String],
        classes: &[String],
    ) -> Result<Filter, DataError> {
        let mut filter = Filter::default();
        for Term { name, wanted } in &self.0 {
            let place = |names: &[String]| names.iter().position(|known| known == name);
            match (place(attributes), place(classes)) {
                (Some(column), _) => filter.attributes.push((column, u8::from(*wanted))),
                (None, Some(class)) if *wanted => filter.wanted.push(class as u32),
                (None, Some(class)) => filter.unwanted.push(class as u32),
                (None, None) => return Err(unknown(name, attributes, classes)),
            }
        }
        Ok(filter)
    }
}

/// The error about a name that a data set does not have.
pub(crate) fn unknown(name: &str, attributes: &[String], classes: &[String]) -> DataError {
    let known: Vec<&String> = attributes.iter().chain(classes).collect();
    let expected = if known.is_empty() {
        "no name: the data has neither attributes nor classes".into()
    } else {
        let listed: Vec<&str> = known.iter().take(50).map(|name| name.as_str()).collect();
        format!("one of {}", listed.join(", "))
    };
    let near = names::nearest(known.iter().map(|name| name.as_str()), name)
        .filter(|(_, likeness)| *likeness > 0.8);
    let hint = near.map_or(String::new(), |(near, _)| format!("; did you mean {near}?"));
    DataError::Argument {
        name: "name of an attribute or class",
        expected,
        got: format!("{name:?}{hint}"),
    }
}

/// A selection over the columns of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    attributes: Vec<(usize, u8)>,
    wanted: Vec<u32>,
    unwanted: Vec<u32>,
}

impl Filter {
    /// Whether a sample with these facts is wanted.
    pub(crate) fn takes(&self, facts: &Facts) -> bool {
        let attributes = &self.attributes;
        let as_said = attributes.iter().all(|&(column, value)| facts.attributes[column] == value);
        let label_in = |classes: &[u32]| facts.label.is_some_and(|label| classes.contains(&label));
        as_said && (self.wanted.is_empty() || label_in(&self.wanted)) && !label_in(&self.unwanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_hold_all_together_and_classes_either_or() {
        let attributes = ["Smiling", "Male"].map(String::from);
        let classes = ["cat", "dog", "owl"].map(String::from);
        let check = |text: &str, smiling: u8, male: u8, label: u32, taken: bool| {
            let selection: Selection = text.parse().expect(text);
            assert_eq!(selection.to_string(), text);
            let filter = selection.resolve(&attributes, &classes).expect(text);
            let facts = Facts { attributes: vec![smiling, male], label: Some(label) };
            assert_eq!(filter.takes(&facts), taken, "{text} {facts:?}");
        };
        check("Smiling,-Male", 1, 0, 0, true);
        check("Smiling,-Male", 1, 1, 0, false);
        check("Smiling,-Male", 0, 0, 0, false);
        check("cat,dog", 0, 0, 1, true);
        check("cat,dog", 0, 0, 2, false);
        check("-owl", 0, 0, 2, false);
        check("Male,-owl", 0, 1, 1, true);
    }

    #[test]
    fn unknown_names_are_answered_with_the_nearest() {
        let selection: Selection = "smilling".parse().expect("a name");
        let error = selection.resolve(&["Smiling".into(), "Male".into()], &[]).expect_err("none");
        assert!(error.to_string().contains("did you mean Smiling?"), "{error}");
        let error = selection.resolve(&[], &[]).expect_err("none").to_string();
        assert!(error.contains("neither attributes nor classes"), "{error}");
        "Smiling,,Male".parse::<Selection>().expect_err("an empty name");
    }
}
