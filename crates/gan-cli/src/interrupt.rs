//! Ctrl-C and SIGTERM: the first finishes the step and saves, the second ends the program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context;

/// Set by the first signal, once there is a handler.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Installs the handler, if there is none; the flag is set by the first signal.
pub(crate) fn install() -> anyhow::Result<Arc<AtomicBool>> {
    if let Some(stop) = STOP.get() {
        return Ok(stop.clone());
    }
    let stop = STOP.get_or_init(Arc::default).clone();
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
