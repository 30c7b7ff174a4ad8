//! Golden pictures: what a fixed generator's strips, triangles, loops and sheets look like, pixel for pixel.
//!
//! The hashes were taken when the pictures had been looked at; one that changes says that pictures do.

use candle_core::{Device, Tensor};
use candle_nn::ModuleT;
use gan_core::Image;
use gan_latent::interpolate::{Discrete, Mode, Path, Shape, mix};
use gan_latent::traverse::{entries_by_values, gradual, values_by_faces, values_in_range};
use gan_latent::{LatentError, Sheet, sample, sheet};
use gan_models::{Distribution, Latent, Part};

/// Shows an entry as a column of 32 × 4 pixels, lighter the larger it is; the same on every machine.
struct Show;

impl ModuleT for Show {
    fn forward_t(&self, z: &Tensor, _train: bool) -> candle_core::Result<Tensor> {
        let (n, size) = z.dims2()?;
        let pixels = (z * 0.25)?.clamp(-1f32, 1f32)?.reshape((n, 1, 1, size, 1))?;
        pixels.broadcast_as((n, 1, 32, size, 4))?.reshape((n, 1, 32, 4 * size))
    }
}

fn latent() -> Latent {
    let part = |name: &str, distribution| Part { name: name.into(), distribution };
    Latent::new(vec![
        part("z", Distribution::Normal { size: 6 }),
        part("bits", Distribution::Binary { p: 0.5, size: 4 }),
        part("levels", Distribution::Levels { levels: 5, size: 2 }),
    ])
}

/// FNV-1a of a picture's size and pixels.
fn hash(image: &Image) -> String {
    let size: Vec<u8> = [image.width(), image.height(), image.channels()]
        .iter()
        .flat_map(|&n| (n as u64).to_le_bytes())
        .collect();
    let bytes = size.iter().chain(image.pixels());
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.fold(0xcbf2_9ce4_8422_2325, step))
}

fn picture(path: &Path, n: usize, mode: Mode, discrete: Discrete) -> Result<Image, LatentError> {
    let points = sample::seeded(&latent(), n, 3, None, &Device::Cpu)?;
    let mixed = mix(&points, &path.weights, mode, discrete)?;
    let images = sample::images_of(&Show, &mixed.encoded, |_| ())?;
    let mut rest = images.as_slice();
    let mut rows = Vec::new();
    for &n in &path.rows {
        let (row, others) = rest.split_at(n);
        rows.push(row.to_vec());
        rest = others;
    }
    match path.shape {
        Shape::Triangle => sheet::triangle(&rows, &[]),
        Shape::Strip => Sheet::new(rows).over_columns(0..path.weights.len()).render(),
        Shape::Loop => Sheet::new(rows).beside_rows(0..n).render(),
    }
}

#[test]
fn interpolations_look_as_they_did() -> Result<(), LatentError> {
    let (line, sphere) = (Mode::Linear, Mode::Spherical);
    let (switch, blend) = (Discrete::Switch, Discrete::Blend);
    let pictures = [
        picture(&Path::strip(9), 2, line, switch)?,
        picture(&Path::strip(9), 2, line, blend)?,
        picture(&Path::strip(9), 2, sphere, switch)?,
        picture(&Path::triangle(4), 3, line, switch)?,
        picture(&Path::triangle(4), 3, sphere, blend)?,
        picture(&Path::closed(4, 5), 4, line, switch)?,
    ];
    check("interpolation", &pictures, &INTERPOLATIONS)
}

#[test]
fn traversals_look_as_they_did() -> Result<(), LatentError> {
    let faces = sample::seeded(&latent(), 5, 3, None, &Device::Cpu)?;
    let parts = latent();
    let face = faces.narrow(2, 1)?;
    let grid = |part: &str, entries: &[usize]| -> Result<Image, LatentError> {
        let values = values_in_range(&parts.part(part).expect(part).distribution);
        let cells = entries_by_values(&face, part, entries, &values)?;
        let sheet = Sheet::new(cells.images(&Show, |_| ())?).over_columns(values);
        sheet.beside_rows(entries).render()
    };
    let walk = gradual(&faces, "bits")?.images(&Show, |_| ())?;
    let frames = sheet::frames(&walk)?;
    let pairs = values_by_faces(&faces, "bits", &[3, 0], &[0.0, 1.0])?.images(&Show, |_| ())?;
    let pictures = [
        grid("z", &[5, 0])?,
        grid("levels", &[0, 1])?,
        Sheet::new(walk).render()?,
        frames[3].clone(),
        Sheet::new(pairs).render()?,
    ];
    check("traversal", &pictures, &TRAVERSALS)
}

/// Compares hashes; pictures of others are left in the folder that `GAN_LOOK` names, to be looked at.
fn check(name: &str, pictures: &[Image], expected: &[&str]) -> Result<(), LatentError> {
    let got: Vec<String> = pictures.iter().map(hash).collect();
    if let Some(folder) = std::env::var_os("GAN_LOOK") {
        for (i, picture) in pictures.iter().enumerate() {
            picture.write_png(&std::path::Path::new(&folder).join(format!("{name}-{i}.png")))?;
        }
    }
    assert_eq!(got, expected);
    Ok(())
}

const INTERPOLATIONS: [&str; 6] = [
    "4a03a24b0d668439",
    "f6ecd523dccf1839",
    "c79aca1d08779039",
    "1cb05d95af441bd4",
    "e5394fb19f4aa7d4",
    "ca0b236489c2ea2c",
];
const TRAVERSALS: [&str; 5] = [
    "43d54b0f142bfa35",
    "3806c66f3cffd5ed",
    "dc8718ec7ff6c5cc",
    "fb9d07e91a8b1045",
    "595c8b4ab2088aa6",
];
