"""Peak memory of `gan-cli prepare` over simulated sources of growing length.

    pip install pillow
    python3 benches/prepare_memory.py target/release/gan-cli FOLDER [--images 10000 100000 1000000]

Makes in FOLDER, and keeps for the next time, zips and folders of that many pictures: 32 different 48×48 JPEGs
under as many names (hard links in the folder, so that a million takes inodes but little space), then prepares
each to 32×32 and prints the highest resident memory and the images a second. Needs 3 GB of disk for a million.
"""

import argparse
import io
import os
import pathlib
import random
import shutil
import subprocess
import time
import zipfile

from PIL import Image

PICTURES = 32


def pictures():
    noise = random.Random(0)
    for _ in range(PICTURES):
        image = Image.new("RGB", (6, 6))
        image.putdata([tuple(noise.randrange(256) for _ in range(3)) for _ in range(36)])
        out = io.BytesIO()
        image.resize((48, 48), Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
        yield out.getvalue()


def name(i):
    return f"{i // 1000:05d}/img{i:08d}.jpg"


def make_zip(path, n):
    files = list(pictures())
    with zipfile.ZipFile(path.with_suffix(".part"), "w", zipfile.ZIP_STORED) as archive:
        for i in range(n):
            archive.writestr(name(i), files[i % PICTURES])
    path.with_suffix(".part").rename(path)


def make_folder(path, n):
    part = path.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    files = list(pictures())
    for i in range(n):
        target = part / name(i)
        if i % 1000 == 0:
            target.parent.mkdir()
            # Links to one file are limited in number by the file system: new ones for every folder.
            for k, data in enumerate(files):
                (part / name(i + k)).write_bytes(data)
        elif i % 1000 >= PICTURES:
            os.link(part / name(i // 1000 * 1000 + i % PICTURES), target)
    part.rename(path)


def measure(program, source, out):
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    command = [program, "-q", "prepare", source, "--out", out, "--size", "32"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{source}: exit status {status}")
    shutil.rmtree(out)
    return usage.ru_maxrss / 1024, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    print("| source | images | peak memory, MB | images/s |\n|---|---|---|---|")
    for kind, make in [("zip", make_zip), ("folder", make_folder)]:
        for n in args.images:
            source = args.folder / (f"{n}.zip" if kind == "zip" else f"{n}-files")
            if not source.exists():
                make(source, n)
            peak, seconds = measure(args.program, source, args.folder / "shards")
            print(f"| {kind} | {n:,} | {peak:.0f} | {n / seconds:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
