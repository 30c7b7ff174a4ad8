"""Golden values of directions in a latent space: python3 tests/golden/directions.py

Writes directions.safetensors beside itself: a tiny generator's first layer (weight, bias, ReLU) on 40 latents of 7
entries, and what numpy makes of it in float64: SeFa's eigenvectors by a singular value decomposition, GANSpace's
regressions by least squares on the components of another, a logistic regression with decay by gradient descent, and
the mean difference of two groups. None of these is the algorithm of crates/gan-latent. Made with numpy 2.4.
"""

import pathlib

import numpy
from safetensors.numpy import save_file

from golden_values import hashed

HERE = pathlib.Path(__file__).parent
LATENTS, SIZE, VALUES, K = 40, 7, 12, 4
DECAY = 1e-3


def signed(rows):
    """Rows of length 1 whose entry of largest size is positive."""
    rows = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
    largest = rows[numpy.arange(len(rows)), numpy.abs(rows).argmax(axis=1)]
    return rows * numpy.sign(largest)[:, None]


weight = hashed("weight", VALUES * SIZE).reshape(VALUES, SIZE)
bias = hashed("bias", VALUES) / 4
z = 2 * hashed("z", LATENTS * SIZE).reshape(LATENTS, SIZE)
activations = numpy.maximum(z @ weight.T + bias, 0)

_, singular, right = numpy.linalg.svd(weight)
factors, factor_shares = signed(right[:K]), (singular**2 / (singular**2).sum())[:K]

centred = activations - activations.mean(axis=0)
left, deviations, _ = numpy.linalg.svd(centred, full_matrices=False)
scores = left[:, :K] * deviations[:K]
regressions, *_ = numpy.linalg.lstsq(scores, z - z.mean(axis=0), rcond=None)
components = signed(regressions)
component_shares = (deviations**2 / (deviations**2).sum())[:K]

has = (activations[:, 0] > 0.5).astype(float)
extended = numpy.hstack([z, numpy.ones((LATENTS, 1))])
decay = DECAY * numpy.array([1.0] * SIZE + [0.0])
weights = numpy.zeros(SIZE + 1)
for _ in range(400_000):
    p = 1 / (1 + numpy.exp(-extended @ weights))
    weights -= 0.5 * (extended.T @ (p - has) / LATENTS + decay * weights)
p = 1 / (1 + numpy.exp(-extended @ weights))
assert numpy.abs(extended.T @ (p - has) / LATENTS + decay * weights).max() < 1e-10
length = numpy.linalg.norm(weights[:SIZE])

golden = {
    "weight": weight,
    "z": z,
    "activations": activations,
    "factors": factors,
    "factor_shares": factor_shares,
    "components": components,
    "component_shares": component_shares,
    "has": has,
    "normal": weights[:SIZE] / length,
    "threshold": numpy.array([-weights[SIZE] / length]),
    "difference": z[[3, 7, 12]].mean(axis=0) - z[[5, 9]].mean(axis=0),
}
save_file({name: numpy.ascontiguousarray(x) for name, x in golden.items()}, HERE / "directions.safetensors")
