//! What a direction is named after moves along it, in images of a generator trained on synthetic faces, of which the true
//! factors are known.

mod common;

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use gan_core::{Image, RunDir, image};
use gan_data::synthetic::faces::{self, ATTRIBUTES};
use gan_latent::judged::{changes, judge};
use gan_latent::{Samples, Space, arithmetic, sample, vector};
use gan_models::{Generator, LatentBatch};
use gan_train::classify::ImageClassifier;
use gan_train::{Checkpoint, Weights};

use common::succeeds;

const SIZE: usize = 32;
/// Attributes that a small generator learns.
const NAMED: [&str; 2] = ["Black_Hair", "Male"];
/// Standard deviations to either side.
const REACH: f64 = 2.0;
/// Faces of a set that nothing was trained on.
const UNSEEN: (u64, u64) = (77, 600);

fn checkpoint(run: &Path) -> Checkpoint {
    let run = RunDir::open(run).expect("a run");
    Checkpoint::latest(&run, &Device::Cpu).expect("a checkpoint").1
}

/// A small variational autoencoder and a small classifier of the same faces.
fn train(folder: &Path) {
    let data = format!("--data synthetic-faces --set data.size={SIZE} --set data.limit=1000");
    let vae =
        "--set autoencoder.width=8 --set latent.z.size=16 --set autoencoder.prior.kl.weight=0.2";
    succeeds(folder, &format!("train vae {data} {vae} --batch-size 32 --steps 300 --out vae"));
    let classifier = "--set classifier.width=8 --batch-size 32 --steps 200 --out judge";
    succeeds(folder, &format!("train face-classifier {data} {classifier}"));
}

/// The true pictures of the unseen faces `(N, 3, S, S)` in [−1, 1], and for each whether it has the attribute `place`.
fn unseen(place: usize) -> (Tensor, Vec<bool>) {
    let drawn = (0..UNSEEN.1).map(|i| faces::draw(UNSEEN.0, i, SIZE));
    let (pictures, attributes): (Vec<_>, Vec<_>) = drawn.unzip();
    let has = attributes.iter().map(|attributes| attributes[place] == 1).collect();
    (pixels(&pictures), has)
}

/// Pictures as `(N, 3, S, S)` in [−1, 1].
fn pixels(pictures: &[Image]) -> Tensor {
    let pixels = image::to_tensor(pictures, &Device::Cpu).expect("of one size");
    image::normalize(&pixels).expect("pixels")
}

/// Mean over both kinds of the share of which the log-odds say the truth.
fn balanced_accuracy(log_odds: &[f32], has: &[bool]) -> f64 {
    let right = |kind: bool| {
        let own = || log_odds.iter().zip(has).filter(|(_, has)| **has == kind);
        own().filter(|(odds, _)| (**odds > 0.0) == kind).count() as f64 / own().count() as f64
    };
    (right(true) + right(false)) / 2.0
}

fn column(log_odds: &Tensor, place: usize) -> Vec<f32> {
    log_odds.narrow(1, place, 1).and_then(|c| c.flatten_all()?.to_vec1()).expect("an answer")
}

/// Mean of images, pixel by pixel.
fn mean(images: &Tensor) -> Vec<f64> {
    let mean =
        images.mean(0).and_then(|mean| mean.flatten_all()?.to_vec1::<f32>()).expect("images");
    mean.into_iter().map(f64::from).collect()
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    product / (vector::length(a) * vector::length(b))
}

/// How the true pictures with an attribute differ from those without, on average.
fn true_difference(pictures: &Tensor, has: &[bool]) -> Vec<f64> {
    let of = |kind: bool| {
        let own = (0..has.len()).filter(|i| has[*i] == kind).map(|i| i as u32);
        let own = Tensor::new(own.collect::<Vec<_>>(), &Device::Cpu).expect("indices");
        mean(&pictures.index_select(&own, 0).expect("pictures"))
    };
    of(true).iter().zip(&of(false)).map(|(with, without)| with - without).collect()
}

/// From one end of a direction to the other, on average over some latents.
struct Change {
    /// Of the probability of each answer of the classifier.
    answers: Vec<f64>,
    /// Of each pixel.
    pixels: Vec<f64>,
}

/// What was trained, and latents of another seed than those that boundaries are fitted to.
struct Trained {
    generator: Generator,
    classifier: ImageClassifier,
    space: Space,
    latents: LatentBatch,
}

impl Trained {
    fn open(folder: &Path) -> Self {
        let cpu = Device::Cpu;
        let made = checkpoint(&folder.join("vae"));
        let latent = &made.header.config.latent;
        let classifier = ImageClassifier::new(&checkpoint(&folder.join("judge")), &cpu);
        Self {
            generator: made.generator_of(Weights::Average, &cpu).expect("a generator"),
            classifier: classifier.expect("a classifier"),
            space: Space::of(latent).expect("it is normal"),
            latents: sample::seeded(latent, 100, 5, None, &cpu).expect("latents"),
        }
    }

