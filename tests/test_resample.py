"""The resizing convention, and the functions that keep it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from strategies import KINDS, boxes, draw_array, sizes

from maskcodec import MaskCodecError, resample, resample_batch

Bools = npt.NDArray[np.bool_]
Size = tuple[int, int]
SIDE = st.integers(1, 300)


def iou(pred: Bools, target: Bools) -> float:
    return float((pred & target).sum() / max(1, (pred | target).sum()))


# --- along one axis ---


@given(pixels=SIDE, cells=SIDE)
def test_pixels_lie_in_the_cell_that_owns_their_centre(pixels: int, cells: int) -> None:
    owner = resample.cell_of_pixel(pixels, cells)
    edges = resample.cell_edges(pixels, cells)
    centres = 2 * np.arange(pixels) + 1
    assert (owner * 2 * pixels <= centres * cells).all()
    assert (centres * cells < (owner + 1) * 2 * pixels).all()
    assert edges[0] == 0
    assert edges[-1] == pixels
    np.testing.assert_array_equal(np.repeat(np.arange(cells), np.diff(edges)), owner)


@given(pixels=SIDE, cells=SIDE)
def test_sampling_a_painted_grid_gives_it_back(pixels: int, cells: int) -> None:
    """Where each cell owns a pixel, the sampled one is among them."""
    if cells <= pixels:
        sampled = resample.cell_of_pixel(pixels, cells)[resample.pixel_of_cell(cells, pixels)]
        np.testing.assert_array_equal(sampled, np.arange(cells))


def test_the_axis_functions_are_cached_and_read_only() -> None:
    for array in (
        resample.cell_of_pixel(9, 4),
        resample.pixel_of_cell(4, 9),
        resample.cell_edges(9, 4),
    ):
        assert array.dtype == np.int32
        assert not array.flags.writeable
    assert resample.cell_edges(9, 4) is resample.cell_edges(9, 4)


@pytest.mark.parametrize(
    ("grid", "size"), [((16, 16), (480, 640)), ((24, 24), (427, 640)), ((7, 5), (61, 53))]
)
def test_nearest_is_what_pil_calls_nearest(grid: Size, size: Size) -> None:
    """Both ways: painting labels, and sampling a label map."""
    random = np.random.default_rng(0)
    cells = random.integers(0, 256, grid, np.uint8)
    image = Image.fromarray(cells).resize(size[::-1], Image.Resampling.NEAREST)
    np.testing.assert_array_equal(resample.paint_nearest(cells, size), np.asarray(image))
    pixels = random.integers(0, 256, size, np.uint8)
    image = Image.fromarray(pixels).resize(grid[::-1], Image.Resampling.NEAREST)
    np.testing.assert_array_equal(resample.sample_nearest(pixels, grid), np.asarray(image))


@given(pixels=SIDE, cells=SIDE)
def test_pil_differs_only_where_a_centre_lies_on_a_boundary(pixels: int, cells: int) -> None:
    """There PIL's floating-point sums decide, and this convention takes the latter cell."""
    labels = np.arange(cells, dtype=np.int32)[None]
    painted = Image.fromarray(labels).resize((pixels, 1), Image.Resampling.NEAREST)
    differs = np.asarray(painted)[0] != resample.cell_of_pixel(pixels, cells)
    assert not ((2 * np.arange(pixels) + 1) * cells % (2 * pixels))[differs].any()


# --- pixels to cells ---


@given(size=sizes(), grid=sizes(20), kind=st.sampled_from(KINDS), data=st.data())
def test_coverage_shares_its_boundaries_with_painting(
    size: Size, grid: Size, kind: str, data: st.DataObject
) -> None:
    """A painted grid covers each of its cells wholly or not at all."""
    cells = draw_array(kind, grid, data.draw(st.integers(0, 99)))
    covered, total = resample.coverage(resample.paint_nearest(cells, size), grid)
    owned = total > 0
    assert total.sum() == size[0] * size[1]
    np.testing.assert_array_equal(covered[owned], (total * cells)[owned])
    np.testing.assert_array_equal(resample.area_cells(covered, total)[owned], cells[owned])
    np.testing.assert_array_equal(resample.best_cells(covered, total)[owned], cells[owned])


