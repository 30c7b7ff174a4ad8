"""Files of weights in every form that PyTorch saves: python3 tests/golden/state_dicts.py

Writes crates/gan-models/tests/state_dicts: files that are read, files that are refused, and expected.safetensors,
what PyTorch itself reads from the former (bool, int8 and uint16 as the next type that candle has). Small ones
become seeds of the fuzz target. Made with torch 2.15. The same values each time, but in the old form PyTorch names
storages by their addresses.

The writers of Python 2, of views of storages and of big-endian machines are long gone; their files are composed
here after torch/serialization.py, and PyTorch must read them too.
"""

import argparse
import io
import pathlib
import pickle
import struct
import warnings
import zipfile
from collections import OrderedDict

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

ROOT = pathlib.Path(__file__).parents[2]
OUT, SEEDS = ROOT / "crates/gan-models/tests/state_dicts", ROOT / "fuzz/seeds/state_dict"
WIDER = {torch.bool: torch.uint8, torch.int8: torch.int16, torch.uint16: torch.uint32}
LEGACY = {"_use_new_zipfile_serialization": False}

# The old form has the source of classes beside modules, and where that was; that is not for everyone.
torch.serialization.get_source_lines_and_file = None
warnings.simplefilter("ignore")
torch.manual_seed(0)
expected = {}


def flat(value, name=""):
    if isinstance(value, torch.Tensor):
        yield name, value.detach()
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value))
    for key, child in value.items() if isinstance(value, dict) else ():
        yield from flat(child, f"{name}.{key}" if name else str(key))


def row_major(tensor):
    return tensor.clone(memory_format=torch.contiguous_format)


def content(tensor):
    return tensor.dtype, tensor.shape, row_major(tensor).reshape(-1).view(torch.uint8).numpy().tobytes()


def save(file, value, to=OUT, **options):
    torch.save(value, to / file, **options)


def expect(group, value, *files):
    """Records what is in files, having seen that PyTorch finds it there."""
    value = dict(flat(value))
    for file in files:
        read = dict(flat(torch.load(OUT / file, map_location="cpu", weights_only=False)))
        assert [content(t) for t in read.values()] == [content(t) for t in value.values()], file
    for name, tensor in value.items():
        expected[f"{group}/{name}"] = row_major(tensor.to(WIDER.get(tensor.dtype, tensor.dtype)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(1, 2, 2, bias=False), nn.BatchNorm2d(2))

    def forward(self, x):
        return self.main(x)


def forms(net):
    """One state dict in every container and protocol."""
    state = net.state_dict()
    save("zip.pt", state)
    save("legacy.pt", state, **LEGACY)
    for protocol in [1, 3, 4, 5]:
        save(f"zip_protocol_{protocol}.pt", state, pickle_protocol=protocol)
    for protocol in [1, 4]:
        save(f"legacy_protocol_{protocol}.pt", state, pickle_protocol=protocol, **LEGACY)
    torch.serialization.set_crc32_options(False)
    save("no_checksums.pt", state)
    torch.serialization.set_crc32_options(True)
    sizes = [tensor.element_size() for tensor in state.values()]
    with zipfile.ZipFile(OUT / "zip.pt") as little, zipfile.ZipFile(OUT / "big_endian.pt", "w") as big:
        for name in little.namelist():
            record = little.read(name)
            if name.endswith("/byteorder"):
                record = b"big"
            elif "/data/" in name:
                size = sizes[int(name.split("/")[-1])]
                record = numpy.frombuffer(record, f"V{size}").view(f"u{size}").byteswap().tobytes()
            big.writestr(name, record)
    names = ["zip", "legacy", "zip_protocol_1", "zip_protocol_3", "zip_protocol_4", "zip_protocol_5"]
    names += ["legacy_protocol_1", "legacy_protocol_4", "no_checksums", "big_endian"]
    expect("network", state, *(f"{name}.pt" for name in names))


def checkpoint(net):
    """What training scripts save: several networks, one of them in parallel, and much that is no tensor."""
    head = nn.Linear(2, 1)
    adam = torch.optim.Adam(head.parameters())
    head(torch.randn(3, 2)).sum().backward()
    adam.step()
    value = {
        "epoch": 3,
        "netG": nn.DataParallel(net).state_dict(),
        "netD": head.state_dict(),
        "optimizer": adam.state_dict(),
        "losses": [0.5, 0.25, None, 2**70, -1, 2**40],
        "options": argparse.Namespace(lr=0.1, betas=(0.5, 0.999)),
        "criterion": nn.BCELoss(),
        "seen": {1, 2},
        "raw": b"bytes",
        ("a", 1): "a key that is no part of a name",
        "fixed": [torch.randn(2), (torch.randn(()), {"labels": torch.arange(3)})],
    }
    save("checkpoint.pt", value)
    save("checkpoint_legacy.pt", value, pickle_protocol=4, **LEGACY)
    value["netG"] = net.state_dict()
    expect("checkpoint", value, "checkpoint.pt", "checkpoint_legacy.pt")
    value = [torch.randn(2), (torch.randn(1), {7: torch.randn(1)})]
    save("list.pt", value)
    expect("list", value, "list.pt")


def views():
    shared = torch.randn(3, 4)
    value = OrderedDict(
        channels_last=torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last),
        transposed=torch.randn(2, 3).T,
        permuted=torch.randn(2, 3, 4).permute(2, 0, 1),
        shared=shared,
        row=shared[1],
        column=shared[:, 2],
        steps=shared[::2, 1::2],
        again=shared.view(4, 3),
        same=shared,
        scalar=torch.tensor(2.5),
        element=shared[2, 3],
        empty=torch.empty(0),
        no_rows=torch.empty(0, 3),
        nothing_beyond=torch.randn(5)[::2][3:],
        expanded=torch.tensor([1.5]).expand(3, 4),
        rows_expanded=torch.randn(1, 2).expand(3, 2),
        windows=torch.arange(5.0).unfold(0, 3, 1),
        ones=torch.randn(2)[:, None, None],
    )
    save("views.pt", value)
    save("views_legacy.pt", value, **LEGACY)
    expect("views", value, "views.pt", "views_legacy.pt")


