//! Networks as a Python module for PyTorch.

use std::fmt::Write;

use super::{Described, Layer};

/// A class `name` of `torch.nn.Module` that computes what `described` says, with the keys of [`Described::numbered`].
/// `doc` is its docstring, a sentence on what goes in and comes out.
pub fn module(name: &str, doc: &str, described: &Described) -> String {
    let mut text = format!("class {name}(nn.Module):\n    \"\"\"{doc}\"\"\"\n\n");
    text += "    def __init__(self):\n        super().__init__()\n";
    let flat = begins_flat(described);
    let mut state = State { dims: described.input, flat };
    let mut at_heads = state;
    let mut lines = Vec::new();
    for (i, layer) in described.main.iter().enumerate() {
        if described.heads.iter().any(|head| head.reads == i) {
            at_heads = state;
        }
        lines.push(line(layer, &mut state));
    }
    text += &sequential("main", &lines);
    for head in &described.heads {
        let mut state = at_heads;
        let lines: Vec<String> = head.layers.iter().map(|layer| line(layer, &mut state)).collect();
        text += &sequential(head.name, &lines);
    }
    text + &forward(described, flat, state)
}

/// Shape of what a layer reads, without the batch.
#[derive(Clone, Copy)]
struct State {
    dims: [usize; 3],
    /// Neither height nor width in PyTorch.
    flat: bool,
}

/// Whether it reads `(N, values)`; discriminators and encoders read images.
fn begins_flat(described: &Described) -> bool {
    matches!(described.main.first(), Some(Layer::Linear { .. }))
}

fn sequential(name: &str, lines: &[String]) -> String {
    let mut text = format!("        self.{name} = nn.Sequential(\n");
    for line in lines {
        let _ = writeln!(text, "            {line},"); // a String takes everything
    }
    text + "        )\n"
}

/// The call that makes a layer.
fn line(layer: &Layer, state: &mut State) -> String {
    let [c, h, w] = state.dims;
    let size = Option::unwrap_or_default;
    let without = |bias: Option<bool>| if bias == Some(true) { "" } else { ", bias=False" };
    match *layer {
        Layer::Conv { channels, kernel, stride, padding, bias, .. } => {
            let (out, kernel, bias) = (size(channels), size(kernel), without(bias));
            let after = |n: usize| (n + 2 * padding).saturating_sub(kernel) / stride.max(1) + 1;
            *state = State { dims: [out, after(h), after(w)], flat: false };
            format!("nn.Conv2d({c}, {out}, {kernel}, {stride}, {padding}{bias})")
        }
        Layer::ConvTranspose {
            channels, kernel, stride, padding, output_padding, bias, ..
        } => {
            let (out, kernel, bias) = (size(channels), size(kernel), without(bias));
            let after = |n: usize| {
                (n.max(1) - 1) * stride + (kernel + output_padding).saturating_sub(2 * padding)
            };
            *state = State { dims: [out, after(h), after(w)], flat: false };
            let more = match output_padding {
                0 => String::new(),
                more => format!(", output_padding={more}"),
            };
            format!("nn.ConvTranspose2d({c}, {out}, {kernel}, {stride}, {padding}{more}{bias})")
        }
        Layer::Linear { features, bias, .. } => {
            let (out, bias) = (size(features), without(bias));
            *state = State { dims: [out, 1, 1], flat: true };
            format!("nn.Linear({}, {out}{bias})", c * h * w)
        }
        Layer::BatchNorm { .. } if state.flat => format!("nn.BatchNorm1d({c})"),
        Layer::BatchNorm { .. } => format!("nn.BatchNorm2d({c})"),
        Layer::Dropout { rate } => format!("nn.Dropout({rate})"),
        Layer::Relu => "nn.ReLU(inplace=True)".into(),
        Layer::LeakyRelu { slope } => format!("nn.LeakyReLU({slope}, inplace=True)"),
        Layer::Tanh => "nn.Tanh()".into(),
        Layer::Sigmoid => "nn.Sigmoid()".into(),
        Layer::Reshape { shape: [c, h, w] } => {
            let unflatten = format!("nn.Unflatten(1, ({c}, {h}, {w}))");
            let was_flat = std::mem::replace(state, State { dims: [c, h, w], flat: false }).flat;
            // Maps of one shape become maps of another in one module, so that the modules behind keep their numbers.
            if was_flat { unflatten } else { format!("nn.Sequential(nn.Flatten(), {unflatten})") }
        }
        Layer::Flatten => {
            *state = State { dims: [c * h * w, 1, 1], flat: true };
            "nn.Flatten()".into()
        }
    }
}

/// The method `forward`; what is a pixel at the `end` becomes a row of values.
fn forward(described: &Described, flat: bool, end: State) -> String {
    let [c, h, w] = described.input;
    let mut text = match described.told {
        0 => "\n    def forward(self, x):\n".to_string(),
        _ => "\n    def forward(self, x, told):\n".to_string(),
    };
    if described.told > 0 {
        text += &format!("        told = told[:, :, None, None].expand(-1, -1, {h}, {w})\n");
        text += "        x = torch.cat([x, told], 1)\n";
    } else if !flat && (h, w) == (1, 1) {
        text += &format!("        x = x.reshape(-1, {c}, 1, 1)\n");
    }
    let values = |end: State| if end.dims[1..] == [1, 1] && !end.flat { ".flatten(1)" } else { "" };
    let Some(reads) = described.heads.first().map(|head| head.reads) else {
        return text + &format!("        return self.main(x){}\n", values(end));
    };
    text += &format!("        features = self.main[:{reads}](x)\n");
    let mut outputs = vec![format!("self.main[{reads}:](features){}", values(end))];
    let heads = described.heads.iter();
    outputs.extend(heads.map(|head| format!("self.{}(features).flatten(1)", head.name)));
    text + &format!("        return {}\n", outputs.join(", "))
}
