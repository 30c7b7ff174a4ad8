"""How far a central difference is from double backward in a LeakyReLU network: python3 tests/golden/penalty_steps.py

R1's gradient for the parameters of random DCGAN-like discriminators without batch norm, on smooth random images, by
(D(x + hu) - D(x - hu))/2h of several lengths h: the distance to the exact gradient by that one's length, and the cosine
of both. The figures in crates/gan-train/src/penalty.rs are of torch 2.15, float32.
"""

import torch
from torch.nn import functional as F

torch.manual_seed(0)


def discriminator(width, size):
    parameters, channels = [], 3
    while size > 4:
        weight = torch.randn(width, channels, 4, 4) * (2 / (channels * 16)) ** 0.5
        parameters += [weight.requires_grad_(), torch.zeros(width).requires_grad_()]
        channels, width, size = width, width * 2, size // 2
    return [*parameters, (torch.randn(1, channels, 4, 4) / (channels * 16) ** 0.5).requires_grad_()]


def logits(x, parameters):
    for weight, bias in zip(parameters[:-1:2], parameters[1::2]):
        x = F.leaky_relu(F.conv2d(x, weight, bias, stride=2, padding=1), 0.2)
    return F.conv2d(x, parameters[-1]).flatten()


def flat(gradients, parameters):
    zeros = [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters)]
    return torch.cat([g.flatten() for g in zeros])


for n, width, size in [(16, 16, 32), (64, 16, 32), (16, 32, 64)]:
    parameters = discriminator(width, size)
    x = F.interpolate(torch.randn(n, 3, 8, 8), size=size, mode="bilinear") * 1.5
    x = torch.tanh(x + 0.05 * torch.randn(n, 3, size, size)).requires_grad_()
    (g,) = torch.autograd.grad(logits(x, parameters).sum(), x, create_graph=True)
    penalty = g.square().sum((1, 2, 3)).mean() / 2
    exact = flat(torch.autograd.grad(penalty, parameters, allow_unused=True), parameters)
    x, norm = x.detach(), g.detach().flatten(1).norm(dim=1)
    u = g.detach() / norm.reshape(-1, 1, 1, 1)
    print(f"{n} images of {size}x{size}, width {width}")
    for h in [0.001, 0.01, 0.03, 0.1, 0.3, 1, 3]:
        difference = (logits(x + h * u, parameters) - logits(x - h * u, parameters)) / (2 * h)
        found = flat(torch.autograd.grad((difference * norm).mean(), parameters), parameters)
        distance = (found - exact).norm() / exact.norm()
        cosine = torch.cosine_similarity(found, exact, dim=0)
        print(f"  h = {h:<5}  distance {distance:6.2f}  cosine {cosine:.2f}")
