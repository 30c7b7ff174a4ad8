//! Robust statistics of short series.

/// The middle value; the lower of two, and 0 of none.
pub(super) fn median(values: impl IntoIterator<Item = f32>) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// How far the 10th and the 90th percentile lie apart.
pub(super) fn spread(values: impl IntoIterator<Item = f32>) -> f64 {
    let sorted = sorted(values);
    quantile(&sorted, 0.9) - quantile(&sorted, 0.1)
}

fn sorted(values: impl IntoIterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.into_iter().collect();
    values.sort_by(f32::total_cmp);
    values
}

fn quantile(sorted: &[f32], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share) as usize).map_or(0.0, |&value| f64::from(value))
}

/// A periodic movement in a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Swing {
    /// Values from one crest to the next.
    pub(super) period: usize,
    /// Autocorrelation one period later, at most 1.
    pub(super) peak: f64,
    /// Lowest autocorrelation before that, near −1 for a clean cycle.
    pub(super) trough: f64,
    /// How far the 10th and the 90th percentile lie apart, smoothed and without trend.
    pub(super) spread: f64,
}

/// Values over which a series is averaged before its period is looked for.
///
/// The see-saw of the two networks from step to step is healthy (autocorrelation 0.6 two steps
/// later in runs that end well); a mean of 4 takes out periods 2 and 4 entirely.
const SMOOTHING: usize = 4;

/// The clearest periodic movement of at most half the length of `series`; none where the
/// autocorrelation never falls below 0.
pub(super) fn swing(series: &[f32]) -> Option<Swing> {
    let smooth: Vec<f64> = series
        .windows(SMOOTHING)
        .map(|values| values.iter().copied().map(f64::from).sum::<f64>() / SMOOTHING as f64)
        .collect();
    let moves = without_trend(&smooth);
    let correlations = autocorrelations(&moves)?;
    let zero = correlations.iter().position(|&c| c <= 0.0)?;
    let (period, peak) = correlations
        .iter()
        .copied()
        .enumerate()
        .skip(zero)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let trough = correlations[zero..=period].iter().copied().fold(0.0, f64::min);
    let spread = spread(moves.iter().map(|&value| value as f32));
    Some(Swing { period, peak, trough, spread })
}

/// Subtracts the line of least squares.
fn without_trend(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / n;
    let (mut products, mut squares) = (0.0, 0.0);
    for (i, value) in values.iter().enumerate() {
        let x = i as f64 - middle;
        products += x * (value - mean);
        squares += x * x;
    }
    let slope = if squares > 0.0 { products / squares } else { 0.0 };
    values.iter().enumerate().map(|(i, v)| v - mean - slope * (i as f64 - middle)).collect()
}

/// Autocorrelation at lags 0 to half the length, over the whole variance: a clean cycle of period p
/// in n values has 1 − p/n at lag p. None where nothing moves.
fn autocorrelations(moves: &[f64]) -> Option<Vec<f64>> {
    let variance: f64 = moves.iter().map(|v| v * v).sum();
    if !(variance > 0.0 && variance.is_finite()) {
        return None;
    }
    let at = |lag: usize| -> f64 {
        moves.iter().zip(&moves[lag..]).map(|(a, b)| a * b).sum::<f64>() / variance
    };
    Some((0..=moves.len() / 2).map(at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spreads() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
        assert_eq!(spread((0..=100).map(|i| i as f32)), 80.0);
        assert_eq!(spread([5.0; 9]), 0.0);
    }

    #[test]
    fn a_cycle_on_a_slope_is_found() {
        let cycle = |i: usize| (std::f32::consts::TAU * i as f32 / 32.0).sin() + 0.05 * i as f32;
        let swing = swing(&(0..256).map(cycle).collect::<Vec<_>>()).expect("it moves");
        assert!((31..=33).contains(&swing.period), "{swing:?}");
        assert!(swing.peak > 0.8 && swing.trough < -0.8, "{swing:?}");
        assert!((1.6..2.0).contains(&swing.spread), "{swing:?}");
    }

    #[test]
    fn a_see_saw_from_step_to_step_is_none() {
        let series: Vec<f32> = (0..256).map(|i| if i % 2 == 0 { 1.0 } else { 3.0 }).collect();
        assert_eq!(swing(&series), None);
        assert_eq!(swing(&[2.0; 64]), None);
    }
}
