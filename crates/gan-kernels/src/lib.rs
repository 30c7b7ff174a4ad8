//! The heavy operations of GAN training as candle custom ops: convolutions, batch normalization fused with its
//! activation, losses on logits, and optimizers that update parameters in place.
//!
//! On the CPU everything runs on rayon's global pool. Work is split by shape alone, and sums are taken in a fixed
//! order, so equal inputs give equal bits. On other devices the same functions are composed of candle's own ops
//! (module `fallback`).
//!
//! An argument that candle does not track (`Tensor::track_op` is false: input images, the weights of a frozen
//! network) costs no gradient work.

mod activation;
mod adam;
mod batch_norm;
mod bias;
mod buffer;
mod channels;
mod conv;
mod element;
mod elementwise;
mod fallback;
mod geometry;
mod gradient_norm;
mod loss;
mod matmul;
mod memory;
mod second_order;
mod threads;
mod transcendental;

pub use activation::{Activation, activate};
pub use adam::{Adam, AdamConfig};
pub use batch_norm::{BatchMoments, batch_norm_eval, batch_norm_train};
pub use bias::add_channel_bias;
pub use conv::{conv_transpose2d, conv2d, conv2d_weight_grad};
pub use geometry::ConvGeometry;
pub use gradient_norm::gradient_norm;
pub use loss::{bce_with_logits, softplus};
pub use memory::keep_freed_memory;
pub use threads::start_threads;
