//! The heavy operations of GAN training as candle custom ops: convolutions, batch normalization fused with its
//! activation, losses on logits, and optimizers that update parameters in place.
//!
//! On the CPU everything runs on rayon's global pool. Sums are cut by shape alone and taken in a fixed order, so
//! equal inputs give equal bits. On other devices the same functions are composed of candle's own ops
//! (module `fallback`); with feature `cudnn` convolutions on CUDA devices are cuDNN's.
//!
//! An argument that candle does not track (`Tensor::track_op` is false: input images, the weights of a frozen
//! network) costs no gradient work.

mod activation;
mod adam;
mod backward;
mod batch_norm;
mod buffer;
pub mod check;
mod conv;
mod cuda;
mod element;
mod elementwise;
mod ema;
mod fallback;
mod geometry;
mod gradient_norm;
mod loss;
mod maps;
pub mod measure;
mod memory;
mod panels;
mod product;
mod rows;
mod second_order;
mod simd;
mod threads;
mod transcendental;

pub use activation::{Activation, activate};
pub use adam::{Adam, AdamConfig};
pub use backward::backward;
pub use batch_norm::BatchMoments;
pub use conv::{conv_transpose2d, conv2d, conv2d_weight_grad};
pub use cuda::tune_device;
pub use ema::Ema;
pub use geometry::ConvGeometry;
pub use gradient_norm::gradient_norm;
pub use loss::{bce_with_logits, softplus};
pub use maps::FeatureMaps;
pub use memory::keep_freed_memory;
pub use simd::{check_simd, simd_name};
pub use threads::{awake, start_threads};
