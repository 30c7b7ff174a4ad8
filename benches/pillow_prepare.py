"""Pillow doing what `gan-cli prepare` does, beside it, interleaved on this machine.

    pip install pillow numpy safetensors
    cargo build --release -p gan-cli
    python3 benches/pillow_prepare.py target/release/gan-cli path/to/img_align_celeba.zip [--rounds 3]

Both read every JPEG of CelebA's zip, decode it, resize it straight to 64×64 (bilinear, without a crop)
and write the bytes as safetensors; Pillow with one process a core, each with its own open zip. It makes
one array [N, 3, 64, 64] in one file; ours adds attributes, labels, splits, checksums and a manifest.
Times are of whole commands, with the start of the interpreter. The zip is read once before, so that it
lies in the page cache for both; results go to fresh folders under --tmp.
"""

import argparse
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

SIZE = 64
CHUNK = 256

parser = argparse.ArgumentParser()
parser.add_argument("program", nargs="?")
parser.add_argument("zip", type=pathlib.Path)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
parser.add_argument("--tmp", type=pathlib.Path, help="where the fresh folders are made")
parser.add_argument("--only-pillow", type=pathlib.Path, metavar="FILE", help="prepare into FILE, no comparison")


def start(path):
    global archive
    archive = zipfile.ZipFile(path)


def convert(names):
    import numpy
    from PIL import Image

    pixels = numpy.empty((len(names), 3, SIZE, SIZE), numpy.uint8)
    for i, name in enumerate(names):
        with archive.open(name) as f, Image.open(f) as image:
            small = image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        pixels[i] = numpy.asarray(small).transpose(2, 0, 1)
    return pixels


def pillow(path, out, processes):
    import numpy
    from safetensors.numpy import save_file

    with zipfile.ZipFile(path) as z:
        names = sorted(n for n in z.namelist() if n.lower().endswith((".jpg", ".jpeg")))
    chunks = [names[i : i + CHUNK] for i in range(0, len(names), CHUNK)]
    images = numpy.empty((len(names), 3, SIZE, SIZE), numpy.uint8)
    with multiprocessing.Pool(processes, start, (path,)) as pool:
        done = 0
        for pixels in pool.imap(convert, chunks):
            images[done : done + len(pixels)] = pixels
            done += len(pixels)
    save_file({"images": images}, out)


def timed(line):
    begin = time.perf_counter()
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def compare(args):
    import PIL

    with args.zip.open("rb") as f:
        while f.read(1 << 24):
            pass
    with zipfile.ZipFile(args.zip) as z:
        images = sum(n.lower().endswith((".jpg", ".jpeg")) for n in z.namelist())
    print("| round | gan-cli, s | Pillow, s | Pillow / gan-cli |")
    print("| ---: | ---: | ---: | ---: |")
    ours, theirs = [], []
    for i in range(args.rounds):
        with tempfile.TemporaryDirectory(dir=args.tmp) as tmp:
            out = pathlib.Path(tmp)
            line = [args.program, "prepare", args.zip, "--out", out / "ours", "-q"]
            ours.append(timed(line + ["--threads", str(args.processes)]))
            line = [sys.executable, __file__, args.zip, "--only-pillow", out / "theirs.safetensors"]
            theirs.append(timed(line + ["--processes", str(args.processes)]))
        print(f"| {i + 1} | {ours[-1]:.2f} | {theirs[-1]:.2f} | {theirs[-1] / ours[-1]:.2f} |")
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"| median | {a:.2f} | {b:.2f} | {b / a:.2f} |")
    print(f"\n{images} images, {args.processes} threads or processes, Pillow {PIL.__version__}: "
          f"{images / a:.0f} images/s, Pillow {images / b:.0f}")


if __name__ == "__main__":
    args = parser.parse_args()
    if args.only_pillow:
        pillow(args.zip, args.only_pillow, args.processes)
    elif args.program:
        compare(args)
    else:
        parser.error("name gan-cli's program, or --only-pillow FILE")
