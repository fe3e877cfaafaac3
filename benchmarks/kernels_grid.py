"""Grids: pooling, sampling and best cells, on one and on two threads; then painting.

OpenCV gets its fastest way: uint8 images and one thread. Its INTER_AREA shares pixels out between
cells, ours gives each pixel to one cell, so the two are equal where the grid divides the image,
which is where they are compared; elsewhere the twin alone is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from maskcodec import resample, resample_batch
from maskcodec._reference import pool as pool_twin

from . import kernels_paint
from .kernel_case import KernelCase
from .kernels_paint import SIDES, batch_of, checked, mean_bytes, off_boundary

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


def cases(masks: Sequence[Bools], label_maps: Sequence[Bytes]) -> Iterator[KernelCase]:
    """Every kernel of grids on one set of masks."""
    cv2.setNumThreads(1)
    for side in SIDES:
        yield coverage_case(masks, side)
    yield coverage_threads_case(masks)
    yield sample_case(masks)
    yield best_case(masks)
    yield from kernels_paint.cases(masks, label_maps)


def coverage_case(masks: Sequence[Bools], side: int) -> KernelCase:
    grid = (side, side)
    images = [mask.view(np.uint8) for mask in masks]

    def check() -> None:
        for index in checked(len(masks)):
            mask = masks[index]
            covered, total = resample.coverage(mask, grid)
            edges = [resample.cell_edges(pixels, side) for pixels in mask.shape]
            twin = pool_twin.coverage(mask, edges[0], edges[1])
            np.testing.assert_array_equal(covered[total > 0], twin[0][total > 0])
            np.testing.assert_array_equal(total, twin[1])
            if mask.shape[0] % side == mask.shape[1] % side == 0:
                means = cv2.resize(mask.astype(np.float32), grid, interpolation=cv2.INTER_AREA)
                np.testing.assert_array_equal(np.rint(means * total), covered)

    return KernelCase(
        f"coverage {side}x{side}",
        lambda i: resample.coverage(masks[i], grid),
        {"opencv": lambda i: cv2.resize(images[i], grid, interpolation=cv2.INTER_AREA)},
        check,
        {"opencv": 5},
        {"opencv": 8},
        bytes_read=mean_bytes(masks),
    )


def sample_case(masks: Sequence[Bools]) -> KernelCase:
    grid = (32, 32)
    images = [mask.view(np.uint8) for mask in masks]
    exact = cv2.INTER_NEAREST_EXACT

    def check() -> None:
        for index in checked(len(masks)):
            height, width = masks[index].shape
            ys, xs = resample.pixel_of_cell(32, height), resample.pixel_of_cell(32, width)
            sampled = resample.sample_nearest(masks[index], grid)
            np.testing.assert_array_equal(sampled, pool_twin.sample(masks[index], ys, xs))
            clear = np.ix_(off_boundary(32, height), off_boundary(32, width))
            other = cv2.resize(images[index], grid, interpolation=exact)
            np.testing.assert_array_equal(sampled[clear], other[clear])

    return KernelCase(
        "sample nearest 32x32",
        lambda i: resample.sample_nearest(masks[i], grid),
        {"opencv": lambda i: cv2.resize(images[i], grid, interpolation=exact)},
        check,
        bytes_read=64 * 32 * 32,
    )


def best_case(masks: Sequence[Bools]) -> KernelCase:
    pools = [resample.coverage(mask, (32, 32)) for mask in masks]

    def sorted_best(index: int) -> Bools:
        """The textbook way: one sort in floating point, of the cells that own pixels."""
        covered, total = pools[index]
        share = (covered / np.maximum(total, 1)).ravel()
        order = np.argsort(-share)
        inside = covered.ravel()[order].cumsum()
        union = inside[-1] + (total - covered).ravel()[order].cumsum()
        best = (inside / np.maximum(union, 1)).max()
        kept: Bools = (share > best / (1 + best)).reshape(covered.shape)
        return kept

    def check() -> None:
        for index in checked(len(masks)):
            covered, total = pools[index]
            keep = resample.best_cells(covered, total)
            area = int(covered.sum(where=total > 0))
            np.testing.assert_array_equal(keep, pool_twin.best_cells(covered, total, area))
            if total.all():
                ties = np.isclose(covered / total, (covered / total)[keep].min(initial=1))
                assert not (keep ^ sorted_best(index))[~ties].any()

    return KernelCase(
        "best cells 32x32",
        lambda i: resample.best_cells(*pools[i]),
        {"numpy": sorted_best},
        check,
    )


def coverage_threads_case(masks: Sequence[Bools]) -> KernelCase:
    batch = [masks[index] for index in batch_of(masks)]

    def run(threads: int) -> Callable[[int], object]:
        return lambda _: resample_batch.coverage_batch(batch, (32, 32), threads=threads)

    def check() -> None:
        for one, two in zip(run(1)(0), run(2)(0), strict=True):  # type: ignore[call-overload]
            np.testing.assert_array_equal(one, two)

    return KernelCase(
        f"coverage, {len(batch)} masks, 2 threads",
        run(2),
        {"1 thread": run(1)},
        check,
        {"1 thread": 1.4},
        {"1 thread": 1.8},
        bytes_read=len(batch) * mean_bytes(batch),
    )
