//! Line plots: named series over a common x, as SVG for a page and as PNG for a folder.
//!
//! Both come from one drawing, so that they show the same. A series of many points is drawn twice:
//! faintly as it is, and over that its moving average. Points that are not finite are left out, on a
//! logarithmic axis also those that are not positive; values outside of a given range are drawn at its edge.
//!
//! The drawing is ours, over tiny-skia and `ab_glyph`: the bitmap backend of plotters has whole-pixel
//! coordinates and no smooth edges for thick lines, and noisy losses look ragged in it.

mod axis;
mod curve;
pub(crate) mod font;
mod layout;
mod png;
mod scatter;
mod svg;

use std::path::Path;

pub use scatter::Scatter;

use crate::error::Result;
use crate::file::write_bytes;
use crate::image::Image;

/// What a plot shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Heading, at the top.
    pub title: String,
    /// What x is, with its unit.
    pub x_label: String,
    /// What y is, with its unit.
    pub y_label: String,
    /// Whether y is on a logarithmic axis.
    pub log_y: bool,
    /// Ends of the y axis, low before high; where they are not given, the data sets them.
    pub y_range: Option<(f64, f64)>,
    /// The lines, in the order of the legend.
    pub series: Vec<Series>,
}

/// One line of a plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Points `(x, y)` in the order of x.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// A named line through `points`, which come in the order of x.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points }
    }
}

impl Plot {
    /// The plot as an SVG element, 640×360 units, ready to stand in an HTML page.
    ///
    /// Text and axes have the color of the text around it (`currentColor`), the background is
    /// transparent: the plot follows a page into its dark form.
    pub fn svg(&self) -> String {
        svg::render(&layout::Drawing::of(self))
    }

    /// The plot as a picture of 1280×720 pixels on white.
    pub fn image(&self) -> Result<Image> {
        png::render(&layout::Drawing::of(self))
    }

    /// Writes [`Plot::svg`] as a file, whole or not at all.
    pub fn write_svg(&self, path: &Path) -> Result<()> {
        write_bytes(path, self.svg().as_bytes())
    }

    /// Writes [`Plot::image`] as a PNG file, whole or not at all.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        self.image()?.write_png(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn losses(n: usize) -> Plot {
        let mut noise = Stream::named("plot", 0);
        let mut line = |from: f64, to: f64| -> Vec<(f64, f64)> {
            (0..n)
                .map(|i| {
                    let t = i as f64 / n as f64;
                    let y = from + (to - from) * t.sqrt() + 0.15 * f64::from(noise.normal());
                    (i as f64 * 64.0, y)
                })
                .collect()
        };
        Plot {
            title: "Losses".into(),
            x_label: "images seen".into(),
            y_label: "loss [nats]".into(),
            series: vec![
                Series::new("discriminator", line(1.4, 0.9)),
                Series::new("generator", line(0.7, 2.2)),
            ],
            ..Plot::default()
        }
    }

    #[test]
    fn svg_names_what_it_shows() {
        let svg = losses(50).svg();
        for word in ["<svg ", "</svg>", "Losses", "discriminator", "loss [nats]", "currentColor"] {
            assert!(svg.contains(word), "{word} is missing");
        }
        assert_eq!(svg.matches("<polyline").count() - svg.matches("class=\"rule\"").count(), 4);
    }

    #[test]
    fn many_points_are_thinned_and_averaged() {
        let svg = losses(20_000).svg();
        assert!(svg.contains("moving average"));
        assert!(svg.len() < 100_000, "{} bytes", svg.len());
    }

    #[test]
    fn hostile_names_are_escaped() {
        let mut plot = losses(3);
        plot.title = "<script>&\"".into();
        let svg = plot.svg();
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;&amp;&quot;"));
    }

    #[test]
    fn nothing_to_show_is_said() {
        let empty = Plot::default();
        assert!(empty.svg().contains("no values"));
        let mut broken = losses(3);
        for series in &mut broken.series {
            series.points = vec![(0.0, f64::NAN), (f64::INFINITY, 1.0)];
        }
        assert!(broken.svg().contains("no values"));
        assert!(!broken.svg().contains("NaN"));
    }

    #[test]
    fn a_series_without_points_keeps_its_color_and_is_not_named() {
        let mut plot = losses(50);
        let both = plot.svg();
        plot.series[0].points.clear();
        let one = plot.svg();
        assert!(!one.contains("discriminator") && one.contains("generator"));
        let (first, second) = ("#0072b2", "#d55e00");
        let colors = |svg: &str| [first, second].map(|color| svg.to_lowercase().contains(color));
        assert_eq!((colors(&both), colors(&one)), ([true; 2], [false, true]));
    }

    #[test]
    fn a_single_point_is_visible() -> Result<()> {
        let image = losses(1).image()?;
        let blue = image.pixels().chunks(3).filter(|p| p[2] > 150 && p[0] < 40).count();
        assert!(blue > 20, "{blue} pixels of the first series");
        Ok(())
    }

    #[test]
    fn picture_is_drawn_in_ink_and_in_the_colors_of_the_series() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("plots/losses.png");
        losses(5000).write_png(&path)?;
        let image = Image::read(&path)?;
        assert_eq!((image.width(), image.height(), image.channels()), (1280, 720, 3));
        let near = |target: [u8; 3]| {
            let close = |p: &[u8]| p.iter().zip(target).all(|(&a, b)| a.abs_diff(b) < 12);
            image.pixels().chunks(3).filter(|pixel| close(pixel)).count()
        };
        assert!(near([255, 255, 255]) > 400_000);
        assert!(near([0x00, 0x72, 0xB2]) > 1000, "blue");
        assert!(near([0xD5, 0x5E, 0x00]) > 1000, "vermilion");
        Ok(())
    }
}
