//! Data that was named in place of the presets' own.

use std::sync::Arc;

use gan_data::Dataset;
use gan_train::Preset;

use super::plan::{Kind, Plan};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::data;

/// Data that was named in place of the presets' own.
#[derive(Default)]
pub(super) struct Named {
    faces: Option<String>,
    digits: Option<String>,
    /// Attributes of the experiment's data, where a step asks for some.
    pub(super) attributes: Vec<String>,
}

impl Named {
    /// Sorts what was named by what it shows: gray images are taken for digits, colored ones for faces.
    pub(super) fn sorted(
        names: &[String],
        plan: &Plan,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let mut sorted = Self::default();
        for name in names {
            let opened = open(name, global, console)?;
            let channels = opened.manifest().sample.image().map(|image| image.channels);
            let (kind, place) = match channels {
                Some(1) => (Kind::Digits, &mut sorted.digits),
                Some(_) => (Kind::Faces, &mut sorted.faces),
                None => {
                    let reason = format!("--data {name}: expected images, found points");
                    return Err(UsageError(reason).into());
                }
            };
            let what = match kind {
                Kind::Digits => "gray images",
                _ => "images in color",
            };
            if !plan.steps.iter().any(|step| plan.kind(step) == kind) {
                let reason =
                    format!("--data {name}: experiment {} has no use for {what}", plan.name);
                return Err(UsageError(reason).into());
            }
            if let Some(other) = place.replace(name.clone()) {
                let reason = format!("--data {other} and --data {name} are both {what}; name one");
                return Err(UsageError(reason).into());
            }
        }
        if plan.steps.iter().any(|step| !step.needs.is_empty()) {
            let usual = || plan.data.usual().to_string();
            let name = sorted.of(plan.data).cloned().unwrap_or_else(usual);
            // The data is named once more, when it is trained on.
            let silently = tracing::subscriber::NoSubscriber::default();
            let data =
                tracing::subscriber::with_default(silently, || open(&name, global, console))?;
            sorted.attributes = data.manifest().attributes.clone();
        }
        Ok(sorted)
    }

    /// What was named of a kind.
    pub(super) fn of(&self, kind: Kind) -> Option<&String> {
        match kind {
            Kind::Faces => self.faces.as_ref(),
            Kind::Digits => self.digits.as_ref(),
            Kind::Points => None,
        }
    }
}

/// The data of a name, prepared first if it has to be.
fn open(name: &str, global: &Global, console: &Console) -> anyhow::Result<Arc<Dataset>> {
    let mut config = Preset::find("dcgan")?.config()?.data;
    config.source = name.into();
    data::open(&config, global, console)
}
