//! Regularizers of the discriminator by its gradient in the images: R1 (Mescheder et al. 2018,
//! <https://arxiv.org/abs/1801.04406>, section 4.1) and WGAN-GP (Gulrajani et al. 2017,
//! <https://arxiv.org/abs/1704.00028>, section 4); and the clipping of weights that WGAN-GP replaced (Arjovsky et al.
//! 2017, <https://arxiv.org/abs/1701.07875>, algorithm 1).
//!
//! The parameters' gradient of a penalty on ‖∇ₓD‖ is a second derivative. With the direction u = ∇ₓD/‖∇ₓD‖ of each
//! sample held constant it is the gradient of u·∇ₓD(x), the derivative of the logit along u. There are two ways to it:
//!
//! - [`r1_along`] and [`wgan_gp_along`] take a function that computes it, by pushing u through the network beside x:
//!   a linear layer without its bias, and the activation's slope at x. That is exact, equals PyTorch's double backward,
//!   and differentiates one pass instead of two.
//! - [`r1`] and [`wgan_gp`] work on any discriminator, by the central difference of [`central_difference`].
//!   **Deviation from the papers:** for a smooth D it is right up to O(h²). A network of LeakyReLU has no second
//!   derivative where a unit is at its kink; automatic differentiation ignores those, but between x − hu and x + hu lie
//!   kinks of many units, and each adds a term of order 1/h. In expectation over images they belong to the penalty's
//!   gradient, in one batch they are noise. On random discriminators of 16 to 64 images of 32×32 and 64×64 pixels the
//!   difference is 2 to 5 times as far from the exact gradient as that is long with h = 0.01, and 0.4 to 0.8 of its
//!   length (cosine 0.78 to 0.91) with h = 1 (`tests/golden/penalty_steps.py`), hence the size of [`STEP`].

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use gan_core::Stream;
use gan_kernels::backward;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Step of the central difference to either side of an image in [−1, 1], as root mean square over its values: 2.5
/// grey levels of 256. Its length h is 1.1 at 32×32 RGB and 2.2 at 64×64 RGB.
pub const STEP: f64 = 0.02;

/// A penalty on one batch.
#[derive(Clone, Debug)]
pub struct Penalty {
    /// A scalar to add to D's loss: its gradient for D's parameters is the penalty's, its value is not.
    pub surrogate: Tensor,
    /// The penalty itself.
    pub value: f64,
}

/// (γ/2)·mean‖∇ₓD(x)‖² over `real` images `(N, C, H, W)`, the mean over the batch; its gradient by differences.
///
/// `discriminator` maps images `(N, C, H, W)` to logits `(N,)` and must treat samples apart: batch norm in it must use
/// its running statistics. It is called three times.
///
/// # Errors
/// If the discriminator fails, its logits are not `(N,)`, or it does not depend on the images.
pub fn r1(
    discriminator: impl Fn(&Tensor) -> Result<Tensor>,
    real: &Tensor,
    gamma: f64,
) -> Result<Penalty> {
    r1_along(&discriminator, central_difference(&discriminator, STEP), real, gamma)
}

/// As [`r1`], with the derivative along a direction given: `along` takes images and directions `(N, C, H, W)`, the
/// latter of length 1 or 0 a sample, to ∇ₓD·u `(N,)`, through which gradients reach the parameters.
///
/// `discriminator` is called once, for its gradient in the images alone: its parameters may be frozen.
///
/// # Errors
/// As [`r1`], or if `along` fails or its result is not `(N,)`.
pub fn r1_along(
    discriminator: impl Fn(&Tensor) -> Result<Tensor>,
    along: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    real: &Tensor,
    gamma: f64,
) -> Result<Penalty> {
    penalty(discriminator, along, real, |norm| 0.5 * gamma * norm * norm, |norm| gamma * norm)
}

/// λ·mean(‖∇ₓD(x̂)‖ − 1)² at x̂ = ε·real + (1 − ε)·fake, the mean over the batch; its gradient by differences.
///
/// `real` and `fake`: `(N, C, H, W)`; `epsilon`: `(N,)`, the share of the real image, drawn from [0, 1).
/// `discriminator` as for [`r1`]. A sample whose gradient is 0 counts in the value and moves nothing.
///
/// # Errors
/// As [`r1`], or if the shapes do not fit.
pub fn wgan_gp(
    discriminator: impl Fn(&Tensor) -> Result<Tensor>,
    real: &Tensor,
    fake: &Tensor,
    lambda: f64,
    epsilon: &Tensor,
) -> Result<Penalty> {
    let along = central_difference(&discriminator, STEP);
    wgan_gp_along(&discriminator, along, real, fake, lambda, epsilon)
}

