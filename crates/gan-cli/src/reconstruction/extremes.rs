//! The images that an autoencoder brings back best and worst.

use gan_core::Image;
use gan_core::grid::Grid;
use serde::Serialize;

/// An image, what came back of it, and how far that is from it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Pair {
    /// Place of the image in its split.
    index: usize,
    /// Mean squared error on the scale [-1, 1].
    mse: f64,
    #[serde(skip)]
    original: Image,
    #[serde(skip)]
    decoded: Image,
}

impl Pair {
    pub(super) fn new(index: usize, mse: f64, original: Image, decoded: Image) -> Self {
        Self { index, mse, original, decoded }
    }
}

/// The pairs of the lowest or the highest errors among those offered, of equal ones the earlier.
pub(super) struct Ranking {
    highest: bool,
    most: usize,
    pairs: Vec<Pair>,
}

impl Ranking {
    pub(super) fn lowest(most: usize) -> Self {
        Self { highest: false, most, pairs: Vec::new() }
    }

    pub(super) fn highest(most: usize) -> Self {
        Self { highest: true, most, pairs: Vec::new() }
    }

    /// Takes a pair of this error if it is among the extreme ones; `pair` is asked for then alone. NaN is the highest.
    pub(super) fn offer(
        &mut self,
        mse: f64,
        pair: impl FnOnce() -> anyhow::Result<Pair>,
    ) -> anyhow::Result<()> {
        let stays = |kept: &Pair| match self.highest {
            true => kept.mse.total_cmp(&mse).is_ge(),
            false => kept.mse.total_cmp(&mse).is_le(),
        };
        let place = self.pairs.partition_point(stays);
        if place < self.most {
            self.pairs.insert(place, pair()?);
            self.pairs.truncate(self.most);
        }
        Ok(())
    }

    /// From the extreme one on.
    pub(super) fn into_pairs(self) -> Vec<Pair> {
        self.pairs
    }
}

/// Originals with their places below, over what came back with its error below.
pub(super) fn sheet(pairs: &[Pair]) -> anyhow::Result<Image> {
    let images: Vec<Image> = (pairs.iter().map(|pair| &pair.original))
        .chain(pairs.iter().map(|pair| &pair.decoded))
        .cloned()
        .collect();
    let captions = (pairs.iter().map(|pair| pair.index.to_string()))
        .chain(pairs.iter().map(|pair| format!("{:.4}", pair.mse)));
    let width = images.first().map_or(0, Image::width);
    let grid = Grid::for_images(images.len(), width).with_columns(pairs.len());
    Ok(grid.with_captions(captions).render(&images)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offers errors in order; returns the places that stay, and how many pairs were asked for.
    fn ranked(mut ranking: Ranking, errors: &[f64]) -> anyhow::Result<(Vec<usize>, usize)> {
        let mut asked = 0;
        for (i, &mse) in errors.iter().enumerate() {
            ranking.offer(mse, || {
                asked += 1;
                let gray = |value| Image::filled(28, 28, &[value]);
                Ok(Pair::new(i, mse, gray(10 + i as u8)?, gray(100 + i as u8)?))
            })?;
        }
        Ok((ranking.into_pairs().iter().map(|pair| pair.index).collect(), asked))
    }

    #[test]
    fn the_extreme_ones_stay_in_order_and_of_equals_the_first() -> anyhow::Result<()> {
        let errors = [0.3, 0.1, 0.5, 0.1, f64::NAN, 0.2, 0.5];
        assert_eq!(ranked(Ranking::lowest(3), &errors)?.0, [1, 3, 5]);
        assert_eq!(ranked(Ranking::highest(3), &errors)?.0, [4, 2, 6]);
        assert_eq!(ranked(Ranking::lowest(9), &errors)?.0, [1, 3, 5, 0, 2, 6, 4]);
        let (places, asked) = ranked(Ranking::lowest(2), &[0.1, 0.2, 0.3, 0.4, 0.2])?;
        assert_eq!((places, asked), (vec![0, 1], 2), "no picture is made of what does not stay");
        Ok(())
    }

    #[test]
    fn originals_stand_over_what_came_back() -> anyhow::Result<()> {
        let mut ranking = Ranking::highest(2);
        for (i, mse) in [0.25, 0.5].into_iter().enumerate() {
            let gray = |value| Image::filled(28, 28, &[value]);
            ranking.offer(mse, || Ok(Pair::new(i, mse, gray(10)?, gray(100 + i as u8)?)))?;
        }
        let sheet = sheet(&ranking.into_pairs())?;
        let line = gan_core::text::LINE;
        assert_eq!((sheet.width(), sheet.height()), (2 * 58 + 2, 2 * (58 + line) + 2));
        assert_eq!(sheet.pixel(4, 4), [10]);
        assert_eq!(sheet.pixel(4, 4 + 58 + line), [101], "the worst comes first");
        assert_eq!(sheet.pixel(4 + 58, 4 + 58 + line), [100]);
        Ok(())
    }
}
