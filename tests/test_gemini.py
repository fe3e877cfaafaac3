"""Gemini's boxes and pictures: the JSON, the PNG, how it is stretched, what models got wrong."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_contract import photo_masks

from maskcodec import DecodeError, Mask, get_codec
from maskcodec.dialects import _gemini_reader
from maskcodec.dialects._png import read_png, write_png
from maskcodec.geometry.raster import Rasters, paint
from maskcodec.resample import paint_bilinear

SIZE = (96, 128)
CODEC = get_codec("gemini")


def png(grey: npt.NDArray[np.uint8], mode: str = "L", **options: Any) -> str:
    data = io.BytesIO()
    Image.fromarray(grey).convert(mode).save(data, "png", **options)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def answer(box: list[int], mask: str, label: str = "dog") -> str:
    return json.dumps([{"box_2d": box, "mask": mask, "label": label}], ensure_ascii=False)


@given(
    st.integers(0, 99), st.integers(1, 40), st.integers(1, 40), st.sampled_from(["grey", "black"])
)
def test_pictures_come_back(seed: int, height: int, width: int, kind: str) -> None:
    grey = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    if kind == "black":
        grey = np.where(grey < 99, 0, 255).astype(np.uint8)
    found = read_png(write_png(grey))
    assert found is not None
    assert np.array_equal(found, grey)
    with Image.open(io.BytesIO(write_png(grey))) as opened:
        assert (opened.mode, opened.format) == ("L", "PNG")


def test_bytes_of_the_format() -> None:
    text = CODEC.encode(photo_masks(), SIZE)
    [*objects] = json.loads(text)
    assert text == json.dumps(objects, ensure_ascii=False)
    assert [list(entry) for entry in objects] == [["box_2d", "mask", "label"]] * 3
    rows, columns = np.nonzero(photo_masks()[1].array)
    expected = [rows.min() / 96, columns.min() / 128, (rows.max() + 1) / 96]
    assert np.allclose(np.array(objects[1]["box_2d"][:3]) / 1000, expected, atol=6e-4)
    head, data = objects[1]["mask"].split(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
        assert opened.size == (256, 256)
    assert CODEC.encode([], SIZE) == "[]"


def stretched(grey: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Bilinear with half-pixel centres and clamped edges, the plain way."""
    places = [
        ((np.arange(pixels) + 0.5) * cells / pixels - 0.5).clip(0, cells - 1)
        for pixels, cells in zip(size, grey.shape, strict=True)
    ]
    values = np.array([np.interp(places[1], range(grey.shape[1]), row) for row in grey])
    columns = [np.interp(places[0], range(grey.shape[0]), column) for column in values.T]
    return np.array(columns).T


@given(st.integers(0, 999), st.integers(1, 12), st.integers(1, 12))
def test_grey_pictures_are_stretched_over_the_box(seed: int, rows: int, columns: int) -> None:
    random = np.random.default_rng(seed)
    grey = random.integers(0, 256, (rows, columns), np.uint8)
    top, bottom = sorted(random.choice(51, 2, replace=False).tolist())
    left, right = sorted(random.choice(71, 2, replace=False).tolist())
    boxes = np.array([[left, top, right, bottom]], np.int32)
    plane = paint(Rasters(("dog",), 1_000, boxes, (grey,)), (1_000, 1_000))[0]
    values = stretched(grey, (bottom - top, right - left))
    sure = abs(values - 127.5) > 1e-6
    inside = plane[top:bottom, left:right]
    assert np.array_equal(inside[sure], (values >= 127.5)[sure])
    assert plane.sum() == inside.sum()


