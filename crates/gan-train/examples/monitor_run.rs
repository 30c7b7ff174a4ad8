//! What the collapse detector says about runs that were made: `monitor_run RUN…`.

use std::path::Path;

use gan_train::StepRecord;
use gan_train::monitor::{Monitor, MonitorConfig, Observation};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[allow(clippy::print_stdout)] // An example shows what it found.
fn main() -> Result {
    for run in std::env::args().skip(1) {
        let mut monitor = Monitor::new(MonitorConfig::default());
        println!("{run}");
        for line in fs_err::read_to_string(Path::new(&run).join("metrics.jsonl"))?.lines() {
            let record: StepRecord = serde_json::from_str(line)?;
            for finding in Observation::of(&record).iter().flat_map(|seen| monitor.observe(seen)) {
                println!("  {}", serde_json::to_string(&finding)?);
            }
        }
        for finding in monitor.lasting() {
            println!("  at the end {}: {}", finding.ailment.name(), finding.evidence);
        }
    }
    Ok(())
}
