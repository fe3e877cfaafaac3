"""Painting grids: nearest and bilinear, against OpenCV and against clearing the same memory.

OpenCV gets its fastest way: uint8 images, a destination to write into, one thread. Its INTER_LINEAR
rounds weights to 1/2048, so pixels within 1/256 of one half may differ; the check fails if another
one does, and says how many differ.

Paintings go into a ring of output arrays larger than the caches, except where "new arrays" is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from maskcodec import resample, resample_batch
from maskcodec._reference import bilinear as bilinear_twin
from maskcodec._reference import paint as nearest_twin

from .kernel_case import KernelCase

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

SIDES = (16, 32, 64)
RING_BYTES = 1 << 28
BATCH_BYTES = 1 << 24
CHECKED = 3
"""Masks of a set that are compared before anything is timed; the twins are slow."""


def cases(masks: Sequence[Bools], label_maps: Sequence[Bytes]) -> Iterator[KernelCase]:
    """Every painting kernel, on grids made from one set of masks."""
    grids = {side: [cells_of(mask, side) for mask in masks] for side in SIDES}
    outs = ring(masks)
    for side in SIDES:
        yield nearest_case(masks, grids[side], outs)
    yield new_arrays_case(masks, grids[32])
    yield planes_case(label_maps)
    for side in SIDES:
        yield bilinear_case(masks, grids[side], outs)
    yield threads_case(masks, grids[32], outs)


def cells_of(mask: Bools, side: int) -> Bools:
    return resample.area_cells(*resample.coverage(mask, (side, side)))


def ring(masks: Sequence[Bools]) -> list[Bools]:
    """An output array a mask; large ones are used in turn, so that they fit in memory."""
    arrays: list[Bools] = []
    largest = max(mask.size for mask in masks)
    count = max(2, min(len(masks), RING_BYTES // largest))
    for index, mask in enumerate(masks):
        reuse = index >= count and arrays[index - count].shape == mask.shape
        arrays.append(arrays[index - count] if reuse else np.ones(mask.shape, np.bool_))
    return arrays


def off_boundary(targets: int, sources: int) -> npt.NDArray[np.intp]:
    """The targets whose centres lie on no boundary of sources; on one, OpenCV rounds."""
    return np.flatnonzero((2 * np.arange(targets) + 1) * sources % (2 * targets))


def mean_bytes(masks: Sequence[npt.NDArray[Any]]) -> int:
    return sum(mask.nbytes for mask in masks) // len(masks)


def checked(count: int) -> range:
    return range(0, count, max(1, count // CHECKED))


def batch_of(masks: Sequence[Bools]) -> list[int]:
    """As many masks as fill the time of some dispatches, and no more than there are."""
    return list(range(min(len(masks), max(8, BATCH_BYTES // mean_bytes(masks)))))


def nearest_case(
    masks: Sequence[Bools], grids: Sequence[Bools], outs: Sequence[Bools]
) -> KernelCase:
    side = len(grids[0])
    sizes = [mask.shape for mask in masks]
    images = [grid.view(np.uint8) for grid in grids]
    views = [out.view(np.uint8) for out in outs]
    exact = cv2.INTER_NEAREST_EXACT

    def opencv(index: int) -> Any:
        return cv2.resize(images[index], sizes[index][::-1], dst=views[index], interpolation=exact)

    def check() -> None:
        for index in checked(len(masks)):
            edges = [resample.cell_edges(pixels, side) for pixels in sizes[index]]
            expected = nearest_twin.nearest(grids[index], edges[0], edges[1], sizes[index])
            painted = resample.paint_nearest(grids[index], sizes[index], outs[index])
            np.testing.assert_array_equal(painted, expected)
            clear = np.ix_(*(off_boundary(pixels, side) for pixels in sizes[index]))
            np.testing.assert_array_equal(opencv(index)[clear], expected[clear])

    return KernelCase(
        f"paint nearest {side}x{side}",
        lambda i: resample.paint_nearest(grids[i], sizes[i], outs[i]),
        {"memset": lambda i: outs[i].fill(False), "opencv": opencv},
        check,
        {"memset": 1 / 2.2},
        {"memset": 1 / 1.2},
        bytes_written=mean_bytes(masks),
    )


def new_arrays_case(masks: Sequence[Bools], grids: Sequence[Bools]) -> KernelCase:
    """Results are kept until the masks come round again, so their memory is new."""
    sizes = [mask.shape for mask in masks]
    most = max(2, RING_BYTES // mean_bytes(masks))
    kept: list[Bools] = []

    def keep(array: Bools) -> None:
        if len(kept) >= min(most, len(masks)):
            kept.clear()
        kept.append(array)

    def memset(index: int) -> None:
        array = np.empty(sizes[index], np.bool_)
        array.fill(False)
        keep(array)

    def check() -> None:
        for index in checked(len(masks)):
            out = np.ones(sizes[index], np.bool_)
            np.testing.assert_array_equal(
                resample.paint_nearest(grids[index], sizes[index]),
                resample.paint_nearest(grids[index], sizes[index], out),
            )

    return KernelCase(
        "paint nearest 32x32, new arrays",
        lambda i: keep(resample.paint_nearest(grids[i], sizes[i])),
        {"memset": memset},
        check,
        {"memset": 1 / 2.2},
        {"memset": 1 / 1.2},
        bytes_written=mean_bytes(masks),
    )


def planes_case(label_maps: Sequence[Bytes]) -> KernelCase:
    """Four labels of a grid of up to 21, as a semantic segmentation answers."""
    sizes = [labels.shape for labels in label_maps]
    cells = [resample.sample_nearest(labels, (32, 32)) for labels in label_maps]
    wanted = [1, 2, 3, 4]
    shape = max(sizes, key=lambda size: size[0] * size[1])
    pool = [np.ones((4, *shape), np.bool_).reshape(-1) for _ in range(3)]
    outs = [
        pool[index % 3][: 4 * height * width].reshape(4, height, width)
        for index, (height, width) in enumerate(sizes)
    ]

    def check() -> None:
        for index in checked(len(sizes)):
            edges = [resample.cell_edges(pixels, 32) for pixels in sizes[index]]
            twin = nearest_twin.nearest(cells[index], edges[0], edges[1], sizes[index])
            painted = resample.paint_labels_nearest(cells[index], wanted, sizes[index], outs[index])
            for label, plane in zip(wanted, painted, strict=True):
                np.testing.assert_array_equal(plane, twin == label)

    return KernelCase(
        "paint 4 labels 32x32",
        lambda i: resample.paint_labels_nearest(cells[i], wanted, sizes[i], outs[i]),
        {"memset": lambda i: outs[i].fill(False)},
        check,
        {"memset": 1 / 2.2},
        {"memset": 1 / 1.2},
        bytes_written=4 * mean_bytes(label_maps),
    )


def bilinear_case(
    masks: Sequence[Bools], grids: Sequence[Bools], outs: Sequence[Bools]
) -> KernelCase:
    side = len(grids[0])
    sizes = [mask.shape for mask in masks]
    images = [grid.view(np.uint8) * np.uint8(255) for grid in grids]
    views = [out.view(np.uint8) for out in outs]
    scaled = {size: np.empty(size, np.uint8) for size in sizes}
    changes = np.mean([np.mean(grid[:, 1:] != grid[:, :-1]) for grid in grids])
    # Runs are what makes it fast. A grid of noise has none, and then beating OpenCV will do.
    gate, stretch = (1.0, 2.0) if changes > 0.25 else (3.0, 6.0)

    def opencv(index: int) -> Any:
        size, to = sizes[index], scaled[sizes[index]]
        cv2.resize(images[index], size[::-1], dst=to, interpolation=cv2.INTER_LINEAR)
        return cv2.threshold(to, 127, 1, cv2.THRESH_BINARY, dst=views[index])[1]

    def check() -> None:
        for index in checked(len(masks)):
            grid, (height, width) = grids[index], sizes[index]
            value = bilinear_twin.axis_weights(height, side) @ grid.astype(np.int64)
            value = value @ bilinear_twin.axis_weights(width, side).T
            painted = resample.paint_bilinear(grid, sizes[index], outs[index]).copy()
            np.testing.assert_array_equal(painted, value >= 2 * height * width)
            other = opencv(index).astype(np.bool_)
            distance = np.abs(value[painted != other] / (4 * height * width) - 0.5)
            assert distance.max(initial=0) < 1 / 256, f"{len(distance)} pixels differ from OpenCV's"

    return KernelCase(
        f"paint bilinear {side}x{side}",
        lambda i: resample.paint_bilinear(grids[i], sizes[i], outs[i]),
        {"opencv": opencv, "memset": lambda i: outs[i].fill(False)},
        check,
        {"opencv": gate},
        {"opencv": stretch},
        bytes_written=mean_bytes(masks),
    )


def threads_case(
    masks: Sequence[Bools], grids: Sequence[Bools], outs: Sequence[Bools]
) -> KernelCase:
    batch = batch_of(masks)
    cells = [grids[index] for index in batch]
    sizes = [masks[index].shape for index in batch]
    into = [outs[index] for index in batch]

    def run(threads: int) -> Callable[[int], object]:
        return lambda _: resample_batch.paint_bilinear_batch(cells, sizes, into, threads=threads)

    def check() -> None:
        run(1)(0)
        expected = [out.copy() for out in into]
        run(2)(0)
        for one, two in zip(expected, into, strict=True):
            np.testing.assert_array_equal(one, two)

    return KernelCase(
        f"bilinear, {len(batch)} masks, 2 threads",
        run(2),
        {"1 thread": run(1)},
        check,
        {"1 thread": 1.4},
        {"1 thread": 1.8},
        bytes_written=sum(out.nbytes for out in into),
    )
