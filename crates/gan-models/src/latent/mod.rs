//! The typed description of a latent: named parts, each with a distribution.
//!
//! Sampling, storing and exploring work on parts by name. The flat vector that a network reads is
//! made by [`LatentBatch::encode`] alone.

mod distribution;

use candle_core::{Device, Result, Tensor};
use gan_core::{Stream, names};
use serde::{Deserialize, Serialize};

pub use distribution::{Distribution, Truncation};

/// One part of a latent: a name and the distribution of its entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Name by which commands address the part.
    pub name: String,
    /// What its entries are drawn from.
    #[serde(flatten)]
    pub distribution: Distribution,
}

/// A latent: its parts in the order in which a network reads them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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

    /// Whether it has no parts.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
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
            check_name(&part.name)?;
            if self.parts[..i].iter().any(|p| p.name == part.name) {
                return Err(format!(
                    "two latent parts are called {:?}; name one otherwise",
                    part.name
                ));
            }
            if let Err(reason) = part.distribution.check() {
                return Err(format!("latent part {:?} {reason}", part.name));
            }
        }
        Ok(())
    }

    /// The part called `name`.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The part called `name`, to be changed.
    pub fn part_mut(&mut self, name: &str) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.name == name)
    }

    /// Part and entry that an attribute is: an entry of attributes, or a choice of two under its name.
    ///
    /// # Errors
    /// If there is none; the nearest is named.
    pub fn attribute(&self, name: &str) -> std::result::Result<(String, usize), String> {
        let mut known: Vec<(&str, &Part, usize)> = Vec::new();
        for part in &self.parts {
            match &part.distribution {
                Distribution::Attributes { names, .. } => {
                    known
                        .extend(names.iter().enumerate().map(|(i, name)| (name.as_str(), part, i)));
                }
                Distribution::Categorical { classes: 2, count: 1 } => {
                    known.push((part.name.as_str(), part, 0));
                }
                _ => {}
            }
        }
        if let Some((_, part, entry)) = known.iter().find(|(known, ..)| *known == name) {
            return Ok((part.name.clone(), *entry));
        }
        match names::nearest(known.iter().map(|(known, ..)| *known), name) {
            Some((nearest, _)) => {
                Err(format!("the latent has no attribute {name:?}; did you mean {nearest:?}?"))
            }
            None => Err(format!("the latent has no attributes, and so no {name:?}")),
        }
    }

    /// That there is no part `name`, and which there are.
    fn unknown(&self, name: &str) -> String {
        let names: Vec<&str> = self.parts.iter().map(|part| part.name.as_str()).collect();
        format!("there is no latent part {name:?}; there are {}", names.join(", "))
    }

    /// Where part `name` lies in what a network reads.
    pub fn encoded_range(&self, name: &str) -> Option<std::ops::Range<usize>> {
        let mut start = 0;
        for part in &self.parts {
            let end = start + part.distribution.encoded_size();
            if part.name == name {
                return Some(start..end);
            }
            start = end;
        }
        None
    }

    /// `n` latents, part after part from one stream.
    pub fn sample(&self, n: usize, stream: &mut Stream, device: &Device) -> Result<LatentBatch> {
        self.sample_truncated(n, stream, None, device)
    }

    /// [`Latent::sample`] with a limit on the normal entries, which must be more than 0.
    pub fn sample_truncated(
        &self,
        n: usize,
        stream: &mut Stream,
        truncation: Option<Truncation>,
        device: &Device,
    ) -> Result<LatentBatch> {
        let values = self
            .parts
            .iter()
            .map(|part| part.distribution.sample(n, stream, truncation, device))
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
            if let Err(reason) = part.distribution.check_values(&value) {
                candle_core::bail!("latent part {:?}: {reason}", part.name)
            }
            n = Some(rows);
            values.push(value);
        }
        Ok(LatentBatch { latent: self.clone(), values })
    }
}

