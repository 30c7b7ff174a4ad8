//! InfoGAN: sweeps of the codes, and how well the code of one choice agrees with the data's classes.

use gan_data::{Dataset, Split};
use gan_eval::{BestMatch, best_match};
use gan_latent::Sheet;
use gan_latent::traverse::{combinations, faces_by_values, values_to_show};
use gan_models::{Distribution, Part};
use gan_train::{Checkpoint, recognize};
use serde::Serialize;

use super::{Figures, MOST_ENTRIES, SEED, Shown, numbers};
use crate::console::Console;

/// Latents of a sweep, a row each.
const FACES: usize = 10;

/// `codes.json`.
#[derive(Serialize)]
struct Codes {
    sheets: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<Agreement>,
}

/// How a code agrees with the classes of the data.
#[derive(Serialize)]
struct Agreement {
    part: String,
    split: Split,
    classes: Vec<String>,
    #[serde(flatten)]
    found: BestMatch,
}

pub(super) fn write(
    figures: &mut Figures<'_>,
    checkpoint: &Checkpoint,
    data: &Dataset,
    console: &Console,
) -> anyhow::Result<()> {
    let mut sheets = Vec::new();
    let latent = figures.latent;
    let codes = &checkpoint.header.config.gan()?.codes;
    for part in codes.iter().filter_map(|name| latent.part(name)) {
        sheets.extend(sweeps(figures, part)?);
        sheets.extend(pairs(figures, part)?);
    }
    let agreement = agreement(checkpoint, data, figures.device, console)?;
    if let Some(Agreement { part, split, found, .. }) = &agreement {
        tracing::info!(
            "code {part:?} tells the class of {:.2} % of {} {split} images at the best one-to-one assignment, {:.2} % \
             where several codes may mean one class",
            found.accuracy * 100.0,
            found.samples,
            found.majority_accuracy * 100.0,
        );
    }
    figures.json("codes", &Codes { sheets, agreement })
}

/// One sheet for each entry of a code: a row a latent, a column a value.
fn sweeps(figures: &mut Figures<'_>, part: &Part) -> anyhow::Result<Vec<Shown>> {
    let faces = figures.faces(FACES)?;
    let values = values_to_show(&part.distribution);
    let names = part.entry_names();
    let mut sheets = Vec::new();
    for (entry, entry_name) in names.iter().enumerate().take(MOST_ENTRIES) {
        let cells = faces_by_values(&faces, &part.name, entry, &values)?;
        let rows = cells.images(&figures.generator, |_| ())?;
        let file = match names.len() {
            1 => format!("codes-{}", part.name),
            _ => format!("codes-{}-{entry}", part.name),
        };
        let sheet = Sheet::new(rows).over_columns(numbers(part, &values));
        sheets.push(Shown {
            file: figures.sheet(&file, &sheet)?,
            part: part.name.clone(),
            entries: vec![entry_name.clone()],
            values: values.clone(),
            seed: SEED,
            faces: FACES,
        });
    }
    Ok(sheets)
}

/// Two choices of a code at once, for one latent: rows are the first choice, columns the second.
fn pairs(figures: &mut Figures<'_>, part: &Part) -> anyhow::Result<Option<Shown>> {
    let Distribution::Categorical { count: 2, .. } = part.distribution else { return Ok(None) };
    let values = values_to_show(&part.distribution);
    let face = figures.faces(1)?;
    let cells = combinations(&face, &part.name, [0, 1], [&values, &values])?;
    let rows = cells.images(&figures.generator, |_| ())?;
    let numbers = numbers(part, &values);
    let sheet = Sheet::new(rows).over_columns(numbers.clone()).beside_rows(numbers);
    Ok(Some(Shown {
        file: figures.sheet(&format!("codes-{}-pairs", part.name), &sheet)?,
        part: part.name.clone(),
        entries: part.entry_names(),
        values,
        seed: SEED,
        faces: 1,
    }))
}

/// Holds the code of one choice against the classes of the test split, where there are such.
fn agreement(
    checkpoint: &Checkpoint,
    data: &Dataset,
    device: &candle_core::Device,
    console: &Console,
) -> anyhow::Result<Option<Agreement>> {
    let (config, classes, split) =
        (&checkpoint.header.config, &data.manifest().classes, Split::Test);
    let Some(part) = recognize::class_code(config) else { return Ok(None) };
    let Some(n_codes) = recognize::number_of_classes(part) else { return Ok(None) };
    let n = data.len(split);
    if n == 0 || config.gan()?.condition.is_some() {
        return Ok(None);
    }
    let Some(labels) = data.labels(split, &(0..n).collect::<Vec<_>>())? else { return Ok(None) };
    let labels: Vec<usize> = labels.to_vec1::<i64>()?.into_iter().map(|l| l as usize).collect();
    let line = console.progress("recognizing", n as u64);
    let codes = recognize::recognized_codes(checkpoint, &part.name, data, split, device, |done| {
        line.set(done as u64, "");
    })?;
    Ok(Some(Agreement {
        part: part.name.clone(),
        split,
        classes: classes.clone(),
        found: best_match(&codes, &labels, n_codes, classes.len())?,
    }))
}
