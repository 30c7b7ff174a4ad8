//! Pictures, names and words of what arithmetic made.

use std::path::{Path, PathBuf};

use gan_core::Image;
use gan_latent::Sheet;

use super::{Arithmetic, Report};
use crate::cmd::tables;
use crate::words::{Words, of_attribute};

/// Changes that a person is told.
const TOLD: usize = 8;

/// Two rows, the indices of their latents over them.
pub(super) fn rows(
    first: &str,
    upper: Vec<Image>,
    second: &str,
    lower: Vec<Image>,
    indices: &[usize],
) -> Sheet {
    let columns = upper.len();
    Sheet::new(vec![upper, lower])
        .beside_rows([first, second])
        .over_columns(indices.iter().take(columns))
}

/// One row of what is added up, and the result.
pub(super) fn equation(
    [start, plus, minus]: [usize; 3],
    before: Vec<Image>,
    terms: Vec<Image>,
    after: Vec<Image>,
    strength: f64,
) -> Sheet {
    let factor = if strength == 1.0 { String::new() } else { format!("{strength}·") };
    let row = before.into_iter().chain(terms).chain(after).collect();
    Sheet::new(vec![row]).over_columns([
        format!("z{start}"),
        format!("+ {factor}z{plus}"),
        format!("− {factor}z{minus}"),
        "=".into(),
    ])
}

/// Where the picture of the groups goes.
pub(super) fn groups_path(out: &Path) -> PathBuf {
    out.with_extension("groups.png")
}

/// `Smiling`, `Black_Hair_from-Blond_Hair_seed-3`, `plus-3-7_minus-5_to-1`.
pub(super) fn file_name(asked: &Arithmetic) -> String {
    Words::default()
        .add(asked.attribute.iter().map(|name| of_attribute(name)))
        .list("plus", &asked.plus)
        .list("minus", &asked.minus)
        .list("to", &asked.apply_to)
        .add(asked.from.iter().map(|name| format!("from-{}", of_attribute(name))))
        .source(asked.latents.as_deref(), asked.seed)
        .unless(4000, "samples", asked.samples)
        .unless(10, "group", asked.group)
        .unless(10, "n", asked.n)
        .unless(1.0, "strength", asked.strength)
        .path("seen-by", asked.classifier.as_deref())
        .weights(asked.weights)
        .name()
}

/// What a person is told.
pub(super) fn summary(report: &Report, out: &Path, latents: &Path, run: &Path) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut text = format!(
        "mean of {} minus mean of {} latents, {:.2} standard deviations long ({:.2} by chance), added to {}\n",
        report.groups.plus.len(),
        report.groups.minus.len(),
        report.length,
        report.length_by_chance,
        report.groups.apply_to.len()
    );
    if let (Some(plus), Some(minus)) = (&report.groups.plus_seen, &report.groups.minus_seen) {
        let of = |group: &[usize], seen: &usize, name: &Option<String>| {
            let name = name.as_deref().unwrap_or_default();
            format!("{seen} of {} as {name}", group.len())
        };
        let groups = &report.groups;
        text += &format!(
            "the classifier sees {}, {}\n",
            of(&groups.plus, plus, &groups.attribute),
            of(&groups.minus, minus, &groups.from)
        );
    }
    if !report.left_out.is_empty() {
        text += &format!("held as they were: {}\n", report.left_out.join(", "));
    }
    if let Some(score) = &report.score {
        if let Some(asked) = &score.asked {
            text += &format!(
                "{}: seen in {} of {} images before, {} after; {} after a random change of that length\n",
                asked.name,
                percent(asked.before),
                score.latents,
                percent(asked.after),
                percent(asked.control)
            );
        }
        let told = score.changes.iter().take(TOLD).map(|change| {
            let mean = format!("{:+.1}", 100.0 * change.mean_change);
            vec![change.name.clone(), percent(change.before), percent(change.after), mean]
        });
        let head = ["moved most", "before", "after", "mean change (points)"];
        text += &format!("\n{}\n\n", tables::table(&head, &[1, 2, 3], told.collect()));
    }
    text += &format!("picture  {}\n", out.display());
    if report.groups.attribute.is_some() {
        text += &format!("groups   {}\n", groups_path(out).display());
    }
    format!(
        "{text}latents  {}\nnumbers  {}\nnext: gan-cli sample {} --latents {}",
        latents.display(),
        out.with_extension("json").display(),
        run.display(),
        latents.display()
    )
}
