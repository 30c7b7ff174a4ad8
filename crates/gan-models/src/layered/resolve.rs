//! Layers against the tensors that they should have.

use std::collections::BTreeMap;

use super::Layer;
use gan_kernels::ConvGeometry;

/// Shapes of tensors by name.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// How a list of layers fits some tensors.
#[derive(Clone, Debug, Default)]
pub struct Fit {
    /// The layers with everything that the tensors say filled in, as far as they were understood.
    pub layers: Vec<Layer>,
    /// Channels, height and width of what comes out.
    pub output: [usize; 3],
    /// What does not fit, each as a sentence with the shapes.
    pub differences: Vec<String>,
}

impl Fit {
    /// Follows an input of `[channels, height, width]` through `layers`. Where tensors are missing, what the layers say
    /// of themselves counts.
    pub fn new(layers: &[Layer], input: [usize; 3], shapes: &Shapes) -> Self {
        let mut fit = Self { output: input, ..Self::default() };
        for layer in layers {
            match fit.step(layer.clone(), shapes) {
                Ok(layer) => fit.layers.push(layer),
                // What follows a layer that is not understood cannot be judged.
                Err(difference) => {
                    fit.differences.push(difference);
                    fit.add_missing(&layers[fit.layers.len() + 1..], shapes);
                    break;
                }
            }
        }
        fit
    }

    /// Names of the layers' tensors.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let named = |layer: &Layer| {
            let key = layer.key().unwrap_or_default().to_string();
            layer.tensors().iter().map(move |tensor| format!("{key}.{tensor}"))
        };
        self.layers.iter().flat_map(named)
    }

    fn add_missing(&mut self, layers: &[Layer], shapes: &Shapes) {
        for name in layers.iter().filter_map(Layer::key).map(|key| format!("{key}.weight")) {
            if !shapes.contains_key(&name) {
                self.differences.push(format!("{name} is missing"));
            }
        }
    }

    /// One layer: filled in, its output noted.
    fn step(&mut self, mut layer: Layer, shapes: &Shapes) -> Result<Layer, String> {
        let [c, h, w] = self.output;
        match &mut layer {
            Layer::Conv { key, channels, kernel, stride, padding, bias } => {
                let found = weight(key, 4, shapes)?;
                let out = channels.or(found.map(|d| d[0]));
                let side = kernel.or(found.map(|d| d[2]));
                let (out, side) = known(key, out, side)?;
                agree(key, found, &[out, c, side, side])?;
                (*channels, *kernel) = (Some(out), Some(side));
                fill_bias(key, bias, out, shapes)?;
                let size =
                    ConvGeometry::square(*stride, *padding).output_size((h, w), (side, side));
                let (h, w) = size.map_err(|e| format!("{key}: {e}"))?;
                self.output = [out, h, w];
            }
            Layer::ConvTranspose {
                key,
                channels,
                kernel,
                stride,
                padding,
                output_padding,
                bias,
            } => {
                let found = weight(key, 4, shapes)?;
                let out = channels.or(found.map(|d| d[1]));
                let side = kernel.or(found.map(|d| d[2]));
                let (out, side) = known(key, out, side)?;
                agree(key, found, &[c, out, side, side])?;
                (*channels, *kernel) = (Some(out), Some(side));
                fill_bias(key, bias, out, shapes)?;
                let grown = |n: usize| {
                    let full =
                        (n.max(1) - 1).checked_mul(*stride)?.checked_add(side + *output_padding)?;
                    full.checked_sub(2 * *padding).filter(|n| *n > 0)
                };
                let (Some(h), Some(w)) = (grown(h), grown(w)) else {
                    return Err(format!("{key}: a padding of {padding} leaves nothing"));
                };
                self.output = [out, h, w];
            }
            Layer::Linear { key, features, bias } => {
                let found = weight(key, 2, shapes)?;
                let (out, _) = known(key, features.or(found.map(|d| d[0])), Some(1))?;
                agree(key, found, &[out, c * h * w])?;
                *features = Some(out);
                fill_bias(key, bias, out, shapes)?;
                self.output = [out, 1, 1];
            }
            Layer::BatchNorm { key } => {
                for tensor in ["weight", "bias", "running_mean", "running_var"] {
                    let name = format!("{key}.{tensor}");
                    match shapes.get(&name) {
                        Some(dims) if *dims == [c] => {}
                        Some(dims) => return Err(format!("{name} is {dims:?}, expected [{c}]")),
                        None if shapes.is_empty() => {}
                        None => return Err(format!("{name} is missing, expected [{c}]")),
                    }
                }
            }
            Layer::Reshape { shape } => {
                if shape.iter().product::<usize>() != c * h * w {
                    return Err(format!("{c}×{h}×{w} values cannot be reshaped to {shape:?}"));
                }
                self.output = *shape;
            }
            Layer::Flatten => self.output = [c * h * w, 1, 1],
            Layer::Dropout { .. }
            | Layer::Relu
            | Layer::LeakyRelu { .. }
            | Layer::Tanh
            | Layer::Sigmoid => {}
        }
        Ok(layer)
    }
}

/// The shape of a layer's weight, where there are tensors at all.
fn weight<'s>(
    key: &str,
    rank: usize,
    shapes: &'s Shapes,
) -> Result<Option<&'s Vec<usize>>, String> {
    match shapes.get(&format!("{key}.weight")) {
        Some(dims) if dims.len() != rank => {
            Err(format!("{key}.weight is {dims:?}, expected {rank} dimensions"))
        }
        Some(dims) if rank == 4 && dims[2] != dims[3] => {
            Err(format!("{key}.weight is {dims:?}, and kernels that are not square are not read"))
        }
        None if !shapes.is_empty() => Err(format!("{key}.weight is missing")),
        found => Ok(found),
    }
}

fn known(key: &str, out: Option<usize>, side: Option<usize>) -> Result<(usize, usize), String> {
    match (out, side) {
        (Some(out @ 1..), Some(side @ 1..)) => Ok((out, side)),
        _ => Err(format!("layer {key} has no tensors and does not say how large it is")),
    }
}

fn agree(key: &str, found: Option<&Vec<usize>>, expected: &[usize]) -> Result<(), String> {
    match found {
        Some(dims) if dims != expected => {
            Err(format!("{key}.weight is {dims:?}, expected {expected:?}"))
        }
        _ => Ok(()),
    }
}

/// Says whether a layer has a bias.
fn fill_bias(
    key: &str,
    bias: &mut Option<bool>,
    out: usize,
    shapes: &Shapes,
) -> Result<(), String> {
    let name = format!("{key}.bias");
    match (shapes.get(&name), *bias) {
        (Some(dims), Some(true) | None) if *dims != [out] => {
            Err(format!("{name} is {dims:?}, expected [{out}]"))
        }
        (Some(_), Some(false)) => Err(format!("{name} is there, and the layer has bias = false")),
        (None, Some(true)) if !shapes.is_empty() => {
            Err(format!("{name} is missing, expected [{out}]"))
        }
        (found, given) => {
            *bias = Some(given.unwrap_or(found.is_some()));
            Ok(())
        }
    }
}
