//! The curves of a run: which columns of the metrics stand in which plot, and how to read them.

use gan_core::plot::{Plot, Series};

use crate::metrics::Metrics;

/// A plot with the sentence below it.
pub(crate) struct Curve {
    pub(crate) plot: Plot,
    pub(crate) caption: &'static str,
}

/// A family of columns that share a plot.
#[derive(Clone, Copy)]
struct Family {
    title: &'static str,
    y_label: &'static str,
    /// A column belongs to the first family of which it begins with one of these.
    prefixes: &'static [&'static str],
    caption: &'static str,
    log_y: bool,
    y_range: Option<(f64, f64)>,
    /// Whether it is left out when none of its columns ever changes.
    only_if_changing: bool,
}

const PLAIN: Family = Family {
    title: "",
    y_label: "",
    prefixes: &[],
    caption: "",
    log_y: false,
    y_range: None,
    only_if_changing: false,
};

/// Of a GAN.
const OF_GANS: [Family; 6] = [
    Family {
        title: "Losses",
        y_label: "loss",
        prefixes: &["loss"],
        caption: "With cross-entropy losses an undecided discriminator stands at 2 ln 2 ≈ 1.39 and \
                  its generator at ln 2 ≈ 0.69. Losses of two players that follow each other need not fall.",
        ..PLAIN
    },
    Family {
        title: "D(x) and D(G(z))",
        y_label: "probability of “real”",
        prefixes: &["d_real", "d_fake_before", "d_fake_after"],
        caption: "What the discriminator gives real images, and generated ones before and after its \
                  update. Near 0.5 it cannot tell them apart; apart at 1 and 0 it has won.",
        y_range: Some((0.0, 1.0)),
        ..PLAIN
    },
    Family {
        title: "Accuracy of the discriminator",
        y_label: "accuracy",
        prefixes: &["accuracy_real", "accuracy"],
        caption: "Part of the real and of the generated images that the discriminator names rightly.",
        y_range: Some((0.0, 1.0)),
        ..PLAIN
    },
    Family {
        title: "Gradient norms",
        y_label: "L2 norm",
        prefixes: &["grad_norm"],
        caption: "A network whose gradient falls to nothing learns no more.",
        log_y: true,
        ..PLAIN
    },
    Family {
        title: "Learning rates",
        y_label: "learning rate",
        prefixes: &["lr_"],
        caption: "Step sizes of the optimizers.",
        only_if_changing: true,
        ..PLAIN
    },
    Family {
        title: "Throughput",
        y_label: "images/s",
        prefixes: &["images_per_second"],
        caption: "Real images trained on in a second.",
        ..PLAIN
    },
];

/// Of classifiers and autoencoders.
const OF_OTHERS: [Family; 7] = [
    Family {
        title: "Losses",
        y_label: "loss",
        prefixes: &["loss"],
        caption: "What is minimized, and its parts before their weights, on training batches.",
        log_y: true,
        ..PLAIN
    },
    Family {
        title: "Accuracy",
        y_label: "accuracy",
        prefixes: &["accuracy"],
        caption: "Part of the training batches that is predicted rightly.",
        y_range: Some((0.0, 1.0)),
        ..PLAIN
    },
    Family {
        title: "Mean squared error",
        y_label: "error on [-1, 1]",
        prefixes: &["mse"],
        caption: "Of reconstructions of training batches, a pixel.",
        log_y: true,
        ..PLAIN
    },
    Family {
        title: "Moments of the latents",
        y_label: "moment",
        prefixes: &["z_"],
        caption: "Over all entries of a batch's latents; 0, 1 and 3 are those of a normal distribution.",
        ..PLAIN
    },
    OF_GANS[3],
    Family { prefixes: &["lr"], ..OF_GANS[4] },
    OF_GANS[5],
];

/// The plots for which a run has numbers.
pub(crate) fn curves(metrics: &Metrics) -> Vec<Curve> {
    let is_gan = metrics.columns().contains(&"loss_d");
    let families = if is_gan { &OF_GANS[..] } else { &OF_OTHERS[..] };
    families.iter().filter_map(|family| family.curve(metrics)).collect()
}

/// Columns in which runs are compared, with what stands over their plot.
const COMPARED: [(&str, &str); 8] = [
    ("loss_d", "Discriminator loss"),
    ("loss_g", "Generator loss"),
    ("d_real", "D(x)"),
    ("d_fake_after", "D(G(z))"),
    ("loss", "Loss"),
    ("loss_reconstruction", "Reconstruction loss"),
    ("mse", "Mean squared error"),
    ("accuracy", "Accuracy"),
];

/// The columns that any of some runs has, a plot each with a curve for every run that has it. None for a single run.
pub(crate) fn side_by_side(runs: &[(String, Metrics)]) -> Vec<Curve> {
    let plot = |&(column, title): &(&str, &str)| {
        // A run without it keeps its place, so that a run has one color in all plots.
        let series = runs.iter().map(|(name, m)| Series::new(name.clone(), m.points(column)));
        let series: Vec<Series> = series.collect();
        let known = series.iter().any(|series| !series.points.is_empty());
        let plot = Plot {
            title: title.into(),
            x_label: "images seen".into(),
            y_label: title.to_lowercase(),
            series,
            ..Plot::default()
        };
        known.then_some(Curve { plot, caption: "" })
    };
    if runs.len() < 2 { Vec::new() } else { COMPARED.iter().filter_map(plot).collect() }
}

impl Family {
    fn curve(&self, metrics: &Metrics) -> Option<Curve> {
        let mut columns: Vec<&str> = metrics
            .columns()
            .into_iter()
            .filter(|column| self.prefixes.iter().any(|prefix| column.starts_with(prefix)))
            .collect();
        // In the order of the prefixes: what is real stands before what is generated.
        columns.sort_by_key(|column| self.prefixes.iter().position(|p| column.starts_with(p)));
        let series: Vec<Series> = columns
            .into_iter()
            .map(|column| Series::new(series_name(column), metrics.points(column)))
            .collect();
        let constant = |s: &Series| s.points.iter().all(|(_, y)| *y == s.points[0].1);
        if series.is_empty() || self.only_if_changing && series.iter().all(constant) {
            return None;
        }
        let plot = Plot {
            title: self.title.into(),
            x_label: "images seen".into(),
            y_label: self.y_label.into(),
            log_y: self.log_y,
            y_range: self.y_range,
            series,
        };
        Some(Curve { plot, caption: self.caption })
    }
}

/// How the legend calls a column.
fn series_name(column: &str) -> String {
    let known = match column {
        "loss_d" | "grad_norm_d" | "lr_d" => "discriminator",
        "loss_g" | "grad_norm_g" | "lr_g" => "generator",
        "d_real" => "D(x)",
        "d_fake_before" => "D(G(z)) before",
        "d_fake_after" => "D(G(z)) after",
        "accuracy_real" => "on real images",
        "accuracy_fake" => "on generated images",
        "images_per_second" => "images/s",
        other => {
            let rest = ["loss_", "grad_norm_", "lr_", "accuracy_"]
                .into_iter()
                .find_map(|prefix| other.strip_prefix(prefix));
            return rest.unwrap_or(other).replace('_', " ");
        }
    };
    known.into()
}
