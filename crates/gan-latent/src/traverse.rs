//! Sweeps: what one entry of a latent does to an image while everything else is held.

use candle_core::Tensor;
use candle_nn::ModuleT;
use gan_core::Image;
use gan_models::{Distribution, LatentBatch};

use crate::error::LatentError;
use crate::latents;
use crate::sample::Samples;

/// Values that a sweep over a range takes.
const STEPS: usize = 9;

/// The values to show of an entry: all there are, or nine over a range: −2..2 of a normal entry and twice the range
/// of a uniform one, as in InfoGAN's figure 2 (Chen et al. 2016), where U(−1, 1) goes from −2 to 2.
pub fn values_to_show(distribution: &Distribution) -> Vec<f32> {
    let range = |low: f32, high: f32| {
        let step = (high - low) / (STEPS - 1) as f32;
        (0..STEPS).map(|i| low + step * i as f32).collect()
    };
    match distribution {
        Distribution::Normal { .. } => range(-2.0, 2.0),
        Distribution::Uniform { low, high, .. } => {
            let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
            range(middle - 2.0 * half, middle + 2.0 * half)
        }
        Distribution::Binary { .. } | Distribution::Attributes { .. } => vec![0.0, 1.0],
        Distribution::Levels { levels: n, .. } | Distribution::Categorical { classes: n, .. } => {
            (0..*n).map(|i| i as f32).collect()
        }
    }
}

/// For each latent of `faces` a row of images in which entry `entry` of `part` takes each of `values` in turn: the index
/// of a class, 0 or 1 for an attribute, else the number itself.
///
/// # Errors
/// If there is no such part or entry, or it cannot be one of the values.
pub fn sweep(
    generator: &impl ModuleT,
    faces: &LatentBatch,
    part: &str,
    entry: usize,
    values: &[f32],
) -> Result<Vec<Vec<Image>>, LatentError> {
    let variants = values
        .iter()
        .map(|&value| faces.with_entry(part, entry, value))
        .collect::<Result<Vec<_>, _>>()?;
    rows(generator, faces.len(), &variants)
}

/// All combinations of two entries of `part` for one latent: a row for each value of the first, a column for each of
/// the second.
///
/// # Errors
/// As [`sweep`], and if `face` is not one latent.
pub fn sweep_pair(
    generator: &impl ModuleT,
    face: &LatentBatch,
    part: &str,
    entries: [usize; 2],
    values: [&[f32]; 2],
) -> Result<Vec<Vec<Image>>, LatentError> {
    if face.len() != 1 {
        let message = format!("a pair of entries is swept for one latent, got {}", face.len());
        return Err(candle_core::Error::Msg(message).into());
    }
    let of_rows = values[0]
        .iter()
        .map(|&value| face.with_entry(part, entries[0], value))
        .collect::<Result<Vec<_>, _>>()?;
    match latents::join(&of_rows)? {
        Some(rows) => sweep(generator, &rows, part, entries[1], values[1]),
        None => Ok(Vec::new()),
    }
}

/// The *gradual discrete* walk through a binary part of `s` entries: for each latent of `faces` a row of `s + 1` images
/// whose code is i ones, then s − i zeros, with everything else held.
///
/// # Errors
/// If there is no such part, or its entries cannot be 0 and 1.
pub fn gradual(
    generator: &impl ModuleT,
    faces: &LatentBatch,
    part: &str,
) -> Result<Vec<Vec<Image>>, LatentError> {
    let Some(values) = faces.part(part) else {
        return Err(candle_core::Error::Msg(format!("there is no latent part {part:?}")).into());
    };
    let (n, size) = values.dims2()?;
    let with_ones = |ones: usize| {
        let code = (0..n * size).map(|i| f32::from(u8::from(i % size < ones))).collect();
        faces.with_part(part, &Tensor::from_vec(code, (n, size), values.device())?)
    };
    let variants = (0..=size).map(with_ones).collect::<Result<Vec<_>, _>>()?;
    rows(generator, n, &variants)
}

