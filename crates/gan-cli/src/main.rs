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
mod photos;
mod pictures;
mod reconstruction;
mod score;
mod sharpness;
mod words;

use std::process::ExitCode;

use clap::Parser;
use gan_train::Outcome;

use crate::args::{Cli, Command, Global};

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

fn run(mut cli: Cli, console: &console::Console) -> anyhow::Result<ExitCode> {
    cli.global.typed = std::env::args().skip(1).collect();
    cli.global.start_threads()?;
    Ok(match cli.command.run(&cli.global, console)? {
        Outcome::Interrupted => ExitCode::from(exit::INTERRUPTED),
        Outcome::Finished | Outcome::StoppedEarly => ExitCode::SUCCESS,
    })
}

impl Command {
    /// Does what was typed, from the command line or by an experiment.
    fn run(self, global: &Global, console: &console::Console) -> anyhow::Result<Outcome> {
        match self {
            Self::Train(command) => return command.run(global, console),
            Self::Experiment(command) => return command.run(global, console),
            Self::Prepare(command) => command.run(global, console)?,
            Self::Presets(command) => command.run(global)?,
            Self::Import(command) => command.run(global, console)?,
            Self::Export(command) => command.run(global)?,
            Self::Info(command) => command.run(global)?,
            Self::Sample(command) => command.run(global, console)?,
            Self::Interpolate(command) => command.run(global, console)?,
            Self::Traverse(command) => command.run(global, console)?,
            Self::Arithmetic(command) => command.run(global, console)?,
            Self::Directions(command) => command.run(global, console)?,
            Self::Embed(command) => command.run(global, console)?,
            Self::Reconstruct(command) => command.run(global, console)?,
            Self::Invert(command) => command.run(global, console)?,
            Self::Restore(command) => command.run(global, console)?,
            Self::Runs(command) => command.run(global)?,
            Self::Bench(command) => command.run(global, console)?,
            Self::Doctor(command) => command.run(global, console)?,
            Self::Report(command) => command.run(global)?,
        }
        Ok(Outcome::Finished)
    }
}
