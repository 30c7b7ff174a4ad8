//! Which tensors of which file are which network.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use gan_core::{ImageShape, Stream};
use gan_models::Layer;
use gan_models::layered::{Fit, Shapes};
use gan_models::state_dict::StateDict;

use super::Architecture;
use super::own::Own;
use crate::error::TrainError;
use crate::phase::Network;

/// PyTorch's count of batches beside running statistics, which nothing here depends on.
const COUNT: &str = "num_batches_tracked";

/// The layers that a network should have.
struct Expected {
    /// Names of their tensors in our network.
    own_keys: Vec<Option<String>>,
    layers: Vec<Layer>,
    /// Channels, height and width of what they read.
    input: [usize; 3],
    width: Option<usize>,
}

/// Tensors of a file whose names begin alike, and might be a network.
pub(super) struct Group<'a> {
    path: &'a Path,
    prefix: String,
    dict: &'a StateDict,
    /// By names without the prefix.
    shapes: Shapes,
}

impl<'a> Group<'a> {
    /// All groups of some files: one for every place where the first tensor of a network could be.
    pub(super) fn all(
        paths: &'a [PathBuf],
        dicts: &'a [StateDict],
        architecture: &Architecture,
    ) -> Vec<Self> {
        let first =
            |layers: &[Layer]| layers.iter().find_map(|l| Some(format!("{}.weight", l.key()?)));
        let firsts: Vec<String> = match architecture.model {
            Some(_) => vec!["main.0.weight".into()],
            None => [&architecture.generator, &architecture.discriminator]
                .into_iter()
                .filter_map(|layers| first(layers))
                .collect(),
        };
        let mut groups = Vec::new();
        for (path, dict) in paths.iter().zip(dicts) {
            let names = dict.tensors().iter().map(|(name, _)| name.as_str());
            let mut prefixes: BTreeSet<&str> = names
                .flat_map(|name| {
                    firsts.iter().filter_map(|first| name.strip_suffix(first.as_str()))
                })
                .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
                .collect();
            if prefixes.is_empty() {
                prefixes.insert(""); // for the differences to be told
            }
            groups.extend(prefixes.into_iter().map(|prefix| Self::new(path, prefix, dict)));
        }
        groups
    }

    fn new(path: &'a Path, prefix: &str, dict: &'a StateDict) -> Self {
        let shape = |(name, tensor): &(String, Tensor)| {
            Some((name.strip_prefix(prefix)?.to_string(), tensor.dims().to_vec()))
        };
        let shapes = dict.tensors().iter().filter_map(shape);
        let shapes = shapes.filter(|(name, _)| !name.ends_with(COUNT)).collect();
        Self { path, prefix: prefix.into(), dict, shapes }
    }

    /// The group as a network, or what differs.
    fn place(
        &self,
        network: Network,
        architecture: &Architecture,
        image: Option<ImageShape>,
    ) -> Result<Placed, Vec<String>> {
        let Expected { own_keys, layers, input, width } =
            self.expected(network, architecture, image)?;
        let mut fit = Fit::new(&layers, input, &self.shapes);
        if fit.differences.is_empty() {
            let known: BTreeSet<String> = fit.names().collect();
            let surplus = self.shapes.iter().filter(|(name, _)| !known.contains(*name));
            let said = |(name, dims): (&String, _)| format!("{name} {dims:?} is not known there");
            fit.differences = surplus.map(said).collect();
        }
        if !fit.differences.is_empty() {
            return Err(fit.differences);
        }
        let Fit { layers, output, .. } = fit;
        let tensors = self.tensors(&own_keys, &layers)?;
        let probability = match architecture.model {
            Some(_) => true, // as the example has it
            None => layers.last() == Some(&Layer::Sigmoid),
        };
        let (path, prefix) = (self.path.to_path_buf(), self.prefix.clone());
        Ok(Placed { path, prefix, layers, tensors, input, output, width, probability })
    }

    /// The layers that a network of the architecture would have here.
    fn expected(
        &self,
        network: Network,
        architecture: &Architecture,
        image: Option<ImageShape>,
    ) -> Result<Expected, Vec<String>> {
        let own_keys =
            |layers: &[Layer]| layers.iter().map(|layer| layer.key().map(String::from)).collect();
        if architecture.model.is_some() {
            let Some(Own { described, width }) = Own::dcgan(network, &self.shapes) else {
                return Err(vec![self.no_dcgan(network)]);
            };
            let (own_keys, layers) = (own_keys(&described.main), described.numbered_main());
            return Ok(Expected { own_keys, layers, input: described.input, width: Some(width) });
        }
        let layers = match network {
            Network::Generator => architecture.generator.clone(),
            _ => architecture.discriminator.clone(),
        };
        if layers.is_empty() {
            return Err(vec![format!("the architecture has no {}", network.name())]);
        }
        let input = self.input(network, &layers, image);
        Ok(Expected { own_keys: own_keys(&layers), layers, input, width: None })
    }

    /// The tensors of layers by the names that they have in our network, in f32.
    fn tensors(
        &self,
        own_keys: &[Option<String>],
        layers: &[Layer],
    ) -> Result<HashMap<String, Tensor>, Vec<String>> {
        let mut tensors = HashMap::new();
        for (own_key, layer) in own_keys.iter().zip(layers) {
            let (Some(own_key), Some(key)) = (own_key, layer.key()) else { continue };
            for name in layer.tensors() {
                let tensor = self.dict.get(&format!("{}{key}.{name}", self.prefix));
                let Some(tensor) = tensor.and_then(|t| t.to_dtype(DType::F32).ok()) else {
                    return Err(vec![format!("{key}.{name} is not made of numbers")]);
                };
                tensors.insert(format!("{own_key}.{name}"), tensor);
            }
        }
        tensors.extend(masks(layers)?);
        Ok(tensors)
    }

