//! How sharp images are: by the steepness of their gray values, and by how much of them is in fine detail.

use std::f64::consts::TAU;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{EvalError, Result};
use crate::image_errors::{Spread, times};

/// Collects the sharpness of images, batch by batch.
///
/// Each image is measured by itself and the sums are taken at the end in the order of the images, so that the result has
/// the same bits whatever the batches were.
#[derive(Clone, Debug, Default)]
pub struct Sharpness {
    fourier: Option<Fourier>,
    gradients: Vec<f64>,
    /// Power of each image by radius.
    spectra: Vec<Vec<f64>>,
}

/// How sharp a set of images is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharpnessResult {
    /// What was computed, in one sentence.
    pub protocol: String,
    /// Number of images.
    pub images: usize,
    /// Channels, height and width of every image.
    pub shape: [usize; 3],
    /// Mean length of the gradient, in pixel values on [0, 1] per pixel.
    pub gradient: Spread,
    /// Mean power at each radius, from radius 0 (the mean's) in steps of one cycle over the shorter side.
    pub spectrum: Vec<f64>,
    /// Share of the variance within images in waves of at most four pixels, half of the highest frequency and above.
    pub fine_share: f64,
}

impl Sharpness {
    /// Measures a batch: `images` are `[N, C, H, W]` floats in [-1, 1].
    ///
    /// All batches must have one `C`, `H` and `W`; N may differ.
    ///
    /// # Errors
    /// If the images differ in size from earlier ones, are below 2×2 pixels, or are no images.
    pub fn add(&mut self, images: &Tensor) -> Result<()> {
        let core = gan_core::Error::from;
        let (n, c, h, w) = images.dims4().map_err(core)?;
        let fourier = match &self.fourier {
            Some(fourier) if fourier.shape == [c, h, w] => fourier,
            Some(fourier) => {
                let (expected, got) = (times(fourier.shape), times([c, h, w]));
                return Err(EvalError::Mixed { expected, got });
            }
            None if h.min(w) < 2 => return Err(EvalError::TooSmall { height: h, width: w }),
            None => self.fourier.insert(Fourier::new([c, h, w]).map_err(core)?),
        };
        let unit = images.to_device(&Device::Cpu).and_then(|images| {
            ((images.to_dtype(DType::F64)? + 1.0)? * 0.5)?.contiguous() // [N, C, H, W] on [0, 1]
        });
        let unit = unit.map_err(core)?;
        for i in 0..n {
            let image = unit.get(i).map_err(core)?;
            let values = image.flatten_all().and_then(|values| values.to_vec1::<f64>());
            self.gradients.push(mean_gradient(&values.map_err(core)?, h, w));
            self.spectra.push(fourier.power_by_radius(&image).map_err(core)?);
        }
        Ok(())
    }

    /// The sharpness of all images so far.
    ///
    /// # Errors
    /// If there are none.
    pub fn result(&self) -> Result<SharpnessResult> {
        let fourier = self.fourier.as_ref().ok_or(EvalError::NoSamples)?;
        let n = self.spectra.len() as f64;
        let mean = |radius: usize| self.spectra.iter().map(|power| power[radius]).sum::<f64>() / n;
        let all: Vec<f64> = (0..=fourier.last_radius()).map(mean).collect();
        let shown = fourier.shape[1].min(fourier.shape[2]) / 2;
        let total = |from: usize| -> f64 {
            all.iter().zip(&fourier.frequencies).skip(from).map(|(power, n)| power * n).sum()
        };
        let variance = total(1);
        // Rounded up: at least half of the highest frequency.
        let fine = total(shown.div_ceil(2).max(1));
        Ok(SharpnessResult {
            protocol: protocol(fourier.shape),
            images: self.spectra.len(),
            shape: fourier.shape,
            gradient: Spread::over(&self.gradients).ok_or(EvalError::NoSamples)?,
            spectrum: all[..=shown].to_vec(),
            fine_share: if variance > 0.0 { fine / variance } else { 0.0 },
        })
    }
}

