//! A user's own pictures in the form that a run's images have.

use std::path::Path;

use candle_core::{Device, Tensor};
use gan_core::image;
use gan_data::{Manifest, Photo};

use crate::explored::Explored;

/// A file's picture `(1, C, H, W)` in [−1, 1] on the CPU, cropped and resized as the run's data was, which is said.
pub(crate) fn read(path: &Path, explored: &Explored) -> anyhow::Result<Tensor> {
    let manifest: Manifest = serde_json::from_slice(&fs_err::read(explored.run.data())?)?;
    let photo = Photo::read(path, &manifest, explored.checkpoint.image()?)?;
    let (width, height) = photo.original;
    tracing::info!("{}: {width}×{height}, taken as {}", path.display(), photo.done);
    Ok(image::normalize(&image::to_tensor(&[photo.image], &Device::Cpu)?)?)
}
