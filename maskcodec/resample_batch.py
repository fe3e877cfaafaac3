"""The functions of `maskcodec.resample` over many images, on several threads.

A batch is a list (images may differ in size) or a stacked array. The kernels release the GIL, so
threads divide the work; `threads=None` means one a core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from . import resample
from ._ext import bilinear, pool
from .blocks import FAR_BYTES, Before
from .errors import MaskCodecError
from .resample import Bools, Box, Ints, Label, Size
from .threads import map_pieces, map_threads

Result = TypeVar("Result")

# A batch goes through a kernel in pieces of so many images; the GIL is free meanwhile.
_ITEMS_PER_CALL = 16


def coverage_batch(
    masks: Sequence[Bools] | Bools,
    grids: Size | Sequence[Size],
    boxes: Sequence[Box | None] | None = None,
    *,
    threads: int | None = None,
) -> list[tuple[Ints, Ints]]:
    """`resample.coverage` of each mask: a list of (covered, total).

    Args:
        masks: bool, (height, width) each, or stacked (masks, height, width).
        grids: (rows, columns) of each, or of all.
        boxes: the box of each, or None where the grid covers the whole image.
        threads: how many to use.

    Raises:
        MaskCodecError: lengths that differ, or what `resample.coverage` raises.
    """
    count = len(masks)
    items = list(
        zip(masks, _each("grids", grids, count), _listed("boxes", boxes, count), strict=True)
    )

    def run(part: slice) -> list[tuple[Ints, Ints]]:
        jobs = [resample.coverage_job(*item) for item in items[part]]
        pool.coverage(jobs)
        return [
            resample.pooled(job, grid, box)
            for job, (_, grid, box) in zip(jobs, items[part], strict=True)
        ]

    return _in_pieces(run, count, threads)


def paint_nearest_batch(
    cells: Sequence[npt.NDArray[Label]] | npt.NDArray[Label],
    sizes: Size | Sequence[Size],
    outs: Sequence[npt.NDArray[Label]] | npt.NDArray[Label] | None = None,
    boxes: Sequence[Box | None] | None = None,
    *,
    threads: int | None = None,
) -> list[npt.NDArray[Label]]:
    """`resample.paint_nearest` of each grid: a list of arrays of (height, width).

    Args:
        cells: bool, uint8, uint16 or int32, (rows, columns) each, or stacked.
        sizes: (height, width) of each image, or of all.
        outs: where to paint each, as a list or stacked; without it new arrays are made.
        boxes: the box of each, or None where the grid covers the whole image.
        threads: how many to use.

    Raises:
        MaskCodecError: lengths that differ, or what `resample.paint_nearest` raises.
    """
    items = _items(cells, sizes, outs, boxes)
    return map_threads(resample.paint_nearest, *zip(*items, strict=True), threads=threads)


def paint_bilinear_batch(
    cells: Sequence[Bools] | Bools,
    sizes: Size | Sequence[Size],
    outs: Sequence[Bools] | Bools | None = None,
    boxes: Sequence[Box | None] | None = None,
    *,
    threads: int | None = None,
) -> list[Bools]:
    """`resample.paint_bilinear` of each grid; arguments as for `paint_nearest_batch`."""
    items = _items(cells, sizes, outs, boxes)
    whole = 0 if outs is None else sum(getattr(out, "nbytes", 0) for out in outs)
    before = Before.FAR if whole >= FAR_BYTES else Before.DIRTY

    def run(part: slice) -> list[Bools]:
        jobs = [resample.bilinear_job(*item, before=before) for item in items[part]]
        bilinear.bilinear(jobs)
        return [job[9] for job in jobs]

    return _in_pieces(run, len(items), threads)


def _in_pieces(
    run: Callable[[slice], list[Result]], count: int, threads: int | None
) -> list[Result]:
    parts = map_pieces(run, count, _ITEMS_PER_CALL, threads=threads)
    return [result for part in parts for result in part]


def _items(
    cells: Sequence[npt.NDArray[Label]] | npt.NDArray[Label],
    sizes: Size | Sequence[Size],
    outs: Sequence[npt.NDArray[Label]] | npt.NDArray[Label] | None,
    boxes: Sequence[Box | None] | None,
) -> list[tuple[Any, ...]]:
    """The arguments of each painting."""
    count = len(cells)
    columns = _each("sizes", sizes, count), _listed("outs", outs, count)
    return list(zip(cells, *columns, _listed("boxes", boxes, count), strict=True))


def _each(name: str, pairs: Size | Sequence[Size], count: int) -> Sequence[Any] | npt.NDArray[Any]:
    """One pair an item, also where one is given for all."""
    single = len(pairs) == 2 and not isinstance(pairs[0], Sequence | np.ndarray)
    return [pairs] * count if single else _listed(name, pairs, count)


def _listed(
    name: str, items: Sequence[Any] | npt.NDArray[Any] | None, count: int
) -> Sequence[Any] | npt.NDArray[Any]:
    if items is None:
        return [None] * count
    if len(items) != count:
        raise MaskCodecError(f"{len(items)} {name} for a batch of {count}: expected one each")
    return items
