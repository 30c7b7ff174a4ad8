//! What is told of a map.

use std::path::Path;

use gan_data::{Dataset, Split};
use gan_latent::embed::Separation;
use serde::Serialize;

/// What is written beside the map.
#[derive(Serialize)]
pub(super) struct Report {
    /// What the points are.
    pub(super) points: &'static str,
    pub(super) split: Split,
    pub(super) n: usize,
    pub(super) dimensions: usize,
    pub(super) method: &'static str,
    pub(super) seed: u64,
    pub(super) perplexity: Option<f64>,
    /// Divergence of the map's neighbourhoods from the points', in nats (t-SNE).
    pub(super) divergence: Option<f64>,
    /// Share of the variance that the plane has (PCA).
    pub(super) variance_share: Option<f64>,
    pub(super) color_by: Option<String>,
    pub(super) classes: Vec<String>,
    /// Points of which that is told, evenly chosen from all, and among which their neighbours are.
    pub(super) compared: Option<usize>,
    /// How far apart the classes lie in the map.
    pub(super) in_map: Option<Separation>,
    /// How far apart they lie where the map comes from.
    pub(super) in_space: Option<Separation>,
    /// Of two classes: how often a plane fitted to 70 % of the points has the others on the right side.
    pub(super) linear: Option<Linear>,
}

/// A plane between two classes.
#[derive(Serialize)]
pub(super) struct Linear {
    pub(super) held_out_accuracy: f64,
    /// The share of the commoner class among the same points.
    pub(super) commoner: f64,
}

impl Report {
    /// What a person is told.
    pub(super) fn summary(&self, out: &Path, data: &Dataset, run: &Path) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let mut text = format!("{} {} of {} images in the plane", self.n, self.points, self.split);
        text += &match (self.divergence, self.variance_share) {
            (Some(divergence), _) => format!(", divergence {divergence:.2} nats\n"),
            (_, Some(share)) => format!(", which has {} of the variance\n", percent(share)),
            _ => "\n".into(),
        };
        if let Some(compared) = self.compared.filter(|compared| *compared < self.n) {
            text += &format!("classes are compared among {compared} of them\n");
        }
        for (where_, found) in [("the map", &self.in_map), ("all dimensions", &self.in_space)] {
            if let (Some(found), Some(name)) = (found, &self.color_by) {
                text += &format!(
                    "{name} in {where_}: {} of the {} nearest are of the same ({} by chance), silhouette {:+.2}\n",
                    percent(found.purity),
                    found.neighbours,
                    percent(found.chance),
                    found.silhouette
                );
            }
        }
        if let Some(linear) = &self.linear {
            text += &format!(
                "a plane through all dimensions tells {} of held-out images ({} by always saying the commoner)\n",
                percent(linear.held_out_accuracy),
                percent(linear.commoner)
            );
        }
        let others = || {
            let all = data.manifest().attributes.iter();
            all.filter(|name| self.color_by.as_ref() != Some(*name))
        };
        // Attributes that show, before those that come first in the alphabet.
        let telling = |name: &&String| ["Male", "Smiling", "Eyeglasses"].contains(&name.as_str());
        let other = others().find(telling).or_else(|| others().next());
        let next = match other {
            Some(name) => format!("--color-by {name}"),
            None if self.method == "tsne" => "--method pca".into(),
            None => "--method tsne".into(),
        };
        format!(
            "{text}map      {}\n         {}\npoints   {}\nnumbers  {}\nnext: gan-cli embed {} {next}",
            out.display(),
            out.with_extension("svg").display(),
            out.with_extension("csv").display(),
            out.with_extension("json").display(),
            run.display()
        )
    }
}
