//! What the kernels compute, as the loops of its definition in f64. Images are `[N, C, H, W]`.

use crate::activation::Activation;
use crate::conv::ConvShape;

/// Calls `visit(large index, small index, weight index)` for every product that a convolution sums.
fn for_each_product(shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let ConvShape { batch, large, small, kernel, geometry } = *shape;
    let (stride, padding) = (geometry.stride, geometry.padding);
    for n in 0..batch {
        for (cs, cl) in (0..small.channels).flat_map(|s| (0..large.channels).map(move |l| (s, l))) {
            for (oy, ox) in (0..small.height).flat_map(|y| (0..small.width).map(move |x| (y, x))) {
                for (ky, kx) in (0..kernel.0).flat_map(|y| (0..kernel.1).map(move |x| (y, x))) {
                    let y = (oy * stride.0 + ky).wrapping_sub(padding.0);
                    let x = (ox * stride.1 + kx).wrapping_sub(padding.1);
                    if y < large.height && x < large.width {
                        visit(
                            ((n * large.channels + cl) * large.height + y) * large.width + x,
                            ((n * small.channels + cs) * small.height + oy) * small.width + ox,
                            ((cs * large.channels + cl) * kernel.0 + ky) * kernel.1 + kx,
                        );
                    }
                }
            }
        }
    }
}

/// Small images: the convolution.
pub(crate) fn forward(shape: &ConvShape, large: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; shape.batch * shape.small.len()];
    for_each_product(shape, |l, s, w| out[s] += large[l] * weight[w]);
    out
}

/// Large images: the transposed convolution.
pub(crate) fn input_grad(shape: &ConvShape, small: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; shape.batch * shape.large.len()];
    for_each_product(shape, |l, s, w| out[l] += small[s] * weight[w]);
    out
}

/// The weight's gradient.
pub(crate) fn weight_grad(shape: &ConvShape, large: &[f64], small: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; shape.weight_dims().iter().product()];
    for_each_product(shape, |l, s, w| out[w] += large[l] * small[s]);
    out
}

/// An activation and its derivative at `x`.
pub(crate) fn activation(activation: Activation, x: f64) -> (f64, f64) {
    match activation {
        Activation::Identity => (x, 1.0),
        Activation::Relu => (x.max(0.0), f64::from(u8::from(x > 0.0))),
        Activation::LeakyRelu(slope) if x > 0.0 || slope.is_nan() => (x, 1.0),
        Activation::LeakyRelu(slope) => (slope * x, slope),
        Activation::Tanh => (x.tanh(), 1.0 - x.tanh().powi(2)),
        Activation::Sigmoid => {
            let y = 1.0 / (1.0 + (-x).exp());
            (y, y * (1.0 - y))
        }
    }
}

/// A batch normalization with its gradients.
pub(crate) struct BatchNorm {
    pub(crate) y: Vec<f64>,
    pub(crate) x_grad: Vec<f64>,
    pub(crate) weight_grad: Vec<f64>,
    pub(crate) bias_grad: Vec<f64>,
}

/// Batch normalization of `x` `[N, C, area]` by its own moments, and the gradients of `Σ grad·y`.
pub(crate) fn batch_norm(
    x: &[f64],
    dims: [usize; 3],
    (weight, bias): (&[f64], &[f64]),
    eps: f64,
    f: Activation,
    grad: &[f64],
) -> BatchNorm {
    let [batch, channels, area] = dims;
    let count = (batch * area) as f64;
    let mut out = BatchNorm {
        y: vec![0.0; x.len()],
        x_grad: vec![0.0; x.len()],
        weight_grad: vec![0.0; channels],
        bias_grad: vec![0.0; channels],
    };
    for c in 0..channels {
        let at = |i: usize| (i / area * channels + c) * area + i % area;
        let indices = || (0..batch * area).map(at);
        let mean = indices().map(|i| x[i]).sum::<f64>() / count;
        let variance = indices().map(|i| (x[i] - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + eps).sqrt();
        let normal = |i: usize| (x[i] - mean) / deviation;
        let behind = |i: usize| grad[i] * activation(f, weight[c] * normal(i) + bias[c]).1;
        for i in indices() {
            out.y[i] = activation(f, weight[c] * normal(i) + bias[c]).0;
            out.weight_grad[c] += behind(i) * normal(i);
            out.bias_grad[c] += behind(i);
        }
        for i in indices() {
            let through_moments = (out.bias_grad[c] + normal(i) * out.weight_grad[c]) / count;
            out.x_grad[i] = weight[c] / deviation * (behind(i) - through_moments);
        }
    }
    out
}
