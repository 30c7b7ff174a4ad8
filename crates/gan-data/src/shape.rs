//! What one sample of a data set is, and how samples are split.

use gan_core::ImageShape;
use serde::{Deserialize, Serialize};

/// What every sample of a data set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleShape {
    /// A u8 picture, stored as planes `(C, H, W)` in the tensor `images`.
    Image(ImageShape),
    /// A point of that many f32 coordinates, stored in the tensor `points`.
    Point(usize),
}

impl SampleShape {
    /// Bytes of one sample in a shard; `None` where that is more than memory can address.
    pub(crate) fn checked_bytes(self) -> Option<usize> {
        match self {
            Self::Image(ImageShape { channels, height, width }) => {
                channels.checked_mul(height)?.checked_mul(width)
            }
            Self::Point(dimensions) => dimensions.checked_mul(size_of::<f32>()),
        }
    }

    /// The shape of a sample to a network: a point is an image of one pixel with a channel for each coordinate.
    pub fn as_image(self) -> ImageShape {
        match self {
            Self::Image(shape) => shape,
            Self::Point(dimensions) => ImageShape { channels: dimensions, height: 1, width: 1 },
        }
    }

    /// The shape of the pictures, where samples are pictures.
    pub fn image(self) -> Option<ImageShape> {
        match self {
            Self::Image(shape) => Some(shape),
            Self::Point(_) => None,
        }
    }
}

impl std::fmt::Display for SampleShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Image(shape) => shape.fmt(f),
            Self::Point(dimensions) => write!(f, "points in {dimensions} dimensions"),
        }
    }
}

/// What a sample is for; the numbers are those of CelebA's `list_eval_partition.txt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Seen in training.
    Train = 0,
    /// For choices while developing.
    Valid = 1,
    /// For the numbers that are reported.
    Test = 2,
}

impl Split {
    /// All splits, in the order of their numbers.
    pub const ALL: [Split; 3] = [Split::Train, Split::Valid, Split::Test];

    /// The split of a sample that is drawn rather than found: of every ten the last two are for validation
    /// and test.
    pub(crate) fn in_tens(index: usize) -> Self {
        match index % 10 {
            8 => Split::Valid,
            9 => Split::Test,
            _ => Split::Train,
        }
    }

    /// The split that is called by a lower-case word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "train" | "training" => Some(Split::Train),
            "valid" | "val" | "validation" | "dev" => Some(Split::Valid),
            "test" | "testing" => Some(Split::Test),
            _ => None,
        }
    }

    /// The split of a number in a shard or partition file.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
        })
    }
}

impl std::str::FromStr for Split {
    type Err = String;

    /// The names that people give to splits, in any case: `train`, `valid`, `val`, `validation`,
    /// `dev`, `test` and their like, and the numbers 0, 1 and 2 of CelebA.
    fn from_str(name: &str) -> Result<Self, String> {
        let word = name.trim().to_ascii_lowercase();
        let number = || Self::from_number(word.parse().ok().filter(|_| word.len() == 1)?);
        Self::from_word(&word)
            .or_else(number)
            .ok_or_else(|| format!("expected train, valid or test, got {name}"))
    }
}

/// Samples in each split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitCounts {
    /// Samples to train on.
    pub train: usize,
    /// Samples for choices.
    pub valid: usize,
    /// Samples for reported numbers.
    pub test: usize,
}

impl SplitCounts {
    /// Samples of one split.
    pub fn of(&self, split: Split) -> usize {
        match split {
            Split::Train => self.train,
            Split::Valid => self.valid,
            Split::Test => self.test,
        }
    }

    /// Adds samples to a split.
    pub(crate) fn add(&mut self, split: Split, samples: usize) {
        match split {
            Split::Train => self.train += samples,
            Split::Valid => self.valid += samples,
            Split::Test => self.test += samples,
        }
    }

    /// Samples in all splits.
    pub fn total(&self) -> usize {
        self.train + self.valid + self.test
    }
}