@given(size=sizes(40), grid=sizes(20), data=st.data())
def test_a_box_is_the_image_cut_out(size: Size, grid: Size, data: st.DataObject) -> None:
    mask = draw_array("noise", size, data.draw(st.integers(0, 99)))
    x0, y0, x1, y1 = box = data.draw(boxes(size))
    cut = np.ascontiguousarray(mask[y0:y1, x0:x1])
    np.testing.assert_array_equal(resample.coverage(mask, grid, box), resample.coverage(cut, grid))
    if cut.size:
        np.testing.assert_array_equal(
            resample.sample_nearest(mask, grid, box), resample.sample_nearest(cut, grid)
        )
    for paint in (resample.paint_nearest, resample.paint_bilinear):
        cells = draw_array("noise", grid, 1)
        expected = np.zeros(size, np.bool_)
        if cut.size:
            expected[y0:y1, x0:x1] = paint(cells, (y1 - y0, x1 - x0))
        np.testing.assert_array_equal(paint(cells, size, None, box), expected)


def test_cells_without_pixels_take_the_pixel_at_their_centre() -> None:
    mask = np.array([[True, False, True]])
    covered, total = resample.coverage(mask, (2, 6))
    assert total.tolist() == [[0] * 6, [0, 1, 0, 1, 0, 1]]
    assert covered.tolist() == [[1, 1, 0, 0, 1, 1]] * 2
    assert resample.area_cells(covered, total).tolist() == [[1, 1, 0, 0, 1, 1]] * 2
    assert resample.best_cells(covered, total).tolist() == [[1, 1, 0, 0, 1, 1]] * 2


def test_cells_without_pixels_do_not_count_as_area() -> None:
    covered = np.array([[5, 1, 1, 0]], np.int32)
    total = np.array([[9, 0, 0, 0]], np.int32)
    assert resample.best_cells(covered, total, 5).tolist() == [[True, True, True, False]]


@given(size=sizes(), grid=sizes(16), kind=st.sampled_from(KINDS), seed=st.integers(0, 99))
def test_best_cells_beat_the_others_and_lose_no_object(
    size: Size, grid: Size, kind: str, seed: int
) -> None:
    mask = draw_array(kind, size, seed)
    covered, total = resample.coverage(mask, grid)
    best = resample.best_cells(covered, total)
    assert best.any() == mask.any()
    score = iou(resample.paint_nearest(best, size), mask)
    for other in (resample.area_cells(covered, total), resample.sample_nearest(mask, grid)):
        assert score >= iou(resample.paint_nearest(other, size), mask) - 1e-12


def test_area_cells_of_the_largest_image_do_not_overflow() -> None:
    covered = np.array([[2**30, 2**31 - 1, 2**30 - 1]], np.int32)
    total = np.array([[2**31 - 1] * 3], np.int32)
    assert resample.area_cells(covered, total).tolist() == [[True, True, False]]


# --- cells to pixels ---


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.int32])
def test_painting_into_out_writes_every_pixel(dtype: type[Any]) -> None:
    cells = (draw_array("noise", (5, 6), 0) * 100).astype(dtype)
    out = np.ones((50, 40), dtype)
    given_back = resample.paint_nearest(cells, (50, 40), out, (7, 9, 30, 44))
    assert given_back is out
    np.testing.assert_array_equal(
        out, resample.paint_nearest(cells, (50, 40), None, (7, 9, 30, 44))
    )


def test_label_planes() -> None:
    cells = np.arange(12, dtype=np.uint16).reshape(3, 4) % 4
    planes = resample.paint_labels_nearest(cells, [2, 0, 9], (30, 20))
    for value, plane in zip((2, 0, 9), planes, strict=True):
        np.testing.assert_array_equal(plane, resample.paint_nearest(cells, (30, 20)) == value)
    np.testing.assert_array_equal(
        resample.paint_labels_nearest(cells, 3, (30, 20)),
        resample.paint_labels_nearest(cells, [0, 1, 2], (30, 20)),
    )
    assert resample.paint_labels_nearest(cells, 0, (30, 20)).shape == (0, 30, 20)


