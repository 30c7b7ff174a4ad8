//! Image errors between files: two folders of equally named PNGs, or paired lists.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use gan_core::Image;
use gan_core::image::{normalize, to_tensor};

use crate::error::{EvalError, Result};
use crate::image_errors::{ImageErrors, ImageErrorsResult};

/// Errors of the PNGs in `images` against those of the same name in `references`, in the order of
/// their names; sub-folders and other files are left out.
///
/// Both folders must hold the same names, so that nothing is left out unseen.
pub fn compare_folders(images: &Path, references: &Path) -> Result<ImageErrorsResult> {
    let (names, reference_names) = (png_names(images)?, png_names(references)?);
    for (here, these, there, those) in [
        (images, &names, references, &reference_names),
        (references, &reference_names, images, &names),
    ] {
        if let Some(first) = these.difference(those).next() {
            return Err(EvalError::Unmatched {
                path: here.join(first),
                other: there.into(),
                unmatched: these.difference(those).count(),
            });
        }
    }
    let files = |folder: &Path| -> Vec<PathBuf> { names.iter().map(|n| folder.join(n)).collect() };
    compare_files(&files(images), &files(references))
}

/// Errors of each picture file in `images` against the one at the same place in `references`.
///
/// All must have one size and one number of channels.
pub fn compare_files(images: &[PathBuf], references: &[PathBuf]) -> Result<ImageErrorsResult> {
    if images.len() != references.len() {
        let (images, references) = (images.len(), references.len());
        return Err(EvalError::Lengths { images, references });
    }
    let mut errors = ImageErrors::default();
    for (path, reference_path) in images.iter().zip(references) {
        let (image, reference) = (Image::read(path)?, Image::read(reference_path)?);
        if size(&image) != size(&reference) {
            return Err(EvalError::Size {
                path: path.clone(),
                image: size(&image),
                reference: reference_path.clone(),
                expected: size(&reference),
            });
        }
        errors.add(&tensor(&image)?, &tensor(&reference)?)?;
    }
    let mut result = errors.result()?;
    let name = |path: &PathBuf| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let names: Vec<String> = images.iter().map(|path| name(path).unwrap_or_default()).collect();
    result.name_extremes(&names);
    Ok(result)
}

/// `[1, C, H, W]` f32 in [-1, 1].
fn tensor(image: &Image) -> Result<Tensor> {
    Ok(normalize(&to_tensor(std::slice::from_ref(image), &Device::Cpu)?)?)
}

fn size(image: &Image) -> String {
    let kind = if image.channels() == 1 { "gray" } else { "RGB" };
    format!("{}×{} {kind}", image.width(), image.height())
}

fn png_names(folder: &Path) -> Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let png = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"));
        if let (true, true, Some(name)) = (png, path.is_file(), path.file_name()) {
            names.insert(name.to_owned());
        }
    }
    if names.is_empty() {
        return Err(EvalError::NoPictures { path: folder.into() });
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(folder: &Path, name: &str, value: u8, size: usize) -> Result<()> {
        Ok(Image::filled(size, size, &[value])?.write_png(&folder.join(name))?)
    }

    #[test]
    fn folders_are_paired_by_name_and_extremes_are_named() -> Result<()> {
        let (a, b) = (tempfile::tempdir()?, tempfile::tempdir()?);
        for (name, ours, theirs) in [("x.png", 0, 0), ("y.png", 0, 255), ("z.PNG", 10, 20)] {
            gray(a.path(), name, ours, 12)?;
            gray(b.path(), name, theirs, 12)?;
        }
        fs_err::write(a.path().join("notes.txt"), "not a picture")?;
        let result = compare_folders(a.path(), b.path())?;
        assert_eq!((result.images, result.identical), (3, 1));
        assert_eq!(result.mse.max.value, 4.0);
        assert_eq!(result.mse.max.name.as_deref(), Some("y.png"));
        assert_eq!(result.psnr.expect("two differ").max.name.as_deref(), Some("z.PNG"));
        Ok(())
    }

    #[test]
    fn a_missing_partner_is_named() -> Result<()> {
        let (a, b) = (tempfile::tempdir()?, tempfile::tempdir()?);
        gray(a.path(), "x.png", 0, 12)?;
        let message = compare_folders(a.path(), b.path()).expect_err("empty").to_string();
        assert!(message.contains("found none"), "{message}");
        gray(b.path(), "x.png", 0, 12)?;
        gray(b.path(), "y.png", 0, 12)?;
        let message = compare_folders(a.path(), b.path()).expect_err("y").to_string();
        assert!(message.contains("y.png"), "{message}");
        Ok(())
    }

    #[test]
    fn different_sizes_are_named() -> Result<()> {
        let folder = tempfile::tempdir()?;
        gray(folder.path(), "a.png", 0, 12)?;
        gray(folder.path(), "b.png", 0, 13)?;
        let [a, b] = ["a.png", "b.png"].map(|name| folder.path().join(name));
        let message = compare_files(&[a], &[b]).expect_err("12 and 13").to_string();
        assert!(message.contains("12×12 gray") && message.contains("13×13"), "{message}");
        Ok(())
    }
}
