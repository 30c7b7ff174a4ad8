"""Golden values of the gradient penalties: python3 tests/golden/penalty.py

Writes penalty.safetensors beside itself: a small convolutional discriminator without batch norm, once with
LeakyReLU(0.2) and once with tanh, and what PyTorch's double backward makes of R1 and WGAN-GP on it: values and the
gradients of all parameters. Made with torch 2.15 (float64 on the CPU).
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
BATCH, SIZE, GAMMA, LAMBDA = 6, 16, 10.0, 10.0

random = torch.Generator().manual_seed(1)


def noise(*shape):
    return torch.randn(shape, generator=random, dtype=torch.float64)


# Weights of about PyTorch's default size, so that gradients in the images are of order 1.
parameters = {
    "from_image.weight": noise(8, 3, 4, 4) * 0.2,
    "from_image.bias": noise(8) * 0.1,
    "block.weight": noise(16, 8, 4, 4) * 0.12,
    "block.bias": noise(16) * 0.1,
    "to_logit.weight": noise(1, 16, 4, 4) * 0.2,
}
for tensor in parameters.values():
    tensor.requires_grad_()
real, fake = torch.tanh(noise(BATCH, 3, SIZE, SIZE)), torch.tanh(noise(BATCH, 3, SIZE, SIZE))
epsilon = torch.rand(BATCH, generator=random, dtype=torch.float64)


def discriminator(x, activation):
    p = parameters
    x = activation(F.conv2d(x, p["from_image.weight"], p["from_image.bias"], stride=2, padding=1))
    x = activation(F.conv2d(x, p["block.weight"], p["block.bias"], stride=2, padding=1))
    return F.conv2d(x, p["to_logit.weight"]).flatten()


def input_gradients(x, activation):
    x = x.detach().requires_grad_()
    logits = discriminator(x, activation)
    (gradients,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradients.flatten(1)


def r1(activation):
    return GAMMA / 2 * input_gradients(real, activation).square().sum(1).mean()


def wgan_gp(activation):
    mix = epsilon.reshape(-1, 1, 1, 1)
    gradients = input_gradients(mix * real + (1 - mix) * fake, activation)
    return LAMBDA * (gradients.norm(dim=1) - 1).square().mean()


out = {f"parameters.{name}": tensor.detach() for name, tensor in parameters.items()}
out |= {"real": real, "fake": fake, "epsilon": epsilon}
for name, activation in [("leaky", lambda x: F.leaky_relu(x, 0.2)), ("tanh", torch.tanh)]:
    for penalty in (r1, wgan_gp):
        value = penalty(activation)
        case = f"{name}.{penalty.__name__}"
        out[f"{case}.value"] = value.detach()
        # Biases move no gradient of a LeakyReLU network but at its kinks: PyTorch's none is recorded as zeros.
        gradients = torch.autograd.grad(value, parameters.values(), allow_unused=True)
        for (key, tensor), gradient in zip(parameters.items(), gradients):
            gradient = torch.zeros_like(tensor) if gradient is None else gradient
            out[f"{case}.{key}"] = gradient.contiguous()
        print(case, value.item())
save_file(out, HERE / "penalty.safetensors")
