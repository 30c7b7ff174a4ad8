//! Convolutions: closed form, naive loops over random shapes, recorded PyTorch.
#![allow(clippy::unwrap_used)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::{
    Golden, assert_all_pass_on_other_instruction_sets, assert_close, gradients, naive, noise,
    relative_error, values, var,
};
use gan_kernels::{ConvGeometry, conv_transpose2d, conv2d, conv2d_weight_grad};
use proptest::prelude::*;

/// Sums of at most some thousand terms in f64.
const F64: f64 = 2e-14;
/// The same in f32.
const F32: f64 = 2e-6;

#[test]
fn a_kernel_of_ones_counts_the_pixels_under_it() {
    let x = Tensor::ones((1, 1, 4, 4), DType::F32, &Device::Cpu).unwrap();
    let w = Tensor::ones((1, 1, 3, 3), DType::F32, &Device::Cpu).unwrap();
    let y = conv2d(&x, &w, ConvGeometry::square(1, 1)).unwrap();
    let expected = [4., 6., 6., 4., 6., 9., 9., 6., 6., 9., 9., 6., 4., 6., 6., 4.];
    assert_eq!(values(&y), expected);
}

#[test]
fn a_transposed_convolution_of_one_pixel_is_its_kernel() {
    let x = Tensor::full(2f64, (1, 1, 1, 1), &Device::Cpu).unwrap();
    let w = noise(&[1, 3, 4, 4], 1);
    let y = conv_transpose2d(&x, &w, ConvGeometry::square(1, 0), (0, 0)).unwrap();
    assert_close("kernel", &y, &(w * 2.0).unwrap(), 1e-15);
}

struct Case {
    batch: usize,
    large: (usize, usize, usize),
    c_small: usize,
    kernel: (usize, usize),
    geometry: ConvGeometry,
}

