//! The pictures of an interpolation.

use std::path::PathBuf;

use gan_core::gif::{Delay, write_loop};
use gan_core::grid::Grid;
use gan_core::{Image, text};
use gan_latent::Sheet;
use gan_latent::interpolate::{Path, Shape};
use gan_latent::sheet::triangle;

use super::made::Made;
use crate::judge::Judge;
use crate::pictures::{Kind, Pictures};

/// Time an image is shown, in hundredths of a second.
const DELAY: Delay = Delay(12);
/// Changes of attributes that are written under an image, a line each.
const MOST_LINES: usize = 4;
/// What stands over the pictures that were given.
const GIVEN: &str = "picture";

/// What is drawn.
pub(super) struct Drawn<'a> {
    pub(super) path: &'a Path,
    pub(super) points: &'a [String],
    pub(super) made: &'a Made,
    /// The pictures that were given, one a point.
    pub(super) given: Option<&'a Made>,
    pub(super) judge: Option<&'a Judge>,
}

/// An image of `Made`, by its index there.
#[derive(Clone, Copy)]
struct Cell<'a>(&'a Made, usize);

impl Drawn<'_> {
    /// Writes the pictures that are wanted; returns their files, the still one first.
    pub(super) fn write(
        &self,
        pictures: &Pictures,
    ) -> anyhow::Result<(Option<PathBuf>, Option<PathBuf>)> {
        let picture = pictures.file("", Kind::Png, true);
        if let Some(file) = &picture {
            self.picture()?.write_png(file)?;
        }
        let animation = pictures.file("", Kind::Gif, true);
        if let Some(file) = &animation {
            write_loop(file, &self.frames(), DELAY)?;
        }
        Ok((picture, animation))
    }

    /// α over a strip's images, the points beside a loop's rows; under each image what is seen in it. A picture that was
    /// given stands beside what came back of it.
    fn picture(&self) -> anyhow::Result<Image> {
        let rows = self.rows();
        let captions = self.captions(&rows);
        let images: Vec<Vec<Image>> =
            rows.iter().map(|row| row.iter().map(|cell| cell.image().clone()).collect()).collect();
        let given = self.given.map(|_| GIVEN.to_string());
        let alphas = |row: &[Vec<f64>]| -> Vec<String> {
            (0..row.len()).map(|i| rounded(i as f64 / (self.legs() as f64))).collect()
        };
        let weights = &self.path.weights;
        Ok(match self.path.shape {
            Shape::Triangle => self.above(triangle(&images, &captions)?)?,
            Shape::Strip => {
                let over = given.clone().into_iter().chain(alphas(weights)).chain(given);
                Sheet::new(images).over_columns(over).under_images(captions).render()?
            }
            Shape::Loop => {
                let sheet = Sheet::new(images).beside_rows(self.points).under_images(captions);
                let over = |given| [vec![given], alphas(&weights[..self.legs()])].concat();
                match given {
                    Some(given) => sheet.over_columns(over(given)).render()?,
                    None => sheet.render()?,
                }
            }
        })
    }

    /// Images from one point to the next, without one of them.
    fn legs(&self) -> usize {
        match self.path.shape {
            Shape::Strip => self.path.weights.len() - 1,
            Shape::Triangle | Shape::Loop => self.path.round.len() / self.points.len(),
        }
    }

    fn rows(&self) -> Vec<Vec<Cell<'_>>> {
        let mut rows = Vec::with_capacity(self.path.rows.len());
        let mut from = 0;
        for &n in &self.path.rows {
            let row = (from..from + n).map(|i| Cell(self.made, i));
            let given = |point| self.given.map(|given| Cell(given, point));
            rows.push(match self.path.shape {
                Shape::Triangle => row.collect(),
                Shape::Strip => given(0).into_iter().chain(row).chain(given(1)).collect(),
                Shape::Loop => given(rows.len()).into_iter().chain(row).collect(),
            });
            from += n;
        }
        rows
    }

    /// Under each image its class, or the attributes in which it differs from the one before it; none without a classifier.
    fn captions(&self, rows: &[Vec<Cell<'_>>]) -> Vec<String> {
        let Some(judge) = self.judge else { return Vec::new() };
        if judge.of_classes {
            let class = |cell: &Cell<'_>| cell.class(judge).unwrap_or_default();
            return rows.iter().flatten().map(class).collect();
        }
        // A triangle's images have more than one neighbour.
        if self.path.shape == Shape::Triangle {
            return Vec::new();
        }
        let mut captions = Vec::new();
        let mut before: Option<&Cell<'_>> = None;
        for row in rows {
            // What comes before a picture is another row's.
            before = before.filter(|_| self.given.is_none());
            for cell in row {
                captions.push(before.map_or(String::new(), |before| changes(judge, before, cell)));
                before = Some(cell);
            }
        }
        captions
    }

    /// A triangle below the pictures of its corners, if there are any.
    fn above(&self, triangle: Image) -> anyhow::Result<Image> {
        let Some(given) = self.given else { return Ok(triangle) };
        let name = |(i, name): (usize, &String)| {
            let class = self.judge.and_then(|judge| Cell(given, i).class(judge));
            class.map_or(name.clone(), |class| format!("{name}\n{class}"))
        };
        let width = given.images.first().map_or(0, Image::width);
        // Enlarged as in the triangle.
        let strip = Grid::for_images(self.path.weights.len(), width)
            .with_columns(given.images.len())
            .with_captions(self.points.iter().enumerate().map(name))
            .render(&given.images)?;
        let (wide, high) = (strip.width().max(triangle.width()), strip.height() + text::LINE);
        let white = vec![255; triangle.channels()];
        let mut both = Image::filled(wide, high + triangle.height(), &white)?;
        both.paste(&strip, (wide - strip.width()) / 2, 0);
        both.paste(&triangle, (wide - triangle.width()) / 2, high);
        Ok(both)
    }

    /// Each image of an animation, enlarged as in grids.
    fn frames(&self) -> Vec<Image> {
        let images = &self.made.images;
        let width = images.first().map_or(0, Image::width);
        // Alone in a window an image may be larger than in a grid.
        let scale = 2 * Grid::for_images(1, width).scale;
        self.path.round.iter().map(|&i| images[i].enlarged(scale)).collect()
    }
}

