//! Images from any source, prepared into shards and served in batches.
//!
//! A [`Source`] is what a user names: CelebA, idx files, a folder or zip of pictures, or one of the
//! built-in drawers of [`synthetic`]. [`prepare()`] decodes and resizes it once into a folder of
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
mod loader;
mod manifest;
mod mapped;
pub mod prepare;
mod resize;
mod shape;
mod shard;
pub mod source;
pub mod synthetic;
mod transform;

pub use dataset::Dataset;
pub use error::DataError;
pub use loader::{Batch, Loader, LoaderConfig, LoaderPosition};
pub use manifest::{Manifest, ShardEntry, SourceId};
pub use prepare::{PrepareOptions, Prepared, Progress, Skipped, prepare};
pub use shape::{Split, SplitCounts};
pub use source::Source;
pub use transform::{Color, Filter, Resize, Transform};
