//! Inversion: the latents whose images are nearest to given ones, by gradient descent on the latent, argmin ‖G(z) − x‖²,
//! from several starts (Creswell and Bharath 2018, <https://arxiv.org/abs/1802.05701>; Lipton and Tripathi 2017,
//! <https://arxiv.org/abs/1702.04782>).
//!
//! All starts of all images go through the generator together, and none knows of the others: a start's result is its
//! own, whatever else is in the batch. Discrete parts are relaxed for the first `RELAXED` of the iterations, then set to
//! the nearest valid values while the continuous parts go on.

mod distance;
#[cfg(test)]
mod tests;

use candle_core::{Device, Result as TensorResult, Tensor, Var};
use candle_nn::ModuleT;
use gan_core::Stream;
use gan_kernels::{Adam, AdamConfig, backward};
use gan_models::{Latent, LatentBatch};
use serde::{Deserialize, Serialize};

pub use distance::{Distance, Losses, PixelDistance, Targets};

use crate::error::LatentError;
use crate::relaxed::Relaxed;
use crate::{latents, sample};

/// Rows that go through the generator at once: whole images with all of their starts, at least one.
const ROWS: usize = 64;
/// Share of the iterations during which discrete parts are relaxed.
const RELAXED: f64 = 0.6;

/// How latents are searched for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inversion {
    /// Starts of each image, 1 or more.
    pub restarts: usize,
    /// Steps of each start.
    pub iterations: usize,
    /// The step.
    pub descent: Descent,
    /// Seed of the starts: start r is the latent that [`sample::seeded`] has at r, the same for all images.
    pub seed: u64,
}

/// A rule by which latents move along the gradient of the mean squared error. The rate falls to 0 by half a cosine, so that
/// the last steps settle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Descent {
    /// Adam with β₁ 0.9 and β₂ 0.999.
    Adam {
        /// Rate of the first step.
        rate: f64,
    },
    /// Plain gradient descent.
    Sgd {
        /// Rate of the first step.
        rate: f64,
    },
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Inverted {
    /// The best latent of each image.
    pub latents: LatentBatch,
    /// The images of these latents, `(N, C, H, W)` in [−1, 1] on the CPU.
    pub images: Tensor,
    /// For each image and start the distance before every step and at the end: `iterations + 1` values. The last one is of
    /// valid latents.
    pub curves: Vec<Vec<Vec<f32>>>,
    /// The start of each image that ended nearest.
    pub best: Vec<usize>,
}

impl Inversion {
    /// The original experiment's five restarts, and steps of Adam in which faces of 64×64 and digits settle.
    pub const USUAL: Self =
        Self { restarts: 5, iterations: 500, descent: Descent::Adam { rate: 0.1 }, seed: 0 };

    /// Five starts of 500 steps of Adam.
    pub fn usual(seed: u64) -> Self {
        Self { restarts: 5, iterations: 500, descent: Descent::Adam { rate: 0.1 }, seed }
    }

    /// Searches for latents of `targets`. `starts`: for each image the latent that the first start takes instead of a drawn
    /// one, an encoder's say. `progress` is told how many steps of how many are done.
    ///
    /// `generator` makes images `(N, C, H, W)` in [−1, 1] of `(N, encoded_size)`; it is used in evaluation mode, and its
    /// weights should be frozen (`ParamStore::frozen`), else gradients are computed for them in vain.
    ///
    /// # Errors
    /// If there are no starts, the images do not fit the generator, or no start of an image ends at a number.
    pub fn run(
        &self,
        generator: &impl ModuleT,
        latent: &Latent,
        targets: &Targets,
        distance: &dyn Distance,
        starts: Option<&LatentBatch>,
        progress: impl Fn(usize, usize),
    ) -> Result<Inverted, LatentError> {
        let wrong = |reason: &str| LatentError::Tensor(candle_core::Error::Msg(reason.into()));
        let n = targets.len();
        if self.restarts == 0 || n == 0 {
            return Err(wrong("an inversion needs an image and a start, got none"));
        }
        if starts.is_some_and(|starts| starts.len() != n) {
            return Err(wrong("an inversion needs as many given starts as images"));
        }
        let at_once = (ROWS / self.restarts).max(1);
        let chunks: Vec<(usize, usize)> =
            (0..n).step_by(at_once).map(|from| (from, at_once.min(n - from))).collect();
        let steps = chunks.len() * self.iterations;
        let mut found = Vec::with_capacity(chunks.len());
        for (i, &(from, count)) in chunks.iter().enumerate() {
            let targets = targets.narrow(from, count)?;
            let given = starts.map(|starts| starts.narrow(from, count)).transpose()?;
            let start = self.starts(latent, count, given.as_ref(), targets.images.device())?;
            let losses = distance.to(&targets.repeated(self.restarts)?)?;
            let done = |step| progress(i * self.iterations + step, steps);
            let (latents, curves) = self.descend(generator, start, losses.as_ref(), done)?;
            found.push(self.best_of(generator, &latents, curves, from)?);
        }
        join(found)
    }

    /// The starts of `n` images, image after image.
    fn starts(
        &self,
        latent: &Latent,
        n: usize,
        given: Option<&LatentBatch>,
        device: &Device,
    ) -> Result<LatentBatch, LatentError> {
        let drawn = sample::seeded(latent, self.restarts, self.seed, None, device)?;
        let mut starts = Vec::with_capacity(2 * n);
        for i in 0..n {
            match given {
                Some(given) => {
                    starts.push(given.narrow(i, 1)?);
                    starts.push(drawn.narrow(1, self.restarts - 1)?);
                }
                None => starts.push(drawn.clone()),
            }
        }
        starts.retain(|batch| !batch.is_empty());
        Ok(latents::join(&starts)?.expect("there is an image"))
    }

