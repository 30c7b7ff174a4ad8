//! The program: trains, samples and measures generative models of faces and digits.
//!
//! Nothing of the field is decided here: a command translates what was typed into calls of the
//! libraries and shows what they return.

mod args;
mod cmd;
mod console;
mod data;
mod figures;
mod interrupt;
mod reconstruction;
mod score;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

/// Exit code after Ctrl-C or SIGTERM, the shell's convention for SIGINT.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = console::Console::install(&cli.global);
    quiet_expected_panics();
    match run(cli, &console) {
        Ok(code) => code,
        Err(error) => {
            console.error(&error);
            ExitCode::from(if is_usage(&error) { 2 } else { 1 })
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

/// Whether what was typed is wrong, rather than something that went wrong.
fn is_usage(error: &anyhow::Error) -> bool {
    let argument = |e: &gan_data::DataError| matches!(e, gan_data::DataError::Argument { .. });
    let in_training = |e: &gan_train::TrainError| match e {
        gan_train::TrainError::Data(e) => argument(e),
        _ => false,
    };
    error.is::<args::UsageError>()
        || error.downcast_ref().is_some_and(argument)
        || error.downcast_ref().is_some_and(in_training)
}

fn run(cli: Cli, console: &console::Console) -> anyhow::Result<ExitCode> {
    let global = cli.global;
    global.start_threads()?;
    match cli.command {
        Command::Prepare(command) => command.run(&global, console)?,
        Command::Train(command) => {
            if command.run(&global, console)? == gan_train::Outcome::Interrupted {
                return Ok(ExitCode::from(INTERRUPTED));
            }
        }
        Command::Presets(command) => command.run(&global)?,
        Command::Import(command) => command.run(&global, console)?,
        Command::Info(command) => command.run(&global)?,
        Command::Sample(command) => command.run(&global, console)?,
        Command::Reconstruct(command) => command.run(&global, console)?,
        Command::Runs(command) => command.run(&global)?,
        Command::Bench(command) => command.run(&global, console)?,
        Command::Doctor(command) => command.run(&global, console)?,
        Command::Report(command) => command.run(console)?,
    }
    Ok(ExitCode::SUCCESS)
}
