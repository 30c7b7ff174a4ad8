//! Convolutions as the loops of their definition, in f64.

use candle_core::{Device, Tensor};
use gan_kernels::ConvGeometry;

use super::values;

/// Calls `visit(large index, small index, weight index)` for every product that a convolution sums.
fn for_each_product(
    large: [usize; 4],
    small: [usize; 4],
    kernel: (usize, usize),
    geometry: ConvGeometry,
    mut visit: impl FnMut(usize, usize, usize),
) {
    let ([batch, c_large, height, width], [_, c_small, out_height, out_width]) = (large, small);
    let ConvGeometry { stride, padding } = geometry;
    for n in 0..batch {
        for (cs, cl) in (0..c_small).flat_map(|cs| (0..c_large).map(move |cl| (cs, cl))) {
            for (oy, ox) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
                for (ky, kx) in (0..kernel.0).flat_map(|y| (0..kernel.1).map(move |x| (y, x))) {
                    let y = (oy * stride.0 + ky).wrapping_sub(padding.0);
                    let x = (ox * stride.1 + kx).wrapping_sub(padding.1);
                    if y < height && x < width {
                        visit(
                            ((n * c_large + cl) * height + y) * width + x,
                            ((n * c_small + cs) * out_height + oy) * out_width + ox,
                            ((cs * c_large + cl) * kernel.0 + ky) * kernel.1 + kx,
                        );
                    }
                }
            }
        }
    }
}

fn dims(x: &Tensor) -> [usize; 4] {
    x.dims().try_into().unwrap()
}

fn tensor(values: Vec<f64>, dims: [usize; 4]) -> Tensor {
    Tensor::from_vec(values, &dims, &Device::Cpu).unwrap()
}

/// `large`, `weight` → a small image of the size `small`.
pub(crate) fn forward(
    large: &Tensor,
    weight: &Tensor,
    small: [usize; 4],
    g: ConvGeometry,
) -> Tensor {
    let (x, w) = (values(large), values(weight));
    let [.., kh, kw] = dims(weight);
    let mut out = vec![0.0; small.iter().product()];
    for_each_product(dims(large), small, (kh, kw), g, |l, s, k| out[s] += x[l] * w[k]);
    tensor(out, small)
}

/// `small`, `weight` → a large image of the size `large`.
pub(crate) fn transposed(
    small: &Tensor,
    weight: &Tensor,
    large: [usize; 4],
    g: ConvGeometry,
) -> Tensor {
    let (y, w) = (values(small), values(weight));
    let [.., kh, kw] = dims(weight);
    let mut out = vec![0.0; large.iter().product()];
    for_each_product(large, dims(small), (kh, kw), g, |l, s, k| out[l] += y[s] * w[k]);
    tensor(out, large)
}

/// `large`, `small` → the weight's gradient.
pub(crate) fn weight_grad(
    large: &Tensor,
    small: &Tensor,
    kernel: (usize, usize),
    g: ConvGeometry,
) -> Tensor {
    let (x, y) = (values(large), values(small));
    let weight = [dims(small)[1], dims(large)[1], kernel.0, kernel.1];
    let mut out = vec![0.0; weight.iter().product()];
    for_each_product(dims(large), dims(small), kernel, g, |l, s, k| out[k] += x[l] * y[s]);
    tensor(out, weight)
}
