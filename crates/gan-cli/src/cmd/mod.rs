//! The commands, a file each.

pub(crate) mod arithmetic;
pub(crate) mod bench;
pub(crate) mod directions;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod experiment;
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

use std::cell::RefCell;
use std::io::Write;

thread_local! {
    /// What commands print while another command runs them.
    static KEPT: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs a command whose results are not printed but given back.
fn kept<T>(run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Vec<String>)> {
    KEPT.with_borrow_mut(|kept| *kept = Some(Vec::new()));
    let outcome = run();
    let printed = KEPT.take().unwrap_or_default();
    Ok((outcome?, printed))
}

/// Prints a result to stdout. A reader that went away (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let is_kept = KEPT.with_borrow_mut(|kept| {
        kept.iter_mut().for_each(|kept| kept.push(text.into()));
        kept.is_some()
    });
    if is_kept {
        return Ok(());
    }
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}

/// Prints a result as one JSON object on one line.
fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    print(&value.to_string())
}
