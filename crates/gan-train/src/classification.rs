//! Training of a classifier: one network, moved to what the data says of its images.

use candle_core::{DType, Device, Result as TensorResult, Tensor};
use gan_core::ImageShape;
use gan_data::{Dataset, Split};
use gan_kernels::{FeatureMaps, backward, gradient_norm};
use gan_models::classifier::Classifier;
use gan_models::{NetworkSummary, ParamStore, summary};

use crate::conditions::attribute_column;
use crate::config::{ClassifierConfig, Config, Target};
use crate::error::TrainError;
use crate::family::Batch;
use crate::loss::{accuracy, attribute_accuracy, bce_attributes, cross_entropy, scalar};
use crate::networks::Trained;
use crate::phase::Network;
use crate::record::StepRecord;

/// A classifier and what it learns.
pub(crate) struct Classification {
    classifier: Classifier,
    truth: Truth,
    pub(crate) trained: Trained,
}

impl Classification {
    pub(crate) fn new(
        config: &Config,
        classifier: &ClassifierConfig,
        image: ImageShape,
        data: &Dataset,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let store = ParamStore::seeded(Network::Classifier.name(), config.seed, device);
        let outputs = classifier.target.names().len();
        Ok(Self {
            classifier: Classifier::new(classifier.width, outputs, image, store.trainable())?,
            truth: Truth::new(&classifier.target, data)?,
            trained: Trained::new(Network::Classifier, store, config)?,
        })
    }

    /// Moves the logits towards what the data says of the batch.
    pub(crate) fn step(
        &mut self,
        batch: &Batch<'_>,
        record: &mut StepRecord,
    ) -> Result<(), TrainError> {
        let images = FeatureMaps::from_tensor(&batch.pixels)?;
        let logits = self.classifier.logits(&images, true)?;
        let truth = self.truth.of(batch.data, Split::Train, batch.indices)?;
        let truth = truth.to_device(logits.device())?;
        let (loss, right) = match self.truth {
            Truth::Classes => (cross_entropy(&logits, &truth)?, accuracy(&logits, &truth)?),
            Truth::Attributes(_) => {
                (bce_attributes(&logits, &truth)?, attribute_accuracy(&logits, &truth)?)
            }
        };
        let gradients = backward(&loss)?;
        self.trained.adam.step(&gradients)?;
        record.set("loss", scalar(&loss)?);
        record.set("accuracy", right);
        record.set("grad_norm", gradient_norm(&self.trained.store.parameters(), &gradients)?);
        record.set("lr", self.trained.adam.config().lr);
        Ok(())
    }

    /// Its table, on an image of zeros.
    pub(crate) fn summary(&self, image: &Tensor) -> TensorResult<NetworkSummary> {
        let image = FeatureMaps::from_tensor(image)?;
        summary::summarize("classifier", || self.classifier.logits(&image, false))
    }
}

/// Where the data has what a classifier is to tell.
pub(crate) enum Truth {
    /// The class of an image.
    Classes,
    /// Columns of its attributes.
    Attributes(Vec<u32>),
}

impl Truth {
    /// # Errors
    /// If the data does not tell what `target` names.
    pub(crate) fn new(target: &Target, data: &Dataset) -> Result<Self, TrainError> {
        let manifest = data.manifest();
        match target {
            Target::Classes(names) if *names == manifest.classes => Ok(Self::Classes),
            Target::Classes(names) => Err(TrainError::Config(format!(
                "the classifier tells the classes {}, the data has {}",
                names.join(", "),
                if manifest.classes.is_empty() {
                    "none".into()
                } else {
                    manifest.classes.join(", ")
                }
            ))),
            Target::Attributes(names) => {
                let column = |name: &String| attribute_column(&manifest.attributes, name);
                let columns: Result<Vec<usize>, _> = names.iter().map(column).collect();
                Ok(Self::Attributes(columns?.into_iter().map(|at| at as u32).collect()))
            }
        }
    }

    /// `(N,)` u32 classes, or `(N, A)` f32 attributes of 0 and 1, on the CPU.
    pub(crate) fn of(
        &self,
        data: &Dataset,
        split: Split,
        indices: &[usize],
    ) -> Result<Tensor, TrainError> {
        let missing = || TrainError::Changed("the data no longer tells what is learned".into());
        Ok(match self {
            Self::Classes => {
                data.labels(split, indices)?.ok_or_else(missing)?.to_dtype(DType::U32)?
            }
            Self::Attributes(columns) => {
                let all = data.attributes(split, indices)?.ok_or_else(missing)?;
                let columns = Tensor::new(columns.as_slice(), &Device::Cpu)?;
                all.index_select(&columns, 1)?.to_dtype(DType::F32)?
            }
        })
    }
}
