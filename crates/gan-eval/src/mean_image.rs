//! How far images are from the mean of others: whether faces are the mean face over and over.

use candle_core::{DType, Device, Tensor};

use crate::error::{EvalError, Result};
use crate::image_errors::times;

/// Sums of images, whose mean others are compared with.
#[derive(Clone, Debug, Default)]
pub struct MeanImage {
    /// `[C, H, W]` of the images.
    shape: Option<[usize; 3]>,
    /// Their sum, on [-1, 1].
    sums: Vec<f64>,
    images: usize,
}

impl MeanImage {
    /// Adds a batch: `images` are `[N, C, H, W]` floats in [-1, 1].
    ///
    /// # Errors
    /// If the images differ in size from earlier ones.
    pub fn add(&mut self, images: &Tensor) -> Result<()> {
        let [n, c, h, w] = dims(images)?;
        self.check([c, h, w])?;
        self.shape = Some([c, h, w]);
        self.sums.resize(c * h * w, 0.0);
        // Image by image: one after another in any batches.
        for image in values(images)?.chunks_exact(c * h * w) {
            self.sums.iter_mut().zip(image).for_each(|(sum, value)| *sum += value);
        }
        self.images += n;
        Ok(())
    }

    /// Images whose mean it is.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Root of the mean squared difference of each image from the mean, over channels and pixels on the scale [0, 1].
    ///
    /// `images`: `[N, C, H, W]` in [-1, 1].
    ///
    /// # Errors
    /// If there is no mean, or the images are not of its size.
    pub fn distances(&self, images: &Tensor) -> Result<Vec<f64>> {
        let [_, c, h, w] = dims(images)?;
        self.check([c, h, w])?;
        if self.images == 0 {
            return Err(EvalError::NoSamples);
        }
        let (n, count) = (self.images as f64, (c * h * w) as f64);
        let distance = |image: &[f64]| {
            let squares = image.iter().zip(&self.sums).map(|(x, sum)| (x - sum / n).powi(2));
            (squares.sum::<f64>() / count).sqrt() / 2.0
        };
        Ok(values(images)?.chunks_exact(c * h * w).map(distance).collect())
    }

    fn check(&self, got: [usize; 3]) -> Result<()> {
        match self.shape {
            Some(shape) if shape != got => {
                Err(EvalError::Mixed { expected: times(shape), got: times(got) })
            }
            _ => Ok(()),
        }
    }
}

fn dims(images: &Tensor) -> Result<[usize; 4]> {
    Ok(images.dims4().map(|(n, c, h, w)| [n, c, h, w]).map_err(gan_core::Error::from)?)
}

fn values(images: &Tensor) -> Result<Vec<f64>> {
    let values = images
        .to_device(&Device::Cpu)
        .and_then(|images| images.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>());
    Ok(values.map_err(gan_core::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gray images of one value each.
    fn gray(values: &[f32]) -> Tensor {
        let column = Tensor::new(values, &Device::Cpu).and_then(|t| t.reshape(((), 1, 1, 1)));
        let n = values.len();
        let images = column.and_then(|t| t.broadcast_as((n, 3, 4, 5))?.contiguous());
        images.expect("plain tensors")
    }

    #[test]
    fn gray_images_are_as_far_as_their_values() -> Result<()> {
        let mut mean = MeanImage::default();
        assert!(matches!(mean.distances(&gray(&[0.0])), Err(EvalError::NoSamples)));
        mean.add(&gray(&[-1.0, 1.0, 0.5]))?;
        mean.add(&gray(&[0.5]))?;
        assert_eq!(mean.images(), 4);
        assert_eq!(mean.distances(&gray(&[0.25, 1.0, -0.25]))?, [0.0, 0.375, 0.25]);
        let wide = gray(&[0.0]).reshape((1, 3, 5, 4)).expect("as many values");
        assert!(matches!(mean.distances(&wide), Err(EvalError::Mixed { .. })));
        assert!(matches!(mean.add(&wide), Err(EvalError::Mixed { .. })));
        Ok(())
    }

    /// One pixel of sixty differs by 2 on [-1, 1].
    #[test]
    fn a_single_pixel_counts_by_its_share() -> Result<()> {
        let mut mean = MeanImage::default();
        mean.add(&gray(&[-1.0]))?;
        let mut values = vec![-1f32; 60];
        values[17] = 1.0;
        let image = Tensor::from_vec(values, (1, 3, 4, 5), &Device::Cpu).expect("whole");
        let [distance] = mean.distances(&image)?[..] else { panic!("one image") };
        assert!((distance - (1.0f64 / 60.0).sqrt()).abs() < 1e-12, "{distance}");
        Ok(())
    }

    #[test]
    fn batches_do_not_matter() -> Result<()> {
        let values = [0.1, -0.7, 0.3, 0.9, -0.2];
        let (mut whole, mut parts) = (MeanImage::default(), MeanImage::default());
        whole.add(&gray(&values))?;
        for part in values.chunks(2) {
            parts.add(&gray(part))?;
        }
        assert_eq!(whole.distances(&gray(&values))?, parts.distances(&gray(&values))?);
        Ok(())
    }
}