    /// Moves every latent of `start` down its own loss; returns valid ones, and a curve each.
    fn descend(
        &self,
        generator: &impl ModuleT,
        start: LatentBatch,
        losses: &Losses<'_>,
        done: impl Fn(usize),
    ) -> Result<(LatentBatch, Vec<Vec<f32>>), LatentError> {
        let rows = start.len();
        let mut relaxed = Relaxed::from(&start)?;
        let hold_at = match relaxed.is_mixed() {
            true => (RELAXED * self.iterations as f64) as usize,
            false => self.iterations,
        };
        let mut rule = Rule::new(self.descent, relaxed.variables())?;
        // The start's own number, not its row: a start does not depend on what else is in the batch.
        let stream = |row| Stream::indexed("invert clip", self.seed, (row % self.restarts) as u64);
        let mut streams: Vec<Stream> = (0..rows).map(stream).collect();
        let mut curves = vec![Vec::with_capacity(self.iterations + 1); rows];
        let mut note = |values: &Tensor| -> TensorResult<()> {
            let values = values.to_vec1::<f32>()?;
            curves.iter_mut().zip(values).for_each(|(curve, value)| curve.push(value));
            Ok(())
        };
        for step in 0..self.iterations {
            if step == hold_at {
                relaxed.hold_discrete()?;
            }
            let of_rows = losses(&generator.forward_t(&relaxed.encode()?, false)?)?; // [N]
            let phase = step as f64 / self.iterations as f64;
            rule.step(&of_rows.sum_all()?, 0.5 + 0.5 * (std::f64::consts::PI * phase).cos())?;
            relaxed.clip(&mut streams)?;
            note(&of_rows)?;
            done(step + 1);
        }
        let latents = relaxed.project()?;
        note(&losses(&generator.forward_t(&latents.encode()?, false)?)?.detach())?;
        Ok((latents, curves))
    }

    /// Keeps of each image the start that ended nearest; `from`: the number of the first image.
    fn best_of(
        &self,
        generator: &impl ModuleT,
        latents: &LatentBatch,
        curves: Vec<Vec<f32>>,
        from: usize,
    ) -> Result<Inverted, LatentError> {
        let mut per_image: Vec<Vec<Vec<f32>>> = Vec::new();
        for (row, curve) in curves.into_iter().enumerate() {
            match per_image.last_mut() {
                Some(starts) if row % self.restarts != 0 => starts.push(curve),
                _ => per_image.push(vec![curve]),
            }
        }
        let best_start = |(i, starts): (usize, &Vec<Vec<f32>>)| {
            // What a start that ran away is projected to is not where it was going.
            let whole = |curve: &&Vec<f32>| curve.iter().all(|value| value.is_finite());
            let ends = starts.iter().enumerate().filter(|(_, curve)| whole(curve));
            let ends = ends.filter_map(|(r, curve)| Some((r, *curve.last()?)));
            ends.min_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(r, _)| r)
                .ok_or(LatentError::Diverged { image: from + i, rate: self.descent.rate() })
        };
        let best: Vec<usize> =
            per_image.iter().enumerate().map(best_start).collect::<Result<_, _>>()?;
        let rows: Vec<usize> =
            best.iter().enumerate().map(|(i, r)| i * self.restarts + r).collect();
        let latents = latents::select(latents, &rows)?;
        let images = generator.forward_t(&latents.encode()?, false)?.detach();
        Ok(Inverted { images: images.to_device(&Device::Cpu)?, latents, curves: per_image, best })
    }
}

/// What was found of some images, then of others.
fn join(found: Vec<Inverted>) -> Result<Inverted, LatentError> {
    let latents: Vec<LatentBatch> = found.iter().map(|part| part.latents.clone()).collect();
    let images: Vec<&Tensor> = found.iter().map(|part| &part.images).collect();
    let images = Tensor::cat(&images, 0)?;
    let latents = latents::join(&latents)?.expect("there is an image");
    let (mut curves, mut best) = (Vec::new(), Vec::new());
    for part in found {
        curves.extend(part.curves);
        best.extend(part.best);
    }
    Ok(Inverted { latents, images, curves, best })
}

impl Descent {
    /// The rate of the first step.
    pub fn rate(self) -> f64 {
        match self {
            Self::Adam { rate } | Self::Sgd { rate } => rate,
        }
    }
}

/// A descent under way.
enum Rule {
    Adam(Adam, f64),
    Sgd(Vec<Var>, f64),
}

impl Rule {
    fn new(descent: Descent, variables: Vec<(String, Var)>) -> TensorResult<Self> {
        Ok(match descent {
            Descent::Adam { rate } => {
                let config =
                    AdamConfig { lr: rate, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 };
                Self::Adam(Adam::new(variables, config)?, rate)
            }
            Descent::Sgd { rate } => {
                Self::Sgd(variables.into_iter().map(|(_, var)| var).collect(), rate)
            }
        })
    }

    /// One step down `loss` with a share of the first rate. Variables without a gradient stay.
    fn step(&mut self, loss: &Tensor, share: f64) -> TensorResult<()> {
        let gradients = backward(loss)?;
        match self {
            Self::Adam(adam, rate) => {
                adam.set_learning_rate(*rate * share);
                adam.step(&gradients)
            }
            Self::Sgd(variables, rate) => {
                for var in variables {
                    if let Some(gradient) = gradients.get(var) {
                        let step = (gradient * (*rate * share))?;
                        var.set(&(var.as_detached_tensor() - step)?)?;
                    }
                }
                Ok(())
            }
        }
    }
}
