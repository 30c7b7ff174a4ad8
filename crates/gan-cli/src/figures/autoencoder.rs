//! An autoencoder: test images over their reconstructions, the errors, and how its latents are distributed.

use std::path::PathBuf;

use gan_core::file;
use gan_data::Split;

use super::{SEED, Subject};
use crate::reconstruction;

/// Images that are shown.
const SHOWN: usize = 10;

pub(super) fn write(subject: &Subject<'_>) -> anyhow::Result<Vec<PathBuf>> {
    let &Subject { folder, checkpoint, data, device, console } = subject;
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
