"""PyTorch's DCGAN training step beside ours, interleaved on this machine.

    cargo build --release -p gan-cli
    python3 benches/torch_step.py target/release/gan-cli [--batch-size 64] [--rounds 5] [--threads N]

Both train the 64×64 DCGAN (nz 100, ngf = ndf = 64, f32): one discriminator and one generator step on the
same fakes, Adam. PyTorch runs eager, channels_last, with the discriminator frozen in the generator step.
Needs torch.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests/golden"))
from torch_dcgan import Discriminator, Generator  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--threads", type=int, default=torch.get_num_threads())
args = parser.parse_args()
torch.set_num_threads(args.threads)
n = args.batch_size

g = Generator(100, 64, 3, 64).to(memory_format=torch.channels_last)
d = Discriminator(64, 3, 64).to(memory_format=torch.channels_last)
for module in (g, d):
    for name, p in module.named_parameters():
        torch.nn.init.normal_(p, 1.0 if name.endswith("norm.weight") else 0.0, 0.02)
        if name.endswith("norm.bias"):
            torch.nn.init.zeros_(p)
adam_g = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999))
adam_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
bce = torch.nn.functional.binary_cross_entropy_with_logits
ones, zeros = torch.ones(n), torch.zeros(n)
real = (torch.rand(n, 3, 64, 64) * 2 - 1).contiguous(memory_format=torch.channels_last)


def step():
    fake = g(torch.randn(n, 100))
    adam_d.zero_grad()
    (bce(d(real), ones) + bce(d(fake.detach()), zeros)).backward()
    adam_d.step()
    for p in d.parameters():
        p.requires_grad_(False)
    adam_g.zero_grad()
    bce(d(fake), ones).backward()
    adam_g.step()
    for p in d.parameters():
        p.requires_grad_(True)


def theirs(steps=3):
    step()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return n / statistics.median(seconds)


def ours():
    line = [args.program, "bench", "step", "--json", "-q", "--steps", "3"]
    line += ["--batch-size", str(n), "--threads", str(args.threads)]
    return json.loads(subprocess.run(line, capture_output=True, check=True).stdout)["images_per_second"]


ratios = []
for i in range(args.rounds):
    a, b = ours(), theirs()
    ratios.append(a / b)
    print(f"round {i + 1}: ours {a:.1f}, PyTorch {b:.1f} images/s, ratio {a / b:.2f}")
print(f"batch {n}, {args.threads} threads, torch {torch.__version__}: ratio {statistics.median(ratios):.2f} "
      f"(median of {args.rounds}; {min(ratios):.2f} to {max(ratios):.2f})")
