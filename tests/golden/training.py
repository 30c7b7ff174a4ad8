"""Training steps in PyTorch from our weights, latents and batches.

    cargo run --release -p gan-train --example training_inputs -- INPUTS.safetensors [PRESET DATA KEY=VALUE…]
    python3 tests/golden/training.py INPUTS.safetensors [OUT.safetensors]

The example writes initial weights, real batches (u8) and latents of the first ten steps together
with the losses that our trainer had on them. This script makes the same steps in PyTorch on the CPU, as
PyTorch's DCGAN example makes them, in float64 and float32, and prints all three. With OUT it records the
float64 losses for the test `losses_agree_with_pytorch`, and demands that ours agree to 1e-3. Recorded
with torch 2.15.
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

batch = tensors["real.0"]
steps = tensors["loss_d"].numel()
_, channels, _, size = batch.shape
latent = tensors["z.0"].shape[1]
widths = (int(meta["generator_width"]), int(meta["discriminator_width"]))
betas = (float(meta["beta1"]), float(meta["beta2"]))
bce = torch.nn.functional.binary_cross_entropy_with_logits


def train(dtype):
    """Losses of D and G by step, in PyTorch."""
    inputs = {k: v.to(dtype) for k, v in tensors.items()}
    g = load(Generator(latent, widths[0], channels, size).to(dtype), inputs, "generator")
    d = load(Discriminator(widths[1], channels, size).to(dtype), inputs, "discriminator")
    adam_g = torch.optim.Adam(g.parameters(), lr=float(meta["lr_g"]), betas=betas)
    adam_d = torch.optim.Adam(d.parameters(), lr=float(meta["lr_d"]), betas=betas)
    losses = {"loss_d": [], "loss_g": []}
    for step in range(steps):
        real = inputs[f"real.{step}"] / 127.5 - 1
        ones, zeros = torch.ones(len(real), dtype=dtype), torch.zeros(len(real), dtype=dtype)
        fake = g(inputs[f"z.{step}"])
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
    return losses


double, single = train(torch.float64), train(torch.float32)
worst = {"ours": 0.0, "PyTorch float32": 0.0}
for name in ["loss_d", "loss_g"]:
    for step, ours in enumerate(tensors[name].tolist()):
        theirs, rounded = double[name][step], single[name][step]
        worst["ours"] = max(worst["ours"], abs(ours - theirs))
        worst["PyTorch float32"] = max(worst["PyTorch float32"], abs(rounded - theirs))
        print(f"step {step + 1:2} {name}: ours {ours:.7f}, PyTorch {theirs:.7f}, in float32 {rounded:.7f}")
for what, difference in worst.items():
    print(f"largest difference of {what} to PyTorch float64: {difference:.2e}")
if len(sys.argv) > 2:
    save_file({k: torch.tensor(v, dtype=torch.float64) for k, v in double.items()}, sys.argv[2])
    assert worst["ours"] < 1e-3