def test_bilinear_label_planes() -> None:
    cells = np.random.default_rng(0).integers(0, 3, (6, 7), np.uint8)
    for box in (None, (3, 5, 18, 30)):
        planes = resample.paint_labels_bilinear(cells, 3, (31, 20), None, box)
        out = np.ones_like(planes)
        assert resample.paint_labels_bilinear(cells, [0, 1, 2], (31, 20), out, box) is out
        np.testing.assert_array_equal(out, planes)
        for value, plane in enumerate(planes):
            expected = resample.paint_bilinear(cells == value, (31, 20), None, box)
            np.testing.assert_array_equal(plane, expected)


def test_arrays_in_any_order_are_taken() -> None:
    mask = draw_array("noise", (31, 40), 0)
    for view in (np.asfortranarray(mask), mask[::-1], mask[:, ::2]):
        plain = np.ascontiguousarray(view)
        np.testing.assert_array_equal(
            resample.coverage(view, (4, 5)), resample.coverage(plain, (4, 5))
        )
        np.testing.assert_array_equal(
            resample.paint_bilinear(view, (90, 90)), resample.paint_bilinear(plain, (90, 90))
        )


# --- batches ---


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_batches_equal_their_items(threads: int | None) -> None:
    masks = [draw_array(kind, (20 + k, 30), k) for k, kind in enumerate(KINDS)]
    places = [None if k % 2 else (1, 2, 20, 20) for k in range(len(masks))]
    pools = resample_batch.coverage_batch(masks, (4, 6), places, threads=threads)
    for mask, box, pooled in zip(masks, places, pools, strict=True):
        np.testing.assert_array_equal(pooled, resample.coverage(mask, (4, 6), box))
    cells = np.stack([draw_array(kind, (4, 6), 1) for kind in KINDS])
    sizes = [mask.shape for mask in masks]
    nearest = resample_batch.paint_nearest_batch(cells, sizes, None, places, threads=threads)
    bilinear = resample_batch.paint_bilinear_batch(list(cells), sizes, threads=threads)
    for k, size in enumerate(sizes):
        np.testing.assert_array_equal(
            nearest[k], resample.paint_nearest(cells[k], size, None, places[k])
        )
        np.testing.assert_array_equal(bilinear[k], resample.paint_bilinear(cells[k], size))


def test_a_batch_paints_into_a_stacked_array() -> None:
    cells = np.stack([draw_array(kind, (4, 6), 1) for kind in KINDS])
    out = np.ones((len(cells), 33, 44), np.bool_)
    painted = resample_batch.paint_nearest_batch(cells, (33, 44), out, threads=2)
    assert all(np.shares_memory(plane, out) for plane in painted)
    np.testing.assert_array_equal(
        out, np.stack(resample_batch.paint_nearest_batch(cells, (33, 44)))
    )


# --- what is refused ---

