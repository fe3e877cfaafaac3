"""Grey PNG pictures: written the same everywhere, and read from whoever wrote them."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

MAGIC = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 2_048
"""Rows and columns of a picture that is read."""


def write_png(grey: Bytes) -> bytes:
    """A picture as a file: uint8 (height, width), 0 black; 8 bits, each row less the one above."""
    height, width = grey.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = grey[0]
    rows[1:, 1:] = grey[1:] - grey[:-1]  # modulo 256
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return MAGIC + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_size(data: bytes) -> tuple[int, int] | None:
    """The (height, width) that a file's head says; None if that is none of a PNG."""
    if len(data) < 33 or not data.startswith(MAGIC) or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return height, width


def read_png(data: bytes) -> Bytes | None:
    """The picture of a file in grey; None if it is none, broken, or larger than `MAX_SIDE`."""
    from PIL import Image

    size = png_size(data)
    if size is None or not (0 < size[0] <= MAX_SIDE and 0 < size[1] <= MAX_SIDE):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
                if opened.mode.startswith("I"):  # 16 bits, which `convert` would cut off at 255
                    return (np.asarray(opened).astype(np.uint16) >> 8).astype(np.uint8)
                return np.array(opened.convert("L"))
    except Exception:  # whatever Pillow makes of bytes that a model printed
        return None
