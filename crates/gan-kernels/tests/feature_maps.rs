//! Layers on feature maps: the functions on tensors that they stand for, recorded PyTorch.
#![allow(clippy::unwrap_used)]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::layers::{PRECISIONS, assert_equal, finish, maps, weights};
use common::{
    ACTIVATIONS, Golden, assert_all_pass_on_other_instruction_sets, assert_close, batch_norm_train,
    gradients, noise, values, var,
};
use gan_kernels::{
    Activation, ConvGeometry, FeatureMaps, backward, bce_with_logits, conv_transpose2d, conv2d,
};

#[test]
fn constant_channels_lie_beside_the_others() {
    let told = noise(&[3, 2], 5);
    assert_equal(
        "constant channels",
        &[noise(&[3, 4, 5, 2], 1), told.clone()],
        |vars| maps(&vars[0]).with_constant_channels(&vars[1]).unwrap().to_tensor().unwrap(),
        |vars| {
            let told = vars[1].reshape((3, 2, 1, 1)).unwrap().broadcast_as((3, 2, 5, 2)).unwrap();
            Tensor::cat(&[vars[0].as_tensor(), &told], 1).unwrap()
        },
    );
    let error = maps(&noise(&[2, 1, 3, 3], 1)).with_constant_channels(&told).unwrap_err();
    assert!(error.to_string().contains("3 images"), "{error}");
}

#[test]
fn maps_hold_what_the_tensor_shows() {
    let x = noise(&[3, 7, 5, 4], 1);
    for x in [x.clone(), x.transpose(2, 3).unwrap().narrow(1, 2, 4).unwrap()] {
        let maps = maps(&x);
        assert_eq!(maps.dims(), x.dims());
        assert_eq!(maps.dtype(), DType::F64);
        assert_eq!(values(&maps.to_tensor().unwrap()), values(&x));
    }
    let pixels = maps(&noise(&[3, 7], 1));
    assert_eq!(pixels.dims(), [3, 7, 1, 1]);
    assert_eq!(values(&pixels.to_tensor().unwrap()), values(&noise(&[3, 7], 1)));
}

#[test]
fn a_way_through_maps_passes_the_gradient_on() {
    for dims in [&[3, 7, 5, 4][..], &[3, 7]] {
        let x = var(&noise(dims, 1));
        let y = maps(&x).to_tensor().unwrap();
        let direction = noise(y.dims(), 2);
        let grads = gradients(&y, &direction, &[&x]);
        assert_eq!(grads[0].dims(), dims);
        assert_eq!(values(&grads[0]), values(&direction));
    }
}

#[test]
fn a_bias_is_added_to_its_channel() {
    let x = noise(&[3, 4, 5, 2], 1);
    let one_pixel = Tensor::eye(4, DType::F64, x.device()).unwrap().reshape((4, 4, 1, 1)).unwrap();
    let bias = var(&noise(&[4], 2));
    let geometry = ConvGeometry::square(1, 0);
    let layer = maps(&x).conv(&one_pixel, Some(&bias), geometry, Activation::Identity);
    let y = layer.unwrap().to_tensor().unwrap();
    assert_close("sum", &y, &finish(&x, Some(&bias), Activation::Identity), 0.0);
    let direction = noise(x.dims(), 3);
    let grads = gradients(&y, &direction, &[&bias]);
    let summed = direction.transpose(0, 1).unwrap().flatten_from(1).unwrap().sum(1).unwrap();
    assert_close("gradient", &grads[0], &summed, 1e-14);
}

#[test]
fn a_convolution_is_followed_by_bias_and_activation() {
    for (x, weight, geometry) in [
        ([3, 5, 6, 7], [4, 5, 4, 4], ConvGeometry::square(2, 1)),
        ([2, 7, 5, 4], [3, 7, 3, 2], ConvGeometry { stride: (2, 1), padding: (0, 1) }),
        ([4, 6, 3, 4], [5, 6, 3, 4], ConvGeometry::square(1, 0)),
        ([2, 16, 7, 10], [32, 16, 4, 4], ConvGeometry::square(2, 1)),
        ([2, 16, 6, 9], [16, 16, 3, 3], ConvGeometry::square(1, 1)),
    ] {
        for (name, activation) in ACTIVATIONS {
            let mut inputs = vec![noise(&x, 1), weights(&weight, 2)];
            for with_bias in ["", " and bias"] {
                assert_equal(
                    &format!("conv2d {x:?} by {weight:?}, {name}{with_bias}"),
                    &inputs,
                    |v| {
                        let bias = v.get(2).map(Var::as_tensor);
                        let y = maps(&v[0]).conv(&v[1], bias, geometry, activation).unwrap();
                        y.to_tensor().unwrap()
                    },
                    |v| {
                        let y = conv2d(&v[0], &v[1], geometry).unwrap();
                        finish(&y, v.get(2).map(Var::as_tensor), activation)
                    },
                );
                inputs.push(noise(&weight[..1], 3));
            }
        }
    }
}

