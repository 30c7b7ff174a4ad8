//! `doctor`: the kernels of this build on this device, checked against plain references, and their speed.

use candle_core::{DType, Device};
use clap::Args;
use gan_kernels::check::{self, Check};
use gan_kernels::measure::{Direction, LayerShape, product_speed};
use serde_json::json;

use super::{print, print_json, tables};
use crate::args::Global;
use crate::console::Console;

/// Check the kernels of this build on this device, and measure them
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Doctor {
    /// Seed of the random shapes and values
    #[arg(long, default_value_t = 0, value_name = "S")]
    seed: u64,
    /// Check alone, without measuring the speed
    #[arg(long)]
    no_speed: bool,
}

const EXAMPLES: &str = "\
Every kernel and its gradients on random shapes against plain loops in f64. Exits with 1 if one is wrong.

Examples:
  gan-cli doctor
  gan-cli doctor --device cuda --seed 7
  GAN_KERNELS_SIMD=avx2 gan-cli doctor      also avx512, neon, portable";

/// Images in a measured batch.
const BATCH: usize = 64;

impl Doctor {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<()> {
        let device = global.device()?;
        // Metal has no f64.
        let dtypes: &[DType] =
            if device.is_metal() { &[DType::F32] } else { &[DType::F32, DType::F64] };
        let names: Vec<&str> = check::check_names().collect();
        let mut checks = Vec::new();
        let line = console.progress("checking", (names.len() * dtypes.len()) as u64);
        for &dtype in dtypes {
            for (index, name) in names.iter().enumerate() {
                line.set(checks.len() as u64, name);
                checks.push(check::check(index, dtype, &device, self.seed)?);
            }
        }
        drop(line);
        let speeds = if device.is_cpu() && !self.no_speed { measure(console)? } else { Vec::new() };
        let failed = checks.iter().filter(|check| !check.passed()).count();
        if global.json {
            print_json(&as_json(&device, &checks, &speeds, global))?;
        } else {
            print(&as_text(&device, &checks, &speeds, global))?;
        }
        if failed > 0 {
            anyhow::bail!(
                "{failed} of {} checks failed: this build computes wrongly on this device; use --device cpu, and report \
                 the table above with the machine",
                checks.len()
            );
        }
        Ok(())
    }
}

/// The speed of one layer in one direction.
struct Speed {
    layer: String,
    direction: Direction,
    seconds: f64,
    /// Operations of the definition a second, over those of the matrix product.
    share: f64,
}

fn measure(console: &Console) -> anyhow::Result<Vec<Speed>> {
    let peak = product_speed();
    let mut speeds = Vec::new();
    let line = console.progress("measuring", LayerShape::MEASURED.len() as u64);
    for (i, layer) in LayerShape::MEASURED.into_iter().enumerate() {
        line.set(i as u64, &layer.to_string());
        for direction in Direction::ALL {
            let seconds = layer.best_seconds(BATCH, direction, 5)?;
            let share = layer.operations(BATCH)? / seconds / peak;
            speeds.push(Speed { layer: layer.to_string(), direction, seconds, share });
        }
    }
    Ok(speeds)
}

fn device_name(device: &Device, global: &Global) -> String {
    match device {
        Device::Cpu => {
            format!("cpu, {}, {} threads", gan_kernels::simd_name(), global.thread_count())
        }
        other => format!("{:?}", other.location()).to_lowercase(),
    }
}

fn as_text(device: &Device, checks: &[Check], speeds: &[Speed], global: &Global) -> String {
    let rows = checks.iter().map(|check| {
        vec![
            check.kernel.to_string(),
            format!("{:?}", check.dtype).to_lowercase(),
            check.shapes.to_string(),
            format!("{:.1e}", check.error),
            format!("{:.0e}", check.bound),
            if check.passed() { "ok".into() } else { format!("WRONG: {}", check.worst) },
        ]
    });
    let head = ["kernel", "type", "shapes", "largest error", "bound", ""];
    let mut text = format!("device: {}\n\n", device_name(device, global));
    text += &tables::table(&head, &[2, 3, 4], rows.collect());
    text += "\n\nErrors are max |error| / max |reference| over values and gradients.\n";
    if !speeds.is_empty() {
        let rows = speeds.chunks(Direction::ALL.len()).map(|directions| {
            let mut row = vec![directions[0].layer.clone()];
            for speed in directions {
                row.push(format!("{:.1}", speed.seconds * 1e3));
                row.push(format!("{:.0} %", 100.0 * speed.share));
            }
            row
        });
        let head = [
            "layer, batch 64",
            "forward, ms",
            "",
            "input gradient, ms",
            "",
            "weight gradient, ms",
            "",
        ];
        text += &format!("\n{}\n", tables::table(&head, &[1, 2, 3, 4, 5, 6], rows.collect()));
        text += "\nThe share is of the machine's matrix product on data in its cache; Winograd's convolutions take fewer\n\
                 multiplications than they are counted with, and may pass 100 %.\n";
    }
    text
}

fn as_json(
    device: &Device,
    checks: &[Check],
    speeds: &[Speed],
    global: &Global,
) -> serde_json::Value {
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            json!({
                "kernel": check.kernel,
                "dtype": format!("{:?}", check.dtype).to_lowercase(),
                "shapes": check.shapes,
                "error": check.error,
                "bound": check.bound,
                "worst": check.worst,
                "passed": check.passed(),
            })
        })
        .collect();
    let speeds: Vec<_> = speeds
        .iter()
        .map(|speed| {
            json!({
                "layer": speed.layer,
                "direction": speed.direction.name(),
                "seconds": speed.seconds,
                "share_of_product": speed.share,
            })
        })
        .collect();
    json!({
        "device": device_name(device, global),
        "checks": checks,
        "layers": speeds,
    })
}
