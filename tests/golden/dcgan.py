"""Golden values of the DCGAN models: python3 tests/golden/dcgan.py

Writes dcgan_28.safetensors and dcgan_64.safetensors beside itself: random float64 weights and running
statistics, and what PyTorch computes from them. Made with torch 2.15 (float64 on the CPU).
"""

import pathlib

import torch
from safetensors.torch import save_file

from torch_dcgan import Discriminator, Generator

HERE = pathlib.Path(__file__).parent
LATENT, WIDTH, BATCH = 5, 2, 3


def randomize(module, generator):
    for name, tensor in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        if name.endswith("running_var"):
            tensor.copy_(noise.abs() + 0.5)
        elif name.endswith("norm.weight"):
            tensor.copy_(1 + 0.1 * noise)
        else:
            tensor.copy_(0.2 * noise)


def state(module, prefix):
    return {
        f"{prefix}.{name}": tensor.detach().clone()
        for name, tensor in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def record(size, channels):
    random = torch.Generator().manual_seed(size)
    g = Generator(LATENT, WIDTH, channels, size).double()
    d = Discriminator(WIDTH, channels, size).double()
    with torch.no_grad():
        randomize(g, random)
        randomize(d, random)
    out = state(g, "generator") | state(d, "discriminator")

    z = torch.randn(BATCH, LATENT, generator=random, dtype=torch.float64)
    out["z"] = z
    g.eval(), d.eval()
    with torch.no_grad():
        out["eval.images"] = g(z)
        out["eval.logits"] = d(g(z))

    # Training mode: values, running statistics after one pass, and the gradients of a loss that
    # weighs every logit differently.
    g.train(), d.train()
    images = g(z)
    logits = d(images)
    loss = (logits * torch.arange(1.0, BATCH + 1, dtype=torch.float64)).sum()
    loss.backward()
    out["train.images"] = images.detach()
    out["train.logits"] = logits.detach()
    for prefix, module in [("generator", g), ("discriminator", d)]:
        out |= {f"after.{k}": v for k, v in state(module, prefix).items() if "running" in k}
        out |= {f"grad.{prefix}.{k}": p.grad for k, p in module.named_parameters()}
    save_file({k: v.contiguous() for k, v in out.items()}, HERE / f"dcgan_{size}.safetensors")


record(28, 1)
record(64, 3)
