//! The program as tests of it from outside run it.

#![allow(dead_code)] // Each test takes what it needs.

use std::path::Path;
use std::process::Command;

/// The program in a folder of its own, with a cache there and no data of the user's.
pub(crate) fn program(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gan-cli"));
    command.current_dir(folder).env_remove("GAN_DATA").env_remove("RUST_BACKTRACE");
    command.args(["--cache", "cache", "--threads", "2"]).args(line.split_whitespace());
    command
}

/// Runs the program and returns exit code, stdout and stderr.
pub(crate) fn run(folder: &Path, line: &str) -> (i32, String, String) {
    let output = program(folder, line).output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// Stdout and stderr of a run that ends well.
#[track_caller]
pub(crate) fn both_of(folder: &Path, line: &str) -> (String, String) {
    let (code, stdout, stderr) = run(folder, line);
    assert_eq!(code, 0, "{line}\n{stderr}");
    (stdout, stderr)
}

/// Stdout of a run that ends well.
#[track_caller]
pub(crate) fn succeeds(folder: &Path, line: &str) -> String {
    both_of(folder, line).0
}
