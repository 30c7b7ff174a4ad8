//! Images from any source, prepared into shards and served in batches.
//!
//! A [`Source`] is what a user names: a folder or zip of pictures, CelebA, idx files, CIFAR, or a built-in
//! set, as those of [`synthetic`]. [`prepare()`] decodes and resizes it once into a folder of
//! safetensors shards with a [`Manifest`]; [`cache::prepared`] does so in a cache. A [`Dataset`] is
//! such a folder, checked and opened; a [`Loader`] serves it in shuffled batches whose order is a
//! function of seed and position alone.
//!
//! The crate knows nothing of models. Pixels are u8 all the way; networks see them through
//! [`gan_core::image::normalize`].

pub mod cache;
mod catalog;
mod dataset;
mod decode;
mod error;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod loader;
mod manifest;
mod mapped;
mod photo;
mod pillow;
pub mod prepare;
mod preview;
mod resize;
mod sampling;
mod selection;
mod shape;
mod shard;
pub mod source;
mod storage;
pub mod synthetic;
mod transform;

pub use dataset::{Dataset, Frequency};
pub use decode::panics_are_expected;
pub use error::DataError;
pub use loader::{Batch, Loader, LoaderConfig, LoaderPosition, Waiting};
pub use manifest::{Manifest, ShardEntry, SourceId, is_prepared};
pub use photo::Photo;
pub use prepare::{PrepareOptions, Prepared, Progress, Skipped, Stage, prepare};
pub use sampling::Sampling;
pub use selection::Selection;
pub use shape::{SampleShape, Split, SplitCounts};
pub use source::Source;
pub use storage::Storage;
pub use transform::{
    Color, Crop, Filter, Resize, ResizeMode, Transform, TransformOptions, parse_size,
};
