#![allow(clippy::unwrap_used)]

use std::f64::consts::{LN_2, TAU};

use AdversarialLoss::{Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein};
use candle_core::{DType, Device, Var};
use gan_core::testing::{Tolerance, assert_close};
use gan_kernels::backward;

use super::*;

const ALL: [AdversarialLoss; 5] = [Minimax, NonSaturating, LeastSquares, Hinge, Wasserstein];
/// Values of f64 sums of a few terms.
const EXACT: Tolerance = Tolerance { rtol: 1e-14, atol: 1e-14 };

fn tensor(values: &[f64]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

fn rows<const N: usize, const K: usize>(values: [[f64; K]; N]) -> Tensor {
    Tensor::new(&values, &Device::Cpu).unwrap()
}

fn scalar(tensor: &Tensor) -> f64 {
    assert_eq!(tensor.dims(), [0usize; 0], "losses are scalars");
    tensor.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert_close(&tensor(&[value]), &tensor(&[expected]), EXACT);
}

fn gradient(at: &Tensor, loss: impl Fn(&Tensor) -> Result<Tensor>) -> Tensor {
    let at = Var::from_tensor(at).unwrap();
    backward(&loss(&at).unwrap()).unwrap().get(&at).unwrap().clone()
}

/// The gradient against central differences in f64: truncation h²/6 and rounding 1e-16/h with h = 1e-5, relative to
/// derivatives of order 1.
#[track_caller]
fn check_gradient(at: &Tensor, loss: impl Fn(&Tensor) -> Result<Tensor>) {
    const H: f64 = 1e-5;
    let values = at.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    let moved = |i: usize, by: f64| {
        let mut values = values.clone();
        values[i] += by;
        let at = Tensor::from_vec(values, at.shape(), &Device::Cpu).unwrap();
        scalar(&loss(&at).unwrap())
    };
    let differences =
        (0..values.len()).map(|i| (moved(i, H) - moved(i, -H)) / (2.0 * H)).collect::<Vec<_>>();
    let differences = Tensor::from_vec(differences, at.shape(), &Device::Cpu).unwrap();
    assert_close(&gradient(at, loss), &differences, Tolerance { rtol: 1e-8, atol: 1e-9 });
}

fn softplus_of(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[test]
fn adversarial_losses_equal_their_formulas() {
    let (real, fake) = ([0.3, -1.2, 2.5], [-0.7, 0.4, 1.5, -3.0]);
    let mean = |values: &[f64], f: &dyn Fn(f64) -> f64| {
        values.iter().map(|&v| f(v)).sum::<f64>() / values.len() as f64
    };
    let check = |loss: AdversarialLoss, target: f64, d: f64, g: f64| {
        assert_near(
            scalar(&loss.discriminator(&tensor(&real), &tensor(&fake), target).unwrap()),
            d,
        );
        assert_near(scalar(&loss.generator(&tensor(&fake)).unwrap()), g);
    };
    for target in [1.0, 0.9] {
        let bce = mean(&real, &|r| target * softplus_of(-r) + (1.0 - target) * softplus_of(r))
            + mean(&fake, &softplus_of);
        check(Minimax, target, bce, mean(&fake, &|f| -softplus_of(f)));
        check(NonSaturating, target, bce, mean(&fake, &|f| softplus_of(-f)));
        let squares =
            mean(&real, &|r| 0.5 * (r - target).powi(2)) + mean(&fake, &|f| 0.5 * f.powi(2));
        check(LeastSquares, target, squares, mean(&fake, &|f| 0.5 * (f - 1.0).powi(2)));
    }
    let hinge = mean(&real, &|r| (1.0 - r).max(0.0)) + mean(&fake, &|f| (1.0 + f).max(0.0));
    check(Hinge, 1.0, hinge, -mean(&fake, &|f| f));
    check(Wasserstein, 1.0, mean(&fake, &|f| f) - mean(&real, &|r| r), -mean(&fake, &|f| f));
}

#[test]
fn adversarial_losses_of_an_undecided_discriminator() {
    for (loss, d, g) in [
        (Minimax, 2.0 * LN_2, -LN_2),
        (NonSaturating, 2.0 * LN_2, LN_2),
        (LeastSquares, 0.25, 0.125),
        (Hinge, 2.0, 0.0),
        (Wasserstein, 0.0, 0.0),
    ] {
        let logits = tensor(&[loss.boundary(); 4]);
        assert_near(scalar(&loss.discriminator(&logits, &logits, 1.0).unwrap()), d);
        assert_near(scalar(&loss.generator(&logits).unwrap()), g);
    }
}

#[test]
fn gradients_of_adversarial_losses_are_those_of_differences() {
    let (real, fake) = (tensor(&[0.3, -1.2, 2.5]), tensor(&[-0.7, 0.4, 1.5, -3.0]));
    for loss in ALL {
        for target in if loss.supports_smoothing() { &[1.0, 0.9][..] } else { &[1.0] } {
            check_gradient(&real, |real| loss.discriminator(real, &fake, *target));
            check_gradient(&fake, |fake| loss.discriminator(&real, fake, *target));
        }
        check_gradient(&fake, |fake| loss.generator(fake));
    }
}

/// Every loss and its gradient in f32 where σ is 0 or 1 to all its digits.
#[test]
fn adversarial_losses_are_finite_at_large_logits() {
    let logits = tensor(&[-100.0, 100.0]).to_dtype(DType::F32).unwrap();
    let finite = |t: &Tensor| {
        let values = t.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
        values.to_vec1::<f64>().unwrap().iter().all(|v| v.is_finite())
    };
    for loss in ALL {
        let target = if loss.supports_smoothing() { 0.9 } else { 1.0 };
        type Loss<'a> = &'a dyn Fn(&Tensor) -> Result<Tensor>;
        let losses: [Loss<'_>; 3] = [
            &|l| loss.discriminator(l, &logits, target),
            &|l| loss.discriminator(&logits, l, target),
            &|l| loss.generator(l),
        ];
        for f in losses {
            assert!(finite(&f(&logits).unwrap()), "{loss:?}");
            assert!(finite(&gradient(&logits, f)), "{loss:?}");
        }
    }
    // The non-saturating generator still learns all there is from fakes that D is certain of; minimax's nothing.
    let certain = tensor(&[-100.0]);
    let slope = |loss: AdversarialLoss| gradient(&certain, |f| loss.generator(f));
    assert_close(&slope(NonSaturating), &tensor(&[-1.0]), EXACT);
    assert_close(&slope(Minimax), &tensor(&[0.0]), EXACT);
}

#[test]
fn the_hinge_has_no_gradient_on_its_margin() {
    let (real, fake) = (tensor(&[1.0, 0.5, 2.0]), tensor(&[-1.0, -0.5, -2.0]));
    let third = 1.0 / 3.0;
    let by_real = gradient(&real, |real| Hinge.discriminator(real, &fake, 1.0));
    assert_close(&by_real, &tensor(&[0.0, -third, 0.0]), EXACT);
    let by_fake = gradient(&fake, |fake| Hinge.discriminator(&real, fake, 1.0));
    assert_close(&by_fake, &tensor(&[0.0, third, 0.0]), EXACT);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let (logits, empty) =
        (tensor(&[0.0, 1.0]), Tensor::zeros(0, DType::F64, &Device::Cpu).unwrap());
    for loss in ALL {
        let refused = |real: &Tensor, fake: &Tensor, target| {
            loss.discriminator(real, fake, target).unwrap_err().to_string()
        };
        assert!(refused(&logits, &logits, 1.1).contains("[0, 1]"));
        assert!(refused(&logits, &logits, f64::NAN).contains("[0, 1]"));
        assert!(refused(&logits.reshape((2, 1)).unwrap(), &logits, 1.0).contains("(N,)"));
        assert!(refused(&logits, &empty, 1.0).contains("(N,)"));
        assert!(loss.generator(&empty).is_err());
        let smoothed = loss.discriminator(&logits, &logits, 0.9);
        assert_eq!(smoothed.is_ok(), loss.supports_smoothing(), "{loss:?}");
    }
    let (pair, single) = (rows([[0.0, 1.0], [2.0, 3.0]]), rows([[0.0, 1.0]]));
    let class = Tensor::new(&[0u32], &Device::Cpu).unwrap();
    assert!(cross_entropy(&pair, &class).is_err());
    assert!(accuracy(&pair, &class).is_err());
    assert!(cross_entropy(&single, &class.to_dtype(DType::I64).unwrap()).is_err());
    assert!(cross_entropy(&single, &Tensor::new(&[2u32], &Device::Cpu).unwrap()).is_err());
    assert!(bce_attributes(&pair, &single).is_err());
    assert!(attribute_accuracy(&pair, &pair.to_dtype(DType::F32).unwrap()).is_err());
    assert!(gaussian_nll(&pair, &pair, &single).is_err());
}

#[test]
fn names_of_losses_are_read() {
    for loss in ALL {
        assert_eq!(serde_json::to_value(loss).unwrap(), loss.name());
        assert_eq!(serde_json::from_value::<AdversarialLoss>(loss.name().into()).unwrap(), loss);
    }
    for alias in ["softplus", "bce"] {
        let loss: AdversarialLoss = serde_json::from_value(alias.into()).unwrap();
        assert_eq!(loss, NonSaturating);
    }
    assert!(serde_json::from_value::<AdversarialLoss>("kl".into()).is_err());
}

#[test]
fn cross_entropy_equals_its_formula() {
    // Rows: undecided; ln 2, ln 3, ln 5 of a sum of 10; a certain one that is right, by 200 nats; one that is wrong.
    let logits = rows([
        [7.0, 7.0, 7.0],
        [2f64.ln(), 3f64.ln(), 5f64.ln()],
        [100.0, -100.0, -100.0],
        [100.0, -100.0, -100.0],
    ]);
    let expected = [3f64.ln(), (10.0f64 / 5.0).ln(), 0.0, 200.0];
    for (i, (class, expected)) in [2u32, 2, 0, 1].into_iter().zip(expected).enumerate() {
        let classes = Tensor::new(&[class], &Device::Cpu).unwrap();
        let row = logits.narrow(0, i, 1).unwrap();
        assert_near(scalar(&cross_entropy(&row, &classes).unwrap()), expected);
        // The gradient is softmax − one-hot.
        let softmax = candle_nn::ops::softmax(&row, 1).unwrap();
        let one_hot = (0..3).map(|k| f64::from(k == class)).collect::<Vec<_>>();
        let slope = (softmax - tensor(&one_hot).unsqueeze(0).unwrap()).unwrap();
        assert_close(&gradient(&row, |l| cross_entropy(l, &classes)), &slope, EXACT);
    }
    let classes = Tensor::new(&[2u32, 2, 0, 1], &Device::Cpu).unwrap();
    let mean = expected.iter().sum::<f64>() / 4.0;
    assert_near(scalar(&cross_entropy(&logits, &classes).unwrap()), mean);
    check_gradient(&logits, |l| cross_entropy(l, &classes));
    assert_eq!(accuracy(&logits, &classes).unwrap(), 0.5); // argmax of the undecided row is its first
}

#[test]
fn bce_of_attributes_equals_its_formula() {
    let logits = rows([[0.0, 1.5, -2.0], [30.0, -100.0, 0.4]]);
    let targets = rows([[0.3, 1.0, 1.0], [1.0, 0.0, 0.0]]);
    let terms =
        [LN_2, softplus_of(-1.5), softplus_of(2.0), softplus_of(-30.0), 0.0, softplus_of(0.4)];
    let loss = scalar(&bce_attributes(&logits, &targets).unwrap());
    assert_near(loss, terms.iter().sum::<f64>() / 6.0);
    check_gradient(&logits, |l| bce_attributes(l, &targets));
    assert_eq!(attribute_accuracy(&logits, &targets).unwrap(), 4.0 / 6.0);

    // In f32 a certain and right logit keeps its cost of e^−30.
    let certain = rows([[30.0]]).to_dtype(DType::F32).unwrap();
    let loss = scalar(&bce_attributes(&certain, &certain.ones_like().unwrap()).unwrap());
    assert!((loss / (-30f64).exp() - 1.0).abs() < 1e-6, "{loss}");
}

#[test]
fn gaussian_nll_equals_its_formula() {
    let mean = rows([[0.0, 1.0], [-2.0, 0.5]]);
    let log_variance = rows([[0.0, 1.0], [-1.5, 2.0]]);
    let values = rows([[0.0, 3.0], [1.0, 0.5]]);
    let term = |m: f64, lv: f64, x: f64| 0.5 * (TAU.ln() + lv + (x - m).powi(2) / lv.exp());
    let expected =
        term(0.0, 0.0, 0.0) + term(1.0, 1.0, 3.0) + term(-2.0, -1.5, 1.0) + term(0.5, 2.0, 0.5);
    assert_near(scalar(&gaussian_nll(&mean, &log_variance, &values).unwrap()), expected / 2.0);
    check_gradient(&mean, |mean| gaussian_nll(mean, &log_variance, &values));
    check_gradient(&log_variance, |lv| gaussian_nll(&mean, lv, &values));
    check_gradient(&values, |values| gaussian_nll(&mean, &log_variance, values));
    // At the mean of unit Gaussians: K·½ ln 2π.
    let zeros = mean.zeros_like().unwrap();
    assert_near(scalar(&gaussian_nll(&mean, &zeros, &mean).unwrap()), TAU.ln());
}

#[test]
fn the_divergence_from_a_standard_normal_equals_its_formula() {
    let (mean, log_variance) = (rows([[0.3, -1.2], [0.0, 2.0]]), rows([[0.1, -0.7], [0.0, 1.5]]));
    let of = |m: f64, l: f64| 0.5 * (m * m + l.exp() - l - 1.0);
    let expected = (of(0.3, 0.1) + of(-1.2, -0.7) + of(0.0, 0.0) + of(2.0, 1.5)) / 2.0;
    assert_near(scalar(&kl_to_standard_normal(&mean, &log_variance).unwrap()), expected);
    assert_near(scalar(&kl_to_standard_normal(&rows([[0.0]]), &rows([[0.0]])).unwrap()), 0.0);
    check_gradient(&mean, |m| kl_to_standard_normal(m, &log_variance));
    check_gradient(&log_variance, |l| kl_to_standard_normal(&mean, l));
    assert!(kl_to_standard_normal(&mean, &rows([[1.0]])).is_err());
}

#[test]
fn moments_are_those_of_all_entries() {
    // Half at −1, half at 1, moved by 2: mean 2, variance 1, kurtosis 1.
    let [mean, variance, kurtosis, error] = moment_errors(&rows([[1.0, 3.0], [3.0, 1.0]])).unwrap();
    assert_near(scalar(&mean), 2.0);
    assert_near(scalar(&variance), 1.0);
    assert_near(scalar(&kurtosis), 1.0);
    assert_near(scalar(&error), (4.0 + 0.0 + 4.0) / 3.0);
    check_gradient(&rows([[0.3, -1.2], [0.8, 2.0]]), |z| {
        let [.., error] = moment_errors(z)?;
        Ok(error)
    });
}

#[test]
fn errors_of_reconstructions_are_sums_over_all_values() {
    let (a, b) = (rows([[0.5, -1.0]]), rows([[0.0, 1.0]]));
    assert_near(scalar(&squared_error(&a, &b).unwrap()), 0.25 + 4.0);
    assert_near(scalar(&l1(&a, &b).unwrap()), 0.5 + 2.0);
    let expected = softplus_of(0.5) + softplus_of(1.0);
    assert_near(scalar(&bce_logits(&a, &b).unwrap()), expected);
    check_gradient(&a, |a| bce_logits(a, &b));
    let certain = rows([[100.0, -100.0]]);
    assert!(scalar(&bce_logits(&certain, &rows([[1.0, 0.0]])).unwrap()) < 1e-40);
    assert_near(scalar(&bce_logits(&certain, &rows([[0.0, 1.0]])).unwrap()), 200.0);
}
