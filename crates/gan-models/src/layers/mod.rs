//! The layers that models are made of, over the kernels of `gan-kernels`.
//!
//! Keys within a layer are PyTorch's (`weight`, `bias`, `running_mean`, `running_var`). Convolutions
//! are made by `new`, without bias and drawn as DCGAN's, or by `with_bias` and `without_bias`, drawn as
//! PyTorch draws a layer that nobody initializes.

mod conv;
mod dropout;
mod linear;
mod norm;

pub use conv::{Conv2d, ConvTranspose2d};
pub use dropout::Dropout;
pub use linear::{Linear, reshape};
pub use norm::BatchNorm;

use candle_core::Tensor;
use candle_nn::Init;

/// PyTorch's default for weights and biases alike: U(−1/√fan_in, 1/√fan_in).
///
/// It is Kaiming's uniform bound √(6 / ((1 + a²)·fan_in)) at a = √5.
fn pytorch_init(fan_in: usize) -> Init {
    let bound = 1.0 / (fan_in as f64).sqrt();
    Init::Uniform { lo: -bound, up: bound }
}

/// What of a layer is trained.
fn parameters<'a>(weight: &'a Tensor, bias: &'a Option<Tensor>) -> Vec<&'a Tensor> {
    std::iter::once(weight).chain(bias).collect()
}
