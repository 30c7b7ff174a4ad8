//! Pictures of every kind that people have, and files that are none.
//!
//! tests/golden/pictures.py writes them with Pillow; each has a red, a green, a blue and a white quadrant
//! (gray ones four levels), so that color, orientation, transparency and frame can be told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gan_data::{Color, Dataset, PrepareOptions, Prepared, Split, TransformOptions};
use serde::Deserialize;

use crate::Outcome;
use crate::fixtures::{self, folder, prepared, refusal};

#[derive(Deserialize)]
struct Golden {
    pictures: Vec<Picture>,
}

/// What is known of a file of the archive.
#[derive(Deserialize)]
struct Picture {
    name: String,
    take: bool,
    /// Not even listed.
    hidden: bool,
    /// Listed as not taken, rather than as damaged.
    other: bool,
    /// Colors at the centres of the quadrants, row by row.
    #[serde(default)]
    quadrants: [[u8; 3]; 4],
    #[serde(default)]
    tolerance: u8,
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn pictures() -> fixtures::Result<Vec<Picture>> {
    let text = std::fs::read_to_string(golden().join("pictures.json"))?;
    Ok(serde_json::from_str::<Golden>(&text)?.pictures)
}

/// 32×32, all for training, in the order of their names.
fn options() -> PrepareOptions {
    let transform = TransformOptions::square(32);
    PrepareOptions { transform, fractions: Some((0.0, 0.0)), ..PrepareOptions::default() }
}

fn check(done: &Prepared, data: &Dataset) -> Outcome {
    let all = pictures()?;
    let names = |wanted: fn(&&Picture) -> bool| -> Vec<&str> {
        let mut names: Vec<&str> = all.iter().filter(wanted).map(|p| p.name.as_str()).collect();
        names.sort_unstable();
        names
    };
    let listed = |list: &'_ [gan_data::Skipped]| -> Vec<String> {
        list.iter().map(|skipped| skipped.name.clone()).collect()
    };
    assert_eq!(listed(&done.skipped), names(|p| !p.take && !p.hidden && !p.other));
    assert_eq!(listed(&done.ignored), names(|p| p.other));

    let by_name: BTreeMap<&str, &Picture> = all.iter().map(|p| (p.name.as_str(), p)).collect();
    let taken = names(|p| p.take);
    assert_eq!(data.len(Split::Train), taken.len());
    for (index, name) in taken.into_iter().enumerate() {
        let picture = by_name[name];
        let pixels = data.samples(Split::Train, &[index])?.squeeze(0)?.to_vec3::<u8>()?;
        for (quadrant, expected) in picture.quadrants.iter().enumerate() {
            let (y, x) = (8 + quadrant / 2 * 16, 8 + quadrant % 2 * 16);
            let got = [0, 1, 2].map(|c| pixels[c][y][x]);
            let off = got.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(off <= Some(picture.tolerance), "{name}: {got:?} in place of {expected:?}");
        }
    }
    Ok(())
}

#[test]
fn every_kind_from_a_zip() -> Outcome {
    let at = folder()?;
    let zip = golden().join("pictures.zip");
    let (done, data) = prepared(&zip, &at.path().join("out"), &options())?;
    check(&done, &data)
}

#[test]
fn every_kind_from_a_folder() -> Outcome {
    let at = folder()?;
    let holiday = at.path().join("holiday");
    zip::ZipArchive::new(std::fs::File::open(golden().join("pictures.zip"))?)?.extract(&holiday)?;
    let (done, data) = prepared(&holiday, &at.path().join("out"), &options())?;
    check(&done, &data)?;

    // With nothing said at all it is a training set too.
    let (done, data) = prepared(&holiday, &at.path().join("default"), &Default::default())?;
    let shape = data.image_shape()?;
    assert_eq!((shape.channels, shape.width, shape.height), (3, 64, 64));
    assert!(!data.is_empty(Split::Train) && !done.skipped.is_empty());
    let log = std::fs::read_to_string(at.path().join("default/prepare.log"))?;
    assert!(log.contains("bad/empty.jpg: the file is empty"), "{log}");

    let strict = PrepareOptions { strict: true, ..options() };
    let message = refusal(&holiday, &at.path().join("strict"), &strict);
    fixtures::assert_says(&message, &["holiday", "bad/", "cannot be used", "strict"]);
    Ok(())
}

#[test]
fn gray_is_their_luma() -> Outcome {
    let at = folder()?;
    let transform = TransformOptions { color: Some(Color::Gray), ..options().transform };
    let options = PrepareOptions { transform, ..options() };
    let zip = golden().join("pictures.zip");
    let (_, data) = prepared(&zip, &at.path().join("out"), &options)?;
    let mut all = pictures()?;
    all.retain(|picture| picture.take);
    all.sort_by(|a, b| a.name.cmp(&b.name));
    for (index, picture) in all.iter().enumerate() {
        let pixels = data.samples(Split::Train, &[index])?.squeeze(0)?.to_vec3::<u8>()?;
        for (quadrant, color) in picture.quadrants.iter().enumerate() {
            let [r, g, b] = color.map(f64::from);
            let luma = 0.299 * r + 0.587 * g + 0.114 * b;
            let pixel = pixels[0][8 + quadrant / 2 * 16][8 + quadrant % 2 * 16];
            let off = (f64::from(pixel) - luma).abs();
            assert!(off <= f64::from(picture.tolerance) + 0.5, "{}: off by {off}", picture.name);
        }
    }
    Ok(())
}
