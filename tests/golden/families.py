"""Golden values of the small model families: python3 tests/golden/families.py

Writes families.safetensors beside itself: what PyTorch computes in float64, and of every gradient its
norm and every STRIDE-th value. Weights are too many to be recorded: each is a hash of its tensor's name and
its index (`hashed`), which crates/gan-models/tests/families.rs computes again, exactly. Made with
torch 2.15 (float64 on the CPU).
"""

import pathlib

import torch
from safetensors.torch import save_file

import torch_families as families
from golden_values import gradients, inputs, made, weighted

HERE = pathlib.Path(__file__).parent
BATCH = 3


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


def skip_z(prefix, latent, width, channels, size):
    (g,) = made(families.SkipZGenerator(latent, width, channels, size))
    z = inputs("z", BATCH, latent).requires_grad_()
    images = g(z)
    weighted(images).backward()
    out = {f"{prefix}.images": images.detach(), f"{prefix}.latent": z.grad}
    return out | gradients(f"{prefix}.generator", g)


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
out |= skip_z("skip_z", 6, 4, 1, 32)
out |= classifier("classifier", 4, 5, 3, 28)
save_file({k: v.contiguous() for k, v in out.items()}, HERE / "families.safetensors")
