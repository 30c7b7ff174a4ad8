//! What an InfoGAN's recognizer finds in real images: the class that its code gives each of them.

use candle_core::{D, Device};
use gan_data::{Dataset, Split};
use gan_kernels::FeatureMaps;
use gan_models::{CodeEstimate, Discriminator, Distribution, Part, Recognizer};

use crate::batches;
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::error::TrainError;

/// The code that can be held against classes: the first categorical one with a single choice.
pub fn class_code(config: &Config) -> Option<&Part> {
    let codes = config
        .model
        .iter()
        .flat_map(|model| &model.codes)
        .filter_map(|name| config.latent.part(name));
    codes.into_iter().find(|part| number_of_classes(part).is_some())
}

/// The classes of a categorical part with a single choice.
pub fn number_of_classes(part: &Part) -> Option<usize> {
    match part.distribution {
        Distribution::Categorical { classes, count: 1 } => Some(classes),
        _ => None,
    }
}

/// The most likely class of code `part`, which has a single choice, for every image of a split, in order.
///
/// Discriminator and recognizer run with their running statistics, so that images are judged apart. `progress` is told
/// how many images are done.
///
/// # Errors
/// If the checkpoint has no such code, or the images are not of its size.
pub fn recognized_codes(
    checkpoint: &Checkpoint,
    part: &str,
    data: &Dataset,
    split: Split,
    device: &Device,
    progress: impl Fn(usize),
) -> Result<Vec<usize>, TrainError> {
    let (expected, got) = (checkpoint.image()?, data.image_shape()?);
    if expected != got {
        return Err(TrainError::Config(format!(
            "the checkpoint was trained on {expected} images, the data has {got}; name the data that it was trained on"
        )));
    }
    let (discriminator, recognizer) = networks(checkpoint, device)?;
    let Some(place) = recognizer
        .codes()
        .iter()
        .position(|code| code.name == part && number_of_classes(code).is_some())
    else {
        return Err(TrainError::Config(format!(
            "{part:?} is not a categorical code with count = 1 of this checkpoint"
        )));
    };
    let mut codes = Vec::with_capacity(data.len(split));
    for images in batches::of_split(data, split) {
        let images = images?.to_device(device)?;
        let judged = discriminator.judge(&FeatureMaps::from_tensor(&images)?, None, false)?;
        let estimates = recognizer.estimates(&judged.features, false)?;
        if let CodeEstimate::Classes(logits) = &estimates[place] {
            let classes = logits.squeeze(1)?.argmax(D::Minus1)?.to_vec1::<u32>()?; // [N]
            codes.extend(classes.into_iter().map(|class| class as usize));
        }
        progress(codes.len());
    }
    Ok(codes)
}

/// Discriminator and recognizer with the weights that were trained.
fn networks(
    checkpoint: &Checkpoint,
    device: &Device,
) -> Result<(Discriminator, Recognizer), TrainError> {
    let config = &checkpoint.header.config;
    let (model, latent) = (config.gan()?, &config.latent);
    if model.condition.is_some() {
        let reason = "a discriminator that is told a condition cannot judge images alone";
        return Err(TrainError::Config(reason.into()));
    }
    let store = |network: &str| checkpoint.store(network, device).frozen();
    let discriminator = model.discriminator(latent, checkpoint.image()?, store("discriminator"))?;
    let recognizer = model.recognizer(latent, &discriminator, store("recognizer"))?;
    let missing =
        || TrainError::Config("the checkpoint has no recognizer: model.codes is empty".into());
    Ok((discriminator, recognizer.ok_or_else(missing)?))
}
