"""PyTorch's single layers beside ours, forward, input gradient and weight gradient, interleaved on this machine.

    cargo build --release -p gan-cli
    python3 benches/torch_layers.py target/release/gan-cli [--batch-size 64] [--rounds 5] [--threads N] [--layer TEXT]

Both in f32 with images channels last, the best of five runs a round. Prints for each layer and direction the median
over the rounds of both times and of their ratio (above 1: ours is faster). Needs torch.
"""

import argparse
import json
import re
import statistics
import subprocess
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--threads", type=int, default=torch.get_num_threads())
parser.add_argument("--layer", default="")
args = parser.parse_args()
torch.set_num_threads(args.threads)
n = args.batch_size


def ours():
    line = [args.program, "bench", "layers", "--json", "-q", "--steps", "5"]
    line += ["--batch-size", str(n), "--threads", str(args.threads), "--layer", args.layer]
    out = json.loads(subprocess.run(line, capture_output=True, check=True).stdout)
    return {(row["layer"], row["direction"]): row["seconds"] for row in out["layers"]}


def best(run):
    run()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def theirs(layer):
    """The three directions of a layer, named as `bench layers` names it."""
    if layer.startswith("linear"):
        c_in, c_out = map(int, re.findall(r"\d+", layer))
        x, w, y = torch.randn(n, c_in), torch.randn(c_out, c_in), torch.randn(n, c_out)
        return [
            best(lambda: torch.nn.functional.linear(x, w)),
            best(lambda: y @ w),
            best(lambda: y.t() @ x),
        ]
    k, s, p, c_in, c_out, size = map(
        int, re.fullmatch(r"(\d+)×\d+ s(\d+) p(\d+) (\d+)→(\d+) at (\d+)×\d+", layer).groups())
    last = torch.channels_last
    x = torch.randn(n, c_in, size, size).contiguous(memory_format=last)
    w = torch.randn(c_out, c_in, k, k).contiguous(memory_format=last)
    y = torch.randn_like(torch.nn.functional.conv2d(x, w, None, s, p))

    def backward(mask):
        return torch.ops.aten.convolution_backward(
            y, x, w, None, [s, s], [p, p], [1, 1], False, [0, 0], 1, mask)

    return [
        best(lambda: torch.nn.functional.conv2d(x, w, None, s, p)),
        best(lambda: backward([True, False, False])),
        best(lambda: backward([False, True, False])),
    ]


rounds = []
with torch.no_grad():
    for _ in range(args.rounds):
        a = ours()
        layers = list(dict.fromkeys(layer for layer, _ in a))
        b = {}
        for layer in layers:
            for direction, seconds in zip(["forward", "input_grad", "weight_grad"], theirs(layer)):
                b[layer, direction] = seconds
        rounds.append((a, b))
print(f"batch {n}, {args.threads} threads, torch {torch.__version__}, median of {args.rounds} rounds: ours / PyTorch, ms")
for layer in layers:
    cells = []
    for direction in ["forward", "input_grad", "weight_grad"]:
        key = (layer, direction)
        mine = statistics.median(a[key] for a, _ in rounds)
        other = statistics.median(b[key] for _, b in rounds)
        ratios = [b[key] / a[key] for a, b in rounds]
        cells.append(f"{1e3 * mine:.2f} / {1e3 * other:.2f} = {statistics.median(ratios):.2f} "
                     f"({min(ratios):.2f}–{max(ratios):.2f})")
    print(f"| {layer} | " + " | ".join(cells) + " |")
