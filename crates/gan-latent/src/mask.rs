//! What hides pixels of an image, and images whose hidden pixels come from another one.

use candle_core::{DType, Device, Result as TensorResult, Tensor};
use gan_core::{Image, Stream};

use crate::error::LatentError;

/// Which pixels of an image are hidden.
#[derive(Clone, Debug, PartialEq)]
pub enum Mask {
    /// A share of all pixels, at random places.
    Pepper {
        /// The share, in [0, 1]; the number of pixels is rounded.
        share: f64,
    },
    /// Every second row, the second one first.
    Crosswalk,
    /// One square at a random place, within the image.
    Square {
        /// Its side in pixels.
        side: usize,
    },
    /// Those that are dark in a picture, the same for all images.
    Picture(Image),
}

/// Gray value from which on a pixel of a mask's picture is visible.
const VISIBLE: u8 = 128;

impl Mask {
    /// Which pixels of `n` images are visible, 1 or 0 as f32 `(N, 1, H, W)`; image i has a stream of its own, so that its
    /// mask is the same whatever `n` is.
    ///
    /// # Errors
    /// If a square or picture does not fit the size, or the mask hides nothing or everything.
    pub fn visible(
        &self,
        n: usize,
        (height, width): (usize, usize),
        seed: u64,
    ) -> Result<Tensor, LatentError> {
        let mut values = Vec::with_capacity(n * height * width);
        for i in 0..n {
            let stream = &mut Stream::indexed("mask", seed, i as u64);
            let hidden = self.hidden(height, width, stream).map_err(LatentError::Mask)?;
            let count = hidden.iter().filter(|hidden| **hidden).count();
            if count == 0 || count == hidden.len() {
                let what = if count == 0 { "no pixel" } else { "every pixel" };
                let reason = format!("the mask hides {what} of {width}×{height}, expected some");
                return Err(LatentError::Mask(reason));
            }
            values.extend(hidden.into_iter().map(|hidden| f32::from(u8::from(!hidden))));
        }
        Ok(Tensor::from_vec(values, (n, 1, height, width), &Device::Cpu)?)
    }

    /// Which of the pixels `[H, W]` are hidden. The error is a reason.
    fn hidden(
        &self,
        height: usize,
        width: usize,
        stream: &mut Stream,
    ) -> Result<Vec<bool>, String> {
        let area = height * width;
        Ok(match self {
            Self::Pepper { share } => {
                let count = (share * area as f64).round() as usize;
                let mut places: Vec<usize> = (0..area).collect();
                stream.shuffle(&mut places);
                let mut hidden = vec![false; area];
                places.iter().take(count).for_each(|&place| hidden[place] = true);
                hidden
            }
            Self::Crosswalk => (0..area).map(|i| i / width % 2 == 1).collect(),
            Self::Square { side } => {
                if *side == 0 || *side > height.min(width) {
                    return Err(format!(
                        "the square has a side of {side} pixels, expected 1 to {}",
                        height.min(width)
                    ));
                }
                let [top, left] = [height, width].map(|size| stream.below(size - side + 1));
                let within = |at: usize, from: usize| (from..from + side).contains(&at);
                (0..area).map(|i| within(i / width, top) && within(i % width, left)).collect()
            }
            Self::Picture(picture) => {
                if (picture.width(), picture.height()) != (width, height) {
                    return Err(format!(
                        "the mask is {}×{}, the images are {width}×{height}; draw it in their size",
                        picture.width(),
                        picture.height()
                    ));
                }
                let dark = |pixel: &[u8]| {
                    pixel.iter().map(|&v| usize::from(v)).sum::<usize>() / pixel.len()
                };
                let pixels = picture.pixels().chunks_exact(picture.channels());
                pixels.map(|pixel| dark(pixel) < usize::from(VISIBLE)).collect()
            }
        })
    }
}

/// The images with what is hidden in black: `images` `(N, C, H, W)` in [−1, 1], `visible` `(N, 1, H, W)`.
///
/// # Errors
/// If the shapes do not fit.
pub fn masked(images: &Tensor, visible: &Tensor) -> TensorResult<Tensor> {
    // On [0, 2], where black is 0.
    (images + 1.0)?.broadcast_mul(visible)?.affine(1.0, -1.0)
}

