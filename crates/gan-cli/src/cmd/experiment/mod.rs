//! `experiment`: everything of one of the known experiments, scaled to a number of images.

mod ahead;
mod found;
mod named;
mod plan;
mod record;
mod standing;
mod work;

use std::path::{Path, PathBuf};

use clap::Args;
use gan_train::Outcome;

use self::named::Named;
use self::plan::Plan;
use self::record::{Asked, Record, json_in, page_in};
use self::work::Work;
use super::{print, print_json, tables};
use crate::args::{Global, UsageError};
use crate::console::Console;
use crate::interrupt;

/// Train and explore everything of one of the known experiments, scaled to a number of images
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Experiment {
    /// Its letter; a list of them unless given
    #[arg(value_name = "A…J")]
    name: Option<String>,
    /// Shards, a raw source, a name under GAN_DATA, synthetic-faces or synthetic-digits, in place of the presets' faces
    /// or digits; once for each where the experiment has both
    #[arg(long, value_name = "DATA")]
    data: Vec<String>,
    /// Images that a training sees; as many as two cores manage in about 40 minutes unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    images: Option<u64>,
    /// Seed of all trainings
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// The experiment's folder; runs/experiment-X unless given, continued where it is there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Say what would be done and how long it would take; do nothing
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  gan-cli experiment                                  what there is
  gan-cli experiment A --dry-run                      what would be done, and how long it would take
  gan-cli experiment H                                restoration of digits, of MNIST under GAN_DATA
  gan-cli experiment J --data img_align_celeba.zip --images 50000
  gan-cli experiment F --data synthetic-faces --data synthetic-digits";

impl Experiment {
    pub(crate) fn run(self, global: &Global, console: &Console) -> anyhow::Result<Outcome> {
        let Some(name) = &self.name else {
            list(global)?;
            return Ok(Outcome::Finished);
        };
        let plan = Plan::find(name).ok_or_else(|| {
            let all: Vec<&str> = Plan::names().collect();
            UsageError(format!("there is no experiment {name}, but {}", all.join(", ")))
        })??;
        let images = self.images.unwrap_or(plan.images);
        let usual = || Path::new("runs").join(format!("experiment-{}", plan.name));
        let folder = self.out.clone().unwrap_or_else(usual);
        // What is named from here has to be found from elsewhere too.
        let named = self.data.iter().map(|name| absolute(name)).collect::<Result<Vec<_>, _>>()?;
        let asked = Asked { images, seed: self.seed, data: named.clone() };
        let record = Record::open(&folder, &plan, asked)?;
        let data = Named::sorted(&named, &plan, global, console)?;
        let mut work = Work { plan: &plan, folder: &folder, data, record, global, console };
        let ahead = work.ahead()?;
        if self.dry_run {
            ahead.show(global)?;
            return Ok(Outcome::Finished);
        }
        fs_err::create_dir_all(&folder)?;
        let _lock = lock(&folder)?;
        ahead.announce();
        let stop = interrupt::install()?;
        if work.run(&stop)? == Outcome::Interrupted {
            tracing::warn!("interrupted; the same command continues it");
            return Ok(Outcome::Interrupted);
        }
        self.tell(&work.record, &folder, global)?;
        match work.record.failed() {
            0 => Ok(Outcome::Finished),
            n => Err(anyhow::anyhow!(
                "{n} of {} steps failed, each for a reason in {}; the same command tries them again",
                plan.steps.len(),
                page_in(&folder).display()
            )),
        }
    }

    fn tell(&self, record: &Record, folder: &Path, global: &Global) -> anyhow::Result<()> {
        if global.json {
            return print_json(&serde_json::to_value(record)?);
        }
        let (mut rows, mut without) = (Vec::new(), Vec::new());
        for step in &record.steps {
            let mut name = step.name.clone();
            if let Some(reason) = &step.left_out {
                let what = if step.failed { "failed" } else { "left out" };
                without.push(format!("{what}: {name}: {reason}"));
                continue;
            }
            for number in &step.numbers {
                rows.push(vec![std::mem::take(&mut name), number.what.clone(), number.to_string()]);
            }
            if !step.ailments.is_empty() {
                let named = step.ailments.join(", ");
                rows.push(vec![std::mem::take(&mut name), "named".into(), named]);
            }
        }
        print(&tables::table(&["step", "what", "found"], &[2], rows))?;
        print(&format!(
            "\n{}page          {}\nnumbers       {}\nnext: open the page, or gan-cli runs --runs {}",
            without.iter().map(|line| line.clone() + "\n").collect::<String>(),
            page_in(folder).display(),
            json_in(folder).display(),
            tables::quoted(&folder.display().to_string())
        ))
    }
}

/// Keeps a second program out of the folder until it is dropped, or this one ends.
fn lock(folder: &Path) -> anyhow::Result<fs_err::File> {
    let path = folder.join(".lock");
    let file = fs_err::File::create(&path)?;
    match file.file().try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => {
            let reason = format!("{} is under way in another program", folder.display());
            Err(anyhow::anyhow!("{reason}; wait for it, or name another folder by --out"))
        }
        // Where a file system has no locks, nobody is kept out.
        _ => Ok(file),
    }
}

/// Data that is a path here as one that is so everywhere; other names as they are.
fn absolute(name: &str) -> std::io::Result<String> {
    let path = Path::new(name);
    let known = path.exists().then(|| std::path::absolute(path)).transpose()?;
    Ok(known.map_or_else(|| name.into(), |path| path.display().to_string()))
}

/// What experiments there are.
fn list(global: &Global) -> anyhow::Result<()> {
    let plans = Plan::names().filter_map(Plan::find).collect::<anyhow::Result<Vec<_>>>()?;
    if global.json {
        let all: Vec<_> = plans
            .iter()
            .map(|plan| {
                let steps: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
                serde_json::json!({
                    "name": plan.name, "title": plan.title, "images": plan.images, "steps": steps,
                })
            })
            .collect();
        return print_json(&serde_json::json!({ "experiments": all }));
    }
    let row = |plan: &Plan| {
        let trainings = plan.steps.iter().filter(|step| step.trains()).count();
        vec![
            plan.name.into(),
            plan.title.clone(),
            tables::thousands(plan.images),
            trainings.to_string(),
            (plan.steps.len() - trainings).to_string(),
        ]
    };
    let head = ["", "what", "images", "trainings", "looks"];
    print(&tables::table(&head, &[2, 3, 4], plans.iter().map(row).collect()))?;
    print("\nnext: gan-cli experiment H --dry-run")
}
