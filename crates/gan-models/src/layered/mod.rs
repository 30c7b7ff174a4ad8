//! Networks given as a list of layers, as `torch.nn.Sequential` has them: what other programs trained, and what ours
//! become outside of it.

mod described;
mod network;
mod python;
mod resolve;

pub use described::{Described, Head};
pub use network::{Discriminator, Generator, Network};
pub use python::module;
pub use resolve::{Fit, Shapes};

use gan_kernels::{Activation, ConvGeometry};
use serde::{Deserialize, Serialize};

/// A layer, named as in PyTorch. Convolutions have square kernels.
///
/// What its tensors say may be left away where there are tensors ([`Fit`]): channels, kernels, features and whether
/// there is a bias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Layer {
    /// `Conv2d`: `(N, C, H, W)` → `(N, channels, H', W')`.
    Conv {
        /// Name of its tensors without `.weight` and `.bias`.
        key: String,
        /// Channels that come out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<usize>,
        /// Side of the kernel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kernel: Option<usize>,
        /// Pixels from one output to the next.
        #[serde(default = "one")]
        stride: usize,
        /// Zeros on each side.
        #[serde(default)]
        padding: usize,
        /// Whether it has a bias.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bias: Option<bool>,
    },
    /// `ConvTranspose2d`: `(N, C, H, W)` → `(N, channels, H', W')`.
    ConvTranspose {
        /// As a convolution's.
        key: String,
        /// As a convolution's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<usize>,
        /// As a convolution's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kernel: Option<usize>,
        /// Pixels from what one input makes to what the next does.
        #[serde(default = "one")]
        stride: usize,
        /// Pixels that are cut from each side.
        #[serde(default)]
        padding: usize,
        /// Rows and columns more at the end.
        #[serde(default, skip_serializing_if = "is_zero")]
        output_padding: usize,
        /// As a convolution's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bias: Option<bool>,
    },
    /// `Linear`, of all values of an image in PyTorch's order: `(N, C, H, W)` → `(N, features, 1, 1)`.
    Linear {
        /// As a convolution's.
        key: String,
        /// Values that come out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        features: Option<usize>,
        /// As a convolution's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bias: Option<bool>,
    },
    /// `BatchNorm2d`, or `BatchNorm1d` of single pixels, with PyTorch's ε and momentum.
    BatchNorm {
        /// As a convolution's.
        key: String,
    },
    /// `Dropout`.
    Dropout {
        /// Share of values that become 0.
        rate: f64,
    },
    /// `ReLU`.
    Relu,
    /// `LeakyReLU`.
    LeakyRelu {
        /// Factor of what is negative.
        slope: f64,
    },
    /// `Tanh`.
    Tanh,
    /// `Sigmoid`.
    Sigmoid,
    /// `Unflatten`, or `view`: the same values as channels, height and width.
    Reshape {
        /// Channels, height and width.
        shape: [usize; 3],
    },
    /// `Flatten`.
    Flatten,
}

fn one() -> usize {
    1
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Layer {
    /// The layer that an activation is, if it is one.
    pub(crate) fn of_activation(activation: Activation) -> Option<Self> {
        match activation {
            Activation::Identity => None,
            Activation::Relu => Some(Self::Relu),
            Activation::LeakyRelu(slope) => Some(Self::LeakyRelu { slope }),
            Activation::Tanh => Some(Self::Tanh),
            Activation::Sigmoid => Some(Self::Sigmoid),
        }
    }

    /// The activation that it is.
    pub(crate) fn activation(&self) -> Option<Activation> {
        match self {
            Self::Relu => Some(Activation::Relu),
            Self::LeakyRelu { slope } => Some(Activation::LeakyRelu(*slope)),
            Self::Tanh => Some(Activation::Tanh),
            Self::Sigmoid => Some(Activation::Sigmoid),
            _ => None,
        }
    }

    /// The convolution that [`crate::layers::Conv2d`] computes, all of it known.
    pub(crate) fn conv(
        key: &str,
        [channels, kernel]: [usize; 2],
        geometry: ConvGeometry,
        bias: bool,
    ) -> Self {
        let (stride, padding) = (geometry.stride.0, geometry.padding.0);
        let (channels, kernel, bias) = (Some(channels), Some(kernel), Some(bias));
        Self::Conv { key: key.into(), channels, kernel, stride, padding, bias }
    }

    /// The same of a transposed one.
    pub(crate) fn conv_transpose(
        key: &str,
        [channels, kernel, output_padding]: [usize; 3],
        geometry: ConvGeometry,
        bias: bool,
    ) -> Self {
        let (stride, padding) = (geometry.stride.0, geometry.padding.0);
        let (channels, kernel, bias) = (Some(channels), Some(kernel), Some(bias));
        let key = key.into();
        Self::ConvTranspose { key, channels, kernel, stride, padding, output_padding, bias }
    }

    /// Name of its tensors, where it has any.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Conv { key, .. }
            | Self::ConvTranspose { key, .. }
            | Self::Linear { key, .. }
            | Self::BatchNorm { key } => Some(key),
            _ => None,
        }
    }

    /// The same layer whose tensors have another name; nothing where it has none.
    pub fn with_key(mut self, new: &str) -> Self {
        match &mut self {
            Self::Conv { key, .. }
            | Self::ConvTranspose { key, .. }
            | Self::Linear { key, .. }
            | Self::BatchNorm { key } => *key = new.into(),
            _ => {}
        }
        self
    }

    /// Its tensors without their key, as a state dict has them; PyTorch's count of batches is not among them.
    pub fn tensors(&self) -> &'static [&'static str] {
        match self {
            Self::Conv { bias: Some(true), .. }
            | Self::ConvTranspose { bias: Some(true), .. }
            | Self::Linear { bias: Some(true), .. } => &["weight", "bias"],
            Self::Conv { .. } | Self::ConvTranspose { .. } | Self::Linear { .. } => &["weight"],
            Self::BatchNorm { .. } => &["weight", "bias", "running_mean", "running_var"],
            _ => &[],
        }
    }

    /// PyTorch's name of it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "Conv2d",
            Self::ConvTranspose { .. } => "ConvTranspose2d",
            Self::Linear { .. } => "Linear",
            Self::BatchNorm { .. } => "BatchNorm2d",
            Self::Dropout { .. } => "Dropout",
            Self::Relu => "ReLU",
            Self::LeakyRelu { .. } => "LeakyReLU",
            Self::Tanh => "Tanh",
            Self::Sigmoid => "Sigmoid",
            Self::Reshape { .. } => "Unflatten",
            Self::Flatten => "Flatten",
        }
    }
}