#[test]
fn a_transposed_convolution_is_followed_by_bias_and_activation() {
    let square = ConvGeometry::square;
    for (x, weight, geometry, padding) in [
        ([3, 5, 3, 4], [5, 4, 4, 4], square(2, 1), (0, 0)),
        ([2, 4, 3, 5], [4, 3, 3, 2], ConvGeometry { stride: (2, 3), padding: (1, 0) }, (1, 2)),
        ([4, 6, 1, 1], [6, 5, 3, 4], square(1, 0), (0, 0)),
        ([2, 32, 3, 5], [32, 16, 4, 4], square(2, 1), (1, 0)),
        ([2, 16, 6, 5], [16, 16, 3, 3], square(1, 1), (0, 0)),
    ] {
        for (name, activation) in ACTIVATIONS {
            let mut inputs = vec![noise(&x, 1), weights(&weight, 2)];
            for with_bias in ["", " and bias"] {
                assert_equal(
                    &format!("conv_transpose2d {x:?} by {weight:?}, {name}{with_bias}"),
                    &inputs,
                    |v| {
                        let (x, bias) = (maps(&v[0]), v.get(2).map(Var::as_tensor));
                        let y = x.conv_transpose(&v[1], bias, geometry, padding, activation);
                        y.unwrap().to_tensor().unwrap()
                    },
                    |v| {
                        let y = conv_transpose2d(&v[0], &v[1], geometry, padding).unwrap();
                        finish(&y, v.get(2).map(Var::as_tensor), activation)
                    },
                );
                inputs.push(noise(&weight[1..2], 3));
            }
        }
    }
}

#[test]
fn a_linear_layer_is_a_product_followed_by_bias_and_activation() {
    for (batch, c_in, c_out) in [(1, 1, 1), (5, 30, 7), (40, 16, 48), (3, 200, 33)] {
        for (name, activation) in ACTIVATIONS {
            let mut inputs = vec![noise(&[batch, c_in], 1), weights(&[c_out, c_in], 2)];
            for with_bias in ["", " and bias"] {
                assert_equal(
                    &format!("linear {batch} × {c_in} to {c_out}, {name}{with_bias}"),
                    &inputs,
                    |v| {
                        let bias = v.get(2).map(Var::as_tensor);
                        let y = maps(&v[0]).linear(&v[1], bias, activation).unwrap();
                        y.to_tensor().unwrap()
                    },
                    |v| {
                        let y = v[0].matmul(&v[1].t().unwrap()).unwrap();
                        let y = y.reshape((batch, c_out, 1, 1)).unwrap();
                        finish(&y, v.get(2).map(Var::as_tensor), activation)
                    },
                );
                inputs.push(noise(&[c_out], 3));
            }
        }
    }
}

/// Generator and discriminator of tests/golden/kernels.py, `network`: images, logits and the loss.
fn network(latents: &Tensor, get: impl Fn(&str) -> Var) -> [Tensor; 3] {
    let (whole, half) = (ConvGeometry::square(1, 0), ConvGeometry::square(2, 1));
    let (identity, tanh) = (Activation::Identity, Activation::Tanh);
    let x = maps(latents);
    let x = x.conv_transpose(&get("project"), None, whole, (0, 0), identity).unwrap();
    let (norm, norm_bias) = (get("norm"), get("norm_bias"));
    let (x, _) = x.batch_norm_train(&norm, &norm_bias, 1e-5, Activation::Relu).unwrap();
    let x = x.conv_transpose(&get("image"), Some(&get("image_bias")), half, (0, 0), tanh).unwrap();
    let images = x.to_tensor().unwrap();
    let leaky = Activation::LeakyRelu(0.2);
    let y = x.conv(&get("enter"), Some(&get("enter_bias")), half, leaky).unwrap();
    let logits = y.conv(&get("score"), None, whole, identity).unwrap().to_tensor().unwrap();
    let loss = bce_with_logits(&logits, 1.0).unwrap();
    [images, logits, loss]
}

const PARAMETERS: [&str; 8] =
    ["project", "norm", "norm_bias", "image", "image_bias", "enter", "enter_bias", "score"];

