"""The small model families in PyTorch, with our parameter names.

Used by families.py; needs torch. Layers stand in the order in which data passes through them.
"""

import torch
from torch import nn
from torch.nn.functional import leaky_relu, relu

from torch_dcgan import plan


def linears(*sizes):
    return nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))


class FcGenerator(nn.Module):
    def __init__(self, latent, channels, size):
        super().__init__()
        self.hidden = linears(latent, 256, 512, 1024)
        self.to_image = nn.Linear(1024, channels * size * size)
        self.image = (channels, size, size)

    def forward(self, z):
        for layer in self.hidden:
            z = leaky_relu(layer(z), 0.2)
        return torch.tanh(self.to_image(z)).unflatten(1, self.image)


class FcDiscriminator(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.hidden = linears(channels * size * size, 1024, 512, 256)
        self.dropout = nn.Dropout(0.3)
        self.to_logit = nn.Linear(256, 1)

    def forward(self, images):
        x = images.flatten(1)
        for layer in self.hidden:
            x = self.dropout(leaky_relu(layer(x), 0.2))
        return self.to_logit(x).flatten()


class FcConvGenerator(nn.Module):
    def __init__(self, latent, channels, size):
        super().__init__()
        self.start = (16, size // 4, size // 4)
        self.hidden = linears(latent, 500, 500, 16 * (size // 4) ** 2)
        self.blocks = nn.ModuleList(nn.ConvTranspose2d(16, c, 4, 2, 1) for c in (16, 8))
        self.to_image = nn.ConvTranspose2d(8, channels, 3, 1, 1)

    def forward(self, z):
        for layer in self.hidden:
            z = relu(layer(z))
        x = z.unflatten(1, self.start)
        for block in self.blocks:
            x = relu(block(x))
        return torch.tanh(self.to_image(x))


class ConvGenerator(nn.Module):
    def __init__(self, latent, channels, size):
        super().__init__()
        self.start = (64, size // 4, size // 4)
        self.from_latent = nn.Linear(latent, 64 * (size // 4) ** 2)
        self.block = nn.ConvTranspose2d(64, 32, 4, 2, 1)
        self.to_image = nn.ConvTranspose2d(32, channels, 4, 2, 1)

    def forward(self, z):
        x = relu(self.from_latent(z)).unflatten(1, self.start)
        return torch.tanh(self.to_image(relu(self.block(x))))


class ConvDiscriminator(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.from_image = nn.Conv2d(channels, 32, 4, 2, 1)
        self.block = nn.Conv2d(32, 64, 4, 2, 1)
        self.to_logit = nn.Linear(64 * (size // 4) ** 2, 1)

    def forward(self, images):
        x = leaky_relu(self.block(leaky_relu(self.from_image(images), 0.2)), 0.2)
        return self.to_logit(x.flatten(1)).flatten()


class MlpGenerator(nn.Module):
    def __init__(self, latent, dims):
        super().__init__()
        self.hidden = linears(latent, 128, 128)
        self.to_point = nn.Linear(128, dims)

    def forward(self, z):
        for layer in self.hidden:
            z = relu(layer(z))
        return self.to_point(z)[:, :, None, None]


class MlpDiscriminator(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.hidden = linears(dims, 128, 128)
        self.to_logit = nn.Linear(128, 1)

    def forward(self, points):
        x = points.flatten(1)
        for layer in self.hidden:
            x = relu(layer(x))
        return self.to_logit(x).flatten()


class ConvNorm(nn.Module):
    def __init__(self, c_in, c_out, kernel, stride):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x):
        return relu(self.norm(self.conv(x)))


class Classifier(nn.Module):
    def __init__(self, width, outputs, channels, size):
        super().__init__()
        self.blocks = nn.ModuleList()
        c_in, c_out = channels, width
        while size >= 8:
            block = nn.ModuleDict()
            block["look"] = ConvNorm(c_in, c_out, 3, 1)
            block["halve"] = ConvNorm(c_out, c_out, 4, 2)
            self.blocks.append(block)
            c_in, c_out, size = c_out, 2 * c_out, size // 2
        self.to_features = nn.Linear(c_in * size * size, 128)
        self.to_logits = nn.Linear(128, outputs)

    def features(self, images):
        x = images
        for block in self.blocks:
            x = block["halve"](block["look"](x))
        return relu(self.to_features(x.flatten(1)))

    def forward(self, images):
        return self.to_logits(self.features(images))


class InfoGenerator(nn.Module):
    def __init__(self, latent, channels, size):
        super().__init__()
        self.blocks = nn.ModuleList()
        for c_in, c_out, kernel, stride, padding in [
            (latent, 1024, 1, 1, 0), (1024, 128, size // 4, 1, 0), (128, 64, 4, 2, 1)
        ]:
            block = nn.Module()
            block.conv = nn.ConvTranspose2d(c_in, c_out, kernel, stride, padding, bias=False)
            block.norm = nn.BatchNorm2d(c_out)
            self.blocks.append(block)
        self.to_image = nn.ConvTranspose2d(64, channels, 4, 2, 1, bias=False)

    def forward(self, z):
        x = z.reshape(*z.shape, 1, 1)
        for block in self.blocks:
            x = torch.relu(block.norm(block.conv(x)))
        return torch.tanh(self.to_image(x))


class SkipZGenerator(nn.Module):
    """DCGAN's, whose every block reads the latent, as channels that are the same all over the maps."""

    def __init__(self, latent, width, channels, size):
        super().__init__()
        start, doublings = plan(size)
        self.blocks = nn.ModuleList()
        c_in = latent
        for i in range(doublings):
            c_out = width * 2 ** (doublings - 1 - i)
            kernel, stride, padding = (start, 1, 0) if i == 0 else (4, 2, 1)
            block = nn.Module()
            block.conv = nn.ConvTranspose2d(c_in, c_out, kernel, stride, padding, bias=False)
            block.norm = nn.BatchNorm2d(c_out)
            self.blocks.append(block)
            c_in = c_out + latent
        self.to_image = nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False)

    def forward(self, z):
        x = z[:, :, None, None]
        for i, block in enumerate(self.blocks):
            if i > 0:
                x = torch.cat([x, z[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)
            x = relu(block.norm(block.conv(x)))
        return torch.tanh(self.to_image(x))


class InfoDiscriminator(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.from_image = nn.Conv2d(channels, 64, 4, 2, 1, bias=False)
        self.blocks = nn.ModuleList()
        for c_in, c_out, kernel, stride, padding in [(64, 128, 4, 2, 1), (128, 1024, size // 4, 1, 0)]:
            block = nn.Module()
            block.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=False)
            block.norm = nn.BatchNorm2d(c_out)
            self.blocks.append(block)
        self.to_logit = nn.Conv2d(1024, 1, 1, bias=False)

    def forward(self, images):
        x = nn.functional.leaky_relu(self.from_image(images), 0.1)
        for block in self.blocks:
            x = nn.functional.leaky_relu(block.norm(block.conv(x)), 0.1)
        return self.to_logit(x).flatten()