/// Mean length of the forward differences of `[C, H, W]` values, over the places that have a neighbour on both sides.
fn mean_gradient(values: &[f64], height: usize, width: usize) -> f64 {
    let mut sum = 0.0;
    for plane in values.chunks_exact(height * width) {
        for y in 0..height - 1 {
            for at in y * width..y * width + width - 1 {
                sum += (plane[at + 1] - plane[at]).hypot(plane[at + width] - plane[at]);
            }
        }
    }
    let planes = values.len() / (height * width);
    sum / (planes * (height - 1) * (width - 1)) as f64
}

/// The discrete Fourier transform of images of one shape, as products with its matrices: sides need not be powers of two.
#[derive(Clone, Debug)]
struct Fourier {
    /// `[C, H, W]`.
    shape: [usize; 3],
    /// Cosines and sines, `[W, W]` and `[H, H]`.
    rows: [Tensor; 2],
    columns: [Tensor; 2],
    /// The radius of each frequency, `H` rows of `W`.
    radii: Vec<usize>,
    /// How many frequencies have each radius.
    frequencies: Vec<f64>,
}

impl Fourier {
    fn new(shape: [usize; 3]) -> candle_core::Result<Self> {
        let [_, height, width] = shape;
        let shorter = height.min(width) as f64;
        // Frequencies above half of a side are negative ones.
        let cycles = |i: usize, side: usize| i.min(side - i) as f64 / side as f64;
        let radius = |i: usize| {
            let (v, u) = (cycles(i / width, height), cycles(i % width, width));
            (v.hypot(u) * shorter).round() as usize
        };
        let radii: Vec<usize> = (0..height * width).map(radius).collect();
        let mut frequencies = vec![0.0; radii.iter().max().map_or(0, |last| last + 1)];
        radii.iter().for_each(|&radius| frequencies[radius] += 1.0);
        Ok(Self { shape, rows: matrices(width)?, columns: matrices(height)?, radii, frequencies })
    }

    fn last_radius(&self) -> usize {
        self.frequencies.len() - 1
    }

    /// Mean power of the frequencies of each radius, then over the channels of an image `[C, H, W]`. Power is |F|² / (HW)²:
    /// over all frequencies it adds up to the mean square of the image.
    fn power_by_radius(&self, image: &Tensor) -> candle_core::Result<Vec<f64>> {
        let [channels, height, width] = self.shape;
        let mut sums = vec![0.0; self.frequencies.len()];
        for channel in 0..channels {
            let plane = image.get(channel)?;
            let [row_cos, row_sin] = &self.rows;
            let [column_cos, column_sin] = &self.columns;
            let (a, b) = (plane.matmul(row_cos)?, plane.matmul(row_sin)?); // [H, W]
            let real = (column_cos.matmul(&a)? - column_sin.matmul(&b)?)?;
            let imaginary = (column_sin.matmul(&a)? + column_cos.matmul(&b)?)?;
            let power = (real.sqr()? + imaginary.sqr()?)?.flatten_all()?.to_vec1::<f64>()?;
            self.radii.iter().zip(power).for_each(|(&radius, power)| sums[radius] += power);
        }
        let scale = ((height * width) as f64).powi(2) * channels as f64;
        Ok(sums.iter().zip(&self.frequencies).map(|(sum, n)| sum / (n * scale)).collect())
    }
}

/// cos and sin of 2π i k / n, `[n, n]`.
fn matrices(n: usize) -> candle_core::Result<[Tensor; 2]> {
    let matrix = |of: fn(f64) -> f64| {
        // The remainder first: far angles would lose digits.
        let angle = |i: usize| TAU * ((i / n) * (i % n) % n) as f64 / n as f64;
        let values: Vec<f64> = (0..n * n).map(|i| of(angle(i))).collect();
        Tensor::from_vec(values, (n, n), &Device::Cpu)
    };
    Ok([matrix(f64::cos)?, matrix(f64::sin)?])
}

