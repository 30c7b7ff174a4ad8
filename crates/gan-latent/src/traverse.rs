//! Traversals: what single entries of a latent do to an image while everything else is held.

use candle_core::Tensor;
use gan_models::{Distribution, LatentBatch};

use crate::cells::Cells;
use crate::error::LatentError;
use crate::latents;

/// Values that a sweep over a range takes.
const STEPS: usize = 9;

/// Values of an entry within its range: all there are, or nine over it. That of a normal entry is −2..2, where 95 % of
/// its draws lie.
pub fn values_in_range(distribution: &Distribution) -> Vec<f32> {
    match distribution {
        Distribution::Normal { .. } => evenly(-2.0, 2.0),
        Distribution::Uniform { low, high, .. } => evenly(*low, *high),
        Distribution::Binary { .. } | Distribution::Attributes { .. } => vec![0.0, 1.0],
        Distribution::Levels { levels: n, .. } | Distribution::Categorical { classes: n, .. } => {
            (0..*n).map(|i| i as f32).collect()
        }
    }
}

/// The values to show of a code: those of [`values_in_range`], but twice the range of a uniform one, as in the figures of
/// InfoGAN (Chen et al. 2016), where U(−1, 1) goes from −2 to 2.
pub fn values_to_show(distribution: &Distribution) -> Vec<f32> {
    match distribution {
        Distribution::Uniform { low, high, .. } => {
            let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
            evenly(middle - 2.0 * half, middle + 2.0 * half)
        }
        _ => values_in_range(distribution),
    }
}

fn evenly(low: f32, high: f32) -> Vec<f32> {
    let step = (high - low) / (STEPS - 1) as f32;
    // The end as it was given, which a sum of steps can miss.
    (0..STEPS - 1).map(|i| low + step * i as f32).chain([high]).collect()
}

/// For each latent of `faces` a row in which entry `entry` of `part` takes each of `values` in turn: the index of a class,
/// 0 or 1 for an attribute, else the number itself.
///
/// # Errors
/// If there is no such part or entry, it cannot be one of the values, or there is none.
pub fn faces_by_values(
    faces: &LatentBatch,
    part: &str,
    entry: usize,
    values: &[f32],
) -> Result<Cells, LatentError> {
    Cells::from_columns(&with_values(faces, part, entry, values)?)
}

/// For one latent a row for each of `entries` of `part`, in which it takes each of `values` in turn.
///
/// # Errors
/// As [`faces_by_values`], and if `face` is not one latent.
pub fn entries_by_values(
    face: &LatentBatch,
    part: &str,
    entries: &[usize],
    values: &[f32],
) -> Result<Cells, LatentError> {
    only_one(face)?;
    let row = |&entry: &usize| {
        let row = with_values(face, part, entry, values)?;
        Ok(latents::join(&row)?.ok_or_else(no_values)?)
    };
    Cells::from_rows(&entries.iter().map(row).collect::<Result<Vec<_>, LatentError>>()?)
}

/// For each of `entries` of `part` a row for each of `values`, in which it has that value in all `faces`: an attribute's
/// rows off and on, one below the other.
///
/// # Errors
/// As [`faces_by_values`].
pub fn values_by_faces(
    faces: &LatentBatch,
    part: &str,
    entries: &[usize],
    values: &[f32],
) -> Result<Cells, LatentError> {
    let mut rows = Vec::new();
    for &entry in entries {
        rows.extend(with_values(faces, part, entry, values)?);
    }
    Cells::from_rows(&rows)
}

/// All combinations of two entries of `part` for one latent: a row for each value of the first, a column for each of
/// the second.
///
/// # Errors
/// As [`entries_by_values`].
pub fn combinations(
    face: &LatentBatch,
    part: &str,
    entries: [usize; 2],
    values: [&[f32]; 2],
) -> Result<Cells, LatentError> {
    only_one(face)?;
    let of_rows = with_values(face, part, entries[0], values[0])?;
    let rows = latents::join(&of_rows)?.ok_or_else(no_values)?;
    faces_by_values(&rows, part, entries[1], values[1])
}

