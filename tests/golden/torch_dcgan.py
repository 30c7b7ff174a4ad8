"""PyTorch's DCGAN example at any size that ours has, with our parameter names.

Used by the scripts beside it; needs torch, numpy and safetensors.
"""

import torch
from torch import nn


def plan(size):
    """(side of the smallest map, doublings): 28 = 7·2², 64 = 4·2⁴."""
    start, doublings = size, 0
    while start > 7 and start % 2 == 0:
        start, doublings = start // 2, doublings + 1
    return start, doublings


def block(**layers):
    module = nn.Module()
    for name, layer in layers.items():
        module.add_module(name, layer)
    return module


class Generator(nn.Module):
    def __init__(self, latent, width, channels, size):
        super().__init__()
        start, doublings = plan(size)
        widths = [width * 2**i for i in reversed(range(doublings))]
        self.blocks = nn.ModuleList()
        c_in = latent
        for i, c_out in enumerate(widths):
            kernel, stride, padding = (start, 1, 0) if i == 0 else (4, 2, 1)
            conv = nn.ConvTranspose2d(c_in, c_out, kernel, stride, padding, bias=False)
            self.blocks.append(block(conv=conv, norm=nn.BatchNorm2d(c_out)))
            c_in = c_out
        self.to_image = nn.ConvTranspose2d(c_in, channels, 4, 2, 1, bias=False)

    def forward(self, z):
        x = z.reshape(*z.shape, 1, 1)
        for b in self.blocks:
            x = torch.relu(b.norm(b.conv(x)))
        return torch.tanh(self.to_image(x))


class Discriminator(nn.Module):
    def __init__(self, width, channels, size):
        super().__init__()
        start, doublings = plan(size)
        widths = [width * 2**i for i in range(doublings)]
        self.from_image = nn.Conv2d(channels, widths[0], 4, 2, 1, bias=False)
        self.blocks = nn.ModuleList()
        for c_in, c_out in zip(widths, widths[1:]):
            conv = nn.Conv2d(c_in, c_out, 4, 2, 1, bias=False)
            self.blocks.append(block(conv=conv, norm=nn.BatchNorm2d(c_out)))
        self.to_logit = nn.Conv2d(widths[-1], 1, start, 1, 0, bias=False)

    def forward(self, images):
        x = nn.functional.leaky_relu(self.from_image(images), 0.2)
        for b in self.blocks:
            x = nn.functional.leaky_relu(b.norm(b.conv(x)), 0.2)
        return self.to_logit(x).flatten()


def load(module, tensors, prefix):
    """Fills a module from tensors named `{prefix}.…`; num_batches_tracked is PyTorch's alone."""
    own = {k[len(prefix) + 1 :]: v for k, v in tensors.items() if k.startswith(prefix + ".")}
    missing, unexpected = module.load_state_dict(own, strict=False)
    assert not unexpected, unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing), missing
    return module
