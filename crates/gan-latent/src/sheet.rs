//! Sheets: rows of images as one picture, with labels over the columns, beside the rows and under the images.

use gan_core::grid::Grid;
use gan_core::{Image, text};

use crate::error::LatentError;

/// Pixels on both sides of the labels beside rows.
const INSET: usize = 4;
const BACKGROUND: u8 = 255;
const INK: u8 = 60;

/// Rows of equally many images of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    rows: Vec<Vec<Image>>,
    over_columns: Vec<String>,
    beside_rows: Vec<String>,
    under_images: Vec<String>,
}

impl Sheet {
    /// A sheet without labels.
    pub fn new(rows: Vec<Vec<Image>>) -> Self {
        Self { rows, over_columns: Vec::new(), beside_rows: Vec::new(), under_images: Vec::new() }
    }

    /// The same sheet with a label over each column, cut where it is wider.
    pub fn over_columns<L: ToString>(self, labels: impl IntoIterator<Item = L>) -> Self {
        Self { over_columns: labels.into_iter().map(|label| label.to_string()).collect(), ..self }
    }

    /// The same sheet with a label beside each row.
    pub fn beside_rows<L: ToString>(self, labels: impl IntoIterator<Item = L>) -> Self {
        Self { beside_rows: labels.into_iter().map(|label| label.to_string()).collect(), ..self }
    }

    /// The same sheet with a caption under each image, row after row, in one line or more.
    pub fn under_images<L: ToString>(self, captions: impl IntoIterator<Item = L>) -> Self {
        Self { under_images: captions.into_iter().map(|label| label.to_string()).collect(), ..self }
    }

    /// Draws the sheet; small images are enlarged as in [`Grid::for_images`].
    ///
    /// # Errors
    /// If the rows are not equally long, or their images differ in size.
    pub fn render(&self) -> Result<Image, LatentError> {
        let columns = self.rows.first().map_or(0, Vec::len);
        if let Some(odd) = self.rows.iter().find(|row| row.len() != columns) {
            return Err(gan_core::Error::Shape {
                expected: format!("{columns} images, as in the first row"),
                got: odd.len().to_string(),
            }
            .into());
        }
        let images: Vec<Image> = self.rows.iter().flatten().cloned().collect();
        let (width, height) = images.first().map_or((0, 0), |i| (i.width(), i.height()));
        let grid = Grid::for_images(images.len(), width)
            .with_columns(columns)
            .with_captions(&self.under_images);
        let pictures = grid.render(&images)?;
        let captions = grid.caption_height();

        let widest = self.beside_rows.iter().map(|label| text::width(label)).max();
        let left = widest.map_or(0, |width| width + 2 * INSET);
        let top = if self.over_columns.is_empty() { 0 } else { text::LINE };
        let background = vec![BACKGROUND; pictures.channels()];
        let ink = vec![INK; pictures.channels()];
        let mut sheet =
            Image::filled(left + pictures.width(), top + pictures.height(), &background)?;
        sheet.paste(&pictures, left, top);
        let middle = |i: usize, size: usize, below: usize| {
            let cell = size * grid.scale + below + grid.padding;
            grid.padding + i * cell + size * grid.scale / 2
        };
        for (i, label) in self.over_columns.iter().enumerate() {
            let label = text::fitted(label, width * grid.scale);
            let x = left + middle(i, width, 0) - text::width(&label) / 2;
            text::draw(&mut sheet, &label, x, 0, &ink);
        }
        for (i, label) in self.beside_rows.iter().enumerate() {
            let x = left - INSET - text::width(label);
            let y = (top + middle(i, height, captions)).saturating_sub(text::LINE / 2);
            text::draw(&mut sheet, label, x, y, &ink);
        }
        Ok(sheet)
    }
}

/// Frames of an animation: a grid of all rows for each of their columns.
///
/// # Errors
/// If the images differ in size.
pub fn frames(rows: &[Vec<Image>]) -> Result<Vec<Image>, LatentError> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = rows.first().and_then(|row| row.first()).map_or(0, Image::width);
    let grid = Grid::for_images(rows.len(), width);
    let frame = |i: usize| {
        let images: Vec<Image> = rows.iter().filter_map(|row| row.get(i)).cloned().collect();
        Ok(grid.render(&images)?)
    };
    (0..columns).map(frame).collect()
}

