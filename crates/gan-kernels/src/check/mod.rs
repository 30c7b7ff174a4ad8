//! Checks of the kernels and their gradients on a device, against plain loops in f64 on the CPU.

pub(crate) mod reference;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use gan_core::Stream;

use crate::activation::Activation;
use crate::conv::ConvShape;
use crate::geometry::ConvGeometry;
use crate::{Adam, AdamConfig, FeatureMaps, backward, bce_with_logits, softplus};

/// How far one kernel is from its reference.
#[derive(Clone, Debug)]
pub struct Check {
    /// The kernel, in a few words.
    pub kernel: &'static str,
    /// `f32` or `f64`
    pub dtype: DType,
    /// Random shapes that were tried.
    pub shapes: usize,
    /// Largest `max |error| / max |reference|` of values and gradients.
    pub error: f64,
    /// What `error` may be at most.
    pub bound: f64,
    /// Where the largest error was: shape and quantity.
    pub worst: String,
}

impl Check {
    /// Whether the kernel is right.
    pub fn passed(&self) -> bool {
        self.error <= self.bound
    }
}

/// One group of kernels to be checked.
type Run = fn(&mut Errors, &mut Stream) -> Result<()>;

/// The checks, with the name of each.
const CHECKS: [(&str, Run); 10] = [
    ("convolution 4×4, stride 2", |errors, stream| convolution(errors, stream, Family::Halving)),
    ("convolution 3×3, stride 1", |errors, stream| convolution(errors, stream, Family::Same)),
    ("convolution 1×1 and whole image", |errors, stream| {
        convolution(errors, stream, Family::Dense)
    }),
    ("convolution, any", |errors, stream| convolution(errors, stream, Family::Any)),
    ("transposed 4×4, stride 2", |errors, stream| transposed(errors, stream, Family::Halving)),
    ("transposed whole image", |errors, stream| transposed(errors, stream, Family::Dense)),
    ("transposed convolution, any", |errors, stream| transposed(errors, stream, Family::Any)),
    ("batch norm with activation", batch_norm),
    ("losses", losses),
    ("Adam", adam),
];

/// Names of the checks, in the order of [`check`]'s index.
pub fn check_names() -> impl ExactSizeIterator<Item = &'static str> {
    CHECKS.iter().map(|&(name, _)| name)
}

/// Runs one check on random shapes and values drawn from `seed`.
///
/// # Errors
/// If the device fails.
///
/// # Panics
/// If `index` is not below the number of [`check_names`].
pub fn check(index: usize, dtype: DType, device: &Device, seed: u64) -> Result<Check> {
    const SHAPES: usize = 6;
    let (kernel, run) = CHECKS[index];
    let mut stream = Stream::indexed("doctor", seed, index as u64);
    let mut errors = Errors { dtype, device: device.clone(), worst: (0.0, String::new()) };
    for _ in 0..SHAPES {
        run(&mut errors, &mut stream)?;
    }
    let (error, worst) = errors.worst;
    let bound = if dtype == DType::F64 { 1e-12 } else { 1e-5 };
    Ok(Check { kernel, dtype, shapes: SHAPES, error, bound, worst })
}

/// The largest error so far, and where things are computed.
struct Errors {
    dtype: DType,
    device: Device,
    worst: (f64, String),
}

impl Errors {
    /// A variable on the device with these values, which are rounded to its type.
    fn var(&self, values: &[f64], dims: &[usize]) -> Result<(Var, Vec<f64>)> {
        let tensor = Tensor::from_slice(values, dims, &Device::Cpu)?.to_dtype(self.dtype)?;
        let rounded = to_vec(&tensor)?;
        Ok((Var::from_tensor(&tensor.to_device(&self.device)?)?, rounded))
    }

    /// Notes how far `got` is from `expected`.
    fn note(&mut self, what: &str, got: &Tensor, expected: &[f64]) -> Result<()> {
        let got = to_vec(got)?;
        let largest = expected.iter().fold(1e-30_f64, |a, b| a.max(b.abs()));
        let mut error = if got.len() == expected.len() { 0.0 } else { f64::INFINITY };
        for (got, expected) in got.iter().zip(expected) {
            let difference = (got - expected).abs() / largest;
            error = f64::max(error, if difference.is_nan() { f64::INFINITY } else { difference });
        }
        if error > self.worst.0 {
            self.worst = (error, what.to_string());
        }
        Ok(())
    }
}

