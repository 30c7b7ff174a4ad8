//! How far images are from their references, one value an image: MSE, PSNR and SSIM.
//!
//! Images are `[N, C, H, W]` f32 in [-1, 1], so that the data range is 2. Sums are taken in f64, each
//! image by itself: a value does not depend on the batch in which the image came.

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};

/// Width of [-1, 1].
const DATA_RANGE: f64 = 2.0;

/// Mean squared error of each image over its channels and pixels, on the scale [-1, 1].
///
/// `images`, `references`: `[N, C, H, W]`. On pixels in [0, 1] the value is a quarter of this one.
pub fn mse(images: &Tensor, references: &Tensor) -> Result<Vec<f64>> {
    let pairs = Pairs::new(images, references)?;
    Ok(pairs.iter().map(|(image, reference)| mean_squared_error(image, reference)).collect())
}

/// Peak signal-to-noise ratio of each image in decibel, `10 log₁₀(range² / MSE)` with range 2;
/// infinite where image and reference are equal.
///
/// `images`, `references`: `[N, C, H, W]` in [-1, 1].
pub fn psnr(images: &Tensor, references: &Tensor) -> Result<Vec<f64>> {
    Ok(mse(images, references)?.into_iter().map(psnr_of_mse).collect())
}

/// [`psnr`] from an [`mse`] on the scale [-1, 1].
pub fn psnr_of_mse(mse: f64) -> f64 {
    10.0 * (DATA_RANGE * DATA_RANGE / mse).log10()
}

/// Structural similarity of each image (Wang et al. 2004, <https://doi.org/10.1109/TIP.2003.819861>):
/// 1 where image and reference are equal.
///
/// `images`, `references`: `[N, C, H, W]` in [-1, 1]. Gaussian window of 11×11 with σ 1.5, K₁ 0.01,
/// K₂ 0.03, data range 2, population covariance; mean over all places where the window fits and over
/// the channels. So computes `skimage.metrics.structural_similarity` with `gaussian_weights=True,
/// sigma=1.5, use_sample_covariance=False, data_range=2`.
///
/// Images below [`SSIM_WINDOW`] pixels in height or width are refused, as by skimage: the window fits nowhere.
pub fn ssim(images: &Tensor, references: &Tensor) -> Result<Vec<f64>> {
    let pairs = Pairs::new(images, references)?;
    let (height, width) = (pairs.height, pairs.width);
    if height.min(width) < SSIM_WINDOW {
        return Err(Error::Shape {
            expected: format!("at least {SSIM_WINDOW}×{SSIM_WINDOW} pixels for SSIM"),
            got: format!("{width}×{height}"),
        });
    }
    let plane = height * width;
    let mean_over_channels = |(image, reference): (&[f32], &[f32])| {
        let planes = image.chunks_exact(plane).zip(reference.chunks_exact(plane));
        let values = planes.map(|(x, y)| ssim_of_plane(x, y, width));
        values.sum::<f64>() / (image.len() / plane) as f64
    };
    Ok(pairs.iter().map(mean_over_channels).collect())
}

/// Height and width of the window of [`ssim`].
pub const SSIM_WINDOW: usize = 11;

/// Images with their references, on the CPU.
struct Pairs {
    images: Vec<f32>,
    references: Vec<f32>,
    /// Values in one image.
    size: usize,
    height: usize,
    width: usize,
}

impl Pairs {
    fn new(images: &Tensor, references: &Tensor) -> Result<Self> {
        if images.rank() != 4 || images.dims() != references.dims() {
            return Err(Error::Shape {
                expected: "images and references of one shape [N, C, H, W]".into(),
                got: format!("{:?} and {:?}", images.dims(), references.dims()),
            });
        }
        if images.elem_count() == 0 {
            return Err(Error::Shape {
                expected: "at least one pixel".into(),
                got: format!("{:?}", images.dims()),
            });
        }
        for tensor in [images, references] {
            if !tensor.dtype().is_float() {
                return Err(Error::Shape {
                    expected: "floats in [-1, 1] (`image::normalize` makes them of pixels)".into(),
                    got: tensor.dtype().as_str().into(),
                });
            }
        }
        let (_, channels, height, width) = images.dims4()?;
        let flat =
            |t: &Tensor| t.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1();
        Ok(Self {
            images: flat(images)?,
            references: flat(references)?,
            size: channels * height * width,
            height,
            width,
        })
    }

    fn iter(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        self.images.chunks_exact(self.size).zip(self.references.chunks_exact(self.size))
    }
}

fn mean_squared_error(image: &[f32], reference: &[f32]) -> f64 {
    let squares = image.iter().zip(reference).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    squares.sum::<f64>() / image.len() as f64
}