def test_black_and_white_is_painted_as_grids_are() -> None:
    cells = np.random.default_rng(1).random((9, 7)) < 0.5
    text = answer([100, 200, 700, 900], png(cells.astype(np.uint8) * 255))
    plane = CODEC.decode(text, (100, 100)).masks[0].array
    assert np.array_equal(plane, paint_bilinear(cells, (100, 100), box=(20, 10, 90, 70)))


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA", "LA"])
def test_pictures_of_other_kinds_are_read(mode: str) -> None:
    grey = np.array([[0, 255], [255, 255]], np.uint8)
    decoded = CODEC.decode(answer([0, 0, 1000, 1000], png(grey, mode)), SIZE)
    assert np.array_equal(decoded.masks[0].array, paint_bilinear(grey > 0, SIZE))


def test_16_bits_are_read_by_their_upper_half() -> None:
    grey = np.array([[0, 200, 20_000], [32_768, 40_000, 65_535]], np.uint16)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format="PNG")
    found = read_png(file.getvalue())
    assert found is not None
    assert np.array_equal(found, grey >> 8)


GOOD = png(np.full((4, 4), 255, np.uint8))


@pytest.mark.parametrize(
    ("text", "labels", "kinds"),
    [
        (f"```json\n{answer([1, 2, 300, 400], GOOD)}\n```", ("dog",), {"format"}),
        (answer([1, 2, 300, 400], GOOD)[:-1], ("dog",), {"format"}),
        (answer([1, 2, 300, 400], GOOD)[:-70], ("",), {"format", "picture"}),
        (answer([1, 2, 300, 400], "data:image/png;base64,AAAA"), ("dog",), {"picture"}),
        (answer([1, 2, 300, 4000], GOOD), ("dog",), {"range"}),
        (answer([300, 2, 1, 400], GOOD), ("dog",), {"box-order"}),
        ('[{"box_2d": [1, 2, 3], "label": "dog"}]', (), {"format", "box"}),
        ('[{"label": "dog", "box_2d": [1, 2, 30, 40]}]', ("dog",), {"format", "picture"}),
        ('[{"box_2d": [1, 2, 30, 40]}, {"box_2d": [1, 2, 30, 40]}]', ("", ""), None),
        ("I see no dog.", (), {"format"}),
    ],
)
def test_damage(text: str, labels: tuple[str, ...], kinds: set[str] | None) -> None:
    decoded = CODEC.decode(text, SIZE, errors="repair")
    assert decoded.labels == labels
    found = {repair.kind for repair in decoded.repairs}
    assert found == kinds if kinds else found
    with pytest.raises(DecodeError):
        CODEC.decode(text, SIZE)


def test_a_broken_picture_leaves_the_box() -> None:
    text = answer([0, 0, 500, 1000], "data:image/png;base64,AAAA")
    decoded = CODEC.decode(text, SIZE, errors="repair")
    assert decoded.masks[0].array[:48].all()
    assert not decoded.masks[0].array[48:].any()


def test_a_picture_that_would_fill_the_memory_is_not_unpacked() -> None:
    grey = np.zeros((1, 1), np.uint8)
    huge = bytearray(write_png(grey))
    huge[16:24] = (60_000).to_bytes(4, "big") * 2
    huge[29:33] = zlib.crc32(bytes(huge[12:29])).to_bytes(4, "big")
    assert read_png(bytes(huge)) is None


def test_all_maps_of_a_text_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    text = CODEC.encode(photo_masks(), SIZE)
    monkeypatch.setattr(_gemini_reader, "MAX_CELLS", 2 * 256 * 256)
    decoded = CODEC.decode(text, SIZE, errors="repair")
    assert [repair.kind for repair in decoded.repairs] == ["picture"]
    whole = CODEC.decode(text, (96, 128), errors="repair").masks[2]
    assert whole.area >= photo_masks()[2].area


def test_labels_are_json() -> None:
    array = photo_masks()[0].array
    for label in ('say "hi"', "a\\b", "犬 & naïve"):
        text = CODEC.encode([Mask(array, label)], SIZE)
        assert json.loads(text)[0]["label"] == label
        assert CODEC.decode(text, SIZE).labels == (label,)
