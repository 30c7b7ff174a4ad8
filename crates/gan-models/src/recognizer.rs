//! InfoGAN's Q (Chen et al. 2016, <https://arxiv.org/abs/1606.03657>, section 5 and appendix C.1): recovers the codes of a
//! latent from the features that the discriminator has of an image.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use gan_kernels::{Activation, FeatureMaps};

use crate::discriminator::whole;
use crate::latent::{Distribution, Part};
use crate::layers::{BatchNorm, Conv2d, Linear};

/// Units between features and codes, as in the paper's networks.
const HIDDEN: usize = 128;

/// A hidden layer over the discriminator's features and one output for every code.
#[derive(Clone, Debug)]
pub struct Recognizer {
    hidden: Conv2d,
    norm: BatchNorm,
    to_codes: Linear,
    codes: Vec<Part>,
}

/// What Q says about one part of a latent.
#[derive(Clone, Debug)]
pub enum CodeEstimate {
    /// Logits of the classes of each choice, `(N, count, classes)`.
    Classes(Tensor),
    /// Mean of a normal distribution of variance 1 for each entry, `(N, size)`.
    ///
    /// The variance is fixed, as in the paper's own code. A learned one has no lower bound: the game then turns to
    /// continuous codes alone, which take over what the categorical ones should say.
    Mean(Tensor),
}

impl Recognizer {
    /// Parameters are named `hidden`, `norm` and `to_codes`; `features` are the discriminator's
    /// channels, height and width, `codes` the parts to recover.
    pub fn new(features: [usize; 3], codes: Vec<Part>, vb: VarBuilder<'_>) -> Result<Self> {
        let outputs = codes.iter().map(|part| part.distribution.encoded_size()).sum();
        Ok(Self {
            hidden: whole(features, HIDDEN, Activation::Identity, vb.pp("hidden"))?,
            norm: BatchNorm::new(HIDDEN, Activation::LeakyRelu(0.1), vb.pp("norm"))?,
            to_codes: Linear::new(HIDDEN, outputs, Activation::Identity, vb.pp("to_codes"))?,
            codes,
        })
    }

    /// The parts that it recovers.
    pub fn codes(&self) -> &[Part] {
        &self.codes
    }

    /// Values that it says about an image, of all codes.
    pub(crate) fn output_size(&self) -> usize {
        self.codes.iter().map(|part| part.distribution.encoded_size()).sum()
    }

    /// `features`: [`crate::discriminator::Judgement::features`] → an estimate for each code, in order.
    pub fn estimates(&self, features: &FeatureMaps, train: bool) -> Result<Vec<CodeEstimate>> {
        let x = self.norm.forward_t(&self.hidden.forward(features)?, train)?; // [N, HIDDEN, 1, 1]
        let outputs_of_all = self.to_codes.forward(&x)?.to_tensor()?.flatten_from(1)?;
        let mut start = 0;
        let mut estimate = |part: &Part| {
            let own = outputs_of_all.narrow(1, start, part.distribution.encoded_size())?;
            start += part.distribution.encoded_size();
            match part.distribution {
                Distribution::Categorical { classes, count } => {
                    own.reshape(((), count, classes)).map(CodeEstimate::Classes)
                }
                _ => Ok(CodeEstimate::Mean(own)),
            }
        };
        self.codes.iter().map(&mut estimate).collect()
    }
}
