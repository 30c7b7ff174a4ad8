"""Golden values of the small model families: python3 tests/golden/families.py

Writes families.safetensors beside itself: what PyTorch computes in float64, and of every gradient its
norm and every STRIDE-th value. Weights are too many to be recorded: each is a hash of its tensor's name and
its index (`hashed`), which crates/gan-models/tests/families.rs computes again, exactly. Made with
torch 2.15 (float64 on the CPU).
"""

import pathlib

import numpy
import torch
from safetensors.torch import save_file

import torch_families as families

HERE = pathlib.Path(__file__).parent
BATCH, STRIDE = 3, 997


def hashed(name, count):
    """Values in [-1, 1) of 24 bits: FNV-1a of the name, then murmur3's finalizer over the index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    mask = numpy.uint64(2**32 - 1)
    x = numpy.arange(count, dtype=numpy.uint64) ^ numpy.uint64(seed)
    x = (x ^ (x >> numpy.uint64(16))) * numpy.uint64(0x85EBCA6B) & mask
    x = (x ^ (x >> numpy.uint64(13))) * numpy.uint64(0xC2B2AE35) & mask
    x = x ^ (x >> numpy.uint64(16))
    return (x >> numpy.uint64(8)).astype(numpy.float64) / 2**23 - 1


def fill(module):
    for name, tensor in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        # A convolution's and a linear layer's weight is of the size that keeps the variance.
        center, scale = 0.0, 0.125
        if name.endswith(("norm.weight", "running_var")):
            center, scale = 1.0, 0.5
        elif tensor.dim() > 1:
            scale = (4 / tensor[0].numel()) ** 0.5
        values = center + scale * hashed(name, tensor.numel())
        # As f32, which is what our networks hold.
        values = torch.from_numpy(values).float().double()
        tensor.copy_(values.reshape(tensor.shape))


def gradients(prefix, module):
    out = {}
    for name, parameter in module.named_parameters():
        grad = parameter.grad.flatten()
        out[f"{prefix}.norm.{name}"] = grad.norm().reshape(1)
        out[f"{prefix}.grad.{name}"] = grad[::STRIDE].clone()
    return out


def inputs(name, *shape):
    values = hashed(name, int(numpy.prod(shape)))
    return torch.from_numpy(values).reshape(shape)


def weighted(outputs):
    """A loss that weighs every output differently."""
    count = outputs.numel()
    return (outputs.flatten() * torch.arange(1, count + 1, dtype=torch.float64)).sum() / count


def made(*modules):
    for module in modules:
        module.double().eval()
        with torch.no_grad():
            fill(module)
    return modules


def pair(prefix, generator, discriminator, latent):
    g, d = made(generator, discriminator)
    images = g(inputs("z", BATCH, latent))
    logits = d(images)
    weighted(logits).backward()
    out = {f"{prefix}.images": images.detach(), f"{prefix}.logits": logits.detach()}
    return out | gradients(f"{prefix}.generator", g) | gradients(f"{prefix}.discriminator", d)


def alone(prefix, generator, latent):
    (g,) = made(generator)
    images = g(inputs("z", BATCH, latent))
    weighted(images).backward()
    return {f"{prefix}.images": images.detach()} | gradients(f"{prefix}.generator", g)


def classifier(prefix, width, outputs, channels, size):
    (c,) = made(families.Classifier(width, outputs, channels, size))
    images = inputs("images", BATCH, channels, size, size)
    with torch.no_grad():
        out = {f"{prefix}.eval.features": c.features(images), f"{prefix}.eval.logits": c(images)}
    c.train()
    logits = c(images)
    weighted(logits).backward()
    out[f"{prefix}.train.logits"] = logits.detach()
    for name, tensor in c.state_dict().items():
        if "running" in name:
            out[f"{prefix}.after.{name}"] = tensor
    return out | gradients(prefix, c)


out = {}
out |= pair("fc", families.FcGenerator(50, 3, 8), families.FcDiscriminator(3, 8), 50)
out |= alone("fc_conv", families.FcConvGenerator(50, 1, 28), 50)
out |= pair("conv", families.ConvGenerator(7, 3, 12), families.ConvDiscriminator(3, 12), 7)
out |= pair("mlp", families.MlpGenerator(5, 2), families.MlpDiscriminator(2), 5)
out |= pair("infogan", families.InfoGenerator(6, 3, 8), families.InfoDiscriminator(3, 8), 6)
out |= classifier("classifier", 4, 5, 3, 28)
save_file({k: v.contiguous() for k, v in out.items()}, HERE / "families.safetensors")
