"""Inversion of images beside the same loop in PyTorch, interleaved on this machine.

    cargo build --release -p gan-cli
    python3 benches/torch_invert.py target/release/gan-cli RUN netG.pth [--n 10] [--rounds 3] [--threads N]

RUN is what `gan-cli import netG.pth` made of the weights of PyTorch's 64×64 DCGAN example, with the data set that the
images come from. Both search 5 starts of 500 iterations for each image, all starts of all images in one batch, f32: Adam,
rate 0.1 falling to 0 by half a cosine, the mean squared error of each start. PyTorch runs eager, channels_last, its
weights frozen and in evaluation mode, its targets images of its own generator: what they show does not change the work.
Ours is timed within the program, without reading the data and the weights. Needs torch.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch


parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("run")
parser.add_argument("weights")
parser.add_argument("--n", type=int, default=10, help="images")
parser.add_argument("--restarts", type=int, default=5)
parser.add_argument("--iterations", type=int, default=500)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, default=torch.get_num_threads())
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)


def generator():
    """The generator of PyTorch's DCGAN example, with its names."""
    layers, widths = [], [100, 512, 256, 128, 64, 3]
    for i, (c_in, c_out) in enumerate(zip(widths, widths[1:])):
        stride, padding = (1, 0) if i == 0 else (2, 1)
        layers.append(torch.nn.ConvTranspose2d(c_in, c_out, 4, stride, padding, bias=False))
        if i < 4:
            layers += [torch.nn.BatchNorm2d(c_out), torch.nn.ReLU(True)]
    main = torch.nn.Sequential(*layers, torch.nn.Tanh())
    return torch.nn.ModuleDict({"main": main})


net = generator()
net.load_state_dict(torch.load(args.weights, map_location="cpu", weights_only=True))
net = net["main"].to(memory_format=torch.channels_last).eval()
for parameter in net.parameters():
    parameter.requires_grad_(False)
rows = args.n * args.restarts
with torch.no_grad():
    targets = net(torch.randn(args.n, 100, 1, 1)).repeat_interleave(args.restarts, 0)


def theirs():
    z = torch.randn(rows, 100, 1, 1, requires_grad=True)
    adam = torch.optim.Adam([z], 0.1)
    start = time.perf_counter()
    for step in range(args.iterations):
        adam.param_groups[0]["lr"] = 0.05 + 0.05 * math.cos(math.pi * step / args.iterations)
        adam.zero_grad()
        losses = ((net(z) - targets) ** 2).flatten(1).mean(1)
        losses.sum().backward()
        adam.step()
        losses.tolist()  # the curve
    with torch.no_grad():
        losses = ((net(z) - targets) ** 2).flatten(1).mean(1)
    seconds = time.perf_counter() - start
    return seconds, losses.view(args.n, -1).min(1).values.mean().item()


def ours(folder):
    line = [args.program, "invert", args.run, "--json", "-q", "--threads", str(args.threads), "--n", str(args.n)]
    line += ["--restarts", str(args.restarts), "--iterations", str(args.iterations)]
    line += ["--out", str(pathlib.Path(folder) / "inverted.png")]
    return json.loads(subprocess.run(line, capture_output=True, check=True).stdout)["found"]["seconds"]


ratios, speeds = [], []
with tempfile.TemporaryDirectory() as folder:
    for i in range(args.rounds):
        (b, error), a = theirs(), ours(folder)
        ratios.append(b / a)
        speeds.append((60 * args.n / a, 60 * args.n / b))
        print(f"round {i + 1}: ours {a:.1f} s, PyTorch {b:.1f} s, ratio {b / a:.2f}; its own images found to {error:.1e}", flush=True)
print(f"{args.n} images × {args.restarts} starts × {args.iterations} iterations, {args.threads} threads, torch {torch.__version__}: "
      f"ours {statistics.median(a for a, _ in speeds):.1f}, PyTorch {statistics.median(b for _, b in speeds):.1f} images a minute, "
      f"ratio {statistics.median(ratios):.2f} (median of {args.rounds}; {min(ratios):.2f} to {max(ratios):.2f})")
