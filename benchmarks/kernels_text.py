"""Grids as text and back, against plain Python, and a whole answer against clearing its mask.

The peers are what one writes without a kernel: `itertools.groupby` and `str.join` one way, one
compiled regular expression a run, a dictionary of labels and `numpy.repeat` the other way, with the
same checks. Every turn goes through as many different texts as there are masks: one text read
again and again teaches the branch predictor, and then a parser seems twice as fast.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import Codec, Mask, get_codec, resample
from maskcodec._ext import grid_text
from maskcodec._reference import grid_text as text_twin
from maskcodec._reference import grid_write as write_twin
from maskcodec.dialects.text4seg import write_cells
from maskcodec.geometry.grid import Grid

from .kernel_case import KernelCase
from .kernels_paint import ring

Bools = npt.NDArray[np.bool_]

SIDES = (16, 32, 64)
GATED = 32
"""Sides below have no gate: a call from Python takes longer there than the work."""

CHECKED = 8
LABELS = ("dog", "white horse", "traffic light", "person", "tv")
ROW = 2

_RUN = re.compile(r"([^*|\n]+) \*([1-9][0-9]*)")


def cases(
    masks: Sequence[Bools], label_maps: Sequence[npt.NDArray[np.uint8]]
) -> Iterator[KernelCase]:
    """Every text kernel, on the grids of one set of masks."""
    for side in SIDES:
        codec = get_codec(f"text4seg:grid={side}")
        grids = [
            codec.analyze([Mask(mask, LABELS[index % len(LABELS)])], mask.shape)
            for index, mask in enumerate(masks)
        ]
        yield write_case(codec, grids, side)
        yield parse_case(codec, grids, side)
    texts = [codec.write(grid) for grid in grids]
    yield loose_case("one fault", [with_one_fault(text, k) for k, text in enumerate(texts)])
    yield loose_case("no spaces", [without_spaces(text) for text in texts])
    yield decode_case(masks)


def write_case(codec: Codec[Grid], grids: Sequence[Grid], side: int) -> KernelCase:
    names = ["\n".join((*grid.table, "")).encode() for grid in grids]

    def check() -> None:
        for grid, blob in zip(grids[:CHECKED], names, strict=False):
            text = write_cells(grid.cells, blob, ROW)
            assert text == python_write(grid)
            assert text == write_twin.write(grid.cells, grid.table, ROW)
            assert codec.write(grid) == f"<seg>{text}</seg>"

    return KernelCase(
        f"grid to text {side}x{side}",
        lambda i: write_cells(grids[i].cells, names[i], ROW),
        {"python": lambda i: python_write(grids[i])},
        check,
        {"python": 20} if side >= GATED else {},
        {"python": 35} if side >= GATED else {},
        bytes_read=grids[0].cells.nbytes,
    )


def python_write(grid: Grid) -> str:
    return (
        "\n ".join(
            "| ".join(f"{grid.table[cell]} *{len(list(run))}" for cell, run in groupby(row))
            for row in grid.cells.tolist()
        )
        + "\n"
    )


def parse_case(codec: Codec[Grid], grids: Sequence[Grid], side: int) -> KernelCase:
    """From the rows of an answer to the cells and where each label stands."""
    texts = [codec.write(grid) for grid in grids]
    read = reader(side)

    def check() -> None:
        for grid, text in zip(grids[:CHECKED], texts, strict=False):
            cells = read(text.encode())
            assert np.array_equal(cells, grid.cells)
            table, theirs = python_parse(text, side)
            assert table == grid.table
            assert np.array_equal(theirs, grid.cells)
            parsed, repairs = codec.parse(text)
            assert not repairs
            assert np.array_equal(parsed.cells, grid.cells)

    encoded = [text.encode() for text in texts]
    # A checkerboard becomes rows of one label, `others *32`, which leave Python little to do.
    is_gated = side >= GATED and any(np.diff(grid.cells, axis=1).any() for grid in grids)
    return KernelCase(
        f"text to grid {side}x{side}",
        lambda i: read(encoded[i]),
        {"python": lambda i: python_parse(texts[i], side)},
        check,
        {"python": 20} if is_gated else {},
        {"python": 35} if is_gated else {},
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


def python_parse(text: str, side: int) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    if not (text.startswith("<seg>") and text.endswith("\n</seg>")):
        raise ValueError("tags")
    numbers = {"others": 0}
    labels, counts = [], []
    for line in text[5:-7].split("\n "):
        total = 0
        for run in line.split("| "):
            found = _RUN.fullmatch(run)
            if not found:
                raise ValueError(run)
            labels.append(numbers.setdefault(found[1], len(numbers)))
            counts.append(int(found[2]))
            total += counts[-1]
        if total != side:
            raise ValueError(line)
    return (*numbers,), np.repeat(np.array(labels, np.int32), counts).reshape(side, side)


def with_one_fault(text: str, index: int) -> str:
    """Lose a space in the middle of one row."""
    rows = text.split("\n")
    row = index * 7 % (len(rows) - 1)
    rows[row] = rows[row].replace(" *", "*", 1)
    return "\n".join(rows)


def without_spaces(text: str) -> str:
    """Every row departs from the grammar."""
    return text.replace(" *", "*").replace("| ", "|").replace("\n ", "\n")


def loose_case(name: str, texts: Sequence[str]) -> KernelCase:
    """Damaged answers, one after another as one text: the speed in bytes, without calls.

    The peer is a clock, which lets 400 MB a second pass.
    """
    data = [
        b" ".join(texts[k][5:-6].encode() for k in range(start, start + 16))
        for start in range(0, len(texts) - 15, 16)
    ]
    count = max(map(len, data)) // 2
    room = np.empty(9 * count, np.int32)
    cells = np.empty((1, 0), np.int32)

    def read(index: int) -> tuple[int, ...]:
        text = data[index % len(data)]
        return grid_text.scan(text, 0, len(text), True, b"others", 1, 0, room, cells)

    def clock(index: int) -> None:
        end = time.perf_counter() + len(data[index % len(data)]) / 400e6
        while time.perf_counter() < end:
            pass

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
        f"tolerant parse, {name}",
        read,
        {"400 MB/s": clock},
        check,
        {"400 MB/s": 1},
        {"400 MB/s": 900 / 400},
        bytes_read=sum(map(len, data)) // len(data),
    )


def decode_case(masks: Sequence[Bools]) -> KernelCase:
    """A whole answer of 32x32 cells, read by the codec and painted at full size.

    Paintings go into a ring of arrays, as in `kernels_paint`: what the allocator does with new
    ones is neither's merit.
    """
    codec = get_codec("text4seg:grid=32")
    sizes = [mask.shape for mask in masks]
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
        "text to mask 32x32",
        ours,
        {"memset": lambda i: outs[i].fill(False)},
        check,
        {"memset": 1 / 2.2} if is_gated else {},
        {"memset": 1 / 1.3} if is_gated else {},
        bytes_written=sum(mask.nbytes for mask in masks) // len(masks),
    )
