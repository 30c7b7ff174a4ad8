//! What the tests of the kernels share: recorded values, seeded inputs, errors relative to the largest value.
#![allow(dead_code, clippy::unwrap_used)] // every test binary takes its part

pub(crate) mod naive;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};

/// Recorded tensors; values: tests/golden/kernels.py (PyTorch, float64).
pub(crate) struct Golden(HashMap<String, Tensor>);

impl Golden {
    pub(crate) fn load(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(format!("{name}.safetensors"));
        Self(candle_core::safetensors::load(path, &Device::Cpu).unwrap())
    }

    pub(crate) fn get(&self, name: &str) -> &Tensor {
        self.0.get(name).unwrap_or_else(|| panic!("no recorded tensor {name}"))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Largest difference over the largest expected value.
pub(crate) fn relative_error(got: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(got.dims(), expected.dims());
    let (got, expected) = (values(got), values(expected));
    let largest = expected.iter().fold(1e-30_f64, |a, b| a.max(b.abs()));
    let pairs = got.iter().zip(&expected);
    pairs.fold(0.0, |worst: f64, (a, b)| {
        let error = (a - b).abs() / largest;
        if error.is_nan() { f64::INFINITY } else { worst.max(error) }
    })
}

#[track_caller]
pub(crate) fn assert_close(what: &str, got: &Tensor, expected: &Tensor, tolerance: f64) {
    let error = relative_error(got, expected);
    assert!(error <= tolerance, "{what}: relative error {error:.2e} above {tolerance:.0e}");
}

/// All elements in f64.
pub(crate) fn values(x: &Tensor) -> Vec<f64> {
    let x = x.to_dtype(DType::F64).unwrap();
    x.flatten_all().unwrap().to_vec1().unwrap()
}

/// Numbers in (−1, 1) that depend on the seed alone (an LCG's upper bits).
pub(crate) fn noise(shape: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let values: Vec<f64> = (0..shape.iter().product())
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as f64 / f64::from(1u32 << 31) - 1.0
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A variable with the content of `x`.
pub(crate) fn var(x: &Tensor) -> Var {
    Var::from_tensor(&x.copy().unwrap()).unwrap()
}

/// Gradients of `Σ y · grad` for `vars`.
pub(crate) fn gradients(y: &Tensor, grad: &Tensor, vars: &[&Var]) -> Vec<Tensor> {
    let grads = (y * grad).unwrap().sum_all().unwrap().backward().unwrap();
    vars.iter().map(|v| grads.get(v).unwrap().clone()).collect()
}
