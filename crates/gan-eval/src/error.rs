//! What can go wrong while measuring: which file or tensor, what was expected, what to do.

use std::path::PathBuf;

/// What can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// Images that cannot be compared, or a file that cannot be read.
    #[error(transparent)]
    Core(#[from] gan_core::Error),

    /// A file or folder operation failed; the message names the path (`fs_err`).
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// Nothing was given to measure.
    #[error("no images to compare; at least one pair is needed")]
    Empty,

    /// Nothing was given to measure.
    #[error("no samples to measure; at least one is needed")]
    NoSamples,

    /// Predictions and labels that do not pair up.
    #[error("{predictions} predictions but {labels} labels; one label a prediction is needed")]
    Labels {
        /// Number of predictions.
        predictions: usize,
        /// Number of labels.
        labels: usize,
    },

    /// A class or mode that there is not.
    #[error("sample {index} is of class {class}, expected below {n_classes}")]
    ClassRange {
        /// The sample.
        index: usize,
        /// Its class.
        class: usize,
        /// Classes there are.
        n_classes: usize,
    },

    /// A value without a place among numbers.
    #[error("values are not all numbers; the network that made them has gone astray")]
    NotANumber,

    /// A folder without PNG files.
    #[error("{}: expected PNG files, found none; name a folder that holds them directly", .path.display())]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },

    /// An image that has no partner of the same name.
    #[error(
        "{}: no image of this name in {} ({unmatched} such); both folders must hold the same names",
        .path.display(), .other.display()
    )]
    Unmatched {
        /// The first image without a partner.
        path: PathBuf,
        /// Where its partner was expected.
        other: PathBuf,
        /// How many have none.
        unmatched: usize,
    },

    /// Lists of images and references that do not pair up.
    #[error("{images} images but {references} references; one reference an image is needed")]
    Lengths {
        /// Number of images.
        images: usize,
        /// Number of references.
        references: usize,
    },

    /// An image whose size or kind differs from its reference's.
    #[error(
        "{}: {image}, but its reference {} is {expected}; bring both to one size and kind",
        .path.display(), .reference.display()
    )]
    Size {
        /// The image.
        path: PathBuf,
        /// Its size and channels.
        image: String,
        /// The reference.
        reference: PathBuf,
        /// Size and channels of the reference.
        expected: String,
    },

    /// Batches of images of different size or channels.
    #[error("images of {got} after images of {expected}; measure one size and kind at a time")]
    Mixed {
        /// `C×H×W` of the first batch.
        expected: String,
        /// `C×H×W` of the later one.
        got: String,
    },

    /// Images without neighbouring pixels.
    #[error("images of height {height} and width {width}, expected 2 or more of both")]
    TooSmall {
        /// Pixels from top to bottom.
        height: usize,
        /// Pixels from left to right.
        width: usize,
    },

    /// Lists of codes and labels that do not pair up.
    #[error("{codes} codes but {labels} labels; one of each a sample is needed")]
    Codes {
        /// Number of codes.
        codes: usize,
        /// Number of labels.
        labels: usize,
    },

    /// A code or label that there is not.
    #[error(
        "sample {index} has code {code} and label {label}, expected a code below {n_codes} and a label below {n_classes}"
    )]
    CodeRange {
        /// The sample.
        index: usize,
        /// Its code.
        code: usize,
        /// Its label.
        label: usize,
        /// Number of codes there are.
        n_codes: usize,
        /// Number of classes there are.
        n_classes: usize,
    },
}

/// Result of this crate's operations.
pub type Result<T, E = EvalError> = std::result::Result<T, E>;