/// The *gradual discrete* walk through a binary part of `s` entries: for each latent of `faces` a row of `s + 1` whose
/// code is i ones, then s − i zeros, with everything else held.
///
/// # Errors
/// If there is no such part, or its entries cannot be 0 and 1.
pub fn gradual(faces: &LatentBatch, part: &str) -> Result<Cells, LatentError> {
    let Some(values) = faces.part(part) else {
        return Err(candle_core::Error::Msg(format!("there is no latent part {part:?}")).into());
    };
    let (n, size) = values.dims2()?;
    let with_ones = |ones: usize| {
        let code = (0..n * size).map(|i| f32::from(u8::from(i % size < ones))).collect();
        faces.with_part(part, &Tensor::from_vec(code, (n, size), values.device())?)
    };
    let variants = (0..=size).map(with_ones).collect::<Result<Vec<_>, _>>()?;
    Cells::from_columns(&variants)
}

/// The latents with each of the values in one entry.
fn with_values(
    latents: &LatentBatch,
    part: &str,
    entry: usize,
    values: &[f32],
) -> Result<Vec<LatentBatch>, LatentError> {
    let with = |&value: &f32| latents.with_entry(part, entry, value);
    Ok(values.iter().map(with).collect::<Result<Vec<_>, _>>()?)
}

fn only_one(face: &LatentBatch) -> Result<(), LatentError> {
    if face.len() == 1 {
        return Ok(());
    }
    let message = format!("expected one latent, whose entries are traversed, got {}", face.len());
    Err(candle_core::Error::Msg(message).into())
}

