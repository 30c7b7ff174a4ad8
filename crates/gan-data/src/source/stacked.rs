//! Stacked MNIST (Metz et al. 2017, <https://arxiv.org/abs/1611.02163>, section 3.3.1): three random digits
//! as the channels of one picture, a thousand classes. How many of them a generator makes shows how far it
//! has collapsed.

use gan_core::{Image, Stream};

use crate::catalog::{Catalog, Facts, Item, Reader, Sample, Samples, Unreadable};
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::prepare::PrepareOptions;
use crate::shape::{SampleShape, Split};
use crate::transform::{Color, Transform};

/// Pictures where no limit is given, as in most of the literature.
const COUNT: usize = 128_000;

/// Stacks the training digits of a source with the classes 0 to 9. All pictures are for training.
pub(crate) fn open(digits: Catalog, options: &PrepareOptions) -> Result<Catalog, DataError> {
    let wrong = |found: String| DataError::Source {
        name: "stacked-mnist".into(),
        found,
        remedy: "stack MNIST, or synthetic-digits: stacked-mnist:PATH".into(),
    };
    let shape = match digits.shape {
        Some(SampleShape::Image(shape)) if shape.channels == 1 => shape,
        _ => return Err(wrong("digits that are not gray, or not of one size".into())),
    };
    if digits.classes.len() != 10 {
        return Err(wrong(format!("{} classes, not ten digits", digits.classes.len())));
    }
    let is_training = |item: &&Item| item.split.is_none_or(|split| split == Split::Train);
    let places: Vec<usize> = digits.items.iter().filter(is_training).map(|i| i.place()).collect();
    if places.is_empty() {
        return Err(wrong("no digit for training".into()));
    }
    let count = options.limit.unwrap_or(COUNT);
    let what = format!("stacked 1 {} {}", options.seed, digits.source.digest);
    Ok(Catalog {
        source: SourceId {
            kind: "stacked-mnist".into(),
            name: format!("stacked-mnist:{}", digits.source.name),
            digest: blake3::hash(what.as_bytes()).to_hex().to_string(),
        },
        items: (0..count).map(|place| Item::new(place, Some(Split::Train))).collect(),
        attributes: Vec::new(),
        classes: (0..1000).map(|class| format!("{class:03}")).collect(),
        ignored: Vec::new(),
        shape: Some(SampleShape::Image(gan_core::ImageShape { channels: 3, ..shape })),
        transform: Transform::keep(Color::Rgb),
        samples: Box::new(Stacked { digits: digits.samples, places, seed: options.seed }),
    })
}

struct Stacked {
    digits: Box<dyn Samples>,
    places: Vec<usize>,
    seed: u64,
}

impl Stacked {
    /// The digits of the red, green and blue channel.
    fn three(&self, place: usize) -> [usize; 3] {
        let mut stream = Stream::indexed("data.stacked", self.seed, place as u64);
        std::array::from_fn(|_| self.places[stream.below(self.places.len())])
    }
}

impl Samples for Stacked {
    fn name(&self, place: usize) -> String {
        self.three(place).map(|digit| self.digits.name(digit)).join(" + ")
    }

    /// The label is the number that red, green and blue spell.
    fn facts(&self, place: usize) -> Facts {
        let labels = self.three(place).map(|digit| self.digits.facts(digit).label.unwrap_or(0));
        Facts::labelled(labels.into_iter().fold(0, |number, digit| number * 10 + digit))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(StackedReader { stacked: self, digits: self.digits.reader() })
    }
}

struct StackedReader<'a> {
    stacked: &'a Stacked,
    digits: Box<dyn Reader + 'a>,
}

impl Reader for StackedReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, Unreadable> {
        let mut channels = Vec::with_capacity(3);
        for digit in self.stacked.three(place) {
            match self.digits.read(digit)? {
                Sample::Image(image) => channels.push(image),
                Sample::Point(_) => return Err("no picture of a digit".into()),
            }
        }
        let (width, height) = (channels[0].width(), channels[0].height());
        let pixels = (0..width * height).flat_map(|i| [0, 1, 2].map(|c| channels[c].pixels()[i]));
        let image = Image::new(width, height, 3, pixels.collect());
        Ok(Sample::Image(image.map_err(|e| e.to_string())?))
    }
}
