"""What the golden scripts of small networks share: weights and inputs by name and index, and gradients in brief."""

import numpy
import torch

# Every so many values of a gradient are kept.
STRIDE = 997


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