/// Mean SSIM of one channel `[H, W]`.
fn ssim_of_plane(x: &[f32], y: &[f32], width: usize) -> f64 {
    const C1: f64 = (0.01 * DATA_RANGE) * (0.01 * DATA_RANGE);
    const C2: f64 = (0.03 * DATA_RANGE) * (0.03 * DATA_RANGE);
    let window = gaussian_window();
    let blurred = |value: fn(f64, f64) -> f64| {
        let plane: Vec<f64> =
            x.iter().zip(y).map(|(x, y)| value(f64::from(*x), f64::from(*y))).collect();
        blur(&plane, width, &window)
    };
    let (mean_x, mean_y) = (blurred(|x, _| x), blurred(|_, y| y));
    let (square_x, square_y) = (blurred(|x, _| x * x), blurred(|_, y| y * y));
    let product = blurred(|x, y| x * y);
    let similarity = (0..mean_x.len()).map(|i| {
        let (mx, my) = (mean_x[i], mean_y[i]);
        let (var_x, var_y) = (square_x[i] - mx * mx, square_y[i] - my * my);
        let covariance = product[i] - mx * my;
        (2.0 * mx * my + C1) * (2.0 * covariance + C2)
            / ((mx * mx + my * my + C1) * (var_x + var_y + C2))
    });
    similarity.sum::<f64>() / mean_x.len() as f64
}

/// Weights of the window along one axis, σ 1.5; their sum is 1.
fn gaussian_window() -> [f64; SSIM_WINDOW] {
    let mut window = std::array::from_fn(|i| {
        let distance = i as f64 - (SSIM_WINDOW / 2) as f64;
        (-distance * distance / (2.0 * 1.5 * 1.5)).exp()
    });
    let sum: f64 = window.iter().sum();
    for weight in &mut window {
        *weight /= sum;
    }
    window
}

/// Weighted means at the places where the window fits: `[H, W]` → `[H − 10, W − 10]`.
fn blur(plane: &[f64], width: usize, window: &[f64; SSIM_WINDOW]) -> Vec<f64> {
    let rows = plane.chunks_exact(width).flat_map(|row| {
        row.windows(SSIM_WINDOW)
            .map(|pixels| pixels.iter().zip(window).map(|(p, w)| p * w).sum::<f64>())
    });
    let rows: Vec<f64> = rows.collect(); // [H, W − 10]
    let narrow = width + 1 - SSIM_WINDOW;
    let height = rows.len() / narrow + 1 - SSIM_WINDOW;
    let mut out = vec![0.0; height * narrow];
    for (y, out_row) in out.chunks_exact_mut(narrow).enumerate() {
        for (dy, weight) in window.iter().enumerate() {
            let row = &rows[(y + dy) * narrow..][..narrow];
            for (sum, value) in out_row.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn filled(value: f32) -> Result<Tensor> {
        Ok(Tensor::full(value, (1, 3, 16, 16), &Device::Cpu)?)
    }

    #[track_caller]
    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-6, "{value}, expected {expected}");
    }

    #[test]
    fn equal_images_are_perfect() -> Result<()> {
        let images = Stream::named("images", 0).normal_tensor((2, 3, 16, 12), &Device::Cpu)?;
        assert_eq!(mse(&images, &images)?, [0.0; 2]);
        assert_eq!(psnr(&images, &images)?, [f64::INFINITY; 2]);
        for value in ssim(&images, &images)? {
            close(value, 1.0);
        }
        Ok(())
    }

    #[test]
    fn constant_images_have_closed_forms() -> Result<()> {
        let (a, b) = (filled(0.5)?, filled(-0.25)?);
        close(mse(&a, &b)?[0], 0.5625);
        close(psnr(&a, &b)?[0], 10.0 * (4.0f64 / 0.5625).log10());
        // Without variance only the factor of the means is left.
        let c1 = 0.0004;
        close(ssim(&a, &b)?[0], (2.0 * 0.5 * -0.25 + c1) / (0.25 + 0.0625 + c1));
        close(psnr(&filled(1.0)?, &filled(-1.0)?)?[0], 0.0);
        Ok(())
    }

    /// With x and −x both means and the covariance change their sign.
    #[test]
    fn a_negative_is_the_opposite() -> Result<()> {
        let checker: Vec<f32> =
            (0..256).map(|i| if (i + i / 16) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let x = Tensor::from_vec(checker, (1, 1, 16, 16), &Device::Cpu)?;
        let value = ssim(&x, &x.neg()?)?[0];
        assert!(value < -0.9, "{value}");
        Ok(())
    }

    #[test]
    fn wrong_shapes_are_refused() -> Result<()> {
        let small = Tensor::zeros((1, 3, 11, 10), DType::F32, &Device::Cpu)?;
        let message = ssim(&small, &small).expect_err("too narrow").to_string();
        assert!(message.contains("11×11") && message.contains("10×11"), "{message}");
        assert_eq!(mse(&small, &small)?, [0.0]);
        assert!(mse(&small, &filled(0.0)?).is_err());
        let pixels = small.to_dtype(DType::U8)?;
        assert!(mse(&pixels, &pixels).is_err(), "pixels are not in [-1, 1]");
        Ok(())
    }
}
