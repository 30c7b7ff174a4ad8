//! The table of a network's layers, recorded from a real forward pass, so that it is true.

use std::cell::RefCell;

use candle_core::{Result, Tensor};
use gan_kernels::FeatureMaps;
use serde::{Deserialize, Serialize};

/// One layer of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Path of its parameters within the network.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Shape of its output for one image, without the batch.
    pub output: Vec<usize>,
    /// Number of trained values.
    pub parameters: usize,
}

/// A network as a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSummary {
    /// Its role: `generator`, `discriminator`.
    pub name: String,
    /// Number of trained values.
    pub parameters: usize,
    /// Its layers, in the order in which data passes through them.
    pub layers: Vec<LayerSummary>,
}

thread_local! {
    static RECORDING: RefCell<Option<Vec<LayerSummary>>> = const { RefCell::new(None) };
}

/// Runs `forward` and lists the layers that it went through.
pub fn summarize(name: &str, forward: impl FnOnce() -> Result<Tensor>) -> Result<NetworkSummary> {
    RECORDING.set(Some(Vec::new()));
    let result = forward();
    let layers = RECORDING.take().unwrap_or_default();
    result?;
    let parameters = layers.iter().map(|layer| layer.parameters).sum();
    Ok(NetworkSummary { name: name.into(), parameters, layers })
}

/// Notes a layer's output while a summary is being made on this thread; otherwise nothing.
pub(crate) fn record(name: &str, kind: &str, output: &FeatureMaps, parameters: &[&Tensor]) {
    RECORDING.with_borrow_mut(|recording| {
        if let Some(layers) = recording {
            layers.push(LayerSummary {
                name: name.into(),
                kind: kind.into(),
                output: output.dims()[1..].to_vec(),
                parameters: parameters.iter().map(|t| t.elem_count()).sum(),
            });
        }
    });
}