/// As [`wgan_gp`], with `along` and `discriminator` as for [`r1_along`].
///
/// # Errors
/// As [`wgan_gp`] and [`r1_along`].
pub fn wgan_gp_along(
    discriminator: impl Fn(&Tensor) -> Result<Tensor>,
    along: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    real: &Tensor,
    fake: &Tensor,
    lambda: f64,
    epsilon: &Tensor,
) -> Result<Penalty> {
    let mixed = interpolate(real, fake, epsilon)?;
    let (value, slope) =
        (|norm: f64| lambda * (norm - 1.0).powi(2), |norm| 2.0 * lambda * (norm - 1.0));
    penalty(discriminator, along, &mixed, value, slope)
}

/// Mean over the batch of `value(‖∇ₓD‖)`, whose derivative in the norm is `slope`.
fn penalty(
    discriminator: impl Fn(&Tensor) -> Result<Tensor>,
    along: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    images: &Tensor,
    value: impl Fn(f64) -> f64,
    slope: impl Fn(f64) -> f64,
) -> Result<Penalty> {
    let gradients = input_gradients(discriminator, images)?;
    let norms = norms(&gradients)?;
    let n = norms.len();
    // A sample without a gradient has no direction. Compared so that NaN is not taken for one.
    let unless_zero = |norm: f64, value: f64| if norm == 0.0 { 0.0 } else { value };
    let scale = norms.iter().map(|&norm| unless_zero(norm, norm.recip())).collect();
    let directions = gradients.broadcast_mul(&like(scale, images)?.reshape((n, 1, 1, 1))?)?;
    let weights = norms.iter().map(|&norm| unless_zero(norm, slope(norm) / n as f64)).collect();
    let slopes = along(&images.detach(), &directions)?; // [N], ‖∇ₓD‖ each
    let surrogate = (check_logits(slopes, n)? * like(weights, images)?)?.sum_all()?;
    let value = norms.into_iter().map(value).sum::<f64>() / n as f64;
    Ok(Penalty { surrogate, value })
}

/// The derivative of `discriminator` along directions `(N, C, H, W)` of length 1 or 0 a sample, as [`r1_along`] wants
/// it: (D(x + hu) − D(x − hu))/2h, where hu has the root mean square `step` over the values of an image.
pub fn central_difference(
    discriminator: impl Fn(&Tensor) -> Result<Tensor>,
    step: f64,
) -> impl Fn(&Tensor, &Tensor) -> Result<Tensor> {
    move |images, directions| {
        let (_, c, h, w) = images.dims4()?;
        let length = step * ((c * h * w) as f64).sqrt();
        let offset = (directions * length)?; // [N, C, H, W]
        let ahead = discriminator(&(images + &offset)?)?;
        let behind = discriminator(&(images - &offset)?)?;
        (ahead - behind)? * (0.5 / length)
    }
}

/// ε·real + (1 − ε)·fake, one ε a sample; without history.
fn interpolate(real: &Tensor, fake: &Tensor, epsilon: &Tensor) -> Result<Tensor> {
    let (n, ..) = real.dims4()?;
    if fake.dims() != real.dims() || epsilon.dims() != [n] {
        bail!(
            "wgan_gp: needs real and fake images of one shape (N, C, H, W) and epsilon (N,), got {:?}, {:?} and {:?}",
            real.dims(),
            fake.dims(),
            epsilon.dims()
        )
    }
    let (real, fake) = (real.detach(), fake.detach());
    let epsilon = epsilon.detach().to_dtype(real.dtype())?.reshape((n, 1, 1, 1))?;
    &fake + (real - &fake)?.broadcast_mul(&epsilon)?
}

/// ∇ₓD at each of `images` `(N, C, H, W)`, of the same shape and without history.
///
/// # Errors
/// As [`r1`].
pub fn input_gradients(
    discriminator: impl Fn(&Tensor) -> Result<Tensor>,
    images: &Tensor,
) -> Result<Tensor> {
    let (n, ..) = images.dims4()?;
    let images = Var::from_tensor(&images.detach().contiguous()?)?;
    let logits = check_logits(discriminator(&images)?, n)?;
    // Samples are apart, so the gradient of the sum holds each one's own.
    match backward(&logits.sum_all()?)?.get(&images) {
        Some(gradients) => Ok(gradients.detach()),
        None => bail!("penalty: the discriminator's logits do not depend on the images"),
    }
}

/// Euclidean norm of each sample.
fn norms(gradients: &Tensor) -> Result<Vec<f64>> {
    let squares = gradients.sqr()?.flatten_from(1)?.sum(1)?; // [N]
    let squares = squares.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    Ok(squares.into_iter().map(f64::sqrt).collect())
}

