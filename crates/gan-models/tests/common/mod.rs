//! What the golden tests of small networks share, as tests/golden/golden_values.py.

#![allow(dead_code)] // Each test takes what it needs.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor};
use gan_core::testing::{Golden, Tolerance, assert_close};
use gan_models::ParamStore;

/// f32 sums of at most 3136 terms over five layers, against float64.
pub(crate) const CLOSE: Tolerance = Tolerance { rtol: 2e-5, atol: 5e-6 };

pub(crate) fn store(network: &str) -> ParamStore {
    ParamStore::seeded(network, 0, &Device::Cpu)
}

/// As in tests/golden/golden_values.py: values in [−1, 1) of 24 bits, by FNV-1a of the name and murmur3's
/// finalizer over the index.
pub(crate) fn hashed(name: &str, count: usize) -> Vec<f64> {
    let fnv = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    let seed = name.bytes().fold(2_166_136_261, fnv);
    let value = |index: u32| {
        let mut x = index ^ seed;
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        f64::from((x ^ (x >> 16)) >> 8) / f64::from(1 << 23) - 1.0
    };
    (0..count as u32).map(value).collect()
}

pub(crate) fn input(name: &str, dims: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(hashed(name, dims.iter().product()), dims, &Device::Cpu)?.to_dtype(DType::F32)
}

/// Gives a network the weights that its reference had.
pub(crate) fn fill(store: &ParamStore) -> Result<()> {
    let dims: HashMap<_, _> =
        store.tensors().into_iter().map(|(name, var)| (name, var.dims().to_vec())).collect();
    store.load(|name| {
        let dims = &dims[name];
        let count: usize = dims.iter().product();
        let (center, scale) = match dims.len() {
            _ if name.ends_with("norm.weight") || name.ends_with("running_var") => (1.0, 0.5),
            1 => (0.0, 0.125),
            _ => (0.0, (4.0 / (count / dims[0]) as f64).sqrt()),
        };
        let values = hashed(name, count).into_iter().map(|x| (center + scale * x) as f32);
        Tensor::from_vec(values.collect::<Vec<_>>(), &dims[..], &Device::Cpu)
    })
}

/// A loss that weighs every output differently.
pub(crate) fn weighted(outputs: &Tensor) -> Result<Tensor> {
    let count = outputs.elem_count();
    let weights = Tensor::arange(1f32, count as f32 + 1.0, &Device::Cpu)?;
    (outputs.flatten_all()? * weights)?.sum_all()? / count as f64
}

/// Compares the gradient of every parameter: its norm, and every 997th value.
pub(crate) fn assert_gradients(
    golden: &Golden,
    prefix: &str,
    store: &ParamStore,
    grads: &GradStore,
) {
    for (name, var) in store.parameters() {
        let grad = grads.get(&var).expect("a gradient reaches every parameter");
        let grad: Vec<f32> = grad.flatten_all().and_then(|g| g.to_vec1()).expect("f32");
        let norm = grad.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let norm = Tensor::new(&[norm], &Device::Cpu).expect("small");
        let reference = golden.get(&format!("{prefix}.norm.{name}"));
        assert_close(&norm, reference, Tolerance { rtol: 1e-4, atol: 0.0 });

        let some: Vec<f32> = grad.iter().step_by(997).copied().collect();
        let some = Tensor::new(some, &Device::Cpu).expect("small");
        let norm: f64 = reference.squeeze(0).and_then(|n| n.to_scalar()).expect("f64");
        // A value is a sum whose terms cancel: its error is of a usual value's size.
        let atol = 1e-3 * norm / (grad.len() as f64).sqrt();
        let reference = golden.get(&format!("{prefix}.grad.{name}"));
        assert_close(&some, reference, Tolerance { rtol: 1e-4, atol });
    }
}
