//! Samples: seeded latents and the images that a generator makes of them.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use candle_nn::ModuleT;
use gan_core::grid::Grid;
use gan_core::{Image, Stream, image};
use gan_models::{Latent, LatentBatch, Truncation};

use crate::error::LatentError;
use crate::latents;

/// Images that go through a generator at once: enough to keep all cores busy, few enough for memory.
pub(crate) const BATCH: usize = 64;

/// Latents and the images a generator made of them.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The latents, in the order of the images.
    pub latents: LatentBatch,
    /// The images.
    pub images: Vec<Image>,
}

/// `n` latents for a seed: the first ones are the same whatever `n` is.
pub fn seeded(
    latent: &Latent,
    n: usize,
    seed: u64,
    truncation: Option<Truncation>,
    device: &Device,
) -> Result<LatentBatch, LatentError> {
    seeded_at(latent, &(0..n).collect::<Vec<_>>(), seed, truncation, device)
}

/// The latents of a seed at some indices: the same that [`seeded`] has there.
pub fn seeded_at(
    latent: &Latent,
    indices: &[usize],
    seed: u64,
    truncation: Option<Truncation>,
    device: &Device,
) -> Result<LatentBatch, LatentError> {
    // One stream an image, so that image 7 of seed 3 is the same in a grid of 8 and of 800.
    let one = |i: &usize| {
        let stream = &mut Stream::indexed("sample", seed, *i as u64);
        latent.sample_truncated(1, stream, truncation, device)
    };
    latents::joined(&indices.iter().map(one).collect::<Result<Vec<_>, _>>()?)
}

/// The first latent of each of some seeds.
///
/// # Errors
/// If there is no seed.
pub fn first_of_seeds(
    latent: &Latent,
    seeds: &[u64],
    device: &Device,
) -> Result<LatentBatch, LatentError> {
    let first = |seed: &u64| seeded(latent, 1, *seed, None, device);
    let firsts = seeds.iter().map(first).collect::<Result<Vec<_>, _>>()?;
    let none = || candle_core::Error::Msg("0 seeds, expected 1 or more".into());
    Ok(latents::join(&firsts)?.ok_or_else(none)?)
}

impl Samples {
    /// Runs latents through a generator, in batches; `progress` is told how many images are done.
    pub fn generate(
        generator: &impl ModuleT,
        latents: LatentBatch,
        progress: impl Fn(usize),
    ) -> Result<Self, LatentError> {
        let images = images_of(generator, &latents.encode()?, progress)?;
        Ok(Self { latents, images })
    }

    /// Writes one grid to `path` and the latents beside it, as [`latents_path`] says; `numbers`, where there are any, stand
    /// below the images.
    pub fn write_grid(&self, path: &Path, numbers: Option<&[usize]>) -> Result<(), LatentError> {
        let width = self.images.first().map_or(0, Image::width);
        let grid = Grid::for_images(self.images.len(), width);
        let grid = match numbers {
            Some(numbers) => grid.with_captions(numbers),
            None => grid,
        };
        grid.render(&self.images)?.write_png(path)?;
        latents::write(&self.latents, &latents_path(path))
    }

    /// Writes each image into a folder, named by its place, `00007.png`, and the latents beside them.
    pub fn write_separate(&self, folder: &Path) -> Result<(), LatentError> {
        for (i, image) in self.images.iter().enumerate() {
            image.write_png(&folder.join(separate_name(i)))?;
        }
        latents::write(&self.latents, &folder.join("latents.safetensors"))
    }
}

/// The images that a generator makes of `(N, encoded_size)`, in batches; `progress` is told how many are done.
///
/// # Errors
/// If the generator does not fit what it reads.
pub fn images_of(
    generator: &impl ModuleT,
    encoded: &Tensor,
    progress: impl Fn(usize),
) -> Result<Vec<Image>, LatentError> {
    let mut images = Vec::with_capacity(encoded.dim(0)?);
    in_batches(generator, encoded, |batch| {
        images.extend(image::from_tensor(batch)?);
        progress(images.len());
        Ok::<_, LatentError>(())
    })?;
    Ok(images)
}

