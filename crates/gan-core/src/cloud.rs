//! Maps of points: dots in a square, seen along their first two coordinates.

use crate::error::Result;
use crate::image::Image;

/// Side of a map in pixels.
const SIDE: usize = 512;

/// Distance from 0 that a map needs to show all `points` with a margin.
pub fn reach(points: &[Vec<f32>]) -> f32 {
    let coordinates = points.iter().flat_map(|point| point.iter().take(2));
    coordinates.fold(f32::MIN_POSITIVE, |reach, x| reach.max(x.abs())) * 1.1
}

/// Points as dots that darken where many fall on one pixel, in the square from −`reach` to `reach`. What lies beyond is
/// left out.
pub fn map(points: &[Vec<f32>], reach: f32) -> Result<Image> {
    let coordinate = |point: &[f32], axis: usize| point.get(axis).copied().unwrap_or(0.0);
    let pixel = |x: f32| (((x / reach + 1.0) / 2.0 * SIDE as f32) as usize).min(SIDE - 1);
    let mut picture = Image::filled(SIDE, SIDE, &[255])?;
    for point in points {
        let (x, y) = (coordinate(point, 0), coordinate(point, 1));
        if !(x.abs() <= reach && y.abs() <= reach) {
            continue;
        }
        let (x, y) = (pixel(x), pixel(-y));
        let darker = picture.pixel(x, y)[0].saturating_sub(96);
        picture.set_pixel(x, y, &[darker]);
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_lie_where_their_points_do() -> Result<()> {
        let points = [vec![0.5, 0.5], vec![0.5, 0.5], vec![-0.9, 0.0, 7.0], vec![5.0, 0.0]];
        let picture = map(&points, 1.0)?;
        assert_eq!(picture.pixel(SIDE * 3 / 4, SIDE / 4), [255 - 2 * 96]);
        let dots = |p: &Image| p.pixels().iter().filter(|&&value| value < 255).count();
        assert_eq!(dots(&picture), 2, "two of one place, one beyond");
        assert!((reach(&points) - 5.5).abs() < 1e-6);
        Ok(())
    }
}