/// Images of `n` latents in each of their variants: a row a latent, a column a variant.
fn rows(
    generator: &impl ModuleT,
    n: usize,
    variants: &[LatentBatch],
) -> Result<Vec<Vec<Image>>, LatentError> {
    let mut rows = vec![Vec::with_capacity(variants.len()); n];
    // All variants together, so that the generator's batches are full.
    if let Some(all) = latents::join(variants)? {
        let images = Samples::generate(generator, all, |_| ())?.images;
        for (i, image) in images.into_iter().enumerate() {
            rows[i % n].push(image);
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::seeded;
    use candle_core::Device;
    use gan_models::{Latent, Part};

    /// Shows what it reads, a value a pixel of one row.
    struct Show;

    impl ModuleT for Show {
        fn forward_t(&self, z: &Tensor, _train: bool) -> candle_core::Result<Tensor> {
            assert!(z.dim(0)? <= 64, "batches are at most 64");
            let (n, size) = z.dims2()?;
            (z / 3.0)?.clamp(-1f32, 1f32)?.reshape((n, 1, 1, size))
        }
    }

    /// The pixel that [`Show`] makes of a value.
    fn pixel(value: f32) -> u8 {
        ((value / 3.0).clamp(-1.0, 1.0) * 127.5 + 127.5).round() as u8
    }

    fn mixed() -> Latent {
        let part = |name: &str, distribution| Part { name: name.into(), distribution };
        Latent::new(vec![
            part("z", Distribution::Normal { size: 2 }),
            part("code", Distribution::Categorical { classes: 3, count: 2 }),
            part("bits", Distribution::Binary { p: 0.5, size: 4 }),
        ])
    }

    #[test]
    fn one_entry_moves_and_all_others_are_held() -> Result<(), LatentError> {
        let faces = seeded(&mixed(), 30, 1, None, &Device::Cpu)?;
        let plain = Samples::generate(&Show, faces.clone(), |_| ())?.images;
        let values = [-2.0, 0.0, 1.5];
        let rows = sweep(&Show, &faces, "z", 1, &values)?;
        assert_eq!((rows.len(), rows[0].len()), (30, 3));
        for (row, plain) in rows.iter().zip(&plain) {
            for (image, value) in row.iter().zip(values) {
                let mut expected = plain.pixels().to_vec();
                expected[1] = pixel(value);
                assert_eq!(image.pixels(), expected);
            }
        }
        Ok(())
    }

    #[test]
    fn a_class_is_swept_by_its_index() -> Result<(), LatentError> {
        let faces = seeded(&mixed(), 2, 1, None, &Device::Cpu)?;
        let rows = sweep(&Show, &faces, "code", 1, &[0.0, 1.0, 2.0])?;
        let hot = |image: &Image| -> Vec<bool> {
            image.pixels()[5..8].iter().map(|&p| p == pixel(1.0)).collect()
        };
        assert_eq!(hot(&rows[1][0]), [true, false, false]);
        assert_eq!(hot(&rows[1][2]), [false, false, true]);
        let message = sweep(&Show, &faces, "code", 1, &[3.0]).expect_err("3 classes").to_string();
        assert!(message.contains("code"), "{message}");
        assert!(sweep(&Show, &faces, "code", 2, &[0.0]).is_err(), "there are two choices");
        assert_eq!(sweep(&Show, &faces, "code", 1, &[])?, vec![Vec::<Image>::new(); 2]);
        Ok(())
    }

    #[test]
    fn a_pair_shows_every_combination() -> Result<(), LatentError> {
        let faces = seeded(&mixed(), 2, 1, None, &Device::Cpu)?;
        let face = faces.narrow(0, 1)?;
        let classes = values_to_show(&mixed().parts()[1].distribution);
        let rows = sweep_pair(&Show, &face, "code", [0, 1], [&classes, &classes[..2]])?;
        assert_eq!((rows.len(), rows[0].len()), (3, 2));
        for (i, row) in rows.iter().enumerate() {
            for (j, image) in row.iter().enumerate() {
                let hot: Vec<usize> =
                    (0..6).filter(|&k| image.pixels()[2 + k] == pixel(1.0)).collect();
                assert_eq!(hot, [i, 3 + j]);
            }
        }
        assert!(sweep_pair(&Show, &faces, "code", [0, 1], [&classes, &classes]).is_err());
        Ok(())
    }

    #[test]
    fn the_gradual_walk_fills_the_code_from_the_left() -> Result<(), LatentError> {
        let faces = seeded(&mixed(), 3, 1, None, &Device::Cpu)?;
        let rows = gradual(&Show, &faces, "bits")?;
        assert_eq!((rows.len(), rows[0].len()), (3, 5));
        for row in &rows {
            for (ones, image) in row.iter().enumerate() {
                let expected: Vec<u8> =
                    (0..4).map(|i| pixel(if i < ones { 1.0 } else { 0.0 })).collect();
                assert_eq!(image.pixels()[8..], expected);
                assert_eq!(image.pixels()[..8], row[0].pixels()[..8]);
            }
        }
        assert!(gradual(&Show, &faces, "bit").is_err());
        Ok(())
    }

    #[test]
    fn a_uniform_entry_goes_twice_its_range() {
        let shown = values_to_show(&Distribution::Uniform { low: -1.0, high: 1.0, size: 2 });
        assert_eq!(shown, [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0]);
        let shifted = values_to_show(&Distribution::Uniform { low: 0.0, high: 4.0, size: 1 });
        assert_eq!((shifted[0], shifted[4], shifted[8]), (-2.0, 2.0, 6.0));
    }
}
