//! What a data set looks like, in one picture.

use gan_core::grid::Grid;
use gan_core::{Image, Stream, image};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::pillow::PillowResizer;
use crate::shape::{SampleShape, Split};
use crate::transform::Filter;

/// Longer side of a picture in the grid; larger ones are shrunk.
const TILE: usize = 128;
/// Side of the picture of a set of points.
const PLANE: usize = 512;

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
                map(&points)
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

/// Points as dots that darken where many fall on one pixel, in a square that holds them all.
fn map(points: &[Vec<f32>]) -> Result<Image, DataError> {
    let coordinate = |point: &[f32], axis: usize| point.get(axis).copied().unwrap_or(0.0);
    let reach = points.iter().flat_map(|point| [coordinate(point, 0), coordinate(point, 1)]);
    let reach = reach.fold(f32::MIN_POSITIVE, |reach, x| reach.max(x.abs())) * 1.1;
    let pixel = |x: f32| (((x / reach + 1.0) / 2.0 * PLANE as f32) as usize).min(PLANE - 1);
    let mut picture = Image::filled(PLANE, PLANE, &[255])?;
    for point in points {
        let (x, y) = (pixel(coordinate(point, 0)), pixel(-coordinate(point, 1)));
        let darker = picture.pixel(x, y)[0].saturating_sub(96);
        picture.set_pixel(x, y, &[darker]);
    }
    Ok(picture)
}
