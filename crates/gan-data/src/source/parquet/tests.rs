//! Files: tests/golden/parquet.py (datasets 5.2, pyarrow 26.0). A picture's color is (its row,
//! 255 − its row, number of its file). Files that differ in their columns are written here.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::*;

type Outcome = Result<(), Box<dyn Error>>;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parquet").join(name)
}

fn open(paths: &[PathBuf]) -> Result<Table, DataError> {
    Table::open(paths, &mut blake3::Hasher::new())
}

/// The sentence with which files are refused.
fn refusal(paths: &[PathBuf]) -> String {
    open(paths).expect_err("cannot be used").to_string()
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

/// Row and file that a picture's color says.
fn says(picture: &[u8]) -> (usize, u8) {
    let image = image::load_from_memory(picture).expect("a picture").to_rgb8();
    assert_eq!(image.dimensions(), (12, 10));
    let [row, rest, file] = image.get_pixel(5, 5).0;
    assert!((i16::from(row) + i16::from(rest) - 255).abs() <= 3, "{row} {rest}");
    (usize::from(row), file)
}

/// Writes one row group without labels: a message of columns, each with its values of bytes.
fn write(path: &Path, message: &str, rows: &[&[u8]], huggingface: Option<&str>) -> Outcome {
    let schema = Arc::new(parse_message_type(message)?);
    let entry = |text: &str| vec![KeyValue::new("huggingface".into(), text.to_string())];
    let properties =
        WriterProperties::builder().set_key_value_metadata(huggingface.map(entry)).build();
    let mut writer = SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let levels = (vec![1; rows.len()], vec![0; rows.len()]);
    while let Some(mut column) = group.next_column()? {
        match column.untyped() {
            ColumnWriter::Int64ColumnWriter(_) => {
                let values: Vec<i64> = (0..rows.len() as i64).collect();
                column.typed::<Int64Type>().write_batch(
                    &values,
                    Some(&levels.0),
                    Some(&levels.1),
                )?;
            }
            _ => {
                let values: Vec<ByteArray> = rows.iter().map(|v| v.to_vec().into()).collect();
                column.typed::<ByteArrayType>().write_batch(
                    &values,
                    Some(&levels.0),
                    Some(&levels.1),
                )?;
            }
        }
        column.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

/// As [`crate::Source::detect`] finds and orders them.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = crate::source::parquet_in(folder)?;
    sort(&mut paths);
    Ok(paths)
}

#[test]
fn a_data_set_of_hugging_face() -> Outcome {
    let paths = in_folder(&golden("shapes"))?;
    let table = open(&paths)?;
    assert_eq!(
        (table.rows(), table.classes()),
        (46, &["disc", "square", "star"].map(String::from)[..])
    );
    assert_eq!(table.name(17), "train-00000-of-00001.parquet[17]");
    assert_eq!(table.name(41), "test-00000-of-00001.parquet[1]");
    assert_eq!([0, 39, 40, 45].map(|row| table.split(row)), {
        let (train, test) = (Some(Split::Train), Some(Split::Test));
        [train, train, test, test]
    });
    assert!((0..40).all(|row| table.label(row) == Some(row as u32 % 3)));
    let labels: Vec<_> = (40..47).map(|row| table.label(row)).collect();
    assert_eq!(labels, [Some(0), Some(1), Some(2), None, None, Some(2), None]);

    let mut reader = table.reader();
    for row in 0..40 {
        assert_eq!(says(reader.read(row)?), (row, 0));
    }
    assert_eq!(says(reader.read(40)?), (0, 1));
    for (row, reason) in [
        (41, "the row has no picture"),
        (42, "the row has no picture"),
        (43, "the row has no label"),
        (44, "the row has no label"),
        (46, "no such row"),
    ] {
        assert_eq!(reader.read(row).map_err(|e| e.to_string()), Err(reason.into()));
    }
    assert_eq!(says(reader.read(45)?), (5, 1));
    Ok(())
}

#[test]
fn rows_in_any_order() -> Outcome {
    let table = open(&[golden("plain.parquet")])?;
    assert_eq!((table.rows(), table.classes().len(), table.split(0)), (40, 5, None));
    // Ahead by pages and by rows, again the same, back in a row group and to another.
    let jumps = [0, 0, 1, 3, 4, 11, 22, 23, 24, 39, 39, 38, 25, 5, 2, 30, 1];
    let strides = (0..40).map(|i| i * 7 % 40);
    let mut reader = table.reader();
    for row in jumps.into_iter().chain(strides).chain((0..40).rev()) {
        let (color, file) = says(reader.read(row)?);
        // JPEG.
        assert!(color.abs_diff(row) <= 2 && file.abs_diff(2) <= 2, "row {row}: {color} of {file}");
        assert_eq!(table.label(row), Some(row as u32 / 8));
    }
    Ok(())
}

#[test]
fn many_threads_read_one_table() -> Outcome {
    let table = open(&[golden("shapes/train-00000-of-00001.parquet")])?;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mut reader = table.reader();
            scope.spawn(move || {
                for row in (0..400).map(|i| (i * 7 + thread * 11) % 40) {
                    assert_eq!(says(reader.read(row).expect("a picture")), (row, 0));
                }
            });
        }
    });
    Ok(())
}

