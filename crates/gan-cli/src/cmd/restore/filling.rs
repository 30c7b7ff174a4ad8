//! Images under one mask, filled by inversion.

use std::path::Path;

use candle_core::Tensor;
use gan_core::image;
use gan_latent::invert::{PixelDistance, Targets};
use gan_latent::{Inversion, Inverted, Sheet, latents, mask};

use super::numbers::{Measured, OfMask, Restored};
use super::{Compared, MOST_SHOWN, latents_of, place};
use crate::console::Console;
use crate::explored::Explored;
use crate::inversion::{self, Loaded};
use crate::pictures::remove_stale;

/// What all masks have in common.
pub(super) struct Filling<'a> {
    pub(super) explored: &'a Explored,
    pub(super) settings: &'a Inversion,
    pub(super) originals: &'a Loaded,
    pub(super) scores: &'a [Compared],
    pub(super) out: &'a Path,
    pub(super) console: &'a Console,
}

impl Compared {
    /// Beside the pictures.
    fn label(self) -> &'static str {
        match self {
            Self::Masked => "by all pixels",
            Self::Visible => "by the visible",
        }
    }
}

impl Filling<'_> {
    /// Restores all images under the mask `name`, of which `visible` has 1 where an image is seen; leaves picture and
    /// latents.
    pub(super) fn under(&self, name: &str, visible: &Tensor) -> anyhow::Result<OfMask> {
        let clean = &self.originals.images;
        let masked = mask::masked(clean, visible)?;
        let mut rows = vec![("clean", clean.clone()), ("masked", masked.clone())];
        let mut of_mask = OfMask::new(name, self.originals, visible, &masked)?;
        for &compared in self.scores {
            let found = self.inverted(compared, name, &masked, visible)?;
            let blended = mask::blended(clean, &found.images, visible)?;
            of_mask.restored.push(Restored {
                compared,
                restored: Measured::of(&found.images, clean)?,
                blended: Measured::of(&blended, clean)?,
            });
            latents::write(&found.latents, &latents_of(self.out, name, compared))?;
            rows.push((compared.label(), found.images));
            rows.push(("blended", blended));
        }
        self.draw(name, &rows)?;
        // Of an earlier command with other scores.
        let others = [Compared::Masked, Compared::Visible];
        let others = others.into_iter().filter(|other| !self.scores.contains(other));
        remove_stale(others.map(|other| latents_of(self.out, name, other)))?;
        Ok(of_mask)
    }

    /// The latents whose images come nearest to the masked ones.
    fn inverted(
        &self,
        compared: Compared,
        name: &str,
        masked: &Tensor,
        visible: &Tensor,
    ) -> anyhow::Result<Inverted> {
        let device = &self.explored.device;
        let target = masked.to_device(device)?;
        let targets = match compared {
            Compared::Masked => Targets::whole(target),
            Compared::Visible => Targets::visible(target, visible.to_device(device)?)?,
        };
        let starts = inversion::encoder_starts(self.explored, masked)?;
        let (starts, to) = (starts.as_ref(), (self.console, name));
        inversion::search(self.explored, self.settings, &targets, &PixelDistance, starts, to)
    }

    /// The picture of the first images, a row a kind.
    fn draw(&self, name: &str, rows: &[(&str, Tensor)]) -> anyhow::Result<()> {
        let shown = MOST_SHOWN.min(self.originals.names.len());
        let row = |images: &Tensor| image::from_tensor(&images.narrow(0, 0, shown)?);
        let pictures = rows.iter().map(|(_, images)| row(images)).collect::<Result<_, _>>()?;
        let sheet = Sheet::new(pictures)
            .over_columns(&self.originals.names[..shown])
            .beside_rows(rows.iter().map(|(label, _)| label));
        Ok(sheet.render()?.write_png(&place(self.out, name, "png"))?)
    }
}
