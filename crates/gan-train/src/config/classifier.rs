//! What a classifier learns.

use gan_core::ImageShape;
use gan_data::Manifest;
use gan_models::classifier;
use serde::{Deserialize, Serialize};

use crate::conditions::attribute_column;
use crate::error::TrainError;

/// A classifier of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierConfig {
    /// Channels of the first block.
    pub width: usize,
    /// What it tells images apart by.
    pub target: Target,
}

/// What images are told apart by. Names that are left empty are all that the data has; a run's own configuration lists
/// them in the order of the logits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// One class of several.
    Classes(Vec<String>),
    /// Attributes that an image has or has not, each for itself.
    Attributes(Vec<String>),
}

impl Target {
    /// What the logits stand for, in order.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Classes(names) | Self::Attributes(names) => names,
        }
    }
}

impl ClassifierConfig {
    pub(super) fn check(&self, image: Option<ImageShape>) -> Result<(), TrainError> {
        if self.width == 0 {
            return Err(TrainError::Config("classifier.width is 0, expected 1 or more".into()));
        }
        image.map_or(Ok(()), |image| classifier::check(image).map_err(TrainError::Config))
    }

    /// Fills in what the data has where nothing was named, and refuses what it lacks.
    pub(crate) fn resolve(&mut self, manifest: &Manifest) -> Result<(), TrainError> {
        let refuse = |message: String| Err(TrainError::Config(message));
        match &mut self.target {
            Target::Classes(names) => {
                if manifest.classes.len() < 2 {
                    return refuse(
                        "the data has no classes to learn; train face-classifier on data with attributes".into(),
                    );
                }
                if !names.is_empty() && *names != manifest.classes {
                    return refuse(format!(
                        "classifier.target.classes are {}, the data has {}; leave them empty for those",
                        names.join(", "),
                        manifest.classes.join(", ")
                    ));
                }
                names.clone_from(&manifest.classes);
            }
            Target::Attributes(names) => {
                if manifest.attributes.is_empty() {
                    return refuse(
                        "the data has no attributes to learn; train digit-classifier on data with classes".into(),
                    );
                }
                if names.is_empty() {
                    names.clone_from(&manifest.attributes);
                }
                for name in names {
                    attribute_column(&manifest.attributes, name)?;
                }
            }
        }
        Ok(())
    }
}
