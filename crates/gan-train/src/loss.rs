//! The losses of training, on logits: adversarial ones, and those of classifiers and of InfoGAN's Q.
//!
//! All are batch means of shape `()`, stable at any finite logit, and differentiable in the logits.

use candle_core::{D, DType, Result, Tensor, bail};
use gan_kernels::{Activation, activate, bce_with_logits, softplus};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The game that discriminator and generator play. Both losses are minimized; σ is the sigmoid, `r` and `f` are the
/// logits of real and of fake images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdversarialLoss {
    /// D and G play for one value (Goodfellow et al. 2014, <https://arxiv.org/abs/1406.2661>, eq. 1):
    /// D −ln σ(r) − ln(1 − σ(f)), G ln(1 − σ(f)). G learns next to nothing while D tells its images with certainty.
    Minimax,
    /// D as above, G −ln σ(f) (the same, section 3). The same function goes by two more names: cross-entropy of the
    /// logits against the labels 1 and 0 (`bce`, PyTorch's DCGAN example), and softplus(−r) + softplus(f) for D with
    /// softplus(−f) for G (`softplus`, StyleGAN). Both names are read as this one.
    #[default]
    #[serde(alias = "softplus", alias = "bce")]
    NonSaturating,
    /// D ½(r − 1)² + ½f², G ½(f − 1)² (LSGAN, Mao et al. 2017, <https://arxiv.org/abs/1611.04076>, eq. 9: a = 0,
    /// b = c = 1).
    LeastSquares,
    /// D max(0, 1 − r) + max(0, 1 + f), G −f (Lim and Ye 2017, <https://arxiv.org/abs/1705.02894>). A logit on the
    /// margin of 1 has no gradient.
    Hinge,
    /// D f − r, G −f (Arjovsky et al. 2017, <https://arxiv.org/abs/1701.07875>). Minus D's loss estimates the
    /// Wasserstein distance only while D is held to be Lipschitz, see [`crate::penalty`].
    Wasserstein,
}

impl AdversarialLoss {
    /// Its name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimax => "minimax",
            Self::NonSaturating => "non-saturating",
            Self::LeastSquares => "least-squares",
            Self::Hinge => "hinge",
            Self::Wasserstein => "wasserstein",
        }
    }

    /// Whether D has a target for real images that can be less than 1 (one-sided label smoothing, Salimans et al.
    /// 2016, <https://arxiv.org/abs/1606.03498>, section 3.4).
    pub const fn supports_smoothing(self) -> bool {
        match self {
            Self::Minimax | Self::NonSaturating | Self::LeastSquares => true,
            Self::Hinge | Self::Wasserstein => false,
        }
    }

    /// D's belief in [0, 1] that an image with this logit is real: ½ where it is undecided, 0 and 1 where its loss has no
    /// more to gain. For a Wasserstein critic, which has none, the sigmoid.
    pub fn belief(self, logit: f64) -> f64 {
        match self {
            Self::Minimax | Self::NonSaturating | Self::Wasserstein => 1.0 / (1.0 + (-logit).exp()),
            Self::LeastSquares => logit.clamp(0.0, 1.0),
            Self::Hinge => f64::midpoint(logit, 1.0).clamp(0.0, 1.0),
        }
    }

    /// The logit above which an image counts as real: where D is undecided. Wasserstein's critic only compares; its
    /// 0 is a convention.
    pub const fn boundary(self) -> f64 {
        match self {
            Self::LeastSquares => 0.5,
            _ => 0.0,
        }
    }

    /// D's loss on logits `(N,)` of `real` and `(M,)` of `fake` images; the two means are added, shape `()`.
    ///
    /// `real_target` in [0, 1] is what real images are to be called, 1 without smoothing. At 1 and with D undecided
    /// (all logits at [`Self::boundary`]) the loss is 2 ln 2 nats for the cross-entropies, ¼ for least squares, 2 for
    /// the hinge and 0 for Wasserstein.
    ///
    /// # Errors
    /// If the logits are not `(N,)` or empty, `real_target` lies outside [0, 1], or it is not 1 and the loss has no
    /// targets ([`Self::supports_smoothing`]).
    pub fn discriminator(self, real: &Tensor, fake: &Tensor, real_target: f64) -> Result<Tensor> {
        let name = self.name();
        check_logits(name, real)?;
        check_logits(name, fake)?;
        if !(0.0..=1.0).contains(&real_target) {
            bail!("{name}: the target of real images must lie in [0, 1], got {real_target}")
        }
        if real_target != 1.0 && !self.supports_smoothing() {
            bail!("{name}: has no targets to smooth, so real images are 1, not {real_target}")
        }
        match self {
            Self::Minimax | Self::NonSaturating => {
                bce_with_logits(real, real_target)? + bce_with_logits(fake, 0.0)?
            }
            Self::LeastSquares => half_square(real, real_target)? + half_square(fake, 0.0)?,
            // Not candle's relu, whose gradient at 0 is 1.
            Self::Hinge => {
                let margin = |logits| activate(logits, Activation::Relu)?.mean_all();
                margin(&real.affine(-1.0, 1.0)?)? + margin(&fake.affine(1.0, 1.0)?)?
            }
            Self::Wasserstein => fake.mean_all()? - real.mean_all()?,
        }
    }

    /// G's loss on D's logits `(N,)` of `fake` images, their mean, shape `()`.
    ///
    /// With D undecided (all logits at [`Self::boundary`]) it is −ln 2 nats for minimax, ln 2 for non-saturating, ⅛
    /// for least squares, and 0 for the others.
    ///
    /// # Errors
    /// If the logits are not `(N,)` or empty.
    pub fn generator(self, fake: &Tensor) -> Result<Tensor> {
        check_logits(self.name(), fake)?;
        match self {
            Self::Minimax => bce_with_logits(fake, 0.0)?.neg(),
            Self::NonSaturating => bce_with_logits(fake, 1.0),
            Self::LeastSquares => half_square(fake, 1.0),
            Self::Hinge | Self::Wasserstein => fake.mean_all()?.neg(),
        }
    }
}

