//! Which networks a run has: generator and discriminator, each chosen by name, and what a family adds.

use candle_core::Result;
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use serde::{Deserialize, Serialize};

use crate::discriminator::{Discriminator, Trunk};
use crate::generator::Generator;
use crate::latent::{Distribution, Latent, Part};
use crate::layered::{self, Layer};
use crate::recognizer::Recognizer;
use crate::{conv, dcgan, fc, fc_conv, infogan, mlp};

/// The networks of a run and their widths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Which generator.
    pub generator: GeneratorKind,
    /// Which discriminator.
    pub discriminator: DiscriminatorKind,
    /// Channels of the generator's last map before the image (`ngf`); `dcgan`'s alone.
    pub generator_width: usize,
    /// Channels of the discriminator's first map (`ndf`); `dcgan`'s alone.
    pub discriminator_width: usize,
    /// Skip-z (Brock et al. 2019, <https://arxiv.org/abs/1809.11096>, section 3): every block of the generator reads the
    /// latent, not the first alone; `dcgan`'s alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_z: bool,
    /// Conditional GAN (Mirza and Osindero 2014, <https://arxiv.org/abs/1411.1784>): the latent part that the
    /// discriminator is told too, as one more channel for each value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// ACGAN (Odena et al. 2017, <https://arxiv.org/abs/1610.09585>): the latent part that the discriminator
    /// recognizes with a second head, on real images and on fakes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auxiliary: Option<String>,
    /// InfoGAN (Chen et al. 2016): the latent parts that a recognizer recovers from fakes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// The generator's layers; `layers`' alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generator_layers: Vec<Layer>,
    /// The discriminator's layers; `layers`' alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discriminator_layers: Vec<Layer>,
}

/// The generators there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneratorKind {
    /// [`conv::Generator`].
    Conv,
    /// [`dcgan::Generator`].
    Dcgan,
    /// [`fc::Generator`].
    Fc,
    /// [`fc_conv::Generator`].
    FcConv,
    /// [`infogan::Generator`].
    #[serde(rename = "infogan")]
    InfoGan,
    /// [`layered::Generator`].
    Layers,
    /// [`mlp::Generator`].
    Mlp,
}

/// The discriminators there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiscriminatorKind {
    /// [`conv::Discriminator`].
    Conv,
    /// [`dcgan::Discriminator`].
    Dcgan,
    /// [`fc::Discriminator`].
    Fc,
    /// [`infogan::Discriminator`].
    #[serde(rename = "infogan")]
    InfoGan,
    /// [`layered::Discriminator`].
    Layers,
    /// [`mlp::Discriminator`].
    Mlp,
}

/// Names of the models with a line each, for `info --models`.
pub const MODELS: &[(&str, &str)] = &[
    (
        "dcgan",
        "generator and discriminator; transposed and strided 4×4 convolutions with batch norm, square images of 28 to \
         128 pixels, 1 or 3 channels (Radford et al. 2016)",
    ),
    (
        "conv",
        "generator and discriminator; two convolutions each, no batch norm, sides divisible by 4",
    ),
    (
        "fc",
        "generator and discriminator; fully connected, any size (at 28×28 the discriminator is M3)",
    ),
    (
        "fc-conv",
        "generator; three fully connected layers, then three convolutions, sides divisible by 4 (M1)",
    ),
    (
        "infogan",
        "generator and discriminator; InfoGAN's for MNIST, a fully connected layer of 1024 between latent and maps, sides \
         divisible by 4 (Chen et al. 2016)",
    ),
    (
        "layers",
        "generator and discriminator; the layers that model.generator_layers and model.discriminator_layers list, as import \
         writes them",
    ),
    ("mlp", "generator and discriminator of points; two hidden layers of 128 (Metz et al. 2017)"),
];

