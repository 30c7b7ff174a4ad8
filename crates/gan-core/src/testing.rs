//! Comparisons with recorded references, for the tests of all crates.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};

/// How far a value may be from its reference: `|value − reference| ≤ atol + rtol·|reference|`.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Relative part.
    pub rtol: f64,
    /// Absolute part.
    pub atol: f64,
}

/// Panics with the worst place unless two tensors agree in shape and, within `tolerance`, in value.
#[track_caller]
pub fn assert_close(value: &Tensor, reference: &Tensor, tolerance: Tolerance) {
    assert_eq!(value.dims(), reference.dims(), "shapes differ");
    let flat = |t: &Tensor| -> Result<Vec<f64>> {
        t.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()
    };
    let value = flat(value).expect("a tensor of numbers");
    let reference = flat(reference).expect("a tensor of numbers");
    let mut worst = (0, f64::NEG_INFINITY);
    for (i, (v, r)) in value.iter().zip(&reference).enumerate() {
        let excess = (v - r).abs() - tolerance.atol - tolerance.rtol * r.abs();
        let excess = if excess.is_nan() { f64::INFINITY } else { excess };
        if excess > worst.1 {
            worst = (i, excess);
        }
    }
    let (i, excess) = worst;
    assert!(
        excess <= 0.0,
        "value {} at flat index {i} is not the reference's {} within {tolerance:?}",
        value[i],
        reference[i],
    );
}

/// Tensors recorded by a script that stands beside them.
pub struct Golden {
    tensors: HashMap<String, Tensor>,
}

impl Golden {
    /// Reads a safetensors file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { tensors: candle_core::safetensors::load(path, &Device::Cpu)? })
    }

    /// One tensor; panics with the names there are where it is missing.
    #[track_caller]
    pub fn get(&self, name: &str) -> &Tensor {
        self.tensors.get(name).unwrap_or_else(|| {
            let mut names: Vec<_> = self.tensors.keys().collect();
            names.sort();
            panic!("no tensor {name:?} among {names:?}")
        })
    }

    /// All tensors whose name begins with `prefix`, the prefix removed.
    pub fn with_prefix(&self, prefix: &str) -> HashMap<String, Tensor> {
        self.tensors
            .iter()
            .filter_map(|(name, t)| Some((name.strip_prefix(prefix)?.to_string(), t.clone())))
            .collect()
    }
}
