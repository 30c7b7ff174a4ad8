"""PyTorch's DCGAN beside ours, interleaved on this machine: training steps, or images from the generator.

    cargo build --release -p gan-cli
    python3 benches/torch_step.py target/release/gan-cli [--batch-size 64] [--rounds 5] [--threads N]
    python3 benches/torch_step.py target/release/gan-cli --what generate
    python3 benches/torch_step.py target/release/gan-cli --size 28 --batch-size 128
    python3 benches/torch_step.py target/release/gan-cli --device cuda [--tf32]

nz 100, ngf = ndf = 64, f32; 64×64 RGB or 28×28 gray. A step is one of the discriminator and one of the generator on the
same fakes, with Adam. PyTorch runs eager, channels_last, its discriminator frozen in the generator step. The peak
resident memory is each process's whole. On a GPU both compute in f32
proper unless --tf32 is given. Needs torch.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests/golden"))
from torch_dcgan import Discriminator, Generator  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--what", choices=["step", "generate"], default="step")
parser.add_argument("--size", type=int, choices=[28, 64], default=64)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--threads", type=int, default=torch.get_num_threads())
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
parser.add_argument("--tf32", action="store_true", help="let PyTorch round products to TF32 on a GPU")
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.set_default_device(args.device)
torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = args.tf32
torch.backends.cudnn.benchmark = True
synchronize = torch.cuda.synchronize if args.device == "cuda" else lambda: None
n, channels = args.batch_size, 3 if args.size == 64 else 1

g = Generator(100, 64, channels, args.size).to(memory_format=torch.channels_last)
d = Discriminator(64, channels, args.size).to(memory_format=torch.channels_last)
for module in (g, d):
    for name, p in module.named_parameters():
        torch.nn.init.normal_(p, 1.0 if name.endswith("norm.weight") else 0.0, 0.02)
        if name.endswith("norm.bias"):
            torch.nn.init.zeros_(p)
adam_g = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999))
adam_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
bce = torch.nn.functional.binary_cross_entropy_with_logits
ones, zeros = torch.ones(n), torch.zeros(n)
real = torch.rand(n, channels, args.size, args.size) * 2 - 1
real = real.contiguous(memory_format=torch.channels_last)


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


@torch.no_grad()
def generate():
    g.eval()
    g(torch.randn(n, 100))


run = step if args.what == "step" else generate
steps = 5 if args.what == "step" else 20


def theirs():
    run()
    seconds = []
    for _ in range(steps):
        synchronize()
        start = time.perf_counter()
        run()
        synchronize()
        seconds.append(time.perf_counter() - start)
    return n / statistics.median(seconds)


def ours():
    line = [args.program, "bench", args.what, "--json", "-q", "--steps", str(steps)]
    line += ["--batch-size", str(n), "--threads", str(args.threads)]
    line += ["--device", args.device]
    line += ["--data", "synthetic-digits"] if args.size == 28 else []
    return json.loads(subprocess.run(line, capture_output=True, check=True).stdout)


ratios, speeds, memory = [], [], 0
for i in range(args.rounds):
    result, b = ours(), theirs()
    a, memory = result["images_per_second"], max(memory, result["peak_rss_bytes"] or 0)
    ratios.append(a / b)
    speeds.append((a, b))
    print(f"round {i + 1}: ours {a:.1f}, PyTorch {b:.1f} images/s, ratio {a / b:.2f}", flush=True)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(f"{args.what}, {args.size}×{args.size}, batch {n}, {args.device}, {args.threads} threads, torch {torch.__version__}: "
      f"ours {statistics.median(a for a, _ in speeds):.0f}, PyTorch {statistics.median(b for _, b in speeds):.0f} images/s, "
      f"ratio {statistics.median(ratios):.2f} (median of {args.rounds}; {min(ratios):.2f} to {max(ratios):.2f}); "
      f"peak memory {memory / 1e6:.0f} and {peak / 1e6:.0f} MB")
