"""Grids: pooling, sampling and best cells, on one and on two threads.

OpenCV's INTER_AREA and torch's pooling share pixels out between cells, ours gives each pixel to one
cell. They are equal where the grid divides the image; elsewhere a cell may differ by the pixels
along its sides, and no more than that is let pass.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from maskcodec import resample, resample_batch
from maskcodec._reference import pool as pool_twin

from .kernel_case import Builder, KernelCase, Run
from .kernel_inputs import BATCH_BYTES, equal, mean_bytes, spread
from .mask_sets import MaskSet

SIDES = (16, 32, 64)
CHECKED = 3
"""Masks of a set that are compared before anything is timed; the twins are slow."""


def coverage_case(given: MaskSet, side: int) -> KernelCase:
    """How many pixels of each cell are set."""
    masks, grid = given.masks, (side, side)

    def check() -> None:
        for index in spread(len(masks), CHECKED):
            covered, total = resample.coverage(masks[index], grid)
            edges = [resample.cell_edges(pixels, side) for pixels in masks[index].shape]
            twin = pool_twin.coverage(masks[index], edges[0], edges[1])
            equal(covered[total > 0], twin[0][total > 0])
            equal(total, twin[1])

    def agree(index: int, answer: Any) -> None:
        height, width = masks[index].shape
        covered, total = resample.coverage(masks[index], grid)
        if answer.dtype.kind in "iu":
            return equal(answer, covered)
        share = covered / np.maximum(total, 1)
        divides = height % side == width % side == 0
        # The rows and columns that a cell may share with its neighbours.
        own = [max(0.0, 1 - side / pixels) ** 2 for pixels in (height, width)]
        margin = 1e-6 if divides else 1 - own[0] * own[1]
        if answer.dtype.kind == "f":
            assert np.abs(answer - share).max(initial=0) <= margin
            return None
        clear = np.abs(share - 0.5) > margin
        return equal(answer[clear], share[clear] > 0.5)

    return KernelCase(
        lambda i: resample.coverage(masks[i], grid),
        check,
        "coverage",
        {"masks": masks, "grid": grid},
        agree,
        spread(len(masks), CHECKED),
        gates={"opencv": 5},
        stretch={"opencv": 8},
        bytes_read=mean_bytes(masks),
    )


def coverage_threads_case(given: MaskSet) -> KernelCase:
    """As many masks as fill the time of some dispatches, and no more than there are."""
    masks = given.masks
    batch = masks[: max(8, BATCH_BYTES // mean_bytes(masks))]

    def run(threads: int) -> Run:
        return lambda _: resample_batch.coverage_batch(batch, (32, 32), threads=threads)

    def check() -> None:
        for one, two in zip(run(1)(0), run(2)(0), strict=True):
            equal(one, two)

    return KernelCase(
        run(2),
        check,
        rivals={"1 thread": run(1)},
        gates={"1 thread": 1.4},
        stretch={"1 thread": 1.8},
        bytes_read=mean_bytes(batch),
        batch=len(batch),
        threaded=True,
    )


def sample_case(given: MaskSet) -> KernelCase:
    """The pixel in the middle of each cell."""
    masks, grid = given.masks, (32, 32)

    def check() -> None:
        for index in spread(len(masks), CHECKED):
            height, width = masks[index].shape
            ys, xs = resample.pixel_of_cell(32, height), resample.pixel_of_cell(32, width)
            sampled = resample.sample_nearest(masks[index], grid)
            equal(sampled, pool_twin.sample(masks[index], ys, xs))

    def agree(index: int, answer: Any) -> None:
        # A centre that lies between two pixels may take either.
        either = []
        for side in masks[index].shape:
            places = resample.pixel_of_cell(32, side)
            either.append((places, places - ((2 * np.arange(32) + 1) * side % 64 == 0)))
        near = [masks[index][np.ix_(ys, xs)] == answer for ys in either[0] for xs in either[1]]
        assert np.any(near, axis=0).all()

    return KernelCase(
        lambda i: resample.sample_nearest(masks[i], grid),
        check,
        "sample",
        {"masks": masks, "grid": grid},
        agree,
        spread(len(masks), CHECKED),
        bytes_read=64 * 32 * 32,
    )


def best_case(given: MaskSet) -> KernelCase:
    """The cells to set for the highest IoU."""
    pools = [resample.coverage(mask, (32, 32)) for mask in given.masks]

    def check() -> None:
        for index in spread(len(pools), CHECKED):
            covered, total = pools[index]
            keep = resample.best_cells(covered, total)
            area = int(covered.sum(where=total > 0))
            equal(keep, pool_twin.best_cells(covered, total, area))

    def agree(index: int, answer: Any) -> None:
        covered, total = pools[index]
        keep = resample.best_cells(covered, total)
        if total.all():
            ties = np.isclose(covered / total, (covered / total)[keep].min(initial=1))
            assert not (keep ^ answer)[~ties].any()

    return KernelCase(
        lambda i: resample.best_cells(*pools[i]),
        check,
        "best_cells",
        {"pools": pools},
        agree,
        spread(len(pools), CHECKED),
    )


CASES: dict[str, Builder] = {
    **{f"coverage {side}x{side}": partial(coverage_case, side=side) for side in SIDES},
    "coverage, batch on 2 threads": coverage_threads_case,
    "sample nearest 32x32": sample_case,
    "best cells 32x32": best_case,
}
