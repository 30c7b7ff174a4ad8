//! Weights that PyTorch and others saved: files of `torch.save`, the zip of today and what came before 1.6, and
//! safetensors.
//!
//! A file of `torch.save` contains a pickle, a program that may call any function of Python. Nothing of it is
//! run here: calls become plain values, a few names mean something (ordered dictionaries, tensors, parameters,
//! storages), and what any other one would have made is passed over, or refused by its name where a tensor is
//! made of it or nothing else is there.
//!
//! What a file makes us take is bounded by its length. No length in it is believed before the bytes are there.
//! Its pickles have at most 2²² opcodes, for each of which they take about 100 bytes; dictionaries lie in each
//! other at most 64 deep; the names of tensors take at most 16 times the bytes of the pickle and 1 MiB; and their
//! elements at most 4 times the bytes of the file and 16 MiB, which matters where a tensor was expanded from
//! fewer elements than it has.

mod element;
mod error;
mod legacy;
mod names;
mod pickle;
mod safetensors;
mod storage;
mod torch_zip;
mod view;

use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;

pub use error::StateDictError;
use error::shown;
use pickle::{MAX_OPCODES, Pickle};
use storage::{Builder, Storages};

/// Tensors by name as a file holds them, in its order.
///
/// Names of nested dictionaries are joined by dots, places in lists and tuples are numbers:
/// `{"epoch": 3, "netG": {"main.0.weight": …}}` has `netG.main.0.weight`. What is no tensor is left out, but a
/// module that has some is refused. The `module.` that DataParallel puts before names is taken from those of
/// every dictionary whose tensors all have it.
///
/// Tensors are contiguous, on the CPU and of the type that the file has, but for those that candle lacks: bool
/// becomes `U8`, int8 `I16` and uint16 `U32`. Tensors that are the same part of the same storage, such as tied
/// weights, share their elements.
#[derive(Clone, Debug)]
pub struct StateDict {
    tensors: Vec<(String, Tensor)>,
    places: HashMap<String, usize>,
}

impl StateDict {
    /// Reads a file. Its content says of what format it is, not its name.
    ///
    /// # Errors
    /// If it cannot be read, is none of these formats or was damaged; if it is a whole module in place of its
    /// state dict, or has no tensors that can be had without running code; if a tensor is of a type that candle
    /// lacks (complex, quantized).
    pub fn read(path: &Path) -> Result<Self, StateDictError> {
        Self::parse(path, &fs_err::read(path)?)
    }

    /// As [`StateDict::read`], of the bytes of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`StateDict::read`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, StateDictError> {
        if bytes.starts_with(b"PK\x03\x04") {
            let (pickle, storages) = torch_zip::open(path, bytes)?;
            let pickle = Pickle::read(path, pickle, &mut { MAX_OPCODES })?;
            return Self::of_pickle(path, bytes.len(), &pickle, || Ok(storages));
        }
        if safetensors::is_safetensors(bytes) {
            return Self::new(path, safetensors::tensors(path, bytes)?);
        }
        if legacy::is_pickle(bytes) {
            let file = legacy::open(path, bytes)?;
            let storages = || legacy::storages(path, &file);
            return Self::of_pickle(path, bytes.len(), &file.object, storages);
        }
        let found = match bytes.get(257..262) {
            Some(b"ustar") => "a tar, as the first releases of PyTorch wrote it",
            _ if bytes.is_empty() => "an empty file",
            _ => "another kind of file",
        };
        Err(StateDictError::other(path, "weights saved by torch.save or as safetensors", found))
    }

    /// The tensors in the order of the file.
    pub fn tensors(&self) -> &[(String, Tensor)] {
        &self.tensors
    }

    /// One tensor.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.places.get(name).map(|place| &self.tensors[*place].1)
    }

    fn of_pickle<'a>(
        path: &Path,
        file_length: usize,
        pickle: &Pickle<'a>,
        storages: impl FnOnce() -> Result<Storages<'a>, StateDictError>,
    ) -> Result<Self, StateDictError> {
        let views = names::tensors(path, pickle)?;
        let mut builder = Builder::new(path, file_length, storages()?);
        let tensors = views.into_iter().map(|(name, view)| {
            let tensor = builder.tensor(&name, view)?;
            Ok((name, tensor))
        });
        Self::new(path, tensors.collect::<Result<_, StateDictError>>()?)
    }

    fn new(path: &Path, tensors: Vec<(String, Tensor)>) -> Result<Self, StateDictError> {
        let mut places = HashMap::with_capacity(tensors.len());
        for (place, (name, _)) in tensors.iter().enumerate() {
            if places.insert(name.clone(), place).is_some() {
                let found = format!("two of {}", shown(name.as_bytes()));
                return Err(StateDictError::other(path, "one tensor of a name", found));
            }
        }
        if tensors.is_empty() {
            return Err(StateDictError::other(path, "a dictionary of tensors", "one without any"));
        }
        Ok(Self { tensors, places })
    }
}
