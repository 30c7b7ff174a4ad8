//! Files of weights that were damaged, and zips that are not what they say: an error, never a panic.

use std::path::Path;

use gan_models::state_dict::{StateDict, StateDictError};

fn parse(bytes: &[u8]) -> Result<StateDict, StateDictError> {
    StateDict::parse(Path::new("damaged.pt"), bytes)
}

/// A zip of stored records, all of this content; the directory may name more than there are.
struct Record {
    name: &'static str,
    at: u32,
    method: u16,
    crc: u32,
    len: u32,
}

fn zip(content: &[u8], records: &[Record]) -> Vec<u8> {
    let shared = |r: &Record| {
        let sizes = [r.crc, r.len, r.len].map(u32::to_le_bytes).concat();
        [
            &[20, 0, 0, 0][..],
            &r.method.to_le_bytes(),
            &[0; 4],
            &sizes,
            &[r.name.len() as u8, 0, 0, 0],
        ]
        .concat()
    };
    let mut file =
        [b"PK\x03\x04", &shared(&records[0])[..], records[0].name.as_bytes(), content].concat();
    let directory = file.len() as u32;
    for record in records {
        let at = record.at.to_le_bytes();
        let head = [b"PK\x01\x02\x14\0", &shared(record)[..], &[0; 10], &at].concat();
        file.extend([&head[..], record.name.as_bytes()].concat());
    }
    let count = (records.len() as u16).to_le_bytes();
    let size = (file.len() as u32 - directory).to_le_bytes();
    file.extend(
        [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size, &directory.to_le_bytes(), &[0; 2]]
            .concat(),
    );
    file
}

#[test]
fn records_of_a_zip_are_what_it_says() {
    let content = [&b"\x80\x02}."[..], &[0; 996]].concat();
    let record = |name| Record { name, at: 0, method: 0, crc: 0, len: 1000 };
    let read =
        |records: &[Record]| parse(&zip(&content, records)).expect_err("no tensors").to_string();
    let cases = [
        (vec![record("net/data.pkl")], "found a dictionary without any"),
        (vec![record("data.pkl")], "found a dictionary without any"),
        (vec![record("net/data.pk")], "found another zip"),
        (vec![record("net/a"), record("other/data.pkl")], "found another zip"),
        (vec![record("net/data/0"), Record { len: 99, ..record("net/data/0") }], "data/0 twice"),
        (vec![Record { method: 8, ..record("net/data.pkl") }], "a packed one"),
        (vec![Record { crc: 1, ..record("net/data.pkl") }], "a whole record data.pkl"),
        (vec![Record { at: 1, ..record("net/data.pkl") }], "a whole record data.pkl"),
        (vec![Record { at: u32::MAX, ..record("net/data.pkl") }], "a whole record data.pkl"),
        (vec![Record { len: 2000, ..record("net/data.pkl") }], "a whole record data.pkl"),
        (["net/data/1", "net/data/2", "net/data/3"].map(record).into(), "records that lie apart"),
        (
            vec![Record { len: 4, ..record("net/data.pkl") }, record("net/byteorder")],
            "byte order little or big",
        ),
        (vec![record("net/constants.pkl")], "torch.jit.save"),
    ];
    for (records, because) in cases {
        let message = read(&records);
        assert!(message.contains(because), "{message}");
    }
}

/// Every file of the fixtures and seeds, cut at every length and with every byte changed in a few ways.
#[test]
fn damaged_files_panic_nobody() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.join("tests/state_dicts"), root.join("../../fuzz/seeds/state_dict")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("files"));
    let mut cut = 0;
    for file in files {
        let bytes = std::fs::read(file.expect("a file").path()).expect("a file");
        for at in 0..bytes.len() {
            cut += usize::from(parse(&bytes[..at]).is_ok());
            for change in [1, 0x20, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                parse(&changed).ok();
            }
        }
    }
    assert_eq!(cut, 0, "files without their end were read");
}
