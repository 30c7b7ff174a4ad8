//! Words on pictures, in the font of the plots: captions under them and labels beside rows.

use tiny_skia::{Color, FillRule, Paint, Pixmap, Transform};

use crate::image::Image;
use crate::plot::font;

/// Height of a line in pixels.
pub const LINE: usize = 14;
/// Em of the letters, and the line that they stand on, in pixels from the top.
const SIZE: f32 = 12.0;
const BASELINE: f32 = 11.0;

/// Pixels that a line of text is wide.
pub fn width(text: &str) -> usize {
    font::width(text, SIZE).ceil() as usize
}

/// The text, or as much of its beginning with an ellipsis as is at most `most` pixels wide.
pub fn fitted(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.into();
    }
    let mut kept: String = text.into();
    while kept.pop().is_some() {
        let cut = format!("{}…", kept.trim_end());
        if width(&cut) <= most {
            return cut;
        }
    }
    String::new()
}

/// Draws a line of text with its upper left corner at `(x, y)`; `color` has one value a channel. What would stand outside
/// of the picture is left out.
pub fn draw(image: &mut Image, text: &str, x: usize, y: usize, color: &[u8]) {
    let Some(path) = font::outline(text, SIZE) else { return };
    let Some(mut drawn) = Pixmap::new(width(text) as u32 + 1, LINE as u32) else { return };
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(Color::BLACK);
    let place = Transform::from_translate(0.0, BASELINE);
    drawn.fill_path(&path, &paint, FillRule::Winding, place, None);
    let columns = drawn.width() as usize;
    for (i, pixel) in drawn.pixels().iter().enumerate() {
        let (px, py, ink) = (x + i % columns, y + i / columns, u32::from(pixel.alpha()));
        if ink > 0 && px < image.width() && py < image.height() {
            let mix = |(&old, &new): (&u8, &u8)| {
                ((u32::from(old) * (255 - ink) + u32::from(new) * ink + 127) / 255) as u8
            };
            let mixed: Vec<u8> = image.pixel(px, py).iter().zip(color).map(mix).collect();
            image.set_pixel(px, py, &mixed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;

    #[test]
    fn text_is_dark_where_it_belongs_and_nowhere_else() -> Result<()> {
        let mut image = Image::filled(60, 30, &[255, 255, 255])?;
        draw(&mut image, "No 4 as 9", 5, 8, &[10, 20, 30]);
        let inked = |x: usize, y: usize| image.pixel(x, y) != [255; 3];
        let places: Vec<(usize, usize)> = (0..60 * 30).map(|i| (i % 60, i / 60)).collect();
        assert!(places.iter().filter(|(x, y)| inked(*x, *y)).count() > 60);
        let within = |&(x, y): &(usize, usize)| {
            (5..5 + width("No 4 as 9") + 1).contains(&x) && (8..8 + LINE).contains(&y)
        };
        assert!(places.iter().all(|place| within(place) || !inked(place.0, place.1)));
        draw(&mut image, "at the edge", 50, 25, &[0, 0, 0]);
        draw(&mut image, "", 0, 0, &[0, 0, 0]);
        Ok(())
    }

    #[test]
    fn long_words_are_cut_to_fit() {
        assert_eq!(fitted("cat", 100), "cat");
        let cut = fitted("automobile", 40);
        assert!(cut.starts_with("auto") && cut.ends_with('…') && width(&cut) <= 40, "{cut}");
        assert_eq!(fitted("automobile", 2), "");
    }
}
