//! Image errors over a data set: MSE, PSNR and SSIM of images against their references.

use candle_core::Tensor;
use gan_core::quality::{self, SSIM_WINDOW};
use serde::{Deserialize, Serialize};

use crate::error::{EvalError, Result};

/// Collects the errors of images, batch by batch.
///
/// Each image is measured by itself and the sums are taken at the end in the order of the images, so
/// that the result has the same bits whatever the batches were.
#[derive(Clone, Debug, Default)]
pub struct ImageErrors {
    /// `[C, H, W]` of the images.
    shape: Option<[usize; 3]>,
    mse: Vec<f64>,
    /// Empty where the images are too small for it.
    ssim: Vec<f64>,
}

/// Errors of a set of images against their references.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageErrorsResult {
    /// What was computed, in one sentence.
    pub protocol: String,
    /// Number of images.
    pub images: usize,
    /// Channels, height and width of every image.
    pub shape: [usize; 3],
    /// Mean squared error over channels and pixels on the scale [-1, 1].
    pub mse: Spread,
    /// The same on the scale [0, 1]: a quarter.
    pub mse_unit: Spread,
    /// PSNR in decibel of the images that differ from their references; none where none does.
    pub psnr: Option<Spread>,
    /// SSIM; none for images below 11 pixels in height or width.
    pub ssim: Option<Spread>,
    /// Images equal to their references: their PSNR is infinite and not in [`Self::psnr`].
    pub identical: usize,
}

/// Mean, standard deviation and extremes of a value over images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Mean over the images.
    pub mean: f64,
    /// Population standard deviation over the images.
    pub std: f64,
    /// The lowest value: the best image by MSE, the worst by PSNR and SSIM.
    pub min: Extreme,
    /// The highest value.
    pub max: Extreme,
}

/// A value and the image that has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    /// The value.
    pub value: f64,
    /// Index of the image in the order in which images came; the first of equals.
    pub index: usize,
    /// File name of the image, where it came from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl ImageErrors {
    /// Measures a batch: `images` and `references` are `[N, C, H, W]` floats in [-1, 1].
    ///
    /// All batches must have one `C`, `H` and `W`; N may differ.
    pub fn add(&mut self, images: &Tensor, references: &Tensor) -> Result<()> {
        let mse = quality::mse(images, references)?;
        let (_, c, h, w) = images.dims4().map_err(gan_core::Error::from)?;
        let shape = *self.shape.get_or_insert([c, h, w]);
        if shape != [c, h, w] {
            return Err(EvalError::Mixed { expected: times(shape), got: times([c, h, w]) });
        }
        if h.min(w) >= SSIM_WINDOW {
            self.ssim.extend(quality::ssim(images, references)?);
        }
        self.mse.extend(mse);
        Ok(())
    }

    /// Images measured so far.
    pub fn len(&self) -> usize {
        self.mse.len()
    }

    /// Whether nothing was measured yet.
    pub fn is_empty(&self) -> bool {
        self.mse.is_empty()
    }

    /// Mean squared error of each image so far on the scale [-1, 1], in the order in which they came.
    pub fn mse(&self) -> &[f64] {
        &self.mse
    }

    /// Errors over all images so far; refused where there are none.
    pub fn result(&self) -> Result<ImageErrorsResult> {
        let Some(shape) = self.shape else { return Err(EvalError::Empty) };
        let mse = Spread::of(self.mse.iter().copied().enumerate()).ok_or(EvalError::Empty)?;
        let psnr = self.mse.iter().map(|mse| quality::psnr_of_mse(*mse));
        let psnr = psnr.enumerate().filter(|(_, value)| *value != f64::INFINITY);
        Ok(ImageErrorsResult {
            protocol: protocol(shape),
            images: self.mse.len(),
            shape,
            mse_unit: Spread::of(self.mse.iter().map(|mse| mse / 4.0).enumerate())
                .ok_or(EvalError::Empty)?,
            mse,
            psnr: Spread::of(psnr),
            ssim: Spread::of(self.ssim.iter().copied().enumerate()),
            identical: self.mse.iter().filter(|mse| **mse == 0.0).count(),
        })
    }
}

impl ImageErrorsResult {
    /// Writes beside each extreme the file that its image came from; `names` are in the order of images.
    pub(crate) fn name_extremes(&mut self, names: &[String]) {
        let spreads =
            [Some(&mut self.mse), Some(&mut self.mse_unit), self.psnr.as_mut(), self.ssim.as_mut()];
        for spread in spreads.into_iter().flatten() {
            for extreme in [&mut spread.min, &mut spread.max] {
                extreme.name = names.get(extreme.index).cloned();
            }
        }
    }
}

impl Spread {
    /// Over the values of images, in their order; none where there are no values.
    pub fn over(values: &[f64]) -> Option<Self> {
        Self::of(values.iter().copied().enumerate())
    }

    /// Over `(index, value)`; none where there are no values. A NaN makes everything NaN.
    fn of(values: impl Iterator<Item = (usize, f64)>) -> Option<Self> {
        let values: Vec<(usize, f64)> = values.collect();
        let n = values.len() as f64;
        let mean = values.iter().map(|(_, v)| v).sum::<f64>() / n;
        let variance = values.iter().map(|(_, v)| (v - mean).powi(2)).sum::<f64>() / n;
        let extreme = |&(index, value): &(usize, f64)| Extreme { value, index, name: None };
        let nan = values.iter().find(|(_, v)| v.is_nan());
        let min = nan.or_else(|| values.iter().min_by(|a, b| a.1.total_cmp(&b.1)))?;
        // `max_by` would give the last of equals.
        let max = nan.or_else(|| values.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1)))?;
        Some(Self { mean, std: variance.sqrt(), min: extreme(min), max: extreme(max) })
    }
}