    /// What a network reads, as its first weight says: latents of one pixel, or images.
    fn input(&self, network: Network, layers: &[Layer], image: Option<ImageShape>) -> [usize; 3] {
        let first = layers.iter().find(|layer| layer.key().is_some());
        let dims = first.and_then(|layer| {
            let name = format!("{}.weight", layer.key()?);
            Some((layer, self.shapes.get(&name)?))
        });
        let values = match dims {
            Some((Layer::ConvTranspose { .. }, dims)) => dims.first(),
            Some((_, dims)) => dims.get(1),
            None => None,
        };
        let values = values.copied().unwrap_or(1);
        match (network, image) {
            (Network::Generator, _) => [values, 1, 1],
            (_, Some(image)) => [image.channels, image.height, image.width],
            (_, None) => [values, 1, 1],
        }
    }

    fn no_dcgan(&self, network: Network) -> String {
        let weights: Vec<String> = self
            .shapes
            .iter()
            .filter(|(_, dims)| dims.len() == 4)
            .map(|(name, dims)| format!("{name} {dims:?}"))
            .collect();
        let found = match weights.is_empty() {
            true => "there are none of four dimensions".into(),
            false => weights.join(", "),
        };
        format!(
            "the weights main.N are not those of a dcgan {} (4×4 kernels, from or to 1×1 by one of 4×4 to 7×7): {found}; \
             describe its layers in a file for --as",
            network.name()
        )
    }
}

/// What dropouts draw their masks from, which other programs keep in no file.
fn masks(layers: &[Layer]) -> Result<Vec<(String, Tensor)>, Vec<String>> {
    let mut masks = Vec::new();
    let wrong = |e: candle_core::Error| vec![e.to_string()];
    for n in 0..layers.iter().filter(|layer| matches!(layer, Layer::Dropout { .. })).count() {
        let key = Stream::named(&format!("import.dropout.{n}"), 0).uniform(0.0, 1.0);
        for (name, value) in [("mask_key", key), ("mask_calls", 0.0)] {
            let tensor = Tensor::new(&[value], &Device::Cpu).map_err(wrong)?;
            masks.push((format!("dropout.{n}.{name}"), tensor));
        }
    }
    Ok(masks)
}

/// A network whose tensors were found.
#[derive(Debug)]
pub struct Placed {
    path: PathBuf,
    prefix: String,
    pub(super) layers: Vec<Layer>,
    /// By their names in our network, in f32.
    pub(super) tensors: HashMap<String, Tensor>,
    /// Channels, height and width of what it reads and makes.
    pub(super) input: [usize; 3],
    output: [usize; 3],
    pub(super) width: Option<usize>,
    /// Whether the original ends in a sigmoid.
    pub(super) probability: bool,
}

impl Placed {
    /// The file that it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the names of its tensors begin with in the file.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Its tensors.
    pub fn tensor_count(&self) -> usize {
        self.tensors.len()
    }

    pub(super) fn image(&self) -> ImageShape {
        shape(self.output)
    }

    /// The images that a discriminator reads, where that is known.
    pub(super) fn input_image(&self) -> Option<ImageShape> {
        (self.input[1] > 1).then(|| shape(self.input))
    }
}

fn shape([channels, height, width]: [usize; 3]) -> ImageShape {
    ImageShape { channels, height, width }
}

/// The generator and the discriminator among groups; every group has to be one of them.
pub(super) fn assign(
    groups: &[Group<'_>],
    architecture: &Architecture,
) -> Result<[Option<Placed>; 2], TrainError> {
    let mut used = vec![false; groups.len()];
    let mut refusals: Vec<Vec<(Network, Vec<String>)>> =
        groups.iter().map(|_| Vec::new()).collect();
    let mut find = |network, image| {
        for (i, group) in groups.iter().enumerate().filter(|(i, _)| !used[*i]).collect::<Vec<_>>() {
            match group.place(network, architecture, image) {
                Ok(placed) => {
                    used[i] = true;
                    return Some(placed);
                }
                Err(differences) => refusals[i].push((network, differences)),
            }
        }
        None
    };
    let generator = find(Network::Generator, None);
    let image = generator.as_ref().map(Placed::image).or(architecture.image);
    let discriminator = find(Network::Discriminator, image);
    match used.iter().position(|used| !used) {
        None => Ok([generator, discriminator]),
        Some(i) => Err(refuse(&groups[i], &refusals[i])),
    }
}

/// Says why a group is no network, as the one from which it differs least.
fn refuse(group: &Group<'_>, refusals: &[(Network, Vec<String>)]) -> TrainError {
    let least = refusals.iter().min_by_key(|(_, differences)| differences.len());
    let (as_what, differences) = match least {
        Some((network, differences)) => (format!("the {}", network.name()), differences.join("; ")),
        None => ("another network".into(), "both were found already".into()),
    };
    let place = match group.prefix.as_str() {
        "" => String::new(),
        prefix => format!(" ({prefix}…)"),
    };
    TrainError::Import { path: group.path.into(), place, as_what, differences }
}