/// A square kernel.
fn square(
    batch: usize,
    large: (usize, usize, usize),
    c_small: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> Case {
    let geometry = ConvGeometry::square(stride, padding);
    Case { batch, large, c_small, kernel: (kernel, kernel), geometry }
}

/// The three ops, which are also each other's gradients, against naive loops in both precisions.
fn check(case: &Case) {
    let &Case { batch, large: (c_large, height, width), c_small, kernel, geometry } = case;
    let (out_height, out_width) = geometry.output_size((height, width), kernel).unwrap();
    let small_dims = [batch, c_small, out_height, out_width];
    let large_dims = [batch, c_large, height, width];
    let large = noise(&large_dims, 1);
    let small = noise(&small_dims, 2);
    let weight = noise(&[c_small, c_large, kernel.0, kernel.1], 3);
    let forward = naive::forward(&large, &weight, small_dims, geometry);
    let transposed = naive::transposed(&small, &weight, large_dims, geometry);
    let weight_grad = naive::weight_grad(&large, &small, kernel, geometry);

    for (dtype, tolerance) in [(DType::F64, F64), (DType::F32, F32)] {
        let [large, small, weight] = [&large, &small, &weight].map(|t| t.to_dtype(dtype).unwrap());
        let (l, w) = (var(&large), var(&weight));
        let y = conv2d(&l, &w, geometry).unwrap();
        assert_close("conv2d", &y, &forward, tolerance);
        let grads = gradients(&y, &small, &[&l, &w]);
        assert_close("input gradient", &grads[0], &transposed, tolerance);
        assert_close("weight gradient", &grads[1], &weight_grad, tolerance);
        let direct = conv2d_weight_grad(&large, &small, kernel, geometry).unwrap();
        assert_close("conv2d_weight_grad", &direct, &weight_grad, tolerance);

        let axis = |size: usize, out: usize, k: usize, s: usize, p: usize| {
            (size + 2 * p).checked_sub((out - 1) * s + k).unwrap()
        };
        let output_padding = (
            axis(height, out_height, kernel.0, geometry.stride.0, geometry.padding.0),
            axis(width, out_width, kernel.1, geometry.stride.1, geometry.padding.1),
        );
        let s = var(&small);
        let x = conv_transpose2d(&s, &w, geometry, output_padding).unwrap();
        assert_close("conv_transpose2d", &x, &transposed, tolerance);
        let grads = gradients(&x, &large, &[&s, &w]);
        assert_close("transposed input gradient", &grads[0], &forward, tolerance);
        assert_close("transposed weight gradient", &grads[1], &weight_grad, tolerance);
    }
}

#[test]
fn the_layers_of_gans_equal_naive_loops() {
    for case in [
        square(3, (3, 16, 16), 20, 4, 2, 1),
        square(1, (1, 8, 8), 4, 4, 2, 1),
        square(5, (40, 8, 8), 24, 4, 2, 1), // groups of images, several channel blocks
        square(70, (2, 4, 4), 3, 4, 2, 1),  // more images than one group holds
        square(2, (8, 4, 4), 1, 4, 1, 0),
        square(2, (20, 9, 7), 3, 3, 1, 1),
        square(2, (3, 9, 8), 4, 5, 2, 2),
        square(2, (3, 8, 8), 4, 3, 2, 1),
        square(2, (5, 6, 6), 7, 1, 1, 0),
        square(2, (2, 3, 3), 2, 4, 2, 3), // taps that lie in the padding alone
        square(2, (2, 10, 11), 2, 2, 3, 0),
    ] {
        check(&case);
    }
}

/// Channels in whole blocks of 16 and kernels of 2·stride or 3·stride: minimal filtering.
#[test]
fn wide_layers_equal_naive_loops() {
    for case in [
        square(3, (16, 8, 8), 32, 4, 2, 1),
        square(1, (48, 7, 9), 16, 4, 2, 1),
        square(3, (32, 9, 6), 48, 4, 2, 1),
        square(1, (64, 6, 11), 64, 4, 2, 1),
        square(1, (32, 8, 11), 16, 4, 2, 0),
        square(3, (16, 9, 7), 48, 4, 2, 2),
        square(1, (16, 2, 3), 16, 4, 2, 1), // one tile, most of it outside
        square(1, (32, 6, 9), 16, 3, 1, 1),
        square(3, (16, 9, 11), 48, 3, 1, 0),
        square(3, (48, 5, 4), 32, 3, 1, 2), // tiles that lie in the padding alone
        square(1, (64, 1, 1), 64, 3, 1, 1),
        square(3, (16, 7, 8), 32, 2, 1, 0),
        square(1, (48, 6, 5), 16, 2, 1, 1),
        square(3, (32, 2, 2), 16, 2, 1, 0),
        square(3, (16, 9, 10), 16, 6, 2, 1),
        square(1, (32, 9, 8), 16, 6, 2, 2),
        square(1, (16, 6, 7), 48, 6, 2, 0),
    ] {
        check(&case);
    }
}

#[test]
fn layers_beyond_one_block_equal_naive_loops() {
    for case in [
        square(5, (64, 12, 10), 64, 4, 2, 1), // sums over 256 channels of phases
        square(2, (144, 5, 6), 144, 3, 1, 1), // sums over 144 channels both ways
        square(1, (16, 50, 46), 16, 4, 2, 1), // 156 tiles in an image
        square(2, (80, 25, 23), 16, 3, 1, 1), // the same, and two blocks of channels
        square(19, (16, 8, 8), 16, 3, 1, 1),  // three groups of images
        square(5, (64, 34, 30), 16, 4, 2, 1), // more groups than tasks
        square(2, (64, 12, 10), 24, 5, 2, 2), // patches of 1600 taps
        square(3, (10, 20, 22), 130, 3, 2, 1), // several panels and blocks of rows
        square(1, (24, 57, 50), 9, 3, 2, 1),  // a padded image in two blocks
        square(1, (40, 44, 41), 5, 5, 1, 3),  // the same, wider than its padding
        square(2, (64, 24, 15), 24, 5, 2, 2), // neighbouring positions in few cache sets
    ] {
        check(&case);
    }
}

#[test]
fn kernels_as_large_as_the_image_equal_naive_loops() {
    let case = |batch, large: (usize, usize, usize), c_small, stride| Case {
        batch,
        large,
        c_small,
        kernel: (large.1, large.2),
        geometry: ConvGeometry::square(stride, 0),
    };
    for case in [
        case(1, (1, 1, 1), 1, 1),
        case(5, (3, 4, 4), 1, 1),
        case(3, (20, 3, 5), 30, 2),
        case(70, (130, 1, 1), 41, 1), // a linear layer
        case(7, (256, 1, 1), 70, 1),  // rows in few cache sets
        case(33, (16, 4, 4), 16, 2),
        case(2, (40, 4, 4), 137, 1),
    ] {
        check(&case);
    }
}

/// Few values in a result may all be near 0, and errors relative to them large: there are at least 4.
fn any_case() -> impl Strategy<Value = Case> {
    let size = (1..5usize, 1..20usize, 1..12usize, 1..12usize, 1..20usize);
    let axis = || (1..6usize, 1..4usize, 0..3usize);
    (size, axis(), axis()).prop_filter_map("kernel within the padded input", |(size, y, x)| {
        let (batch, c_large, height, width, c_small) = size;
        let (kernel, stride, padding) = ((y.0, x.0), (y.1, x.1), (y.2, x.2));
        let geometry = ConvGeometry { stride, padding };
        let (out_height, out_width) = geometry.output_size((height, width), kernel).ok()?;
        let large = batch * c_large * height * width;
        let small = batch * c_small * out_height * out_width;
        let weight = c_large * c_small * kernel.0 * kernel.1;
        let large_enough = large.min(small).min(weight) >= 4;
        let large = (c_large, height, width);
        large_enough.then_some(Case { batch, large, c_small, kernel, geometry })
    })
}

/// As [`wide_layers_equal_naive_loops`].
fn any_wide_case() -> impl Strategy<Value = Case> {
    let channels = || prop::sample::select(vec![16usize, 32, 48]);
    let kernel = prop::sample::select(vec![(2usize, 1usize), (3, 1), (4, 2), (6, 2)]);
    let size = (1..4usize, channels(), 1..10usize, 1..12usize, channels());
    (size, kernel, (0..3usize, 0..3usize)).prop_filter_map(
        "kernel within the padded input",
        |((batch, c_large, height, width, c_small), (kernel, stride), padding)| {
            let (large, kernel) = ((c_large, height, width), (kernel, kernel));
            let geometry = ConvGeometry { stride: (stride, stride), padding };
            let fits = geometry.output_size((height, width), kernel).is_ok();
            fits.then_some(Case { batch, large, c_small, kernel, geometry })
        },
    )
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (batch, large, small) = (self.batch, self.large, self.c_small);
        let (kernel, geometry) = (self.kernel, self.geometry);
        write!(f, "{batch} × {large:?} → {small}, kernel {kernel:?}, {geometry:?}")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]
    #[test]
    fn any_shape_equals_naive_loops(case in any_case()) {
        check(&case);
    }

    #[test]
    fn any_wide_shape_equals_naive_loops(case in any_wide_case()) {
        check(&case);
    }
}

