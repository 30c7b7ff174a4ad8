//! How near restored images come to the clean ones.

use candle_core::{Device, Tensor};
use gan_core::quality;
use serde::Serialize;

use super::Compared;
use crate::inversion::Loaded;

/// Images under one mask.
#[derive(Debug, Serialize)]
pub(super) struct OfMask {
    mask: String,
    /// Share of hidden pixels, over all images.
    hidden: f64,
    /// The masked images themselves.
    masked: Measured,
    pub(super) restored: Vec<Restored>,
    images: Vec<Hidden>,
}

/// What is hidden of one image.
#[derive(Debug, Serialize)]
struct Hidden {
    image: String,
    /// Column and row of the first and of the last hidden pixel.
    from: [usize; 2],
    to: [usize; 2],
    /// Mean of the hidden pixels on the scale [0, 1]: how much there was to restore.
    brightness: f64,
}

/// Images of one inversion.
#[derive(Debug, Serialize)]
pub(super) struct Restored {
    pub(super) compared: Compared,
    /// As the generator makes them.
    pub(super) restored: Measured,
    /// With the visible pixels of the originals.
    pub(super) blended: Measured,
}

/// Against the clean images: means, and of each image.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    /// Mean squared error on the scale [−1, 1].
    mse: f64,
    /// Of the mean squared error, in decibel; none where that is 0.
    psnr: Option<f64>,
    /// None where images are smaller than its window.
    ssim: Option<f64>,
    mse_of_images: Vec<f64>,
    ssim_of_images: Option<Vec<f64>>,
}

impl Measured {
    pub(super) fn of(images: &Tensor, clean: &Tensor) -> anyhow::Result<Self> {
        let (mse_of_images, ssim_of_images) =
            (quality::mse(images, clean)?, quality::ssim(images, clean).ok());
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let mse = mean(&mse_of_images);
        Ok(Self {
            mse,
            psnr: Some(quality::psnr_of_mse(mse)).filter(|psnr| psnr.is_finite()),
            ssim: ssim_of_images.as_deref().map(mean),
            mse_of_images,
            ssim_of_images,
        })
    }
}

impl OfMask {
    pub(super) fn new(
        mask: &str,
        originals: &Loaded,
        visible: &Tensor,
        masked: &Tensor,
    ) -> anyhow::Result<Self> {
        let clean = &originals.images;
        let mask_of = visible.affine(-1.0, 1.0)?;
        let hidden = f64::from(mask_of.mean_all()?.to_scalar::<f32>()?);
        let gray = clean.mean_keepdim(1)?.affine(0.5, 0.5)?; // [N, 1, H, W] in [0, 1]
        let (n, _, height, width) = mask_of.dims4()?;
        let places = mask_of.to_device(&Device::Cpu)?.flatten_from(1)?.to_vec2::<f32>()?;
        let gray = gray.flatten_from(1)?.to_vec2::<f32>()?;
        let of = |i: usize| {
            let hidden = || (0..height * width).filter(|&at| places[i][at] == 1.0);
            let ends = |size: fn(usize, usize) -> usize| {
                let values = || hidden().map(|at| size(at, width));
                [values().min().unwrap_or(0), values().max().unwrap_or(0)]
            };
            let ([left, right], [top, bottom]) = (ends(|at, w| at % w), ends(|at, w| at / w));
            let sum: f64 = hidden().map(|at| f64::from(gray[i][at])).sum();
            Hidden {
                image: originals.names[i].clone(),
                from: [left, top],
                to: [right, bottom],
                brightness: sum / hidden().count().max(1) as f64,
            }
        };
        Ok(Self {
            mask: mask.into(),
            hidden,
            masked: Measured::of(masked, clean)?,
            restored: Vec::new(),
            images: (0..n).map(of).collect(),
        })
    }

    /// A row for the masked images, and for what was restored and blended by each score.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let row = |image: String, measured: &Measured, blended: &Measured| {
            // Blended images differ from the clean ones in hidden pixels alone.
            let of_hidden = blended.mse / self.hidden;
            vec![
                self.mask.clone(),
                format!("{:.0} %", 100.0 * self.hidden),
                image,
                measured.psnr.map_or("–".into(), |psnr| format!("{psnr:.2}")),
                measured.ssim.map_or("–".into(), |ssim| format!("{ssim:.3}")),
                format!("{of_hidden:.4}"),
            ]
        };
        let mut rows = vec![row("masked".into(), &self.masked, &self.masked)];
        for Restored { compared, restored, blended } in &self.restored {
            let by = match compared {
                Compared::Masked => "all pixels",
                Compared::Visible => "the visible",
            };
            rows.push(row(format!("restored by {by}"), restored, blended));
            rows.push(row("  blended".into(), blended, blended));
        }
        rows
    }
}
