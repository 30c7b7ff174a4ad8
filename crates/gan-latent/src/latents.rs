//! Latents together, and on disk: a safetensors file with one tensor `(N, size)` a part, named as the part.

use std::path::Path;

use candle_core::{Device, Tensor};
use gan_core::file;
use gan_models::{Latent, LatentBatch};

use crate::error::LatentError;

/// The latents of all batches, which are of one kind, one after the other; none where there is no batch.
pub(crate) fn join(batches: &[LatentBatch]) -> Result<Option<LatentBatch>, LatentError> {
    let Some(first) = batches.first() else { return Ok(None) };
    let joined = first.latent().batch(|name| {
        Tensor::cat(&batches.iter().filter_map(|batch| batch.part(name)).collect::<Vec<_>>(), 0)
    })?;
    Ok(Some(joined))
}

/// [`join`], where there has to be a batch.
pub(crate) fn joined(batches: &[LatentBatch]) -> Result<LatentBatch, LatentError> {
    let none = || candle_core::Error::Msg("0 latents, expected 1 or more".into());
    Ok(join(batches)?.ok_or_else(none)?)
}

/// Some of a batch's latents, in the order of `indices`; one may come again.
///
/// # Errors
/// If an index is out of range, or there is none.
pub fn select(latents: &LatentBatch, indices: &[usize]) -> Result<LatentBatch, LatentError> {
    let one = |i: &usize| latents.narrow(*i, 1);
    joined(&indices.iter().map(one).collect::<Result<Vec<_>, _>>()?)
}

/// Writes latents; the file is there whole or not at all.
pub fn write(latents: &LatentBatch, path: &Path) -> Result<(), LatentError> {
    let wrong = |e: safetensors::SafeTensorError| LatentError::Latents {
        path: path.into(),
        reason: e.to_string(),
    };
    let parts = latents
        .parts()
        .map(|(name, values)| Ok((name, values.to_device(&Device::Cpu)?.contiguous()?)))
        .collect::<Result<Vec<(&str, Tensor)>, candle_core::Error>>()?;
    let bytes = safetensors::serialize(parts, None).map_err(wrong)?;
    Ok(file::write_bytes(path, &bytes)?)
}

/// Reads latents that fit `latent`, one or more.
pub fn read(latent: &Latent, path: &Path, device: &Device) -> Result<LatentBatch, LatentError> {
    let wrong = |reason: String| LatentError::Latents { path: path.into(), reason };
    let bytes = fs_err::read(path).map_err(gan_core::Error::from)?;
    let tensors =
        candle_core::safetensors::load_buffer(&bytes, device).map_err(|e| wrong(e.to_string()))?;
    let batch = latent.batch(|name| match tensors.get(name) {
        Some(values) => Ok(values.clone()),
        None => candle_core::bail!("there is no part {name:?}"),
    });
    match batch {
        Ok(none) if none.is_empty() => Err(wrong("it has 0 latents".into())),
        batch => batch.map_err(|e| wrong(e.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gan_core::Stream;

    #[test]
    fn latents_come_back_as_they_were() -> Result<(), LatentError> {
        let folder = tempfile::tempdir().map_err(gan_core::Error::from)?;
        let path = folder.path().join("z.safetensors");
        let latent = Latent::normal(5);
        let batch = latent.sample(3, &mut Stream::named("test", 0), &Device::Cpu)?;
        write(&batch, &path)?;
        let again = read(&latent, &path, &Device::Cpu)?;
        assert_eq!(again.encode()?.to_vec2::<f32>()?, batch.encode()?.to_vec2::<f32>()?);
        let message = read(&Latent::normal(6), &path, &Device::Cpu).expect_err("6 ≠ 5").to_string();
        assert!(message.contains("z.safetensors") && message.contains('6'), "{message}");
        write(&batch.narrow(0, 0)?, &path)?;
        let message = read(&latent, &path, &Device::Cpu).expect_err("none").to_string();
        assert!(message.contains("z.safetensors: it has 0 latents"), "{message}");
        Ok(())
    }
}