/// Cross-entropy of `logits` `(N, K)` against `classes` `(N,)`, u32 below K: the mean of −ln softmax(l)ₖ over the batch
/// in nats, shape `()`. It is ln K where all logits of a row are equal.
///
/// # Errors
/// If the shapes or the type of the classes do not fit, the batch is empty or, on the CPU, a class is K or more.
pub fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    check_classes("cross_entropy", logits, classes)?;
    // ln Σ exp is exact whatever is subtracted, so the largest logit is a constant to the gradient.
    let largest = logits.detach().max_keepdim(1)?; // [N, 1]
    let shifted = logits.broadcast_sub(&largest)?; // [N, K], 0 or less
    let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?; // [N, 1]
    let chosen = shifted.gather(&classes.unsqueeze(1)?, 1)?; // [N, 1]
    (log_sum - chosen)?.mean_all()
}

/// Share of rows of `logits` `(N, K)` whose largest entry is at the row's class, `classes` `(N,)` u32; in [0, 1].
///
/// # Errors
/// If the shapes or the type of the classes do not fit, or the batch is empty.
pub fn accuracy(logits: &Tensor, classes: &Tensor) -> Result<f64> {
    check_classes("accuracy", logits, classes)?;
    share(&logits.argmax(D::Minus1)?.eq(classes)?)
}

/// Binary cross-entropy of the `logits` `(N, A)` of A attributes against `targets` `(N, A)` in [0, 1], in nats: the mean
/// over all elements of −t·ln σ(l) − (1 − t)·ln(1 − σ(l)), shape `()`. It is ln 2 at logits of 0.
///
/// The range of the targets is not checked.
///
/// # Errors
/// If the shapes or element types differ, or there are no elements.
pub fn bce_attributes(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    check_pair("bce_attributes", logits, targets)?;
    cross_entropies(logits, targets)?.mean_all()
}

/// Share of `logits` `(N, A)` on their target's side: above 0 where the target is above ½, else 0 or less; in [0, 1].
///
/// # Errors
/// If the shapes or element types differ, or there are no elements.
pub fn attribute_accuracy(logits: &Tensor, targets: &Tensor) -> Result<f64> {
    check_pair("attribute_accuracy", logits, targets)?;
    share(&logits.gt(0.0)?.eq(&targets.gt(0.5)?)?)
}

/// −ln of the density of `values` `(N, K)` under independent Gaussians of `mean` `(N, K)` and variance
/// exp(`log_variance`) `(N, K)`: ½(ln 2π + ln σ² + (x − μ)²/σ²) summed over K, the mean over the batch in nats, shape
/// `()`. It is K·½ ln 2π at the mean of unit Gaussians, and may be negative.
///
/// With it InfoGAN's Q estimates continuous codes (Chen et al. 2016, <https://arxiv.org/abs/1606.03657>, section 6).
/// It grows without bound in −`log_variance`; keep that from running away where a code is predicted exactly.
///
/// # Errors
/// If the shapes or element types differ, or there are no elements.
pub fn gaussian_nll(mean: &Tensor, log_variance: &Tensor, values: &Tensor) -> Result<Tensor> {
    check_pair("gaussian_nll", mean, log_variance)?;
    check_pair("gaussian_nll", mean, values)?;
    let squares = ((values - mean)?.sqr()? * log_variance.neg()?.exp()?)?;
    let twice = (squares + log_variance)?.affine(1.0, std::f64::consts::TAU.ln())?;
    twice.sum_all()? * (0.5 / mean.dim(0)? as f64)
}

