//! The built-in drawers of [`crate::synthetic`] as sources: no file is needed.

use gan_core::ImageShape;

use crate::catalog::{Catalog, Facts, Item, Reader, Sample, Samples, Unreadable};
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::prepare::PrepareOptions;
use crate::shape::{SampleShape, Split};
use crate::synthetic::{digits, faces};
use crate::transform::{Color, Transform};

/// Pictures that are drawn where no limit is given.
const COUNT: usize = 20_000;
/// Larger pictures are not drawn.
const MAX_SIZE: usize = 1024;
/// Changes whenever the drawers draw the same numbers differently, so that no cache is stale.
const DRAWERS: &str = "1";

/// A drawer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawer {
    /// Faces with some of CelebA's attributes, RGB.
    Faces,
    /// Digits 0–9, gray.
    Digits,
}

impl Drawer {
    /// All drawers.
    pub const ALL: [Drawer; 2] = [Drawer::Faces, Drawer::Digits];

    /// The name by which `--data` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Drawer::Faces => "synthetic-faces",
            Drawer::Digits => "synthetic-digits",
        }
    }

    /// Side of a picture in pixels where none is given.
    fn default_size(self) -> usize {
        match self {
            Drawer::Faces => 64,
            Drawer::Digits => 28,
        }
    }

    fn color(self) -> Color {
        match self {
            Drawer::Faces => Color::Rgb,
            Drawer::Digits => Color::Gray,
        }
    }
}

/// Opens a drawer: `limit` pictures, drawn at the size that is asked for rather than resized. Of
/// every ten pictures the last two are for validation and test.
pub(crate) fn open(drawer: Drawer, options: &PrepareOptions) -> Result<Catalog, DataError> {
    let (width, height) =
        options.transform.size.unwrap_or((drawer.default_size(), drawer.default_size()));
    if width != height || !(8..=MAX_SIZE).contains(&width) {
        return Err(DataError::Argument {
            name: "size of synthetic pictures",
            expected: format!("a square of 8 to {MAX_SIZE}"),
            got: format!("{width}×{height}"),
        });
    }
    let items = (0..options.limit.unwrap_or(COUNT))
        .map(|place| Item::new(place, Some(Split::in_tens(place))));
    let what = format!("{} {DRAWERS} {} {width}", drawer.name(), options.seed);
    let color = drawer.color();
    Ok(Catalog {
        source: SourceId {
            kind: drawer.name().into(),
            name: drawer.name().into(),
            digest: blake3::hash(what.as_bytes()).to_hex().to_string(),
        },
        items: items.collect(),
        attributes: match drawer {
            Drawer::Faces => faces::ATTRIBUTES.iter().map(|name| name.to_string()).collect(),
            Drawer::Digits => Vec::new(),
        },
        classes: match drawer {
            Drawer::Faces => Vec::new(),
            Drawer::Digits => (0..10).map(|digit| digit.to_string()).collect(),
        },
        ignored: Vec::new(),
        shape: Some(SampleShape::Image(ImageShape { channels: color.channels(), height, width })),
        transform: Transform::keep(color),
        samples: Box::new(Drawn { drawer, seed: options.seed, size: width }),
    })
}

struct Drawn {
    drawer: Drawer,
    seed: u64,
    size: usize,
}

impl Samples for Drawn {
    fn name(&self, place: usize) -> String {
        format!("{}[{place}]", self.drawer.name())
    }

    fn facts(&self, place: usize) -> Facts {
        match self.drawer {
            Drawer::Faces => {
                Facts { attributes: faces::attributes(self.seed, place as u64), label: None }
            }
            Drawer::Digits => Facts::labelled(digits::label(self.seed, place as u64).into()),
        }
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(DrawnReader(self))
    }
}

struct DrawnReader<'a>(&'a Drawn);

impl Reader for DrawnReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, Unreadable> {
        let Drawn { drawer, seed, size } = *self.0;
        Ok(Sample::Image(match drawer {
            Drawer::Faces => faces::draw(seed, place as u64, size).0,
            Drawer::Digits => digits::draw(seed, place as u64, size).0,
        }))
    }
}
