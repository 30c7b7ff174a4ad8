//! The pictures of `--images`: files, or images of the run's own data.

use std::path::PathBuf;

use candle_core::Tensor;
use gan_core::image;
use gan_data::{Dataset, Split};
use gan_latent::Inversion;
use gan_latent::invert::{PixelDistance, Targets};
use gan_models::LatentBatch;

use super::MOST_IMAGES;
use crate::args::{Global, UsageError, existing_file};
use crate::console::Console;
use crate::explored::Explored;
use crate::{data, inversion, photos};

/// What one entry of `--images` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A picture's file.
    File(PathBuf),
    /// Images of a split, the last one among them.
    OfData { split: Split, from: usize, to: usize },
}

impl Given {
    /// A file, `test:7` or `test:0-63`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let missing = |reason: String| {
            format!("{reason}; images of the run's data are named as test:7 or test:0-63")
        };
        existing_file(text).map(Self::File).or_else(|e| of_data(text).ok_or_else(|| missing(e)))
    }

    /// For a file's name.
    fn word(&self) -> String {
        match self {
            Self::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into(),
            Self::OfData { split, from, to } if from == to => format!("{split}-{from}"),
            Self::OfData { split, from, to } => format!("{split}-{from}-to-{to}"),
        }
    }
}

fn of_data(text: &str) -> Option<Given> {
    let (split, indices) = text.split_once(':')?;
    let (from, to) = indices.split_once('-').unwrap_or((indices, indices));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then_some(Given::OfData { split: split.parse().ok()?, from, to })
}

/// Pictures with their names.
pub(super) struct Loaded {
    /// `(N, C, H, W)` in [−1, 1] on the CPU.
    pub(super) images: Tensor,
    pub(super) names: Vec<String>,
    /// A word for all of them.
    pub(super) word: String,
}

impl Loaded {
    /// Reads them in the form that the run's images have.
    pub(super) fn of(
        given: &[Given],
        explored: &Explored,
        global: &Global,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let mut data = None;
        let (mut images, mut names) = (Vec::new(), Vec::new());
        for given in given {
            match given {
                Given::File(path) => {
                    images.push(photos::read(path, explored)?);
                    names.push(path.file_name().unwrap_or_default().to_string_lossy().into());
                }
                Given::OfData { split, from, to } => {
                    let data = match &data {
                        Some(data) => data,
                        None => data.insert(data::open(
                            &explored.checkpoint.header.config.data,
                            global,
                            console,
                        )?),
                    };
                    images.push(of_split(data, *split, (*from, *to), explored)?);
                    names.extend((*from..=*to).map(|i| format!("{split} {i}")));
                }
            }
        }
        let word = given.iter().map(Given::word).collect::<Vec<_>>().join("-");
        Ok(Self { images: Tensor::cat(&images, 0)?, names, word })
    }

    /// Their latents, and how they were found: by the run's encoder, or where it has none by inversion.
    pub(super) fn latents(
        &self,
        explored: &Explored,
        console: &Console,
    ) -> anyhow::Result<(LatentBatch, &'static str)> {
        Ok(match inversion::encoder_starts(explored, &self.images)? {
            Some(latents) => (latents, "encoder"),
            None => (self.inverted(explored, console)?, "inversion"),
        })
    }

    fn inverted(&self, explored: &Explored, console: &Console) -> anyhow::Result<LatentBatch> {
        let inversion = Inversion::USUAL;
        tracing::info!(
            "no encoder: the latents of {} pictures by inversion, {} starts of {} steps each; `gan-cli invert` has more to choose \
             from, and --latents takes what it finds",
            self.names.len(),
            inversion.restarts,
            inversion.iterations
        );
        let targets = Targets::whole(self.images.to_device(&explored.device)?);
        let to = (console, "inverting");
        let found = inversion::search(explored, &inversion, &targets, &PixelDistance, None, to)?;
        Ok(found.latents)
    }
}

fn of_split(
    data: &Dataset,
    split: Split,
    (from, to): (usize, usize),
    explored: &Explored,
) -> anyhow::Result<Tensor> {
    let usage = |reason: String| Err(UsageError(format!("--images {split}: {reason}")).into());
    let (found, shape, there) =
        (data.image_shape()?, explored.checkpoint.image()?, data.len(split));
    if found != shape {
        return usage(format!("the data has {found} images, the run's are {shape}; name files"));
    }
    if there == 0 {
        return usage("this split of the run's data is empty".into());
    }
    if to >= there {
        return usage(format!("{to} is asked for, the run's data has 0 to {}", there - 1));
    }
    if to - from >= MOST_IMAGES {
        let n = to - from + 1;
        return usage(format!("{n} images are asked for, expected at most {MOST_IMAGES}"));
    }
    Ok(image::normalize(&data.samples(split, &(from..=to).collect::<Vec<_>>())?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_the_data_are_named_by_split_and_number() {
        let test = |from, to| Some(Given::OfData { split: Split::Test, from, to });
        assert_eq!(of_data("test:7"), test(7, 7));
        assert_eq!(of_data("test:0-63"), test(0, 63));
        for wrong in ["test", "test:", "test:7-3", "test:-3", "tes:3", "test:a", "test:1-2-3"] {
            assert_eq!(of_data(wrong), None, "{wrong}");
        }
        let refused = Given::parse("nowhere/a.png").expect_err("there is no such file");
        assert!(refused.contains("no such file") && refused.contains("test:0-63"), "{refused}");
        let words: Vec<_> = [test(7, 7), test(0, 3)].into_iter().flatten().collect();
        assert_eq!(words[0].word() + "_" + &words[1].word(), "test-7_test-0-to-3");
    }
}