impl Cell<'_> {
    fn image(&self) -> &Image {
        &self.0.images[self.1]
    }

    fn odds(&self) -> Option<&[f32]> {
        self.0.judged.as_ref().map(|judged| judged[self.1].as_slice())
    }

    /// The class that is seen in it.
    fn class(&self, judge: &Judge) -> Option<String> {
        self.odds().filter(|_| judge.of_classes).map(|odds| judge.class(odds).to_string())
    }
}

/// `+Smiling` and `-Male` where the answers differ from those before.
fn changes(judge: &Judge, before: &Cell<'_>, now: &Cell<'_>) -> String {
    let (Some(before), Some(now)) = (before.odds(), now.odds()) else { return String::new() };
    let change = |((name, before), now): ((&String, &f32), &f32)| match (*before > 0.0, *now > 0.0)
    {
        (false, true) => Some(format!("+{name}")),
        (true, false) => Some(format!("-{name}")),
        _ => None,
    };
    let mut lines: Vec<_> = judge.names.iter().zip(before).zip(now).filter_map(change).collect();
    if lines.len() > MOST_LINES {
        let more = lines.len() - (MOST_LINES - 1);
        lines.truncate(MOST_LINES - 1);
        lines.push(format!("{more} more"));
    }
    lines.join("\n")
}

/// A number with at most three digits behind the point.
fn rounded(number: f64) -> String {
    ((number * 1000.0).round() / 1000.0).to_string()
}
