"""The kernels of `boxgrid` against their twin."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KINDS, draw_array

from maskcodec._ext import boxgrid as kernels
from maskcodec._ext import boxgrid_fit
from maskcodec._reference import boxgrid as reference
from maskcodec.geometry import boxgrid

COLUMNS = boxgrid.COLUMNS
Array = npt.NDArray[np.uint8]


@st.composite
def shapes(draw: st.DrawFn, rows: int) -> list[reference.Runs]:
    """Rows of runs of every kind."""
    places = st.sets(st.integers(0, COLUMNS), max_size=draw(st.sampled_from((3, 6, 26))))
    found = []
    for _ in range(rows):
        row = sorted(draw(places))
        found.append(list(zip(row[::2], row[1::2], strict=False)))
    return found


def packed(objects: list[list[reference.Runs]]) -> tuple[Array, Array]:
    """Rows of objects as the kernels take them."""
    counts = np.array([[len(row) for row in rows] for rows in objects], np.uint8)
    runs = [run for rows in objects for row in rows for run in row]
    return counts, np.array(runs, np.uint8).reshape(-1, 2)


def unpacked(counts: Array, runs: Array) -> list[reference.Runs]:
    """The rows of one object."""
    ends = np.cumsum(counts, dtype=np.int64).tolist()
    return [[(int(a), int(b)) for a, b in runs[i:j]] for i, j in pairwise([0, *ends])]


def fit(crop: npt.NDArray[np.bool_], rows: int) -> list[reference.Runs]:
    box = np.array([0, 0, crop.shape[1], crop.shape[0]], np.int32)
    found = boxgrid.fit(crop, box, rows)
    return unpacked(found.counts, found.runs)


@settings(max_examples=40)
@given(
    kind=st.sampled_from(KINDS),
    size=st.tuples(st.integers(1, 24), st.integers(1, 60)),
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 6),
)
def test_fit(kind: str, size: tuple[int, int], seed: int, rows: int) -> None:
    crop = draw_array(kind, size, seed)
    ys = boxgrid.sampled_lines(size[0], rows).tolist()
    expected = reference.fit(crop, ys, rows, COLUMNS, boxgrid.PASSES)
    assert fit(crop, rows) == expected


@pytest.mark.parametrize("value", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (70, 3)])
def test_fit_of_one_value(size: tuple[int, int], value: bool) -> None:
    expected = [[(0, COLUMNS)]] * 4 if value else [[]] * 4
    assert fit(np.full(size, value), 4) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(40, 60), (64, 9), (1, 30)])
def test_fit_knows_how_well_it_does(kind: str, size: tuple[int, int]) -> None:
    crop = draw_array(kind, size, 7)
    found, painted = fit_and_paint(crop, 8)
    both, either = np.count_nonzero(painted & crop), np.count_nonzero(painted | crop)
    assert found.iou == pytest.approx(both / either if either else 0)
    assert found.truth == np.count_nonzero(crop)
    assert found.iou_of(1e9) < 1e-3


def test_fit_knows_about_how_well_it_does_in_a_tall_box() -> None:
    crop = draw_array("ellipses", (1500, 90), 7)
    found, painted = fit_and_paint(crop, 8)
    iou = np.count_nonzero(painted & crop) / np.count_nonzero(painted | crop)
    assert found.iou == pytest.approx(iou, abs=0.02)
    assert found.truth == pytest.approx(np.count_nonzero(crop), rel=0.02)


def fit_and_paint(
    crop: npt.NDArray[np.bool_], rows: int
) -> tuple[boxgrid.Fit, npt.NDArray[np.bool_]]:
    height, width = crop.shape
    box = np.array([[0, 0, width, height]], np.int32)
    found = boxgrid.fit(crop, box[0], rows)
    painted = np.zeros((1, height, width), np.bool_)
    kernels.paint([(painted, True)], box, [(found.counts[None], found.runs)], COLUMNS)
    return found, painted[0]


def test_fit_looks_at_few_lines_of_a_tall_box() -> None:
    crop = np.zeros((3000, 5), np.bool_)
    crop[:1500] = True
    ys = boxgrid.sampled_lines(3000, 2)
    assert len(ys) == 2 * boxgrid.LINES
    assert fit(crop, 2) == reference.fit(crop, ys.tolist(), 2, COLUMNS, boxgrid.PASSES)


@given(data=st.data(), rows=st.integers(1, 5))
def test_paint_and_join(data: st.DataObject, rows: int) -> None:
    objects = data.draw(st.lists(shapes(rows), max_size=3))
    size = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    boxes = []
    for _ in objects:
        xs = sorted(data.draw(st.lists(st.integers(0, size[1]), min_size=2, max_size=2)))
        ys = sorted(data.draw(st.lists(st.integers(0, size[0]), min_size=2, max_size=2)))
        boxes.append((xs[0], ys[0], xs[1], ys[1]))
    counts, runs = packed(objects)
    counts = counts.reshape(-1, rows)
    planes = np.ones((len(objects), *size), np.uint8)  # as memory that was used
    corners = np.array(boxes, np.int32).reshape(-1, 4)
    kernels.paint([(planes, False)], corners, [(counts, runs)], COLUMNS)
    for plane, shape, box in zip(planes, objects, boxes, strict=True):
        assert np.array_equal(plane, reference.paint(shape, size, box, COLUMNS))
    sides = np.zeros((len(objects), rows, 2, 13, 4), np.uint8)
    kernels.join(counts, runs, COLUMNS, sides)
    for found, shape in zip(sides, objects, strict=True):
        for pair, halves in zip(found, reference.join(shape), strict=True):
            for half, walks in zip(pair, halves, strict=True):
                assert [tuple(run) for run in half[: len(walks)].tolist()] == walks
                assert not half[len(walks) :].any()


@pytest.mark.parametrize(("height", "width"), [(1, 65_536), (65_536, 1), (6_007, 65_521)])
def test_division_by_way_of_a_double_is_exact(height: int, width: int) -> None:
    """The largest numbers that there are, line by line against whole numbers."""
    shape: list[reference.Runs] = [[(0, 7)], [(3, 25)], [(24, 25)], [(0, 1), (11, 13)]]
    counts, runs = packed([shape])
    step = max(1, height // 20)
    planes = np.zeros((1, height, width), np.uint8)
    box = np.array([[0, 0, width, height]], np.int32)
    kernels.paint([(planes, True)], box, [(counts, runs)], COLUMNS)
    for y in range(0, height, step):
        expected = np.zeros(width, np.uint8)
        for start, end in reference.spans(shape, y, height, width, COLUMNS):
            expected[start:end] = 1
        assert np.array_equal(planes[0, y], expected), y


@pytest.mark.parametrize(
    ("counts", "runs", "box"),
    [
        ([[2]], [[0, 5]], [0, 0, 4, 4]),  # more runs than there are
        ([[1]], [[5, 5]], [0, 0, 4, 4]),  # no width
        ([[1]], [[5, 26]], [0, 0, 4, 4]),  # beyond the last place
        ([[2]], [[0, 5], [5, 9]], [0, 0, 4, 4]),  # runs that touch
        ([[17]], [[0, 5]] * 17, [0, 0, 4, 4]),
        ([[1]], [[0, 5]], [0, 0, 5, 4]),  # outside the plane
        ([[1]], [[0, 5]], [-1, 0, 3, 4]),
        ([[1]], [[0, 5]], [3, 0, 1, 4]),
    ],
)
def test_wrong_arguments_are_refused(counts: list, runs: list, box: list) -> None:  # type: ignore[type-arg]
    planes = np.zeros((1, 4, 4), np.uint8)
    with pytest.raises(ValueError, match="rows"):
        kernels.paint(
            [(planes, True)],
            np.array([box], np.int32),
            [(np.array(counts, np.uint8), np.array(runs, np.uint8))],
            COLUMNS,
        )


def test_objects_of_several_images() -> None:
    """Images of other sizes, and grids of other rows, in one call."""
    shapes: list[list[reference.Runs]] = [[[(0, 25)]], [[(3, 9)], [(5, 25)]], [[(1, 2)], []]]
    items = [packed(shapes[:1]), packed(shapes[1:])]
    boxes = [(0, 0, 4, 4), (1, 2, 30, 9), (0, 0, 40, 3)]
    canvases = [(np.ones((1, 5, 4), np.bool_), False), (np.zeros((2, 10, 40), np.bool_), True)]
    kernels.paint(canvases, np.array(boxes, np.int32), items, COLUMNS)
    planes = [*canvases[0][0], *canvases[1][0]]
    for plane, shape, box in zip(planes, shapes, boxes, strict=True):
        assert np.array_equal(plane, reference.paint(shape, plane.shape, box, COLUMNS))


def test_arguments_of_a_wrong_kind_are_refused() -> None:
    counts, runs = packed([[[(0, 5)]]])
    box, canvas = np.array([[0, 0, 4, 4]], np.int32), [(np.zeros((1, 4, 4), np.bool_), True)]
    with pytest.raises(ValueError, match="shapes"):
        kernels.paint(canvas, box, [], COLUMNS)
    with pytest.raises(ValueError, match="shapes"):
        kernels.paint(canvas, np.repeat(box, 2, axis=0), [(counts, runs)], COLUMNS)
    wrong: list[Any] = [
        (counts.astype(np.int32), runs),
        (counts.ravel(), runs),
        (np.zeros((0, 24), np.uint8), runs),
        (np.repeat(counts, 2, axis=0), runs),
        (counts, np.zeros((1, 3), np.uint8)),
    ]
    for item in wrong:
        with pytest.raises(ValueError, match="uint8"):
            kernels.paint(canvas, box, [item], COLUMNS)
    for rows in (0, 65):
        with pytest.raises(ValueError, match="rows"):
            kernels.paint(canvas, box, [(np.zeros((1, rows), np.uint8), runs)], COLUMNS)


def test_wrong_scratch_is_refused() -> None:
    mask = np.ones((4, 4), np.uint8)
    box, ys = np.array([0, 0, 4, 4], np.int32), np.arange(4, dtype=np.int32)
    sums, column_counts = np.zeros((4, 5), np.int32), np.zeros(4, np.int32)
    counts, runs = np.zeros(2, np.uint8), np.zeros((2, 16, 2), np.uint8)
    boxgrid_fit.fit(mask, box, ys, 25, 2, sums, column_counts, counts, runs)
    for wrong in (
        (mask, box + 1, ys, 25, 2, sums, column_counts, counts, runs),
        (mask, box, ys + 1, 25, 2, sums, column_counts, counts, runs),
        (mask, box, ys[::-1].copy(), 25, 2, sums, column_counts, counts, runs),
        (mask, box, ys, 32, 2, sums, column_counts, counts, runs),
        (mask, box, ys, 25, 2, sums[:, :4].copy(), column_counts, counts, runs),
        (mask, box, ys, 25, 2, sums, column_counts[:3], counts, runs),
        (mask, box, ys, 25, 2, sums, column_counts, counts, runs[:, :13].copy()),
        (mask, box, ys[:0], 25, 2, sums[:0], column_counts, counts, runs),
    ):
        with pytest.raises((ValueError, IndexError)):
            boxgrid_fit.fit(*wrong)