fn no_values() -> candle_core::Error {
    candle_core::Error::Msg("0 values, expected 1 or more".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Samples, seeded};
    use candle_core::Device;
    use candle_nn::ModuleT;
    use gan_core::Image;
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
        let rows = faces_by_values(&faces, "z", 1, &values)?.images(&Show, |_| ())?;
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
        let rows = faces_by_values(&faces, "code", 1, &[0.0, 1.0, 2.0])?.images(&Show, |_| ())?;
        let hot = |image: &Image| -> Vec<bool> {
            image.pixels()[5..8].iter().map(|&p| p == pixel(1.0)).collect()
        };
        assert_eq!(hot(&rows[1][0]), [true, false, false]);
        assert_eq!(hot(&rows[1][2]), [false, false, true]);
        let message =
            faces_by_values(&faces, "code", 1, &[3.0]).expect_err("3 classes").to_string();
        assert!(message.contains("code"), "{message}");
        assert!(faces_by_values(&faces, "code", 2, &[0.0]).is_err(), "there are two choices");
        assert!(faces_by_values(&faces, "code", 1, &[]).is_err(), "no values");
        Ok(())
    }

    #[test]
    fn a_pair_shows_every_combination() -> Result<(), LatentError> {
        let faces = seeded(&mixed(), 2, 1, None, &Device::Cpu)?;
        let face = faces.narrow(0, 1)?;
        let classes = values_to_show(&mixed().parts()[1].distribution);
        let rows = combinations(&face, "code", [0, 1], [&classes, &classes[..2]])?
            .images(&Show, |_| ())?;
        assert_eq!((rows.len(), rows[0].len()), (3, 2));
        for (i, row) in rows.iter().enumerate() {
            for (j, image) in row.iter().enumerate() {
                let hot: Vec<usize> =
                    (0..6).filter(|&k| image.pixels()[2 + k] == pixel(1.0)).collect();
                assert_eq!(hot, [i, 3 + j]);
            }
        }
        assert!(combinations(&faces, "code", [0, 1], [&classes, &classes]).is_err());
        Ok(())
    }

    #[test]
    fn the_gradual_walk_fills_the_code_from_the_left() -> Result<(), LatentError> {
        let faces = seeded(&mixed(), 3, 1, None, &Device::Cpu)?;
        let rows = gradual(&faces, "bits")?.images(&Show, |_| ())?;
        assert_eq!((rows.len(), rows[0].len()), (3, 5));
        for row in &rows {
            for (ones, image) in row.iter().enumerate() {
                let expected: Vec<u8> =
                    (0..4).map(|i| pixel(if i < ones { 1.0 } else { 0.0 })).collect();
                assert_eq!(image.pixels()[8..], expected);
                assert_eq!(image.pixels()[..8], row[0].pixels()[..8]);
            }
        }
        assert!(gradual(&faces, "bit").is_err());
        Ok(())
    }

    #[test]
    fn a_uniform_entry_goes_twice_its_range() {
        let shown = values_to_show(&Distribution::Uniform { low: -1.0, high: 1.0, size: 2 });
        assert_eq!(shown, [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0]);
        let shifted = values_to_show(&Distribution::Uniform { low: 0.0, high: 4.0, size: 1 });
        assert_eq!((shifted[0], shifted[4], shifted[8]), (-2.0, 2.0, 6.0));
    }

    #[test]
    fn entries_are_rows_and_pairs_stand_one_below_the_other() -> Result<(), LatentError> {
        let faces = seeded(&mixed(), 3, 1, None, &Device::Cpu)?;
        let face = faces.narrow(1, 1)?;
        let cells = entries_by_values(&face, "z", &[1, 0], &[-1.0, 2.0])?;
        let z = |cells: &Cells| cells.latents().part("z").expect("z").to_vec2::<f32>();
        let own = face.part("z").expect("z").to_vec2::<f32>()?[0].clone();
        let expected = [[own[0], -1.0], [own[0], 2.0], [-1.0, own[1]], [2.0, own[1]]];
        assert_eq!(z(&cells)?, expected);
        assert_eq!((cells.rows(), cells.columns()), (2, 2));
        assert!(entries_by_values(&faces, "z", &[0], &[0.0]).is_err(), "three faces");
        assert!(entries_by_values(&face, "z", &[0], &[]).is_err(), "no values");

        let cells = values_by_faces(&faces, "bits", &[3, 0], &[0.0, 1.0])?;
        assert_eq!((cells.rows(), cells.columns()), (4, 3));
        let bits = cells.latents().part("bits").expect("bits").to_vec2::<f32>()?;
        let own = faces.part("bits").expect("bits").to_vec2::<f32>()?;
        for (i, row) in bits.iter().enumerate() {
            let mut expected = own[i % 3].clone();
            expected[[3, 3, 0, 0][i / 3]] = [0.0, 1.0, 0.0, 1.0][i / 3];
            assert_eq!(*row, expected);
        }
        Ok(())
    }

    /// Within the range that the part is drawn from, ends included.
    #[test]
    fn values_lie_in_the_range_of_their_part() {
        let uniform = Distribution::Uniform { low: -0.3, high: 0.7, size: 1 };
        let values = values_in_range(&uniform);
        assert_eq!((values[0], values[8], values.len()), (-0.3, 0.7, 9));
        assert!(values.is_sorted() && (values[4] - 0.2).abs() < 1e-7);
        for (distribution, expected) in [
            (Distribution::Binary { p: 0.5, size: 3 }, vec![0.0, 1.0]),
            (Distribution::Levels { levels: 4, size: 3 }, vec![0.0, 1.0, 2.0, 3.0]),
            (Distribution::Categorical { classes: 3, count: 1 }, vec![0.0, 1.0, 2.0]),
            (Distribution::Normal { size: 1 }, (0..9).map(|i| i as f32 / 2.0 - 2.0).collect()),
        ] {
            assert_eq!(values_in_range(&distribution), expected);
            assert_eq!(values_to_show(&distribution), expected);
        }
    }
}
