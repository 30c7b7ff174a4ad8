//! Cells of a sheet: latents in rows and columns, of which a generator makes as many images.

use candle_nn::ModuleT;
use gan_core::Image;
use gan_models::LatentBatch;

use crate::error::LatentError;
use crate::latents;
use crate::sample::images_of;

/// Latents of a sheet, row after row: the one of row r and column c has the index `r · columns + c`.
#[derive(Clone, Debug)]
pub struct Cells {
    latents: LatentBatch,
    columns: usize,
}

impl Cells {
    /// Cells of as many columns as there are batches; the latents of a batch stand one below the other.
    ///
    /// # Errors
    /// If there is no batch, or they are of different sizes.
    pub fn from_columns(columns: &[LatentBatch]) -> Result<Self, LatentError> {
        let of_rows = Self::from_rows(columns)?;
        of_rows.transposed()
    }

    /// Cells of as many rows as there are batches.
    ///
    /// # Errors
    /// As [`Cells::from_columns`].
    pub fn from_rows(rows: &[LatentBatch]) -> Result<Self, LatentError> {
        let columns = rows.first().map_or(0, LatentBatch::len);
        if columns == 0 || rows.iter().any(|row| row.len() != columns) {
            let sizes: Vec<usize> = rows.iter().map(LatentBatch::len).collect();
            let reason = format!("expected rows of one length and more than 0, got {sizes:?}");
            return Err(candle_core::Error::Msg(reason).into());
        }
        let latents = latents::join(rows)?.expect("there is a first row");
        Ok(Self { latents, columns })
    }

    /// Rows as columns and columns as rows.
    ///
    /// # Errors
    /// If the device fails.
    pub fn transposed(&self) -> Result<Self, LatentError> {
        let (rows, columns) = (self.rows(), self.columns);
        let order = |i: usize| (i % rows) * columns + i / rows;
        let latents =
            latents::select(&self.latents, &(0..rows * columns).map(order).collect::<Vec<_>>())?;
        Ok(Self { latents, columns: rows })
    }

    /// All latents, row after row.
    pub fn latents(&self) -> &LatentBatch {
        &self.latents
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.latents.len() / self.columns
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The images of all cells, in rows; `progress` is told how many are done.
    ///
    /// # Errors
    /// If the generator does not fit the latents.
    pub fn images(
        &self,
        generator: &impl ModuleT,
        progress: impl Fn(usize),
    ) -> Result<Vec<Vec<Image>>, LatentError> {
        // All cells together, so that the generator's batches are full.
        let images = images_of(generator, &self.latents.encode()?, progress)?;
        Ok(images.chunks(self.columns).map(<[Image]>::to_vec).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use gan_models::Latent;

    /// Latents of one entry, from `first` on.
    fn numbers(first: u8, n: u8) -> Result<LatentBatch, LatentError> {
        let values: Vec<f32> = (first..first + n).map(f32::from).collect();
        let column = Tensor::from_vec(values, (usize::from(n), 1), &Device::Cpu)?;
        Ok(Latent::normal(1).batch(|_| Ok(column.clone()))?)
    }

    fn values(cells: &Cells) -> Result<Vec<f32>, LatentError> {
        Ok(cells.latents().encode()?.flatten_all()?.to_vec1()?)
    }

    #[test]
    fn cells_stand_row_after_row() -> Result<(), LatentError> {
        let batches = [numbers(0, 3)?, numbers(3, 3)?];
        let rows = Cells::from_rows(&batches)?;
        assert_eq!((rows.rows(), rows.columns()), (2, 3));
        assert_eq!(values(&rows)?, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let columns = Cells::from_columns(&batches)?;
        assert_eq!((columns.rows(), columns.columns()), (3, 2));
        assert_eq!(values(&columns)?, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(values(&columns.transposed()?)?, values(&rows)?);
        assert!(Cells::from_rows(&[numbers(0, 3)?, numbers(0, 2)?]).is_err());
        assert!(Cells::from_columns(&[]).is_err());
        Ok(())
    }
}
