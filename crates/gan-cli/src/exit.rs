//! What the exit code says: 2 where something else has to be typed, 1 where something went wrong.
//!
//! What was typed is wrong where it names what there is not, is out of its range, or does not go with the run, the data
//! or the model that it is meant for. Files that are damaged or in the way, disks, and numbers that run away are what goes
//! wrong. The kind of an error decides, not the command that it ends.

use std::process::ExitCode;

use gan_data::DataError;
use gan_latent::LatentError;
use gan_report::ReportError;
use gan_train::TrainError;

use crate::args::UsageError;

/// Exit code after Ctrl-C or SIGTERM, the shell's convention for SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// The exit code of a program that ends with `error`.
pub(crate) fn code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(if is_usage(error) { 2 } else { 1 })
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<UsageError>()
        || error.downcast_ref().is_some_and(of_core)
        || error.downcast_ref().is_some_and(of_data)
        || error.downcast_ref().is_some_and(of_training)
        || error.downcast_ref().is_some_and(of_latents)
        || error.downcast_ref().is_some_and(of_report)
}

fn of_core(error: &gan_core::Error) -> bool {
    matches!(error, gan_core::Error::NoRun { .. })
}

fn of_data(error: &DataError) -> bool {
    match error {
        DataError::Argument { .. }
        | DataError::Source { .. }
        | DataError::Kind { .. }
        | DataError::TooFew { .. } => true,
        DataError::Core(error) => of_core(error),
        _ => false,
    }
}

fn of_training(error: &TrainError) -> bool {
    match error {
        TrainError::Config(_) | TrainError::Import { .. } => true,
        TrainError::Core(error) => of_core(error),
        TrainError::Data(error) => of_data(error),
        _ => false,
    }
}

fn of_latents(error: &LatentError) -> bool {
    match error {
        LatentError::Unfit(_) => true,
        LatentError::Core(error) => of_core(error),
        _ => false,
    }
}

fn of_report(error: &ReportError) -> bool {
    matches!(error, ReportError::Core(error) if of_core(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn an_error_counts_wherever_it_comes_from() {
        let no_run = || gan_core::Error::NoRun { path: "x".into(), found: "nothing" };
        let config = || TrainError::Config("lr is -1".into());
        for error in [
            anyhow::Error::from(UsageError("--n is 0".into())),
            no_run().into(),
            TrainError::Core(no_run()).into(),
            ReportError::Core(no_run()).into(),
            Err::<(), _>(config()).context("reading the generator").expect_err("an error"),
        ] {
            assert!(is_usage(&error), "{error:#}");
        }
        for error in [
            anyhow::anyhow!("the disk is gone"),
            TrainError::Changed("the data is not what it was".into()).into(),
            TrainError::Data(DataError::Stopped).into(),
        ] {
            assert!(!is_usage(&error), "{error:#}");
        }
    }
}
