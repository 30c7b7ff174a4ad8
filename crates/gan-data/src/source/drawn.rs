//! The built-in drawers of [`crate::synthetic`] as sources: no file is needed.

use crate::catalog::{Catalog, Item, Pictures, Reader, Sample};
use crate::error::DataError;
use crate::manifest::SourceId;
use crate::prepare::PrepareOptions;
use crate::shape::Split;
use crate::synthetic::{digits, faces};

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
    /// The name by which `--data` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Drawer::Faces => "synthetic-faces",
            Drawer::Digits => "synthetic-digits",
        }
    }

    /// Side of a picture in pixels where none is given.
    pub(super) fn default_size(self) -> usize {
        match self {
            Drawer::Faces => 64,
            Drawer::Digits => 28,
        }
    }
}

/// Opens a drawer: `limit` pictures, drawn at the size that is asked for rather than resized. Of
/// every ten pictures the last two are for validation and test.
pub(crate) fn open(drawer: Drawer, options: &PrepareOptions) -> Result<Catalog, DataError> {
    let asked = options.size.map(|size| (size, size));
    let asked = asked.or_else(|| options.transform.as_ref()?.size());
    let size = asked.map_or(drawer.default_size(), |(width, height)| width.max(height));
    if !(8..=MAX_SIZE).contains(&size) {
        return Err(DataError::Argument {
            name: "size of synthetic pictures",
            expected: format!("8 to {MAX_SIZE}"),
            got: size.to_string(),
        });
    }
    let item = |place: usize| Item {
        name: format!("{}[{place}]", drawer.name()),
        place,
        split: Some(match place % 10 {
            8 => Split::Valid,
            9 => Split::Test,
            _ => Split::Train,
        }),
    };
    let what = format!("{} {DRAWERS} {} {size}", drawer.name(), options.seed);
    Ok(Catalog {
        source: SourceId {
            kind: drawer.name().into(),
            name: drawer.name().into(),
            digest: blake3::hash(what.as_bytes()).to_hex().to_string(),
        },
        items: (0..options.limit.unwrap_or(COUNT)).map(item).collect(),
        attributes: match drawer {
            Drawer::Faces => faces::ATTRIBUTES.iter().map(|name| name.to_string()).collect(),
            Drawer::Digits => Vec::new(),
        },
        classes: match drawer {
            Drawer::Faces => Vec::new(),
            Drawer::Digits => (0..10).map(|digit| digit.to_string()).collect(),
        },
        ignored: Vec::new(),
        size: Some((size, size)),
        pictures: Box::new(Drawn { drawer, seed: options.seed, size }),
    })
}

struct Drawn {
    drawer: Drawer,
    seed: u64,
    size: usize,
}

impl Pictures for Drawn {
    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(DrawnReader(self))
    }
}

struct DrawnReader<'a>(&'a Drawn);

impl Reader for DrawnReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, String> {
        let Drawn { drawer, seed, size } = *self.0;
        Ok(match drawer {
            Drawer::Faces => {
                let (image, attributes) = faces::draw(seed, place as u64, size);
                Sample { image, attributes, label: None }
            }
            Drawer::Digits => {
                let (image, label) = digits::draw(seed, place as u64, size);
                Sample { image, attributes: Vec::new(), label: Some(label) }
            }
        })
    }
}
