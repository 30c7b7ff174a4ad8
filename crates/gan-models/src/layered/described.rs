//! Our networks as lists of layers, found by looking at what a forward pass goes through.

use candle_core::{DType, Device, Result, Tensor};
use gan_core::ImageShape;
use gan_kernels::FeatureMaps;

use super::Layer;
use crate::autoencoder::{Decoder, Encoder};
use crate::classifier::Classifier;
use crate::layers::Linear;
use crate::recognizer::Recognizer;
use crate::summary::{Sequence, sequence};
use crate::{Discriminator, Generator};

/// A network as layers: a main sequence, and heads that read what its first layers make.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Channels, height and width of what it reads.
    pub input: [usize; 3],
    /// Values that it is told about each image, which lie beside the image's channels in `input`.
    pub told: usize,
    /// Layers with the keys that they have in the network.
    pub main: Vec<Layer>,
    /// Further outputs.
    pub heads: Vec<Head>,
}

/// A further output of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// What it is called.
    pub name: &'static str,
    /// How many layers of the main sequence come before it.
    pub reads: usize,
    /// Its layers.
    pub layers: Vec<Layer>,
}

impl Described {
    fn new(input: [usize; 3], main: Vec<Layer>) -> Self {
        Self { input, told: 0, main, heads: Vec::new() }
    }

    /// All layers under the keys that they get in an `nn.Module` whose sequences are `main` and named as the heads.
    pub fn numbered(&self) -> Vec<(String, &Layer)> {
        let heads = self.heads.iter().map(|head| (head.name, &head.layers));
        let mut keys = Vec::new();
        for (name, layers) in std::iter::once(("main", &self.main)).chain(heads) {
            keys.extend(layers.iter().enumerate().map(|(i, layer)| (format!("{name}.{i}"), layer)));
        }
        keys
    }

    /// The main sequence with the keys that `nn.Sequential` gives it.
    pub fn numbered_main(&self) -> Vec<Layer> {
        let numbered = |(i, layer): (usize, &Layer)| layer.clone().with_key(&format!("main.{i}"));
        self.main.iter().enumerate().map(numbered).collect()
    }
}

fn zeros(dims: [usize; 3]) -> Result<FeatureMaps> {
    let [c, h, w] = dims;
    FeatureMaps::from_tensor(&Tensor::zeros((1, c, h, w), DType::F32, &Device::Cpu)?)
}

fn dims(image: ImageShape) -> [usize; 3] {
    [image.channels, image.height, image.width]
}

impl Generator {
    /// The network as layers from `latent` values to an image; it has to be on the CPU.
    ///
    /// # Errors
    /// If it is no sequence, as with skip-z.
    pub fn described(&self, latent: usize, image: ImageShape) -> Result<Described> {
        let z = Tensor::zeros((1, latent), DType::F32, &Device::Cpu)?;
        let input = [latent, 1, 1];
        let forward = || self.images(&z, false);
        let Sequence { layers: mut main, .. } = sequence((input, None), dims(image), forward)?;
        if matches!(self, Self::Decoder(_)) {
            main.extend(Layer::of_activation(Decoder::ACTIVATION));
        }
        Ok(Described::new(input, main))
    }
}

impl Discriminator {
    /// The network as layers from images to its logit, with the auxiliary head and a recognizer where there are any; it
    /// has to be on the CPU.
    ///
    /// # Errors
    /// If it is no sequence.
    pub fn described(
        &self,
        image: ImageShape,
        recognizer: Option<&Recognizer>,
    ) -> Result<Described> {
        let input = [image.channels + self.told(), image.height, image.width];
        let (images, features) = (zeros(input)?, self.feature_dims());
        let trunk = self.trunk();
        let forward = || trunk.features(&images, false);
        let Sequence { layers: mut main, flat } =
            sequence((input, Some(false)), features, forward)?;
        let (reads, maps, from) =
            (main.len(), trunk.features(&images, false)?, (features, Some(flat)));
        main.extend(sequence(from, [1, 1, 1], || trunk.logits_of(&maps))?.layers);
        let mut described = Described { told: self.told(), ..Described::new(input, main) };
        if let Some(head) = self.auxiliary() {
            let out = [head.forward(&maps)?.dims()[1], 1, 1];
            let layers = sequence(from, out, || head.forward(&maps))?.layers;
            described.heads.push(Head { name: "auxiliary", reads, layers });
        }
        if let Some(recognizer) = recognizer {
            let out = [recognizer.output_size(), 1, 1];
            let layers = sequence(from, out, || recognizer.estimates(&maps, false))?.layers;
            described.heads.push(Head { name: "recognizer", reads, layers });
        }
        Ok(described)
    }
}

impl Encoder {
    /// The network as layers from images to latents or their means, with a head for the logarithm of the variance where
    /// there is one; it has to be on the CPU.
    ///
    /// # Errors
    /// If it is no sequence.
    pub fn described(&self, image: ImageShape) -> Result<Described> {
        let images = zeros(dims(image))?;
        let maps = self.features(&images, false)?;
        let [_, c, h, w] = maps.dims();
        let forward = || self.features(&images, false);
        let from = (dims(image), Some(false));
        let Sequence { layers: mut main, flat } = sequence(from, [c, h, w], forward)?;
        let reads = main.len();
        let head = |head: &Linear| -> Result<Vec<Layer>> {
            let out = head.forward(&maps)?.dims()[1];
            Ok(sequence(([c, h, w], Some(flat)), [out, 1, 1], || head.forward(&maps))?.layers)
        };
        let (mean, log_variance) = self.heads();
        main.extend(head(mean)?);
        let mut described = Described::new(dims(image), main);
        if let Some(log_variance) = log_variance {
            let layers = head(log_variance)?;
            described.heads.push(Head { name: "log_variance", reads, layers });
        }
        Ok(described)
    }
}

impl Classifier {
    /// The network as layers from images to `outputs` logits; it has to be on the CPU.
    ///
    /// # Errors
    /// If it is no sequence.
    pub fn described(&self, image: ImageShape, outputs: usize) -> Result<Described> {
        let images = zeros(dims(image))?;
        let forward = || self.logits(&images, false);
        let main = sequence((dims(image), Some(false)), [outputs, 1, 1], forward)?.layers;
        Ok(Described::new(dims(image), main))
    }
}
