"""Painting grids: nearest and bilinear, against others and against clearing the same memory.

OpenCV's INTER_LINEAR rounds weights to 1/2048, so pixels within 1/256 of one half may differ; the
check fails if another one does, and says how many differ.

Paintings go into one output array a mask, except where "new arrays" is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import resample, resample_batch
from maskcodec._reference import bilinear as bilinear_twin
from maskcodec._reference import paint as nearest_twin

from .kernel_case import Builder, KernelCase, Run
from .kernel_inputs import (
    BATCH_BYTES,
    RING_BYTES,
    equal,
    mean_bytes,
    off_boundary,
    ring,
    sizes_of,
    spread,
)
from .mask_sets import MaskSet

Bools = npt.NDArray[np.bool_]

SIDES = (16, 32, 64)
CHECKED = 3


def cells_of(masks: Sequence[Bools], side: int) -> list[Bools]:
    """The masks as grids."""
    return [resample.area_cells(*resample.coverage(mask, (side, side))) for mask in masks]


def nearest_case(given: MaskSet, side: int) -> KernelCase:
    """Each pixel takes the value of its cell."""
    masks = given.masks
    grids, sizes, outs = cells_of(masks, side), sizes_of(masks), ring(masks)

    def twin(index: int) -> Bools:
        edges = [resample.cell_edges(pixels, side) for pixels in sizes[index]]
        return nearest_twin.nearest(grids[index], edges[0], edges[1], sizes[index])

    def check() -> None:
        for index in spread(len(masks), CHECKED):
            equal(resample.paint_nearest(grids[index], sizes[index], outs[index]), twin(index))

    def agree(index: int, answer: Any) -> None:
        clear = np.ix_(*(off_boundary(pixels, side) for pixels in sizes[index]))
        equal(answer[clear], twin(index)[clear])

    return KernelCase(
        lambda i: resample.paint_nearest(grids[i], sizes[i], outs[i]),
        check,
        "paint_nearest",
        {"grids": grids, "sizes": sizes, "outs": outs},
        agree,
        spread(len(masks), CHECKED),
        gates={"memset": 1 / 2.2},
        stretch={"memset": 1 / 1.2},
        bytes_written=mean_bytes(masks),
    )


def new_arrays_case(given: MaskSet) -> KernelCase:
    """Results are kept until the masks come round again, so their memory is new."""
    masks = given.masks
    grids, sizes = cells_of(masks, 32), sizes_of(masks)
    most = min(max(2, RING_BYTES // mean_bytes(masks)), len(masks))
    kept: list[Bools] = []

    def keep(array: Bools) -> None:
        if len(kept) >= most:
            kept.clear()
        kept.append(array)

    def check() -> None:
        for index in spread(len(masks), CHECKED):
            out = np.ones(sizes[index], np.bool_)
            painted = resample.paint_nearest(grids[index], sizes[index])
            equal(painted, resample.paint_nearest(grids[index], sizes[index], out))

    return KernelCase(
        lambda i: keep(resample.paint_nearest(grids[i], sizes[i])),
        check,
        "paint_new",
        {"sizes": sizes, "keep": keep},
        gates={"memset": 1 / 2.2},
        stretch={"memset": 1 / 1.2},
        bytes_written=mean_bytes(masks),
    )


def planes_case(given: MaskSet) -> KernelCase:
    """Four labels of a grid of up to 21, as a semantic segmentation answers."""
    maps = given.label_maps
    sizes = sizes_of(maps)
    cells = [resample.sample_nearest(labels, (32, 32)) for labels in maps]
    wanted = [1, 2, 3, 4]
    shape = max(sizes, key=lambda size: size[0] * size[1])
    pool = [np.ones((4, *shape), np.bool_).reshape(-1) for _ in range(3)]
    outs = [
        pool[index % 3][: 4 * height * width].reshape(4, height, width)
        for index, (height, width) in enumerate(sizes)
    ]

    def check() -> None:
        for index in spread(len(sizes), CHECKED):
            edges = [resample.cell_edges(pixels, 32) for pixels in sizes[index]]
            twin = nearest_twin.nearest(cells[index], edges[0], edges[1], sizes[index])
            painted = resample.paint_labels_nearest(cells[index], wanted, sizes[index], outs[index])
            for label, plane in zip(wanted, painted, strict=True):
                equal(plane, twin == label)

    return KernelCase(
        lambda i: resample.paint_labels_nearest(cells[i], wanted, sizes[i], outs[i]),
        check,
        "paint_planes",
        {"outs": outs},
        gates={"memset": 1 / 2.2},
        stretch={"memset": 1 / 1.2},
        bytes_written=4 * mean_bytes(maps),
    )


def bilinear_case(given: MaskSet, side: int) -> KernelCase:
    """Pixels between cells are interpolated, and set from one half on."""
    masks = given.masks
    grids, sizes, outs = cells_of(masks, side), sizes_of(masks), ring(masks)
    changes = np.mean([np.mean(grid[:, 1:] != grid[:, :-1]) for grid in grids])
    # Runs are what makes it fast. A grid of noise has none, and then beating OpenCV will do.
    gate, stretch = (1.0, 2.0) if changes > 0.25 else (3.0, 6.0)

    def values(index: int) -> Any:
        height, width = sizes[index]
        rows = bilinear_twin.axis_weights(height, side) @ grids[index].astype(np.int64)
        return rows @ bilinear_twin.axis_weights(width, side).T

    def check() -> None:
        for index in spread(len(masks), CHECKED):
            height, width = sizes[index]
            painted = resample.paint_bilinear(grids[index], sizes[index], outs[index])
            equal(painted, values(index) >= 2 * height * width)

    def agree(index: int, answer: Any) -> None:
        height, width = sizes[index]
        share = values(index) / (4 * height * width)
        distance = np.abs(share[answer.astype(np.bool_) != (share >= 0.5)] - 0.5)
        assert distance.max(initial=0) < 1 / 256, f"{len(distance)} pixels differ from ours"

    return KernelCase(
        lambda i: resample.paint_bilinear(grids[i], sizes[i], outs[i]),
        check,
        "paint_bilinear",
        {"grids": grids, "sizes": sizes, "outs": outs},
        agree,
        spread(len(masks), CHECKED),
        gates={"opencv": gate},
        stretch={"opencv": stretch},
        bytes_written=mean_bytes(masks),
    )


def threads_case(given: MaskSet) -> KernelCase:
    """A batch of grids."""
    masks = given.masks[: max(8, BATCH_BYTES // mean_bytes(given.masks))]
    cells, sizes, into = cells_of(masks, 32), sizes_of(masks), ring(masks)

    def run(threads: int) -> Run:
        return lambda _: resample_batch.paint_bilinear_batch(cells, sizes, into, threads=threads)

    def check() -> None:
        run(1)(0)
        expected = [out.copy() for out in into]
        run(2)(0)
        for one, two in zip(expected, into, strict=True):
            equal(one, two)

    return KernelCase(
        run(2),
        check,
        rivals={"1 thread": run(1)},
        gates={"1 thread": 1.4},
        stretch={"1 thread": 1.8},
        bytes_written=mean_bytes(into),
        batch=len(into),
        threaded=True,
    )


CASES: dict[str, Builder] = {
    **{f"paint nearest {side}x{side}": partial(nearest_case, side=side) for side in SIDES},
    "paint nearest 32x32, new arrays": new_arrays_case,
    "paint 4 labels 32x32": planes_case,
    **{f"paint bilinear {side}x{side}": partial(bilinear_case, side=side) for side in SIDES},
    "bilinear, batch on 2 threads": threads_case,
}
