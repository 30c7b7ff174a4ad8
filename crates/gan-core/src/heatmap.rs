//! Heat maps: a table of signed numbers as a picture, blue below 0, white at it, vermilion above.

use crate::error::{Error, Result};
use crate::image::Image;
use crate::text;

/// A table to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heatmap {
    /// What stands beside the rows.
    pub rows: Vec<String>,
    /// What stands over the columns, running upwards.
    pub columns: Vec<String>,
    /// A row of values a row; each is written into its cell without decimals.
    pub values: Vec<Vec<f64>>,
    /// The size of a value that has the full color.
    pub limit: f64,
}

/// Width and height of a cell in pixels.
const CELL: (usize, usize) = (34, 20);
const INSET: usize = 4;
/// Okabe and Ito's blue and vermilion, as in the plots.
const BELOW: [f64; 3] = [0.0, 114.0, 178.0];
const ABOVE: [f64; 3] = [213.0, 94.0, 0.0];
const INK: [u8; 3] = [60, 60, 60];
const WHITE: [u8; 3] = [255, 255, 255];

impl Heatmap {
    /// The table as a picture.
    ///
    /// # Errors
    /// If there are no cells, or rows or columns are not as many as they have names.
    pub fn image(&self) -> Result<Image> {
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let whole = self.values.len() == rows && self.values.iter().all(|r| r.len() == columns);
        if rows * columns == 0 || !whole {
            return Err(Error::Shape {
                expected: format!("{rows} rows of {columns} values, one or more"),
                got: format!("{} rows", self.values.len()),
            });
        }
        let widest = |names: &[String]| names.iter().map(|n| text::width(n)).max().unwrap_or(0);
        let (left, top) = (widest(&self.rows) + 2 * INSET, widest(&self.columns) + 2 * INSET);
        let (width, height) = (left + columns * CELL.0 + INSET, top + rows * CELL.1 + INSET);
        let mut picture = Image::filled(width, height, &WHITE)?;
        for (j, name) in self.columns.iter().enumerate() {
            let upwards = upwards(name)?;
            let x = left + j * CELL.0 + (CELL.0 - text::LINE) / 2;
            picture.paste(&upwards, x, top - INSET - upwards.height());
        }
        for (i, (name, values)) in self.rows.iter().zip(&self.values).enumerate() {
            let y = top + i * CELL.1;
            let under = (CELL.1 - text::LINE) / 2;
            text::draw(&mut picture, name, left - INSET - text::width(name), y + under, &INK);
            for (j, value) in values.iter().enumerate() {
                self.cell(&mut picture, *value, (left + j * CELL.0, y))?;
            }
        }
        Ok(picture)
    }

    fn cell(&self, picture: &mut Image, value: f64, (x, y): (usize, usize)) -> Result<()> {
        let strength = (value.abs() / self.limit.max(f64::MIN_POSITIVE)).min(1.0);
        let full = if value < 0.0 { BELOW } else { ABOVE };
        let color = full.map(|c| (255.0 + (c - 255.0) * strength).round() as u8);
        // A pixel of white between cells.
        picture.paste(&Image::filled(CELL.0 - 1, CELL.1 - 1, &color)?, x, y);
        let rounded = value.round();
        let number = match rounded == 0.0 || value.is_nan() {
            true => "0".to_string(),
            false => format!("{rounded:+}").replace('-', "−"),
        };
        let ink = if strength > 0.6 { WHITE } else { INK };
        let at = x + CELL.0.saturating_sub(text::width(&number)) / 2;
        text::draw(picture, &number, at, y + (CELL.1 - text::LINE) / 2, &ink);
        Ok(())
    }
}

/// A line of text turned by a quarter to the left.
fn upwards(line: &str) -> Result<Image> {
    let (width, height) = (text::width(line).max(1) + 1, text::LINE);
    let mut flat = Image::filled(width, height, &WHITE)?;
    text::draw(&mut flat, line, 0, 0, &INK);
    let mut turned = Image::filled(height, width, &WHITE)?;
    for y in 0..height {
        for x in 0..width {
            turned.set_pixel(y, width - 1 - x, flat.pixel(x, y));
        }
    }
    Ok(turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Heatmap {
        Heatmap {
            rows: vec!["first".into(), "second".into()],
            columns: vec!["Smiling".into(), "Male".into(), "No".into()],
            values: vec![vec![100.0, 0.0, -50.0], vec![0.2, -100.0, 250.0]],
            limit: 100.0,
        }
    }

    #[test]
    fn cells_have_the_color_of_their_value() -> Result<()> {
        let picture = table().image()?;
        let left = text::width("second") + 2 * INSET;
        let top = text::width("Smiling") + 2 * INSET;
        let corner =
            |i: usize, j: usize| picture.pixel(left + j * CELL.0 + 1, top + i * CELL.1 + 1);
        assert_eq!(corner(0, 0), [213, 94, 0]);
        assert_eq!(corner(0, 1), [255, 255, 255]);
        assert_eq!(corner(0, 2), [128, 185, 217]);
        assert_eq!(corner(1, 1), [0, 114, 178]);
        assert_eq!(corner(1, 2), [213, 94, 0], "what is beyond the limit has its color");
        assert_eq!(picture.width(), left + 3 * CELL.0 + INSET);
        Ok(())
    }

    #[test]
    fn a_turned_line_reads_upwards() -> Result<()> {
        let turned = upwards("L")?;
        let dark = |x: usize, y: usize| turned.pixel(x, y)[0] < 200;
        let bottom = (0..turned.width()).filter(|x| dark(*x, turned.height() - 2)).count();
        let top = (0..turned.width()).filter(|x| dark(*x, 1)).count();
        assert!(bottom > 5 && top < bottom, "the stem of the L lies at the bottom: {bottom} {top}");
        Ok(())
    }

    #[test]
    fn a_ragged_table_is_refused() {
        let mut ragged = table();
        ragged.values[1].pop();
        ragged.image().expect_err("two of three");
        Heatmap::default().image().expect_err("no cells");
    }
}
