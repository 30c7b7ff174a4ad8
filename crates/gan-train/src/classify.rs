//! A trained classifier at work: on images of any origin, and against what the data says of its own.

use candle_core::{D, Device, Tensor};
use gan_core::ImageShape;
use gan_data::{Dataset, Split};
use gan_kernels::FeatureMaps;
use gan_models::classifier::Classifier;

use crate::batches::{self, check_shape};
use crate::checkpoint::Checkpoint;
use crate::classification::Truth;
use crate::config::Target;
use crate::error::TrainError;
use crate::phase::Network;

/// A classifier with the weights of a checkpoint and running statistics: images are judged apart.
pub struct ImageClassifier {
    network: Classifier,
    target: Target,
    image: ImageShape,
    device: Device,
}

/// What a classifier predicts of the images of a split, and what the data says.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// What is predicted.
    pub question: Question,
    /// The prediction for each image, by its place in [`Question::answers`].
    pub predictions: Vec<usize>,
    /// The label of each image.
    pub labels: Vec<usize>,
}

/// Something that a classifier predicts: the class, or one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `class`, or the attribute's name.
    pub name: String,
    /// Names of the answers: the classes, or the attribute's absence and presence.
    pub answers: Vec<String>,
}

impl ImageClassifier {
    /// The classifier of a checkpoint.
    ///
    /// # Errors
    /// If the checkpoint is of another family, or its tensors are not whole.
    pub fn new(checkpoint: &Checkpoint, device: &Device) -> Result<Self, TrainError> {
        let config = &checkpoint.header.config;
        let Some(classifier) = &config.classifier else {
            return Err(TrainError::Config(format!(
                "a run of {:?} is no classifier; train digit-classifier or face-classifier",
                config.preset
            )));
        };
        let (image, target) = (checkpoint.image()?, classifier.target.clone());
        let store = checkpoint.store(Network::Classifier.name(), device);
        let outputs = target.names().len();
        let network = Classifier::new(classifier.width, outputs, image, store.frozen())?;
        Ok(Self { network, target, image, device: device.clone() })
    }

    /// What it tells images apart by.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// `images`: `(N, C, H, W)` in [−1, 1] → logits `(N, K)` in the order of [`Target::names`].
    ///
    /// # Errors
    /// If the images are not of its size.
    fn logits(&self, images: &Tensor) -> Result<Tensor, TrainError> {
        Ok(self.network.logits(&self.seen(images)?, false)?)
    }

    /// `images`: `(N, C, H, W)` in [−1, 1] → log-odds `(N, K)` on the CPU in the order of [`Target::names`]: ln(p / (1 − p))
    /// of the attribute or class. Unlike probabilities they tell apart what is nearly certain.
    ///
    /// # Errors
    /// If the images are not of its size.
    pub fn log_odds(&self, images: &Tensor) -> Result<Tensor, TrainError> {
        let logits = self.logits(images)?.to_device(&Device::Cpu)?;
        let Target::Classes(_) = self.target else { return Ok(logits) };
        let rows: Vec<Vec<f32>> =
            logits.to_vec2::<f32>()?.iter().map(|row| against_all(row)).collect();
        Ok(Tensor::new(rows, &Device::Cpu)?)
    }

    /// `images`: `(N, C, H, W)` in [−1, 1] → what its last layer reads, `(N, 128)`, 0 or more;
    /// differentiable in the images, its own weights are frozen.
    ///
    /// # Errors
    /// If the images are not of its size.
    pub fn features(&self, images: &Tensor) -> Result<Tensor, TrainError> {
        Ok(self.network.features(&self.seen(images)?, false)?)
    }

    /// Images as the network reads them, which must be of its size.
    fn seen(&self, images: &Tensor) -> Result<FeatureMaps, TrainError> {
        check_shape("the classifier", self.image, images)?;
        Ok(FeatureMaps::from_tensor(&images.to_device(&self.device)?)?)
    }

    /// Size of its images.
    pub fn image(&self) -> ImageShape {
        self.image
    }

