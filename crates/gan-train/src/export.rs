//! Weights for other programs: safetensors with the keys of PyTorch's DCGAN example, a Python module that loads them,
//! and the architecture that [`crate::import`] reads.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use gan_core::{ImageShape, file};
use gan_models::autoencoder::Encoder;
use gan_models::classifier::Classifier;
use gan_models::layered::{self, Described};
use gan_models::{Distribution, Latent, Layer, Part};
use serde::Serialize;

use crate::checkpoint::{Checkpoint, EMA, Weights};
use crate::config::{AutoencoderConfig, ClassifierConfig};
use crate::error::TrainError;
use crate::phase::Network;

/// A network of a run, as other programs have it.
#[derive(Debug)]
pub struct Exported {
    /// Which network.
    pub network: Network,
    /// Its layers.
    pub described: Described,
    /// Its tensors by the keys of [`Described::numbered`].
    pub tensors: Vec<(String, Tensor)>,
    /// What goes in and what comes out, for people.
    pub about: String,
}

/// The networks of a run, as other programs have them.
#[derive(Debug)]
pub struct Export {
    /// First the one that makes images, where there is one.
    pub networks: Vec<Exported>,
    /// What the run is, for people.
    title: String,
    latent: Latent,
    image: ImageShape,
}

impl Export {
    /// All networks of a checkpoint.
    ///
    /// # Errors
    /// If a network is no sequence of layers, as a generator with skip-z.
    pub fn new(checkpoint: &Checkpoint, weights: Weights) -> Result<Self, TrainError> {
        let (config, image) = (&checkpoint.header.config, checkpoint.image()?);
        let mut networks = Vec::new();
        if config.generates() {
            networks.push(generator(checkpoint, weights)?);
        }
        if config.model.is_some()
            && !checkpoint.of_network(Network::Discriminator.name()).is_empty()
        {
            networks.push(discriminator(checkpoint)?);
        }
        if let Some(autoencoder) = &config.autoencoder {
            networks.push(encoder(checkpoint, autoencoder)?);
        }
        if let Some(config) = &config.classifier {
            networks.push(classifier(checkpoint, config)?);
        }
        let title = format!(
            "Networks of a run of the preset {}, {} images seen",
            config.preset, checkpoint.header.images_seen
        );
        Ok(Self { networks, title, latent: config.latent.clone(), image })
    }

    /// Writes `NETWORK.safetensors` for each network, `model.py` and, where layers in order say everything,
    /// `architecture.toml`. Returns the files.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
        fs_err::create_dir_all(folder)?;
        let mut files = Vec::new();
        let mut write = |name: String, bytes: &[u8]| -> Result<(), TrainError> {
            let path = folder.join(name);
            file::write_bytes(&path, bytes)?;
            files.push(path);
            Ok(())
        };
        for exported in &self.networks {
            let tensors = exported.tensors.iter().map(|(name, tensor)| (name, tensor));
            let bytes = safetensors::serialize(tensors, None)
                .map_err(|e| candle_core::Error::Msg(e.to_string()))?;
            write(format!("{}.safetensors", exported.network.name()), &bytes)?;
        }
        write("model.py".into(), self.python().as_bytes())?;
        if let Some(architecture) = self.architecture()? {
            write("architecture.toml".into(), architecture.as_bytes())?;
        }
        Ok(files)
    }

    /// A Python module with a class for each network.
    pub fn python(&self) -> String {
        let usage = |exported: &Exported| {
            let (class, name) = (exported.class(), exported.network.name());
            format!("    {name} = load({class}(), \"{name}.safetensors\")\n")
        };
        let usage: String = self.networks.iter().map(usage).collect();
        let classes = self.networks.iter().map(|exported| {
            layered::module(&exported.class(), &exported.about, &exported.described)
        });
        let classes: Vec<String> = classes.collect();
        format!(
            "\"\"\"{}.\n\n{usage}\nNeeds torch and safetensors.\n\"\"\"\n\nimport torch\nfrom safetensors.torch import load_file\nfrom torch import nn\n\n\n\
             def load(network, path):\n    \"\"\"The network with the weights of a file, for evaluation.\"\"\"\n    \
             # PyTorch's count of batches is not kept: nothing depends on it while the momentum is a number.\n    \
             missing, unexpected = network.load_state_dict(load_file(path), strict=False)\n    \
             missing = [name for name in missing if not name.endswith(\"num_batches_tracked\")]\n    \
             if missing or unexpected:\n        raise ValueError(f\"{{path}}: missing {{missing}}, unexpected {{unexpected}}\")\n    \
             return network.eval()\n\n\n{}",
            self.title,
            classes.join("\n\n")
        )
    }

    /// The file that `import --as` reads, of a generator or decoder and a discriminator.
    fn architecture(&self) -> Result<Option<String>, TrainError> {
        #[derive(Serialize)]
        struct File<'a> {
            latent: &'a Latent,
            image: ImageShape,
            generator: Vec<Layer>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            discriminator: Vec<Layer>,
        }
        let find = |networks: &[Network]| {
            self.networks.iter().find(|exported| networks.contains(&exported.network))
        };
        let Some(generator) = find(&[Network::Generator, Network::Decoder]) else {
            return Ok(None);
        };
        // One that is told something, or has a second head, is more than its main layers.
        let discriminator = find(&[Network::Discriminator])
            .filter(|d| d.described.told == 0 && d.described.heads.is_empty());
        let file = File {
            latent: &self.latent,
            image: self.image,
            generator: generator.described.numbered_main(),
            discriminator: discriminator.map_or_else(Vec::new, |d| d.described.numbered_main()),
        };
        toml::to_string(&file).map(Some).map_err(|e| TrainError::Config(e.to_string()))
    }
}