    fn along(&self, direction: &[f64]) -> Change {
        let end = |amount: f64| {
            let latents = self.space.shifted(&self.latents, direction, amount).expect("it fits");
            let look = |images: &Tensor| Ok::<_, anyhow::Error>(self.classifier.log_odds(images)?);
            let judged = judge(&self.generator, &latents, look, |_| ()).expect("images");
            let made = Samples::generate(&self.generator, latents, |_| ()).expect("images");
            (judged, mean(&pixels(&made.images)))
        };
        let ((judged, images), (judged_after, images_after)) = (end(-REACH), end(REACH));
        let moved = changes(self.classifier.target().names(), &judged, &judged_after);
        let pixels = images_after.iter().zip(&images).map(|(after, before)| after - before);
        Change {
            answers: moved.iter().map(|change| change.mean_change).collect(),
            pixels: pixels.collect(),
        }
    }
}

/// Asserts what moves along the direction of the attribute `name`, beside those of other attributes and random ones.
fn check(trained: &Trained, name: &str, own: &Change, others: &[&Change], random: &[Change]) {
    // What the classifier says is what the painter painted.
    let place = ATTRIBUTES.iter().position(|known| *known == name).expect("an attribute");
    let (pictures, has) = unseen(place);
    let answer = trained.classifier.target().names().iter().position(|known| known == name);
    let answer = answer.expect("it learned all attributes");
    let log_odds = trained.classifier.log_odds(&pictures).expect("pictures of its size");
    let accuracy = balanced_accuracy(&column(&log_odds, answer), &has);
    assert!(accuracy > 0.85, "{name}: {accuracy}");

    let rise = own.answers[answer];
    let by_chance: Vec<f64> = random.iter().map(|change| change.answers[answer].abs()).collect();
    assert!(rise > 0.3, "{name} rises by {rise}");
    assert!(by_chance.iter().all(|by_chance| *by_chance < rise), "{name}: {rise}, {by_chance:?}");
    assert!(average(&by_chance) < rise / 2.0, "{name}: {rise}, by chance {by_chance:?}");
    for other in others {
        assert!(other.answers[answer] < rise / 2.0, "{name}: {rise}, {}", other.answers[answer]);
    }

    // Pixels change as those of true pictures do, in which no classifier has a part.
    let truth = true_difference(&pictures, &has);
    let alike = cosine(&own.pixels, &truth);
    let by_chance: Vec<f64> =
        random.iter().map(|change| cosine(&change.pixels, &truth).abs()).collect();
    assert!(alike > 0.3 && alike > 1.25 * average(&by_chance), "{name}: {alike}, {by_chance:?}");
}

#[test]
fn directions_move_what_they_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    train(folder);
    let line = format!("directions vae --method attribute --attributes {}", NAMED.join(","));
    let of = "--classifier judge --samples 1000 --judged 50 --out found.png";
    succeeds(folder, &format!("{line} --reach {REACH} {of}"));
    let path = folder.join("found.safetensors");
    let found = candle_core::safetensors::load(path, &Device::Cpu).expect("directions");
    let found = found["z"].to_dtype(DType::F64).and_then(|z| z.to_vec2::<f64>()).expect("rows");
    assert_eq!(found.len(), NAMED.len());

    let trained = Trained::open(folder);
    let random: Vec<Change> = (0..8)
        .map(|seed| trained.along(&arithmetic::random_direction(&trained.space, 1.0, seed)))
        .collect();
    let lengths = found.iter().map(|direction| vector::length(direction));
    assert!(lengths.into_iter().all(|length| (length - 1.0).abs() < 1e-6), "as the random ones");
    let named: Vec<Change> = found.iter().map(|direction| trained.along(direction)).collect();
    for (i, name) in NAMED.iter().enumerate() {
        let others: Vec<&Change> =
            (0..named.len()).filter(|j| *j != i).map(|j| &named[j]).collect();
        check(&trained, name, &named[i], &others, &random);
    }

    // The arithmetic of the same attribute, against its own random change.
    let line =
        "--json arithmetic vae --attribute Black_Hair --classifier judge --samples 400 --group 20";
    let found: serde_json::Value =
        serde_json::from_str(&succeeds(folder, line)).expect("one JSON object");
    let asked = &found["found"]["score"]["asked"];
    let share = |of: &str| asked[of].as_f64().expect("a share");
    assert!(share("after") > share("before") + 0.4, "{asked}");
    assert!(share("after") > share("control") + 0.3, "{asked}");
}
