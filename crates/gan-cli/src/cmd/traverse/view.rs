//! What is shown of a latent's part: which cells, with what words, and how they move.

use std::path::Path;

use gan_core::Image;
use gan_core::gif::{Delay, write_gif, write_loop};
use gan_core::grid::Grid;
use gan_latent::sheet::frames;
use gan_latent::traverse::{
    combinations, entries_by_values, gradual, values_by_faces, values_in_range,
};
use gan_latent::{Cells, EntryEffect, Sheet};
use gan_models::{Distribution, LatentBatch, Part};
use serde::Serialize;

use super::chosen::Chosen;
use crate::explored::{Explored, Start};
use crate::figures::conditions::of_two;

/// Faces of each kind of view where nobody says how many.
const WALKED_FACES: usize = 64;
const FACES_OF_CLASSES: usize = 10;
const SHEETS: usize = 1;
/// Dimensions of each kind of view where nobody says which: those of the largest effect.
const NUMBERS: usize = 16;
const PAIRS: usize = 8;
const CHOICES: usize = 10;
/// Faces of the still sheet of a gradual walk: the first of the animation.
const STILL_FACES: usize = 8;
/// Time a frame is shown, in hundredths of a second.
const DELAY: Delay = Delay(20);

/// Which latents are shown.
pub(super) struct Faces<'a> {
    pub(super) start: &'a Start,
    pub(super) number: Option<usize>,
}

impl Faces<'_> {
    /// Those that were asked for, else the first ones, with their indices.
    fn latents(
        &self,
        usual: usize,
        explored: &Explored,
    ) -> anyhow::Result<(LatentBatch, Vec<usize>)> {
        let usual = self.number.unwrap_or(usual);
        let latents = self.start.latents(explored.latent(), usual, None, &explored.device)?;
        let indices = match self.start.indices.as_slice() {
            [] => (0..latents.len()).collect(),
            given => given.to_vec(),
        };
        Ok((latents, indices))
    }
}

/// What a view shows, for its JSON.
#[derive(Debug, Serialize)]
pub(super) struct Described {
    /// Its name, which its files end in.
    pub(super) name: String,
    /// In words.
    pub(super) what: String,
    pub(super) part: String,
    /// Names of the dimensions that change.
    pub(super) dimensions: Vec<String>,
    /// Values that they take.
    pub(super) values: Vec<f32>,
    /// Indices of the faces.
    pub(super) faces: Vec<usize>,
    /// What each row is.
    pub(super) rows: Vec<String>,
    /// What each column is.
    pub(super) columns: Vec<String>,
}

/// How the frames of an animation lie in the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moving {
    /// A frame a column; the last one is held.
    Walk,
    /// A frame a column, there and back.
    Columns,
    /// So many rows follow each other, and then the same begins with another dimension.
    Rows(usize),
}

/// One picture of a traversal.
pub(super) struct View {
    pub(super) described: Described,
    pub(super) cells: Cells,
    moving: Moving,
}

/// The views of a part: what its kind asks for.
pub(super) fn of_part(
    explored: &Explored,
    part: &Part,
    chosen: &Chosen<'_>,
    values: &[f32],
    ranking: &[EntryEffect],
    faces: &Faces<'_>,
) -> anyhow::Result<Vec<View>> {
    let values = match values {
        [] => values_in_range(&part.distribution),
        typed => typed.to_vec(),
    };
    let strongest = |most: usize| -> Vec<usize> {
        let own = ranking.iter().filter(|effect| effect.part == part.name);
        own.map(|effect| effect.entry).take(most).collect()
    };
    let dims = |most: usize| match chosen.dims.as_slice() {
        [] => strongest(most),
        typed => typed.to_vec(),
    };
    match &part.distribution {
        Distribution::Binary { .. } if chosen.dims.is_empty() => {
            Ok(vec![walk(explored, part, faces)?])
        }
        Distribution::Binary { .. }
        | Distribution::Attributes { .. }
        | Distribution::Categorical { classes: 2, .. } => {
            Ok(vec![pairs(explored, part, &dims(PAIRS), values, faces)?])
        }
        Distribution::Categorical { count, .. } => {
            let all = || (0..(*count).min(CHOICES)).collect();
            let entries = if chosen.dims.is_empty() { all() } else { chosen.dims.clone() };
            classes(explored, part, &entries, &values, faces)
        }
        _ => sheets(explored, part, &dims(NUMBERS), &values, faces),
    }
}

/// The gradual walk: i ones, then zeros.
fn walk(explored: &Explored, part: &Part, faces: &Faces<'_>) -> anyhow::Result<View> {
    let (latents, indices) = faces.latents(WALKED_FACES, explored)?;
    let size = part.distribution.size();
    Ok(View {
        cells: gradual(&latents, &part.name)?,
        described: Described {
            name: format!("{}_gradual", part.name),
            what: format!(
                "column i has i ones, then {size} − i zeros; a row a face, the first {} of {}",
                indices.len().min(STILL_FACES),
                indices.len()
            ),
            part: part.name.clone(),
            dimensions: part.entry_names(),
            values: vec![0.0, 1.0],
            rows: words(&indices),
            columns: (0..=size).map(|ones| ones.to_string()).collect(),
            faces: indices,
        },
        moving: Moving::Walk,
    })
}