impl Part {
    /// A name for each of its entries, for tables and axes: an attribute's own, else `name[i]`.
    pub fn entry_names(&self) -> Vec<String> {
        match &self.distribution {
            Distribution::Attributes { names, .. } => names.clone(),
            distribution if distribution.size() == 1 => vec![self.name.clone()],
            distribution => {
                (0..distribution.size()).map(|i| format!("{}[{i}]", self.name)).collect()
            }
        }
    }
}

/// Says why a part cannot be called so: names stand in file names, in keys of settings and on command lines.
fn check_name(name: &str) -> std::result::Result<(), String> {
    const LONGEST: usize = 40;
    let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let all = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    // A number alone would be taken for a place in the list of parts.
    let letter = name.contains(|c: char| c.is_ascii_alphabetic());
    if first && all && letter && name.len() <= LONGEST {
        return Ok(());
    }
    Err(format!(
        "a latent part is called {name:?}, expected letters, digits, _ and -, at least one letter, no _ or - in front, at \
         most {LONGEST} in all: it stands in file names and on command lines; name it otherwise (an attribute of any \
         name can be one of the names of a part of kind \"attributes\")"
    ))
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

    /// The values `(N, size)` of part `name`.
    pub fn part(&self, name: &str) -> Option<&Tensor> {
        self.parts().find(|(part, _)| *part == name).map(|(_, values)| values)
    }

    /// The same latents with other values `(N, size)` for one part.
    ///
    /// # Errors
    /// If there is no such part, or its values cannot be these.
    pub fn with_part(&self, name: &str, values: &Tensor) -> Result<Self> {
        if self.latent.part(name).is_none() {
            candle_core::bail!("{}", self.latent.unknown(name))
        }
        self.latent.batch(|part| {
            let own = self.part(part).expect("a batch has all parts of its latent");
            Ok(if part == name { values.clone() } else { own.clone() })
        })
    }

    /// The same latents with one entry of one part set to a value for all of them.
    ///
    /// # Errors
    /// As [`LatentBatch::with_part`], and if the part has no such entry.
    pub fn with_entry(&self, name: &str, entry: usize, value: f32) -> Result<Self> {
        let Some(values) = self.part(name) else {
            candle_core::bail!("{}", self.latent.unknown(name))
        };
        let mut rows = values.to_vec2::<f32>()?;
        for row in &mut rows {
            let size = row.len();
            let Some(place) = row.get_mut(entry) else {
                candle_core::bail!("latent part {name:?} has {size} entries, none of index {entry}")
            };
            *place = value;
        }
        self.with_part(name, &Tensor::new(rows, values.device())?)
    }

    /// The same latents with one normal or uniform part at a temperature T > 0, of 1 what they were. A normal entry z becomes
    /// T · z, of standard deviation T; a uniform one u of U(low, high) becomes m + T · (u − m) with m = (low + high)/2, of
    /// a range T times as wide. So a latent is the same point, nearer to the middle or farther from it.
    ///
    /// # Errors
    /// If there is no such part, T is not more than 0, or the part is of kinds between whose values there is nothing.
    pub fn tempered(&self, name: &str, temperature: f64) -> Result<Self> {
        let (Some(part), Some(values)) = (self.latent.part(name), self.part(name)) else {
            candle_core::bail!("{}", self.latent.unknown(name))
        };
        match part.distribution.tempered(values, temperature) {
            Ok(tempered) => self.with_part(name, &tempered),
            Err(reason) => candle_core::bail!("latent part {name:?}: {reason}"),
        }
    }

    /// What a network reads of part `name`, `(N, encoded size of the part)`.
    ///
    /// # Errors
    /// If there is no such part.
    pub fn encode_part(&self, name: &str) -> Result<Tensor> {
        match (self.latent.part(name), self.part(name)) {
            (Some(part), Some(values)) => part.distribution.encode(values),
            _ => candle_core::bail!("{}", self.latent.unknown(name)),
        }
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
mod tests;
