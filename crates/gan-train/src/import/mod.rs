//! Weights from other programs: files of tensors and an architecture become a run.

mod own;
mod placed;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use candle_nn::ModuleT;
use gan_core::ImageShape;
use gan_data::LoaderPosition;
use gan_kernels::{Activation, activate};
use gan_models::state_dict::StateDict;
use gan_models::{
    DiscriminatorKind, GeneratorKind, Latent, Layer, ModelConfig, NetworkSummary, ParamStore,
    dcgan, summary,
};
use serde::Deserialize;

use self::placed::{Group, Placed};
use crate::checkpoint::{Checkpoint, FORMAT, Header};
use crate::config::Config;
use crate::error::TrainError;
use crate::phase::Network;
use crate::preset::Preset;

/// Which networks some tensors are, as a small file says.
///
/// Either one of our models by name, whose tensors have the keys of PyTorch's DCGAN example, or the layers of one or
/// both networks with the keys that they have in the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// `dcgan`.
    #[serde(default)]
    model: Option<OwnModel>,
    /// What the generator reads; as many values of N(0, 1) as it takes unless given.
    #[serde(default)]
    latent: Latent,
    /// The images, where there is no generator to tell.
    #[serde(default)]
    image: Option<ImageShape>,
    /// The generator's layers.
    #[serde(default)]
    generator: Vec<Layer>,
    /// The discriminator's layers.
    #[serde(default)]
    discriminator: Vec<Layer>,
}

/// Models of ours that other programs have too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OwnModel {
    Dcgan,
}

/// The architectures that are built in, by name.
pub const ARCHITECTURES: &[(&str, &str)] =
    &[("dcgan", include_str!("../../../../assets/architectures/dcgan.toml"))];

impl Architecture {
    /// A built-in one by its name, or a file.
    ///
    /// # Errors
    /// If there is neither, or it describes no network.
    pub fn find(name: &str) -> Result<Self, TrainError> {
        let text = match ARCHITECTURES.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => (*text).to_string(),
            None if Path::new(name).is_file() => fs_err::read_to_string(name)?,
            None => {
                let names: Vec<&str> = ARCHITECTURES.iter().map(|(name, _)| *name).collect();
                return Err(TrainError::Config(format!(
                    "{name} is no architecture: expected a TOML file, or one that is built in ({})",
                    names.join(", ")
                )));
            }
        };
        let refuse = |reason: String| TrainError::Config(format!("{name}: {reason}"));
        let found: Self = toml::from_str(&text)
            .map_err(|e| refuse(e.to_string().trim_end().replace('\n', "; ")))?;
        match (found.model, found.generator.is_empty() && found.discriminator.is_empty()) {
            (None, true) => Err(refuse(
                "expected model = \"dcgan\", or layers as [[generator]] and [[discriminator]]"
                    .into(),
            )),
            (Some(_), false) => Err(refuse("expected either a model or layers, found both".into())),
            _ => Ok(found),
        }
    }
}

/// Networks whose weights were found in files.
#[derive(Debug)]
pub struct Imported {
    config: Config,
    image: ImageShape,
    generator: Option<Placed>,
    discriminator: Option<Placed>,
    files: Vec<PathBuf>,
}

impl Imported {
    /// Finds the networks of `architecture` in some files: by the keys and shapes of their tensors, whatever the files
    /// are called. A file may hold both, in dictionaries or under prefixes of their own.
    ///
    /// # Errors
    /// If a file cannot be read, or fits no network: what is missing, too much or of another shape is listed.
    pub fn read(files: &[PathBuf], architecture: &Architecture) -> Result<Self, TrainError> {
        let dicts = files.iter().map(|path| StateDict::read(path));
        let dicts = dicts.collect::<Result<Vec<_>, _>>()?;
        let groups = Group::all(files, &dicts, architecture);
        let [generator, discriminator] = placed::assign(&groups, architecture)?;
        let image = generator.as_ref().map(Placed::image).or(architecture.image);
        let image = image.or_else(|| discriminator.as_ref().and_then(|d| d.input_image()));
        let Some(image) = image else {
            return Err(TrainError::Config(
                "an architecture of a discriminator alone says what images it looks at: image = { channels = 1, height \
                 = 28, width = 28 }"
                    .into(),
            ));
        };
        let config = config(architecture, image, generator.as_ref(), discriminator.as_ref())?;
        Ok(Self { config, image, generator, discriminator, files: files.to_vec() })
    }

    /// Which network came from which file and how many tensors it has, for a person to read.
    pub fn found(&self) -> Vec<(Network, &Placed)> {
        let both =
            [(Network::Generator, &self.generator), (Network::Discriminator, &self.discriminator)];
        both.into_iter().filter_map(|(network, placed)| Some((network, placed.as_ref()?))).collect()
    }

    /// The images that the networks make and look at.
    pub fn image(&self) -> ImageShape {
        self.image
    }

