//! Adam and the gradient norm.
#![allow(clippy::unwrap_used)]

mod common;

use candle_core::{DType, IndexOp, Tensor, Var};
use common::{Golden, assert_close, noise, values, var};
use gan_kernels::{Adam, AdamConfig, Ema, gradient_norm};

const CONFIG: AdamConfig =
    AdamConfig { lr: 3e-2, beta1: 0.5, beta2: 0.999, eps: 1e-8, weight_decay: 1e-2 };

fn named(var: &Var) -> Vec<(String, Var)> {
    vec![("w".to_string(), var.clone())]
}

/// A step with the given gradient.
fn step(adam: &mut Adam, var: &Var, grad: &Tensor) {
    let grads = (var.as_tensor() * grad).unwrap().sum_all().unwrap().backward().unwrap();
    adam.step(&grads).unwrap();
}

#[test]
fn the_first_step_moves_by_the_learning_rate() {
    let w = var(&noise(&[50], 1));
    let before = values(&w);
    let mut adam = Adam::new(named(&w), AdamConfig { weight_decay: 0.0, ..CONFIG }).unwrap();
    step(&mut adam, &w, &noise(&[50], 2));
    for ((before, after), grad) in before.iter().zip(values(&w)).zip(values(&noise(&[50], 2))) {
        assert!((before - after - CONFIG.lr * grad.signum()).abs() < 1e-6);
    }
}

/// Values: tests/golden/kernels.py.
#[test]
fn twenty_steps_match_pytorch() {
    let golden = Golden::load("adam");
    for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 2e-6)] {
        let get = |key: &str| golden.get(key).to_dtype(dtype).unwrap();
        let w = var(&get("start"));
        let shared = w.as_detached_tensor();
        let mut adam = Adam::new(named(&w), CONFIG).unwrap();
        for i in 0..20 {
            step(&mut adam, &w, &get("grads").i(i).unwrap());
        }
        assert_eq!(adam.steps(), 20);
        assert_close("parameter", &w, golden.get("end"), tolerance);
        assert_close("the storage is the same", &shared, golden.get("end"), tolerance);
        let state = adam.state().unwrap();
        assert_eq!((state[0].0.as_str(), state[1].0.as_str()), ("w.exp_avg", "w.exp_avg_sq"));
        assert_close("mean", &state[0].1, golden.get("exp_avg"), tolerance);
        assert_close("square", &state[1].1, golden.get("exp_avg_sq"), tolerance);
    }
}

#[test]
fn a_loaded_state_continues_bit_for_bit() {
    let grads: Vec<Tensor> = (0..6).map(|seed| noise(&[40], seed)).collect();
    let straight = var(&noise(&[40], 9));
    let mut adam = Adam::new(named(&straight), CONFIG).unwrap();
    grads.iter().for_each(|grad| step(&mut adam, &straight, grad));

    let resumed = var(&noise(&[40], 9));
    let mut first = Adam::new(named(&resumed), CONFIG).unwrap();
    grads[..3].iter().for_each(|grad| step(&mut first, &resumed, grad));
    let state = first.state().unwrap();
    let mut second = Adam::new(named(&resumed), CONFIG).unwrap();
    let find = |name: &str| Ok(state.iter().find(|(n, _)| n == name).unwrap().1.clone());
    second.load_state(first.steps(), find).unwrap();
    grads[3..].iter().for_each(|grad| step(&mut second, &resumed, grad));
    assert_eq!(values(&straight), values(&resumed));
}

#[test]
fn a_state_that_does_not_fit_is_named_and_changes_nothing() {
    let w = var(&noise(&[4], 1));
    let mut adam = Adam::new(named(&w), CONFIG).unwrap();
    let error = adam.load_state(5, |_| Ok(noise(&[3], 1))).unwrap_err().to_string();
    assert!(error.contains("w.exp_avg is [3]"), "{error}");
    let missing = |name: &str| candle_core::bail!("no {name}");
    let error = adam.load_state(5, missing).unwrap_err().to_string();
    assert!(error.contains("w.exp_avg"), "{error}");
    assert_eq!(adam.steps(), 0);
}

#[test]
fn a_parameter_without_gradient_stays() {
    let (w, other) = (var(&noise(&[4], 1)), var(&noise(&[4], 2)));
    let params = vec![("w".to_string(), w.clone()), ("other".to_string(), other.clone())];
    let mut adam = Adam::new(params.clone(), CONFIG).unwrap();
    step(&mut adam, &w, &noise(&[4], 3));
    assert_eq!(values(&other), values(&noise(&[4], 2)));
    assert_ne!(values(&w), values(&noise(&[4], 1)));
    assert_eq!(values(&adam.state().unwrap()[2].1), [0.0; 4]);
}

#[test]
fn the_norm_is_that_of_all_gradients_together() {
    let (w, b) = (var(&noise(&[300, 700], 1)), var(&noise(&[7], 2)));
    let unused = var(&noise(&[7], 2));
    let loss = (w.sqr().unwrap().sum_all().unwrap() + b.sum_all().unwrap()).unwrap();
    let grads = loss.backward().unwrap();
    let squares: f64 = values(&w).iter().map(|v| 4.0 * v * v).sum();
    let params: Vec<_> = [&w, &b, &unused].map(|v| (String::new(), v.clone())).into();
    let norm = gradient_norm(&params, &grads).unwrap();
    assert!((norm / (squares + 7.0).sqrt() - 1.0).abs() < 1e-13);
}

#[test]
fn a_moving_average_is_the_geometric_sum() {
    for (dtype, tolerance) in [(DType::F64, 1e-14), (DType::F32, 1e-6)] {
        let start = noise(&[700], 1).to_dtype(dtype).unwrap();
        let w = var(&start);
        let mut ema = Ema::new(named(&w), 0.9).unwrap();
        let mut expected = (&start * 0.9f64.powi(5)).unwrap();
        for step in 1..=5 {
            let value = noise(&[700], 1 + step).to_dtype(dtype).unwrap();
            w.set(&value).unwrap();
            ema.update().unwrap();
            let weight = 0.1 * 0.9f64.powi(5 - step as i32);
            expected = (expected + (value * weight).unwrap()).unwrap();
        }
        let (name, average) = ema.averages().next().unwrap();
        assert_eq!(name, "w");
        assert_close("average", average, &expected.to_dtype(DType::F64).unwrap(), tolerance);
        // The parameter itself is another tensor.
        assert_eq!(values(&w), values(&noise(&[700], 6).to_dtype(dtype).unwrap()));
    }
}

#[test]
fn a_moving_average_continues_from_what_was_saved() {
    let w = var(&noise(&[40], 1));
    let mut ema = Ema::new(named(&w), 0.5).unwrap();
    let saved = noise(&[40], 2);
    ema.load(|_| Ok(saved.clone())).unwrap();
    ema.update().unwrap();
    let expected = ((&saved + w.as_tensor()).unwrap() * 0.5).unwrap();
    assert_close("average", ema.averages().next().unwrap().1, &expected, 1e-15);
    assert!(ema.load(|_| Ok(noise(&[41], 2))).unwrap_err().to_string().contains("[41]"));
    assert!(Ema::new(named(&w), 1.5).unwrap_err().to_string().contains("[0, 1]"));
}
