//! From a description to lines and texts at their places, in units of which the drawing is 640 wide.

use super::axis::Axis;
use super::curve::Curve;
use super::{Plot, font};

/// Width of a drawing.
pub(super) const WIDTH: f32 = 640.0;
/// Height of a drawing.
pub(super) const HEIGHT: f32 = 360.0;

/// Okabe and Ito's colors for every eye (<https://jfly.uni-koeln.de/color/>), their yellow and black
/// left out, the most distinct first; then four that differ from them and from one another.
pub(super) const PALETTE: [[u8; 3]; 10] = [
    [0x00, 0x72, 0xB2],
    [0xD5, 0x5E, 0x00],
    [0x00, 0x9E, 0x73],
    [0xCC, 0x79, 0xA7],
    [0xE6, 0x9F, 0x00],
    [0x56, 0xB4, 0xE9],
    [0x8C, 0x51, 0x0A],
    [0x7F, 0x7F, 0x7F],
    [0x5E, 0x3C, 0x99],
    [0xB2, 0xCC, 0x2A],
];
/// Colors that lines have: those for every eye.
const LINE_COLORS: usize = 6;

/// Everything that is to be drawn, from back to front.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    /// Heading, for those who cannot see the drawing.
    pub(super) title: String,
    pub(super) height: f32,
    pub(super) dots: Vec<Dots>,
    pub(super) lines: Vec<Line>,
    pub(super) texts: Vec<Text>,
}

/// Color of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ink {
    /// That of the text around.
    Text,
    /// One of the palette.
    Color([u8; 3]),
}

/// A line through points.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) points: Vec<(f32, f32)>,
    pub(super) ink: Ink,
    pub(super) width: f32,
    pub(super) opacity: f32,
}

/// Dots of one color.
#[derive(Clone, Debug)]
pub(super) struct Dots {
    pub(super) points: Vec<(f32, f32)>,
    pub(super) ink: Ink,
    pub(super) radius: f32,
    pub(super) opacity: f32,
}

/// A line of text; `at` is where its baseline starts, is in its middle, or ends.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) at: (f32, f32),
    pub(super) anchor: Anchor,
    pub(super) size: f32,
    pub(super) opacity: f32,
    /// Whether it runs upwards.
    pub(super) upwards: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Em of the heading, of the legend and axis names, and of what is written at ticks.
pub(super) const TITLE: f32 = 17.0;
pub(super) const NAME: f32 = 14.0;
const TICK: f32 = 13.0;
/// Space around everything.
pub(super) const EDGE: f32 = 12.0;

impl Drawing {
    /// Lays a plot out.
    pub(super) fn of(plot: &Plot) -> Self {
        let curves: Vec<Curve> =
            plot.series.iter().map(|s| Curve::of(&s.points, plot.log_y)).collect();
        let mut drawing = Self::empty(&plot.title, HEIGHT);
        drawing.write(&plot.title, (EDGE, EDGE + TITLE * 0.8), Anchor::Start, TITLE);
        let top = drawing.legend(plot, &curves) + 14.0;
        let bottom = HEIGHT - EDGE - NAME - TICK - 12.0;
        match axes(plot, &curves) {
            Some((x, y)) => {
                let widest = y.ticks.iter().map(|(_, label)| font::width(label, TICK));
                let left = EDGE + NAME + 14.0 + widest.fold(0.0, f32::max);
                let frame = Frame { left, right: WIDTH - 20.0, top, bottom, x, y };
                drawing.axes(plot, &frame);
                drawing.curves(&curves, &frame);
            }
            None => {
                let middle = (WIDTH / 2.0, (top + bottom) / 2.0);
                drawing.write("no values", middle, Anchor::Middle, NAME);
            }
        }
        drawing
    }

    /// Nothing but a height.
    pub(super) fn empty(title: &str, height: f32) -> Self {
        Self { title: title.into(), height, dots: vec![], lines: vec![], texts: vec![] }
    }

    pub(super) fn write(
        &mut self,
        text: &str,
        at: (f32, f32),
        anchor: Anchor,
        size: f32,
    ) -> &mut Text {
        let text = text.to_string();
        self.texts.push(Text { text, at, anchor, size, opacity: 1.0, upwards: false });
        let last = self.texts.len() - 1;
        &mut self.texts[last]
    }

    fn rule(&mut self, from: (f32, f32), to: (f32, f32), opacity: f32) {
        self.lines.push(Line { points: vec![from, to], ink: Ink::Text, width: 1.0, opacity });
    }