MASK = np.zeros((4, 6), np.bool_)
CELLS = np.array([[0, 1], [2, 3]], np.uint8)
COUNTS = np.ones((2, 2), np.int32)
REFUSED: dict[str, Callable[[], object]] = {
    r"mask: float64 of shape \(4, 6\)": lambda: resample.coverage(np.zeros((4, 6)), (2, 2)),  # type: ignore[arg-type]
    r"mask: bool of shape \(6,\)": lambda: resample.coverage(MASK[0], (2, 2)),
    "values: list": lambda: resample.sample_nearest([[True]], (1, 1)),  # type: ignore[arg-type]
    "cells: int64": lambda: resample.paint_nearest(np.zeros((2, 2), np.int64), (4, 4)),  # type: ignore[type-var]
    "cells: uint8": lambda: resample.paint_bilinear(np.zeros((2, 2), np.uint8), (4, 4)),
    "cells: bool": lambda: resample.paint_labels_nearest(MASK, 1, (4, 4)),
    "cells: float64": lambda: resample.paint_labels_bilinear(np.zeros((2, 2)), 1, (4, 4)),
    "6 pixels and 0 cells": lambda: resample.coverage(MASK, (2, 0)),
    "0 cells": lambda: resample.paint_nearest(MASK[:0], (4, 4)),
    "4 pixels and 0 cells": lambda: resample.paint_bilinear(MASK[:0], (4, 4)),
    "holds no pixel": lambda: resample.sample_nearest(MASK, (2, 2), (1, 1, 1, 3)),
    r"expected 0 <= x0 <= x1 <= 6": lambda: resample.coverage(MASK, (2, 2), (0, 0, 7, 4)),
    "four whole numbers": lambda: resample.coverage(MASK, (2, 2), (0, 0, 2.5, 2)),  # type: ignore[arg-type]
    r"0 <= y0 <= y1 <= 4": lambda: resample.coverage(MASK, (2, 2), (0, 3, 6, 2)),
    "each side must be": lambda: resample.paint_nearest(MASK, (0, 5)),
    "at most": lambda: resample.paint_nearest(MASK, (65_536, 65_536)),
    "expected a number of labels": lambda: resample.paint_labels_nearest(CELLS, [2**40], (4, 4)),
    r"labels is \[0.5\]": lambda: resample.paint_labels_bilinear(CELLS, [0.5], (4, 4)),  # type: ignore[list-item]
    "labels is None": lambda: resample.paint_labels_nearest(CELLS, None, (4, 4)),  # type: ignore[arg-type]
    r"out: bool of shape \(4, 6\)": lambda: resample.paint_nearest(MASK, (4, 5), MASK.copy()),
    "C-contiguous": lambda: resample.paint_nearest(MASK, (4, 6), np.asfortranarray(MASK)),
    "expected int32 of one shape": lambda: resample.best_cells(COUNTS, COUNTS[:1]),
    "int64 of shape": lambda: resample.best_cells(COUNTS.astype(np.int64), COUNTS),
    r"area \(it is 3\)": lambda: resample.best_cells(COUNTS, COUNTS, 3),
    r"area \(it is None\)": lambda: resample.best_cells(-COUNTS, COUNTS),
    r"0 <= covered <= total": lambda: resample.best_cells(2 * COUNTS, COUNTS, 100),
    r"at most 2,147": lambda: resample.best_cells(COUNTS, COUNTS * 2**30, 100),
    "2 sizes for a batch of 3": lambda: resample_batch.paint_nearest_batch(
        [MASK] * 3, [(4, 4), (5, 5)]
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused_is_named(message: str) -> None:
    with pytest.raises(MaskCodecError, match=message):
        REFUSED[message]()


@pytest.mark.parametrize("paint", [resample.paint_labels_nearest, resample.paint_labels_bilinear])
def test_labels_may_be_numbers_of_numpy(paint: Callable[..., Bools]) -> None:
    expected = paint(CELLS, 4, (6, 8))
    assert np.array_equal(paint(CELLS, CELLS.max() + 1, (6, 8)), expected)
    assert np.array_equal(paint(CELLS, np.array([1, 3]), (6, 8)), expected[[1, 3]])


@pytest.mark.parametrize("paint", [resample.paint_labels_nearest, resample.paint_labels_bilinear])
def test_the_size_of_label_planes_is_checked(paint: Callable[..., Bools]) -> None:
    with pytest.raises(MaskCodecError, match="each side must be"):
        paint(np.zeros((3, 4), np.uint16), 3, (0, 5))


def test_the_size_and_the_cells_of_bilinear_planes_are_checked() -> None:
    with pytest.raises(MaskCodecError, match="each side must be"):
        resample.paint_bilinear(np.ones((3, 4), np.bool_), (0, 5))
    with pytest.raises(MaskCodecError, match="6 pixels and 0 cells"):
        resample.paint_labels_bilinear(np.zeros((3, 0), np.uint16), 3, (4, 6))


def test_label_planes_are_painted_into_out() -> None:
    cells = np.arange(12, dtype=np.uint16).reshape(3, 4) % 4
    for box in (None, (3, 5, 18, 30)):
        out = np.ones((3, 30, 20), np.bool_)
        assert resample.paint_labels_nearest(cells, [2, 0, 9], (30, 20), out, box) is out
        expected = resample.paint_labels_nearest(cells, [2, 0, 9], (30, 20), None, box)
        np.testing.assert_array_equal(out, expected)


def test_cells_without_pixels_along_one_axis_take_the_pixel_at_their_centre_too() -> None:
    mask = np.array([[True, False, True]])
    for turned, grid in ((mask, (1, 6)), (mask.T, (6, 1))):
        covered, _ = resample.coverage(turned, grid)
        assert covered.reshape(-1).tolist() == [1, 1, 0, 0, 1, 1]
