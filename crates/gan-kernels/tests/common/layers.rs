//! Layers on feature maps beside the functions on tensors that they stand for.

use candle_core::{DType, Tensor, Var};
use gan_kernels::{Activation, FeatureMaps, activate, backward};

use super::{assert_close, gradients, noise, var};

/// Bounds for sums of at most some hundred terms, through one layer or two.
pub(crate) const PRECISIONS: [(DType, f64); 2] = [(DType::F64, 1e-14), (DType::F32, 2e-6)];

pub(crate) fn maps(x: &Tensor) -> FeatureMaps {
    FeatureMaps::from_tensor(x).unwrap()
}

/// Weights that keep sums over them near 1.
pub(crate) fn weights(shape: &[usize], seed: u64) -> Tensor {
    (noise(shape, seed) * 0.3).unwrap()
}

/// `activation(y + bias)` on tensors.
pub(crate) fn finish(y: &Tensor, bias: Option<&Tensor>, activation: Activation) -> Tensor {
    let column = bias.map(|bias| bias.reshape((1, (), 1, 1)).unwrap());
    let y = column.map_or(y.clone(), |column| y.broadcast_add(&column).unwrap());
    activate(&y, activation).unwrap()
}

/// Compares values and the gradients of all `inputs`, by candle's backward pass and by ours, with what `on_tensors`
/// makes of the inputs in f64.
pub(crate) fn assert_equal(
    what: &str,
    inputs: &[Tensor],
    on_maps: impl Fn(&[Var]) -> Tensor,
    on_tensors: impl Fn(&[Var]) -> Tensor,
) {
    let vars_of =
        |dtype| -> Vec<Var> { inputs.iter().map(|x| var(&x.to_dtype(dtype).unwrap())).collect() };
    let vars = vars_of(DType::F64);
    let expected = on_tensors(&vars);
    let direction = noise(expected.dims(), 77);
    let expected_grads = gradients(&expected, &direction, &vars.iter().collect::<Vec<_>>());
    for (dtype, tolerance) in PRECISIONS {
        let vars = vars_of(dtype);
        let y = on_maps(&vars);
        assert_close(what, &y, &expected, tolerance);
        let loss = (y * direction.to_dtype(dtype).unwrap()).unwrap().sum_all().unwrap();
        for (by, grads) in
            [("candle", loss.backward().unwrap()), ("gan_kernels", backward(&loss).unwrap())]
        {
            for (i, (var, expected)) in vars.iter().zip(&expected_grads).enumerate() {
                let what = format!("{what}: gradient of input {i} by {by}");
                assert_close(&what, grads.get(var).unwrap(), expected, tolerance);
            }
        }
    }
}