/// Σ (a − b)² over all elements of two tensors of one shape.
pub(crate) fn squared_error(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    (a - b)?.sqr()?.sum_all()
}

/// Σ |a − b| over all elements of two tensors of one shape.
pub(crate) fn l1(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    (a - b)?.abs()?.sum_all()
}

/// Σ −t·ln σ(l) − (1 − t)·ln(1 − σ(l)) over all elements, in nats; `targets` in [0, 1].
pub(crate) fn bce_logits(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    cross_entropies(logits, targets)?.sum_all()
}

/// Divergence of independent Gaussians of `mean` `(N, K)` and variance exp(`log_variance`) `(N, K)` from N(0, 1), in nats:
/// ½(μ² + σ² − ln σ² − 1) summed over K, the mean over the batch, shape `()` (Kingma and Welling 2014,
/// <https://arxiv.org/abs/1312.6114>, appendix B).
///
/// # Errors
/// If the shapes or element types differ, or there are no elements.
pub fn kl_to_standard_normal(mean: &Tensor, log_variance: &Tensor) -> Result<Tensor> {
    check_pair("kl_to_standard_normal", mean, log_variance)?;
    let twice = ((mean.sqr()? + log_variance.exp()?)? - (log_variance + 1.0)?)?;
    twice.sum_all()? * (0.5 / mean.dim(0)? as f64)
}

/// Mean, variance and kurtosis of all elements of `z`, and the mean squared error of the three against those of N(0, 1): 0,
/// 1 and 3. Four scalars, the error last. The variance is the biased one, the kurtosis the fourth central moment over
/// its square.
///
/// # Errors
/// If there are no elements.
pub fn moment_errors(z: &Tensor) -> Result<[Tensor; 4]> {
    if z.elem_count() == 0 {
        bail!("moment_errors: no elements");
    }
    let mean = z.mean_all()?;
    let squares = z.broadcast_sub(&mean)?.sqr()?;
    let variance = squares.mean_all()?;
    let kurtosis = (squares.sqr()?.mean_all()? / variance.sqr()?)?;
    let errors = Tensor::stack(&[mean.clone(), (&variance - 1.0)?, (&kurtosis - 3.0)?], 0)?;
    let error = errors.sqr()?.mean_all()?;
    Ok([mean, variance, kurtosis, error])
}

/// −t·ln σ(l) − (1 − t)·ln(1 − σ(l)) for each element.
fn cross_entropies(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    // Two softplus, not softplus(l) − t·l: what a certain and right logit still costs would cancel.
    let absent = targets.affine(-1.0, 1.0)?;
    (targets * softplus(&logits.neg()?)?)? + (absent * softplus(logits)?)?
}

/// The number that a loss is.
pub(crate) fn scalar(loss: &Tensor) -> Result<f64> {
    Ok(f64::from(loss.to_scalar::<f32>()?))
}

/// Mean of ½(l − `target`)².
fn half_square(logits: &Tensor, target: f64) -> Result<Tensor> {
    logits.affine(1.0, -target)?.sqr()?.mean_all()? * 0.5
}

/// Share of entries of a u8 mask that are 1.
fn share(mask: &Tensor) -> Result<f64> {
    let count = mask.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()?;
    Ok(f64::from(count) / mask.elem_count() as f64)
}

fn check_logits(loss: &str, logits: &Tensor) -> Result<()> {
    match logits.dims() {
        [n] if *n > 0 => Ok(()),
        dims => bail!("{loss}: logits must be (N,) with N of 1 or more, got {dims:?}"),
    }
}

fn check_classes(op: &str, logits: &Tensor, classes: &Tensor) -> Result<()> {
    match (logits.dims(), classes.dims(), classes.dtype()) {
        (&[n, k], &[m], DType::U32) if n == m && n * k > 0 => Ok(()),
        (l, c, dtype) => {
            bail!("{op}: needs logits (N, K) and u32 classes (N,), got {l:?} and {dtype:?} {c:?}")
        }
    }
}

fn check_pair(op: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.rank() == 2 && a.elem_count() > 0 && a.dims() == b.dims() && a.dtype() == b.dtype() {
        return Ok(());
    }
    bail!(
        "{op}: needs tensors of one shape (N, K) and type, got {:?} {:?} and {:?} {:?}",
        a.dtype(),
        a.dims(),
        b.dtype(),
        b.dims()
    )
}