/// Values: tests/golden/kernels.py.
#[test]
fn convolutions_match_pytorch() {
    let golden = Golden::load("convolution");
    let cases: Vec<&str> =
        golden.names().filter_map(|name| name.strip_suffix(".geometry")).collect();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let get = |key: &str| golden.get(&format!("{case}.{key}")).clone();
        let g: Vec<i64> = get("geometry").to_vec1().unwrap();
        let g: Vec<usize> = g.iter().map(|&v| v as usize).collect();
        let geometry = ConvGeometry { stride: (g[0], g[1]), padding: (g[2], g[3]) };
        let (large, small, weight) = (var(&get("large")), var(&get("small")), var(&get("weight")));
        let y = conv2d(&large, &weight, geometry).unwrap();
        assert_close(case, &y, &get("y"), F64);
        let grads = gradients(&y, &small, &[&large, &weight]);
        assert_close(case, &grads[0], &get("large_grad"), F64);
        assert_close(case, &grads[1], &get("weight_grad"), F64);
        let x = conv_transpose2d(&small, &weight, geometry, (g[4], g[5])).unwrap();
        assert_close(case, &x, &get("x"), F64);
        let grads = gradients(&x, &large, &[&small, &weight]);
        assert_close(case, &grads[0], &get("small_grad"), F64);
        assert_close(case, &grads[1], &get("transposed_weight_grad"), F64);
    }
}

#[test]
fn strided_views_are_read_as_what_they_show() {
    let x = noise(&[2, 6, 5, 3], 1).transpose(2, 3).unwrap(); // [2, 6, 3, 5]
    let w = noise(&[4, 3, 2, 2], 2).transpose(0, 1).unwrap(); // [3, 4, 2, 2]
    let x = x.narrow(1, 1, 4).unwrap();
    let geometry = ConvGeometry::square(1, 0);
    let expected = conv2d(&x.copy().unwrap(), &w.copy().unwrap(), geometry).unwrap();
    let naive = naive::forward(&x, &w, [2, 3, 2, 4], geometry);
    assert_close("copy", &expected, &naive, F64);
    assert_close("view", &conv2d(&x, &w, geometry).unwrap(), &naive, F64);
}

