//! The program: trains, samples and measures generative models of faces and digits.
//!
//! Nothing of the field is decided here: a command translates what was typed into calls of the
//! libraries and shows what they return.

mod args;
mod cmd;
mod console;
mod data;
mod exit;
mod explored;
mod figures;
mod interrupt;
mod inversion;
mod judge;
mod pictures;
mod reconstruction;
mod score;
mod sharpness;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = console::Console::install(&cli.global);
    quiet_expected_panics();
    match run(cli, &console) {
        Ok(code) => code,
        Err(error) => {
            console.error(&error);
            exit::code(&error)
        }
    }
}

/// Says nothing of panics in decoders of foreign bytes: they are caught, and end as a reason in a log.
fn quiet_expected_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !gan_data::panics_are_expected() {
            usual(info);
        }
    }));
}

fn run(cli: Cli, console: &console::Console) -> anyhow::Result<ExitCode> {
    let global = cli.global;
    global.start_threads()?;
    match cli.command {
        Command::Prepare(command) => command.run(&global, console)?,
        Command::Train(command) => {
            if command.run(&global, console)? == gan_train::Outcome::Interrupted {
                return Ok(ExitCode::from(exit::INTERRUPTED));
            }
        }
        Command::Presets(command) => command.run(&global)?,
        Command::Import(command) => command.run(&global, console)?,
        Command::Export(command) => command.run(&global)?,
        Command::Info(command) => command.run(&global)?,
        Command::Sample(command) => command.run(&global, console)?,
        Command::Interpolate(command) => command.run(&global, console)?,
        Command::Traverse(command) => command.run(&global, console)?,
        Command::Arithmetic(command) => command.run(&global, console)?,
        Command::Directions(command) => command.run(&global, console)?,
        Command::Embed(command) => command.run(&global, console)?,
        Command::Reconstruct(command) => command.run(&global, console)?,
        Command::Invert(command) => command.run(&global, console)?,
        Command::Restore(command) => command.run(&global, console)?,
        Command::Runs(command) => command.run(&global)?,
        Command::Bench(command) => command.run(&global, console)?,
        Command::Doctor(command) => command.run(&global, console)?,
        Command::Report(command) => command.run(console)?,
    }
    Ok(ExitCode::SUCCESS)
}
