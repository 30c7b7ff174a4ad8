//! A person's own picture, brought to the form of a data set's.

use std::path::Path;

use gan_core::{Image, ImageShape};

use crate::decode;
use crate::error::DataError;
use crate::manifest::Manifest;
use crate::resize::Resizer;
use crate::transform::{Color, Crop, Filter, Resize, Transform};

/// Kind of source whose pictures all have one size, and that size: a transform of it is meant for faces in that frame.
const FRAMED: (&str, usize, usize) = ("celeba", 178, 218);

/// A picture in the form of a data set's.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// The picture.
    pub image: Image,
    /// Its width and height in the file.
    pub original: (usize, usize),
    /// What was done to it, in the words of [`Transform`].
    pub done: String,
}

impl Photo {
    /// Reads a picture file and does to it what the data set's preparation did; the result has `shape`.
    ///
    /// A picture of that size already, as `sample` writes it, stays as it is. For CelebA, a picture that is not 178×218 is
    /// cut to these proportions first. Elsewhere, where the transform keeps sizes or goes straight to one, which would press a picture of other proportions together, the centre at `shape` is
    /// taken.
    ///
    /// # Errors
    /// If the file cannot be read, is no picture, or is too small for the transform.
    pub fn read(path: &Path, manifest: &Manifest, shape: ImageShape) -> Result<Self, DataError> {
        let bytes = fs_err::read(path)?;
        let unusable = |reason: String| DataError::Content {
            path: path.into(),
            expected: "a picture".into(),
            found: reason,
            remedy: "name a picture file (JPEG, PNG, WebP, BMP, GIF, TIFF)".into(),
        };
        let picture = decode::picture(&bytes).map_err(unusable)?;
        let original = (picture.width(), picture.height());
        let mut words = Vec::new();
        let mut resizer = Resizer::default();
        let mut image = picture;
        for step in steps(manifest, shape, original) {
            words.push(step.to_string());
            let of = step.shape((image.width(), image.height()));
            let mut planes = vec![0; of.bytes()];
            resizer.fill(&image, &step, of, &mut planes).map_err(unusable)?;
            image = interleaved(&planes, of)?;
        }
        Ok(Self { image, original, done: words.join(", then ") })
    }
}

/// What is done to a picture of `(width, height)`, one after the other.
fn steps(manifest: &Manifest, shape: ImageShape, original: (usize, usize)) -> Vec<Transform> {
    let color = if shape.channels == 1 { Color::Gray } else { Color::Rgb };
    if original == (shape.width, shape.height) {
        return vec![Transform::keep(color)];
    }
    let (kind, width, height) = FRAMED;
    let framed = manifest.source.kind == kind;
    // Straight to a size is meant for pictures of one frame; another one would be pressed together.
    let presses =
        |t: &Transform| matches!(t.resize, Resize::Straight { .. }) && t.crop == Crop::None;
    let kept = |t: &Transform| t.resize == Resize::Keep && t.crop == Crop::None;
    let repeats = |t: &Transform| t.shape(original) == shape && !kept(t) && (framed || !presses(t));
    match manifest.transform {
        Some(transform) if repeats(&transform) && framed && original != (width, height) => {
            let frame = Transform::shorter_side(width, height);
            vec![Transform { filter: Filter::Bicubic, ..frame }, transform]
        }
        Some(transform) if repeats(&transform) => vec![transform],
        _ => vec![Transform::shorter_side(shape.width, shape.height).with_color(color)],
    }
}