#[test]
fn compressed_files() -> Outcome {
    for codec in ["snappy", "gzip"] {
        let table = open(&[golden(&format!("{codec}.parquet"))])?;
        let mut reader = table.reader();
        for row in [2, 0, 1] {
            assert!(says(reader.read(row)?).0.abs_diff(row) <= 2, "{codec}");
        }
    }
    let message = refusal(&[golden("brotli.parquet")]);
    assert_says(&message, &["brotli.parquet", "img", "zstd", "BROTLI"]);
    Ok(())
}

#[test]
fn splits_of_names() {
    let check = |name, split| assert_eq!(split_of(name), split, "{name}");
    check("train-00000-of-00003.parquet", Some(Split::Train));
    check("validation-00000-of-00001-1f2e.parquet", Some(Split::Valid));
    check("my_val.parquet", Some(Split::Valid));
    check("valid.parquet", Some(Split::Valid));
    check("mnist-test.parquet", Some(Split::Test));
    check("trains.parquet", None);
    check("0000.parquet", None);
}

#[test]
fn parquet_files_of_a_folder_or_its_data() -> Outcome {
    let at = tempfile::tempdir()?;
    let names = || -> Result<Vec<String>, DataError> {
        Ok(in_folder(at.path())?.iter().map(|path| file_name(path)).collect())
    };
    assert!(names()?.is_empty());
    fs::create_dir(at.path().join("data"))?;
    for name in ["test-0.parquet", "train-1.parquet", "train-0.parquet", ".x.parquet", "a.txt"] {
        fs::write(at.path().join("data").join(name), "")?;
    }
    assert_eq!(names()?, ["train-0.parquet", "train-1.parquet", "test-0.parquet"]);
    fs::write(at.path().join("b.parquet"), "")?;
    assert_eq!(names()?, ["b.parquet"]);
    Ok(())
}

#[test]
fn the_digest_follows_name_time_and_content() -> Outcome {
    let at = tempfile::tempdir()?;
    let digest = |path: &PathBuf| -> Result<blake3::Hash, DataError> {
        let mut hasher = blake3::Hasher::new();
        Table::open(std::slice::from_ref(path), &mut hasher)?;
        Ok(hasher.finalize())
    };
    let (same, renamed) = (at.path().join("gzip.parquet"), at.path().join("other.parquet"));
    let place = |from: &str, to: &PathBuf, changed: SystemTime| -> Outcome {
        fs::copy(golden(from), to)?;
        Ok(File::options().write(true).open(to)?.set_modified(changed)?)
    };
    let time = fs::metadata(golden("gzip.parquet"))?.modified()?;
    let original = digest(&golden("gzip.parquet"))?;
    place("gzip.parquet", &same, time)?;
    assert_eq!(digest(&same)?, original);
    place("gzip.parquet", &same, time + Duration::from_secs(1))?;
    assert_ne!(digest(&same)?, original);
    place("gzip.parquet", &renamed, time)?;
    assert_ne!(digest(&renamed)?, original);
    place("snappy.parquet", &same, time)?;
    assert_ne!(digest(&same)?, original);
    Ok(())
}