/// Faces with a dimension off and on, or at each of the values.
fn pairs(
    explored: &Explored,
    part: &Part,
    entries: &[usize],
    values: Vec<f32>,
    faces: &Faces<'_>,
) -> anyhow::Result<View> {
    let (latents, indices) = faces.latents(FACES_OF_CLASSES, explored)?;
    let names = part.entry_names();
    let of = |&entry: &usize| {
        let name = names[entry].as_str();
        let word = |value: &f32| match &part.distribution {
            Distribution::Attributes { .. } | Distribution::Categorical { count: 1, .. } => {
                of_two(name, &[], &[])[usize::from(*value != 0.0)].clone()
            }
            _ => format!("{name} = {value}"),
        };
        values.iter().map(word).collect::<Vec<_>>()
    };
    Ok(View {
        cells: values_by_faces(&latents, &part.name, entries, &values)?,
        moving: Moving::Rows(values.len()),
        described: Described {
            name: part.name.clone(),
            what: "rows of the same faces without and with it".into(),
            part: part.name.clone(),
            dimensions: entries.iter().map(|&entry| names[entry].clone()).collect(),
            rows: entries.iter().flat_map(of).collect(),
            columns: words(&indices),
            faces: indices,
            values,
        },
    })
}

/// A sheet for each choice, a row a class; and all combinations of the first two.
fn classes(
    explored: &Explored,
    part: &Part,
    entries: &[usize],
    values: &[f32],
    faces: &Faces<'_>,
) -> anyhow::Result<Vec<View>> {
    let (latents, indices) = faces.latents(FACES_OF_CLASSES, explored)?;
    let names = part.entry_names();
    let mut views = Vec::new();
    for &entry in entries {
        let name = match names.len() {
            1 => part.name.clone(),
            _ => format!("{}-{entry}", part.name),
        };
        views.push(View {
            cells: values_by_faces(&latents, &part.name, &[entry], values)?,
            described: Described {
                name,
                what: format!("a row a class of {}, a column a face", names[entry]),
                part: part.name.clone(),
                dimensions: vec![names[entry].clone()],
                values: values.to_vec(),
                rows: words(values),
                columns: words(&indices),
                faces: indices.clone(),
            },
            moving: Moving::Rows(values.len()),
        });
    }
    if let [first, second, ..] = *entries {
        let face = latents.narrow(0, 1)?;
        views.push(View {
            cells: combinations(&face, &part.name, [first, second], [values, values])?,
            described: Described {
                name: format!("{}_{first}-by-{second}", part.name),
                what: format!("rows are classes of {}, columns of {}", names[first], names[second]),
                part: part.name.clone(),
                dimensions: vec![names[first].clone(), names[second].clone()],
                values: values.to_vec(),
                rows: words(values),
                columns: words(values),
                faces: indices[..1].to_vec(),
            },
            moving: Moving::Columns,
        });
    }
    Ok(views)
}

/// A sheet for each face: a row a dimension, a column a value.
fn sheets(
    explored: &Explored,
    part: &Part,
    entries: &[usize],
    values: &[f32],
    faces: &Faces<'_>,
) -> anyhow::Result<Vec<View>> {
    let (latents, indices) = faces.latents(SHEETS, explored)?;
    let names = part.entry_names();
    let sheet = |(i, &index): (usize, &usize)| {
        let face = latents.narrow(i, 1)?;
        let rows: Vec<String> = entries.iter().map(|&entry| names[entry].clone()).collect();
        Ok(View {
            cells: entries_by_values(&face, &part.name, entries, values)?,
            described: Described {
                name: format!("{}_face-{index}", part.name),
                what: "a row a dimension, a column a value".into(),
                part: part.name.clone(),
                dimensions: rows.clone(),
                values: values.to_vec(),
                rows,
                columns: words(values),
                faces: vec![index],
            },
            moving: Moving::Columns,
        })
    };
    indices.iter().enumerate().map(sheet).collect()
}

fn words<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

impl View {
    /// Whether it is a walk, which is to be seen moving.
    pub(super) fn is_walk(&self) -> bool {
        self.moving == Moving::Walk
    }

    /// The still picture.
    pub(super) fn sheet(&self, images: &[Vec<Image>]) -> Sheet {
        let rows = if self.is_walk() { STILL_FACES } else { images.len() };
        let rows = rows.min(images.len());
        Sheet::new(images[..rows].to_vec())
            .over_columns(&self.described.columns)
            .beside_rows(&self.described.rows[..rows])
    }

    /// The animation: each frame has one value in all faces or dimensions.
    pub(super) fn write_gif(&self, images: &[Vec<Image>], file: &Path) -> anyhow::Result<()> {
        match self.moving {
            Moving::Walk => write_gif(file, &frames(images)?, DELAY)?,
            Moving::Columns => write_loop(file, &there_and_back(frames(images)?), DELAY)?,
            Moving::Rows(values) => write_loop(file, &of_rows(images, values)?, DELAY)?,
        }
        Ok(())
    }
}

fn there_and_back(mut frames: Vec<Image>) -> Vec<Image> {
    let back = frames.len().saturating_sub(1);
    let back: Vec<Image> = frames.iter().take(back).skip(1).rev().cloned().collect();
    frames.extend(back);
    frames
}

/// A frame for each of `values` rows that follow each other, with all dimensions of which there are such rows.
fn of_rows(images: &[Vec<Image>], values: usize) -> anyhow::Result<Vec<Image>> {
    let columns = images.first().map_or(0, Vec::len);
    let frame = |value: usize| {
        let rows = images.iter().skip(value).step_by(values.max(1));
        let shown: Vec<Image> = rows.flatten().cloned().collect();
        let width = shown.first().map_or(0, Image::width);
        Ok(Grid::for_images(shown.len(), width).with_columns(columns).render(&shown)?)
    };
    (0..values).map(frame).collect()
}