impl Errors {
    /// Notes how far a variable's gradient is from `expected`; a missing one is infinitely far.
    fn note_gradient(
        &mut self,
        what: &str,
        store: &GradStore,
        var: &Var,
        expected: &[f64],
    ) -> Result<()> {
        match store.get(var) {
            Some(got) => self.note(what, got, expected),
            None => {
                self.worst = (f64::INFINITY, format!("{what}: none"));
                Ok(())
            }
        }
    }
}

fn to_vec(x: &Tensor) -> Result<Vec<f64>> {
    x.flatten_all()?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()
}

fn noise(stream: &mut Stream, len: usize) -> Vec<f64> {
    (0..len).map(|_| f64::from(stream.normal())).collect()
}

fn any_activation(stream: &mut Stream) -> Activation {
    let all = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.2),
        Activation::Tanh,
        Activation::Sigmoid,
    ];
    all[stream.below(all.len())]
}

/// Kinds of convolutions.
#[derive(Clone, Copy)]
enum Family {
    /// What halves an image.
    Halving,
    /// What keeps its size.
    Same,
    /// A pixel, or all of them.
    Dense,
    /// Any kernel, stride and padding.
    Any,
}

impl Family {
    /// A random shape of the kind, small enough for plain loops.
    fn draw(self, stream: &mut Stream) -> Result<ConvShape> {
        let mut channels = || match stream.below(3) {
            0 => 16 * (1 + stream.below(3)),
            // Not fewer: a single sum may come out near zero, where its relative error means nothing.
            1 => 3 + stream.below(5),
            _ => 3,
        };
        let (c_large, c_small) = (channels(), channels());
        // One value a channel and image: more of them, so that the largest is no accident.
        let c_small = if matches!(self, Self::Dense) { c_small.max(16) } else { c_small };
        let mut between = |low: usize, high: usize| low + stream.below(high - low + 1);
        let batch = between(2, 5);
        let size = (between(4, 11), between(4, 11));
        let (size, kernel, geometry) = match self {
            Self::Halving => (size, (4, 4), ConvGeometry::square(2, 1)),
            Self::Same => (size, (3, 3), ConvGeometry::square(1, 1)),
            Self::Dense if batch % 2 == 0 => (size, (1, 1), ConvGeometry::square(1, 0)),
            Self::Dense => ((4, 4), (4, 4), ConvGeometry::square(1, 0)),
            Self::Any => {
                let kernel = (between(1, 4), between(1, 4));
                let stride = (between(1, 3), between(1, 3));
                let padding = (between(0, 2), between(0, 2));
                (size, kernel, ConvGeometry { stride, padding })
            }
        };
        let x = [batch, c_large, size.0, size.1];
        ConvShape::of_conv2d(&x, &[c_small, c_large, kernel.0, kernel.1], geometry)
    }
}

fn large_dims(shape: &ConvShape) -> [usize; 4] {
    [shape.batch, shape.large.channels, shape.large.height, shape.large.width]
}

fn small_dims(shape: &ConvShape) -> [usize; 4] {
    [shape.batch, shape.small.channels, shape.small.height, shape.small.width]
}

/// A convolution with bias and activation, and its three gradients.
fn convolution(errors: &mut Errors, stream: &mut Stream, family: Family) -> Result<()> {
    let shape = family.draw(stream)?;
    let (x_dims, w_dims, y_dims) = (large_dims(&shape), shape.weight_dims(), small_dims(&shape));
    let layer = Layer::draw(errors, stream, x_dims, w_dims, y_dims)?;
    let maps = FeatureMaps::from_tensor(&layer.x.0)?;
    let y = maps.conv(&layer.w.0, Some(&layer.b.0), shape.geometry, layer.f)?;
    let linear = reference::forward(&shape, &layer.x.1, &layer.w.1);
    layer.compare(errors, &shape, &y.to_tensor()?, linear, |grad| {
        let x_grad = reference::input_grad(&shape, grad, &layer.w.1);
        (x_grad, reference::weight_grad(&shape, &layer.x.1, grad))
    })
}