    /// What the networks make of an input, in evaluation mode: images of latents `(N, latent)` or `(N, latent, 1, 1)`, or of
    /// images `(N, C, H, W)` how real they are, in the form in which the original says it: as probabilities where it ends in a
    /// sigmoid.
    ///
    /// # Errors
    /// If the network for such an input was not imported, or the input has another shape.
    pub fn evaluate(&self, input: &Tensor) -> Result<Tensor, TrainError> {
        let device = input.device();
        let missing = |what: &str| {
            TrainError::Config(format!("no {what} was imported, and the input is one's"))
        };
        let reads = |n: usize| self.generator.as_ref().is_some_and(|g| g.input == [n, 1, 1]);
        let input = match *input.dims() {
            [_, n, 1, 1] if reads(n) => input.flatten_from(1)?,
            _ => input.clone(),
        };
        match (input.rank(), &self.generator, &self.discriminator) {
            (2, Some(generator), _) => {
                let store = ParamStore::from_tensors(generator.tensors.clone(), device);
                let network = self.config.generator(self.image, store.frozen())?;
                Ok(network.forward_t(&input, false)?)
            }
            (4, _, Some(discriminator)) => {
                let store = ParamStore::from_tensors(discriminator.tensors.clone(), device);
                let (latent, image) = (&self.config.latent, self.image);
                let network = self.config.gan()?.discriminator(latent, image, store.frozen())?;
                let logits = network.forward_t(&input, false)?;
                Ok(match discriminator.probability {
                    true => activate(&logits, Activation::Sigmoid)?,
                    false => logits,
                })
            }
            (2, ..) => Err(missing("generator")),
            (4, ..) => Err(missing("discriminator")),
            (rank, ..) => Err(TrainError::Config(format!(
                "an input has 2 dimensions for a generator or 4 for a discriminator, not {rank}"
            ))),
        }
    }

    /// The run at its beginning; `data` names what it is trained on further.
    ///
    /// # Errors
    /// If there is no generator.
    pub fn checkpoint(&self, data: Option<&str>) -> Result<Checkpoint, TrainError> {
        if self.generator.is_none() {
            return Err(TrainError::Config(
                "a discriminator alone makes no run; import the generator's file with it".into(),
            ));
        }
        let mut config = self.config.clone();
        if let Some(data) = data {
            config.data.source = data.into();
        }
        let mut tensors = HashMap::new();
        for (network, placed) in self.found() {
            let named = placed.tensors.iter();
            tensors
                .extend(named.map(|(name, t)| (format!("{}.{name}", network.name()), t.clone())));
        }
        let header = Header {
            format: FORMAT,
            config,
            step: 0,
            images_seen: 0,
            seconds: 0.0,
            latents: None,
            mixing: None,
            monitor: None,
            lr_factor: 1.0,
            rollbacks: 0,
            last: None,
            loader: LoaderPosition::default(),
            data_digest: String::new(),
            optimizer_steps: BTreeMap::new(),
            imported: self.files.clone(),
        };
        Ok(Checkpoint { header, tensors })
    }

    /// Tables of the networks.
    ///
    /// # Errors
    /// If a tensor operation fails.
    pub fn summaries(&self) -> Result<Vec<NetworkSummary>, TrainError> {
        let ImageShape { channels, height, width } = self.image;
        let zeros = |dims: &[usize]| Tensor::zeros(dims, candle_core::DType::F32, &Device::Cpu);
        self.found()
            .into_iter()
            .map(|(network, _)| {
                let input = match network {
                    Network::Generator => zeros(&[1, self.config.latent.encoded_size()])?,
                    _ => zeros(&[1, channels, height, width])?,
                };
                let run = || self.evaluate(&input).map_err(candle_core::Error::wrap);
                Ok(summary::summarize(network.name(), run)?)
            })
            .collect()
    }
}

/// A configuration in which such networks train: the preset dcgan's, where nothing else is known.
fn config(
    architecture: &Architecture,
    image: ImageShape,
    generator: Option<&Placed>,
    discriminator: Option<&Placed>,
) -> Result<Config, TrainError> {
    let mut config = Preset::find("dcgan")?.config()?;
    config.preset = "imported".into();
    config.image = Some(image);
    let latent = generator.map_or(1, |placed| placed.input[0]);
    config.latent = match architecture.latent.is_empty() {
        true => Latent::normal(latent),
        false => architecture.latent.clone(),
    };
    if generator.is_some() && config.latent.encoded_size() != latent {
        return Err(TrainError::Config(format!(
            "the architecture's latent has {} values, the generator's first layer reads {latent}",
            config.latent.encoded_size()
        )));
    }
    if image.channels == 1 {
        (config.data.source, config.data.flips) = ("mnist".into(), false);
    } else {
        config.data.size = Some(image.height);
    }
    let own = architecture.model.is_some();
    let fits_dcgan = dcgan::Plan::new(image).is_ok();
    let width = |placed: Option<&Placed>, other: Option<&Placed>| {
        placed.or(other).and_then(|placed| placed.width).unwrap_or(64)
    };
    let layers = |placed: Option<&Placed>| match placed {
        Some(placed) if !own => placed.layers.clone(),
        _ => Vec::new(),
    };
    config.model = Some(ModelConfig {
        generator: if own { GeneratorKind::Dcgan } else { GeneratorKind::Layers },
        discriminator: match discriminator {
            Some(_) if !own => DiscriminatorKind::Layers,
            // Of one that was not imported the first training makes a new one.
            _ if fits_dcgan => DiscriminatorKind::Dcgan,
            _ => DiscriminatorKind::Fc,
        },
        discriminator_width: width(discriminator, generator),
        generator_layers: layers(generator),
        discriminator_layers: layers(discriminator),
        ..ModelConfig::plain_dcgan(width(generator, discriminator))
    });
    Ok(config)
}
