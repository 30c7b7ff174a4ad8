//! An autoencoder: test images over their reconstructions, the errors, and how its latents are distributed.

use std::path::{Path, PathBuf};

use candle_core::Device;
use gan_core::file;
use gan_data::{Dataset, Split};
use gan_train::Checkpoint;

use super::SEED;
use crate::console::Console;
use crate::reconstruction;

/// Images that are shown.
const SHOWN: usize = 10;

pub(super) fn write(
    folder: &Path,
    checkpoint: &Checkpoint,
    data: &Dataset,
    device: &Device,
    console: &Console,
) -> anyhow::Result<Vec<PathBuf>> {
    let split = Split::Test;
    if data.len(split) == 0 {
        tracing::info!("the data has no test split to reconstruct");
        return Ok(Vec::new());
    }
    let found = reconstruction::reconstruct(checkpoint, data, split, SHOWN, device, console)?;
    tracing::info!("{}", found.summary());
    let files = ["reconstructions.png", "latent_cdf.png", "latent_cdf.svg", "reconstruction.json"];
    let [pairs, png, svg, numbers] = files.map(|file| folder.join(file));
    found.write_pairs(&pairs)?;
    let plot = found.latent_plot(SEED);
    plot.write_png(&png)?;
    plot.write_svg(&svg)?;
    file::write_json(&numbers, &found)?;
    Ok(vec![pairs, png, svg, numbers])
}