fn protocol(shape: [usize; 3]) -> String {
    let [_, h, w] = shape;
    let ssim = if h.min(w) < SSIM_WINDOW {
        format!("no SSIM: its window of {SSIM_WINDOW}×{SSIM_WINDOW} does not fit")
    } else {
        "SSIM of Wang et al. 2004 (Gaussian window 11×11 with sigma 1.5, K1 0.01, K2 0.03, data range 2, \
         population covariance, mean over the places where the window fits and over channels; as \
         scikit-image with gaussian_weights, sigma 1.5, use_sample_covariance False)"
            .into()
    };
    format!(
        "per image of {}, then mean and population standard deviation over images; MSE over channels and \
         pixels on [-1, 1] and on [0, 1]; PSNR = 10 log10(4 / MSE on [-1, 1]) in dB over images that differ \
         from their reference; {ssim}; f64 sums; gan-eval {}",
        times(shape),
        env!("CARGO_PKG_VERSION"),
    )
}

pub(crate) fn times([c, h, w]: [usize; 3]) -> String {
    format!("{c} channels, height {h}, width {w}")
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use gan_core::Stream;

    use super::*;

    fn pair(n: usize, size: usize) -> (Tensor, Tensor) {
        let draw = |name| {
            let noise = Stream::named(name, 5).normal_tensor((n, 3, size, size), &Device::Cpu);
            noise.and_then(|t| t.tanh()).expect("plain tensors")
        };
        (draw("images"), draw("references"))
    }

    fn measured(batches: &[(Tensor, Tensor)]) -> Result<ImageErrorsResult> {
        let mut errors = ImageErrors::default();
        for (images, references) in batches {
            errors.add(images, references)?;
        }
        errors.result()
    }

    /// Three images, equal but for a constant: the closed form of each value.
    #[test]
    fn constant_differences_have_closed_forms() -> Result<()> {
        let of = |values: &[f32]| {
            let columns = Tensor::new(values, &Device::Cpu).and_then(|t| t.reshape((3, 1, 1, 1)));
            columns
                .and_then(|t| t.broadcast_as((3, 1, 12, 12))?.contiguous())
                .expect("plain tensors")
        };
        let result = measured(&[(of(&[0.0, 0.5, 0.25]), of(&[0.0, 0.0, 0.0]))])?;
        assert_eq!((result.images, result.identical, result.shape), (3, 1, [1, 12, 12]));
        assert!((result.mse.mean - 0.3125 / 3.0).abs() < 1e-12);
        assert_eq!(result.mse_unit.mean * 4.0, result.mse.mean);
        assert_eq!((result.mse.min.index, result.mse.max.index), (0, 1));
        let psnr = result.psnr.expect("two images differ");
        assert_eq!((psnr.min.index, psnr.max.index), (1, 2));
        assert!((psnr.min.value - 10.0 * 16f64.log10()).abs() < 1e-9);
        assert!((psnr.std - 10.0 * 2f64.log10()).abs() < 1e-9, "20 log10 2 apart");
        assert_eq!(result.ssim.expect("large enough").max.index, 0);
        Ok(())
    }

    #[test]
    fn batches_do_not_matter() -> Result<()> {
        let (images, references) = pair(10, 16);
        let split = |size: usize| -> Vec<(Tensor, Tensor)> {
            let part = |t: &Tensor, at| t.narrow(0, at, size.min(10 - at)).expect("within");
            (0..10).step_by(size).map(|at| (part(&images, at), part(&references, at))).collect()
        };
        let whole = measured(&split(10))?;
        for size in [1, 3, 4] {
            assert_eq!(measured(&split(size))?, whole, "batches of {size}");
        }
        Ok(())
    }

    #[test]
    fn small_images_have_no_ssim_and_the_protocol_says_so() -> Result<()> {
        let result = measured(&[pair(2, 10)])?;
        assert!(result.ssim.is_none());
        assert!(result.protocol.contains("no SSIM"), "{}", result.protocol);
        Ok(())
    }

    #[test]
    fn a_result_survives_json() -> Result<()> {
        let (images, _) = pair(2, 12);
        for batch in [pair(3, 12), (images.clone(), images)] {
            let result = measured(&[batch])?;
            let json = serde_json::to_string(&result).expect("plain data");
            assert_eq!(serde_json::from_str::<ImageErrorsResult>(&json).expect("ours"), result);
        }
        Ok(())
    }

    #[test]
    fn what_cannot_be_measured_is_refused() -> Result<()> {
        assert!(matches!(ImageErrors::default().result(), Err(EvalError::Empty)));
        let mixed = measured(&[pair(1, 12), pair(1, 16)]);
        assert!(matches!(mixed, Err(EvalError::Mixed { .. })));
        let (images, _) = pair(2, 12);
        let (fewer, _) = pair(1, 12);
        assert!(measured(&[(images, fewer)]).is_err());
        Ok(())
    }
}
