//! Grids: many pictures in one, with padding, captions and a whole upscaling factor.

use crate::error::{Error, Result};
use crate::image::Image;
use crate::text;

/// How pictures are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Pictures in a row.
    pub columns: usize,
    /// Pixels between and around pictures.
    pub padding: usize,
    /// Whole factor by which every picture is enlarged.
    pub scale: usize,
    /// What stands under each picture, in one line or more; nothing under those beyond the last.
    pub captions: Vec<String>,
}

/// Gray value of the padding.
const BACKGROUND: u8 = 255;
/// Gray value of captions.
const INK: u8 = 60;

impl Grid {
    /// A near-square grid for `n` pictures of `width` pixels: small pictures are enlarged to be seen.
    pub fn for_images(n: usize, width: usize) -> Self {
        let columns = match n {
            0..=3 => n.max(1),
            _ => (n as f64).sqrt().ceil() as usize,
        };
        let scale = if width < 64 { 2 } else { 1 };
        Self { columns, padding: 2, scale, captions: Vec::new() }
    }

    /// The same grid with something under each picture: its index, say.
    pub fn with_captions<C: ToString>(self, captions: impl IntoIterator<Item = C>) -> Self {
        Self { captions: captions.into_iter().map(|caption| caption.to_string()).collect(), ..self }
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
        let (width, height) = (first.width() * scale, first.height() * scale);
        let captions = self.caption_height();
        let (cell_w, cell_h) = (width + pad, height + captions + pad);
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
            if let Some(caption) = self.captions.get(i) {
                draw_caption(&mut sheet, caption, (x, y + height), width);
            }
        }
        Ok(sheet)
    }

    /// Pixels under every picture that the lines of the longest caption need.
    pub fn caption_height(&self) -> usize {
        self.captions.iter().map(|caption| caption.lines().count()).max().unwrap_or(0) * text::LINE
    }
}

/// Draws the lines of a caption in the middle of `width` pixels from `(x, y)` on.
fn draw_caption(sheet: &mut Image, caption: &str, (x, y): (usize, usize), width: usize) {
    let ink = vec![INK; sheet.channels()];
    for (i, line) in caption.lines().enumerate() {
        let line = text::fitted(line, width);
        let left = x + (width - text::width(&line)) / 2;
        text::draw(sheet, &line, left, y + i * text::LINE, &ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_where_they_belong() -> Result<()> {
        let images: Vec<Image> =
            (0..5).map(|i| Image::filled(4, 3, &[i * 10])).collect::<Result<_>>()?;
        let grid = Grid { columns: 3, padding: 1, scale: 2, captions: Vec::new() };
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
    fn captions_leave_the_pictures_whole() -> Result<()> {
        let images = vec![Image::filled(16, 16, &[7, 8, 9])?; 12];
        let dark = |sheet: &Image| {
            let count = sheet.pixels().chunks(3).filter(|pixel| *pixel == [7, 8, 9]).count();
            assert_eq!(count, 12 * 32 * 32);
            sheet.pixels().chunks(3).filter(|pixel| (INK..200).contains(&pixel[0])).count()
        };
        let plain = Grid::for_images(12, 16);
        let height = plain.render(&images)?.height();
        assert_eq!(dark(&plain.render(&images)?), 0);
        let numbers = plain.clone().with_captions(0..12).render(&images)?;
        assert!(dark(&numbers) > 12 * 8);
        assert_eq!(numbers.height(), height + 3 * text::LINE);
        let two_lines = plain.with_captions(vec!["automobile\nas airplane"; 12]).render(&images)?;
        assert!(dark(&two_lines) > dark(&numbers));
        assert_eq!(two_lines.height(), height + 3 * 2 * text::LINE);
        Ok(())
    }

    #[test]
    fn different_sizes_are_refused() -> Result<()> {
        let images = [Image::filled(4, 4, &[0])?, Image::filled(4, 5, &[0])?];
        assert!(Grid::for_images(2, 4).render(&images).is_err());
        Ok(())
    }
}
