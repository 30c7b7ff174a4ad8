//! The typed description of a latent: named parts, each with a distribution.
//!
//! Sampling, storing and exploring work on parts by name. The flat vector that a network reads is
//! made by [`LatentBatch::encode`] alone.

use candle_core::{Device, Result, Tensor};
use gan_core::Stream;
use serde::{Deserialize, Serialize};

/// One part of a latent: a name and the distribution of its entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Name by which commands address the part.
    pub name: String,
    /// What its entries are drawn from.
    #[serde(flatten)]
    pub distribution: Distribution,
}

/// What the entries of a [`Part`] are drawn from; in TOML told by `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Distribution {
    /// Independent draws from N(0, 1).
    Normal {
        /// Number of entries.
        size: usize,
    },
}

impl Distribution {
    /// Number of stored values a sample has.
    pub fn size(&self) -> usize {
        match self {
            Self::Normal { size } => *size,
        }
    }

    /// Number of values a sample has as a network reads it.
    pub fn encoded_size(&self) -> usize {
        match self {
            Self::Normal { size } => *size,
        }
    }

    /// `n` draws, `(n, size)`.
    fn sample(&self, n: usize, stream: &mut Stream, device: &Device) -> Result<Tensor> {
        match self {
            Self::Normal { size } => stream.normal_tensor((n, *size), device),
        }
    }

    /// Draws `(N, size)` as a network reads them, `(N, encoded_size)`.
    fn encode(&self, values: &Tensor) -> Result<Tensor> {
        match self {
            Self::Normal { .. } => Ok(values.clone()),
        }
    }
}

/// A latent: its parts in the order in which a network reads them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Latent {
    parts: Vec<Part>,
}

impl Latent {
    /// A latent of the given parts; call [`Latent::check`] on what a person wrote.
    pub fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// `size` draws from N(0, 1) under the name `z`, the classic latent.
    pub fn normal(size: usize) -> Self {
        Self::new(vec![Part { name: "z".into(), distribution: Distribution::Normal { size } }])
    }

    /// Its parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Number of values a network reads for one image.
    pub fn encoded_size(&self) -> usize {
        self.parts.iter().map(|part| part.distribution.encoded_size()).sum()
    }

    /// Says what is wrong with a latent that a person wrote.
    pub fn check(&self) -> std::result::Result<(), String> {
        if self.parts.is_empty() {
            return Err("a latent needs at least one part".into());
        }
        for (i, part) in self.parts.iter().enumerate() {
            if part.name.is_empty() || self.parts[..i].iter().any(|p| p.name == part.name) {
                return Err(format!(
                    "latent part {i} needs a name of its own, not {:?}",
                    part.name
                ));
            }
            if part.distribution.size() == 0 {
                return Err(format!("latent part {:?} has size 0, expected 1 or more", part.name));
            }
        }
        Ok(())
    }

    /// `n` latents, part after part from one stream.
    pub fn sample(&self, n: usize, stream: &mut Stream, device: &Device) -> Result<LatentBatch> {
        let values = self
            .parts
            .iter()
            .map(|part| part.distribution.sample(n, stream, device))
            .collect::<Result<_>>()?;
        Ok(LatentBatch { latent: self.clone(), values })
    }

    /// A batch from stored values, one tensor `(N, size)` a part, found by name.
    pub fn batch(&self, mut get: impl FnMut(&str) -> Result<Tensor>) -> Result<LatentBatch> {
        let mut n: Option<usize> = None;
        let mut values = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let value = get(&part.name)?;
            let (rows, size) = value.dims2()?;
            if size != part.distribution.size() || n.is_some_and(|n| n != rows) {
                candle_core::bail!(
                    "latent part {:?} is {:?}, expected ({}, {})",
                    part.name,
                    value.dims(),
                    n.map_or("N".to_string(), |n| n.to_string()),
                    part.distribution.size(),
                );
            }
            n = Some(rows);
            values.push(value);
        }
        Ok(LatentBatch { latent: self.clone(), values })
    }
}