def elements():
    floats = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn]
    integers = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32]
    value = {str(t): torch.tensor([[0.1, -2.5], [3e2, 1.0]]).to(t).T for t in floats}
    value |= {str(t): torch.tensor([1, 2, 100]).to(t) for t in integers}
    value["negative"] = torch.tensor([-128, -1, 127], dtype=torch.int8)
    value["large"] = torch.tensor([65535, 0, 32768], dtype=torch.int32).to(torch.uint16)
    value["bool"] = torch.tensor([True, False, True])
    save("elements.pt", value)
    expect("elements", value, "elements.pt")
    # Types without a class of storages, which PyTorch writes into the old form but cannot read from it.
    late = [torch.float8_e4m3fn, torch.uint16, torch.uint32]
    value = {name: tensor for name, tensor in value.items() if tensor.dtype not in late}
    save("elements_legacy.pt", value, **LEGACY)
    expect("elements_legacy", value, "elements_legacy.pt")


def parameters():
    value = {"plain": nn.Parameter(torch.randn(2)), "buffer": nn.Buffer(torch.randn(1))}
    value["parameter"], value["tensor"] = nn.Parameter(torch.randn(1, 2)), torch.randn(2, 1)
    value["parameter"].note, value["tensor"].note = "an attribute", {"another": 1}
    save("parameters.pt", value)
    expect("parameters", value, "parameters.pt")


