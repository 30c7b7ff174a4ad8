//! safetensors (<https://github.com/huggingface/safetensors>): names, types, shapes and places as JSON, then elements.

use std::path::Path;

use candle_core::Tensor;
use safetensors::SafeTensors;

use super::element::{Element, check_shape};
use super::error::{StateDictError, shown};
use super::names::WRAPPED;

/// Whether a file begins with the length of a header, of at most what the format allows, and one. A pickle
/// never does, but one in 32 such lengths begins as pickles do.
pub(super) fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk() else { return false };
    u64::from_le_bytes(*length) <= 100_000_000 && rest.starts_with(b"{")
}

/// The tensors in the order in which their elements lie; those without any by name.
pub(super) fn tensors(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Tensor)>, StateDictError> {
    let wrong = |e: safetensors::SafeTensorError| {
        let found = shown(e.to_string().as_bytes()); // which may quote the file
        StateDictError::damaged(path, "a whole safetensors file", found)
    };
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(wrong)?;
    let data = &bytes[8 + header..];
    let mut infos: Vec<_> = metadata.tensors().into_iter().collect();
    infos.sort_by(|(a, x), (b, y)| (x.data_offsets, a).cmp(&(y.data_offsets, b)));
    let wrapped = infos.iter().all(|(name, _)| name.starts_with(WRAPPED));
    let mut tensors = Vec::with_capacity(infos.len());
    for (name, info) in infos {
        let Some(element) = Element::of_safetensors(info.dtype) else {
            let (path, element) = (path.into(), info.dtype.to_string());
            return Err(StateDictError::Element { path, name: shown(name.as_bytes()), element });
        };
        check_shape(&info.shape).map_err(|found| {
            let expected = format!("a shape that fits memory for {}", shown(name.as_bytes()));
            StateDictError::damaged(path, expected, found)
        })?;
        let (start, end) = info.data_offsets;
        let tensor = element.tensor(&data[start..end], &info.shape)?; // in the file, as was checked
        let unwrapped = name.strip_prefix(WRAPPED).filter(|_| wrapped);
        tensors.push((unwrapped.map_or_else(|| name.clone(), Into::into), tensor));
    }
    Ok(tensors)
}
