//! Chores of the workspace, run as `cargo xtask`: dataset preprocessing into safetensors shards and
//! report generation. `gan-cli prepare` and `gan-cli report` do the same without cargo.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Parser;

/// Chores of the workspace
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Turn any source of images into safetensors shards; takes what `gan-cli prepare` takes
    #[command(disable_help_flag = true)]
    Preprocess {
        /// Source and options, see `gan-cli prepare --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Write runs up as self-contained HTML pages, `report.html` in each
    Report {
        /// The run folders
        #[arg(required = true)]
        runs: Vec<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Task::parse() {
        Task::Preprocess { arguments } => preprocess(&arguments),
        Task::Report { runs } => runs.iter().try_for_each(|run| {
            let page = run.join("report.html");
            gan_report::write_report(run, &[], &page)?;
            say(&page.display().to_string())
        }),
    }
}

/// Runs `gan-cli prepare`, so that there is one set of options.
fn preprocess(arguments: &[OsString]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--release", "--package", "gan-cli", "--", "prepare"]);
    let status = command.args(arguments).status().context("cannot start cargo")?;
    // What went wrong was said by the program.
    std::process::exit(status.code().unwrap_or(1))
}

fn say(line: &str) -> Result<()> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
