//! What a data set looks like, in one picture.

use gan_core::grid::Grid;
use gan_core::{Image, Stream, cloud, image};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::pillow::PillowResizer;
use crate::shape::{SampleShape, Split};
use crate::transform::Filter;

/// Longer side of a picture in the grid; larger ones are shrunk.
const TILE: usize = 128;

impl Dataset {
    /// A picture of `n` samples, drawn from all splits, the same ones every time: a grid of pictures, or
    /// for points a map of all of them, seen along their first two coordinates.
    pub fn preview(&self, n: usize) -> Result<Image, DataError> {
        match self.manifest().sample {
            SampleShape::Image(shape) => {
                let of = |split| (0..self.len(split)).map(move |index| (split, index));
                let mut places: Vec<(Split, usize)> = Split::ALL.into_iter().flat_map(of).collect();
                Stream::named("data.preview", 0).shuffle(&mut places);
                places.truncate(n);
                places.sort_by_key(|(split, index)| (*split as usize, *index));
                let mut images = Vec::with_capacity(places.len());
                for (split, index) in places {
                    let image = image::from_tensor(&self.samples(split, &[index])?)?;
                    images.extend(image.iter().map(shrunk).collect::<Result<Vec<_>, _>>()?);
                }
                let width = images.first().map_or(shape.width, Image::width);
                Ok(Grid::for_images(images.len(), width).render(&images)?)
            }
            SampleShape::Point(_) => {
                let mut points = Vec::new();
                for split in Split::ALL {
                    let all: Vec<usize> = (0..self.len(split)).collect();
                    points.extend(self.samples(split, &all)?.to_vec2::<f32>()?);
                }
                Ok(cloud::map(&points, cloud::reach(&points))?)
            }
        }
    }
}

/// A picture no larger than a tile, in proportion.
fn shrunk(image: &Image) -> Result<Image, DataError> {
    let (width, height, channels) = (image.width(), image.height(), image.channels());
    let longer = width.max(height);
    if longer <= TILE {
        return Ok(image.clone());
    }
    let to = ((width * TILE / longer).max(1), (height * TILE / longer).max(1));
    let mut pixels = Vec::new();
    let filter = Filter::default();
    PillowResizer::default().resample(
        image.pixels(),
        (width, height),
        channels,
        to,
        filter,
        &mut pixels,
    );
    Ok(Image::new(to.0, to.1, channels, pixels)?)
}
