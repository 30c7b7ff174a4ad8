"""Reads a checkpoint in PyTorch and draws from its generator.

    cargo run --release -p gan-train --example checkpoint_images -- CHECKPOINT IMAGES.safetensors
    python3 tests/golden/checkpoint.py CHECKPOINT IMAGES.safetensors

The example writes latents and the images that our generator makes of them; PyTorch's generator with
the weights of the checkpoint must make the same within 1e-5. Needs torch and safetensors.
"""

import json
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from torch_dcgan import Discriminator, Generator, load

checkpoint, images = load_file(sys.argv[1]), load_file(sys.argv[2])
with safe_open(sys.argv[1], "pt") as f:
    config = json.loads(f.metadata()["gan"])["config"]
image, model = config["image"], config["model"]
latent = images["z"].shape[1]
g = Generator(latent, model["generator_width"], image["channels"], image["height"])
d = Discriminator(model["discriminator_width"], image["channels"], image["height"])
g, d = load(g, checkpoint, "generator").eval(), load(d, checkpoint, "discriminator").eval()
with torch.no_grad():
    worst_image = (g(images["z"]) - images["images"]).abs().max().item()
    logits = images["logits"]
    worst_logit = (d(images["images"]) - logits).abs().max().item() / logits.abs().max().item()
print(f"images: largest difference {worst_image:.2e}; logits: {worst_logit:.2e} of the largest")
assert worst_image < 1e-5 and worst_logit < 1e-5
