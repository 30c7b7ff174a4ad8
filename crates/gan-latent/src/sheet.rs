//! Sheets: rows of images as one picture, with labels over the columns and beside the rows.

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
}

impl Sheet {
    /// A sheet without labels.
    pub fn new(rows: Vec<Vec<Image>>) -> Self {
        Self { rows, over_columns: Vec::new(), beside_rows: Vec::new() }
    }

    /// The same sheet with a label over each column, cut where it is wider.
    pub fn over_columns<L: ToString>(self, labels: impl IntoIterator<Item = L>) -> Self {
        Self { over_columns: labels.into_iter().map(|label| label.to_string()).collect(), ..self }
    }

    /// The same sheet with a label beside each row.
    pub fn beside_rows<L: ToString>(self, labels: impl IntoIterator<Item = L>) -> Self {
        Self { beside_rows: labels.into_iter().map(|label| label.to_string()).collect(), ..self }
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
        let grid = Grid::for_images(images.len(), width).with_columns(columns);
        let pictures = grid.render(&images)?;

        let widest = self.beside_rows.iter().map(|label| text::width(label)).max();
        let left = widest.map_or(0, |width| width + 2 * INSET);
        let top = if self.over_columns.is_empty() { 0 } else { text::LINE };
        let background = vec![BACKGROUND; pictures.channels()];
        let ink = vec![INK; pictures.channels()];
        let mut sheet =
            Image::filled(left + pictures.width(), top + pictures.height(), &background)?;
        sheet.paste(&pictures, left, top);
        let middle = |i: usize, size: usize| {
            let cell = size * grid.scale + grid.padding;
            grid.padding + i * cell + size * grid.scale / 2
        };
        for (i, label) in self.over_columns.iter().enumerate() {
            let label = text::fitted(label, width * grid.scale);
            let x = left + middle(i, width) - text::width(&label) / 2;
            text::draw(&mut sheet, &label, x, 0, &ink);
        }
        for (i, label) in self.beside_rows.iter().enumerate() {
            let x = left - INSET - text::width(label);
            let y = (top + middle(i, height)).saturating_sub(text::LINE / 2);
            text::draw(&mut sheet, label, x, y, &ink);
        }
        Ok(sheet)
    }
}

/// Rows as columns and columns as rows.
pub fn transposed(rows: Vec<Vec<Image>>) -> Vec<Vec<Image>> {
    let mut columns: Vec<Vec<Image>> = Vec::new();
    for (i, image) in rows.into_iter().flat_map(|row| row.into_iter().enumerate()) {
        match columns.get_mut(i) {
            Some(column) => column.push(image),
            None => columns.push(vec![image]),
        }
    }
    columns
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

    #[test]
    fn ragged_rows_and_none_are_refused() -> Result<(), LatentError> {
        let mut ragged = rows(2, 3, 4)?;
        ragged[1].pop();
        assert!(Sheet::new(ragged).render().is_err());
        assert!(Sheet::new(Vec::new()).render().is_err());
        Ok(())
    }

    #[test]
    fn transposing_twice_changes_nothing() -> Result<(), LatentError> {
        let some = rows(2, 3, 1)?;
        let turned = transposed(some.clone());
        assert_eq!((turned.len(), turned[0].len()), (3, 2));
        assert_eq!(turned[2][1], some[1][2]);
        assert_eq!(transposed(turned), some);
        Ok(())
    }
}
