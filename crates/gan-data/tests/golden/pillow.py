"""Records tests/golden/pillow.safetensors: pictures resized by Pillow.

    pip install pillow==13.0.0 numpy safetensors
    python pillow.py

Names are `{case}.image` (u8, [H, W, C]) and `{case}.{filter}` (u8, [h, w, C]).
"""

from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
rng = np.random.default_rng(0)


def noise(width, height, channels):
    """Half black and white, so that filters with negative lobes are clipped at both ends."""
    values = rng.integers(0, 256, (height, width, channels))
    extreme = rng.integers(0, 2, values.shape) * 255
    return np.where(rng.random(values.shape) < 0.5, values, extreme).astype(np.uint8)


def gradient(width, height, channels):
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return (255 * (x + y + c) // (width + height + channels - 3 or 1)).astype(np.uint8)


def record(name, picture, size, filters, out):
    channels = picture.shape[2]
    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    out[f"{name}.image"] = picture
    for key in filters:
        resized = np.asarray(image.resize(size, FILTERS[key]))
        out[f"{name}.{key}"] = np.ascontiguousarray(resized.reshape(size[1], size[0], channels))


out = {}
# CelebA's size in gray and half of it in color, which keeps the file small.
record("celeba_gray", noise(178, 218, 1), (64, 64), FILTERS, out)
record("half_celeba_rgb", noise(89, 109, 3), (32, 32), FILTERS, out)
for case, source, size in [
    ("halved", (16, 16), (8, 8)),
    ("enlarged", (5, 7), (12, 9)),
    ("narrowed_and_heightened", (31, 17), (10, 30)),
    ("vertical_only", (9, 9), (9, 4)),
    ("horizontal_only", (9, 11), (14, 11)),
    ("one_pixel", (1, 1), (3, 2)),
    ("to_one_pixel", (300, 2), (1, 1)),
    ("very_tall", (2, 230), (3, 9)),
    ("same", (6, 5), (6, 5)),
]:
    record(f"{case}_gray", noise(*source, 1), size, FILTERS, out)
    record(f"{case}_rgb", noise(*source, 3), size, FILTERS, out)
    record(f"{case}_gradient", gradient(*source, 3), size, FILTERS, out)
save_file(out, Path(__file__).with_suffix(".safetensors"))