#[test]
fn files_that_are_none_or_cut() -> Outcome {
    let at = tempfile::tempdir()?;
    let path = at.path().join("x.parquet");
    let whole = fs::read(golden("plain.parquet"))?;
    let n = whole.len();
    let check = |bytes: &[u8], found: &str| -> Outcome {
        fs::write(&path, bytes)?;
        let message = refusal(std::slice::from_ref(&path));
        assert_says(&message, &["x.parquet: expected a parquet file, found", found, "to its end"]);
        Ok(())
    };
    check(b"", "found 0 bytes;")?;
    check(b"PAR1", "found 4 bytes;")?;
    check(b"no parquet at all", "a file that begins otherwise")?;
    check(&whole[..n / 2], "one without its end")?;
    check(&[b"PARE", &whole[4..]].concat(), "an encrypted one")?;
    check(&[&whole[..n - 8], &[255; 4], b"PAR1"].concat(), "a footer of 4294967295 bytes in")?;
    check(&[&whole[..n - 8], &[40, 0, 0, 0], b"PAR1"].concat(), "an unreadable footer (")?;

    // Without its first half: the footer is whole, the pages are not where it says.
    fs::write(&path, [b"PAR1", &whole[n / 2..]].concat())?;
    assert_says(&refusal(std::slice::from_ref(&path)), &["x.parquet", "label", "to its end"]);
    Ok(())
}

