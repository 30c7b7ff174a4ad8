//! What a classifier predicts of samples, beside what their latents ask for.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use gan_core::{ImageShape, RunDir, image};
use gan_data::Manifest;
use gan_eval::{Agreement, Modes, agreement, count_modes};
use gan_latent::Samples;
use gan_models::{Distribution, LatentBatch};
use gan_train::batches::BATCH;
use gan_train::classify::{ImageClassifier, Question};
use gan_train::config::Target;
use gan_train::{Checkpoint, Config};
use serde::Serialize;

use crate::cmd::tables;
use crate::judge::looks_elsewhere;

/// Digits, of which stacked MNIST's numbers have three.
const DIGITS: usize = 10;

/// A classifier for the samples of one run.
pub(crate) struct Scorer {
    run: PathBuf,
    classifier: ImageClassifier,
    /// Whether it looks at the channels of stacked digits one by one.
    stacked: bool,
    /// Names of the classes that the generator was trained on.
    classes: Vec<String>,
    /// Latent parts that say what an image is to show.
    conditions: Vec<String>,
}

/// What a classifier predicts of some samples.
#[derive(Debug, Serialize)]
pub(crate) struct Scores {
    /// The classifier's run.
    classifier: PathBuf,
    /// Number of samples.
    samples: usize,
    questions: Vec<Scored>,
    /// The numbers that stacked digits make.
    #[serde(skip_serializing_if = "Option::is_none")]
    modes: Option<Modes>,
}

/// The answers to one question.
#[derive(Debug, Serialize)]
struct Scored {
    name: String,
    answers: Vec<String>,
    /// The answer for each sample, by its place in `answers`.
    predictions: Vec<usize>,
    /// How many got each answer.
    counts: Vec<usize>,
    /// Share of the commonest answer.
    commonest: f64,
    /// How many answers, all alike, would be as uncertain: exp of the entropy, from 1 to their number.
    effective_answers: f64,
    /// Where the latents ask for an answer: whether it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<Agreement>,
}

impl Scorer {
    /// The classifier in `run` for the samples of `generator`, a run whose checkpoint is `checkpoint`.
    ///
    /// # Errors
    /// If it is none, or looks at other images.
    pub(crate) fn open(
        run: &Path,
        generator: &RunDir,
        checkpoint: &Checkpoint,
        device: &Device,
    ) -> anyhow::Result<Self> {
        let own = RunDir::open(run)?;
        let classifier = ImageClassifier::new(&Checkpoint::latest(&own, device)?.1, device)?;
        let data: Manifest = serde_json::from_slice(&fs_err::read(generator.data())?)?;
        let (image, expected) = (checkpoint.image()?, classifier.image());
        let digits = matches!(classifier.target(), Target::Classes(names) if names.len() == DIGITS);
        let stacked = data.source.kind == "stacked-mnist"
            && digits
            && expected == ImageShape { channels: 1, ..image };
        if image != expected && !stacked {
            return Err(looks_elsewhere(&own, expected, generator, image).into());
        }
        Ok(Self {
            run: run.into(),
            classifier,
            stacked,
            classes: data.classes,
            conditions: conditions(&checkpoint.header.config),
        })
    }

    /// Lets it look at samples.
    pub(crate) fn score(&self, samples: &Samples, device: &Device) -> anyhow::Result<Scores> {
        let (questions, modes) = if self.stacked {
            let (questions, modes) = self.stacked(samples, device)?;
            (questions, Some(modes))
        } else {
            (self.questions(samples, device)?, None)
        };
        let n = samples.images.len();
        Ok(Scores { classifier: self.run.clone(), samples: n, questions, modes })
    }

    /// Every question with its answers, beside what the latents ask for.
    fn questions(&self, samples: &Samples, device: &Device) -> anyhow::Result<Vec<Scored>> {
        let all = self.predict(samples, device, |images| Ok(images.clone()))?;
        let scored = |(question, predictions): (Question, Vec<usize>)| {
            let asked = self.asked(&samples.latents, &question)?;
            let n = question.answers.len();
            let asked = asked.map(|asked| agreement(&asked, &predictions, n)).transpose()?;
            anyhow::Ok(Scored { asked, ..Scored::new(question, predictions) })
        };
        self.classifier.questions().into_iter().zip(all).map(scored).collect()
    }

    /// The digit of each channel, and the numbers that they make, the first channel's digit the highest.
    fn stacked(&self, samples: &Samples, device: &Device) -> anyhow::Result<(Vec<Scored>, Modes)> {
        let mut digits = Vec::new();
        for channel in 0..3 {
            let one = |images: &Tensor| images.narrow(1, channel, 1)?.contiguous();
            digits.extend(self.predict(samples, device, one)?);
        }
        let number = |i: usize| Some(digits.iter().fold(0, |n, digits| n * DIGITS + digits[i]));
        let numbers: Vec<Option<usize>> = (0..samples.images.len()).map(number).collect();
        let modes = count_modes(&numbers, DIGITS.pow(3))?;
        let questions = self.classifier.questions().into_iter().cycle();
        let scored = |(channel, (question, digits)): (usize, (Question, Vec<usize>))| {
            let name = format!("{} of channel {channel}", question.name);
            Scored::new(Question { name, ..question }, digits)
        };
        Ok((questions.zip(digits).enumerate().map(scored).collect(), modes))
    }

