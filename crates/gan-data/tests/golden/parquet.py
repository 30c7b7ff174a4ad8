"""Writes tests/golden/parquet/: image data sets as Hugging Face datasets and pyarrow store them.

    pip install datasets==5.2.0 pyarrow==26.0.1 pillow==13.0.0
    python parquet.py

Every picture is 12x10 of one color, (row, 255 - row, file number), so that it says which row it is.
"""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, Features, Image, Value
from PIL import Image as Picture

OUT = Path(__file__).with_suffix("")
CLASSES = ["disc", "square", "star"]
TRAIN, TEST, PLAIN = range(3)


def picture(row, file, kind="PNG"):
    """A picture file that says its row."""
    bytes = io.BytesIO()
    Picture.new("RGB", (12, 10), (row, 255 - row, file)).save(bytes, kind, quality=95)
    return bytes.getvalue()


def shapes(name, images, labels, batch_size):
    """What `push_to_hub` makes: struct<bytes, path>, class names in the metadata, snappy."""
    features = Features({"id": Value("string"), "image": Image(), "label": ClassLabel(names=CLASSES)})
    ids = [f"{name}/{row}" for row in range(len(images))]
    columns = {"id": ids, "image": images, "label": labels}
    (OUT / "shapes").mkdir(parents=True, exist_ok=True)
    path = OUT / "shapes" / f"{name}-00000-of-00001.parquet"
    Dataset.from_dict(columns, features).to_parquet(path, batch_size=batch_size)


# Row groups of 16, 16 and 8.
images = [{"bytes": picture(row, TRAIN), "path": f"{row}.png"} for row in range(40)]
shapes("train", images, [row % 3 for row in range(40)], 16)

# Row 1 has no picture, row 2 only the path of one; rows 3 and 4 have no label.
images = [{"bytes": picture(row, TEST), "path": None} for row in range(6)]
images[1] = None
images[2] = {"bytes": None, "path": "lost.png"}
shapes("test", images, [0, 1, 2, -1, None, 2], 4)


def plain(name, rows, **options):
    """A binary column without any metadata: label 0 for rows 0 to 7, 1 for 8 to 15 and so on."""
    table = pa.table({
        "caption": [f"number {row}" for row in range(rows)],
        "img": pa.array([picture(row, PLAIN, "JPEG") for row in range(rows)], pa.binary()),
        "label": pa.array([row // 8 for row in range(rows)], pa.int32()),
    })
    pq.write_table(table, OUT / f"{name}.parquet", **options)


# Pages of 4 rows, two row groups.
plain(
    "plain", 40, row_group_size=24, compression="zstd", data_page_version="2.0",
    use_dictionary=False, data_page_size=1, write_batch_size=4,
)
plain("snappy", 3, compression="snappy")
plain("gzip", 3, compression="gzip")
plain("brotli", 3, compression="brotli")