/// Values: tests/golden/kernels.py.
#[test]
fn a_network_matches_pytorch() {
    let golden = Golden::load("network");
    for (dtype, tolerance) in PRECISIONS {
        let params = PARAMETERS.map(|name| var(&golden.get(name).to_dtype(dtype).unwrap()));
        let get = |name: &str| params[PARAMETERS.iter().position(|p| *p == name).unwrap()].clone();
        let outputs = network(&golden.get("latents").to_dtype(dtype).unwrap(), get);
        for (name, output) in ["images", "logits", "loss"].iter().zip(&outputs) {
            assert_close(name, output, golden.get(name), tolerance);
        }
        let grads = backward(&outputs[2]).unwrap();
        for (name, param) in PARAMETERS.iter().zip(&params) {
            let recorded = golden.get(&format!("{name}.grad"));
            assert_close(name, grads.get(param).unwrap(), recorded, tolerance);
        }
    }
}

#[test]
fn equal_inputs_give_equal_bits_by_either_backward_pass() {
    let golden = Golden::load("network");
    let get = |name: &str| golden.get(name).to_dtype(DType::F32).unwrap();
    let params = PARAMETERS.map(|name| var(&get(name)));
    let run = |ours: bool| {
        let of_name =
            |name: &str| params[PARAMETERS.iter().position(|p| *p == name).unwrap()].clone();
        let [images, _, loss] = network(&get("latents"), of_name);
        let grads = if ours { backward(&loss) } else { loss.backward() }.unwrap();
        let grads = params.iter().map(|p| values(grads.get(p).unwrap()));
        (values(&images), grads.collect::<Vec<_>>())
    };
    let first = run(true);
    for ours in [true, false, true, false] {
        assert_eq!(first, run(ours));
    }
}

#[test]
fn batch_norm_sits_between_convolutions() {
    let geometry = ConvGeometry::square(2, 1);
    let (identity, relu) = (Activation::Identity, Activation::Relu);
    let inputs = [
        noise(&[3, 16, 6, 5], 1),
        weights(&[32, 16, 4, 4], 2),
        noise(&[32], 3),
        noise(&[32], 4),
        weights(&[32, 16, 4, 4], 5),
    ];
    assert_equal(
        "convolution, batch norm, transposed convolution",
        &inputs,
        |v| {
            let x = maps(&v[0]).conv(&v[1], None, geometry, identity).unwrap();
            let (x, _) = x.batch_norm_train(&v[2], &v[3], 1e-5, relu).unwrap();
            let y = x.conv_transpose(&v[4], None, geometry, (0, 1), identity).unwrap();
            y.to_tensor().unwrap()
        },
        |v| {
            let x = conv2d(&v[0], &v[1], geometry).unwrap();
            let (x, _) = batch_norm_train(&x, &v[2], &v[3], 1e-5, relu).unwrap();
            conv_transpose2d(&x, &v[4], geometry, (0, 1)).unwrap()
        },
    );
}

#[test]
fn no_gradient_passes_detached_maps() {
    let (x, w) = (var(&noise(&[2, 3, 4, 4], 1)), var(&weights(&[5, 3, 3, 3], 2)));
    let head = var(&weights(&[2, 5, 4, 4], 3));
    let trunk = maps(&x).conv(&w, None, ConvGeometry::square(1, 1), Activation::Tanh).unwrap();
    let detached = trunk.detach();
    assert_eq!(values(&detached.to_tensor().unwrap()), values(&trunk.to_tensor().unwrap()));
    let logits = |maps: &FeatureMaps| {
        let y = maps.conv(&head, None, ConvGeometry::square(1, 0), Activation::Identity);
        y.unwrap().to_tensor().unwrap()
    };
    let grads = logits(&detached).sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&head).is_some() && grads.get(&x).is_none() && grads.get(&w).is_none());

    // Beside a head that is not detached, which alone reaches the trunk.
    let direction = noise(&[2, 2, 1, 1], 4);
    let alone = gradients(&logits(&trunk), &direction, &[&x, &w]);
    let sum = (logits(&trunk) + logits(&detached)).unwrap();
    let beside = gradients(&sum, &direction, &[&x, &w]);
    assert_eq!(values(&beside[0]), values(&alone[0]));
    assert_eq!(values(&beside[1]), values(&alone[1]));
}

#[test]
fn untracked_arguments_get_no_gradient() {
    let x = noise(&[2, 3, 4, 4], 1);
    let (w, bias) = (weights(&[5, 3, 3, 3], 2), noise(&[5], 3));
    let layer = |x: &Tensor, w: &Tensor, bias: &Tensor| {
        let geometry = ConvGeometry::square(1, 1);
        let y = maps(x).conv(w, Some(bias), geometry, Activation::Tanh).unwrap();
        y.to_tensor().unwrap().sum_all().unwrap()
    };
    assert!(!layer(&x, &w, &bias).track_op());
    for tracked in 0..3 {
        let mut arguments = [x.clone(), w.clone(), bias.clone()];
        arguments[tracked] = var(&arguments[tracked]).into_inner();
        let [x, w, bias] = &arguments;
        let loss = layer(x, w, bias);
        for grads in [loss.backward().unwrap(), backward(&loss).unwrap()] {
            let present = arguments.each_ref().map(|argument| grads.get(argument).is_some());
            assert_eq!(present, [0, 1, 2].map(|i| i == tracked));
        }
    }
}

