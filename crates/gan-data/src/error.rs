//! What can be wrong with data on disk, each as one sentence: which file, what was expected, what
//! was found, what to do.

use std::path::PathBuf;

use crate::shape::Split;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file operation failed; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A name that is no data source.
    #[error("{name}: {found}; {remedy}")]
    Source {
        /// What the user named.
        name: String,
        /// What is there.
        found: String,
        /// What a source may be.
        remedy: String,
    },

    /// A file whose content is not what it should be.
    #[error("{}: expected {expected}, found {found}; {remedy}", .path.display())]
    Content {
        /// The file or folder.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What a person can do about it.
        remedy: String,
    },

    /// A picture that cannot be used, where none may be skipped.
    #[error("{}: {name} cannot be used: {reason}; repair or remove it, or prepare without strict", .path.display())]
    Damaged {
        /// The source.
        path: PathBuf,
        /// The picture in it.
        name: String,
        /// What the decoder said.
        reason: String,
    },

    /// The source cannot be read any more.
    #[error("{}: {name} cannot be read any more ({reason}); see that the source is there and run the same command again, it goes on after the last whole shard", .path.display())]
    Lost {
        /// The source.
        path: PathBuf,
        /// The picture in it.
        name: String,
        /// What the operating system said.
        reason: String,
    },

    /// The output folder holds another data set.
    #[error("{}: already prepared from another source or with other options ({difference}); choose another folder or remove this one", .path.display())]
    OtherOptions {
        /// The folder.
        path: PathBuf,
        /// Each differing key: what is there, what was asked.
        difference: String,
    },

    /// Another process prepares into the same folder.
    #[error("{}: another process prepares into this folder; wait for it to end or choose another folder", .path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },

    /// The output folder cannot be written.
    #[error("{}: cannot be written ({reason}); choose another output folder", .path.display())]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },

    /// There is no space for the output.
    #[error("{}: the disk is full; free some space and run the same command again, it goes on after the last whole shard", .path.display())]
    Full {
        /// The folder.
        path: PathBuf,
    },

    /// A shard is not the one that was written.
    #[error("{}: hash is {got}, the manifest says {expected}; run the same prepare again, it makes what is damaged anew", .path.display())]
    Hash {
        /// The shard.
        path: PathBuf,
        /// Hash in the manifest.
        expected: String,
        /// Hash of the file.
        got: String,
    },

    /// Samples of another kind than are needed.
    #[error("{}: holds {found}, {expected} are needed; prepare another source", .path.display())]
    Kind {
        /// The data set.
        path: PathBuf,
        /// What is needed.
        expected: &'static str,
        /// What there is.
        found: String,
    },

    /// Fewer pictures than one batch needs.
    #[error("{}: the {split} split has {images} pictures, a batch needs {batch_size}; choose a smaller batch or prepare more pictures", .path.display())]
    TooFew {
        /// The data set.
        path: PathBuf,
        /// The split.
        split: Split,
        /// Pictures in it.
        images: usize,
        /// Pictures asked for.
        batch_size: usize,
    },

    /// An option or argument out of its range.
    #[error("{name}: expected {expected}, got {got}")]
    Argument {
        /// Which.
        name: &'static str,
        /// Its range.
        expected: String,
        /// What came.
        got: String,
    },

    /// The thread that prepares batches ended, after an error that was already reported.
    #[error("the loader has stopped after an earlier error")]
    Stopped,

    /// A picture or file operation of gan-core failed.
    #[error(transparent)]
    Core(#[from] gan_core::Error),

    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}
