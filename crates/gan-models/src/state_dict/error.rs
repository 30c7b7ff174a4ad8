//! What can be wrong with a file of weights, each as one sentence: which file, what was expected, what was
//! found, what to do.

use std::path::{Path, PathBuf};

/// An error of [`StateDict`](super::StateDict).
#[derive(Debug, thiserror::Error)]
pub enum StateDictError {
    /// A file operation failed; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A file whose content is not what it should be.
    #[error("{}: expected {expected}, found {found}; {remedy}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What a person can do about it.
        remedy: &'static str,
    },

    /// A tensor whose elements candle has no type for.
    #[error("{}: {name} is of type {element}, which candle lacks; convert it in PyTorch and save again", .path.display())]
    Element {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The type, as PyTorch or safetensors name it.
        element: String,
    },

    /// A module in place of its weights.
    #[error("{}: {name} is a whole module ({class}), and that takes running its code; save model.state_dict() in PyTorch in its place", .path.display())]
    Module {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        name: String,
        /// Its class.
        class: String,
    },

    /// Something that only foreign code could make.
    #[error("{}: {name} is made by {global}, and no code of a file is run; save plain tensors in PyTorch, as model.state_dict() has them", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        name: String,
        /// The function or class that the file names.
        global: String,
    },

    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl StateDictError {
    /// A file that was cut or changed.
    pub(super) fn damaged(
        path: &Path,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let remedy = "check that it was copied or downloaded to its end";
        Self::Content { path: path.into(), expected: expected.into(), found: found.into(), remedy }
    }

    /// A file that may be whole, but is none that is read here.
    pub(super) fn other(
        path: &Path,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let remedy =
            "save model.state_dict() alone, by torch.save of a current PyTorch or as safetensors";
        Self::Content { path: path.into(), expected: expected.into(), found: found.into(), remedy }
    }
}

/// Text of a file as a message may show it: in one line, of bounded length.
pub(super) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(120)]).escape_debug().collect()
}
