//! What points are colored by.

use candle_core::DType;
use gan_core::names;
use gan_data::{Dataset, Split};

use crate::args::UsageError;

/// The classes of points.
pub(super) struct Colors {
    /// `class`, or an attribute; none where the data knows nothing of its images.
    pub(super) name: Option<String>,
    /// Names for the legend.
    pub(super) classes: Vec<String>,
    /// The class of each point.
    pub(super) labels: Option<Vec<usize>>,
}

/// What images are colored by unless something is named, where the data has it.
const USUAL: &str = "Male";
/// The name of the classes.
const CLASS: &str = "class";

impl Colors {
    /// The classes, or an attribute, of some images of a split.
    ///
    /// # Errors
    /// If the data has not what was named; the nearest is named.
    pub(super) fn of(
        asked: Option<&str>,
        data: &Dataset,
        split: Split,
        indices: &[usize],
    ) -> anyhow::Result<Self> {
        let manifest = data.manifest();
        let (attributes, classes) = (&manifest.attributes, &manifest.classes);
        let usual = match (classes.is_empty(), attributes.first()) {
            (false, _) => Some(CLASS),
            (true, Some(_)) if attributes.iter().any(|name| name == USUAL) => Some(USUAL),
            (true, first) => first.map(String::as_str),
        };
        let Some(name) = asked.or(usual) else {
            return Ok(Self { name: None, classes: vec!["images".into()], labels: None });
        };
        let whole = |tensor: candle_core::Tensor| -> anyhow::Result<Vec<usize>> {
            let values = tensor.to_dtype(DType::U32)?.to_vec1::<u32>()?;
            Ok(values.into_iter().map(|value| value as usize).collect())
        };
        if let Some(column) = attributes.iter().position(|known| known == name) {
            let all = data.attributes(split, indices)?.ok_or_else(|| unknown(name, data))?;
            let labels = whole(all.narrow(1, column, 1)?.flatten_all()?)?;
            let classes = vec![format!("no {name}"), name.to_string()];
            return Ok(Self { name: Some(name.into()), classes, labels: Some(labels) });
        }
        if name == CLASS && !classes.is_empty() {
            let all = data.labels(split, indices)?.ok_or_else(|| unknown(name, data))?;
            let (name, classes) = (Some(name.into()), classes.clone());
            return Ok(Self { name, classes, labels: Some(whole(all)?) });
        }
        Err(unknown(name, data).into())
    }
}

/// That the data has no such attribute, and which it has.
fn unknown(name: &str, data: &Dataset) -> UsageError {
    let manifest = data.manifest();
    let mut known: Vec<&str> = manifest.attributes.iter().map(String::as_str).collect();
    known.extend((!manifest.classes.is_empty()).then_some(CLASS));
    let nearest =
        names::nearest(known.iter().copied(), name).filter(|(_, likeness)| *likeness > 0.7);
    let hint = match (nearest, known.is_empty()) {
        (Some((nearest, _)), _) => format!("did you mean {nearest}?"),
        (None, false) => format!("it has {}", known.join(", ")),
        (None, true) => "it has neither attributes nor classes; leave --color-by away".into(),
    };
    UsageError(format!("--color-by {name:?}: the data has no such attribute; {hint}"))
}
