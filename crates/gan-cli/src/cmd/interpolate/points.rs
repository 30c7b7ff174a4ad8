//! The points of an interpolation: latents of seeds, of a file, or of pictures.

use candle_core::Tensor;
use gan_latent::sample;
use gan_models::LatentBatch;

use super::given::{Given, Loaded};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::explored::{Explored, Start};
use crate::words;

/// Points and what they are called.
pub(super) struct Points {
    pub(super) latents: LatentBatch,
    /// A word for each.
    pub(super) labels: Vec<String>,
    /// A word for all of them, for file names.
    pub(super) word: String,
    /// The pictures that they are the latents of.
    pub(super) pictures: Option<Found>,
}

/// Pictures whose latents were found.
pub(super) struct Found {
    /// `(N, C, H, W)` in [−1, 1] on the CPU.
    pub(super) images: Tensor,
    /// By what they were.
    pub(super) by: &'static str,
}

impl Points {
    /// Those of `--seed`, `--latents` and `--indices`: the first `usual` unless there are indices.
    pub(super) fn of_start(
        start: &Start,
        usual: usize,
        explored: &Explored,
    ) -> anyhow::Result<Self> {
        let latents = start.latents(explored.latent(), usual, None, &explored.device)?;
        let indices = match start.indices.as_slice() {
            [] => (0..latents.len()).collect(),
            given => given.to_vec(),
        };
        let labels: Vec<String> = indices.iter().map(ToString::to_string).collect();
        let source = words::source(start.latents.as_deref(), start.seed);
        let word = match start.indices.is_empty() {
            true => source,
            false => format!("{source}_{}", labels.join("-")),
        };
        Ok(Self { latents, labels, word, pictures: None })
    }

    /// The first `n` of `--seed` or `--latents`.
    pub(super) fn of_first(start: &Start, n: usize, explored: &Explored) -> anyhow::Result<Self> {
        let first = Self::of_start(start, n, explored)?;
        let there = first.labels.len();
        if there < n {
            let file = start.latents.clone().unwrap_or_default();
            let reason = format!("--points is {n}, {} has {there} latents", file.display());
            return Err(UsageError(reason).into());
        }
        Ok(Self { word: format!("{}_points-{n}", first.word), ..first })
    }

    /// The first latent of each seed.
    pub(super) fn of_seeds(seeds: &[u64], explored: &Explored) -> anyhow::Result<Self> {
        let latents = sample::first_of_seeds(explored.latent(), seeds, &explored.device)?;
        let words: Vec<String> = seeds.iter().map(ToString::to_string).collect();
        let labels = words.iter().map(|seed| format!("seed {seed}")).collect();
        let word = format!("seeds-{}", words.join("-"));
        Ok(Self { latents, labels, word, pictures: None })
    }

    /// Those of pictures.
    pub(super) fn of_images(
        given: &[Given],
        explored: &Explored,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let loaded = Loaded::of(given, explored, global, console)?;
        let (latents, by) = loaded.latents(explored, console)?;
        let Loaded { images, names, word } = loaded;
        Ok(Self { latents, labels: names, word, pictures: Some(Found { images, by }) })
    }
}
