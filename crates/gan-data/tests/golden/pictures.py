"""Records tests/golden/pictures.zip and pictures.json: a folder of pictures such as people have, good and bad.

    pip install pillow==13.0.0 numpy     # and jpegtran, of libjpeg-turbo
    python3 pictures.py

Every picture has a red, a green, a blue and a white quadrant (gray ones four levels), flat round their centres,
so that orientation, colors and the first page or frame can be told after any decoder, resize or centered crop.
In the JSON a picture has

- `take`: whether it is whole. If not, and neither `hidden` nor `other`, it is damaged;
- `hidden`: a file of the operating system, not to be listed at all;
- `other`: not a picture, or of a kind that is not read: listed as not taken, not as damaged;
- `gray`: stored as light alone (no palette has only grays here);
- and if taken `size`, upright, and `quadrants`, the colors at the centres of the top left, top right, bottom
  left and bottom right quadrant: upright, with transparent parts over white, 16-bit values divided by 257.
  `tolerance` is the largest difference per color that a right decoder may show.

Files for which taking and refusing are both right have no place here.
"""

import io
import json
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageCms

COLORS = np.array([[220, 30, 30], [30, 180, 40], [30, 50, 210], [245, 245, 245]], np.uint8)
GRAYS = np.array([40, 110, 180, 245], np.uint8)
BITS = np.array([0, 255, 255, 255], np.uint8)
LAST_ALONE = np.array([0, 0, 0, 1], np.uint8)
BLACK_LAST = COLORS * (1 - LAST_ALONE)[:, None]
SIZE = (48, 36)
ODD = (49, 37)
pictures, contents = [], {}


def drawn(size=SIZE, colors=COLORS, shade=0.35, noise=0):
    """Quadrants, flat in the middle half of each and darker toward their edges; [H, W, 3] or [H, W]."""
    x, y = ((np.arange(side) + 0.5) / side for side in size)
    from_centre = np.maximum(*np.meshgrid(*(np.abs(t * 2 % 1 * 2 - 1) for t in (x, y))))
    dark = 1 - shade * np.clip(from_centre * 2 - 1, 0, 1)
    pixels = colors[(y >= 0.5)[:, None] * 2 + (x >= 0.5)]
    pixels = pixels * (dark[..., None] if pixels.ndim == 3 else dark)
    pixels += np.random.default_rng(0).integers(-noise, noise + 1, pixels.shape)
    return np.clip(pixels.round(), 0, 255).astype(np.uint8)


def rgb(size=SIZE, **options):
    return Image.fromarray(drawn(size, **options))


def gray(size=SIZE):
    return Image.fromarray(drawn(size, colors=GRAYS))


def bits():
    return Image.fromarray(drawn(colors=BITS, shade=0)).convert("1", dither=Image.Dither.NONE)


def palette(colors=COLORS):
    """Four colors, number i in quadrant i."""
    image = Image.fromarray(drawn(colors=np.arange(4, dtype=np.uint8), shade=0)).convert("P")
    image.putpalette(colors.tobytes())
    return image


def cmyk():
    """Half of the black goes into K, so that K matters."""
    inks = 255.0 - drawn()
    k = inks.min(-1, keepdims=True) * 0.5
    inks = np.concatenate([(inks - k) / (255 - k) * 255, k], -1)
    return Image.fromarray(inks.round().astype(np.uint8), "CMYK")


def alpha(last):
    """The opacity [H, W]: `last` in the last quadrant, whole elsewhere."""
    return drawn(colors=255 - (255 - last) * LAST_ALONE, shade=0)


def stored(orientation):
    """As a camera stores the picture that is upright after this EXIF orientation."""
    turn = Image.Transpose
    undo = [None, turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM, turn.TRANSPOSE, turn.ROTATE_90,
            turn.TRANSVERSE, turn.ROTATE_270][orientation - 1]
    return rgb() if undo is None else rgb().transpose(undo)


