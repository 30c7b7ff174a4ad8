//! Whether gradients are themselves to be differentiable.

use std::sync::OnceLock;

use candle_core::Tensor;

/// True if the process runs with `CANDLE_GRAD_DO_NOT_DETACH=1`, candle's switch for gradients of gradients.
///
/// Convolutions are closed under differentiation either way; fused ops give way to candle's composable ones.
pub(crate) fn enabled() -> bool {
    static ENABLED: OnceLock<bool> = OnceLock::new();
    *ENABLED.get_or_init(|| {
        std::env::var("CANDLE_GRAD_DO_NOT_DETACH").is_ok_and(|v| !v.is_empty() && v != "0")
    })
}

/// `tensor` as an input of a gradient: without its history, unless second order is on. A gradient with history
/// would keep activations alive until the last gradient is dropped.
pub(crate) fn input_of_gradient(tensor: &Tensor) -> Tensor {
    if enabled() { tensor.clone() } else { tensor.detach() }
}
