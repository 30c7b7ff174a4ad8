//! Tables beside pictures: binary attributes and splits, in CelebA's official text form (lines end in
//! CRLF or LF) or as comma-separated values with a head line, as Kaggle distributes them.

use std::collections::HashMap;

use crate::shape::Split;

/// Binary attributes of pictures.
///
/// Either `list_attr_celeba.txt`: a count, a line of names, then a file name and −1 or 1 an attribute;
/// or CSV: `image_id` and the names, then the same rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// Names of the columns.
    pub(crate) names: Vec<String>,
    rows: HashMap<String, usize>,
    values: Vec<u8>, // [rows, names], 0 or 1
}

impl Attributes {
    /// The error is the number of a line and what was found in it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, (usize, String)> {
        let text = text(bytes);
        let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
        let first = lines.next().map_or("", |(_, line)| line.trim());
        let (count, head, form) = if first.contains(',') {
            (None, first, Form::Csv)
        } else {
            let count: usize =
                first.parse().map_err(|_| (1, format!("{} in place of a count", shown(first))))?;
            (Some(count), lines.next().map_or("", |(_, line)| line), Form::Text)
        };
        let names: Vec<String> = match form {
            Form::Csv => head.split(',').skip(1).map(|name| bare(name).to_string()).collect(),
            Form::Text => head.split_ascii_whitespace().map(Into::into).collect(),
        };
        let at = if count.is_some() { 2 } else { 1 };
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err((at, "no attribute names".into()));
        }
        if names.iter().all(|name| matches!(name.as_str(), "1" | "-1" | "0")) {
            return Err((at, "values in place of attribute names".into()));
        }
        if let Some(name) = first_repeated(&names) {
            return Err((at, format!("the attribute {} twice", shown(name))));
        }
        let mut table = Self { names, rows: HashMap::new(), values: Vec::new() };
        for (line, row) in lines.filter(|(_, row)| !row.trim_ascii().is_empty()) {
            table.add(row, form).map_err(|found| (line, found))?;
        }
        match (count, table.rows.len()) {
            (Some(count), rows) if rows != count => {
                Err((1, format!("a count of {count} above {rows} rows")))
            }
            _ => Ok(table),
        }
    }

    fn add(&mut self, row: &str, form: Form) -> Result<(), String> {
        let before = self.values.len();
        let name = match form {
            Form::Csv => {
                let mut fields = row.trim_ascii().split(',').map(bare);
                let name = fields.next().unwrap_or_default();
                self.add_values(name, fields)?;
                name
            }
            Form::Text => {
                let mut fields = row.split_ascii_whitespace();
                let name = fields.next().unwrap_or_default();
                self.add_values(name, fields)?;
                name
            }
        };
        let columns = self.values.len() - before;
        if columns != self.names.len() {
            return Err(format!("{columns} values for {} names", self.names.len()));
        }
        match self.rows.insert(name.into(), self.rows.len()) {
            None => Ok(()),
            Some(_) => Err(format!("a second row for {}", shown(name))),
        }
    }

    fn add_values<'a>(
        &mut self,
        name: &str,
        fields: impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        for field in fields {
            self.values.push(match field {
                "1" => 1,
                "-1" | "0" => 0,
                _ => {
                    return Err(format!(
                        "{} in place of 1 or -1 for {}",
                        shown(field),
                        shown(name)
                    ));
                }
            });
        }
        Ok(())
    }

    /// The values of one picture, 0 or 1.
    pub(crate) fn of(&self, name: &str) -> Option<&[u8]> {
        let row = *self.rows.get(name)?;
        Some(&self.values[row * self.names.len()..][..self.names.len()])
    }
}

/// Which split each picture is for.
///
/// A file name and 0, 1 or 2 a line as in `list_eval_partition.txt`, or `train`, `valid`, `test`; apart by
/// white space, a comma or a tab, with or without a head line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partition(HashMap<String, Split>);