impl ModelConfig {
    /// A DCGAN of one width, without conditions, heads or codes.
    pub fn plain_dcgan(width: usize) -> Self {
        Self {
            generator: GeneratorKind::Dcgan,
            discriminator: DiscriminatorKind::Dcgan,
            generator_width: width,
            discriminator_width: width,
            skip_z: false,
            condition: None,
            auxiliary: None,
            codes: Vec::new(),
            generator_layers: Vec::new(),
            discriminator_layers: Vec::new(),
        }
    }

    /// Says why these networks cannot be built for such images.
    pub fn check(&self, image: ImageShape) -> std::result::Result<(), String> {
        if self.generator_width == 0 || self.discriminator_width == 0 {
            return Err("a network's width is 1 or more, not 0".into());
        }
        if self.skip_z && self.generator != GeneratorKind::Dcgan {
            return Err("model.skip_z is of the dcgan generator alone; leave it away, or set model.generator to dcgan".into());
        }
        let points = (image.height, image.width) == (1, 1);
        let for_points = matches!(self.generator, GeneratorKind::Mlp | GeneratorKind::Layers)
            && matches!(self.discriminator, DiscriminatorKind::Mlp | DiscriminatorKind::Layers);
        if points && !for_points {
            return Err(format!(
                "the data are points of {} coordinates, and these networks make pictures; train ring, whose networks are \
                 mlp",
                image.channels
            ));
        }
        match self.generator {
            GeneratorKind::Conv => conv::check(image),
            GeneratorKind::Dcgan => dcgan::Plan::new(image).map(|_| ()),
            GeneratorKind::Fc => fc::check(image),
            GeneratorKind::FcConv => fc_conv::check(image),
            GeneratorKind::InfoGan => infogan::check(image),
            GeneratorKind::Layers => Ok(()), // needs the latent too: check_latent
            GeneratorKind::Mlp => mlp::check(image),
        }?;
        match self.discriminator {
            DiscriminatorKind::Conv => conv::check(image),
            DiscriminatorKind::Dcgan => dcgan::Plan::new(image).map(|_| ()),
            DiscriminatorKind::Fc => fc::check(image),
            DiscriminatorKind::InfoGan => infogan::check(image),
            DiscriminatorKind::Layers => Ok(()),
            DiscriminatorKind::Mlp => mlp::check(image),
        }
    }

    /// Says why these networks cannot be built for such a latent.
    pub fn check_latent(&self, latent: &Latent) -> std::result::Result<(), String> {
        let names: Vec<&str> = latent.parts().iter().map(|part| part.name.as_str()).collect();
        let known = |key: &str, name: &String| match latent.part(name) {
            Some(part) => Ok(&part.distribution),
            None => Err(format!("model.{key} is {name:?}, the latent has {}", names.join(", "))),
        };
        if let Some(name) = &self.condition {
            known("condition", name)?;
        }
        if let Some(name) = &self.auxiliary {
            let learnable = match known("auxiliary", name)? {
                Distribution::Categorical { count, .. } => *count == 1,
                distribution => matches!(distribution, Distribution::Attributes { .. }),
            };
            if !learnable {
                return Err(format!(
                    "model.auxiliary is {name:?}, which the data cannot tell: expected attributes, or a \
                     categorical part with count = 1"
                ));
            }
            if self.condition.as_ref() == Some(name) {
                return Err(format!(
                    "model.condition and model.auxiliary are both {name:?}: a discriminator that is told \
                     something has nothing to recognize; leave one away"
                ));
            }
        }
        for (i, name) in self.codes.iter().enumerate() {
            known("codes", name)?;
            if self.codes[..i].contains(name) {
                return Err(format!("model.codes names {name:?} twice"));
            }
            if self.condition.as_ref() == Some(name) {
                return Err(format!(
                    "model.codes names {name:?}, which the discriminator is told (model.condition): there is nothing \
                     to recover; leave one away"
                ));
            }
        }
        Ok(())
    }

