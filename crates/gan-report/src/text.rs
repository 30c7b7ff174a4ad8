//! Numbers, times and JSON values as people read them.

use serde_json::Value;

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A value in about four digits.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        a if (1000.0..1e15).contains(&a) => {
            let sign = if value < 0.0 { "−" } else { "" };
            format!("{sign}{}", grouped(a.round() as u64))
        }
        a if a >= 100.0 => format!("{value:.0}"),
        a if a >= 10.0 => format!("{value:.1}"),
        a if a >= 0.001 || a == 0.0 => format!("{value:.3}"),
        _ => format!("{value:.2e}"),
    }
}

/// Seconds as `2 h 05 min`, `3 min 12 s` or `4.2 s`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".into();
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole / 3600 {
        0 => format!("{} min {:02} s", whole / 60, whole % 60),
        hours => format!("{hours} h {:02} min", whole % 3600 / 60),
    }
}

/// `2026-11-21T23:52:27Z` as `2026-11-21 23:52 UTC`; anything else as it is.
pub(crate) fn moment(rfc3339: &str) -> String {
    match (rfc3339.split_once('T'), rfc3339.ends_with('Z')) {
        (Some((day, time)), true) if time.is_char_boundary(5) && time.len() > 5 => {
            format!("{day} {} UTC", &time[..5])
        }
        _ => rfc3339.into(),
    }
}

/// All values of a JSON document by their path, in a form that fits a table: long lists are cut,
/// lists of objects are counted.
pub(crate) fn flattened(value: &Value) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    flatten("", value, &mut rows);
    rows
}

fn flatten(path: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    /// Longer lists are cut.
    const ITEMS: usize = 40;
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, field, rows);
            }
        }
        Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) => {
            rows.push((path.into(), format!("{} entries", items.len())));
        }
        Value::Array(items) => {
            let mut shown: Vec<String> = items.iter().take(ITEMS).map(scalar).collect();
            if items.len() > ITEMS {
                shown.push(format!("… ({} in all)", items.len()));
            }
            rows.push((path.into(), shown.join(", ")));
        }
        Value::Null => {}
        value => rows.push((path.into(), scalar(value))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => match value.as_u64() {
            Some(n) if n >= 10_000 => grouped(n),
            _ => value.to_string(),
        },
    }
}

/// The last `n` lines of a text.
pub(crate) fn tail(text: &str, n: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(n)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (value, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")] {
            assert_eq!(grouped(value), expected);
        }
        for (value, expected) in [
            (0.0, "0.000"),
            (0.5, "0.500"),
            (1.38629, "1.386"),
            (42.42, "42.4"),
            (150.0, "150"),
            (-12345.6, "−12,346"),
            (0.0002, "2.00e-4"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn times_read_well() {
        for (seconds, expected) in [
            (4.2, "4.2 s"),
            (59.97, "1 min 00 s"),
            (192.0, "3 min 12 s"),
            (7500.0, "2 h 05 min"),
            (f64::NAN, "unknown"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(moment("2026-11-21T23:52:27Z"), "2026-11-21 23:52 UTC");
        assert_eq!(moment("yesterday"), "yesterday");
        assert_eq!(moment("T€€Z"), "T€€Z");
    }

    #[test]
    fn json_is_flattened() {
        let value = serde_json::json!({
            "image": {"channels": 3}, "none": null, "names": ["a", "b"], "shards": [{"n": 1}, {"n": 2}],
            "count": 200_000
        });
        let rows = flattened(&value);
        let row = |path: &str| rows.iter().find(|(p, _)| p == path).map(|(_, v)| v.as_str());
        assert_eq!(row("image.channels"), Some("3"));
        assert_eq!(row("names"), Some("a, b"));
        assert_eq!(row("shards"), Some("2 entries"));
        assert_eq!(row("count"), Some("200,000"));
        assert_eq!(row("none"), None);
    }
}