    /// Predictions for the images of a split beside their labels, for each of [`Self::questions`]. `progress` is told how
    /// many images are done.
    ///
    /// # Errors
    /// If the data does not have what it predicts, or images of another size.
    pub fn evaluate(
        &self,
        data: &Dataset,
        split: Split,
        progress: impl Fn(usize),
    ) -> Result<Vec<Evaluated>, TrainError> {
        let truth = Truth::new(&self.target, data)?;
        let predictions = self.predict_all(batches::of_split(data, split), progress)?;
        let labels = truth.of(data, split, &(0..data.len(split)).collect::<Vec<_>>())?;
        let labels = match &self.target {
            Target::Classes(_) => vec![whole_numbers(&labels)?],
            Target::Attributes(_) => columns(&labels)?,
        };
        let evaluated =
            |((question, predictions), labels)| Evaluated { question, predictions, labels };
        Ok(self.questions().into_iter().zip(predictions).zip(labels).map(evaluated).collect())
    }

    /// [`Self::predict`] of one batch after the other. `progress` is told how many images are done.
    ///
    /// # Errors
    /// Those of the batches, and if the images are not of its size.
    pub fn predict_all<E: From<TrainError>>(
        &self,
        batches: impl Iterator<Item = Result<Tensor, E>>,
        progress: impl Fn(usize),
    ) -> Result<Vec<Vec<usize>>, E> {
        let mut all = vec![Vec::new(); self.questions().len()];
        for images in batches {
            for (all, predictions) in all.iter_mut().zip(self.predict(&images?)?) {
                all.extend(predictions);
            }
            progress(all.first().map_or(0, Vec::len));
        }
        Ok(all)
    }

    /// `images`: `(N, C, H, W)` in [−1, 1] → for each of [`Self::questions`] N predictions: the class with the largest
    /// logit, an attribute's presence where its logit is above 0.
    ///
    /// # Errors
    /// If the images are not of its size.
    pub fn predict(&self, images: &Tensor) -> Result<Vec<Vec<usize>>, TrainError> {
        let logits = self.logits(images)?;
        match &self.target {
            Target::Classes(_) => Ok(vec![whole_numbers(&logits.argmax(D::Minus1)?)?]),
            Target::Attributes(_) => columns(&logits.gt(0.0)?),
        }
    }

    /// What it predicts, in the order of its logits.
    pub fn questions(&self) -> Vec<Question> {
        match &self.target {
            Target::Classes(names) => {
                vec![Question { name: "class".into(), answers: names.clone() }]
            }
            Target::Attributes(names) => {
                let question = |name: &String| Question {
                    name: name.clone(),
                    answers: vec![format!("no {name}"), name.clone()],
                };
                names.iter().map(question).collect()
            }
        }
    }
}

/// The log-odds of each class of a softmax: its logit less the logarithm of the sum of all others' exponentials.
fn against_all(logits: &[f32]) -> Vec<f32> {
    let of_class = |k: usize| {
        let others =
            || logits.iter().enumerate().filter(|(j, _)| *j != k).map(|(_, l)| f64::from(*l));
        let largest = others().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = others().map(|l| (l - largest).exp()).sum();
        (f64::from(logits[k]) - largest - sum.ln()) as f32
    };
    (0..logits.len()).map(of_class).collect()
}

/// The columns of `(N, A)`, as whole numbers.
fn columns(values: &Tensor) -> Result<Vec<Vec<usize>>, TrainError> {
    let column = |a| whole_numbers(&values.narrow(1, a, 1)?.flatten_all()?);
    (0..values.dim(1)?).map(column).collect()
}

fn whole_numbers(tensor: &Tensor) -> Result<Vec<usize>, TrainError> {
    let values = tensor.to_dtype(candle_core::DType::U32)?.to_vec1::<u32>()?;
    Ok(values.into_iter().map(|value| value as usize).collect())
}

#[cfg(test)]
mod tests {
    use super::against_all;

    /// ln(p / (1 − p)) of a softmax, and still finite where 1 − p is 0 in f32.
    #[test]
    fn log_odds_are_those_of_the_softmax() {
        let logits = [1.0f32, -2.0, 0.5];
        let sum: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
        for (logit, got) in logits.iter().zip(against_all(&logits)) {
            let p = f64::from(*logit).exp() / sum;
            assert!((f64::from(got) - (p / (1.0 - p)).ln()).abs() < 1e-6);
        }
        assert_eq!(against_all(&[900.0, 0.0]), [900.0, -900.0]);
    }
}