/// Some latents: one tensor of stored values a part.
#[derive(Clone, Debug)]
pub struct LatentBatch {
    latent: Latent,
    values: Vec<Tensor>, // [N, size] a part
}

impl LatentBatch {
    /// What the values mean.
    pub fn latent(&self) -> &Latent {
        &self.latent
    }

    /// Number of latents.
    pub fn len(&self) -> usize {
        self.values.first().and_then(|v| v.dim(0).ok()).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Part names with their values `(N, size)`.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.latent.parts.iter().map(|part| part.name.as_str()).zip(&self.values)
    }

    /// What a network reads: all parts side by side, `(N, encoded_size)`.
    pub fn encode(&self) -> Result<Tensor> {
        let encoded = self
            .latent
            .parts
            .iter()
            .zip(&self.values)
            .map(|(part, values)| part.distribution.encode(values))
            .collect::<Result<Vec<_>>>()?;
        Tensor::cat(&encoded, 1)
    }

    /// The latents `from..from + n`.
    pub fn narrow(&self, from: usize, n: usize) -> Result<Self> {
        let values = self.values.iter().map(|v| v.narrow(0, from, n)).collect::<Result<_>>()?;
        Ok(Self { latent: self.latent.clone(), values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_parts() -> Latent {
        let part = |name: &str, size| Part {
            name: name.into(),
            distribution: Distribution::Normal { size },
        };
        Latent::new(vec![part("shape", 3), part("color", 2)])
    }

    #[test]
    fn parts_are_encoded_side_by_side() -> Result<()> {
        let latent = two_parts();
        let batch = latent.sample(4, &mut Stream::named("z", 1), &Device::Cpu)?;
        assert_eq!(batch.len(), 4);
        let encoded = batch.encode()?;
        assert_eq!(encoded.dims(), [4, latent.encoded_size()]);
        let (name, color) = batch.parts().nth(1).expect("two parts");
        assert_eq!(name, "color");
        assert_eq!(
            encoded.narrow(1, 3, 2)?.to_vec2::<f32>()?,
            color.to_vec2::<f32>()?,
            "the second part follows the first"
        );
        Ok(())
    }

    #[test]
    fn stored_values_come_back_and_wrong_ones_are_refused() -> Result<()> {
        let latent = two_parts();
        let batch = latent.sample(4, &mut Stream::named("z", 1), &Device::Cpu)?;
        let again = latent
            .batch(|name| Ok(batch.parts().find(|(n, _)| *n == name).expect("stored").1.clone()))?;
        assert_eq!(again.encode()?.to_vec2::<f32>()?, batch.encode()?.to_vec2::<f32>()?);
        let wrong = latent.batch(|_| Tensor::zeros((4, 3), candle_core::DType::F32, &Device::Cpu));
        assert!(wrong.expect_err("color has 2 entries").to_string().contains("color"));
        Ok(())
    }

    #[test]
    fn toml_form() {
        #[derive(Deserialize, Serialize)]
        struct File {
            latent: Latent,
        }
        let text = "[[latent]]\nname = \"z\"\nkind = \"normal\"\nsize = 100\n";
        let file: File = toml::from_str(text).expect("well formed");
        assert_eq!(file.latent, Latent::normal(100));
        assert_eq!(toml::to_string(&file).expect("plain data"), text);
        assert!(toml::from_str::<File>(&format!("{text}sise = 3\n")).is_err(), "unknown key");
    }

    #[test]
    fn a_latent_without_entries_or_with_equal_names_is_refused() {
        assert!(Latent::new(vec![]).check().is_err());
        assert!(Latent::normal(0).check().is_err());
        let twice = [Latent::normal(1).parts, Latent::normal(2).parts].concat();
        assert!(Latent::new(twice).check().is_err());
        assert!(two_parts().check().is_ok());
    }
}
