//! Batch normalization with its activation: closed form, naive f64, recorded PyTorch.
#![allow(clippy::unwrap_used)]

mod common;

use candle_core::{DType, Tensor};
use common::{
    ACTIVATIONS, Golden, assert_all_pass_on_other_instruction_sets, assert_close, batch_norm_eval,
    batch_norm_train, gradients, noise, relative_error, values, var,
};
use gan_kernels::{Activation, activate};

#[test]
fn the_result_has_mean_bias_and_deviation_weight() {
    let x = noise(&[8, 3, 5, 7], 1).affine(3.0, 1000.0).unwrap();
    let weight = Tensor::new(&[1.0, 2.0, 0.5], x.device()).unwrap();
    let bias = Tensor::new(&[0.0, -1.0, 4.0], x.device()).unwrap();
    for dtype in [DType::F64, DType::F32] {
        let [x, weight, bias] = [&x, &weight, &bias].map(|t| t.to_dtype(dtype).unwrap());
        let (y, moments) = batch_norm_train(&x, &weight, &bias, 0.0, Activation::Identity).unwrap();
        assert_eq!(moments.count, 8 * 5 * 7);
        let by_channel = y.to_dtype(DType::F64).unwrap().transpose(0, 1).unwrap();
        let by_channel = by_channel.flatten_from(1).unwrap();
        let mean = by_channel.mean(1).unwrap();
        let centred = by_channel.broadcast_sub(&mean.unsqueeze(1).unwrap()).unwrap();
        let deviation = centred.sqr().unwrap().mean(1).unwrap().sqrt().unwrap();
        // In f32 the inputs near 1000 are given to 6e-5, against a deviation of 1.7.
        let tolerance = if dtype == DType::F64 { 1e-11 } else { 2e-4 };
        assert_close("mean", &mean, &bias, tolerance);
        assert_close("deviation", &deviation, &weight, tolerance);
    }
}

#[test]
fn moments_are_those_of_two_passes() {
    let x = noise(&[6, 4, 9, 3], 5).affine(1.0, 0.3).unwrap();
    let ones = Tensor::ones(4, DType::F64, x.device()).unwrap();
    let (_, moments) = batch_norm_train(&x, &ones, &ones, 1e-5, Activation::Relu).unwrap();
    let x = values(&x);
    for channel in 0..4 {
        let of_channel = (0..6 * 27).map(|i| x[(i / 27 * 4 + channel) * 27 + i % 27]);
        let mean = of_channel.clone().sum::<f64>() / 162.0;
        let variance = of_channel.map(|v| (v - mean).powi(2)).sum::<f64>() / 162.0;
        assert!((values(&moments.mean)[channel] - mean).abs() < 1e-14);
        assert!((values(&moments.variance)[channel] - variance).abs() < 1e-14);
    }
}

/// Values: tests/golden/kernels.py.
#[test]
fn values_and_gradients_match_pytorch() {
    let golden = Golden::load("layers");
    for rank in ["norm_4d", "norm_2d"] {
        for (name, activation) in ACTIVATIONS {
            for mode in ["train", "eval"] {
                // f64: rounding alone; f32: normalized values are given to a few 1e-7.
                for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 5e-6)] {
                    let case = format!("{rank}.{name}.{mode}");
                    let input =
                        |key: &str| golden.get(&format!("{rank}.{key}")).to_dtype(dtype).unwrap();
                    let (x, weight, bias) =
                        (var(&input("x")), var(&input("weight")), var(&input("bias")));
                    let y = if mode == "train" {
                        batch_norm_train(&x, &weight, &bias, 1e-5, activation).unwrap().0
                    } else {
                        let (mean, variance) = (input("mean"), input("var"));
                        batch_norm_eval(&x, &weight, &bias, &mean, &variance, 1e-5, activation)
                            .unwrap()
                    };
                    let recorded = |key: &str| golden.get(&format!("{case}.{key}"));
                    assert_close(&case, &y, recorded("y"), tolerance);
                    let grads = gradients(&y, &input("g"), &[&x, &weight, &bias]);
                    for (key, grad) in ["x_grad", "weight_grad", "bias_grad"].iter().zip(&grads) {
                        assert_close(&format!("{case} {key}"), grad, recorded(key), tolerance);
                    }
                }
            }
        }
    }
}

#[test]
fn the_fused_activation_is_the_one_applied_after() {
    let x = noise(&[4, 17, 6, 6], 1).to_dtype(DType::F32).unwrap();
    let [weight, bias] = [2, 3].map(|s| noise(&[17], s).to_dtype(DType::F32).unwrap());
    for (name, activation) in ACTIVATIONS {
        let (fused, _) = batch_norm_train(&x, &weight, &bias, 1e-5, activation).unwrap();
        let (plain, _) = batch_norm_train(&x, &weight, &bias, 1e-5, Activation::Identity).unwrap();
        let after = activate(&plain, activation).unwrap();
        assert!(relative_error(&fused, &after) < 1e-6, "{name}");
    }
}

#[test]
fn frozen_parameters_get_no_gradient() {
    let x = var(&noise(&[4, 3, 2, 2], 1));
    let [weight, bias] = [2, 3].map(|s| noise(&[3], s));
    let (y, _) = batch_norm_train(&x, &weight, &bias, 1e-5, Activation::Relu).unwrap();
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&x).is_some());
    assert!(grads.get(&weight).is_none() && grads.get(&bias).is_none());
}

#[test]
fn equal_inputs_give_equal_bits() {
    let x = noise(&[16, 30, 9, 9], 1).to_dtype(DType::F32).unwrap();
    let ones = Tensor::ones(30, DType::F32, x.device()).unwrap();
    let run = || {
        let (x, w, b) = (var(&x), var(&ones), var(&ones));
        let (y, _) = batch_norm_train(&x, &w, &b, 1e-5, Activation::LeakyRelu(0.2)).unwrap();
        let grads = gradients(&y, &y.detach(), &[&x, &w, &b]);
        grads.iter().map(values).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn misfits_are_errors() {
    let x = noise(&[4, 3, 2, 2], 1);
    let (three, four) = (noise(&[3], 1), noise(&[4], 1));
    let error = |x: &Tensor, weight: &Tensor| {
        let result = batch_norm_train(x, weight, &three, 1e-5, Activation::Relu);
        result.unwrap_err().to_string()
    };
    assert!(error(&x, &four).contains("weight must be [3]"));
    assert!(error(&x.flatten_from(2).unwrap(), &three).contains("[N, C, H, W]"));
    assert!(
        error(
            &x.narrow(0, 0, 1).unwrap().narrow(2, 0, 1).unwrap().narrow(3, 0, 1).unwrap(),
            &three
        )
        .contains("more than one value")
    );
}

#[test]
fn all_holds_on_every_instruction_set() {
    assert_all_pass_on_other_instruction_sets();
}