impl Exported {
    /// `described` with its tensors, which are in `own` by the names that the networks have for them.
    fn new(
        network: Network,
        described: Described,
        own: &HashMap<String, Tensor>,
        about: String,
    ) -> Result<Self, TrainError> {
        let mut tensors = Vec::new();
        for (key, layer) in described.numbered() {
            let Some(own_key) = layer.key() else { continue };
            for name in layer.tensors() {
                let Some(tensor) = own.get(&format!("{own_key}.{name}")) else {
                    let (network, reason) = (network.name(), "is missing in the checkpoint");
                    return Err(TrainError::Config(format!("{network}.{own_key}.{name} {reason}")));
                };
                let tensor = tensor.to_device(&Device::Cpu)?.contiguous()?;
                tensors.push((format!("{key}.{name}"), tensor));
            }
        }
        Ok(Self { network, described, tensors, about })
    }

    /// The name of its Python class.
    pub fn class(&self) -> String {
        let name = self.network.name();
        let (first, rest) = name.split_at(1);
        first.to_uppercase() + rest
    }
}

fn generator(checkpoint: &Checkpoint, weights: Weights) -> Result<Exported, TrainError> {
    let (config, image) = (&checkpoint.header.config, checkpoint.image()?);
    let network = config.generator_network();
    let latent = config.latent.encoded_size();
    let described = checkpoint.generator_of(weights, &Device::Cpu)?.described(latent, image);
    let described = described.map_err(|e| {
        TrainError::Config(format!(
            "the generator is no sequence of layers, so that it cannot be exported: {e}"
        ))
    })?;
    let mut tensors = checkpoint.of_network(network.name());
    if weights == Weights::Average {
        tensors.extend(checkpoint.of_network(EMA));
    }
    let parts: Vec<String> = config.latent.parts().iter().map(describe_part).collect();
    let about = format!(
        "Latents (N, {latent}) -> images {} in [-1, 1].\n\n    The values of a latent: {}.\n    ",
        dims(image),
        parts.join("; ")
    );
    Exported::new(network, described, &tensors, about)
}

fn discriminator(checkpoint: &Checkpoint) -> Result<Exported, TrainError> {
    let (config, image) = (&checkpoint.header.config, checkpoint.image()?);
    let model = config.gan()?;
    let store = |network: Network| checkpoint.store(network.name(), &Device::Cpu).frozen();
    let network = model.discriminator(&config.latent, image, store(Network::Discriminator))?;
    let recognizer = model.recognizer(&config.latent, &network, store(Network::Recognizer))?;
    let described = network.described(image, recognizer.as_ref())?;
    let mut about =
        format!("Images {} in [-1, 1] -> logits (N, 1), positive for real", dims(image));
    if described.told > 0 {
        about = format!(
            "Images {} in [-1, 1] and {} (N, {}) -> logits (N, 1), positive for real",
            dims(image),
            model.condition.as_deref().unwrap_or("what it is told"),
            described.told
        );
    }
    for head in &described.heads {
        about += &format!(
            "; and {}",
            match head.name {
                "auxiliary" => format!(
                    "the auxiliary head's logits of {}",
                    model.auxiliary.as_deref().unwrap_or("classes")
                ),
                _ => format!("the recognizer's outputs for {}", model.codes.join(", ")),
            }
        );
    }
    let mut tensors = checkpoint.of_network(Network::Discriminator.name());
    // Names within the two networks do not meet: a recognizer's are `hidden`, `norm` and `to_codes`.
    tensors.extend(checkpoint.of_network(Network::Recognizer.name()));
    Exported::new(Network::Discriminator, described, &tensors, about + ".")
}

fn encoder(checkpoint: &Checkpoint, config: &AutoencoderConfig) -> Result<Exported, TrainError> {
    let image = checkpoint.image()?;
    let latent = checkpoint.header.config.latent.encoded_size();
    let name = Network::Encoder.name();
    let store = checkpoint.store(name, &Device::Cpu);
    let variational = config.is_variational();
    let network = Encoder::new(config.width, latent, variational, image, store.frozen())?;
    let out = match variational {
        true => format!("means (N, {latent}) and logarithms of the variances (N, {latent})"),
        false => format!("latents (N, {latent})"),
    };
    let about = format!("Images {} in [-1, 1] -> {out}.", dims(image));
    Exported::new(Network::Encoder, network.described(image)?, &checkpoint.of_network(name), about)
}

fn classifier(checkpoint: &Checkpoint, config: &ClassifierConfig) -> Result<Exported, TrainError> {
    let (image, labels) = (checkpoint.image()?, config.target.names());
    let name = Network::Classifier.name();
    let store = checkpoint.store(name, &Device::Cpu);
    let network = Classifier::new(config.width, labels.len(), image, store.frozen())?;
    let described = network.described(image, labels.len())?;
    let about = format!(
        "Images {} in [-1, 1] -> logits (N, {}).\n\n    {}.\n    ",
        dims(image),
        labels.len(),
        labels.join(", ")
    );
    Exported::new(Network::Classifier, described, &checkpoint.of_network(name), about)
}

/// The values that a generator reads of one part.
fn describe_part(part: &Part) -> String {
    let (size, name) = (part.distribution.encoded_size(), &part.name);
    match &part.distribution {
        Distribution::Categorical { classes, count } => {
            format!("{size} of {name}, {count} one-hot of {classes}")
        }
        Distribution::Attributes { names, .. } => {
            format!("{size} of {name}, each 0 or 1: {}", names.join(", "))
        }
        other => format!("{size} of {name}, each {}", other.range()),
    }
}

fn dims(ImageShape { channels, height, width }: ImageShape) -> String {
    format!("(N, {channels}, {height}, {width})")
}
