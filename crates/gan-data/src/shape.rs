//! How the pictures of a data set are split.

use serde::{Deserialize, Serialize};

/// What a picture is for; the numbers are those of CelebA's `list_eval_partition.txt`.
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

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|split| split.to_string() == name)
            .ok_or_else(|| format!("expected train, valid or test, got {name}"))
    }
}

/// Pictures in each split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitCounts {
    /// Pictures to train on.
    pub train: usize,
    /// Pictures for choices.
    pub valid: usize,
    /// Pictures for reported numbers.
    pub test: usize,
}

impl SplitCounts {
    /// Counts one split's pictures.
    pub fn of(&self, split: Split) -> usize {
        match split {
            Split::Train => self.train,
            Split::Valid => self.valid,
            Split::Test => self.test,
        }
    }

    /// Adds pictures to a split.
    pub(crate) fn add(&mut self, split: Split, images: usize) {
        match split {
            Split::Train => self.train += images,
            Split::Valid => self.valid += images,
            Split::Test => self.test += images,
        }
    }

    /// Pictures in all splits.
    pub fn total(&self) -> usize {
        self.train + self.valid + self.test
    }
}
