//! Ctrl-C and SIGTERM: the first finishes the step and saves, the second ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

/// Installs the handler; the flag is set by the first signal.
pub(crate) fn install() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(crate::exit::INTERRUPTED));
        }
        tracing::warn!("stopping after this step; once more to stop at once, without saving");
    })
    .context("cannot handle Ctrl-C")?;
    Ok(stop)
}
