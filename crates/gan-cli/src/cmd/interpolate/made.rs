//! The images of an interpolation, and what a classifier says of them.

use candle_core::Tensor;
use gan_core::{Image, image};
use gan_latent::sample;
use gan_train::batches::BATCH;

use crate::console::Console;
use crate::explored::Explored;
use crate::judge::Judge;

/// Images, their pixels and their answers, in one order.
pub(super) struct Made {
    pub(super) images: Vec<Image>,
    /// In [−1, 1].
    pub(super) pixels: Vec<Vec<f32>>,
    /// Log-odds of the classifier's answers, if there is one.
    pub(super) judged: Option<Vec<Vec<f32>>>,
}

impl Made {
    /// What the generator makes of `(N, encoded_size)`.
    pub(super) fn of(
        explored: &Explored,
        encoded: &Tensor,
        judge: Option<&Judge>,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let line = console.progress("interpolating", encoded.dim(0)? as u64);
        let mut made = Self::none(judge);
        sample::in_batches(&explored.generator, encoded, |images| {
            made.add(images, judge)?;
            line.set(made.images.len() as u64, "");
            Ok::<_, anyhow::Error>(())
        })?;
        Ok(made)
    }

    /// Pictures `(N, C, H, W)` in [−1, 1] as they are.
    pub(super) fn given(pictures: &Tensor, judge: Option<&Judge>) -> anyhow::Result<Self> {
        let mut given = Self::none(judge);
        let n = pictures.dim(0)?;
        for from in (0..n).step_by(BATCH) {
            given.add(&pictures.narrow(0, from, BATCH.min(n - from))?, judge)?;
        }
        Ok(given)
    }

    fn none(judge: Option<&Judge>) -> Self {
        Self { images: Vec::new(), pixels: Vec::new(), judged: judge.map(|_| Vec::new()) }
    }

    fn add(&mut self, images: &Tensor, judge: Option<&Judge>) -> anyhow::Result<()> {
        self.images.extend(image::from_tensor(images)?);
        self.pixels.extend(images.flatten_from(1)?.to_vec2::<f32>()?);
        if let (Some(judged), Some(judge)) = (&mut self.judged, judge) {
            judged.extend(judge.look(images)?.to_vec2::<f32>()?);
        }
        Ok(())
    }
}
