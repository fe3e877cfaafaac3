"""Bilinear painting, against its NumPy twin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import KINDS, boxes, draw_array, sizes

from maskcodec._ext import bilinear as kernels
from maskcodec._reference import bilinear as reference

Bools = npt.NDArray[np.bool_]
Size = tuple[int, int]
Box = tuple[int, int, int, int]

AHEAD = (1100, 1000)
"""An image above the size from which rows are cleared ahead."""


def run_bilinear(cells: Bools, size: Size, box: Box, blank: bool) -> Bools:
    """Paint over zeros if the kernel is told so, over ones otherwise."""
    out: Bools = np.zeros(size, np.bool_) if blank else np.ones(size, np.bool_)
    rows, columns = cells.shape
    x0, y0, x1, y1 = box
    kernels.bilinear([(cells, rows, columns, *size, y0, x0, y1, x1, out, blank)])
    return out


@given(
    data=st.data(),
    size=sizes(90),
    grid=sizes(24),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 99),
    blank=st.booleans(),
)
def test_bilinear_equals_its_twin(
    data: st.DataObject, size: Size, grid: Size, kind: str, seed: int, blank: bool
) -> None:
    box = data.draw(boxes(size))
    cells = draw_array(kind, grid, seed)
    np.testing.assert_array_equal(
        run_bilinear(cells, size, box, blank), reference.bilinear(cells, size, box)
    )


@pytest.mark.parametrize("width", [16 * 9, 16 * 9 + 1, 32 * 9, 32 * 9 + 1, 64 * 9, 64 * 9 + 1])
@pytest.mark.parametrize("kind", ["noise", "checkerboard", "rectangle"])
def test_bilinear_with_cells_as_wide_as_its_windows(width: int, kind: str) -> None:
    cells = draw_array(kind, (7, 9), 3)
    size = (61, width + 40)
    for box in ((0, 0, width, 61), (40, 0, width + 40, 61), (3, 1, width + 3, 60)):
        np.testing.assert_array_equal(
            run_bilinear(cells, size, box, False), reference.bilinear(cells, size, box)
        )


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (5, 64), (6, 6)])
@pytest.mark.parametrize("grid", [(1, 1), (2, 2), (1, 7), (7, 1), (12, 12), (6, 6)])
def test_bilinear_of_every_small_shape(size: Size, grid: Size) -> None:
    """Also where pixels fall on cells' centres, or half-way between them: 6 x 6 on 6 x 6."""
    whole = (0, 0, size[1], size[0])
    for seed in range(8):
        cells = draw_array("noise", grid, seed)
        np.testing.assert_array_equal(
            run_bilinear(cells, size, whole, False), reference.bilinear(cells, size)
        )


def test_half_counts_as_set() -> None:
    """Two cells over three pixels: the middle one interpolates to exactly one half."""
    cells = np.array([[True, False]])
    assert run_bilinear(cells, (1, 3), (0, 0, 3, 1), False).tolist() == [[True, True, False]]
    assert run_bilinear(cells.T.copy(), (3, 1), (0, 0, 1, 3), False).T.tolist() == [
        [True, True, False]
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("box", [(0, 0, 1000, 1100), (17, 3, 999, 1099), (500, 500, 510, 1100)])
def test_large_images_are_cleared_ahead(kind: str, box: Box) -> None:
    cells = draw_array(kind, (13, 17), 5)
    np.testing.assert_array_equal(
        run_bilinear(cells, AHEAD, box, False), reference.bilinear(cells, AHEAD, box)
    )


def test_the_longest_side() -> None:
    cells = draw_array("noise", (2, 64), 1)
    size = (2, 65_536)
    np.testing.assert_array_equal(
        run_bilinear(cells, size, (0, 0, 65_536, 2), False), reference.bilinear(cells, size)
    )


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (0, 0)])
def test_pictures_without_pixels(size: Size) -> None:
    painted = run_bilinear(np.ones((2, 2), np.bool_), size, (0, 0, size[1], size[0]), False)
    assert painted.shape == size


def test_the_kernel_refuses_what_would_leave_an_array() -> None:
    cells = np.ones((2, 2), np.bool_)
    out = np.zeros((4, 6), np.bool_)
    for box in ((0, 0, 7, 4), (0, 0, 6, 5), (-1, 0, 6, 4), (3, 0, 2, 4)):
        with pytest.raises(ValueError, match="box leaves"):
            run_bilinear(cells, (4, 6), box, False)
    with pytest.raises(ValueError, match="array's length"):
        kernels.bilinear([(cells, 2, 3, 4, 6, 0, 0, 4, 6, out, False)])
    with pytest.raises(ValueError, match="grid is empty"):
        kernels.bilinear([(cells[:0], 0, 2, 4, 6, 0, 0, 4, 6, out, False)])


def test_several_pictures_are_all_painted_or_none() -> None:
    """All are checked first, so that nothing is painted where one is refused."""
    sizes = [(30, 50), (5, 9), (64, 64)]
    grids = [draw_array("noise", grid, 3) for grid in ((7, 9), (12, 3), (1, 30))]
    outs = [np.ones(size, np.bool_) for size in sizes]
    pictures = [
        (cells, *cells.shape, *size, 0, 0, *size, out, False)
        for cells, size, out in zip(grids, sizes, outs, strict=True)
    ]
    with pytest.raises(ValueError, match="array's length"):
        kernels.bilinear([*pictures, (grids[0], 8, *pictures[0][2:])])
    assert all(out.all() for out in outs)
    kernels.bilinear(pictures)
    for cells, size, out in zip(grids, sizes, outs, strict=True):
        np.testing.assert_array_equal(out, reference.bilinear(cells, size))
    kernels.bilinear([])
