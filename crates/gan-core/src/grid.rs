//! Grids: many pictures in one, with padding, labels and a whole upscaling factor.

use crate::error::{Error, Result};
use crate::image::Image;

/// How pictures are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Pictures in a row.
    pub columns: usize,
    /// Pixels between and around pictures.
    pub padding: usize,
    /// Whole factor by which every picture is enlarged.
    pub scale: usize,
    /// Whether each picture carries its index, counted from 0, under it.
    pub indexed: bool,
}

/// Gray value of the padding.
const BACKGROUND: u8 = 255;
/// Gray value of the index labels.
const INK: u8 = 60;

impl Grid {
    /// A near-square grid for `n` pictures of `width` pixels: small pictures are enlarged to be seen.
    pub fn for_images(n: usize, width: usize) -> Self {
        let columns = match n {
            0..=3 => n.max(1),
            _ => (n as f64).sqrt().ceil() as usize,
        };
        let scale = if width < 64 { 2 } else { 1 };
        Self { columns, padding: 2, scale, indexed: false }
    }

    /// The same grid with the index of each picture under it.
    pub fn with_indices(self) -> Self {
        Self { indexed: true, ..self }
    }

    /// The same grid with `columns` pictures in a row.
    pub fn with_columns(self, columns: usize) -> Self {
        Self { columns: columns.max(1), ..self }
    }

    /// Draws the grid; all pictures must have one size and kind.
    pub fn render(&self, images: &[Image]) -> Result<Image> {
        let Some(first) = images.first() else {
            return Err(Error::Shape {
                expected: "at least one picture".into(),
                got: "none".into(),
            });
        };
        let columns = self.columns.clamp(1, images.len());
        let rows = images.len().div_ceil(columns);
        let (scale, pad) = (self.scale.max(1), self.padding);
        let label = if self.indexed { GLYPH_HEIGHT + 2 } else { 0 };
        let (cell_w, cell_h) = (first.width() * scale + pad, first.height() * scale + label + pad);
        let background = vec![BACKGROUND; first.channels()];
        let mut sheet = Image::filled(columns * cell_w + pad, rows * cell_h + pad, &background)?;
        for (i, image) in images.iter().enumerate() {
            if (image.width(), image.height(), image.channels())
                != (first.width(), first.height(), first.channels())
            {
                return Err(Error::Shape {
                    expected: format!("{first:?}, as the first picture"),
                    got: format!("{image:?}"),
                });
            }
            let (x, y) = (pad + i % columns * cell_w, pad + i / columns * cell_h);
            sheet.paste(&image.enlarged(scale), x, y);
            if self.indexed {
                let ink = vec![INK; first.channels()];
                draw_number(&mut sheet, i, x + 1, y + first.height() * scale + 1, &ink);
            }
        }
        Ok(sheet)
    }
}

/// Height of a digit in pixels.
const GLYPH_HEIGHT: usize = 5;
/// Digits 0–9 in 3×5 pixels, a row a number, its three low bits the pixels from left to right.
const GLYPHS: [[u8; GLYPH_HEIGHT]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 3, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

/// Draws a number in the small digits with its upper left corner at `(x, y)`; what would stand
/// outside of the picture is left out.
pub fn draw_number(image: &mut Image, number: usize, x: usize, y: usize, color: &[u8]) {
    for (place, digit) in number.to_string().bytes().enumerate() {
        for (dy, bits) in GLYPHS[usize::from(digit - b'0')].iter().enumerate() {
            for dx in (0..3).filter(|dx| bits >> (2 - dx) & 1 == 1) {
                let (px, py) = (x + place * 4 + dx, y + dy);
                if px < image.width() && py < image.height() {
                    image.set_pixel(px, py, color);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_where_they_belong() -> Result<()> {
        let images: Vec<Image> =
            (0..5).map(|i| Image::filled(4, 3, &[i * 10])).collect::<Result<_>>()?;
        let grid = Grid { columns: 3, padding: 1, scale: 2, indexed: false };
        let sheet = grid.render(&images)?;
        assert_eq!((sheet.width(), sheet.height()), (3 * 9 + 1, 2 * 7 + 1));
        assert_eq!(sheet.pixel(0, 0), [BACKGROUND]);
        assert_eq!(sheet.pixel(1, 1), [0]);
        assert_eq!(sheet.pixel(9 + 8, 6), [10]);
        assert_eq!(sheet.pixel(9 + 1, 7 + 1), [40]);
        assert_eq!(sheet.pixel(18 + 1, 7 + 1), [BACKGROUND], "the last cell is empty");
        Ok(())
    }

    #[test]
    fn labels_leave_the_pictures_whole() -> Result<()> {
        let images = vec![Image::filled(16, 16, &[7, 8, 9])?; 12];
        let sheet = Grid::for_images(12, 16).with_indices().render(&images)?;
        let count = sheet.pixels().chunks(3).filter(|pixel| *pixel == [7, 8, 9]).count();
        assert_eq!(count, 12 * 32 * 32);
        assert!(sheet.pixels().chunks(3).any(|pixel| pixel == [INK; 3]));
        Ok(())
    }

    #[test]
    fn different_sizes_are_refused() -> Result<()> {
        let images = [Image::filled(4, 4, &[0])?, Image::filled(4, 5, &[0])?];
        assert!(Grid::for_images(2, 4).render(&images).is_err());
        Ok(())
    }
}