#[test]
fn what_cannot_be_maps_is_an_error() {
    let error = |x: &Tensor| FeatureMaps::from_tensor(x).unwrap_err().to_string();
    let zeros = |shape: &[usize], dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
    for shape in [&[4][..], &[2, 3, 4], &[2, 3, 4, 4, 1]] {
        assert!(error(&zeros(shape, DType::F32)).contains("[N, C] or [N, C, H, W]"));
    }
    for shape in [&[0, 3][..], &[2, 0, 4, 4], &[2, 3, 0, 4]] {
        assert!(error(&zeros(shape, DType::F32)).contains("empty"));
    }
    for dtype in [DType::U8, DType::I64, DType::F16, DType::BF16] {
        assert!(error(&zeros(&[2, 3], dtype)).contains("f32 or f64"));
    }
}

#[test]
fn misfits_are_errors_that_name_both_sides() {
    let x = maps(&noise(&[2, 3, 6, 6], 1));
    let (w, up) = (noise(&[4, 3, 4, 4], 2), noise(&[3, 4, 4, 4], 3));
    let geometry = ConvGeometry::square(2, 1);
    let relu = Activation::Relu;
    let error = |w: &Tensor, bias: Option<&Tensor>, geometry, activation| {
        x.conv(w, bias, geometry, activation).unwrap_err().to_string()
    };
    let error_up = |w: &Tensor, bias: Option<&Tensor>, padding, activation| {
        let result = x.conv_transpose(w, bias, geometry, padding, activation);
        result.unwrap_err().to_string()
    };
    for slope in [-0.1, f64::NAN] {
        let activation = Activation::LeakyRelu(slope);
        assert!(error(&w, None, geometry, activation).contains("slope"));
        assert!(error_up(&up, None, (0, 0), activation).contains("slope"));
    }
    assert!(error(&noise(&[4, 2, 4, 4], 2), None, geometry, relu).contains("input has 3 channels"));
    assert!(error_up(&w, None, (0, 0), relu).contains("input has 3 channels"));
    assert!(error(&noise(&[4, 3, 4], 2), None, geometry, relu).contains("4 dimensions"));
    assert!(error(&noise(&[4, 3, 9, 9], 2), None, geometry, relu).contains("padded input 8"));
    assert!(error(&w, None, ConvGeometry::square(0, 1), relu).contains("stride"));
    assert!(error_up(&up, None, (2, 0), relu).contains("output padding 2"));
    for bias in [noise(&[3], 4), noise(&[1, 4], 4)] {
        assert!(error(&w, Some(&bias), geometry, relu).contains("bias must be [4]"));
        assert!(error_up(&up, Some(&bias), (0, 0), relu).contains("bias must be [4]"));
    }
    let f32 = |t: &Tensor| t.to_dtype(DType::F32).unwrap();
    let message = error(&f32(&w), None, geometry, relu);
    assert!(message.contains("weight is F32") && message.contains("F64"), "{message}");
    let message = error_up(&up, Some(&f32(&noise(&[4], 4))), (0, 0), relu);
    assert!(message.contains("bias is F32") && message.contains("F64"), "{message}");
}

#[test]
fn misfits_of_linear_layers_are_errors() {
    let x = maps(&noise(&[2, 3], 1));
    let error = |x: &FeatureMaps, w: &[usize], bias: usize, activation| {
        let result = x.linear(&noise(w, 2), Some(&noise(&[bias], 3)), activation);
        result.unwrap_err().to_string()
    };
    let relu = Activation::Relu;
    assert!(error(&x, &[4, 2], 4, relu).contains("3 channels"));
    assert!(error(&x, &[4, 3], 3, relu).contains("bias must be [4]"));
    assert!(error(&x, &[4, 3], 4, Activation::LeakyRelu(-1.0)).contains("slope"));
    assert!(x.linear(&noise(&[4, 3, 1, 1], 2), None, relu).is_err());
    let wide = maps(&noise(&[2, 3, 1, 2], 1));
    assert!(error(&wide, &[4, 3], 4, relu).contains("one pixel"));
}

#[test]
fn all_holds_on_every_instruction_set() {
    assert_all_pass_on_other_instruction_sets();
}
