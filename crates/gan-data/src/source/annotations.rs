//! CelebA's two text files: 40 attributes a picture, and the official split. Lines end in CRLF or LF.

use std::collections::HashMap;
use std::path::Path;

use crate::error::DataError;
use crate::shape::Split;

/// `list_attr_celeba.txt`: a count, a line of names, then a file name and −1 or 1 an attribute.
#[derive(Debug)]
pub(crate) struct Attributes {
    /// Names of the columns.
    pub(crate) names: Vec<String>,
    rows: HashMap<String, usize>,
    values: Vec<u8>, // [rows, names], 0 or 1
}

impl Attributes {
    /// Reads the file, adding its bytes to `hasher`.
    pub(crate) fn read(path: &Path, hasher: &mut blake3::Hasher) -> Result<Self, DataError> {
        let bytes = fs_err::read(path)?;
        hasher.update(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        Self::parse(&text).map_err(|(line, found)| wrong(path, "CelebA's attributes", line, found))
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
        let first = lines.next().map_or("", |(_, line)| line.trim());
        let count: usize =
            first.parse().map_err(|_| (1, format!("{first:?} in place of a count")))?;
        let names: Vec<String> =
            lines.next().map_or("", |(_, line)| line).split_whitespace().map(Into::into).collect();
        if names.is_empty() {
            return Err((2, "no attribute names".into()));
        }
        let mut table = Self { names, rows: HashMap::new(), values: Vec::new() };
        for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
            table.add(row).map_err(|found| (line, found))?;
        }
        match table.rows.len() {
            rows if rows == count => Ok(table),
            rows => Err((1, format!("a count of {count} above {rows} rows"))),
        }
    }

    fn add(&mut self, row: &str) -> Result<(), String> {
        let mut fields = row.split_whitespace();
        let name = fields.next().unwrap_or_default();
        let before = self.values.len();
        for field in fields {
            self.values.push(match field {
                "1" => 1,
                "-1" | "0" => 0,
                _ => return Err(format!("{field:?} in place of 1 or -1 for {name}")),
            });
        }
        let columns = self.values.len() - before;
        if columns != self.names.len() {
            return Err(format!("{columns} values for {} names", self.names.len()));
        }
        match self.rows.insert(name.into(), self.rows.len()) {
            None => Ok(()),
            Some(_) => Err(format!("a second row for {name}")),
        }
    }

    /// The values of one picture, 0 or 1.
    pub(crate) fn of(&self, name: &str) -> Option<&[u8]> {
        let row = *self.rows.get(name)?;
        Some(&self.values[row * self.names.len()..][..self.names.len()])
    }
}

/// `list_eval_partition.txt`: a file name and 0, 1 or 2 a line.
#[derive(Debug)]
pub(crate) struct Partition(HashMap<String, Split>);

impl Partition {
    /// Reads the file, adding its bytes to `hasher`.
    pub(crate) fn read(path: &Path, hasher: &mut blake3::Hasher) -> Result<Self, DataError> {
        let bytes = fs_err::read(path)?;
        hasher.update(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        Self::parse(&text).map_err(|(line, found)| wrong(path, "CelebA's split", line, found))
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut splits = HashMap::new();
        for (i, row) in text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty()) {
            let mut fields = row.split_whitespace();
            let (name, number) = (fields.next().unwrap_or_default(), fields.next());
            let split = number
                .and_then(|number| Split::from_number(number.parse().ok()?))
                .filter(|_| fields.next().is_none())
                .ok_or_else(|| (i + 1, format!("{:?}", row.trim())))?;
            if splits.insert(name.to_string(), split).is_some() {
                return Err((i + 1, format!("a second row for {name}")));
            }
        }
        Ok(Self(splits))
    }

    /// The split of one picture.
    pub(crate) fn of(&self, name: &str) -> Option<Split> {
        self.0.get(name).copied()
    }
}

fn wrong(path: &Path, what: &str, line: usize, found: String) -> DataError {
    DataError::Content {
        path: path.into(),
        expected: format!("{what} as in the official file"),
        found: format!("{found} in line {line}"),
        remedy: "restore the official file".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_do_not_matter() {
        for end in ["\n", "\r\n"] {
            let text = ["2", "Male Smiling ", "000001.jpg -1  1", "000002.jpg  1 -1", ""].join(end);
            let table = Attributes::parse(&text).expect("well formed");
            assert_eq!(table.names, ["Male", "Smiling"]);
            assert_eq!(table.of("000001.jpg"), Some(&[0, 1][..]));
            assert_eq!(table.of("000002.jpg"), Some(&[1, 0][..]));
            assert_eq!(table.of("000003.jpg"), None);
            let split = Partition::parse(&["000001.jpg 0", "000002.jpg 2"].join(end));
            let split = split.expect("well formed");
            assert_eq!(split.of("000001.jpg"), Some(Split::Train));
            assert_eq!(split.of("000002.jpg"), Some(Split::Test));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let check = |text: &str, line: usize, part: &str| {
            let (at, found) = Attributes::parse(text).expect_err("malformed");
            assert!(at == line && found.contains(part), "line {at}: {found}");
        };
        check("", 1, "count");
        check("x\nMale\n", 1, "count");
        check("1\n\n", 2, "names");
        check("2\nMale\na.jpg 1\n", 1, "2 above 1");
        check("1\nMale Smiling\na.jpg 1\n", 3, "1 values for 2");
        check("1\nMale\na.jpg 7\n", 3, "\"7\"");
        check("2\nMale\na.jpg 1\na.jpg 1\n", 4, "second row");
        for text in ["a.jpg 3", "a.jpg", "a.jpg 1 1", "a.jpg 1\na.jpg 1"] {
            Partition::parse(text).expect_err(text);
        }
    }
}
