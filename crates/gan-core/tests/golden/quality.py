"""Records tests/golden/quality.safetensors: MSE, PSNR and SSIM as scikit-image computes them.

    pip install scikit-image==0.26.0 safetensors
    python quality.py
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

rng = np.random.default_rng(0)


def record(name, shape, out):
    """Smooth images and noisy versions of them, from nearly equal to unrelated."""
    n, c, h, w = shape
    y, x = np.mgrid[0:h, 0:w]
    references, images = [], []
    for i in range(n):
        planes = [np.sin((k + 1 + i) * x / 5 + k) * np.cos((i + 1) * y / 7) for k in range(c)]
        reference = np.clip(np.stack(planes), -1, 1)
        noise = rng.normal(0, [0.02, 0.2, 1.0][i % 3], reference.shape)
        references.append(reference)
        images.append(np.clip(reference + noise, -1, 1))
    references, images = np.float32(references), np.float32(images)
    out[f"{name}.images"], out[f"{name}.references"] = images, references
    pairs = list(zip(images.astype(np.float64), references.astype(np.float64)))
    out[f"{name}.mse"] = np.array([np.mean((a - b) ** 2) for a, b in pairs])
    out[f"{name}.psnr"] = np.array([peak_signal_noise_ratio(b, a, data_range=2) for a, b in pairs])
    out[f"{name}.ssim"] = np.array([
        structural_similarity(
            a, b, data_range=2, channel_axis=0,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
        for a, b in pairs
    ])


out = {}
record("rgb", (3, 3, 32, 24), out)
record("gray", (3, 1, 28, 28), out)
record("smallest", (3, 3, 11, 11), out)
save_file(out, Path(__file__).with_suffix(".safetensors"))
