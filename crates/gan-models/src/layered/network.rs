//! The networks that lists of layers describe.

use candle_core::{Result, Tensor, bail};
use candle_nn::VarBuilder;
use gan_core::ImageShape;
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};

use super::{Fit, Layer, Shapes};
use crate::first_layer::FirstLayer;
use crate::layers::{BatchNorm, Conv2d, ConvTranspose2d, Dropout, Linear, reshape};

/// A sequence of layers.
#[derive(Clone, Debug)]
pub struct Network {
    steps: Vec<Step>,
    output: [usize; 3],
}

#[derive(Clone, Debug)]
enum Step {
    Conv(Conv2d),
    ConvTranspose(ConvTranspose2d),
    Linear(Linear),
    BatchNorm(BatchNorm),
    Dropout(Dropout),
    Reshape([usize; 3]),
}

impl Network {
    /// `layers` on images or latents of `[channels, height, width]`; parameters are named by the layers' keys, what dropouts
    /// draw their masks from `dropout.{i}`.
    ///
    /// # Errors
    /// If a layer does not say how large it is, or does not fit the one before; if an activation follows none.
    pub fn new(layers: &[Layer], input: [usize; 3], vb: &VarBuilder<'_>) -> Result<Self> {
        let Fit { layers, output, differences } = Fit::new(layers, input, &Shapes::new());
        if !differences.is_empty() {
            bail!("{}", differences.join("; "));
        }
        let mut steps = Vec::new();
        let mut dims = input;
        let mut rest = &layers[..];
        while let [layer, after @ ..] = rest {
            let (activation, after) = activation_of(layer, after)?;
            steps.push(Step::new(layer, dims, activation, &steps, vb)?);
            dims = Fit::new(std::slice::from_ref(layer), dims, &Shapes::new()).output;
            rest = after;
        }
        Ok(Self { steps, output })
    }

    /// `(N, channels, height, width)` → `(N, …)` of [`Network::output`].
    pub fn forward(&self, x: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        let mut x = x.clone();
        for step in &self.steps {
            x = step.forward(&x, train)?;
        }
        Ok(x)
    }

    /// Channels, height and width of what comes out.
    pub fn output(&self) -> [usize; 3] {
        self.output
    }
}

/// The activation that follows a layer, which computes it too, and the layers after. Shapes between them do not matter
/// to it.
fn activation_of<'l>(layer: &Layer, after: &'l [Layer]) -> Result<(Activation, &'l [Layer])> {
    if layer.activation().is_some() {
        bail!("{} follows no layer with weights", layer.kind());
    }
    let takes_activation = layer.key().is_some();
    match after {
        [next, rest @ ..] if takes_activation => match next.activation() {
            Some(activation) => Ok((activation, rest)),
            None => Ok((Activation::Identity, after)),
        },
        _ => Ok((Activation::Identity, after)),
    }
}

impl Step {
    /// `layer`, all of whose sizes are known, on what has `[channels, height, width]`.
    fn new(
        layer: &Layer,
        [c, h, w]: [usize; 3],
        activation: Activation,
        before: &[Self],
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        let (key, size) = (layer.key().unwrap_or_default(), Option::unwrap_or_default);
        let vb = if key.is_empty() { vb.clone() } else { vb.pp(key) };
        Ok(match *layer {
            Layer::Conv { channels, kernel, stride, padding, bias, .. } => {
                let make =
                    if bias == Some(true) { Conv2d::with_bias } else { Conv2d::without_bias };
                let geometry = ConvGeometry::square(stride, padding);
                Self::Conv(make(c, size(channels), size(kernel), geometry, activation, vb)?)
            }
            Layer::ConvTranspose {
                channels,
                kernel,
                stride,
                padding,
                output_padding,
                bias,
                ..
            } => {
                let make = if bias == Some(true) {
                    ConvTranspose2d::with_bias
                } else {
                    ConvTranspose2d::new
                };
                let geometry = ConvGeometry::square(stride, padding);
                let conv = make(c, size(channels), size(kernel), geometry, activation, vb)?;
                Self::ConvTranspose(conv.with_output_padding(output_padding))
            }
            Layer::Linear { features, bias, .. } => {
                let make = if bias == Some(true) { Linear::new } else { Linear::without_bias };
                Self::Linear(make(c * h * w, size(features), activation, vb)?)
            }
            Layer::BatchNorm { .. } => Self::BatchNorm(BatchNorm::new(c, activation, vb)?),
            Layer::Dropout { rate } => {
                let n = before.iter().filter(|step| matches!(step, Self::Dropout(_))).count();
                Self::Dropout(Dropout::new(rate, vb.pp("dropout").pp(n))?)
            }
            Layer::Reshape { shape } => Self::Reshape(shape),
            Layer::Flatten => Self::Reshape([c * h * w, 1, 1]),
            _ => bail!("{} follows no layer with weights", layer.kind()),
        })
    }