/// A transposed convolution with bias and activation, and its three gradients.
fn transposed(errors: &mut Errors, stream: &mut Stream, family: Family) -> Result<()> {
    let shape = family.draw(stream)?;
    let (x_dims, w_dims, y_dims) = (small_dims(&shape), shape.weight_dims(), large_dims(&shape));
    let exact = shape.geometry.transposed_output_size(
        (shape.small.height, shape.small.width),
        shape.kernel,
        (0, 0),
    );
    // Padding may leave nothing of the smallest maps.
    let Ok(exact) = exact else { return Ok(()) };
    let output_padding = (shape.large.height - exact.0, shape.large.width - exact.1);
    let layer = Layer::draw(errors, stream, x_dims, w_dims, y_dims)?;
    let maps = FeatureMaps::from_tensor(&layer.x.0)?;
    let (w, b) = (&layer.w.0, Some(&*layer.b.0));
    let y = maps.conv_transpose(w, b, shape.geometry, output_padding, layer.f)?;
    let linear = reference::input_grad(&shape, &layer.x.1, &layer.w.1);
    layer.compare(errors, &shape, &y.to_tensor()?, linear, |grad| {
        let x_grad = reference::forward(&shape, grad, &layer.w.1);
        (x_grad, reference::weight_grad(&shape, grad, &layer.x.1))
    })
}

/// Variables of a layer with their values, and the gradient that comes from above.
struct Layer {
    x: (Var, Vec<f64>),
    w: (Var, Vec<f64>),
    b: (Var, Vec<f64>),
    grad: (Var, Vec<f64>),
    f: Activation,
    area: usize,
}

impl Layer {
    fn draw(
        errors: &Errors,
        stream: &mut Stream,
        x: [usize; 4],
        w: [usize; 4],
        y: [usize; 4],
    ) -> Result<Self> {
        let mut var = |dims: &[usize], scale: f64| {
            let values = noise(stream, dims.iter().product());
            errors.var(&values.iter().map(|x| scale * x).collect::<Vec<_>>(), dims)
        };
        // Sums of ordinary size: an activation would make much of the rounding of large ones.
        let scale = 1.0 / ((w[1] * w[2] * w[3]) as f64).sqrt();
        let (x, w, b, grad) = (var(&x, 1.0)?, var(&w, scale)?, var(&[y[1]], 1.0)?, var(&y, 1.0)?);
        Ok(Self { x, w, b, grad, f: any_activation(stream), area: y[2] * y[3] })
    }

    /// Compares with `linear`, the convolution alone, and what `gradients` makes of the gradient behind the activation.
    fn compare(
        &self,
        errors: &mut Errors,
        shape: &ConvShape,
        y: &Tensor,
        linear: Vec<f64>,
        gradients: impl Fn(&[f64]) -> (Vec<f64>, Vec<f64>),
    ) -> Result<()> {
        let channels = self.b.1.len();
        let channel = |i: usize| i / self.area % channels;
        let values: Vec<(f64, f64)> = linear
            .iter()
            .enumerate()
            .map(|(i, value)| reference::activation(self.f, value + self.b.1[channel(i)]))
            .collect();
        let expected: Vec<f64> = values.iter().map(|value| value.0).collect();
        let behind: Vec<f64> =
            values.iter().zip(&self.grad.1).map(|(value, grad)| value.1 * grad).collect();
        let (x_grad, w_grad) = gradients(&behind);
        let mut b_grad = vec![0.0; channels];
        behind.iter().enumerate().for_each(|(i, grad)| b_grad[channel(i)] += grad);

        let what = |quantity: &str| {
            let ConvShape { batch, large, small, kernel, geometry } = shape;
            format!(
                "{quantity}, batch {batch}, {}×{}×{} to {}×{}×{}, kernel {kernel:?}, stride {:?}, padding {:?}, {:?}",
                large.channels,
                large.height,
                large.width,
                small.channels,
                small.height,
                small.width,
                geometry.stride,
                geometry.padding,
                self.f
            )
        };
        errors.note(&what("values"), y, &expected)?;
        let store = backward(&(y * self.grad.0.as_tensor())?.sum_all()?)?;
        for (name, var, expected) in [
            ("input gradient", &self.x.0, &x_grad),
            ("weight gradient", &self.w.0, &w_grad),
            ("bias gradient", &self.b.0, &b_grad),
        ] {
            errors.note_gradient(&what(name), &store, var, expected)?;
        }
        Ok(())
    }
}

