//! Scatter plots: points of the plane in the colors of their classes, as maps of many dimensions have them.

use std::path::Path;

use super::layout::{Anchor, Dots, Drawing, EDGE, Ink, NAME, PALETTE, TITLE, WIDTH};
use super::{font, png, svg};
use crate::error::Result;
use crate::file::write_bytes;
use crate::image::Image;

/// What a scatter plot shows. Its axes have no ticks: only what lies near what counts in such a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatter {
    /// Heading, at the top.
    pub title: String,
    /// A line under it.
    pub note: String,
    /// Names of the classes, in the order of the legend; their colors repeat after ten.
    pub classes: Vec<String>,
    /// Place and class of each point. Those that are not finite are left out.
    pub points: Vec<([f64; 2], usize)>,
}

impl Scatter {
    /// The plot as an SVG element, 640 units wide, ready to stand in an HTML page; colors as those of
    /// [`Plot::svg`](super::Plot::svg).
    pub fn svg(&self) -> String {
        svg::render(&self.drawing())
    }

    /// The plot as a picture of 1280 pixels' width on white.
    pub fn image(&self) -> Result<Image> {
        png::render(&self.drawing())
    }

    /// Writes [`Scatter::svg`] as a file, whole or not at all.
    pub fn write_svg(&self, path: &Path) -> Result<()> {
        write_bytes(path, self.svg().as_bytes())
    }

    /// Writes [`Scatter::image`] as a PNG file, whole or not at all.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        self.image()?.write_png(path)
    }

    fn drawing(&self) -> Drawing {
        let mut drawing = Drawing::empty(&self.title, 0.0);
        drawing.write(&self.title, (EDGE, EDGE + TITLE * 0.8), Anchor::Start, TITLE);
        let mut baseline = EDGE + TITLE + 16.0;
        if !self.note.is_empty() {
            drawing.write(&self.note, (EDGE, baseline), Anchor::Start, NAME).opacity = 0.65;
            baseline += NAME + 8.0;
        }
        let top = self.legend(&mut drawing, baseline) + 12.0;
        let side = WIDTH - 2.0 * EDGE;
        drawing.height = top + side + EDGE;
        let finite = |(place, _): &&([f64; 2], usize)| place.iter().all(|x| x.is_finite());
        let shown: Vec<&([f64; 2], usize)> = self.points.iter().filter(finite).collect();
        if shown.is_empty() {
            let middle = (WIDTH / 2.0, top + side / 2.0);
            drawing.write("no values", middle, Anchor::Middle, NAME);
            return drawing;
        }
        // Both axes have one scale: distances in all directions compare.
        let ends = |axis: usize| {
            let values = shown.iter().map(|(place, _)| place[axis]);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)))
        };
        let [(left, right), (bottom, upper)] = [ends(0), ends(1)];
        let reach = (right - left).max(upper - bottom).max(f64::MIN_POSITIVE) * 1.02;
        let middle = [(left + right) / 2.0, (bottom + upper) / 2.0];
        let at = |place: &[f64; 2]| {
            let unit = |axis: usize| ((place[axis] - middle[axis]) / reach) as f32;
            (EDGE + side * (0.5 + unit(0)), top + side * (0.5 - unit(1)))
        };
        let (radius, opacity) = if shown.len() > 1500 { (1.3, 0.55) } else { (2.2, 0.75) };
        // In slices of all classes by turns, so that none hides the others where they lie in one another.
        for slice in shown.chunks(shown.len().div_ceil(SLICES)) {
            for class in 0..self.classes.len() {
                let own = slice.iter().filter(|(_, c)| *c == class);
                let points: Vec<_> = own.map(|(place, _)| at(place)).collect();
                if !points.is_empty() {
                    drawing.dots.push(Dots { points, ink: ink(class), radius, opacity });
                }
            }
        }
        drawing
    }

    /// Names of the classes in as many rows as they need; returns where the last row ends.
    fn legend(&self, drawing: &mut Drawing, from: f32) -> f32 {
        const SWATCH: f32 = 12.0;
        let (mut x, mut baseline) = (EDGE, from);
        for (class, name) in self.classes.iter().enumerate() {
            let width = SWATCH + font::width(name, NAME);
            if x > EDGE && x + width > WIDTH - EDGE {
                (x, baseline) = (EDGE, baseline + NAME + 6.0);
            }
            let points = vec![(x + 4.0, baseline - 4.5)];
            drawing.dots.push(Dots { points, ink: ink(class), radius: 4.0, opacity: 1.0 });
            drawing.write(name, (x + SWATCH, baseline), Anchor::Start, NAME);
            x += width + 16.0;
        }
        baseline
    }
}

/// Slices in which points are drawn.
const SLICES: usize = 20;

fn ink(class: usize) -> Ink {
    Ink::Color(PALETTE[class % PALETTE.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Scatter {
        Scatter {
            title: "Latent means".into(),
            note: "t-SNE of <4> points".into(),
            classes: vec!["no Male".into(), "Male".into()],
            points: vec![([0.0, 0.0], 0), ([10.0, 0.0], 1), ([0.0, 10.0], 1), ([f64::NAN, 1.0], 0)],
        }
    }

    #[test]
    fn svg_names_the_classes_and_has_every_finite_point() {
        let svg = map().svg();
        for word in ["Latent means", "&lt;4&gt;", ">no Male<", ">Male<", "#0072B2", "#D55E00"] {
            assert!(svg.contains(word), "{word} is missing");
        }
        assert_eq!(svg.matches("h0").count(), 2 + 3, "two in the legend, three of the map");
        assert!(!svg.contains("NaN"));
        assert!(Scatter::default().svg().contains("no values"));
    }

    #[test]
    fn picture_has_points_where_they_belong() -> Result<()> {
        let image = map().image()?;
        assert_eq!(image.width(), 1280);
        let near = |target: [u8; 3], from: usize, to: usize| {
            let close = |p: &[u8]| p.iter().zip(target).all(|(&a, b)| a.abs_diff(b) < 70);
            (from..to)
                // Below the legend.
                .flat_map(|x| (150..image.height()).map(move |y| (x, y)))
                .filter(|(x, y)| close(image.pixel(*x, *y)))
                .count()
        };
        assert!(near([0x00, 0x72, 0xB2], 0, 640) > 20 && near([0x00, 0x72, 0xB2], 640, 1280) == 0);
        assert!(near([0xD5, 0x5E, 0x00], 640, 1280) > 20 && near([0xD5, 0x5E, 0x00], 0, 640) > 20);
        Ok(())
    }

    #[test]
    fn thousands_of_points_are_a_small_file() {
        let point = |i: usize| ([(i as f64 * 0.37).sin(), (i as f64 * 0.11).cos()], i % 10);
        let classes = (0..10).map(|digit| digit.to_string()).collect();
        let many = Scatter { classes, points: (0..10_000).map(point).collect(), ..map() };
        assert!(many.svg().len() < 220_000, "{} bytes", many.svg().len());
    }
}