    fn forward(&self, x: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        match self {
            Self::Conv(layer) => layer.forward(x),
            Self::ConvTranspose(layer) => layer.forward(x),
            Self::Linear(layer) => layer.forward(x),
            Self::BatchNorm(layer) => layer.forward_t(x, train),
            Self::Dropout(layer) => layer.forward_t(x, train),
            Self::Reshape(shape) => reshape(x, *shape),
        }
    }
}

/// A generator given as layers.
#[derive(Clone, Debug)]
pub struct Generator {
    network: Network,
}

impl Generator {
    /// Layers from a latent of `latent` values to an image.
    ///
    /// # Errors
    /// As [`Network::new`], and if another image comes out.
    pub fn new(
        layers: &[Layer],
        latent: usize,
        image: ImageShape,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let network = Network::new(layers, [latent, 1, 1], &vb)?;
        let ImageShape { channels, height, width } = image;
        if network.output() != [channels, height, width] {
            let [c, h, w] = network.output();
            bail!("the generator's layers make {w}×{h} pixels of {c} channels, expected {image}");
        }
        Ok(Self { network })
    }

    /// What reads the latent first, where that is a matrix.
    pub(crate) fn first_layer(&self) -> Option<FirstLayer<'_>> {
        let of_one_pixel = |step: &&Step| matches!(step, Step::Reshape([_, 1, 1]));
        let before = self.network.steps.iter().take_while(of_one_pixel).count();
        let mut rest = self.network.steps[before..].iter();
        let first = match rest.next()? {
            Step::Linear(layer) => FirstLayer::linear(layer),
            Step::ConvTranspose(layer) => FirstLayer::conv_transpose(layer),
            _ => return None,
        };
        Some(match rest.next() {
            Some(Step::BatchNorm(norm)) => first.with_norm(norm),
            Some(Step::Reshape(maps)) => match rest.next() {
                Some(Step::BatchNorm(norm)) => first.with_maps(*maps).with_norm(norm),
                _ => first,
            },
            _ => first,
        })
    }

    /// `z`: `(N, latent)` → images `(N, C, H, W)`.
    pub fn images(&self, z: &Tensor, train: bool) -> Result<FeatureMaps> {
        let (n, latent) = z.dims2()?;
        self.network.forward(&FeatureMaps::from_tensor(&z.reshape((n, latent, 1, 1))?)?, train)
    }
}

/// A discriminator given as layers, to its logit: a sigmoid at the end, as some have, is left away.
#[derive(Clone, Debug)]
pub struct Discriminator {
    features: Network,
    to_logit: Network,
}

impl Discriminator {
    /// Layers from images to one value. The features are what the last layer with
    /// weights reads.
    ///
    /// # Errors
    /// As [`Network::new`], and if more than one value comes out.
    pub fn new(layers: &[Layer], image: ImageShape, vb: VarBuilder<'_>) -> Result<Self> {
        let ImageShape { channels, height, width } = image;
        let Some(last) = layers.iter().rposition(|layer| layer.key().is_some()) else {
            bail!("the discriminator has no layers; import its weights too");
        };
        let features = Network::new(&layers[..last], [channels, height, width], &vb)?;
        let head: Vec<Layer> =
            layers[last..].iter().filter(|layer| **layer != Layer::Sigmoid).cloned().collect();
        let to_logit = Network::new(&head, features.output(), &vb)?;
        if to_logit.output() != [1, 1, 1] {
            bail!("the discriminator's layers make {:?}, expected one value", to_logit.output());
        }
        Ok(Self { features, to_logit })
    }

    /// `images`: `(N, C, H, W)` in [−1, 1] → the maps before the last layer.
    pub fn features(&self, images: &FeatureMaps, train: bool) -> Result<FeatureMaps> {
        self.features.forward(images, train)
    }

    /// Channels, height and width of the features.
    pub fn feature_dims(&self) -> [usize; 3] {
        self.features.output()
    }

    /// Features → logits `(N,)`, positive for real.
    pub fn logits_of(&self, features: &FeatureMaps) -> Result<Tensor> {
        self.to_logit.forward(features, false)?.to_tensor()?.flatten_all()
    }
}