fn batch_norm(errors: &mut Errors, stream: &mut Stream) -> Result<()> {
    const EPS: f64 = 1e-5;
    // Of two values a channel the normalized ones are ±1 whatever they are: the gradient is a difference of equals.
    let dims =
        [2 + stream.below(6), 1 + stream.below(40), 2 + stream.below(8), 2 + stream.below(8)];
    let mut var = |dims: &[usize]| {
        let values = noise(stream, dims.iter().product());
        errors.var(&values, dims)
    };
    let (x, weight) = (var(&dims)?, var(&dims[1..2])?);
    let (bias, grad) = (var(&dims[1..2])?, var(&dims)?);
    let f = any_activation(stream);
    let maps = FeatureMaps::from_tensor(&x.0)?;
    let (y, _) = maps.batch_norm_train(&weight.0, &bias.0, EPS, f)?;
    let y = y.to_tensor()?;
    let flat = [dims[0], dims[1], dims[2] * dims[3]];
    let expected = reference::batch_norm(&x.1, flat, (&weight.1, &bias.1), EPS, f, &grad.1);
    let what = |quantity: &str| format!("{quantity}, {dims:?}, {f:?}");
    errors.note(&what("values"), &y, &expected.y)?;
    let store = backward(&(&y * grad.0.as_tensor())?.sum_all()?)?;
    for (name, var, expected) in [
        ("input gradient", &x.0, &expected.x_grad),
        ("weight gradient", &weight.0, &expected.weight_grad),
        ("bias gradient", &bias.0, &expected.bias_grad),
    ] {
        errors.note_gradient(&what(name), &store, var, expected)?;
    }
    Ok(())
}

fn losses(errors: &mut Errors, stream: &mut Stream) -> Result<()> {
    let len = 1 + stream.below(200);
    let values: Vec<f64> = noise(stream, len).into_iter().map(|x| 20.0 * x).collect();
    let (x, values) = errors.var(&values, &[len])?;
    let target = f64::from(stream.uniform(0.0, 1.0));
    let log1p_exp = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());

    let loss = bce_with_logits(&x, target)?;
    let n = len as f64;
    let expected = values.iter().map(|&x| log1p_exp(x) - target * x).sum::<f64>() / n;
    errors.note(&format!("cross-entropy of {len} logits"), &loss, &[expected])?;
    let slopes: Vec<f64> = values.iter().map(|&x| (sigmoid(x) - target) / n).collect();
    let what = format!("gradient of cross-entropy of {len} logits");
    errors.note_gradient(&what, &backward(&loss)?, &x, &slopes)?;

    let y = softplus(&x)?;
    let expected: Vec<f64> = values.iter().map(|&x| log1p_exp(x)).collect();
    errors.note(&format!("softplus of {len} values"), &y, &expected)?;
    let slopes: Vec<f64> = values.iter().map(|&x| sigmoid(x)).collect();
    let what = format!("gradient of softplus of {len} values");
    errors.note_gradient(&what, &backward(&y.sum_all()?)?, &x, &slopes)?;
    Ok(())
}

fn adam(errors: &mut Errors, stream: &mut Stream) -> Result<()> {
    const STEPS: i32 = 5;
    let len = 1 + stream.below(500);
    let (start, grad) = (noise(stream, len), noise(stream, len));
    let ((var, mut expected), (grad, grads)) =
        (errors.var(&start, &[len])?, errors.var(&grad, &[len])?);
    let config = AdamConfig { lr: 1e-2, beta1: 0.5, beta2: 0.999, eps: 1e-8, weight_decay: 1e-3 };
    let mut adam = Adam::new(vec![("x".to_string(), var.clone())], config)?;
    let (mut mean, mut square) = (vec![0.0; len], vec![0.0; len]);
    for step in 1..=STEPS {
        adam.step(&backward(&(var.as_tensor() * grad.as_tensor())?.sum_all()?)?)?;
        for i in 0..len {
            let g = grads[i] + config.weight_decay * expected[i];
            mean[i] = config.beta1 * mean[i] + (1.0 - config.beta1) * g;
            square[i] = config.beta2 * square[i] + (1.0 - config.beta2) * g * g;
            let corrected = mean[i] / (1.0 - config.beta1.powi(step));
            let root = (square[i] / (1.0 - config.beta2.powi(step))).sqrt();
            expected[i] -= config.lr * corrected / (root + config.eps);
        }
    }
    errors.note(&format!("{STEPS} steps on {len} values"), &var, &expected)
}
