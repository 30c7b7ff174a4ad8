"""Golden values for gan-models' autoencoder: forward and gradients in PyTorch, float64, at a small size.

    python3 tests/golden/autoencoder.py

Writes autoencoder.safetensors beside itself. Weights and inputs are those of families.py, by name and index, so that
neither needs a file.
"""

import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import relu

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
import golden_values as golden  # noqa: E402

BATCH, WIDTH, LATENT = 3, 4, 5


def plan(channels, height, width):
    """(in, out, kernel, stride) of each convolution and the last maps' size."""
    layers, c_in = [], channels
    while min(height, width) > 7 and height % 2 == 0 and width % 2 == 0:
        layers.append((c_in, WIDTH << len(layers), 4, 2))
        c_in, height, width = layers[-1][1], height // 2, width // 2
    while len(layers) < 3:
        layers.append((c_in, WIDTH << len(layers), 3, 1))
        c_in = layers[-1][1]
    return layers, (c_in, height, width)


class Block(nn.Module):
    def __init__(self, conv, channels):
        super().__init__()
        self.conv = conv
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return relu(self.norm(self.conv(x)))


class Encoder(nn.Module):
    def __init__(self, *image):
        super().__init__()
        layers, last = plan(*image)
        self.blocks = nn.ModuleList(
            Block(nn.Conv2d(a, b, k, s, 1, bias=False), b) for a, b, k, s in layers)
        size = last[0] * last[1] * last[2]
        self.to_mean = nn.Linear(size, LATENT)
        self.to_log_variance = nn.Linear(size, LATENT)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.to_mean(x.flatten(1)), self.to_log_variance(x.flatten(1))


class Decoder(nn.Module):
    def __init__(self, *image):
        super().__init__()
        layers, self.start = plan(*image)
        self.from_latent = nn.Linear(LATENT, self.start[0] * self.start[1] * self.start[2])
        self.norm = nn.BatchNorm2d(self.start[0])
        self.blocks = nn.ModuleList(
            Block(nn.ConvTranspose2d(b, a, k, s, 1, bias=False), a) for a, b, k, s in layers[:0:-1])
        _, first, kernel, stride = layers[0]
        self.to_image = nn.ConvTranspose2d(first, image[0], kernel, stride, 1)

    def forward(self, z):
        x = relu(self.norm(self.from_latent(z).unflatten(1, self.start)))
        for block in self.blocks:
            x = block(x)
        return self.to_image(x)


def golden_of(prefix, *image):
    encoder, decoder = golden.made(Encoder(*image), Decoder(*image))
    images = golden.inputs("images", BATCH, *image)
    mean, log_variance = encoder(images)
    z = mean + golden.inputs("noise", BATCH, LATENT) * (log_variance / 2).exp()
    logits = decoder(z)
    # The losses of training: squared error summed over an image, and the divergence.
    error = ((logits.tanh() - images) ** 2).sum() / BATCH
    divergence = (mean**2 + log_variance.exp() - log_variance - 1).sum() / 2 / BATCH
    (error + divergence).backward()
    out = {"mean": mean, "log_variance": log_variance, "logits": logits}
    out |= {"error": error.reshape(1), "divergence": divergence.reshape(1)}
    out = {f"{prefix}.{k}": v.detach() for k, v in out.items()}
    out |= golden.gradients(f"{prefix}.encoder", encoder)
    return out | golden.gradients(f"{prefix}.decoder", decoder)


out = golden_of("gray_28", 1, 28, 28) | golden_of("color_16x24", 3, 16, 24)
save_file({k: v.contiguous() for k, v in out.items()}, HERE / "autoencoder.safetensors")
