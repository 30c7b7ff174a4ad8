//! What was lost of pictures that went through an encoder, or were inverted.

use candle_core::{Device, Tensor};
use gan_core::quality;
use gan_latent::interpolate::Path;
use serde::Serialize;

use super::made::Made;
use super::points::Points;
use crate::judge::Judge;

/// A picture beside what came back of it.
#[derive(Serialize)]
pub(super) struct Lost {
    picture: String,
    /// Mean squared error on the scale [−1, 1].
    mse: f64,
    /// The classes that are seen in the picture and in what came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<[String; 2]>,
}

impl Lost {
    /// Of each point's picture; the image of a point is the first in which it weighs all.
    pub(super) fn of(
        points: &Points,
        pictures: &Tensor,
        given: &Made,
        (path, made): (&Path, &Made),
        judge: Option<&Judge>,
    ) -> anyhow::Result<Vec<Self>> {
        let at = |point: usize| {
            let place = path.weights.iter().position(|weights| weights[point] >= 1.0);
            place.expect("a path has the image of each point")
        };
        let back: Vec<f32> =
            (0..points.labels.len()).flat_map(|point| made.pixels[at(point)].clone()).collect();
        let back = Tensor::from_vec(back, pictures.shape(), &Device::Cpu)?;
        let judge = judge.filter(|judge| judge.of_classes);
        let class =
            |made: &Made, i: usize| Some(judge?.class(made.judged.as_ref()?.get(i)?).to_string());
        let lost = |(i, mse): (usize, f64)| Self {
            picture: points.labels[i].clone(),
            mse,
            classes: class(given, i).zip(class(made, at(i))).map(|(a, b)| [a, b]),
        };
        Ok(quality::mse(&back, pictures)?.into_iter().enumerate().map(lost).collect())
    }

    /// What a person is told of all of them.
    pub(super) fn sentence(all: &[Self], by: &str) -> String {
        let n = all.len();
        let mse = all.iter().map(|lost| lost.mse).sum::<f64>() / n.max(1) as f64;
        let changed =
            all.iter().filter(|lost| lost.classes.as_ref().is_some_and(|[a, b]| a != b)).count();
        let judged = all.iter().any(|lost| lost.classes.is_some());
        let classes = match judged {
            true => format!("; {changed} of {n} pictures are seen as another class afterwards"),
            false => String::new(),
        };
        format!("{by:10} mean squared error {mse:.4} from the pictures{classes}")
    }
}
