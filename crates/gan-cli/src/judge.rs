//! A classifier that tells what latents show.

use std::path::{Path, PathBuf};

use candle_core::Tensor;
use gan_core::{ImageShape, RunDir, names};
use gan_data::Manifest;
use gan_latent::judged;
use gan_models::LatentBatch;
use gan_train::Checkpoint;
use gan_train::classify::ImageClassifier;
use gan_train::config::Target;

use crate::args::UsageError;
use crate::console::Console;
use crate::explored::Explored;

/// A classifier for the images of one generator.
pub(crate) struct Judge {
    /// The classifier's run.
    pub(crate) run: PathBuf,
    /// The attributes or classes that it knows.
    pub(crate) names: Vec<String>,
    /// Whether these are classes, of which an image has one, and not attributes.
    pub(crate) of_classes: bool,
    classifier: ImageClassifier,
}

impl Judge {
    /// The classifier in `run` for what `explored` makes.
    ///
    /// # Errors
    /// If it is none, or looks at other images.
    pub(crate) fn open(run: &Path, explored: &Explored) -> anyhow::Result<Self> {
        let own = RunDir::open(run)?;
        let classifier = classifier_for(&own, explored)?;
        // Images of another source can be what a person wants judged, so that it is said and not refused.
        if let (Some(learned), Some(made)) = (source_kind(&own), source_kind(&explored.run))
            && learned != made
        {
            tracing::warn!(
                "the classifier {} learned from {learned} data, {} from {made}: its answers may mean nothing here",
                run.display(),
                explored.run.root().display()
            );
        }
        let names = classifier.target().names().to_vec();
        let of_classes = matches!(classifier.target(), Target::Classes(_));
        Ok(Self { run: run.into(), names, of_classes, classifier })
    }

    /// Where an attribute or class stands among its answers; `option` is what named it.
    ///
    /// # Errors
    /// If it knows none of that name; the nearest is named.
    pub(crate) fn place(&self, option: &str, name: &str) -> Result<usize, UsageError> {
        if let Some(place) = self.names.iter().position(|known| known == name) {
            return Ok(place);
        }
        let known = self.names.iter().map(String::as_str);
        let nearest = names::nearest(known, name).filter(|(_, likeness)| *likeness > 0.7);
        let hint = match nearest {
            Some((nearest, _)) => format!("did you mean {nearest}?"),
            None => format!("it knows {}", self.names.join(", ")),
        };
        let run = self.run.display();
        Err(UsageError(format!("{option}: the classifier {run} knows no {name:?}; {hint}")))
    }

    /// The most probable of its classes.
    pub(crate) fn class(&self, log_odds: &[f32]) -> &str {
        judged::strongest(log_odds, 1).first().map_or("", |k| &self.names[*k])
    }

    /// The log-odds of its answers for the image of each latent.
    pub(crate) fn of(
        &self,
        explored: &Explored,
        latents: &LatentBatch,
        what: &str,
        console: &Console,
    ) -> anyhow::Result<Vec<Vec<f32>>> {
        let line = console.progress(what, latents.len() as u64);
        let shown = |done: usize| line.set(done as u64, "");
        judged::judge(&explored.generator, latents, |images| self.look(images), shown)
    }

    /// The log-odds of its answers for images `(N, C, H, W)` in [−1, 1].
    pub(crate) fn look(&self, images: &Tensor) -> anyhow::Result<Tensor> {
        Ok(self.classifier.log_odds(images)?)
    }
}

/// The classifier in `run` for what `explored` makes.
///
/// # Errors
/// If it is none, or looks at other images.
pub(crate) fn classifier_for(run: &RunDir, explored: &Explored) -> anyhow::Result<ImageClassifier> {
    let (_, checkpoint) = Checkpoint::latest(run, &explored.device)?;
    let classifier = ImageClassifier::new(&checkpoint, &explored.device)?;
    let (made, seen) = (explored.checkpoint.image()?, classifier.image());
    if made != seen {
        return Err(looks_elsewhere(run, seen, &explored.run, made).into());
    }
    Ok(classifier)
}

/// A classifier of other images than a generator makes.
pub(crate) fn looks_elsewhere(
    classifier: &RunDir,
    seen: ImageShape,
    generator: &RunDir,
    made: ImageShape,
) -> UsageError {
    UsageError(format!(
        "the classifier {} looks at {seen} images, {} makes {made}; train one on the data of the generator",
        classifier.root().display(),
        generator.root().display()
    ))
}

/// Kind of the source that a run's data came from, where the run says.
fn source_kind(run: &RunDir) -> Option<String> {
    let manifest: Manifest = serde_json::from_slice(&fs_err::read(run.data()).ok()?).ok()?;
    Some(manifest.source.kind)
}
