//! What is drawn of a series: its points where they are few, else a thinned line and its average.

/// A line to draw, in data coordinates.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Curve {
    /// The points themselves; where there are many, the lowest and highest of each stretch.
    pub(super) raw: Vec<(f64, f64)>,
    /// The moving average of a long series, and over how many points it goes.
    pub(super) average: Option<(Vec<(f64, f64)>, usize)>,
}

/// Series of more points than this get a moving average.
const LONG: usize = 150;
/// Stretches into which a long series is thinned: about one for two units of the drawing's width.
const STRETCHES: usize = 300;

impl Curve {
    /// What to draw of `points`; those that cannot be drawn are left out.
    pub(super) fn of(points: &[(f64, f64)], log_y: bool) -> Self {
        let drawable = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && (!log_y || *y > 0.0);
        let points: Vec<(f64, f64)> = points.iter().copied().filter(drawable).collect();
        if points.len() <= LONG {
            return Self { raw: points, average: None };
        }
        let window = (points.len() / 50).max(5) | 1; // odd, so that it has a middle
        let average = thinned_mean(&moving_average(&points, window));
        Self { raw: thinned_extremes(&points), average: Some((average, window)) }
    }
}

/// Mean over `window` points around each, over fewer at the ends.
fn moving_average(points: &[(f64, f64)], window: usize) -> Vec<(f64, f64)> {
    let half = window / 2;
    let mut sums = Vec::with_capacity(points.len() + 1);
    sums.push(0.0);
    for (i, (_, y)) in points.iter().enumerate() {
        sums.push(sums[i] + y);
    }
    points
        .iter()
        .enumerate()
        .map(|(i, (x, _))| {
            let (from, to) = (i.saturating_sub(half), (i + half + 1).min(points.len()));
            (*x, (sums[to] - sums[from]) / (to - from) as f64)
        })
        .collect()
}

/// The lowest and the highest point of each stretch, in their order, so that no spike is lost.
fn thinned_extremes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let length = points.len().div_ceil(STRETCHES);
    if length <= 2 {
        return points.to_vec();
    }
    let by_y = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
    points
        .chunks(length)
        .flat_map(|stretch| {
            let low = stretch.iter().min_by(by_y).copied();
            let high = stretch.iter().max_by(by_y).copied();
            match (low, high) {
                (Some(low), Some(high)) if low.0 <= high.0 => [low, high],
                (Some(low), Some(high)) => [high, low],
                _ => unreachable!("chunks are not empty"),
            }
        })
        .collect()
}

/// The middle point of each stretch and both ends, for a line that is smooth already.
fn thinned_mean(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let length = points.len().div_ceil(STRETCHES);
    if length <= 1 {
        return points.to_vec();
    }
    let middles = points.chunks(length).map(|stretch| stretch[stretch.len() / 2]);
    points.first().copied().into_iter().chain(middles).chain(points.last().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize, y: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        (0..n).map(|i| (i as f64, y(i))).collect()
    }

    #[test]
    fn a_short_series_is_drawn_as_it_is() {
        let points = line(LONG, |i| i as f64);
        assert_eq!(Curve::of(&points, false), Curve { raw: points, average: None });
    }

    #[test]
    fn the_average_of_a_constant_is_the_constant() {
        let (average, window) = Curve::of(&line(4000, |_| 3.0), false).average.expect("long");
        assert_eq!(window, 81);
        assert!(average.iter().all(|(_, y)| (y - 3.0).abs() < 1e-12));
        assert_eq!((average[0].0, average[average.len() - 1].0), (0.0, 3999.0));
    }

    #[test]
    fn a_spike_survives_thinning() {
        let spike = |i| if i == 7777 { 50.0 } else { (i % 10) as f64 };
        let curve = Curve::of(&line(20_000, spike), false);
        assert!(curve.raw.len() <= 2 * STRETCHES);
        assert!(curve.raw.contains(&(7777.0, 50.0)));
        assert!(curve.raw.is_sorted_by(|a, b| a.0 <= b.0));
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        let points = [(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 0.0), (4.0, -1.0)];
        assert_eq!(Curve::of(&points, false).raw.len(), 3);
        assert_eq!(Curve::of(&points, true).raw, [(0.0, 1.0)]);
    }
}
