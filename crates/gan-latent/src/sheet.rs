//! Sheets: rows of images as one picture, with numbers over the columns and beside the rows.

use gan_core::Image;
use gan_core::grid::{Grid, draw_number};

use crate::error::LatentError;

/// Pixels that a line of numbers takes.
const MARGIN: usize = 9;
/// Pixels from the edge to a number.
const INSET: usize = 3;
/// Width of a digit with the gap after it.
const DIGIT: usize = 4;
const BACKGROUND: u8 = 255;
const INK: u8 = 60;

/// Rows of equally many images of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    rows: Vec<Vec<Image>>,
    over_columns: Vec<usize>,
    beside_rows: Vec<usize>,
}

impl Sheet {
    /// A sheet without numbers.
    pub fn new(rows: Vec<Vec<Image>>) -> Self {
        Self { rows, over_columns: Vec::new(), beside_rows: Vec::new() }
    }

    /// The same sheet with a number over each column.
    pub fn over_columns(self, numbers: Vec<usize>) -> Self {
        Self { over_columns: numbers, ..self }
    }

    /// The same sheet with a number beside each row.
    pub fn beside_rows(self, numbers: Vec<usize>) -> Self {
        Self { beside_rows: numbers, ..self }
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

        let margin = |numbers: &[usize]| if numbers.is_empty() { 0 } else { MARGIN };
        let longest = self.beside_rows.iter().map(|&n| digits(n)).max().unwrap_or(1);
        let left = margin(&self.beside_rows) + (longest - 1) * DIGIT;
        let top = margin(&self.over_columns);
        let background = vec![BACKGROUND; pictures.channels()];
        let ink = vec![INK; pictures.channels()];
        let mut sheet =
            Image::filled(left + pictures.width(), top + pictures.height(), &background)?;
        sheet.paste(&pictures, left, top);
        let middle = |i: usize, size: usize| {
            let cell = size * grid.scale + grid.padding;
            grid.padding + i * cell + size * grid.scale / 2
        };
        for (i, &number) in self.over_columns.iter().enumerate() {
            let x = left + middle(i, width);
            draw_number(&mut sheet, number, x.saturating_sub(digits(number) * 2), INSET, &ink);
        }
        for (i, &number) in self.beside_rows.iter().enumerate() {
            draw_number(&mut sheet, number, INSET, top + middle(i, height) - 2, &ink);
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

/// Digits of a number as it is written.
fn digits(number: usize) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, columns: usize, size: usize) -> Result<Vec<Vec<Image>>, LatentError> {
        let image = |i: usize| Ok(Image::filled(size, size, &[i as u8])?);
        (0..n).map(|row| (0..columns).map(|c| image(row * columns + c)).collect()).collect()
    }

    #[test]
    fn numbers_leave_the_images_whole() -> Result<(), LatentError> {
        let sheet = Sheet::new(rows(12, 3, 64)?)
            .over_columns(vec![0, 7, 12])
            .beside_rows((0..12).collect())
            .render()?;
        let (left, top) = (MARGIN + DIGIT, MARGIN);
        assert_eq!((sheet.width(), sheet.height()), (left + 3 * 66 + 2, top + 12 * 66 + 2));
        for value in 0..36u8 {
            let count = sheet.pixels().iter().filter(|&&p| p == value).count();
            assert_eq!(count, 64 * 64, "image {value}");
        }
        assert!(sheet.pixels().contains(&INK));
        assert_eq!(Sheet::new(rows(12, 3, 64)?).render()?.height(), 12 * 66 + 2);
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