fn check_logits(logits: Tensor, n: usize) -> Result<Tensor> {
    if n == 0 || logits.dims() != [n] {
        bail!("penalty: {n} images gave logits of shape {:?}, expected ({n},)", logits.dims())
    }
    Ok(logits)
}

/// `values` as a tensor of the type and on the device of `other`.
fn like(values: Vec<f64>, other: &Tensor) -> Result<Tensor> {
    Tensor::new(values, &Device::Cpu)?.to_dtype(other.dtype())?.to_device(other.device())
}

/// Cuts every entry of `params` to [−`bound`, `bound`], in place; NaN stays.
///
/// # Errors
/// If `bound` is not above 0.
pub fn clip_weights(params: &[(String, Var)], bound: f64) -> Result<()> {
    if bound.is_nan() || bound <= 0.0 {
        bail!("clip_weights: the bound must be above 0, got {bound}")
    }
    for (_, param) in params {
        param.set(&param.as_detached_tensor().clamp(-bound, bound)?)?;
    }
    Ok(())
}

/// Name of the stream that WGAN-GP's mixing weights are drawn from.
pub const MIXING_STREAM: &str = "train.penalty";

/// The penalty of a run: `{ r1 = { gamma = 10.0 } }` or `{ wgan-gp = { lambda = 10.0 } }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PenaltyConfig {
    /// [`r1`] on the real images.
    R1(R1Config),
    /// [`wgan_gp`] between real and fake images.
    WganGp(WganGpConfig),
}

/// See [`r1`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct R1Config {
    /// γ, the weight.
    pub gamma: f64,
    /// D's steps from one evaluation to the next; the penalty counts that much more then (lazy regularization,
    /// Karras et al. 2020, <https://arxiv.org/abs/1912.04958>, section 3.1).
    #[serde(default = "every_step")]
    pub every: u64,
}

/// See [`wgan_gp`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WganGpConfig {
    /// λ, the weight.
    pub lambda: f64,
}

/// See [`clip_weights`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipConfig {
    /// Largest absolute value of an entry.
    pub bound: f64,
}

fn every_step() -> u64 {
    1
}

impl PenaltyConfig {
    /// Says what is wrong with values that parse but cannot be meant.
    pub fn check(&self) -> std::result::Result<(), String> {
        match *self {
            Self::R1(R1Config { gamma, every }) => {
                check_positive("penalty.r1.gamma", gamma)?;
                if every == 0 {
                    return Err("penalty.r1.every is 0, expected 1 or more".into());
                }
                Ok(())
            }
            Self::WganGp(WganGpConfig { lambda }) => {
                check_positive("penalty.wgan-gp.lambda", lambda)
            }
        }
    }

    /// Whether the penalty is evaluated in D's step number `step`, counted from 0.
    pub fn is_due(&self, step: u64) -> bool {
        match *self {
            Self::R1(R1Config { every, .. }) => step.is_multiple_of(every),
            Self::WganGp(_) => true,
        }
    }

    /// The penalty on one batch; `real` and `fake` images `(N, C, H, W)`, `discriminator` and `along` as for
    /// [`r1_along`]; where there is no exact `along`, [`central_difference`] is one.
    ///
    /// The surrogate of a lazy penalty is multiplied by its interval, its value is not. WGAN-GP takes N mixing weights
    /// from `stream`, R1 takes nothing.
    ///
    /// # Errors
    /// As [`r1_along`] and [`wgan_gp_along`].
    pub fn evaluate(
        &self,
        discriminator: impl Fn(&Tensor) -> Result<Tensor>,
        along: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
        real: &Tensor,
        fake: &Tensor,
        stream: &mut Stream,
    ) -> Result<Penalty> {
        match *self {
            Self::R1(R1Config { gamma, every }) => {
                let Penalty { surrogate, value } = r1_along(discriminator, along, real, gamma)?;
                Ok(Penalty { surrogate: (surrogate * every as f64)?, value })
            }
            Self::WganGp(WganGpConfig { lambda }) => {
                let n = real.dim(0)?;
                let epsilon: Vec<f32> = (0..n).map(|_| stream.uniform(0.0, 1.0)).collect();
                let epsilon = Tensor::from_vec(epsilon, n, real.device())?;
                wgan_gp_along(discriminator, along, real, fake, lambda, &epsilon)
            }
        }
    }
}

impl ClipConfig {
    /// Says what is wrong with values that parse but cannot be meant.
    pub fn check(&self) -> std::result::Result<(), String> {
        check_positive("clip.bound", self.bound)
    }
}

fn check_positive(key: &str, value: f64) -> std::result::Result<(), String> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(format!("{key} is {value}, expected a finite number above 0"))
}
