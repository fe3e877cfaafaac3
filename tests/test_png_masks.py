"""Mask images, label maps and names files."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reading import CAT, DOG, SIZE, error, labels, only, read, same, save

from maskcodec import Mask, RecordError
from maskcodec.datasets.images import read_png
from maskcodec.datasets.names import read_names
from maskcodec.datasets.sample import ReadOptions, Sample
from maskcodec.datasets.writers import Numbering, OneFile


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "P", "RGB", "RGBA", "LA", "ones"])
def test_a_binary_mask_of_any_mode(tmp_path: Path, mode: str) -> None:
    values = DOG.astype(np.uint8) * np.uint8(255)
    path = tmp_path / "dog.png"
    if mode == "ones":
        save(path, DOG.astype(np.uint8))
    elif mode == "I;16":
        save(path, values.astype(np.uint16) * np.uint16(257))
    elif mode == "P":
        image = Image.fromarray(DOG.astype(np.uint8) * np.uint8(7))
        image.putpalette(bytes(range(256)) * 3)
        image.save(path)
    else:
        save(path, values, mode)
    sample = only(path)
    assert (sample.id, sample.image, sample.size, labels(sample)) == (
        "dog", "dog.png", SIZE, ["dog"],
    )  # fmt: skip
    assert same(sample.masks[0], DOG)


def test_the_label_of_a_binary_mask(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", DOG)
    assert labels(only(path, options=ReadOptions(label="white horse"))) == ["white horse"]
    empty = only(save(tmp_path / "y.png", np.zeros(SIZE, np.uint8)))
    assert [mask.area for mask in empty.masks] == [0]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def grey_png(values: npt.NDArray[np.uint8], depth: int) -> bytes:
    """A grey PNG of 2 or 4 bits a pixel, which Pillow reads but does not write."""
    height, width = values.shape
    bits = np.unpackbits(values[..., None], axis=2)[..., 8 - depth :].reshape(height, -1)
    rows = b"".join(b"\x00" + np.packbits(row).tobytes() for row in bits)
    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("depth", [2, 4])
def test_few_bits_a_pixel_are_values_not_greys(tmp_path: Path, depth: int) -> None:
    values = np.arange(35, dtype=np.uint8).reshape(5, 7) % 2**depth
    path = tmp_path / "few.png"
    path.write_bytes(grey_png(values.astype(np.uint8), depth))
    assert np.array_equal(read_png(path), values)


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_16_bits_a_channel_are_refused_in_colour(
    tmp_path: Path, colour: int, channels: int
) -> None:
    """Pillow keeps the upper half of each number alone: a mask of 0 and 1 would be empty."""
    rows = b"\x00" + bytes(range(2 * 5 * channels))
    head = struct.pack(">IIBBBBB", 5, 1, 16, colour, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path = tmp_path / "deep.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    with pytest.raises(RecordError, match="16 bits in colour or with alpha: save it as one"):
        read_png(path)


def label_map() -> npt.NDArray[np.uint8]:
    values = np.zeros(SIZE, np.uint8)
    values[DOG] = 1
    values[CAT] = 2
    values[:, 58:] = 255
    return values


@pytest.mark.parametrize("kind", ["P", "L", "I;16", "npy"])
def test_label_maps(tmp_path: Path, kind: str) -> None:
    (tmp_path / "names.txt").write_text("dog\nwhite cat\n\n")
    options = ReadOptions(names=read_names(tmp_path / "names.txt"))
    values = label_map()
    path = tmp_path / ("map.npy" if kind == "npy" else "map.png")
    if kind == "npy":
        np.save(path, values.astype(np.int64))
    elif kind == "I;16":
        save(path, values.astype(np.uint16))
    else:
        image = Image.fromarray(values)
        if kind == "P":
            image.putpalette(bytes(range(256)) * 3)
        image.save(path)
    sample = only(path, options=options)
    assert labels(sample) == ["dog", "white cat"]
    assert same(sample.masks[0], DOG)
    assert same(sample.masks[1], CAT)
    objects = read(path, options=replace(options, per="object"))
    assert [s.id for s in objects if isinstance(s, Sample)] == ["map#1", "map#2"]


def test_names_may_name_0_and_255(tmp_path: Path) -> None:
    path = save(tmp_path / "map.png", label_map())
    names = {0: "ground", 1: "dog", 2: "cat", 255: "edge"}
    assert labels(only(path, options=ReadOptions(names=names))) == ["ground", "dog", "cat", "edge"]


def test_label_maps_with_unknown_values(tmp_path: Path) -> None:
    path = save(tmp_path / "map.png", label_map())
    assert error(path, options=ReadOptions(names={1: "dog"})) == (
        f"{path}: holds 2, which the names file does not name; it names 1"
    )
    assert "holds 4 values (0, 1, 2, 255), expected 0 and one other; give --names" in error(path)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("n.txt", "dog\r\ncat\r\n", {1: "dog", 2: "cat"}),
        ("n.txt", "\ufeffdog\n", {1: "dog"}),
        ("n.json", '{"1": "dog", "17": "cat"}', {1: "dog", 17: "cat"}),
        ("n.json", '["dog", "cat"]', {1: "dog", 2: "cat"}),
        ("n.json", '{"categories": [{"id": 18, "name": "dog"}]}', {18: "dog"}),
        ("n.txt", "", "is empty"),
        ("n.txt", "dog\n\ncat\n", ":2: is blank"),
        ("n.txt", "background\ndog\n", "remove the line, or say the numbers in JSON"),
        ("n.json", "{}", "is an empty object, expected names like"),
        ("n.json", '{"1": "dog", "01": "cat"}', "'01' names 1 once more, after 'dog'"),
        ("n.json", '{"1": "dog", "2": "cat", "1": "ox"}', "has the key '1' twice"),
        ("n.json", '{"one": "dog"}', "'one' is no value of a label map"),
        ("n.json", '{"-1": "dog"}', "'-1' is no value of a label map"),
        ("n.json", '{"1": 5}', "field '1': is 5, expected a string"),
        ("n.json", "7", "is 7, expected names like"),
        ("n.json", '{"categories": [{"name": "dog"}]}', r"'categories\[0\].id': is missing"),
    ],
)
def test_names_files(tmp_path: Path, name: str, content: str, expected: Any) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode())
    if isinstance(expected, str):
        with pytest.raises(RecordError, match=expected):
            read_names(path)
    else:
        assert read_names(path) == expected


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(RecordError, match="is not UTF-8"):
        read_names(tmp_path / "n.txt")


def png_bytes() -> bytes:
    stream = io.BytesIO()
    Image.fromarray((DOG * 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, expected a PNG"),
        (b"\xff\xd8\xff\xe0jfif", "is a JPEG, expected a PNG"),
        (b"hello", r"is a file that starts b'hello', expected a PNG"),
        (b"\x89PNG\r\n\x1a\n\x00", "its header is cut off"),
        (bomb(60_000, 30_000), "more than PIL's limit of"),
        (bomb(100_000, 1), "each side must be 1 to 65,536"),
        (bomb(0, 5), "each side must be 1 to 65,536"),
        (bomb(8, 8), "is a damaged PNG"),
        (png_bytes().replace(b"IDAT", b"IDAx"), "is a damaged PNG"),
    ],
)
def test_damaged_pngs(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    assert message in error(path)
    assert error(path).startswith(str(path))


@given(st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_any_damage_to_a_png_is_an_error_or_leaves_the_mask(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: bool
) -> None:
    data = bytearray(png_bytes())
    place %= len(data)
    if cut:
        del data[place:]
    else:
        data[place] = value
    path = tmp_path_factory.mktemp("png") / "x.png"
    path.write_bytes(data)
    try:
        values = read_png(path)
    except RecordError:
        return
    assert np.array_equal(values > 0, DOG)


@pytest.mark.parametrize("values", ["colour", "alpha", "grey"])
def test_pngs_that_are_no_masks(tmp_path: Path, values: str) -> None:
    path = tmp_path / "x.png"
    if values == "colour":
        save(path, np.dstack([label_map(), label_map() * 2, label_map()]))
        assert "is coloured: save it as a palette PNG" in error(path)
    elif values == "alpha":
        grey = (DOG * 255).astype(np.uint8)
        save(path, np.dstack([grey, grey, grey, grey]))
        assert "has a transparent part" in error(path)
    else:
        save(path, np.arange(256, dtype=np.uint8).reshape(16, 16))
        assert "holds 256 values (0, 1, 2, 3, 4, ...), expected 0 and one other" in error(path)


def test_new_labels_get_the_next_numbers() -> None:
    numbering = Numbering({3: "cat", 254: "dog", 7: "cat"}, skip=(0, 255))
    found = [numbering.number(label) for label in ("cat", "dog", "a", "b", "a")]
    assert found == [3, 254, 256, 257, 256]
    assert numbering.unnamed == ["a", "b"]


def test_one_label_map_never_gives_out_255(tmp_path: Path) -> None:
    sample = Sample("m", "m.png", (4, 4), (Mask(np.ones((4, 4), np.bool_), "cat"),))
    OneFile(tmp_path / "m.png", "labels", {254: "dog"}).add(sample)
    with Image.open(tmp_path / "m.png") as image:
        assert set(np.unique(np.asarray(image)).tolist()) == {256}
