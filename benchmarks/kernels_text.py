"""Grids as text and back, against plain Python, and a whole answer against clearing its mask.

Every turn goes through as many different texts as there are masks: one text read again and again
teaches the branch predictor, and then a parser seems twice as fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import Codec, Mask, get_codec, resample
from maskcodec._ext import grid_text
from maskcodec._reference import grid_text as text_twin
from maskcodec._reference import grid_write as write_twin
from maskcodec.dialects.text4seg import write_cells
from maskcodec.geometry.grid import Grid

from .kernel_case import Builder, KernelCase
from .kernel_inputs import ring, sizes_of
from .mask_sets import MaskSet

Bools = npt.NDArray[np.bool_]

SIDES = (16, 32, 64)
GATED = 32
"""Sides below have no gate: a call from Python takes longer there than the work."""

CHECKED = 8
LABELS = ("dog", "white horse", "traffic light", "person", "tv")
ROW = 2
TOLERANT = 400e6
"""Bytes a second that a tolerant parser must read."""


@lru_cache(4)
def grids_of(masks: MaskSet, side: int) -> tuple[Codec[Grid], list[Grid]]:
    """A codec, and the masks as its grids."""
    codec = get_codec(f"text4seg:grid={side}")
    grids = [
        codec.analyze([Mask(mask, LABELS[index % len(LABELS)])], mask.shape)
        for index, mask in enumerate(masks.masks)
    ]
    return codec, grids


def write_case(given: MaskSet, side: int) -> KernelCase:
    """From the cells to the rows of an answer."""
    codec, grids = grids_of(given, side)
    names = ["\n".join((*grid.table, "")).encode() for grid in grids]
    checked = range(min(CHECKED, len(grids)))

    def check() -> None:
        for index in checked:
            text = write_cells(grids[index].cells, names[index], ROW)
            assert text == write_twin.write(grids[index].cells, grids[index].table, ROW)
            assert codec.write(grids[index]) == f"<seg>{text}</seg>"

    def agree(index: int, answer: str) -> None:
        assert answer == write_cells(grids[index].cells, names[index], ROW)

    return KernelCase(
        lambda i: write_cells(grids[i].cells, names[i], ROW),
        check,
        "write_grid",
        {"grids": grids},
        agree,
        checked,
        gates={"python": 20} if side >= GATED else {},
        stretch={"python": 35} if side >= GATED else {},
        bytes_read=grids[0].cells.nbytes,
    )


def parse_case(given: MaskSet, side: int) -> KernelCase:
    """From the rows of an answer to the cells and where each label stands."""
    codec, grids = grids_of(given, side)
    texts = [codec.write(grid) for grid in grids]
    encoded = [text.encode() for text in texts]
    read = reader(side)
    checked = range(min(CHECKED, len(grids)))

    def check() -> None:
        for index in checked:
            assert np.array_equal(read(encoded[index]), grids[index].cells)
            parsed, repairs = codec.parse(texts[index])
            assert not repairs
            assert np.array_equal(parsed.cells, grids[index].cells)

    def agree(index: int, answer: tuple[tuple[str, ...], Any]) -> None:
        assert answer[0] == grids[index].table
        assert np.array_equal(answer[1], grids[index].cells)

    # A checkerboard becomes rows of one label, `others *32`, which leave Python little to do.
    is_gated = side >= GATED and any(np.diff(grid.cells, axis=1).any() for grid in grids)
    return KernelCase(
        lambda i: read(encoded[i]),
        check,
        "read_grid",
        {"texts": texts, "side": side},
        agree,
        checked,
        gates={"python": 20} if is_gated else {},
        stretch={"python": 35} if is_gated else {},
        bytes_read=sum(map(len, encoded)) // len(encoded),
        bytes_written=grids[0].cells.nbytes,
    )


def reader(side: int) -> Callable[[bytes], Any]:
    """The kernel on whole answers, into a new array."""
    room = np.empty(9 << 14, np.int32)
    shape, int32 = (side, side), np.dtype(np.int32)

    def read(text: bytes) -> npt.NDArray[np.int32]:
        cells = np.empty(shape, int32)
        grid_text.scan(text, 5, len(text) - 6, True, b"others", side, side, room, cells)
        return cells

    return read


def with_one_fault(texts: Sequence[str]) -> list[str]:
    """Lose a space in the middle of one row of each."""
    damaged = []
    for index, text in enumerate(texts):
        rows = text.split("\n")
        row = index * 7 % (len(rows) - 1)
        rows[row] = rows[row].replace(" *", "*", 1)
        damaged.append("\n".join(rows))
    return damaged


def without_spaces(texts: Sequence[str]) -> list[str]:
    """Every row departs from the grammar."""
    return [t.replace(" *", "*").replace("| ", "|").replace("\n ", "\n") for t in texts]


def loose_case(given: MaskSet, damage: Callable[[Sequence[str]], list[str]]) -> KernelCase:
    """Damaged answers, one after another as one text: the speed in bytes, without calls."""
    codec, grids = grids_of(given, SIDES[-1])
    texts = damage([codec.write(grid) for grid in grids])
    step = min(16, len(texts))
    data = [
        b" ".join(text[5:-6].encode() for text in texts[start : start + step])
        for start in range(0, len(texts) - step + 1, step)
    ]
    count = max(map(len, data)) // 2
    room = np.empty(9 * count, np.int32)
    cells = np.empty((1, 0), np.int32)
    mean = sum(map(len, data)) // len(data)

    def read(index: int) -> tuple[int, ...]:
        text = data[index % len(data)]
        return grid_text.scan(text, 0, len(text), True, b"others", 1, 0, room, cells)

    def check() -> None:
        wanted = text_twin.scan(data[0], 0, len(data[0]), True)
        flags, run_count, line_count, label_count, noted = read(0)
        parts = np.split(room, [2 * count, 5 * count, 7 * count])
        runs, lines, labels, notes = map(np.reshape, parts, ((-1, k) for k in (2, 3, 2, 2)))
        names = [b"others", *(data[0][a:b] for a, b in labels[1:label_count].tolist())]
        assert flags == 0
        assert [(names[k], n) for k, n in runs[:run_count].tolist()] == wanted.runs
        assert [tuple(line) for line in lines[:line_count].tolist()] == wanted.lines
        assert [tuple(note) for note in notes[:noted].tolist()] == wanted.notes

    return KernelCase(
        read,
        check,
        targets={"400 MB/s": mean / TOLERANT},
        gates={"400 MB/s": 1},
        stretch={"400 MB/s": 900 / 400},
        bytes_read=mean,
    )


def decode_case(given: MaskSet) -> KernelCase:
    """A whole answer of 32x32 cells, read by the codec and painted at full size.

    Paintings go into a ring of arrays, as in `kernels_paint`: what the allocator does with new
    ones is neither's merit.
    """
    masks, sizes = given.masks, sizes_of(given.masks)
    codec = get_codec("text4seg:grid=32")
    texts = [codec.encode([Mask(mask, "dog")], mask.shape) for mask in masks]
    outs = [out[None] for out in ring(masks)]
    # Noise takes 8 KB of text, which are read in the time that it takes to clear a small mask.
    is_gated = sum(map(len, texts)) < 2_000 * len(texts)

    def ours(index: int) -> Bools:
        grid = codec.parse(texts[index])[0]
        out = outs[index][: len(grid.labels)]
        return resample.paint_labels_nearest(
            grid.cells, [*range(1, len(grid.table))], sizes[index], out
        )

    def check() -> None:
        for index in range(min(CHECKED, len(masks))):
            decoded = codec.decode(texts[index], sizes[index])
            assert np.array_equal(decoded.pixels, ours(index))
            assert codec.encode(decoded.masks, sizes[index]) == texts[index]

    return KernelCase(
        ours,
        check,
        "read_and_paint",
        {"outs": outs},
        gates={"memset": 1 / 2.2} if is_gated else {},
        stretch={"memset": 1 / 1.3} if is_gated else {},
        bytes_written=sum(mask.nbytes for mask in masks) // len(masks),
    )


CASES: dict[str, Builder] = {
    **{f"grid to text {side}x{side}": partial(write_case, side=side) for side in SIDES},
    **{f"text to grid {side}x{side}": partial(parse_case, side=side) for side in SIDES},
    "tolerant parse, one fault": partial(loose_case, damage=with_one_fault),
    "tolerant parse, no spaces": partial(loose_case, damage=without_spaces),
    "text to mask 32x32": decode_case,
}
