//! Tables and quantities as people read them.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use gan_core::results::TestResult;
use gan_models::NetworkSummary;

/// A table with a head line; the columns of `right` are numbers.
pub(crate) fn table(head: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>().join("\n")
}

/// A network's layers as a table.
pub(crate) fn network(summary: &NetworkSummary) -> String {
    let rows = summary.layers.iter().map(|layer| {
        let shape: Vec<String> = layer.output.iter().map(ToString::to_string).collect();
        vec![
            layer.name.clone(),
            layer.kind.clone(),
            shape.join("×"),
            thousands(layer.parameters as u64),
        ]
    });
    format!(
        "{}: {} parameters\n{}",
        summary.name,
        thousands(summary.parameters as u64),
        table(&["layer", "kind", "output", "parameters"], &[3], rows.collect())
    )
}

/// What was measured on the test split, as JSON.
pub(crate) fn by_name(results: &[TestResult]) -> serde_json::Value {
    results.iter().map(|result| (result.name, result.value)).collect()
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a unit of three digits at most.
pub(crate) fn bytes(n: u64) -> String {
    let (mut value, mut unit) = (n as f64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" || value >= 10.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// A time span in the two largest units that matter.
pub(crate) fn duration(seconds: f64) -> String {
    let total = seconds.max(0.0).round() as u64;
    let (days, hours, minutes) = (total / 86_400, total / 3600 % 24, total / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds < 10.0 => format!("{seconds:.1} s"),
        (0, 0, 0) => format!("{total} s"),
        (0, 0, m) => format!("{m} min {} s", total % 60),
        (0, h, m) => format!("{h} h {m} min"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// A field of a CSV file, which may have commas, quotes or ends of lines in it (RFC 4180, section 2).
pub(crate) fn csv_field(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.into(),
    }
}

/// A word as it can be pasted into a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,=@".contains(c);
    match word.chars().all(plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(bytes(12), "12 B");
        assert_eq!(bytes(1_000), "1.0 kB");
        assert_eq!(bytes(61_500_000), "62 MB");
        assert_eq!(duration(3.21), "3.2 s");
        assert_eq!(duration(59.9), "1 min 0 s");
        assert_eq!(duration(125.0), "2 min 5 s");
        assert_eq!(duration(7_300.0), "2 h 1 min");
        assert_eq!(duration(200_000.0), "2 d 7 h");
    }

    #[test]
    fn fields_of_csv() {
        assert_eq!(csv_field("Black_Hair"), "Black_Hair");
        assert_eq!(csv_field("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(csv_field("a\rb"), "\"a\rb\"");
    }

    #[test]
    fn words_for_a_shell() {
        assert_eq!(quoted("runs/a-b.c"), "runs/a-b.c");
        assert_eq!(quoted("my father's"), "'my father'\\''s'");
    }

    #[test]
    fn numbers_stand_right() {
        let rows = vec![vec!["a".into(), "1".into()], vec!["bb".into(), "100".into()]];
        assert_eq!(table(&["name", "n"], &[1], rows), "name    n\na       1\nbb    100");
    }
}
