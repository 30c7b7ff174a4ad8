"""What PyTorch makes of an exported run, and what we make of the same when it comes back.

    python3 tests/golden/export.py target/release/gan-cli RUN

Exports the run, loads its networks with the Python module that came with them, computes each on random inputs in
float64, and has `gan-cli import --check` compare that with its own float32. Prints the largest difference of each
network that can come back, generator or decoder and discriminator. Needs torch, numpy and safetensors.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch

program, run = sys.argv[1:]
torch.manual_seed(0)


def call(*line):
    return json.loads(subprocess.run([program, *line, "--json", "-q"], check=True, capture_output=True).stdout)


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    exported = call("export", run, "--out", str(folder))
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    for entry in exported["networks"]:
        name = entry["network"]
        network = model.load(getattr(model, name.capitalize())(), folder / f"{name}.safetensors").double()
        parameters = sum(p.numel() for p in network.parameters())
        described = call("import", str(folder / f"{name}.safetensors"), "--as", str(folder / "architecture.toml"),
                         "--out", str(folder / "again")) if name in ("generator", "decoder") else None
        if described:
            image = described["image"]
            latent = next(iter(network.main.parameters())).shape
            size = latent[1] if isinstance(network.main[0], torch.nn.Linear) else latent[0]
            x = torch.randn(16, size, dtype=torch.float64)
        elif name == "discriminator" and "image" in globals():
            x = torch.rand(16, image["channels"], image["height"], image["width"], dtype=torch.float64) * 2 - 1
        else:
            print(f"{name}: {parameters} parameters load; nothing of ours reads it back")
            continue
        with torch.no_grad():
            try:
                y = network(x)
            except TypeError:
                print(f"{name}: {parameters} parameters load; it is told more than images")
                continue
        if isinstance(y, tuple):
            print(f"{name}: {parameters} parameters load, outputs {[tuple(part.shape) for part in y]}")
            continue
        numpy.save(folder / "x.npy", x.numpy())
        numpy.save(folder / "y.npy", y.numpy())
        # A discriminator alone makes no run: it is compared and that is all.
        out = [] if name == "discriminator" else ["--out", str(folder / "run")]
        found = call("import", str(folder / f"{name}.safetensors"), "--as", str(folder / "architecture.toml"),
                     "--check", str(folder / "x.npy"), str(folder / "y.npy"), *out)
        print(f"{name}: {parameters} parameters, {found['difference']['values']} values, "
              f"largest difference {found['difference']['largest']:.1e}")
