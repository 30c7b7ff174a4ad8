//! What the tests of the kernels share: recorded values, seeded inputs, errors relative to the largest value, a second
//! run on other instruction sets.
#![allow(dead_code, clippy::unwrap_used)] // every test binary takes its part

pub(crate) mod layers;
pub(crate) mod naive;

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use candle_core::{DType, Device, Result, Tensor, Var};
use gan_kernels::{Activation, BatchMoments, FeatureMaps, simd_name};

/// Every activation, by its name in recorded values.
pub(crate) const ACTIVATIONS: [(&str, Activation); 5] = [
    ("identity", Activation::Identity),
    ("relu", Activation::Relu),
    ("leaky_relu", Activation::LeakyRelu(0.2)),
    ("tanh", Activation::Tanh),
    ("sigmoid", Activation::Sigmoid),
];

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

/// [`FeatureMaps::batch_norm_train`] of a tensor, whose shape stays.
pub(crate) fn batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<(Tensor, BatchMoments)> {
    let maps = FeatureMaps::from_tensor(x)?;
    let (y, moments) = maps.batch_norm_train(weight, bias, eps, activation)?;
    Ok((y.to_tensor()?.reshape(x.dims())?, moments))
}

/// [`FeatureMaps::batch_norm_eval`] of a tensor, whose shape stays.
pub(crate) fn batch_norm_eval(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    running_mean: &Tensor,
    running_var: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<Tensor> {
    let maps = FeatureMaps::from_tensor(x)?;
    let y = maps.batch_norm_eval(weight, bias, running_mean, running_var, eps, activation)?;
    y.to_tensor()?.reshape(x.dims())
}

/// Runs the tests of this binary again on each other instruction set that every machine of its kind may have. In such a
/// run, checks that the kernels took the one that was asked for.
pub(crate) fn assert_all_pass_on_other_instruction_sets() {
    const VARIABLE: &str = "GAN_KERNELS_SIMD";
    if let Ok(forced) = std::env::var(VARIABLE)
        && !forced.is_empty()
    {
        assert_eq!(simd_name(), forced);
        return;
    }
    #[cfg(target_arch = "x86_64")]
    let avx2 =
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    let avx2 = false;
    let names = [Some("portable"), avx2.then_some("avx2")];
    for name in names.into_iter().flatten().filter(|&name| name != simd_name()) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.arg("--quiet").env(VARIABLE, name).output().unwrap();
        assert!(
            output.status.success(),
            "on {name}:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