/// Planes `[C, H, W]` as a picture.
fn interleaved(planes: &[u8], shape: ImageShape) -> Result<Image, DataError> {
    let area = shape.height * shape.width;
    let pixels = (0..area).flat_map(|i| (0..shape.channels).map(move |c| planes[c * area + i]));
    Ok(Image::new(shape.width, shape.height, shape.channels, pixels.collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::SourceId;
    use crate::shape::{SampleShape, SplitCounts};

    fn manifest(kind: &str, transform: Transform, shape: ImageShape) -> Manifest {
        Manifest {
            version: crate::manifest::VERSION,
            sample: SampleShape::Image(shape),
            transform: Some(transform),
            counts: SplitCounts::default(),
            attributes: Vec::new(),
            classes: Vec::new(),
            shards: Vec::new(),
            source: SourceId { kind: kind.into(), name: "x".into(), digest: String::new() },
            only: None,
            limit: None,
            fractions: None,
            seed: 0,
            skipped: 0,
        }
    }

    const RGB64: ImageShape = ImageShape { channels: 3, height: 64, width: 64 };
    const GRAY28: ImageShape = ImageShape { channels: 1, height: 28, width: 28 };

    /// Black with a white frame one eighth of the shorter side wide.
    fn framed(width: usize, height: usize) -> Image {
        let edge = width.min(height) / 8;
        let mut image = Image::filled(width, height, &[255, 255, 255]).expect("sizes agree");
        let black = Image::filled(width - 2 * edge, height - 2 * edge, &[0, 0, 0]).expect("sizes");
        image.paste(&black, edge, edge);
        image
    }

    fn read(image: &Image, manifest: &Manifest, shape: ImageShape) -> Result<Photo, DataError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("photo.png");
        image.write_png(&path)?;
        Photo::read(&path, manifest, shape)
    }

    #[test]
    fn a_picture_as_the_source_has_it_is_transformed_as_there() -> Result<(), DataError> {
        let celeba = manifest("celeba", Transform::straight(64, 64), RGB64);
        let picture = framed(178, 218);
        let photo = read(&picture, &celeba, RGB64)?;
        assert_eq!(photo.done, "straight to 64×64 (bilinear), RGB");
        let mut planes = vec![0; RGB64.bytes()];
        let transform = Transform::straight(64, 64);
        Resizer::default().fill(&picture, &transform, RGB64, &mut planes).expect("it fits");
        assert_eq!(photo.image, interleaved(&planes, RGB64)?);
        Ok(())
    }

    /// A wide photo for CelebA loses its sides; it is not pressed together.
    #[test]
    fn a_photo_of_another_frame_is_cut_to_it() -> Result<(), DataError> {
        let celeba = manifest("celeba", Transform::straight(64, 64), RGB64);
        let photo = read(&framed(800, 436), &celeba, RGB64)?;
        assert_eq!(photo.original, (800, 436));
        assert!(photo.done.starts_with("centre at 178×218"), "{}", photo.done);
        assert!(photo.done.contains("straight to 64×64"), "{}", photo.done);
        assert_eq!(photo.image.pixel(0, 32), [0; 3], "the sides with their frame are gone");
        assert_eq!(photo.image.pixel(32, 0), [255; 3], "the upper frame is not");
        Ok(())
    }

    #[test]
    fn colors_and_sizes_become_those_of_the_data() -> Result<(), DataError> {
        let digits = manifest("mnist", Transform::keep(Color::Gray), GRAY28);
        let photo = read(&framed(300, 200), &digits, GRAY28)?;
        assert_eq!((photo.image.width(), photo.image.channels()), (28, 1));
        assert_eq!(photo.done, "centre at 28×28 (bilinear), gray");
        let straight = manifest("synthetic-digits", Transform::straight(28, 28), GRAY28);
        assert_eq!(read(&framed(300, 200), &straight, GRAY28)?.image, photo.image);
        let kept = read(&framed(28, 28), &digits, GRAY28)?;
        assert_eq!(kept.image.pixel(14, 14), [0]);
        let sampled = framed(64, 64);
        let celeba = manifest("celeba", Transform::straight(64, 64), RGB64);
        let photo = read(&sampled, &celeba, RGB64)?;
        assert_eq!((photo.image, photo.done.as_str()), (sampled, "size kept, RGB"));
        let gray = Image::filled(90, 120, &[7]).expect("sizes agree");
        let faces = manifest("pictures", Transform::shorter_side(64, 64), RGB64);
        assert_eq!(read(&gray, &faces, RGB64)?.image, Image::filled(64, 64, &[7; 3])?);
        Ok(())
    }

    #[test]
    fn what_is_no_picture_is_named() -> Result<(), DataError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("notes.txt");
        fs_err::write(&path, "no picture")?;
        let digits = manifest("mnist", Transform::keep(Color::Gray), GRAY28);
        let error = Photo::read(&path, &digits, GRAY28).expect_err("text").to_string();
        assert!(error.contains("notes.txt") && error.contains("expected a picture"), "{error}");
        assert!(Photo::read(&folder.path().join("none.png"), &digits, GRAY28).is_err());
        Ok(())
    }
}