impl Partition {
    /// The error is the number of a line and what was found in it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, (usize, String)> {
        let text = text(bytes);
        let mut splits = HashMap::new();
        for (i, row) in text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty()) {
            let row = row.trim_ascii();
            let fields = row.rsplit_once([',', '\t']).or_else(|| row.rsplit_once(' '));
            let parsed = fields.map(|(name, split)| (bare(name), bare(split).parse::<Split>()));
            let (name, split) = match parsed {
                Some((name, Ok(split))) if !name.is_empty() => (name, split),
                // `image_id,partition`: what would be the name of a picture is none.
                Some((name, _)) if i == 0 && is_head(row, name) => continue,
                _ => return Err((i + 1, shown(row))),
            };
            if splits.insert(name.to_string(), split).is_some() {
                return Err((i + 1, format!("a second row for {}", shown(name))));
            }
        }
        Ok(Self(splits))
    }

    /// The split of one picture.
    pub(crate) fn of(&self, name: &str) -> Option<Split> {
        self.0.get(name).copied()
    }
}

/// Whether a first row with this first field is a head line.
fn is_head(row: &str, name: &str) -> bool {
    row.contains([',', '\t']) && !name.contains('.')
}

/// How the fields of a row are apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Csv,
}

/// The text of a file, without the mark that Windows editors put at its beginning.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// A field without the quotes that spreadsheets put round it.
fn bare(field: &str) -> &str {
    let field = field.trim_ascii();
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field)
}

fn first_repeated(names: &[String]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    names.iter().find(|name| !seen.insert(name.as_str())).map(String::as_str)
}

/// Part of a file as a message can show it: quoted, and not too much of it.
fn shown(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_forms_do_not_matter() {
        for end in ["\n", "\r\n"] {
            let text = ["2", "Male Smiling ", "000001.jpg -1  1", "000002.jpg  1 -1", ""].join(end);
            let csv = ["image_id,Male,Smiling", "000001.jpg,-1,1", "000002.jpg,1,-1"].join(end);
            let table = Attributes::parse(text.as_bytes()).expect("well formed");
            assert_eq!(table.names, ["Male", "Smiling"]);
            assert_eq!(table.of("000001.jpg"), Some(&[0, 1][..]));
            assert_eq!(table.of("000002.jpg"), Some(&[1, 0][..]));
            assert_eq!(table.of("000003.jpg"), None);
            assert_eq!(Attributes::parse(csv.as_bytes()).as_ref(), Ok(&table));
            let quoted = csv.replace("000001.jpg", "\"000001.jpg\"").replace("Male", "\"Male\"");
            assert_eq!(Attributes::parse(quoted.as_bytes()), Ok(table));
            for rows in [
                ["000001.jpg 0", "img/my dog.jpg 2"],
                ["000001.jpg,train", "\"img/my dog.jpg\",\"test\""],
                ["image_id,partition\n000001.jpg,0", "img/my dog.jpg,2"],
                ["\u{feff}000001.jpg\tTrain", "img/my dog.jpg\tTEST"],
            ] {
                let split = Partition::parse(rows.join(end).as_bytes()).expect("well formed");
                assert_eq!(split.of("000001.jpg"), Some(Split::Train));
                assert_eq!(split.of("img/my dog.jpg"), Some(Split::Test));
                assert_eq!(split.of("my dog.jpg"), None);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let check = |text: &str, line: usize, part: &str| {
            let (at, found) = Attributes::parse(text.as_bytes()).expect_err("malformed");
            assert!(at == line && found.contains(part), "line {at}: {found}");
        };
        check("", 1, "count");
        check("x\nMale\n", 1, "count");
        check("1\n\n", 2, "names");
        check("000001.jpg,1,-1\n000002.jpg,1,1\n", 1, "values in place of");
        check("1\nMale Male\na.jpg 1 1", 2, "\"Male\" twice");
        check("image_id,Male,\na.jpg,1,1", 1, "names");
        check("2\nMale\na.jpg 1\n", 1, "2 above 1");
        check("1\nMale Smiling\na.jpg 1\n", 3, "1 values for 2");
        check("image_id,Male,Smiling\na.jpg,1\n", 2, "1 values for 2");
        check("1\nMale\na.jpg 7\n", 3, "\"7\"");
        check("2\nMale\na.jpg 1\na.jpg 1\n", 4, "second row");
        for text in [
            "a.jpg,tset\nb.jpg,test",
            "a.jpg 3",
            "a.jpg",
            "a.jpg 1 1 x",
            "a.jpg 1\na.jpg 1",
            "1",
            "a,b\na.jpg,b",
        ] {
            Partition::parse(text.as_bytes()).expect_err(text);
        }
    }
}
