//! What the entries of a latent's part are drawn from, and how a network reads them.

use candle_core::{D, DType, Device, Result, Tensor};
use gan_core::Stream;
use serde::{Deserialize, Serialize};

/// What the entries of a part are drawn from; in TOML told by `kind`.
///
/// Stored values are what a person means: a level, the index of a class, 0 or 1. Networks read
/// [`LatentBatch::encode`](super::LatentBatch::encode) of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Distribution {
    /// Independent draws from N(0, 1).
    Normal {
        /// Number of entries.
        size: usize,
    },
    /// Independent draws from U(low, high).
    Uniform {
        /// Lower end.
        low: f32,
        /// Upper end.
        high: f32,
        /// Number of entries.
        size: usize,
    },
    /// Independent 1 with probability `p`, else 0; read as they are.
    Binary {
        /// Probability of a 1.
        p: f64,
        /// Number of entries.
        size: usize,
    },
    /// Independent draws from {0, 1, …, levels − 1}; read as they are.
    Levels {
        /// Number of values an entry takes.
        levels: usize,
        /// Number of entries.
        size: usize,
    },
    /// Independent choices of one of `classes`; read one-hot, stored as the index.
    Categorical {
        /// Number of classes of a choice.
        classes: usize,
        /// Number of choices.
        count: usize,
    },
    /// Binary attributes of the data, 0 or 1; read as they are.
    Attributes {
        /// Their names in the data set.
        names: Vec<String>,
        /// How often each occurs in the training data: what free samples are drawn from. The data
        /// decides it; ½ each where absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        frequencies: Vec<f64>,
    },
}

/// Most values that a network reads of one part.
const MOST: usize = 1 << 16;

/// A limit on how far normal entries lie from 0; fewer outliers at the price of variety (Brock et
/// al. 2019, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truncation {
    /// Entries beyond the limit are drawn again: the paper's.
    Resample(f32),
    /// Entries beyond the limit are set to it. Not the paper's: outliers pile up at the limit.
    Clip(f32),
}

impl Distribution {
    /// Number of stored values a sample has.
    pub fn size(&self) -> usize {
        match self {
            Self::Normal { size }
            | Self::Uniform { size, .. }
            | Self::Binary { size, .. }
            | Self::Levels { size, .. } => *size,
            Self::Categorical { count, .. } => *count,
            Self::Attributes { names, .. } => names.len(),
        }
    }

    fn encoded_size_checked(&self) -> Option<usize> {
        match self {
            Self::Categorical { classes, count } => classes.checked_mul(*count),
            other => Some(other.size()),
        }
    }

    /// Number of values a sample has as a network reads it.
    pub fn encoded_size(&self) -> usize {
        match self {
            Self::Categorical { classes, count } => classes * count,
            other => other.size(),
        }
    }

