//! A classifier: how often it is right on the test split, and what it takes for what.

use std::path::PathBuf;

use gan_core::grid::Grid;
use gan_core::{file, image, text};
use gan_data::Split;
use gan_eval::{Agreement, agreement};
use gan_train::classify::{Evaluated, ImageClassifier};
use serde::Serialize;

use super::Subject;
use crate::cmd::tables;

/// Images of the test split that are shown with a wrong answer.
const MISTAKES: usize = 64;

/// `classifier.json`.
#[derive(Serialize)]
struct Report {
    split: Split,
    /// Mean accuracy over the questions.
    accuracy: f64,
    /// Mean balanced accuracy: one over the number of answers for what always gives the commonest.
    balanced_accuracy: f64,
    questions: Vec<Measured>,
    /// Images of `mistakes.png`, by their place in the split.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mistakes: Vec<usize>,
}

/// One thing that is predicted.
#[derive(Serialize)]
struct Measured {
    name: String,
    answers: Vec<String>,
    #[serde(flatten)]
    found: Agreement,
}

pub(super) fn write(subject: &Subject<'_>) -> anyhow::Result<Vec<PathBuf>> {
    let &Subject { folder, checkpoint, data, device, console } = subject;
    let split = Split::Test;
    if data.len(split) == 0 {
        tracing::info!("the data has no test split to measure the classifier on");
        return Ok(Vec::new());
    }
    let classifier = ImageClassifier::new(checkpoint, device)?;
    let all = {
        let line = console.progress("classifying", data.len(split) as u64);
        classifier.evaluate(data, split, |done| line.set(done as u64, ""))?
    };
    let questions = all.iter().map(question).collect::<anyhow::Result<Vec<_>>>()?;
    let accuracy =
        questions.iter().map(|q| q.found.accuracy).sum::<f64>() / questions.len().max(1) as f64;
    let balanced = questions.iter().map(|q| q.found.balanced_accuracy).sum::<f64>()
        / questions.len().max(1) as f64;
    let what = match questions.len() {
        1 => questions[0].name.clone(),
        n => format!("{n} attributes"),
    };
    let n = tables::thousands(data.len(split) as u64);
    tracing::info!(
        "{n} {split} images, {what}: accuracy {:.2} %, balanced {:.2} %",
        accuracy * 100.0,
        balanced * 100.0
    );
    let mut written = Vec::new();
    let mut mistakes = Vec::new();
    if let [Evaluated { question, predictions, labels }] = &all[..] {
        let wrong = |&i: &usize| predictions[i] != labels[i];
        mistakes = (0..labels.len()).filter(wrong).take(MISTAKES).collect();
        if !mistakes.is_empty() {
            let images = image::from_tensor(&image::normalize(&data.samples(split, &mistakes)?)?)?;
            let path = folder.join("mistakes.png");
            let grid = Grid::for_images(images.len(), images[0].width());
            let answers = mistakes.iter().map(|&i| [labels[i], predictions[i]]);
            let answers = answers.map(|both| both.map(|answer| question.answers[answer].as_str()));
            let captions = captions(&answers.collect::<Vec<_>>(), images[0].width() * grid.scale);
            grid.with_captions(captions).render(&images)?.write_png(&path)?;
            written.push(path);
        }
    }
    let path = folder.join("classifier.json");
    file::write_json(
        &path,
        &Report { split, accuracy, balanced_accuracy: balanced, questions, mistakes },
    )?;
    written.push(path);
    Ok(written)
}

/// What each image is and what it was taken for, on one line where all fit into `width` pixels, else on two.
fn captions(answers: &[[&str; 2]], width: usize) -> Vec<String> {
    let written = |between: &str| -> Vec<String> {
        answers.iter().map(|[right, told]| format!("{right}{between}as {told}")).collect()
    };
    let on_one_line = written(" ");
    match on_one_line.iter().all(|caption| text::width(caption) <= width) {
        true => on_one_line,
        false => written("\n"),
    }
}

fn question(evaluated: &Evaluated) -> anyhow::Result<Measured> {
    let Evaluated { question, predictions, labels } = evaluated;
    Ok(Measured {
        name: question.name.clone(),
        found: agreement(labels, predictions, question.answers.len())?,
        answers: question.answers.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_take_two_lines_where_one_is_too_short() {
        assert_eq!(captions(&[["4", "9"], ["7", "1"]], 56), ["4 as 9", "7 as 1"]);
        let long = [["cat", "dog"], ["automobile", "airplane"]];
        assert_eq!(captions(&long, 64), ["cat\nas dog", "automobile\nas airplane"]);
    }
}
