//! What the data tells about real images, as values of a latent's part.

use candle_core::{DType, Device, Tensor};
use gan_core::names;
use gan_data::{Dataset, Manifest, Split};
use gan_models::{Distribution, Latent};

use crate::config::Config;
use crate::error::TrainError;

/// Where the data has the values of one part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    /// The part's name.
    pub(crate) part: String,
    source: Source,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// The class of an image.
    Class,
    /// Columns of its attributes.
    Attributes(Vec<usize>),
}

impl Condition {
    /// Finds what the data says about part `name`: its attributes by their names, a choice of two as the attribute of
    /// the part's name, any other choice as the class.
    pub(crate) fn find(latent: &Latent, name: &str, data: &Dataset) -> Result<Self, TrainError> {
        let manifest = data.manifest();
        let unknown =
            |what: String| Err(TrainError::Config(format!("latent part {name:?} {what}")));
        let source = match latent.part(name).map(|part| &part.distribution) {
            Some(Distribution::Attributes { names, .. }) => {
                let column = |name: &String| attribute_column(&manifest.attributes, name);
                Source::Attributes(names.iter().map(column).collect::<Result<_, _>>()?)
            }
            Some(Distribution::Categorical { classes, count: 1 }) => {
                let column = manifest.attributes.iter().position(|attribute| attribute == name);
                match (column, manifest.classes.len()) {
                    (Some(column), _) if *classes == 2 => Source::Attributes(vec![column]),
                    (None, n) if n == *classes => Source::Class,
                    (Some(_), _) => {
                        return unknown(format!("has {classes} classes, an attribute has 2"));
                    }
                    (None, _) if *classes == 2 => {
                        Source::Attributes(vec![attribute_column(&manifest.attributes, name)?])
                    }
                    (_, n) => {
                        return unknown(format!(
                            "has {classes} classes, the data has {n}; set latent.{name}.classes={n}"
                        ));
                    }
                }
            }
            _ => return unknown("is nothing that the data tells".into()),
        };
        Ok(Self { part: name.into(), source })
    }

    /// The part's values for images of the training split, `(N, size)` as a latent stores them.
    pub(crate) fn values(
        &self,
        data: &Dataset,
        indices: &[usize],
        device: &Device,
    ) -> Result<Tensor, TrainError> {
        let missing = || TrainError::Changed(format!("the data no longer tells {:?}", self.part));
        let values = match &self.source {
            Source::Class => {
                data.labels(Split::Train, indices)?.ok_or_else(missing)?.reshape(((), 1))?
            }
            Source::Attributes(columns) => {
                let all = data.attributes(Split::Train, indices)?.ok_or_else(missing)?;
                let columns: Vec<u32> = columns.iter().map(|&column| column as u32).collect();
                all.index_select(&Tensor::new(columns, &Device::Cpu)?, 1)?
            }
        };
        Ok(values.to_dtype(DType::F32)?.to_device(device)?)
    }
}

/// Refuses what a discriminator is to be told or to recognize where the data has no attributes, and says with which settings
/// it learns the data's classes instead.
pub(crate) fn check(config: &Config, manifest: &Manifest) -> Result<(), TrainError> {
    let classes = manifest.classes.len();
    let Some(model) = config.model.as_ref().filter(|_| manifest.attributes.is_empty()) else {
        return Ok(());
    };
    for (key, name) in [("condition", &model.condition), ("auxiliary", &model.auxiliary)] {
        let Some(name) = name else { continue };
        let lacks = match config.latent.part(name).map(|part| &part.distribution) {
            Some(Distribution::Attributes { .. }) => true,
            Some(Distribution::Categorical { classes: 2, .. }) => classes != 2,
            Some(Distribution::Categorical { .. }) => classes < 2,
            _ => false,
        };
        if lacks {
            let advice = match classes {
                0 | 1 => "; train dcgan on it, or prepare it with a table of attributes".into(),
                n => format!(
                    ", but {n} classes; learn these with --set 'latent.{name}={{ name = \"class\", \
                     kind = \"categorical\", classes = {n}, count = 1 }}' --set model.{key}=class"
                ),
            };
            return Err(TrainError::Config(format!(
                "model.{key} is {name:?}, and the data has no attributes{advice}"
            )));
        }
    }
    Ok(())
}

/// Fills in how often the attributes of a latent occur in the training data, where nobody has.
pub(crate) fn fill_frequencies(latent: &mut Latent, data: &Dataset) -> Result<(), TrainError> {
    let names: Vec<String> = latent.parts().iter().map(|part| part.name.clone()).collect();
    for name in names {
        let Some(part) = latent.part_mut(&name) else { continue };
        if let Distribution::Attributes { names, frequencies } = &mut part.distribution
            && frequencies.is_empty()
        {
            let (all, _) = data.frequencies();
            let n = data.len(Split::Train).max(1) as f64;
            for name in &*names {
                let column = attribute_column(&data.manifest().attributes, name)?;
                frequencies.push(all[column].counts[Split::Train as usize] as f64 / n);
            }
        }
    }
    Ok(())
}

/// The column of an attribute, or an error that names the nearest.
pub(crate) fn attribute_column(attributes: &[String], name: &str) -> Result<usize, TrainError> {
    if let Some(column) = attributes.iter().position(|attribute| attribute == name) {
        return Ok(column);
    }
    let nearest = names::nearest(attributes.iter().map(String::as_str), name);
    Err(TrainError::Config(match nearest {
        Some((nearest, _)) => {
            format!("the data has no attribute {name:?}; did you mean {nearest:?}?")
        }
        None => format!(
            "the data has no attributes, and so no {name:?}; train on data that has, as CelebA"
        ),
    }))
}