    /// Builds the generator.
    pub fn generator(
        &self,
        latent: &Latent,
        image: ImageShape,
        vb: VarBuilder<'_>,
    ) -> Result<Generator> {
        let size = latent.encoded_size();
        match self.generator {
            GeneratorKind::Conv => conv::Generator::new(size, image, vb).map(Generator::Conv),
            GeneratorKind::Fc => fc::Generator::new(size, image, vb).map(Generator::Fc),
            GeneratorKind::FcConv => {
                fc_conv::Generator::new(size, image, vb).map(Generator::FcConv)
            }
            GeneratorKind::InfoGan => {
                infogan::Generator::new(size, image, vb).map(Generator::InfoGan)
            }
            GeneratorKind::Layers => {
                layered::Generator::new(&self.generator_layers, size, image, vb)
                    .map(Generator::Layers)
            }
            GeneratorKind::Mlp => mlp::Generator::new(size, image, vb).map(Generator::Mlp),
            GeneratorKind::Dcgan => {
                let plan = dcgan::Plan::new(image).map_err(candle_core::Error::Msg)?;
                dcgan::Generator::new(plan, size, self.generator_width, self.skip_z, image, vb)
                    .map(Generator::Dcgan)
            }
        }
    }

    /// Builds the discriminator.
    pub fn discriminator(
        &self,
        latent: &Latent,
        image: ImageShape,
        vb: VarBuilder<'_>,
    ) -> Result<Discriminator> {
        let distribution = |name: &String| Ok(&part(latent, name)?.distribution);
        let told: Result<Option<&Distribution>> =
            self.condition.as_ref().map(distribution).transpose();
        let told = told?.map_or(0, Distribution::encoded_size);
        let c_in = image.channels + told;
        let trunk = match self.discriminator {
            DiscriminatorKind::Conv => {
                Trunk::Conv(conv::Discriminator::new(c_in, image, vb.clone())?)
            }
            DiscriminatorKind::Fc => Trunk::Fc(fc::Discriminator::new(c_in, image, vb.clone())?),
            DiscriminatorKind::InfoGan => {
                Trunk::InfoGan(infogan::Discriminator::new(c_in, image, vb.clone())?)
            }
            DiscriminatorKind::Layers => Trunk::Layers(layered::Discriminator::new(
                &self.discriminator_layers,
                ImageShape { channels: c_in, ..image },
                vb.clone(),
            )?),
            DiscriminatorKind::Mlp => Trunk::Mlp(mlp::Discriminator::new(c_in, image, vb.clone())?),
            DiscriminatorKind::Dcgan => {
                let plan = dcgan::Plan::new(image).map_err(candle_core::Error::Msg)?;
                let network =
                    dcgan::Discriminator::new(plan, self.discriminator_width, c_in, vb.clone())?;
                Trunk::Dcgan(network)
            }
        };
        let auxiliary = self.auxiliary.as_ref().map(distribution).transpose()?;
        Discriminator::new(trunk, told, auxiliary.map(auxiliary_logits), &vb)
    }

    /// Builds the recognizer over the features of `discriminator`; there is none without codes.
    pub fn recognizer(
        &self,
        latent: &Latent,
        discriminator: &Discriminator,
        vb: VarBuilder<'_>,
    ) -> Result<Option<Recognizer>> {
        if self.codes.is_empty() {
            return Ok(None);
        }
        let codes: Result<Vec<Part>> =
            self.codes.iter().map(|name| part(latent, name).cloned()).collect();
        Recognizer::new(discriminator.feature_dims(), codes?, vb).map(Some)
    }
}

/// Logits of an auxiliary head: one for each attribute and for a choice of two, else one for each class.
fn auxiliary_logits(distribution: &Distribution) -> usize {
    match distribution {
        Distribution::Categorical { classes: 2, .. } => 1,
        other => other.encoded_size(),
    }
}

fn part<'l>(latent: &'l Latent, name: &str) -> Result<&'l Part> {
    match latent.part(name) {
        Some(part) => Ok(part),
        None => candle_core::bail!("the latent has no part {name:?}"),
    }
}
