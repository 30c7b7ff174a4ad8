//! Named, reproducible random streams.
//!
//! Every draw of the toolkit (weights, latents, shuffles, flips, synthetic pictures) comes from a
//! [`Stream`]: ChaCha8 keyed by a seed *and* the name of what is drawn. Adding a draw in one place
//! so never shifts the numbers of another, and a stream's place can be saved and restored exactly.

use candle_core::{Device, Shape, Tensor};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// A random stream that belongs to one purpose.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    rng: ChaCha8Rng,
}

/// Where a [`Stream`] stands; restores it to the exact next bit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamPosition {
    /// The ChaCha key in hexadecimal: seed and name, hashed.
    pub key: String,
    /// The ChaCha stream number, see [`Stream::indexed`].
    pub stream: u64,
    /// Words of 32 bits drawn so far; a string, as JSON numbers end at 2⁵³.
    pub word: String,
}

impl Stream {
    /// The stream for `name` under `seed`.
    pub fn named(name: &str, seed: u64) -> Self {
        Self::indexed(name, seed, 0)
    }

    /// One of 2⁶⁴ independent streams for `name` under `seed`: item `index` of a set draws the same
    /// numbers whoever computes it, and in whatever order.
    pub fn indexed(name: &str, seed: u64, index: u64) -> Self {
        let mut material = seed.to_le_bytes().to_vec();
        material.extend_from_slice(name.as_bytes());
        let key = blake3::derive_key("gan-core 2026 random stream", &material);
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(index);
        Self { rng }
    }

    /// Where the stream stands.
    pub fn position(&self) -> StreamPosition {
        StreamPosition {
            key: self.rng.get_seed().iter().map(|byte| format!("{byte:02x}")).collect(),
            stream: self.rng.get_stream(),
            word: self.rng.get_word_pos().to_string(),
        }
    }

    /// A stream that stands at `position`, or `None` where that is not one of ours.
    pub fn at(position: &StreamPosition) -> Option<Self> {
        let mut key = [0u8; 32];
        if position.key.len() != 64 || !position.key.is_ascii() {
            return None;
        }
        for (byte, digits) in key.iter_mut().zip(position.key.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(position.stream);
        rng.set_word_pos(position.word.parse().ok()?);
        Some(Self { rng })
    }

    /// A draw from N(0, 1).
    pub fn normal(&mut self) -> f32 {
        StandardNormal.sample(&mut self.rng)
    }

    /// A draw from the half-open interval `[low, high)`.
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.rng.random::<f32>()
    }

    /// An integer below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.rng.random_range(0..bound)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.rng.random_bool(p.clamp(0.0, 1.0))
    }

    /// Puts `items` into a uniformly random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// A tensor of draws from N(0, 1), filled in row-major order.
    pub fn normal_tensor(
        &mut self,
        shape: impl Into<Shape>,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let shape = shape.into();
        let values: Vec<f32> = (0..shape.elem_count()).map(|_| self.normal()).collect();
        Tensor::from_vec(values, shape, device)
    }
}

impl RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        self.rng.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.rng.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_seeds_and_indices_are_independent() {
        let first = |mut stream: Stream| stream.next_u64();
        let all = [
            first(Stream::named("noise", 0)),
            first(Stream::named("noise", 1)),
            first(Stream::named("weights", 0)),
            first(Stream::indexed("noise", 0, 1)),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|b| a != b));
        }
        assert_eq!(all[0], first(Stream::named("noise", 0)));
    }

    /// The normal sampler rejects some draws, so that a position counted in samples would be wrong.
    #[test]
    fn a_saved_position_continues_with_the_same_bits() {
        let mut stream = Stream::named("noise", 7);
        for _ in 0..1001 {
            stream.normal();
        }
        let json = serde_json::to_string(&stream.position()).expect("plain data");
        let position = serde_json::from_str(&json).expect("what was written");
        let mut restored = Stream::at(&position).expect("a position of ours");
        let draw = |s: &mut Stream| (0..100).map(|_| s.normal().to_bits()).collect::<Vec<_>>();
        assert_eq!(draw(&mut stream), draw(&mut restored));
    }

    #[test]
    fn a_damaged_position_is_refused() {
        let good = Stream::named("noise", 7).position();
        assert!(Stream::at(&StreamPosition { key: "zz".into(), ..good.clone() }).is_none());
        assert!(Stream::at(&StreamPosition { word: "-1".into(), ..good }).is_none());
    }

    #[test]
    fn normal_draws_have_the_moments_of_a_normal() {
        let mut stream = Stream::named("moments", 3);
        let draws: Vec<f64> = (0..200_000).map(|_| f64::from(stream.normal())).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        // Five standard errors: 1/√n of the mean, √(2/n) of the variance.
        assert!(mean.abs() < 5.0 / n.sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "variance {variance}");
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..1000).collect();
        Stream::named("shuffle", 1).shuffle(&mut items);
        assert!(items.iter().zip(0..).any(|(a, b)| *a != b));
        items.sort_unstable();
        assert!(items.iter().zip(0..).all(|(a, b)| *a == b));
    }
}
