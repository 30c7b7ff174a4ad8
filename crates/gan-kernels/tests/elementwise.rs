//! Activations, losses on logits.
#![allow(clippy::unwrap_used)]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{Golden, assert_close, gradients, noise, values, var};
use gan_kernels::{Activation, activate, bce_with_logits, softplus};

fn slope_at(x: f32, activation: Activation) -> f32 {
    let x = Var::new(&[x], &Device::Cpu).unwrap();
    let grads = activate(&x, activation).unwrap().backward().unwrap();
    grads.get(&x).unwrap().to_vec1::<f32>().unwrap()[0]
}

#[test]
fn relu_is_flat_at_zero() {
    assert_eq!(slope_at(0.0, Activation::Relu), 0.0);
    assert_eq!(slope_at(1e-30, Activation::Relu), 1.0);
    assert_eq!(slope_at(0.0, Activation::LeakyRelu(0.2)), 0.2);
}

#[test]
fn nan_passes_through_every_activation() {
    let x = Tensor::new(&[f32::NAN], &Device::Cpu).unwrap();
    use Activation::{LeakyRelu, Relu, Sigmoid, Tanh};
    for activation in [Relu, LeakyRelu(0.2), Tanh, Sigmoid] {
        assert!(values(&activate(&x, activation).unwrap())[0].is_nan(), "{activation:?}");
    }
    assert!(values(&softplus(&x).unwrap())[0].is_nan());
    assert!(values(&bce_with_logits(&x, 1.0).unwrap())[0].is_nan());
}

#[test]
fn activations_and_slopes_equal_their_formulas() {
    let x = noise(&[3, 5000], 1).affine(6.0, 0.0).unwrap(); // more than one chunk
    type Formula = fn(f64) -> f64;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let cases: [(Activation, Formula, Formula); 4] = [
        (Activation::Relu, |x| x.max(0.0), |x| f64::from(u8::from(x > 0.0))),
        (Activation::LeakyRelu(0.1), |x| x.max(0.1 * x), |x| if x > 0.0 { 1.0 } else { 0.1 }),
        (Activation::Tanh, f64::tanh, |x| 1.0 - x.tanh().powi(2)),
        (Activation::Sigmoid, sigmoid, |x| {
            let y = 1.0 / (1.0 + (-x).exp());
            y * (1.0 - y)
        }),
    ];
    for (activation, value, slope) in cases {
        // Values within 1e-7 of at most 1, slopes of at most ¼.
        for (dtype, tolerance) in [(DType::F64, 1e-14), (DType::F32, 1e-6)] {
            let x = var(&x.to_dtype(dtype).unwrap());
            let y = activate(&x, activation).unwrap();
            let expected = |f: Formula| {
                let values: Vec<f64> = values(&x).into_iter().map(f).collect();
                Tensor::from_vec(values, x.shape(), &Device::Cpu).unwrap()
            };
            assert_close("value", &y, &expected(value), tolerance);
            let grads = gradients(&y, &y.ones_like().unwrap(), &[&x]);
            assert_close("slope", &grads[0], &expected(slope), tolerance);
        }
    }
}

#[test]
fn losses_are_exact_far_from_zero() {
    let x = Tensor::new(&[100f32, -100.0, 0.0], &Device::Cpu).unwrap();
    let y = values(&softplus(&x).unwrap());
    assert_eq!(y[0], 100.0);
    assert_eq!(y[1], f64::from((-100f64).exp() as f32)); // subnormal in f32
    assert!((y[2] - std::f64::consts::LN_2).abs() < 1e-7);
    let at = |logit: f32, target| {
        let logit = Tensor::new(&[logit], &Device::Cpu).unwrap();
        values(&bce_with_logits(&logit, target).unwrap())[0]
    };
    assert_eq!(at(100.0, 0.0), 100.0);
    assert_eq!(at(-100.0, 1.0), 100.0);
    assert_eq!(at(f32::INFINITY, 1.0), 0.0);
    assert!(at(100.0, 1.0) < 1e-40);
    assert!((at(0.0, 0.3) - std::f64::consts::LN_2).abs() < 1e-7);
    assert!(bce_with_logits(&x, 1.1).is_err());
}

/// Values: tests/golden/kernels.py.
#[test]
fn losses_match_pytorch() {
    let golden = Golden::load("layers");
    let logits = var(golden.get("bce.logits"));
    for (name, target) in [("0.0", 0.0), ("0.9", 0.9), ("1.0", 1.0)] {
        let loss = bce_with_logits(&logits, target).unwrap();
        assert_eq!(loss.rank(), 0);
        assert_close(name, &loss, golden.get(&format!("bce.{name}.loss")), 1e-14);
        let grads = loss.backward().unwrap();
        let expected = golden.get(&format!("bce.{name}.grad"));
        assert_close(name, grads.get(&logits).unwrap(), expected, 1e-14);
    }
    let y = softplus(&logits).unwrap();
    assert_close("softplus", &y, golden.get("softplus.y"), 1e-14);
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert_close("softplus", grads.get(&logits).unwrap(), golden.get("softplus.grad"), 1e-14);
}