def magenta():
    """A second page or frame."""
    return Image.new("RGB", SIZE, (200, 0, 200))


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(image=None, **options):
    return saved(image or rgb(), "JPEG", **{"quality": 92, "subsampling": "4:2:0", **options})


def exif(orientation, thumbnail=b"", order="<"):
    """EXIF with an orientation and, in its second directory, a thumbnail."""
    first = struct.pack(order + "HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 26 if thumbnail else 0)
    if thumbnail:
        at = 26 + 2 + 3 * 12 + 4
        first += struct.pack(order + "HHHIHH", 3, 0x103, 3, 1, 6, 0)
        first += struct.pack(order + "HHIIHHIII", 0x201, 4, 1, at, 0x202, 4, 1, len(thumbnail), 0)
    return {"<": b"II*\0\x08\0\0\0", ">": b"MM\0*\0\0\0\x08"}[order] + first + thumbnail


def app1(*args, **options):
    return b"Exif\0\0" + exif(*args, **options)


def segment(data, marker):
    """Start and end of the first segment with this marker."""
    at = 2
    while data[at + 1] != marker:
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return at, at + 2 + struct.unpack_from(">H", data, at + 2)[0]


def with_profile(data):
    """An sRGB profile without its date, over two APP2 segments."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)
    parts = [b"ICC_PROFILE\0\1\2" + profile[:300], b"ICC_PROFILE\0\2\2" + profile[300:]]
    return data[:2] + b"".join(b"\xff\xe2" + struct.pack(">H", len(p) + 2) + p for p in parts) + data[2:]


def ycck():
    """Pillow writes CMYK as it is; here the first three are YCbCr, which the Adobe marker and the ids say."""
    c, m, y, k = np.asarray(cmyk()).astype(np.float32).transpose(2, 0, 1)
    luma = 0.299 * c + 0.587 * m + 0.114 * y
    inks = np.stack([255 - luma, 127 - (y - luma) / 1.772, 127 - (c - luma) / 1.402, k], -1)
    image = Image.fromarray(np.clip(inks.round(), 0, 255).astype(np.uint8), "CMYK")
    data = bytearray(jpeg(image, subsampling="4:4:4"))
    data[segment(data, 0xEE)[1] - 1] = 2
    for marker, first, step in ((0xC0, 10, 3), (0xDA, 5, 2)):
        at = segment(data, marker)[0] + first
        data[at : at + 4 * step : step] = bytes([1, 2, 3, 4])
    return bytes(data)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width, height, depth, color, rows, interlaced=False, extra=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows, 9))
            + chunk(b"IEND", b""))


def png(pixels, interlaced=False, extra=b""):
    """A PNG of [H, W] or [H, W, C] with 8 or 16 bits, with Adam7 if asked."""
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for x, y, dx, dy in passes if interlaced else [(0, 0, 1, 1)]:
        for row in pixels[y::dy, x::dx]:
            rows += b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes()
    height, width, channels = pixels.shape
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    return png_of(width, height, pixels.dtype.itemsize * 8, color, rows, interlaced, extra)


def sixteen(pixels):
    return pixels.astype(np.uint16) * 257


def bmp_1():
    """1 bit with blue and white as its palette, which Pillow only writes as black and white."""
    data = bytearray(saved(bits(), "BMP"))
    data[54:62] = bytes([210, 50, 30, 0, 245, 245, 245, 0])
    return bytes(data)


def add(name, data, note=None, colors=COLORS, last=None, size=SIZE, tolerance=8):
    """A good one; `last` is what the last quadrant shows where that is not in `colors`."""
    quadrants = [[int(v) for v in np.broadcast_to(color, 3)] for color in colors]
    quadrants[3] = quadrants[3] if last is None else [last] * 3
    record(name, data, note, take=True, gray=np.ndim(colors) == 1, size=size, quadrants=quadrants,
           tolerance=tolerance)


def record(name, data, note=None, take=False, hidden=False, other=False, gray=False, **more):
    assert name not in contents, name
    contents[name] = data
    more |= {"note": note} if note else {}
    pictures.append({"name": name, "take": take, "hidden": hidden, "other": other, "gray": gray} | more)


def jpegs():
    for kind in ("baseline", "progressive"):
        options = {"progressive": kind == "progressive"}
        for part in ("4:2:0", "4:2:2", "4:4:4"):
            name = f"2019 Rome/{kind} {part.replace(':', '')}.jpg"
            add(name, jpeg(rgb(ODD), subsampling=part, **options), size=ODD)
        add(f"2019 Rome/{kind} gray.jpg", jpeg(gray(), subsampling="4:4:4", **options), colors=GRAYS)
    note = "2 × 2 as its only component's sampling, which means nothing"
    add("2019 Rome/gray 2x2.jpg", jpeg(gray(ODD)), note, colors=GRAYS, size=ODD)
    turn = ["jpegtran", "-perfect", "-transpose"]
    turned = subprocess.run(turn, input=jpeg(stored(5), subsampling="4:2:2"), capture_output=True, check=True)
    add("2019 Rome/baseline 440.jpg", turned.stdout, "4:4:0: a 4:2:2 turned without loss")
    for orientation in range(1, 9):
        add(f"2021/Day 1/orientation {orientation}.jpg", jpeg(stored(orientation), exif=app1(orientation)))
    add("2021/Day 1/orientation 6 big-endian.jpg", jpeg(stored(6), exif=app1(6, order=">")))
    add("2021/Day 1/orientation 6 thumbnail.jpg", jpeg(stored(6), exif=app1(6, jpeg(magenta()))),
        "the thumbnail in its EXIF is magenta")
    add("cmyk adobe.jpg", jpeg(cmyk(), subsampling="4:4:4"), "inverted, Adobe marker with transform 0", tolerance=12)
    add("ycck.jpg", ycck(), "inverted, Adobe marker with transform 2", tolerance=12)
    add("rgb in jpeg.jpg", jpeg(keep_rgb=True, subsampling="4:4:4"), "RGB components, no YCbCr")
    whole = jpeg()
    at = segment(whole, 0xDB)[0]
    junk = b"\r\nSEFT" + bytes(range(256)) * 4
    add("trailing junk.jpg", whole + junk, "bytes after the end, as Samsung's phones append")
    add("extraneous between headers.jpg", whole[:at] + b"\x12\x34" + whole[at:],
        "two foreign bytes before a marker, of which libjpeg only warns")
    add("fill bytes.jpg", whole[:at] + b"\xff\xff\xff" + whole[at:], "0xff before a marker, which the standard allows")
    add("restart markers rows.jpg", jpeg(restart_marker_rows=1))
    add("restart markers 3 blocks.jpg", jpeg(restart_marker_blocks=3, subsampling="4:4:4"))
    add("icc profile.jpg", with_profile(whole), "sRGB, over two segments")
    for name in ("PORTRAIT.JPG", "STEREO.MPO"):
        data = saved(rgb(), "MPO", save_all=True, append_images=[magenta()], quality=92)
        add(name, data, "MPO; the second picture is magenta")


def pngs():
    black_last = drawn(colors=BLACK_LAST)
    black_last_gray = drawn(colors=GRAYS * (1 - LAST_ALONE))
    add("png rgb.PNG", png(drawn()))
    add("png gray.png", png(drawn(colors=GRAYS)), colors=GRAYS)
    note = "the last quadrant transparent, black under it"
    add("png gray alpha.png", png(np.dstack([black_last_gray, alpha(0)])), note, colors=GRAYS, last=255)
    add("png gray tRNS.png", saved(Image.fromarray(black_last_gray), "PNG", transparency=0),
        "black means transparent", colors=GRAYS, last=255)
    add("png rgb tRNS.png", saved(Image.fromarray(black_last), "PNG", transparency=(0, 0, 0)),
        "black means transparent", last=255)
    add("png rgba.png", png(np.dstack([black_last, alpha(0)])), note, last=255)
    add("png rgba half.png", png(np.dstack([black_last, alpha(128)])),
        "the last quadrant half transparent (128), black under it", last=127)
    add("png palette.png", saved(rgb().quantize(200), "PNG"))
    add("png palette 2 bits.png", saved(palette(), "PNG", bits=2))
    add("png palette tRNS.png", saved(palette(BLACK_LAST), "PNG", transparency=bytes([255, 255, 255, 0])), note,
        last=255)
    add("png 1 bit.png", saved(bits(), "PNG"), colors=BITS)
    add("png 16 bit gray.png", png(sixteen(drawn(colors=GRAYS))), colors=GRAYS)
    add("png 16 bit rgb.png", png(sixteen(drawn())))
    add("png 16 bit rgba.png", png(sixteen(np.dstack([black_last, alpha(0)]))), note, last=255)
    add("png interlaced.png", png(drawn(ODD), interlaced=True), size=ODD)
    add("png interlaced 16 bit.png", png(sixteen(drawn(ODD)), interlaced=True), size=ODD)
    add("png orientation 6.png", png(np.asarray(stored(6)), extra=chunk(b"eXIf", exif(6))), "in an eXIf chunk")
    add("png trailing junk.png", png(drawn()) + b"junk" * 100, "bytes after the end")


def others():
    lossless = {"lossless": True, "exact": True}
    clear = Image.fromarray(np.dstack([drawn(colors=BLACK_LAST), alpha(0)]))
    add("lossy.webp", saved(rgb(), "WEBP", quality=92))
    add("lossless.webp", saved(rgb(), "WEBP", **lossless))
    note = "the last quadrant transparent, black under it"
    add("alpha.webp", saved(clear, "WEBP", **lossless), note, last=255)
    add("alpha lossy.webp", saved(clear, "WEBP", quality=92, exact=True), note, last=255)
    second = {"save_all": True, "append_images": [magenta()]}
    add("animated.webp", saved(rgb(), "WEBP", **lossless, **second), "the second frame is magenta")
    add("orientation 8.webp", saved(stored(8), "WEBP", **lossless, exif=exif(8)))
    add("bmp 24.bmp", saved(rgb(), "BMP"))
    add("bmp 24 odd width.BMP", saved(rgb(ODD), "BMP"), "rows are padded", size=ODD)
    add("bmp 8.bmp", saved(rgb().quantize(200), "BMP"))
    add("bmp 1.bmp", bmp_1(), "blue and white", colors=COLORS[[2, 3, 3, 3]])
    add("still.gif", saved(palette(), "GIF"))
    add("transparent.gif", saved(palette(BLACK_LAST), "GIF", transparency=3), note, last=255)
    add("animated.gif", saved(palette(), "GIF", duration=100, **second), "the second frame is magenta")
    for kind in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        add(f"tiff {kind.removeprefix('tiff_')}.tif", saved(rgb(), "TIFF", compression=kind))
    add("tiff jpeg.TIFF", saved(rgb(), "TIFF", compression="jpeg", quality=92), "JPEG in TIFF")
    add("tiff 16 bit gray.tif", saved(Image.fromarray(sixteen(drawn(colors=GRAYS))), "TIFF"), colors=GRAYS)
    add("tiff cmyk.tif", saved(cmyk(), "TIFF"), tolerance=12)
    add("tiff pages.tif", saved(rgb(), "TIFF", **second), "the second page is magenta")
    add("tiff palette.tif", saved(palette(), "TIFF"))
    add("tiff fax.tif", saved(bits(), "TIFF", compression="group4"), "1 bit, CCITT group 4", colors=BITS)
    add("tiff orientation 6.tif", saved(stored(6), "TIFF", tiffinfo={274: 6}))


def names():
    for name in ("Plage d'été – août 2019.jpg", "日本 旅行/京都 🏯.JPG", "  100% #1 & [best] .jpeg", "jpeg named.png",
                 "no extension", "album.jpg/inside.jpg"):
        add(name, jpeg())
    for name in ("Cafe\u0301, as macOS writes it.png", "png named.jpg", "png no extension"):
        add(name, png(drawn()))
    add("webp named.jpg", saved(rgb(), "WEBP", lossless=True), "as browsers save them")


def bad():
    noisy = rgb(noise=8)
    for name, options in (("scan", {}), ("progressive", {"progressive": True})):
        whole = jpeg(noisy, **options)
        record(f"bad/truncated {name}.jpg", whole[: (segment(whole, 0xDA)[1] + len(whole)) // 2])
    record("bad/truncated last rows.jpg", jpeg(noisy)[:-100])
    whole = jpeg(noisy, exif=app1(1, jpeg(magenta())))
    scan = segment(whole, 0xDA)[1]
    middle = (scan + len(whole)) // 2
    record("bad/truncated scan, thumbnail.jpg", whole[:middle], "the EXIF thumbnail has an end marker of its own")
    record("bad/truncated in exif.jpg", whole[:400], "cut within the thumbnail")
    record("bad/zeros from the middle.jpg", whole[:middle].ljust(len(whole), b"\0"), "as a failed card leaves")
    record("bad/header without scan.jpg", whole[:scan] + b"\xff\xd9", "Pillow shows it as gray")
    record("bad/only SOI.jpg", b"\xff\xd8\xff")
    record("bad/empty.jpg", b"")
    record("bad/text.jpg", b"This is not a picture.\n" * 40)
    record("bad/page.jpg", b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n", "a failed download")
    for kind in ("png", "webp", "gif", "bmp", "tiff"):
        whole = saved(noisy, kind.upper(), lossless=True)
        record(f"bad/truncated.{kind}", whole[: len(whole) // 2])
    flipped = bytearray(png(drawn(noise=8)))
    flipped[len(flipped) // 2] ^= 0x10
    record("bad/flipped bit.png", bytes(flipped), "in its data, so that the CRC disagrees")
    record("bad/zero size.png", png_of(0, 0, 8, 2, b""))
    record("bad/bomb.png", png_of(40_000, 40_000, 8, 0, bytes(1 << 20)), "40,000 × 40,000 in the header, 1 MiB of data")


def not_pictures():
    for name, brand in (("IMG_2201.HEIC", b"heic"), ("stub.avif", b"avif"), ("CLIP0001.MP4", b"isom")):
        box = struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + b"mif1" + brand
        record(name, box + bytes(200), "an ftyp box alone", other=True)
    record("notes.txt", b"Day one: arrived in Rome.\n", other=True)
    record("scan.pdf", b"%PDF-1.4\n" + jpeg() + b"\n%%EOF\n", "with a JPEG inside", other=True)
    mac = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(200)
    record("Thumbs.db", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504), hidden=True)
    record("desktop.ini", b"[.ShellClassInfo]\r\n", hidden=True)
    record(".DS_Store", b"\0\0\0\1Bud1" + bytes(500), hidden=True)
    record("._IMG_0001.JPG", mac, "AppleDouble", hidden=True)
    record("__MACOSX/._x.jpg", mac, "AppleDouble", hidden=True)
    record(".thumbnails/hidden.png", png(np.asarray(magenta())), "a whole picture", hidden=True)


for part in (jpegs, pngs, others, names, bad, not_pictures):
    part()
here = Path(__file__)
with zipfile.ZipFile(here.with_suffix(".zip"), "w") as archive:
    for name in sorted(contents):
        entry = zipfile.ZipInfo(name)  # of 1980, so that the archive is the same each time
        entry.create_system, entry.external_attr = 3, 0o100644 << 16
        archive.writestr(entry, contents[name], zipfile.ZIP_DEFLATED, 9)
lines = ",\n".join("  " + json.dumps(picture, ensure_ascii=False) for picture in pictures)
head = f'{{\n "made_with": "Pillow {PIL.__version__}",\n "pictures": [\n'
here.with_suffix(".json").write_text(f"{head}{lines}\n ]\n}}\n", encoding="utf-8")