#[test]
fn damage_to_one_page_leaves_the_others() -> Outcome {
    let at = tempfile::tempdir()?;
    let path = at.path().join("x.parquet");
    let mut bytes = fs::read(golden("plain.parquet"))?;
    let table = open(&[golden("plain.parquet")])?;
    // The magic number of zstd in the second page of the second row group.
    let (start, size) = table.groups[1].pictures.byte_range();
    let chunk = &mut bytes[start as usize..][..size as usize];
    let mut pages = (0..chunk.len()).filter(|i| chunk[*i..].starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    let second = pages.nth(1).ok_or("no second page")?;
    chunk[second] = 0;
    fs::write(&path, &bytes)?;
    let table = open(&[path])?;
    let mut reader = table.reader();
    let bad: Vec<usize> = (0..40).filter(|row| reader.read(*row).is_err()).collect();
    assert_eq!(bad, [28, 29, 30, 31]);
    Ok(())
}

#[test]
fn columns_are_chosen_by_metadata_type_and_name() -> Outcome {
    let at = tempfile::tempdir()?;
    let path = at.path().join("x.parquet");
    let group = |name| format!("required group {name} {{ required binary bytes; }}");
    let check = |fields: &str, huggingface: Option<&str>, column: &str| -> Outcome {
        write(&path, &format!("message m {{ {fields} }}"), &[b"one"], huggingface)?;
        match open(std::slice::from_ref(&path)) {
            Ok(table) => assert_eq!(table.groups[0].pictures.column_path().string(), column),
            Err(e) => assert_says(&e.to_string(), &[column]),
        }
        Ok(())
    };
    let (a, b, image) = (group("a"), group("b"), group("image"));
    let audio = r#"{"info": {"features": {"a": {"_type": "Audio"}, "b": {"_type": "Image"}}}}"#;
    check(&format!("{a} {b}"), None, "a.bytes")?;
    check(&format!("{a} {image}"), None, "image.bytes")?;
    check(&format!("{a} {b} {image}"), Some(audio), "b.bytes")?;
    check(&a, Some(audio), "found columns a (struct);")?;
    check(&format!("required binary x; {a}"), None, "a.bytes")?;
    check("required binary x; required binary t (UTF8);", None, "x")?;
    check("required binary x; required binary img;", Some("no JSON"), "img")?;
    check("required binary x; required binary y;", None, "found columns x, y; rename it to image")?;
    let found = "found columns t (string), label (int64), list (struct);";
    check(
        "required binary t (UTF8); required int64 label; \
         required group list { repeated binary bytes; }",
        None,
        found,
    )?;
    Ok(())
}

#[test]
fn the_finer_of_two_labels() -> Outcome {
    let at = tempfile::tempdir()?;
    let path = at.path().join("x.parquet");
    let message = "message m { required int64 id; required int64 coarse_label; \
                   required int64 fine_label; required binary img; }";
    let classes = |names: &str| format!(r#"{{"_type": "ClassLabel", "names": {names}}}"#);
    let (coarse, fine) = (classes(r#"["pet"]"#), classes(r#"["cat", "dog"]"#));
    let features = format!(r#"{{"coarse_label": {coarse}, "fine_label": {fine}}}"#);
    let text = format!(r#"{{"info": {{"features": {features}}}}}"#);
    write(&path, message, &[b"one", b"two"], Some(&text))?;
    let table = open(std::slice::from_ref(&path))?;
    assert_eq!((table.classes(), table.label(1)), (&["cat", "dog"].map(String::from)[..], Some(1)));

    // Without metadata the name decides, and the labels name the classes.
    write(&path, message, &[b"one", b"two", b"three"], None)?;
    assert_eq!(open(&[path])?.classes(), ["0", "1", "2"]);
    Ok(())
}

#[test]
fn files_of_a_data_set_are_alike() -> Outcome {
    let at = tempfile::tempdir()?;
    let path = |name: &str| at.path().join(name);
    let names = |names: &str| {
        format!(
            r#"{{"info": {{"features": {{"label": {{"_type": "ClassLabel", "names": {names}}}}}}}}}"#
        )
    };
    let labelled = "message m { required binary img; required int64 label; }";
    let plain = "message m { required binary img; }";
    let rows: [&[u8]; 2] = [b"one", b"two"];
    write(&path("a"), labelled, &rows, Some(&names(r#"["cat", "dog"]"#)))?;
    write(&path("b"), labelled, &rows, Some(&names(r#"["cat", "eel"]"#)))?;
    write(&path("c"), labelled, &rows, Some(&names(r#"["cat"]"#)))?;
    write(&path("d"), labelled, &rows, None)?;
    write(&path("e"), plain, &rows, None)?;
    write(&path("f"), plain, &[], None)?;
    let check = |files: &[&str], parts: &[&str]| {
        let paths: Vec<PathBuf> = files.iter().map(|name| path(name)).collect();
        assert_says(&refusal(&paths), parts);
    };
    check(&["a", "b"], &["b: expected class 1 named dog as in a, found class 1 named eel;"]);
    check(&["a", "c"], &["c: expected class 1 named dog as in a, found no class 1;"]);
    check(&["a", "d"], &["d: expected class 0 named cat as in a, found no class names;"]);
    check(&["a", "e"], &["pictures in img and labels in label as in a", "and no labels;"]);
    let shapes = golden("shapes/train-00000-of-00001.parquet");
    let message = refusal(&[shapes, golden("gzip.parquet")]);
    assert_says(
        &message,
        &["gzip.parquet: expected pictures in image.bytes and labels in label as"],
    );
    check(&["c"], &["c: expected labels below 1, the number of class names, found 1;"]);
    check(&["f"], &["f: expected at least one row, found none;"]);
    check(&[], &["at least one row"]);

    let table = open(&[path("f"), path("e"), path("f"), path("e")])?;
    assert_eq!((table.rows(), table.classes().len(), table.label(3)), (4, 0, None));
    assert_eq!([0, 2].map(|row| table.name(row)), ["e[0]", "e[0]"]);
    assert_eq!(table.reader().read(3)?, b"two");
    Ok(())
}
