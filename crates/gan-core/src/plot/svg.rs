//! A drawing as SVG.

use std::fmt::Write;

use super::layout::{Anchor, Dots, Drawing, Ink, Line, Text, WIDTH};

/// The whole drawing as one `<svg>` element.
pub(super) fn render(drawing: &Drawing) -> String {
    let height = drawing.height;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{}\" \
         font-family=\"Roboto, 'Helvetica Neue', Arial, sans-serif\" fill=\"currentColor\">\n",
        escaped(&drawing.title),
    );
    for dots in &drawing.dots {
        circles(&mut out, dots);
    }
    for line in &drawing.lines {
        polyline(&mut out, line);
    }
    for text in &drawing.texts {
        label(&mut out, text);
    }
    out.push_str("</svg>\n");
    out
}

/// Dots as one path: each a line of no length with round ends, the shortest way to write thousands.
fn circles(out: &mut String, dots: &Dots) {
    let color = color(dots.ink);
    let (width, opacity) = (2.0 * dots.radius, dots.opacity);
    put(
        out,
        format_args!(
            "<path class=\"dots\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\""
        ),
    );
    put(out, format_args!(" stroke-opacity=\"{opacity}\" stroke-linecap=\"round\" d=\""));
    for (x, y) in &dots.points {
        put(out, format_args!("M{x:.1} {y:.1}h0"));
    }
    out.push_str("\"/>\n");
}

fn color(ink: Ink) -> String {
    match ink {
        Ink::Text => "currentColor".to_string(),
        Ink::Color([r, g, b]) => format!("#{r:02X}{g:02X}{b:02X}"),
    }
}

fn polyline(out: &mut String, line: &Line) {
    let color = color(line.ink);
    let class = if line.ink == Ink::Text { "rule" } else { "series" };
    put(out, format_args!("<polyline class=\"{class}\" fill=\"none\" stroke=\"{color}\""));
    put(out, format_args!(" stroke-width=\"{}\" stroke-opacity=\"{}\"", line.width, line.opacity));
    out.push_str(" stroke-linecap=\"round\" stroke-linejoin=\"round\" points=\"");
    for (i, (x, y)) in line.points.iter().enumerate() {
        put(out, format_args!("{}{x:.2},{y:.2}", if i > 0 { " " } else { "" }));
    }
    out.push_str("\"/>\n");
}

fn label(out: &mut String, text: &Text) {
    let (x, y) = text.at;
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    put(out, format_args!("<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{}\"", text.size));
    put(out, format_args!(" text-anchor=\"{anchor}\" fill-opacity=\"{}\"", text.opacity));
    if text.upwards {
        put(out, format_args!(" transform=\"rotate(-90 {x:.2} {y:.2})\""));
    }
    put(out, format_args!(">{}</text>\n", escaped(&text.text)));
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("a String takes everything");
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}
