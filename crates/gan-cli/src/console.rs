//! What a person sees on stderr: log lines, progress bars, the final error. Results go to stdout.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gan_data::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::args::{Global, LogFormat};

/// Interval of progress lines where stderr is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// The program's stderr and the log file of the run under way.
#[derive(Clone)]
pub(crate) struct Console {
    shared: Arc<Mutex<Shared>>,
    quiet: bool,
    json_log: bool,
}

#[derive(Default)]
struct Shared {
    bar: Option<ProgressBar>,
    log: Option<fs_err::File>,
}

impl Console {
    /// Directs the log of all crates to stderr and to the log file once there is one.
    pub(crate) fn install(global: &Global) -> Self {
        let json_log = global.log_format == LogFormat::Json;
        let console = Self { shared: Arc::default(), quiet: global.quiet, json_log };
        let level = match (global.quiet, global.verbose) {
            (true, _) => "error",
            (_, 0) => "info",
            (_, 1) => "debug",
            _ => "trace",
        };
        let filter = || {
            EnvFilter::new(format!(
                "warn,gan_cli={level},gan_train={level},gan_data={level},gan_kernels={level}"
            ))
        };
        let stderr = console.clone();
        let layer = fmt::layer().with_writer(move || Line::to(&stderr, Target::Stderr));
        let stderr_layer = match global.log_format {
            LogFormat::Json => layer.json().boxed(),
            LogFormat::Text => {
                layer.with_target(false).with_level(false).without_time().with_ansi(false).boxed()
            }
        };
        let file = console.clone();
        let file_layer = fmt::layer()
            .with_ansi(false)
            .with_target(false)
            .with_writer(move || Line::to(&file, Target::LogFile));
        tracing_subscriber::registry()
            .with(stderr_layer.with_filter(filter()))
            .with(file_layer.with_filter(EnvFilter::new("info")))
            .init();
        console
    }

    /// One that shows nothing.
    pub(crate) fn silent() -> Self {
        Self { shared: Arc::default(), quiet: true, json_log: false }
    }

    /// Appends what is logged from now on to a run's log file too.
    pub(crate) fn log_to(&self, path: &Path) -> std::io::Result<()> {
        let file = fs_err::OpenOptions::new().create(true).append(true).open(path)?;
        self.lock().log = Some(file);
        Ok(())
    }

    /// Says in one sentence why the program ends.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.finish_bar();
        // Causes say the same again in other words where the error is one of ours.
        let mut message = error.to_string();
        if error.downcast_ref::<crate::args::UsageError>().is_none() {
            for cause in error.chain().skip(1) {
                let cause = cause.to_string();
                if !message.contains(&cause) {
                    message = format!("{message}: {cause}");
                }
            }
        }
        tracing::error!("error: {message}");
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            self.write_stderr(format!("{}\n", error.backtrace()).as_bytes());
        }
    }

    /// Progress through `total` things: a bar on a terminal, a line now and then elsewhere.
    pub(crate) fn progress(&self, what: &str, total: u64) -> ProgressLine {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && !self.quiet && !self.json_log).then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let style = "{prefix} {bar:24} {pos}/{len} {msg} ({elapsed} of {duration})";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style.progress_chars("━╸ "));
            }
            bar.set_prefix(what.to_string());
            bar
        });
        self.lock().bar = bar.clone();
        let (quiet, total) = (self.quiet, AtomicU64::new(total));
        ProgressLine { what: what.into(), total, bar, quiet, last: Mutex::new(Instant::now()) }
    }

    fn finish_bar(&self) {
        if let Some(bar) = self.lock().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_stderr(&self, bytes: &[u8]) {
        let bar = self.lock().bar.clone();
        // Nothing can be done where even stderr fails.
        let write = || std::io::stderr().write_all(bytes).ok();
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
    }
}

/// Progress that is shown; it goes away when dropped.
pub(crate) struct ProgressLine {
    what: String,
    /// Not known before a source is listed.
    total: AtomicU64,
    bar: Option<ProgressBar>,
    quiet: bool,
    last: Mutex<Instant>,
}

impl ProgressLine {
    /// Shows that `done` things are done.
    pub(crate) fn set(&self, done: u64, message: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message.to_string());
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.quiet && last.elapsed() >= PLAIN_INTERVAL {
            *last = Instant::now();
            let total = self.total.load(Ordering::Relaxed);
            tracing::info!("{} {done}/{total} {message}", self.what);
        }
    }

    /// Shows that `done` of `total` things are done, where the total was not known before.
    pub(crate) fn set_of(&self, done: u64, total: u64, message: &str) {
        self.total.store(total, Ordering::Relaxed);
        self.bar.iter().for_each(|bar| bar.set_length(total));
        self.set(done, message);
    }

    /// The form that `gan-data` calls.
    pub(crate) fn callback(&self) -> impl Fn(Progress) + Sync {
        |progress| {
            if let Some(total) = progress.total {
                self.total.store(total as u64, Ordering::Relaxed);
                self.bar.iter().for_each(|bar| bar.set_length(total as u64));
            }
            match progress.stage {
                Stage::Storing => self.set(progress.done as u64, ""),
                Stage::Listing => self.set(0, &format!("listing, {} files", progress.done)),
            }
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

enum Target {
    Stderr,
    LogFile,
}

/// Gathers one log line and writes it when it is whole.
struct Line {
    console: Console,
    target: Target,
    bytes: Vec<u8>,
}

impl Line {
    fn to(console: &Console, target: Target) -> Self {
        Self { console: console.clone(), target, bytes: Vec::new() }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        match self.target {
            Target::Stderr => self.console.write_stderr(&self.bytes),
            Target::LogFile => {
                if let Some(file) = &mut self.console.lock().log {
                    // A full disk is reported by what else the run writes.
                    file.write_all(&self.bytes).ok();
                }
            }
        }
    }
}