/// A triangle: row r has r + 1 images, in the middle below those of the row before. `captions` stand under the images, row
/// after row; there may be none.
///
/// # Errors
/// If a row has another number of images, or they differ in size, or the captions of two rows in their lines.
pub fn triangle(rows: &[Vec<Image>], captions: &[String]) -> Result<Image, LatentError> {
    if let Some((r, row)) = rows.iter().enumerate().find(|(r, row)| row.len() != r + 1) {
        let expected = format!("{} images in row {r} of a triangle", r + 1);
        return Err(gan_core::Error::Shape { expected, got: row.len().to_string() }.into());
    }
    let images: Vec<Image> = rows.iter().flatten().cloned().collect();
    let width = images.first().map_or(0, Image::width);
    let grid = Grid::for_images(images.len(), width).with_columns(rows.len());
    let strip = |(r, row): (usize, &Vec<Image>)| {
        let before = r * (r + 1) / 2;
        let own = captions.iter().skip(before).take(row.len());
        grid.clone().with_columns(row.len()).with_captions(own).render(row)
    };
    let strips = rows.iter().enumerate().map(strip).collect::<Result<Vec<_>, _>>()?;
    let (Some(top), Some(bottom)) = (strips.first(), strips.last()) else {
        return Err(gan_core::Error::Shape { expected: "rows".into(), got: "none".into() }.into());
    };
    // Strips overlap by the padding around them.
    let step = top.height() - grid.padding;
    let background = vec![BACKGROUND; bottom.channels()];
    let height = step * strips.len() + grid.padding;
    let mut picture = Image::filled(bottom.width(), height, &background)?;
    for (r, strip) in strips.iter().enumerate() {
        if (strip.height(), strip.channels()) != (top.height(), top.channels()) {
            let (expected, got) = (format!("{top:?} of one height"), format!("{strip:?}"));
            return Err(gan_core::Error::Shape { expected, got }.into());
        }
        picture.paste(strip, (bottom.width() - strip.width()) / 2, r * step);
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, columns: usize, size: usize) -> Result<Vec<Vec<Image>>, LatentError> {
        let image = |i: usize| Ok(Image::filled(size, size, &[i as u8])?);
        (0..n).map(|row| (0..columns).map(|c| image(row * columns + c)).collect()).collect()
    }

    #[test]
    fn labels_leave_the_images_whole() -> Result<(), LatentError> {
        let words = (0..12).map(|i| if i == 5 { "no Eyeglasses".into() } else { i.to_string() });
        let plain = Sheet::new(rows(12, 3, 64)?);
        let sheet = plain.clone().over_columns([0, 7, 12]).beside_rows(words).render()?;
        let (left, top) = (text::width("no Eyeglasses") + 2 * INSET, text::LINE);
        assert_eq!((sheet.width(), sheet.height()), (left + 3 * 66 + 2, top + 12 * 66 + 2));
        for value in 0..36u8 {
            let count = sheet.pixels().iter().filter(|&&p| p == value).count();
            assert_eq!(count, 64 * 64, "image {value}");
        }
        let dark = sheet.pixels().iter().filter(|p| (INK..200).contains(*p)).count();
        assert!(dark > 300, "{dark} pixels of ink");
        assert_eq!(plain.render()?.height(), 12 * 66 + 2);
        Ok(())
    }

    /// Labels beside rows stay in the middle of the images, whatever stands under these.
    #[test]
    fn captions_make_rows_higher_and_move_their_labels() -> Result<(), LatentError> {
        let plain = Sheet::new(rows(3, 2, 64)?).beside_rows(["a", "a", "a"]);
        let sheet = plain.clone().under_images(["7"; 6]).render()?;
        let plain = plain.render()?;
        assert_eq!(sheet.height(), plain.height() + 3 * text::LINE);
        let left = text::width("a") + 2 * INSET;
        for row in 0..3 {
            // The label and one padding on either side of it.
            let label = |sheet: &Image, cell: usize| -> Vec<Vec<u8>> {
                let top = 2 + row * cell + 32 - text::LINE / 2;
                let at = |i: usize| sheet.pixel(i % left, top + i / left).to_vec();
                (0..left * text::LINE).map(at).collect()
            };
            let found = label(&sheet, 66 + text::LINE);
            assert_eq!(found, label(&plain, 66), "row {row}");
            assert!(found.iter().any(|pixel| pixel[0] < 150), "row {row} has a label");
        }
        Ok(())
    }

    #[test]
    fn ragged_rows_and_none_are_refused() -> Result<(), LatentError> {
        let mut ragged = rows(2, 3, 4)?;
        ragged[1].pop();
        assert!(Sheet::new(ragged).render().is_err());
        assert!(Sheet::new(Vec::new()).render().is_err());
        Ok(())
    }

    #[test]
    fn a_triangle_has_its_rows_in_the_middle() -> Result<(), LatentError> {
        let image = |i: u8| Image::filled(64, 64, &[i]);
        let rows = vec![vec![image(1)?], vec![image(2)?, image(3)?], vec![image(4)?; 3]];
        let picture = triangle(&rows, &[])?;
        assert_eq!((picture.width(), picture.height()), (3 * 66 + 2, 3 * 66 + 2));
        assert_eq!([picture.pixel(68, 2), picture.pixel(131, 65)], [[1], [1]]);
        assert_eq!([picture.pixel(67, 2), picture.pixel(132, 65)], [[255], [255]]);
        assert_eq!([picture.pixel(35, 68), picture.pixel(101, 68)], [[2], [3]]);
        assert_eq!(picture.pixel(2, 134), [4]);
        let count = |value: u8| picture.pixels().iter().filter(|&&p| p == value).count();
        assert_eq!([count(1), count(2), count(3), count(4)], [4096, 4096, 4096, 3 * 4096]);
        assert!(triangle(&rows[1..], &[]).is_err() && triangle(&[], &[]).is_err());
        let captions: Vec<String> = (0..6).map(|i| i.to_string()).collect();
        let captioned = triangle(&rows, &captions)?;
        assert_eq!(captioned.height(), picture.height() + 3 * text::LINE);
        assert_eq!(captioned.pixel(35, 68 + text::LINE), [2]);
        Ok(())
    }

    #[test]
    fn a_frame_shows_one_column_of_all_rows() -> Result<(), LatentError> {
        let frames = frames(&rows(2, 3, 64)?)?;
        assert_eq!(frames.len(), 3);
        assert_eq!([frames[1].pixel(2, 2), frames[1].pixel(68, 2)], [[1], [4]]);
        Ok(())
    }
}
