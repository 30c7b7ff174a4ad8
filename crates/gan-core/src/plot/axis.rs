//! One axis: its ends, where its ticks stand and what is written at them.

/// Ends and ticks of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// Values with what is written beside them.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis that holds all of `low..=high`, which are finite, and positive where `log`.
    ///
    /// `margin` is the part of the axis that stays free at either end.
    pub(super) fn new(low: f64, high: f64, log: bool, margin: f64) -> Self {
        let (low, high) = if log { (low.log10(), high.log10()) } else { (low, high) };
        let (mut low, mut high) = (low.min(high), low.max(high));
        if high - low <= 1e-9 * high.abs().max(low.abs()).max(1e-300) {
            let half = if log { 0.5 } else { (0.05 * high.abs()).max(1e-6) };
            (low, high) = (low - half, high + half);
        }
        let free = (high - low) * margin;
        (low, high) = (low - free, high + free);
        let ticks = if log { log_ticks(low, high) } else { ticks_between(low, high) };
        Self { low, high, log, ticks }
    }

    /// Where a value stands: 0 at the low end, 1 at the high end; what is outside stands at the edge.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// About how many ticks an axis gets.
const TICKS: f64 = 6.0;

/// Multiples of 1, 2 or 5 times a power of ten.
fn ticks_between(low: f64, high: f64) -> Vec<(f64, String)> {
    let rough = (high - low) / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough * 0.8);
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let largest = low.abs().max(high.abs());
    (first..=last)
        .map(|i| {
            let value = i as f64 * step;
            (value, label(value, step, largest))
        })
        .collect()
}

/// Powers of ten, on short axes with 2 and 5 between them; ends are logarithms.
fn log_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let stride = (((high - low) / 7.0).ceil() as i32).max(1);
    let powers = (low.floor() as i32..=high.ceil() as i32).filter(|p| p % stride == 0);
    let at = |factors: &[f64]| -> Vec<(f64, String)> {
        let values = powers.clone().flat_map(|p| factors.iter().map(move |f| f * 10f64.powi(p)));
        values
            .filter(|v| (low - 1e-9..=high + 1e-9).contains(&v.log10()))
            .map(|v| (v, label(v, v, v)))
            .collect()
    };
    [&[1.0][..], &[1.0, 2.0, 5.0]]
        .into_iter()
        .map(at)
        .find(|ticks| ticks.len() >= 3)
        .unwrap_or_else(|| ticks_between(10f64.powf(low), 10f64.powf(high)))
}

/// A value in as many digits as tell it from its neighbor; thousands and millions are abbreviated
/// where the largest value of the axis asks for it.
fn label(value: f64, step: f64, largest: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let (unit, sign) = match largest {
        l if !(1e-4..1e15).contains(&l) => return scientific(value),
        l if l >= 1e9 => (1e9, "G"),
        l if l >= 1e6 => (1e6, "M"),
        l if l >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let digits = (-(step / unit).log10() - 1e-9).ceil().clamp(0.0, 9.0) as usize;
    format!("{:.digits$}{sign}", value / unit).replace('-', "−")
}

/// A value of one or two digits and its power of ten.
fn scientific(value: f64) -> String {
    format!("{value:.1e}").replace(".0e", "e").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(axis: Axis, expected: &[&str]) {
        let labels: Vec<&str> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, expected);
        assert!(axis.ticks.iter().all(|(v, _)| (-1e-6..=1.0 + 1e-6).contains(&axis.place(*v))));
    }

    #[test]
    fn ticks_are_round_numbers() {
        check(Axis::new(0.0, 1.0, false, 0.0), &["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(Axis::new(0.0, 200_000.0, false, 0.0), &["0", "50k", "100k", "150k", "200k"]);
        check(Axis::new(0.0, 2500.0, false, 0.0), &["0", "500", "1000", "1500", "2000", "2500"]);
        check(Axis::new(-3.0, 3.0, false, 0.0), &["−3", "−2", "−1", "0", "1", "2", "3"]);
        check(Axis::new(0.0, 1_600_000.0, false, 0.0), &["0", "0.5M", "1.0M", "1.5M"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_or_parts_of_one() {
        check(Axis::new(1e-3, 1.0, true, 0.0), &["0.001", "0.01", "0.1", "1"]);
        check(Axis::new(1.0, 20.0, true, 0.0), &["1", "2", "5", "10", "20"]);
        check(Axis::new(1e-6, 1e-5, true, 0.0), &["1e−6", "2e−6", "5e−6", "1e−5"]);
    }

    #[test]
    fn one_value_stands_in_the_middle() {
        for value in [0.0, 3.0, -2e9, 1e-12] {
            let axis = Axis::new(value, value, false, 0.05);
            assert!((axis.place(value) - 0.5).abs() < 1e-6, "{value}");
        }
        assert!((Axis::new(7.0, 7.0, true, 0.0).place(7.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn what_is_outside_stands_at_the_edge() {
        let axis = Axis::new(0.0, 1.0, false, 0.0);
        assert_eq!((axis.place(-5.0), axis.place(0.25), axis.place(9.0)), (0.0, 0.25, 1.0));
    }
}
