//! `dataset.json` as StyleGAN's tools write it beside pictures: `{"labels": [["00000/img0.png", 6], …]}`,
//! where a label is a class, a list of numbers, or `labels` is `null`.

use std::collections::HashMap;

use serde::Deserialize;

use crate::catalog::Facts;

/// Name of the file.
pub(super) const FILE: &str = "dataset.json";

#[derive(Deserialize)]
struct Document {
    labels: Option<Vec<(String, Label)>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Class(u32),
    Vector(Vec<f64>),
}

/// The labels of a data set.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// `label_0`, `label_1`, …, where labels are lists of zeros and ones.
    pub(super) attributes: Vec<String>,
    /// `0` to the largest class, where labels are classes.
    pub(super) classes: Vec<String>,
    rows: HashMap<String, Facts>,
    prefix: String,
}

impl Labels {
    /// Reads the file; `None` where the pictures have no labels, or where it is a file of another kind. Its
    /// names begin where `prefix`, the folder that it lies in, ends. The error is what was expected and
    /// what was found.
    pub(super) fn parse(bytes: &[u8], prefix: &str) -> Result<Option<Self>, (String, String)> {
        let wrong = |e: serde_json::Error| {
            (r#"{"labels": [["name", class], …]} or {"labels": null}"#.to_string(), e.to_string())
        };
        let json: serde_json::Value = match serde_json::from_slice(bytes) {
            // One that was cut is not another kind.
            Err(e) if bytes.windows(8).any(|part| part == b"\"labels\"") => return Err(wrong(e)),
            json => json.unwrap_or_default(),
        };
        if json.get("labels").is_none() {
            return Ok(None);
        }
        let document: Document = serde_json::from_value(json).map_err(wrong)?;
        let Some(rows) = document.labels.filter(|rows| !rows.is_empty()) else { return Ok(None) };
        let mut labels = Self { prefix: prefix.into(), ..Self::default() };
        let (mut largest, mut columns) = (None, None);
        for (name, label) in rows {
            let facts = match label {
                Label::Class(class) => {
                    largest = largest.max(Some(class));
                    Facts::labelled(class)
                }
                Label::Vector(values) => {
                    let bits: Option<Vec<u8>> = values.iter().map(|v| bit(*v)).collect();
                    let bits = bits.filter(|bits| *columns.get_or_insert(bits.len()) == bits.len());
                    let attributes = bits.ok_or_else(|| {
                        let what =
                            "labels that are classes, or lists of zeros and ones of one length";
                        (what.to_string(), format!("{values:?} for {name}"))
                    })?;
                    Facts { attributes, label: None }
                }
            };
            if labels.rows.insert(name.clone(), facts).is_some() {
                return Err(("one label a picture".into(), format!("a second one for {name}")));
            }
        }
        // Names are made for every class up to the largest one.
        if largest.is_some() && columns.is_some() || largest > Some(0xffff) {
            let what = "classes below 65,536, or lists for all pictures";
            return Err((what.into(), format!("a class {}", largest.unwrap_or_default())));
        }
        labels.classes = largest.map_or(Vec::new(), |n| (0..=n).map(|c| c.to_string()).collect());
        labels.attributes = (0..columns.unwrap_or(0)).map(|i| format!("label_{i}")).collect();
        Ok(Some(labels))
    }

    /// The label of a picture.
    pub(super) fn of(&self, name: &str) -> Option<&Facts> {
        self.rows.get(name.strip_prefix(&self.prefix)?)
    }
}

fn bit(value: f64) -> Option<u8> {
    match value {
        0.0 => Some(0),
        1.0 => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_vectors_and_none() {
        let parse = |text: &str| Labels::parse(text.as_bytes(), "");
        assert!(parse("no JSON").expect("another kind").is_none());
        assert!(parse("[1, 2]").expect("another kind").is_none());
        assert!(parse(r#"{"labels": null}"#).expect("well formed").is_none());
        assert!(parse("{}").expect("well formed").is_none());
        let classes = parse(r#"{"labels": [["a.png", 2], ["b.png", 0]]}"#);
        let classes = classes.expect("well formed").expect("labels");
        assert_eq!(classes.classes, ["0", "1", "2"]);
        assert_eq!(classes.of("a.png"), Some(&Facts::labelled(2)));
        assert_eq!(classes.of("c.png"), None);
        let inner = Labels::parse(br#"{"labels": [["a.png", 2]]}"#, "ffhq/");
        let inner = inner.expect("well formed").expect("labels");
        assert_eq!(inner.of("ffhq/a.png"), Some(&Facts::labelled(2)));
        assert_eq!(inner.of("a.png"), None);
        let vectors = parse(r#"{"labels": [["a.png", [0, 1.0]], ["b.png", [1, 1]]]}"#);
        let vectors = vectors.expect("well formed").expect("labels");
        assert_eq!(vectors.attributes, ["label_0", "label_1"]);
        assert_eq!(vectors.of("a.png").map(|facts| facts.attributes.clone()), Some(vec![0, 1]));
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (text, part) in [
            (r#"{"labels": [["a.png", 1], ["a.png", 1]]}"#, "a second one for a.png"),
            (r#"{"labels": [["a.png", -1]]}"#, "did not match"),
            (r#"{"labels": [["a.png", 1"#, "EOF"),
            (r#"{"labels": [["a.png", [0.5]]]}"#, "[0.5] for a.png"),
            (r#"{"labels": [["a.png", [1]], ["b.png", [1, 0]]]}"#, "b.png"),
            (r#"{"labels": [["a.png", [1]], ["b.png", 1]]}"#, "a class 1"),
            (r#"{"labels": [["a.png", 4000000000]]}"#, "a class 4000000000"),
        ] {
            let (expected, found) = Labels::parse(text.as_bytes(), "").expect_err(text);
            assert!(found.contains(part), "{text}: {expected}, {found}");
        }
    }
}