    /// Predictions for what `view` shows of the samples' images, for each question.
    fn predict(
        &self,
        samples: &Samples,
        device: &Device,
        view: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
    ) -> anyhow::Result<Vec<Vec<usize>>> {
        let batches = samples.images.chunks(BATCH).map(|images| {
            let images = image::normalize(&image::to_tensor(images, device)?)?;
            anyhow::Ok(view(&images)?)
        });
        self.classifier.predict_all(batches, |_| ())
    }

    /// The answers that latents ask for: those of the attribute or choice of the question's name, or of the class where
    /// the classifier knows the same classes.
    fn asked(
        &self,
        latents: &LatentBatch,
        question: &Question,
    ) -> candle_core::Result<Option<Vec<usize>>> {
        let Question { name, answers } = question;
        let known = |part: &&gan_models::Part| self.conditions.contains(&part.name);
        for part in latents.latent().parts().iter().filter(known) {
            let column = match &part.distribution {
                Distribution::Attributes { names, .. } => names.iter().position(|n| n == name),
                Distribution::Categorical { classes: 2, count: 1 } if part.name == *name => Some(0),
                Distribution::Categorical { count: 1, .. } if self.classes == *answers => Some(0),
                _ => None,
            };
            if let (Some(column), Some(values)) = (column, latents.part(&part.name)) {
                let values = values.narrow(1, column, 1)?.flatten_all()?.to_vec1::<f32>()?;
                return Ok(Some(values.into_iter().map(|value| value as usize).collect()));
            }
        }
        Ok(None)
    }
}

/// The latent parts that a conditional GAN or an ACGAN learned from the data. What a code of an InfoGAN means, nobody
/// asked for.
fn conditions(config: &Config) -> Vec<String> {
    let model = config.model.iter();
    model.flat_map(|model| [&model.condition, &model.auxiliary]).flatten().cloned().collect()
}

impl Scored {
    fn new(question: Question, predictions: Vec<usize>) -> Self {
        let Question { name, answers } = question;
        let mut counts = vec![0; answers.len()];
        predictions.iter().for_each(|&answer| counts[answer] += 1);
        let n = predictions.len().max(1) as f64;
        let shares: Vec<f64> = counts.iter().map(|&count| count as f64 / n).collect();
        let entropy: f64 =
            shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum();
        Self {
            name,
            answers,
            predictions,
            counts,
            commonest: shares.iter().copied().fold(0.0, f64::max),
            effective_answers: entropy.exp(),
            asked: None,
        }
    }
}

impl Scores {
    /// Modes where they were counted, else a table of what was asked for, or where nothing was, of how often each answer was given.
    pub(crate) fn table(&self) -> String {
        if let Some(Modes { covered, modes, kl_to_uniform, .. }) = self.modes {
            return format!(
                "{covered} of {modes} modes covered by {} samples, {kl_to_uniform:.2} nats from all alike",
                self.samples
            );
        }
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let asked: Vec<Vec<String>> = self
            .questions
            .iter()
            .filter_map(|question| {
                let found = question.asked.as_ref()?;
                Some(vec![
                    question.name.clone(),
                    percent(found.accuracy),
                    percent(found.balanced_accuracy),
                ])
            })
            .collect();
        if !asked.is_empty() {
            return tables::table(&["asked for", "agrees", "balanced"], &[1, 2], asked);
        }
        let rows = self.questions.iter().flat_map(|question| {
            let only_last = question.answers.len() == 2; // the attribute itself
            let answers = question.answers.iter().zip(&question.counts);
            answers.skip(usize::from(only_last)).map(|(answer, &count)| {
                vec![answer.clone(), percent(count as f64 / self.samples as f64)]
            })
        });
        tables::table(&["told", "of the samples"], &[1], rows.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_kind() {
        let scored = |predictions: &[usize]| {
            let answers = ["a", "b", "c", "d"].map(String::from).to_vec();
            Scored::new(Question { name: "class".into(), answers }, predictions.to_vec())
        };
        let even = scored(&[0, 1, 2, 3, 3, 2, 1, 0]);
        assert_eq!((even.commonest, even.counts.as_slice()), (0.25, &[2, 2, 2, 2][..]));
        assert!((even.effective_answers - 4.0).abs() < 1e-12);
        let one = scored(&[2, 2, 2]);
        assert_eq!((one.commonest, one.effective_answers), (1.0, 1.0));
    }
}