#[test]
fn equal_inputs_give_equal_bits() {
    let (x, w) = (noise(&[9, 20, 12, 12], 1), noise(&[30, 20, 4, 4], 2));
    let (x, w) = (x.to_dtype(DType::F32).unwrap(), w.to_dtype(DType::F32).unwrap());
    let run = || {
        let (x, w) = (var(&x), var(&w));
        let y = conv2d(&x, &w, ConvGeometry::square(2, 1)).unwrap();
        let grads = gradients(&y, &y.detach(), &[&x, &w]);
        [values(&y), values(&grads[0]), values(&grads[1])]
    };
    let first = run();
    for _ in 0..5 {
        assert_eq!(first, run());
    }
}

#[test]
fn untracked_arguments_get_no_gradient() {
    let (x, w) = (noise(&[2, 3, 6, 6], 1), noise(&[4, 3, 4, 4], 2));
    let geometry = ConvGeometry::square(2, 1);
    let tracked = var(&w);
    let y = conv2d(&x, &tracked, geometry).unwrap();
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&tracked).is_some() && grads.get(&x).is_none());
    let tracked = var(&x);
    let y = conv2d(&tracked, &w, geometry).unwrap();
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&tracked).is_some() && grads.get(&w).is_none());
}

#[test]
fn the_weight_gradient_is_differentiable() {
    let (x, g) = (var(&noise(&[2, 3, 6, 6], 1)), var(&noise(&[2, 4, 3, 3], 2)));
    let geometry = ConvGeometry::square(2, 1);
    let direction = noise(&[4, 3, 4, 4], 3);
    let weight_grad = conv2d_weight_grad(&x, &g, (4, 4), geometry).unwrap();
    let grads = gradients(&weight_grad, &direction, &[&x, &g]);
    // Linear in both: the gradients are the other two ops with the direction in the weight's place.
    let x_grad = naive::transposed(&g, &direction, [2, 3, 6, 6], geometry);
    let g_grad = naive::forward(&x, &direction, [2, 4, 3, 3], geometry);
    assert!(relative_error(&grads[0], &x_grad) < F64);
    assert!(relative_error(&grads[1], &g_grad) < F64);
}

#[test]
fn misfits_are_errors_that_name_both_sides() {
    let x = noise(&[2, 3, 6, 6], 1);
    let message =
        |w: &[usize], geometry| conv2d(&x, &noise(w, 2), geometry).unwrap_err().to_string();
    let square = ConvGeometry::square(2, 1);
    assert!(message(&[4, 2, 4, 4], square).contains("input has 3 channels"));
    assert!(message(&[4, 3, 4], square).contains("4 dimensions"));
    assert!(message(&[4, 3, 9, 9], square).contains("padded input 8"));
    assert!(message(&[4, 3, 4, 4], ConvGeometry::square(0, 1)).contains("stride"));
    let w = noise(&[3, 4, 4, 4], 2);
    let error = conv_transpose2d(&x, &w, square, (2, 0)).unwrap_err();
    assert!(error.to_string().contains("output padding 2"));
    let w = w.to_dtype(DType::F32).unwrap();
    assert!(conv_transpose2d(&x, &w, square, (0, 0)).is_err());
}

#[test]
fn all_holds_on_every_instruction_set() {
    assert_all_pass_on_other_instruction_sets();
}

/// A size whose count wraps around to a small one once passed the checks that kernels rely on.
#[test]
fn sizes_beyond_memory_are_errors() {
    let x = noise(&[1, 16, 2, 2], 1);
    let w = noise(&[16, 16, 2, 2], 2);
    let padding = ((1usize << 60) + 1) / 17 / 2;
    for padding in [(8, padding), (padding, 8), (usize::MAX / 2, 1)] {
        let error = conv2d(&x, &w, ConvGeometry { stride: (1, 1), padding }).unwrap_err();
        assert!(error.to_string().contains("beyond what memory can hold"), "{error}");
    }
}