/// The pixels of `images` that are visible, and those of `others` that are not; shapes as in [`masked`].
///
/// # Errors
/// If the shapes do not fit.
pub fn blended(images: &Tensor, others: &Tensor, visible: &Tensor) -> TensorResult<Tensor> {
    let visible = visible.broadcast_as(images.shape())?.contiguous()?;
    visible.to_dtype(DType::U8)?.where_cond(&images.contiguous()?, &others.contiguous()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (28, 20);

    fn rows(mask: &Mask, seed: u64) -> Result<Vec<Vec<Vec<f32>>>, LatentError> {
        let visible = mask.visible(40, SIZE, seed)?;
        Ok(visible.squeeze(1)?.to_vec3::<f32>()?)
    }

    fn hidden(image: &[Vec<f32>]) -> Vec<(usize, usize)> {
        let places = (0..SIZE.0).flat_map(|y| (0..SIZE.1).map(move |x| (y, x)));
        places.filter(|&(y, x)| image[y][x] == 0.0).collect()
    }

    #[test]
    fn pepper_hides_its_share_at_other_places_in_every_image() -> Result<(), LatentError> {
        let images = rows(&Mask::Pepper { share: 0.3 }, 1)?;
        let mut often = vec![0; SIZE.0 * SIZE.1];
        for image in &images {
            let hidden = hidden(image);
            assert_eq!(hidden.len(), 168, "30 % of 560");
            hidden.iter().for_each(|(y, x)| often[y * SIZE.1 + x] += 1);
        }
        assert_ne!(images[0], images[1]);
        // Of 40 images 12 hide a pixel, with a standard deviation of 2.9: no pixel is beyond 5 of them.
        assert!(often.iter().all(|&times| (0..=26).contains(&times)), "{often:?}");
        assert_eq!(images, rows(&Mask::Pepper { share: 0.3 }, 1)?, "the seed decides");
        assert_ne!(images, rows(&Mask::Pepper { share: 0.3 }, 2)?);
        Ok(())
    }

    #[test]
    fn crosswalk_hides_every_second_row() -> Result<(), LatentError> {
        for image in rows(&Mask::Crosswalk, 0)? {
            for (y, row) in image.iter().enumerate() {
                assert!(row.iter().all(|&v| v == if y % 2 == 0 { 1.0 } else { 0.0 }));
            }
        }
        Ok(())
    }

    #[test]
    fn a_square_lies_within_the_image_and_comes_everywhere() -> Result<(), LatentError> {
        let mut corners = Vec::new();
        for image in rows(&Mask::Square { side: 8 }, 0)? {
            let hidden = hidden(&image);
            let (top, left) = hidden[0];
            let square = (top..top + 8).flat_map(|y| (left..left + 8).map(move |x| (y, x)));
            assert_eq!(hidden, square.collect::<Vec<_>>());
            corners.push((top, left));
        }
        let spread =
            |values: Vec<usize>| values.iter().copied().max().zip(values.iter().copied().min());
        let (most, fewest) = spread(corners.iter().map(|c| c.0).collect()).expect("40 squares");
        assert!(most > 15 && fewest < 5, "rows {fewest} to {most} of 0 to 20");
        Ok(())
    }

    #[test]
    fn a_picture_hides_where_it_is_dark() -> Result<(), LatentError> {
        let mut picture = Image::filled(20, 28, &[255, 255, 255]).expect("white");
        picture.set_pixel(3, 5, &[0, 0, 0]);
        picture.set_pixel(4, 5, &[200, 100, 60]);
        picture.set_pixel(6, 5, &[200, 100, 90]);
        assert_eq!(hidden(&rows(&Mask::Picture(picture), 0)?[7]), [(5, 3), (5, 4)]);
        Ok(())
    }

    #[test]
    fn masks_that_do_not_fit_are_refused() {
        let check = |mask: Mask, part: &str| {
            let error = mask.visible(1, SIZE, 0).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        };
        check(Mask::Pepper { share: 0.0 }, "no pixel");
        check(Mask::Pepper { share: 1.0 }, "every pixel");
        check(Mask::Square { side: 0 }, "1 to 20");
        check(Mask::Square { side: 21 }, "1 to 20");
        let white = |w, h| Mask::Picture(Image::filled(w, h, &[255]).expect("white"));
        check(white(20, 28), "no pixel");
        check(white(28, 20), "28×20, the images are 20×28");
    }

    #[test]
    fn blending_keeps_what_is_visible_to_the_bit() -> Result<(), LatentError> {
        let draw = |name: &str| Stream::named(name, 0).normal_tensor((2, 3, 28, 20), &Device::Cpu);
        let (images, others) = (draw("images")?, draw("others")?);
        let visible = Mask::Pepper { share: 0.3 }.visible(2, SIZE, 0)?;
        let (black, blend) = (masked(&images, &visible)?, blended(&images, &others, &visible)?);
        let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        let visible = flat(&visible.broadcast_as(images.shape())?.contiguous()?)?;
        let (images, others) = (flat(&images)?, flat(&others)?);
        for (i, (black, blend)) in flat(&black)?.into_iter().zip(flat(&blend)?).enumerate() {
            let seen = visible[i] == 1.0;
            assert_eq!(blend, if seen { images[i] } else { others[i] });
            assert!(if seen { (black - images[i]).abs() < 1e-6 } else { black == -1.0 });
        }
        Ok(())
    }
}
