//! The page: everything that the template shows, gathered from a run folder.

use gan_core::RunDir;
use gan_core::run::{RunInfo, Status};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::{Deserialize, Serialize};

use crate::curves::{self, curves};
use crate::error::Result;
use crate::facts::{self, Fact};
use crate::metrics::Metrics;
use crate::pictures::{self, Picture, Stage};
use crate::text;

/// What the template is given.
#[derive(Serialize)]
pub(crate) struct Page {
    name: String,
    status: &'static str,
    status_text: String,
    results: Vec<Fact>,
    results_note: String,
    setting: Vec<Fact>,
    command: Option<String>,
    curves: Vec<Curve>,
    /// The runs that it is compared with, and the curves of all of them.
    others: Vec<String>,
    side_by_side: Vec<Curve>,
    real: Option<Picture>,
    samples: Option<Picture>,
    progression: Vec<Picture>,
    animation: Option<Picture>,
    figures: Vec<Picture>,
    /// Figures drawn on the way.
    stages: Vec<Stage>,
    models: Vec<Model>,
    data: Vec<(String, String)>,
    config: String,
    log: Option<String>,
    /// What is not there or could not be read, a sentence each.
    missing: Vec<String>,
    version: &'static str,
}

#[derive(Serialize)]
struct Curve {
    svg: Value,
    caption: &'static str,
}

/// A network as `models.json` has it, its numbers made readable.
#[derive(Serialize)]
struct Model {
    name: String,
    parameters: String,
    layers: Vec<Layer>,
}

#[derive(Serialize)]
struct Layer {
    name: String,
    kind: String,
    output: String,
    parameters: String,
}

/// Lines of the log that are shown.
const LOG_LINES: usize = 40;

impl Page {
    /// Reads a run folder, and the metrics of others.
    pub(crate) fn of(run: &RunDir, others: &[RunDir]) -> Result<Self> {
        let config = fs_err::read_to_string(run.config())?;
        let metrics = Metrics::read(run)?;
        let mut missing = Vec::new();
        if metrics.damaged > 0 {
            missing.push(format!("{} lines of metrics.jsonl could not be read.", metrics.damaged));
        }
        let info = match run.info().is_file() {
            true => run.read_info().map_err(|e| missing.push(format!("run.json: {e}."))).ok(),
            false => {
                missing.push("run.json: how the run stands is not known.".into());
                None
            }
        };
        let data = data(run, &mut missing)?;
        let train_images = data.pointer("/counts/train").and_then(serde_json::Value::as_u64);
        let page = Self {
            name: run.name(),
            status: info.as_ref().map_or("unknown", |i| status_class(i.status)),
            status_text: info.as_ref().map_or("state unknown".into(), status_text),
            results: facts::results(run, info.as_ref(), &metrics, train_images),
            results_note: facts::end_in_words(&metrics),
            setting: info.as_ref().map(facts::setting).unwrap_or_default(),
            command: info.map(|i| i.command),
            curves: drawn(curves(&metrics)),
            others: others.iter().map(RunDir::name).collect(),
            side_by_side: drawn(compared(run, others)?),
            real: pictures::picture(&run.real(), "real images")?,
            samples: pictures::last_samples(run)?,
            progression: pictures::progression(run)?,
            animation: pictures::picture(
                &run.progression(),
                "the same latents over the whole training",
            )?,
            figures: pictures::figures(&run.plot(""))?,
            stages: pictures::stages(run)?,
            models: models(run, &mut missing)?,
            data: text::flattened(&data),
            config,
            log: log(run)?,
            missing,
            version: env!("CARGO_PKG_VERSION"),
        };
        let columns = metrics.columns();
        let generates = !columns.contains(&"accuracy"); // what a classifier alone has
        Ok(page.with_missing_pictures(generates))
    }

