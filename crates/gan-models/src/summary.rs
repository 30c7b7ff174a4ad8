//! The table of a network's layers, recorded from a real forward pass, so that it is true.

use std::cell::RefCell;

use candle_core::{Result, Tensor, bail};
use gan_kernels::{Activation, FeatureMaps};
use serde::{Deserialize, Serialize};

use crate::layered::Layer;

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

/// A layer as data went through it.
struct Passed {
    name: String,
    layer: Layer,
    activation: Activation,
    /// Shapes without the batch.
    input: Vec<usize>,
    output: Vec<usize>,
    parameters: usize,
}

thread_local! {
    static RECORDING: RefCell<Option<Vec<Passed>>> = const { RefCell::new(None) };
}

/// Runs `forward` and lists the layers that it went through.
pub fn summarize(name: &str, forward: impl FnOnce() -> Result<Tensor>) -> Result<NetworkSummary> {
    let layers: Vec<LayerSummary> = passed(forward)?.into_iter().map(LayerSummary::from).collect();
    let parameters = layers.iter().map(|layer| layer.parameters).sum();
    Ok(NetworkSummary { name: name.into(), parameters, layers })
}

/// A sequence of layers.
pub(crate) struct Sequence {
    pub(crate) layers: Vec<Layer>,
    /// Whether what comes out has neither height nor width in PyTorch.
    pub(crate) flat: bool,
}

/// Runs `forward`, from `input` to `output` channels, height and width, and says which `nn.Sequential` computes the same: with
/// its activations, and with the changes of shape between that no layer of ours is. `flat` says whether what it reads has
/// neither height nor width in PyTorch; it is as the first layer has it where that may be chosen.
///
/// # Errors
/// If data came to a layer by another way than through the one before.
pub(crate) fn sequence<T>(
    (input, flat): ([usize; 3], Option<bool>),
    output: [usize; 3],
    forward: impl FnOnce() -> Result<T>,
) -> Result<Sequence> {
    let passed = passed(forward)?;
    let begins_flat = || passed.first().is_some_and(|first| is_linear(&first.layer));
    let mut flat = flat.unwrap_or_else(begins_flat);
    let mut layers = Vec::new();
    let mut dims = input.to_vec();
    for Passed { name, layer, activation, input, output, .. } in passed {
        if input.iter().product::<usize>() != dims.iter().product::<usize>() {
            bail!("{name} reads {input:?}, and what comes before it makes {dims:?}");
        }
        let needs_maps = matches!(layer, Layer::Conv { .. } | Layer::ConvTranspose { .. });
        if is_linear(&layer) {
            layers.extend((!flat).then_some(Layer::Flatten));
            flat = true;
        } else if input != dims || needs_maps && flat {
            layers.push(Layer::Reshape { shape: [input[0], input[1], input[2]] });
            flat = false;
        }
        layers.push(layer);
        layers.extend(Layer::of_activation(activation));
        dims = output;
    }
    if dims != output {
        layers.push(Layer::Reshape { shape: output });
        flat = false;
    }
    Ok(Sequence { layers, flat })
}

fn is_linear(layer: &Layer) -> bool {
    matches!(layer, Layer::Linear { .. })
}

/// The layers that `forward` went through.
fn passed<T>(forward: impl FnOnce() -> Result<T>) -> Result<Vec<Passed>> {
    RECORDING.set(Some(Vec::new()));
    let result = forward();
    let passed = RECORDING.take().unwrap_or_default();
    result.map(|_| passed)
}

/// Notes a layer while a summary is being made on this thread; otherwise nothing.
pub(crate) fn record<'a>(
    name: &str,
    input: &FeatureMaps,
    output: &FeatureMaps,
    layer: impl FnOnce() -> (Layer, Activation, Vec<&'a Tensor>),
) {
    RECORDING.with_borrow_mut(|recording| {
        if let Some(passed) = recording {
            let (layer, activation, parameters) = layer();
            passed.push(Passed {
                name: name.into(),
                layer,
                activation,
                input: input.dims()[1..].to_vec(),
                output: output.dims()[1..].to_vec(),
                parameters: parameters.iter().map(|t| t.elem_count()).sum(),
            });
        }
    });
}

impl From<Passed> for LayerSummary {
    fn from(Passed { name, layer, output, parameters, .. }: Passed) -> Self {
        Self { name, kind: layer.kind().into(), output, parameters }
    }
}
