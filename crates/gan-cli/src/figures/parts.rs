//! Mixed latents: what each part decides of an image, and the gradual walk through a binary part.

use gan_core::gif::{Delay, write_gif};
use gan_latent::sheet::frames;
use gan_latent::traverse::gradual;
use gan_latent::{PartEffect, Sheet, part_effects};
use gan_models::{Distribution, Part};
use serde::Serialize;

use super::{Figures, SEED};

/// Latents over which effects are means.
const LATENTS: usize = 64;
/// Faces of the animation.
const FACES: usize = 64;
/// Faces of the still sheet, a row each: the first of the animation.
const ROWS: usize = 8;
/// Time a code is shown, in hundredths of a second.
const DELAY: Delay = Delay(20);

/// `parts.json`.
#[derive(Serialize)]
struct Parts {
    protocol: String,
    latents: usize,
    seed: u64,
    parts: Vec<Effect>,
    gradual: Vec<Gradual>,
}

#[derive(Serialize)]
struct Effect {
    #[serde(flatten)]
    effect: PartEffect,
    share: f64,
}

/// A walk whose columns or frames i have i ones, then zeros.
#[derive(Serialize)]
struct Gradual {
    part: String,
    codes: usize,
    sheet: String,
    sheet_faces: usize,
    animation: String,
    animation_faces: usize,
    seed: u64,
}

pub(super) fn write(figures: &mut Figures<'_>) -> anyhow::Result<()> {
    let (latent, device) = (figures.latent, figures.device);
    let effects = part_effects(&figures.generator, latent, LATENTS, SEED, device)?;
    for effect in &effects {
        tracing::info!(
            "part {:?} drawn anew changes a pixel by {:.4} on [0, 1], {:.1} % of what two independent images differ by",
            effect.part,
            effect.change,
            effect.share() * 100.0,
        );
    }
    let mut walks = Vec::new();
    for part in latent.parts() {
        if matches!(part.distribution, Distribution::Binary { .. }) {
            walks.push(walk(figures, part)?);
        }
    }
    let with_share = |effect: PartEffect| Effect { share: effect.share(), effect };
    figures.json(
        "parts",
        &Parts {
            protocol: "mean absolute change of a pixel on the scale [0, 1] when one part is drawn anew and all others \
                       are held, beside the change when all are"
                .into(),
            latents: LATENTS,
            seed: SEED,
            parts: effects.into_iter().map(with_share).collect(),
            gradual: walks,
        },
    )
}

/// Writes `gradual-{part}.png` and `gradual-{part}.gif`.
fn walk(figures: &mut Figures<'_>, part: &Part) -> anyhow::Result<Gradual> {
    let faces = figures.faces(FACES)?;
    let rows = gradual(&faces, &part.name)?.images(&figures.generator, |_| ())?;
    let name = format!("gradual-{}", part.name);
    let codes = part.distribution.size() + 1;

    let animation = format!("{name}.gif");
    let path = figures.folder.join(&animation);
    write_gif(&path, &frames(&rows)?, DELAY)?;
    figures.written.push(path);

    let sheet = Sheet::new(rows.into_iter().take(ROWS).collect()).over_columns(0..codes);
    Ok(Gradual {
        part: part.name.clone(),
        codes,
        sheet: figures.sheet(&name, &sheet)?,
        sheet_faces: ROWS,
        animation,
        animation_faces: FACES,
        seed: SEED,
    })
}
