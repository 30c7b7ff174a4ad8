//! Files that a picture is written to: where nobody names them in a folder of the run, and with its data beside it.

use std::path::{Path, PathBuf};

use gan_core::RunDir;

use crate::args::UsageError;
use crate::words::Words;

/// Where pictures go, and of which kinds they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pictures {
    /// Path without its ending.
    base: PathBuf,
    /// Kinds that were asked for; what is usual where that is none.
    asked: Option<Kind>,
}

/// Kind of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A still picture.
    Png,
    /// An animation.
    Gif,
}

impl Pictures {
    /// Those of `--out`, or in a folder of the run, named by what decides how they look.
    pub(crate) fn new(
        out: Option<&Path>,
        run: &RunDir,
        folder: &str,
        words: &Words,
    ) -> Result<Self, UsageError> {
        let Some(out) = out else {
            return Ok(Self { base: run.root().join(folder).join(words.name()), asked: None });
        };
        let ending = out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let asked = match ending.as_deref() {
            Some("png") => Kind::Png,
            Some("gif") => Kind::Gif,
            _ => {
                let reason =
                    format!("--out {}: expected a name that ends in .png or .gif", out.display());
                return Err(UsageError(reason));
            }
        };
        Ok(Self { base: out.with_extension(""), asked: Some(asked) })
    }

    /// Whether a file was named.
    pub(crate) fn are_named(&self) -> bool {
        self.asked.is_some()
    }

    /// The file of a kind, if it is wanted; `usual` says whether it is where nobody named one.
    pub(crate) fn file(&self, suffix: &str, kind: Kind, usual: bool) -> Option<PathBuf> {
        let ending = match kind {
            Kind::Png => "png",
            Kind::Gif => "gif",
        };
        self.asked.map_or(usual, |asked| asked == kind).then(|| self.beside(suffix, ending))
    }

    /// The file of data beside the pictures.
    pub(crate) fn beside(&self, suffix: &str, ending: &str) -> PathBuf {
        // No `with_extension`: names have dots.
        let mut name = self.base.file_name().unwrap_or_default().to_os_string();
        if !suffix.is_empty() {
            name.push(format!("_{suffix}"));
        }
        name.push(format!(".{ending}"));
        self.base.with_file_name(name)
    }
}

/// The file that a still picture is written to, with data beside it, for options that name one.
pub(crate) fn png_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if is_png(&path) { Ok(path) } else { Err("expected a name that ends in .png".into()) }
}

fn is_png(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
}

/// Removes what earlier results left beside a picture of the same name, and these do not have.
pub(crate) fn remove_stale(files: impl IntoIterator<Item = PathBuf>) -> std::io::Result<()> {
    files.into_iter().filter(|file| file.is_file()).try_for_each(fs_err::remove_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_no_file_of_its_data() {
        for right in ["a.png", "x/seed-0_z.1=0.5.PNG"] {
            assert_eq!(png_file(right), Ok(right.into()));
        }
        for wrong in ["a.safetensors", "a.json", "a.jpg", "a.gif", "a", "folder/", ".png", ""] {
            assert!(png_file(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_say_which_kind_is_wanted() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let run = RunDir::create_at(&folder.path().join("run"))?;
        let words = Words::default().add(["seed-0".to_string(), "a/b 0.5".to_string()]);
        let usual = Pictures::new(None, &run, "traversed", &words)?;
        let file = |name: &str| Some(run.root().join("traversed").join(name));
        assert_eq!(usual.file("", Kind::Png, true), file("seed-0_a-b0.5.png"));
        assert_eq!(usual.file("", Kind::Gif, false), None);
        assert_eq!(Some(usual.beside("bits", "json")), file("seed-0_a-b0.5_bits.json"));
        let named = Pictures::new(Some(Path::new("x/y.1.GIF")), &run, "traversed", &words)?;
        assert_eq!(named.file("", Kind::Gif, false), Some("x/y.1.gif".into()));
        assert_eq!(named.file("", Kind::Png, true), None);
        for wrong in ["x/y.jpg", "y", ".png"] {
            assert!(Pictures::new(Some(Path::new(wrong)), &run, "traversed", &words).is_err());
        }
        Ok(())
    }
}
