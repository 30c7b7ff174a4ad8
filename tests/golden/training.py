"""Training steps in PyTorch from our weights, latents and batches.

    cargo run --release -p gan-train --example training_inputs -- INPUTS.safetensors [PRESET DATA KEY=VALUE…]
    python3 tests/golden/training.py INPUTS.safetensors [OUT.safetensors]

The example writes initial weights, real batches (u8) and latents of the first ten steps together
with the losses that our trainer had on them. This script makes the same steps in PyTorch, float64 on
the CPU, as PyTorch's DCGAN example makes them, prints both and, with OUT, records PyTorch's for the
test `losses_agree_with_pytorch`. Recorded with torch 2.15.
"""

import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from torch_dcgan import Discriminator, Generator, load

path = sys.argv[1]
tensors = load_file(path)
with safe_open(path, "pt") as f:
    meta = f.metadata()

double = {k: v.double() for k, v in tensors.items()}
steps = double["loss_d"].numel()
batch = tensors["real.0"]
_, channels, _, size = batch.shape
latent = tensors["z.0"].shape[1]
widths = (int(meta["generator_width"]), int(meta["discriminator_width"]))
g = load(Generator(latent, widths[0], channels, size), double, "generator").double()
d = load(Discriminator(widths[1], channels, size), double, "discriminator").double()


def adam(module, name):
    return torch.optim.Adam(
        module.parameters(), lr=float(meta[f"lr_{name}"]), betas=(float(meta["beta1"]), float(meta["beta2"]))
    )


adam_g, adam_d = adam(g, "g"), adam(d, "d")
bce = torch.nn.functional.binary_cross_entropy_with_logits
losses = {"loss_d": [], "loss_g": []}
for step in range(steps):
    real = double[f"real.{step}"] / 127.5 - 1
    ones, zeros = torch.ones(len(real)).double(), torch.zeros(len(real)).double()
    fake = g(double[f"z.{step}"])
    adam_d.zero_grad()
    loss_d = bce(d(real), ones) + bce(d(fake.detach()), zeros)
    loss_d.backward()
    adam_d.step()
    adam_g.zero_grad()
    loss_g = bce(d(fake), ones)
    loss_g.backward()
    adam_g.step()
    losses["loss_d"].append(loss_d.item())
    losses["loss_g"].append(loss_g.item())

worst = 0.0
for name in ["loss_d", "loss_g"]:
    for step, (ours, theirs) in enumerate(zip(double[name].tolist(), losses[name])):
        worst = max(worst, abs(ours - theirs))
        print(f"step {step + 1:2} {name}: ours {ours:.7f}, PyTorch {theirs:.7f}")
print(f"largest difference {worst:.2e}")
if len(sys.argv) > 2:
    save_file({k: torch.tensor(v, dtype=torch.float64) for k, v in losses.items()}, sys.argv[2])
assert worst < 1e-3