/// Hands the images `(N, C, H, W)` in [−1, 1] that a generator makes of `(N, encoded_size)` to `each`, batch after batch.
///
/// # Errors
/// If the generator does not fit what it reads, and those of `each`.
pub fn in_batches<E: From<LatentError>>(
    generator: &impl ModuleT,
    encoded: &Tensor,
    mut each: impl FnMut(&Tensor) -> Result<(), E>,
) -> Result<(), E> {
    let tensor = |e: candle_core::Error| E::from(LatentError::from(e));
    let n = encoded.dim(0).map_err(tensor)?;
    for from in (0..n).step_by(BATCH) {
        let part = encoded.narrow(0, from, BATCH.min(n - from)).map_err(tensor)?;
        each(&generator.forward_t(&part, false).map_err(tensor)?)?;
    }
    Ok(())
}

fn separate_name(i: usize) -> String {
    format!("{i:05}.png")
}

/// Images of a folder, in order, that are named as [`Samples::write_separate`] names them, and that `n` images written there
/// leave: none of their latents would be beside them.
///
/// # Errors
/// If the folder is there and cannot be read.
pub fn left_by(folder: &Path, n: usize) -> Result<Vec<PathBuf>, LatentError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let number = |path: &PathBuf| {
        let number: usize = path.file_stem()?.to_str()?.parse().ok()?;
        (path.file_name()?.to_str()? == separate_name(number)).then_some(number)
    };
    let mut left = Vec::new();
    for entry in fs_err::read_dir(folder).map_err(gan_core::Error::from)? {
        let path = entry.map_err(gan_core::Error::from)?.path();
        left.extend(number(&path).filter(|i| *i >= n).map(|i| (i, path)));
    }
    left.sort();
    Ok(left.into_iter().map(|(_, path)| path).collect())
}

/// Where the latents of a grid go: its name with the ending `.safetensors`.
pub fn latents_path(grid: &Path) -> PathBuf {
    grid.with_extension("safetensors")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows the latent itself: `(N, 12)` as 2×2 RGB.
    struct Show;

    impl ModuleT for Show {
        fn forward_t(&self, z: &Tensor, _train: bool) -> candle_core::Result<Tensor> {
            z.reshape(((), 3, 2, 2))?.tanh()
        }
    }

    #[test]
    fn an_image_does_not_depend_on_how_many_are_drawn() -> Result<(), LatentError> {
        let latent = Latent::normal(12);
        let few = Samples::generate(&Show, seeded(&latent, 3, 9, None, &Device::Cpu)?, |_| ())?;
        let many =
            Samples::generate(&Show, seeded(&latent, BATCH + 5, 9, None, &Device::Cpu)?, |_| ())?;
        assert_eq!(many.images.len(), BATCH + 5);
        assert_eq!(few.images, many.images[..3]);
        let other = Samples::generate(&Show, seeded(&latent, 3, 10, None, &Device::Cpu)?, |_| ())?;
        assert_ne!(few.images, other.images);
        Ok(())
    }

    #[test]
    fn written_samples_are_all_there() -> Result<(), LatentError> {
        let folder = tempfile::tempdir().map_err(gan_core::Error::from)?;
        let latent = Latent::normal(12);
        let samples = Samples::generate(&Show, seeded(&latent, 4, 0, None, &Device::Cpu)?, |_| ())?;
        let grid = folder.path().join("grid.png");
        samples.write_grid(&grid, Some(&[0, 1, 2, 3]))?;
        assert!(grid.is_file() && folder.path().join("grid.safetensors").is_file());
        samples.write_separate(folder.path())?;
        assert_eq!(Image::read(&folder.path().join("00003.png"))?, samples.images[3]);
        let left = |n| left_by(folder.path(), n);
        assert_eq!((left(4)?.len(), left_by(&folder.path().join("nowhere"), 0)?.len()), (0, 0));
        let names = ["00001.png", "00002.png", "00003.png"].map(|name| folder.path().join(name));
        assert_eq!(left(1)?, names, "neither the grid nor the latents are such images");
        Ok(())
    }
}