    fn with_missing_pictures(mut self, generates: bool) -> Self {
        let absent = [
            (self.real.is_none(), "real.png: no grid of real images."),
            (generates && self.samples.is_none(), "samples/: no generated images yet."),
            (
                generates && self.animation.is_none(),
                "progression.gif: it is made when training ends.",
            ),
            (self.log.is_none(), "log.txt: no log."),
        ];
        self.missing
            .extend(absent.into_iter().filter(|(gone, _)| *gone).map(|(_, s)| s.to_string()));
        self
    }
}

/// Fills the template that comes with the program.
pub(crate) fn render(page: &Page) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // The name ends in `.html`, so that everything is escaped.
    let source = include_str!("../../../assets/report/report.html.jinja");
    environment.add_template("report.html", source)?;
    Ok(environment.get_template("report.html")?.render(Serde(page))?)
}

/// The curves of the run and of others in the same plots.
fn compared(run: &RunDir, others: &[RunDir]) -> Result<Vec<curves::Curve>> {
    let all = [run].into_iter().chain(others);
    let named = all.map(|run| Ok((run.name(), Metrics::read(run)?))).collect::<Result<Vec<_>>>()?;
    Ok(curves::side_by_side(&named))
}

fn drawn(curves: Vec<curves::Curve>) -> Vec<Curve> {
    curves
        .into_iter()
        .map(|c| Curve { svg: Value::from_safe_string(c.plot.svg()), caption: c.caption })
        .collect()
}

fn status_class(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Finished => "finished",
        Status::Imported => "imported",
        Status::Interrupted => "interrupted",
        Status::Failed => "failed",
    }
}

fn status_text(info: &RunInfo) -> String {
    match &info.reason {
        Some(reason) => format!("{}: {reason}", info.status),
        None => info.status.to_string(),
    }
}

/// `models.json`; what cannot be read goes into `missing`.
fn models(run: &RunDir, missing: &mut Vec<String>) -> Result<Vec<Model>> {
    #[derive(Deserialize)]
    struct RawModel {
        name: String,
        parameters: u64,
        layers: Vec<RawLayer>,
    }
    #[derive(Deserialize)]
    struct RawLayer {
        name: String,
        kind: String,
        output: Vec<u64>,
        parameters: u64,
    }
    if !run.models().is_file() {
        missing.push("models.json: no table of the networks.".into());
        return Ok(Vec::new());
    }
    let raw: Vec<RawModel> = match serde_json::from_slice(&fs_err::read(run.models())?) {
        Ok(raw) => raw,
        Err(e) => {
            missing.push(format!("models.json could not be read: {e}."));
            return Ok(Vec::new());
        }
    };
    let layer = |l: RawLayer| Layer {
        name: l.name,
        kind: l.kind,
        output: l.output.iter().map(u64::to_string).collect::<Vec<_>>().join(" × "),
        parameters: text::grouped(l.parameters),
    };
    let model = |m: RawModel| Model {
        name: m.name,
        parameters: text::grouped(m.parameters),
        layers: m.layers.into_iter().map(layer).collect(),
    };
    Ok(raw.into_iter().map(model).collect())
}

/// `data.json`, null where it cannot be read, which goes into `missing`.
fn data(run: &RunDir, missing: &mut Vec<String>) -> Result<serde_json::Value> {
    if !run.data().is_file() {
        missing.push("data.json: the data set is not described.".into());
        return Ok(serde_json::Value::Null);
    }
    match serde_json::from_slice(&fs_err::read(run.data())?) {
        Ok(value) => Ok(value),
        Err(e) => {
            missing.push(format!("data.json could not be read: {e}."));
            Ok(serde_json::Value::Null)
        }
    }
}

fn log(run: &RunDir) -> Result<Option<String>> {
    if !run.log().is_file() {
        return Ok(None);
    }
    let bytes = fs_err::read(run.log())?;
    Ok(Some(text::tail(&String::from_utf8_lossy(&bytes), LOG_LINES)))
}