    /// Names of the series in as many rows as they need; returns where the last row ends.
    fn legend(&mut self, plot: &Plot, curves: &[Curve]) -> f32 {
        const SWATCH: f32 = 18.0;
        let mut baseline = EDGE + TITLE + 18.0;
        let mut x = EDGE;
        // What has no points is not drawn, but keeps its color: the same thing has the same one in other plots.
        for (i, series) in plot.series.iter().enumerate().filter(|(_, s)| !s.points.is_empty()) {
            let width = SWATCH + 6.0 + font::width(&series.name, NAME);
            if x > EDGE && x + width > WIDTH - EDGE {
                (x, baseline) = (EDGE, baseline + NAME + 6.0);
            }
            let y = baseline - 4.5;
            let ink = Ink::Color(PALETTE[i % LINE_COLORS]);
            let points = vec![(x + 1.5, y), (x + SWATCH - 1.5, y)];
            self.lines.push(Line { points, ink, width: 3.0, opacity: 1.0 });
            self.write(&series.name, (x + SWATCH + 6.0, baseline), Anchor::Start, NAME);
            x += width + 18.0;
        }
        let windows = curves.iter().filter_map(|c| c.average.as_ref().map(|(_, window)| *window));
        if let Some(window) = windows.max() {
            let note = format!("moving average over {window} points");
            let at = (WIDTH - 20.0, EDGE + TITLE * 0.8);
            self.write(&note, at, Anchor::End, TICK).opacity = 0.65;
        }
        baseline
    }

    /// Grid lines, ticks and the names of the axes.
    fn axes(&mut self, plot: &Plot, frame: &Frame) {
        for (value, label) in &frame.y.ticks {
            let (_, y) = frame.at((0.0, *value));
            self.rule((frame.left, y), (frame.right, y), 0.14);
            let at = (frame.left - 8.0, y + TICK * 0.35);
            self.write(label, at, Anchor::End, TICK).opacity = 0.8;
        }
        for (value, label) in &frame.x.ticks {
            let x = frame.left + frame.x.place(*value) as f32 * (frame.right - frame.left);
            self.rule((x, frame.bottom), (x, frame.bottom + 5.0), 0.5);
            let at = (x, frame.bottom + 8.0 + TICK);
            self.write(label, at, Anchor::Middle, TICK).opacity = 0.8;
        }
        self.rule((frame.left, frame.bottom), (frame.right, frame.bottom), 0.5);
        let middle = (frame.left + frame.right) / 2.0;
        self.write(&plot.x_label, (middle, HEIGHT - EDGE), Anchor::Middle, NAME);
        let middle = (frame.top + frame.bottom) / 2.0;
        let name = (EDGE + NAME * 0.8, middle);
        self.write(&plot.y_label, name, Anchor::Middle, NAME).upwards = true;
    }

    /// Faint lines first, so that no average is hidden.
    fn curves(&mut self, curves: &[Curve], frame: &Frame) {
        let ink = |i: usize| Ink::Color(PALETTE[i % LINE_COLORS]);
        for (i, curve) in curves.iter().enumerate().filter(|(_, c)| c.average.is_some()) {
            let points = frame.line(&curve.raw);
            self.lines.push(Line { points, ink: ink(i), width: 0.8, opacity: 0.3 });
        }
        for (i, curve) in curves.iter().enumerate() {
            let data = curve.average.as_ref().map_or(&curve.raw, |(average, _)| average);
            let mut points = frame.line(data);
            let mut width = 2.0;
            if let [(x, y)] = points[..] {
                // A point is a line too short to see, with round ends.
                (points, width) = (vec![(x, y), (x + 0.01, y)], 6.0);
            }
            if points.len() > 1 {
                self.lines.push(Line { points, ink: ink(i), width, opacity: 1.0 });
            }
        }
    }
}

/// Where the data stands within the drawing.
struct Frame {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
    x: Axis,
    y: Axis,
}

impl Frame {
    fn at(&self, (x, y): (f64, f64)) -> (f32, f32) {
        (
            self.left + self.x.place(x) as f32 * (self.right - self.left),
            self.bottom + self.y.place(y) as f32 * (self.top - self.bottom),
        )
    }

    fn line(&self, points: &[(f64, f64)]) -> Vec<(f32, f32)> {
        points.iter().map(|point| self.at(*point)).collect()
    }
}

/// Axes that hold all curves; none where there is nothing to draw.
fn axes(plot: &Plot, curves: &[Curve]) -> Option<(Axis, Axis)> {
    let averages = || curves.iter().filter_map(|curve| Some(&curve.average.as_ref()?.0));
    let points = || curves.iter().map(|curve| &curve.raw).chain(averages()).flatten();
    points().next()?;
    let ends = |value: fn(&(f64, f64)) -> f64| {
        let values = points().map(value);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
    };
    let (left, right) = ends(|p| p.0);
    // Counts begin a step after 0: the axis shows where they come from.
    let left = if left > 0.0 && left < 0.05 * right { 0.0 } else { left };
    let (low, high) = ends(|p| p.1);
    let usable = |(low, high): &(f64, f64)| {
        low.is_finite() && high.is_finite() && low < high && (!plot.log_y || *low > 0.0)
    };
    let y = match plot.y_range.filter(usable) {
        Some((low, high)) => Axis::new(low, high, plot.log_y, 0.0),
        None => Axis::new(low, high, plot.log_y, 0.04),
    };
    Some((Axis::new(left, right, false, 0.0), y))
}