fn protocol(shape: [usize; 3]) -> String {
    format!(
        "per image of {} on [0, 1]: mean length of the forward differences over pixels and channels; power |F|² / (HW)² of \
         the discrete Fourier transform without a window, averaged over the frequencies of a rounded radius in cycles over \
         the shorter side, then over channels; mean over images; fine share = variance at half of the highest frequency of \
         the shorter side and above, corners included, of all but the mean's; f64; gan-eval {}",
        times(shape),
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use gan_core::Stream;

    use super::*;

    /// An image whose value on [0, 1] at `(c, y, x)` is `value`.
    fn image(shape: [usize; 3], value: impl Fn(usize, usize, usize) -> f64) -> Tensor {
        let [c, h, w] = shape;
        let at = |i: usize| (2.0 * value(i / (h * w), i / w % h, i % w) - 1.0) as f32;
        let values: Vec<f32> = (0..c * h * w).map(at).collect();
        Tensor::from_vec(values, (1, c, h, w), &Device::Cpu).expect("a whole image")
    }

    fn measured(batches: &[Tensor]) -> Result<SharpnessResult> {
        let mut sharpness = Sharpness::default();
        for images in batches {
            sharpness.add(images)?;
        }
        sharpness.result()
    }

    fn close(got: f64, expected: f64) {
        // Pixels are f32.
        assert!((got - expected).abs() < 1e-6, "{got}, expected {expected}");
    }

    #[test]
    fn a_constant_image_has_no_edges_and_no_waves() -> Result<()> {
        let result = measured(&[image([3, 28, 20], |_, _, _| 0.25)])?;
        assert_eq!((result.gradient.mean, result.images, result.shape), (0.0, 1, [3, 28, 20]));
        assert_eq!(result.spectrum.len(), 11);
        close(result.spectrum[0], 0.0625);
        assert!(result.spectrum[1..].iter().all(|&power| power < 1e-20), "{:?}", result.spectrum);
        Ok(())
    }

    /// A step of 0.03 to the right and 0.04 downwards, another of half of that in the second channel.
    #[test]
    fn a_ramp_is_as_steep_as_its_gradient() -> Result<()> {
        let ramp = |c: usize, y: usize, x: usize| {
            (0.03 * x as f64 + 0.04 * y as f64) / if c == 0 { 1.0 } else { 2.0 }
        };
        let result = measured(&[image([2, 9, 11], ramp)])?;
        close(result.gradient.mean, 0.5 * (0.05 + 0.025));
        assert_eq!(result.gradient.std, 0.0);
        Ok(())
    }

    /// A wave of amplitude a has power a²/4 at each of its two frequencies.
    #[test]
    fn a_wave_is_at_its_radius_alone() -> Result<()> {
        let wave = |u: f64, v: f64, shape: [usize; 3]| {
            let [_, h, w] = shape.map(|side| side as f64);
            image(shape, move |_, y, x| {
                0.5 + 0.25 * (TAU * (u * x as f64 / w + v * y as f64 / h)).cos()
            })
        };
        for (u, v, shape, radius) in [
            (3.0, 0.0, [1, 16, 16], 3),
            (0.0, 5.0, [1, 16, 16], 5),
            (3.0, 4.0, [3, 28, 28], 5),
            (0.0, 4.0, [1, 32, 16], 2), // four over the longer side are two over the shorter
        ] {
            let result = measured(&[wave(u, v, shape)])?;
            let [_, h, w] = shape;
            let count = Fourier::new(shape).expect("matrices").frequencies[radius];
            close(result.spectrum[0], 0.25);
            for (i, &power) in result.spectrum.iter().enumerate().skip(1) {
                let expected = if i == radius { 2.0 * 0.0625 / 4.0 / count } else { 0.0 };
                assert!((power - expected).abs() < 1e-9, "{u} {v}: {power} at {i}");
            }
            let fine = if radius >= (h.min(w) / 2).div_ceil(2) { 1.0 } else { 0.0 };
            close(result.fine_share, fine);
        }
        Ok(())
    }

    /// Parseval: the power over all frequencies is the mean square. White noise is alike at all of them.
    #[test]
    fn power_adds_up_to_the_mean_square() -> Result<()> {
        let shape = [1, 24, 20];
        let mut stream = Stream::named("sharpness", 3);
        let noise: Vec<f64> = (0..480).map(|_| f64::from(stream.uniform(0.0, 1.0))).collect();
        let picture = image(shape, |_, y, x| noise[y * 20 + x]);
        let fourier = Fourier::new(shape).expect("matrices");
        let unit = image(shape, |_, y, x| (noise[y * 20 + x] + 1.0) / 2.0);
        let plane = unit.get(0).and_then(|t| t.to_dtype(DType::F64)).expect("an image");
        let power = fourier.power_by_radius(&plane).expect("power");
        let total: f64 = power.iter().zip(&fourier.frequencies).map(|(p, n)| p * n).sum();
        close(total, noise.iter().map(|value| value * value).sum::<f64>() / 480.0);
        let share = measured(&[picture])?.fine_share;
        let above: f64 = fourier.frequencies[5..].iter().sum();
        assert!((share - above / 479.0).abs() < 0.1, "{share}, expected about {}", above / 479.0);
        Ok(())
    }

    /// The transform itself, against its definition.
    #[test]
    fn power_is_that_of_the_sum_over_pixels() {
        let shape = [1, 5, 6];
        let value = |y: usize, x: usize| ((7 * y + 3 * x * x) % 11) as f64 / 11.0;
        let fourier = Fourier::new(shape).expect("matrices");
        let mut expected = vec![0.0; fourier.frequencies.len()];
        for (i, &radius) in fourier.radii.iter().enumerate() {
            let (v, u) = (i / 6, i % 6);
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (y, x) in (0..30).map(|i| (i / 6, i % 6)) {
                let angle = TAU * ((u * x) as f64 / 6.0 + (v * y) as f64 / 5.0);
                real += value(y, x) * angle.cos();
                imaginary += value(y, x) * angle.sin();
            }
            expected[radius] +=
                (real * real + imaginary * imaginary) / 900.0 / fourier.frequencies[radius];
        }
        let values: Vec<f64> = (0..30).map(|i| value(i / 6, i % 6)).collect();
        let plane = Tensor::from_vec(values, (1, 5, 6), &Device::Cpu).expect("an image");
        let got = fourier.power_by_radius(&plane).expect("power");
        got.iter().zip(&expected).for_each(|(got, expected)| close(*got, *expected));
    }

    /// A mean over neighbours takes fine detail away: cos²(πu/W) of the power at u cycles along each side.
    #[test]
    fn what_is_blurred_is_less_sharp() -> Result<()> {
        let images = Stream::named("blur", 1).normal_tensor((4, 3, 16, 16), &Device::Cpu);
        let images = images.and_then(|t| t.tanh()).expect("plain tensors");
        let along = |t: Tensor, dim: usize| ((&t + t.roll(1, dim)?)? * 0.5)?.contiguous();
        let blurred = along(images.clone(), 2).and_then(|t| along(t, 3));
        let (sharp, soft) = (measured(&[images])?, measured(&[blurred.expect("plain tensors")])?);
        assert!(soft.gradient.mean < 0.75 * sharp.gradient.mean);
        assert!(soft.fine_share < 0.75 * sharp.fine_share);
        Ok(())
    }

    #[test]
    fn batches_do_not_matter() -> Result<()> {
        let images = Stream::named("batches", 2).normal_tensor((7, 2, 12, 10), &Device::Cpu);
        let images = images.and_then(|t| t.tanh()).expect("plain tensors");
        let whole = measured(std::slice::from_ref(&images))?;
        for size in [1, 3] {
            let parts: Vec<Tensor> = (0..7)
                .step_by(size)
                .map(|at| images.narrow(0, at, size.min(7 - at)).expect("within"))
                .collect();
            assert_eq!(measured(&parts)?, whole, "batches of {size}");
        }
        let json = serde_json::to_string(&whole).expect("plain data");
        assert_eq!(serde_json::from_str::<SharpnessResult>(&json).expect("ours"), whole);
        Ok(())
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        assert!(matches!(measured(&[]), Err(EvalError::NoSamples)));
        let of = |shape| image(shape, |_, _, _| 0.5);
        let mixed = measured(&[of([1, 8, 8]), of([1, 8, 9])]);
        assert!(matches!(mixed, Err(EvalError::Mixed { .. })));
        let small = measured(&[of([1, 1, 8])]);
        assert!(matches!(small, Err(EvalError::TooSmall { height: 1, width: 8 })));
    }
}
