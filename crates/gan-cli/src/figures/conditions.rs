//! ACGAN and conditional GAN: the same latents with an attribute off and on, or in every class.

use gan_data::Manifest;
use gan_latent::Sheet;
use gan_latent::traverse::{faces_by_values, values_by_faces, values_to_show};
use gan_models::{Distribution, Part};

use super::{Figures, MOST_ENTRIES, SEED, Shown};

/// Latents that a class or a single attribute is shown on.
const FACES: usize = 10;
/// Latents that several attributes are shown on.
const FACES_OF_ATTRIBUTES: usize = 8;
/// The attributes of experiment J's figure.
const NAMED: [&str; 7] = [
    "Attractive",
    "Heavy_Makeup",
    "High_Cheekbones",
    "No_Beard",
    "Wavy_Hair",
    "Wearing_Lipstick",
    "Young",
];

/// Shows the part that a discriminator recognizes or is told.
pub(super) fn write(figures: &mut Figures<'_>, name: &str) -> anyhow::Result<()> {
    let Some(part) = figures.latent.part(name) else { return Ok(()) };
    match &part.distribution {
        Distribution::Attributes { names, .. } if names.len() > 1 => {
            let entries = entries_to_show(names);
            pairs(figures, "attributes", part, &entries, FACES_OF_ATTRIBUTES)
        }
        _ if values_to_show(&part.distribution).len() == 2 => {
            let entries: Vec<usize> = (0..part.distribution.size().min(MOST_ENTRIES)).collect();
            pairs(figures, &format!("pairs-{name}"), part, &entries, FACES)
        }
        _ => classes(figures, part),
    }
}

/// Rows of off over on for each entry, a column a latent.
fn pairs(
    figures: &mut Figures<'_>,
    file: &str,
    part: &Part,
    entries: &[usize],
    n: usize,
) -> anyhow::Result<()> {
    let values = vec![0.0, 1.0];
    let names = part.entry_names();
    let faces = figures.faces(n)?;
    let rows = values_by_faces(&faces, &part.name, entries, &values)?
        .images(&figures.generator, |_| ())?;
    let Manifest { attributes, classes, .. } = figures.data;
    let labels = entries.iter().flat_map(|&entry| of_two(&names[entry], attributes, classes));
    let sheet = Sheet::new(rows).beside_rows(labels);
    let shown = Shown {
        file: figures.sheet(file, &sheet)?,
        part: part.name.clone(),
        entries: entries.iter().map(|&entry| names[entry].clone()).collect(),
        values,
        seed: SEED,
        faces: n,
    };
    figures.json(file, &shown)
}

/// What an entry of two values stands for when it is 0 and when it is 1: an attribute's absence and presence, or two classes.
pub(crate) fn of_two(name: &str, attributes: &[String], classes: &[String]) -> [String; 2] {
    match classes {
        [off, on] if !attributes.iter().any(|attribute| attribute == name) => {
            [off.clone(), on.clone()]
        }
        _ => {
            let words = name.replace('_', " ");
            [format!("no {words}"), words]
        }
    }
}

/// All values of a part's first entry as columns, a row a latent.
fn classes(figures: &mut Figures<'_>, part: &Part) -> anyhow::Result<()> {
    let values = values_to_show(&part.distribution);
    let faces = figures.faces(FACES)?;
    let cells = faces_by_values(&faces, &part.name, 0, &values)?;
    let rows = cells.images(&figures.generator, |_| ())?;
    // The data's own names of its classes, as the part has as many.
    let sheet = Sheet::new(rows).over_columns(&figures.data.classes);
    let file = format!("pairs-{}", part.name);
    let shown = Shown {
        file: figures.sheet(&file, &sheet)?,
        part: part.name.clone(),
        entries: part.entry_names().into_iter().take(1).collect(),
        values,
        seed: SEED,
        faces: FACES,
    };
    figures.json(&file, &shown)
}

/// The named attributes that there are, else the first ones.
fn entries_to_show(names: &[String]) -> Vec<usize> {
    let place = |named: &&str| names.iter().position(|name| name == named);
    let named: Vec<usize> = NAMED.iter().filter_map(place).collect();
    if named.is_empty() { (0..names.len().min(NAMED.len())).collect() } else { named }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_what_they_show() {
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|&n| n.into()).collect() };
        let (attributes, two) = (names(&["Big_Nose"]), names(&["cat", "dog"]));
        assert_eq!(of_two("Big_Nose", &attributes, &[]), ["no Big Nose", "Big Nose"]);
        assert_eq!(of_two("Big_Nose", &attributes, &two), ["no Big Nose", "Big Nose"]);
        assert_eq!(of_two("class", &attributes, &two), ["cat", "dog"]);
    }

    #[test]
    fn the_named_attributes_come_first() {
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|&n| n.into()).collect() };
        assert_eq!(entries_to_show(&names(&["Young", "Male", "Attractive"])), [2, 0]);
        assert_eq!(entries_to_show(&names(&["Male", "Smiling"])), [0, 1]);
        assert_eq!(entries_to_show(&names(&["x"; 40])), [0, 1, 2, 3, 4, 5, 6]);
    }
}
