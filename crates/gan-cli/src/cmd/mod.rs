//! The commands, a file each.

pub(crate) mod arithmetic;
pub(crate) mod bench;
pub(crate) mod directions;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod interpolate;
pub(crate) mod invert;
pub(crate) mod prepare;
pub(crate) mod presets;
pub(crate) mod reconstruct;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod runs;
pub(crate) mod sample;
pub(crate) mod tables;
pub(crate) mod train;
pub(crate) mod traverse;

use std::io::Write;

/// Prints a result to stdout. A reader that went away (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}

/// Prints a result as one JSON object on one line.
fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    print(&value.to_string())
}