    /// Says what is wrong with what a person wrote.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        match self {
            _ if self.size() > MOST
                || self.encoded_size_checked().is_none_or(|size| size > MOST) =>
            {
                Err(format!("is read as more than {MOST} values"))
            }
            _ if self.size() == 0 => Err("has size 0, expected 1 or more".into()),
            Self::Uniform { low, high, .. }
                if !(low.is_finite() && high.is_finite() && low < high) =>
            {
                Err(format!("is uniform from {low} to {high}, expected low < high"))
            }
            Self::Binary { p, .. } if !(0.0..=1.0).contains(p) => {
                Err(format!("has p = {p}, expected [0, 1]"))
            }
            Self::Levels { levels: 0 | 1, .. } => Err("has fewer than 2 levels".into()),
            Self::Categorical { classes: 0 | 1, .. } => Err("has fewer than 2 classes".into()),
            Self::Attributes { names, frequencies } => check_attributes(names, frequencies),
            _ => Ok(()),
        }
    }

    /// `n` draws, `(n, size)`.
    pub(super) fn sample(
        &self,
        n: usize,
        stream: &mut Stream,
        truncation: Option<Truncation>,
        device: &Device,
    ) -> Result<Tensor> {
        let size = self.size();
        let values: Vec<f32> = match self {
            Self::Normal { .. } => (0..n * size).map(|_| normal(stream, truncation)).collect(),
            Self::Uniform { low, high, .. } => {
                (0..n * size).map(|_| stream.uniform(*low, *high)).collect()
            }
            Self::Binary { p, .. } => (0..n * size).map(|_| bit(stream.chance(*p))).collect(),
            Self::Levels { levels: classes, .. } | Self::Categorical { classes, .. } => {
                (0..n * size).map(|_| stream.below(*classes) as f32).collect()
            }
            Self::Attributes { frequencies, .. } => (0..n * size)
                .map(|i| bit(stream.chance(frequencies.get(i % size).copied().unwrap_or(0.5))))
                .collect(),
        };
        Tensor::from_vec(values, (n, size), device)
    }

    /// Draws `(N, size)` at a temperature T, nearer to the middle where T < 1: T · x of N(0, 1), m + T · (x − m) of
    /// U(low, high) with m = (low + high)/2. At 1 they are what they were.
    ///
    /// # Errors
    /// If T is not more than 0, or there is nothing between two values.
    pub(super) fn tempered(&self, values: &Tensor, temperature: f64) -> Result<Tensor> {
        if !(temperature.is_finite() && temperature > 0.0) {
            candle_core::bail!("the temperature is {temperature}, expected more than 0")
        }
        let middle = match self {
            Self::Normal { .. } => 0.0,
            Self::Uniform { low, high, .. } => (f64::from(*low) + f64::from(*high)) / 2.0,
            _ => candle_core::bail!(
                "it has no temperature: an entry is {}, and there is nothing between two of them; normal and uniform parts \
                 have one",
                self.range()
            ),
        };
        values.affine(temperature, middle * (1.0 - temperature))
    }

    /// Draws `(N, size)` as a network reads them, `(N, encoded_size)`.
    pub(super) fn encode(&self, values: &Tensor) -> Result<Tensor> {
        let Self::Categorical { classes, .. } = self else { return Ok(values.clone()) };
        let choices = Tensor::arange(0f32, *classes as f32, values.device())?;
        let one_hot = values.unsqueeze(D::Minus1)?.broadcast_eq(&choices)?; // [N, count, classes]
        one_hot.to_dtype(DType::F32)?.flatten_from(1)
    }

    /// Says which stored value cannot be a draw, with its place in `(N, size)`.
    pub(super) fn check_values(&self, values: &Tensor) -> Result<()> {
        let may_be = |x: f32| match self {
            Self::Normal { .. } | Self::Uniform { .. } => x.is_finite(),
            Self::Binary { .. } | Self::Attributes { .. } => x == 0.0 || x == 1.0,
            Self::Levels { levels: most, .. } | Self::Categorical { classes: most, .. } => {
                x >= 0.0 && x < *most as f32 && x.fract() == 0.0
            }
        };
        for (row, values) in values.to_dtype(DType::F32)?.to_vec2::<f32>()?.iter().enumerate() {
            if let Some(column) = values.iter().position(|&x| !may_be(x)) {
                let (value, range) = (values[column], self.range());
                candle_core::bail!("row {row}, entry {column} is {value}, expected {range}")
            }
        }
        Ok(())
    }

    /// Whether entries have one of some values, with nothing between.
    pub fn is_discrete(&self) -> bool {
        !matches!(self, Self::Normal { .. } | Self::Uniform { .. })
    }

    /// What an entry may be, in words.
    pub fn range(&self) -> String {
        match self {
            Self::Normal { .. } => "a number, N(0, 1)".into(),
            Self::Uniform { low, high, .. } => format!("a number, U({low}, {high})"),
            Self::Binary { .. } | Self::Attributes { .. } => "0 or 1".into(),
            Self::Levels { levels: most, .. } | Self::Categorical { classes: most, .. } => {
                format!("a whole number from 0 to {}", most - 1)
            }
        }
    }
}

fn check_attributes(names: &[String], frequencies: &[f64]) -> std::result::Result<(), String> {
    if let Some(i) = (0..names.len()).find(|&i| names[..i].contains(&names[i])) {
        return Err(format!("names the attribute {:?} twice", names[i]));
    }
    if !frequencies.is_empty() && frequencies.len() != names.len() {
        return Err(format!("has {} names and {} frequencies", names.len(), frequencies.len()));
    }
    match frequencies.iter().find(|f| !(0.0..=1.0).contains(*f)) {
        Some(f) => Err(format!("has the frequency {f}, expected [0, 1]")),
        None => Ok(()),
    }
}

fn bit(one: bool) -> f32 {
    f32::from(u8::from(one))
}

fn normal(stream: &mut Stream, truncation: Option<Truncation>) -> f32 {
    match truncation {
        None => stream.normal(),
        Some(Truncation::Clip(limit)) => stream.normal().clamp(-limit, limit),
        Some(Truncation::Resample(limit)) => loop {
            let x = stream.normal();
            if x.abs() <= limit {
                return x;
            }
        },
    }
}
