//! Convolutions: closed form, naive loops over random shapes, recorded PyTorch.
#![allow(clippy::unwrap_used)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::{Golden, assert_close, gradients, naive, noise, relative_error, values, var};
use gan_kernels::{ConvGeometry, conv_transpose2d, conv2d, conv2d_weight_grad};
use proptest::prelude::*;

/// Sums of at most some thousand terms in f64.
const F64: f64 = 1e-12;
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
    let case = |batch, large, c_small, kernel, stride, padding| Case {
        batch,
        large,
        c_small,
        kernel: (kernel, kernel),
        geometry: ConvGeometry::square(stride, padding),
    };
    for case in [
        case(3, (3, 16, 16), 20, 4, 2, 1),
        case(1, (1, 8, 8), 4, 4, 2, 1),
        case(5, (40, 8, 8), 24, 4, 2, 1), // groups of images, several channel blocks
        case(70, (2, 4, 4), 3, 4, 2, 1),  // more images than one group holds
        case(2, (8, 4, 4), 1, 4, 1, 0),
        case(2, (20, 9, 7), 3, 3, 1, 1),
        case(2, (3, 9, 8), 4, 5, 2, 2),
        case(2, (3, 8, 8), 4, 3, 2, 1),
        case(2, (5, 6, 6), 7, 1, 1, 0),
        case(2, (2, 3, 3), 2, 4, 2, 3), // taps that lie in the padding alone
        case(2, (2, 10, 11), 2, 2, 3, 0),
    ] {
        check(&case);
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let size = (1..5usize, 1..20usize, 1..12usize, 1..12usize, 1..20usize);
    let axis = || (1..6usize, 1..4usize, 0..3usize);
    (size, axis(), axis()).prop_filter_map("kernel within the padded input", |(size, y, x)| {
        let (batch, c_large, height, width, c_small) = size;
        let ((kh, sh, ph), (kw, sw, pw)) = (y, x);
        (kh <= height + 2 * ph && kw <= width + 2 * pw).then_some(Case {
            batch,
            large: (c_large, height, width),
            c_small,
            kernel: (kh, kw),
            geometry: ConvGeometry { stride: (sh, sw), padding: (ph, pw) },
        })
    })
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
}

/// Values: tests/golden/kernels.py.
#[test]
fn convolutions_match_pytorch() {
    let golden = Golden::load("convolution");
    let cases: Vec<&str> =
        golden.names().filter_map(|name| name.strip_suffix(".geometry")).collect();
    assert_eq!(cases.len(), 7);
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
