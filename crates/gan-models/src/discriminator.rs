//! A discriminator: a trunk chosen by name, its logit, and the heads that a family adds.

use candle_core::{Result, Tensor};
use candle_nn::{ModuleT, VarBuilder};
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};

use crate::layers::Conv2d;
use crate::{conv, dcgan, fc, infogan, layered, mlp};

/// The part of a discriminator that looks at images.
#[derive(Clone, Debug)]
pub(crate) enum Trunk {
    Conv(conv::Discriminator),
    Dcgan(dcgan::Discriminator),
    Fc(fc::Discriminator),
    InfoGan(infogan::Discriminator),
    Layers(layered::Discriminator),
    Mlp(mlp::Discriminator),
}

impl Trunk {
    pub(crate) fn features(&self, images: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        match self {
            Self::Conv(network) => network.features(images, train),
            Self::Dcgan(network) => network.features(images, train),
            Self::Fc(network) => network.features(images, train),
            Self::InfoGan(network) => network.features(images, train),
            Self::Layers(network) => network.features(images, train),
            Self::Mlp(network) => network.features(images, train),
        }
    }

    pub(crate) fn logits_of(&self, features: &FeatureMaps) -> Result<Tensor> {
        match self {
            Self::Conv(network) => network.logits_of(features),
            Self::Dcgan(network) => network.logits_of(features),
            Self::Fc(network) => network.logits_of(features),
            Self::InfoGan(network) => network.logits_of(features),
            Self::Layers(network) => network.logits_of(features),
            Self::Mlp(network) => network.logits_of(features),
        }
    }

    /// Channels, height and width of the features.
    pub(crate) fn feature_dims(&self) -> [usize; 3] {
        match self {
            Self::Conv(network) => network.feature_dims(),
            Self::Dcgan(network) => network.feature_dims(),
            Self::Fc(network) => network.feature_dims(),
            Self::InfoGan(network) => network.feature_dims(),
            Self::Layers(network) => network.feature_dims(),
            Self::Mlp(network) => network.feature_dims(),
        }
    }
}

/// A discriminator: images to logits, and for an ACGAN to the attributes or class that it recognizes.
#[derive(Clone, Debug)]
pub struct Discriminator {
    trunk: Trunk,
    auxiliary: Option<Conv2d>,
    told: usize,
}

/// What a discriminator makes of images.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// `(N,)`, positive for real.
    pub logits: Tensor,
    /// `(N, K)`, the auxiliary head's logits.
    pub auxiliary: Option<Tensor>,
    /// The trunk's last maps, on which other networks build.
    pub features: FeatureMaps,
}

impl Discriminator {
    /// Adds heads to a trunk: one of `auxiliary` logits under `auxiliary`, where there are any. The trunk expects
    /// `told` more channels than the image has.
    pub(crate) fn new(
        trunk: Trunk,
        told: usize,
        auxiliary: Option<usize>,
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        let head = |n| whole(trunk.feature_dims(), n, Activation::Identity, vb.pp("auxiliary"));
        let auxiliary = auxiliary.map(head).transpose()?;
        Ok(Self { trunk, auxiliary, told })
    }

    /// `images`: `(N, C, H, W)` in [−1, 1]; `told` `(N, K)` is what a conditional discriminator is told about each.
    ///
    /// # Errors
    /// If `told` is not what the discriminator expects.
    pub fn judge(
        &self,
        images: &FeatureMaps,
        told: Option<&Tensor>,
        train: bool,
    ) -> Result<Judgement> {
        let features = match (told, self.told) {
            (None, 0) => self.trunk.features(images, train)?,
            (Some(told), k) if told.dims().get(1) == Some(&k) => {
                self.trunk.features(&images.with_constant_channels(told)?, train)?
            }
            (told, k) => candle_core::bail!(
                "the discriminator is told {k} values an image, got {:?}",
                told.map(Tensor::dims)
            ),
        };
        let auxiliary = match &self.auxiliary {
            Some(head) => Some(head.forward(&features)?.to_tensor()?.flatten_from(1)?),
            None => None,
        };
        Ok(Judgement { logits: self.trunk.logits_of(&features)?, auxiliary, features })
    }

    /// What looks at images.
    pub(crate) fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    /// The head of an ACGAN.
    pub(crate) fn auxiliary(&self) -> Option<&Conv2d> {
        self.auxiliary.as_ref()
    }

    /// Values that it is told about each image.
    pub fn told(&self) -> usize {
        self.told
    }

    /// Channels, height and width of [`Judgement::features`].
    pub fn feature_dims(&self) -> [usize; 3] {
        self.trunk.feature_dims()
    }
}

impl ModuleT for Discriminator {
    /// `images`: `(N, C, H, W)` in [−1, 1] → logits `(N,)`; a conditional one is told zeros.
    fn forward_t(&self, images: &Tensor, train: bool) -> Result<Tensor> {
        let told = match self.told {
            0 => None,
            k => Some(Tensor::zeros((images.dim(0)?, k), images.dtype(), images.device())?),
        };
        Ok(self.judge(&FeatureMaps::from_tensor(images)?, told.as_ref(), train)?.logits)
    }
}

/// A convolution over whole features, from `[C, S, S]` to `n` values.
pub(crate) fn whole(
    [channels, side, _]: [usize; 3],
    n: usize,
    activation: Activation,
    vb: VarBuilder<'_>,
) -> Result<Conv2d> {
    Conv2d::new(channels, n, side, ConvGeometry::square(1, 0), activation, vb)
}