class Python2(pickle._Pickler):
    """Strings of bytes, ordered dictionaries from lists of pairs, tensors as PyTorch 0.3 took them apart."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_str(self, text):
        self.write(b"U" + bytes([len(text)]) + text.encode())
        self.memoize(text)

    dispatch[str] = save_str

    def persistent_id(self, value):
        return value.id if isinstance(value, Stored) else None

    def reducer_override(self, value):
        if isinstance(value, OrderedDict):
            return OrderedDict, ([[key, child] for key, child in value.items()],)
        if isinstance(value, View):
            return torch._utils._rebuild_tensor, value.arguments
        return NotImplemented


class Stored:
    def __init__(self, *id):
        self.id = ("storage", *id)


class View:
    def __init__(self, *arguments):
        self.arguments = arguments


def python_2():
    """Storages 94, of which a part is a storage of its own, and 17, which was on a graphics card."""
    numbers, more = torch.arange(12.0), torch.arange(3, dtype=torch.float64)
    whole = Stored(torch.FloatStorage, "94", "cpu", 12, None)
    part = Stored(torch.FloatStorage, "94", "cpu", 12, ("95", 4, 6))
    cuda = Stored(torch.cuda.DoubleStorage, "17", "cuda:0", 3, None)
    value = OrderedDict()
    value["0.weight"] = View(whole, 0, (3, 4), (4, 1))
    value["0.part"] = View(part, 1, (2, 2), (2, 1))
    value["1.cuda"] = View(cuda, 0, (3,), (1,))
    file = io.BytesIO()
    for pickled in [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, value, ["17", "94"]]:
        Python2(file, 2).dump(pickled)
    for storage in [more, numbers]:
        file.write(struct.pack("<q", storage.numel()) + storage.numpy().tobytes())
    (OUT / "python_2.pt").write_bytes(file.getvalue())
    read = {"0.weight": numbers.view(3, 4), "0.part": numbers[5:9].view(2, 2), "1.cuda": more}
    expect("python_2", read, "python_2.pt")


def refused(net):
    save("module.pt", net)
    save("module_legacy.pt", net, **LEGACY)
    save("module_inside.pt", {"step": torch.tensor(1), "nets": [net]})
    save("tensor.pt", torch.randn(2))
    save("no_tensors.pt", {"epoch": 3})
    save("protocol_0.pt", {"a": torch.randn(2)}, pickle_protocol=0)
    save("complex.pt", {"spectrum": torch.randn(2, dtype=torch.complex64)})
    save("float8.pt", {"scale": torch.randn(2).to(torch.float8_e5m2)})
    save("uint64.pt", {"count": torch.tensor([1, 2]).to(torch.uint64)})
    save("negated.pt", {"imaginary": torch.randn(2, dtype=torch.complex64).conj().imag})
    save("sparse.pt", {"adjacency": torch.eye(2).to_sparse()})
    save("quantized.pt", {"packed": torch.quantize_per_tensor(torch.randn(2), 0.1, 0, torch.qint8)})
    save("meta.pt", {"absent": torch.empty(2, device="meta")})
    save("arrays.pt", {"weights": numpy.arange(3.0)})
    torch.jit.save(torch.jit.script(nn.Identity()), OUT / "script.pt")


def seeds():
    """Without checksums, so that a changed byte is not all that is found."""
    weight = torch.arange(6.0).view(2, 3)
    state = OrderedDict(weight=weight.T, bias=weight[0])
    nested = {"net": nn.DataParallel(nn.Linear(1, 1)).state_dict()}
    nested["all"] = [1, 2.5, (weight.half(), {3: weight.to(torch.uint16)})]
    torch.serialization.set_crc32_options(False)
    save("zip", state, SEEDS)
    save("nested", nested, SEEDS, pickle_protocol=4)
    save("module", nn.Linear(1, 1), SEEDS)
    save("parameter", {"p": nn.Parameter(weight[:1])}, SEEDS)
    torch.serialization.set_crc32_options(True)
    save("legacy", state, SEEDS, **LEGACY)
    (SEEDS / "python_2").write_bytes((OUT / "python_2.pt").read_bytes())
    save_file({"module.a": weight, "module.b": weight.to(torch.int8)}, SEEDS / "safetensors")


for folder in [OUT, SEEDS]:
    folder.mkdir(parents=True, exist_ok=True)
net = Net()
net(torch.randn(3, 1, 4, 4))
forms(net)
checkpoint(net)
views()
elements()
parameters()
python_2()
refused(net)
seeds()
save_file(expected, OUT / "expected.safetensors")
