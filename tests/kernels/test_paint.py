"""Nearest painting, against its NumPy twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import KINDS, boxes, draw_array, sizes

from maskcodec import resample
from maskcodec._ext import paint as kernels
from maskcodec._reference import paint as reference

Ints = npt.NDArray[np.int32]
Size = tuple[int, int]
Box = tuple[int, int, int, int]

AHEAD = (1100, 1000)
"""An image above the size from which rows are cleared ahead."""


def canvas(size: tuple[int, ...], dtype: npt.DTypeLike, blank: bool) -> npt.NDArray[Any]:
    """Where to paint: zeros if the kernel is told so, rubbish otherwise."""
    return np.zeros(size, dtype) if blank else np.ones(size, dtype)


def edges(box: Box, grid: Size) -> tuple[Ints, Ints]:
    x0, y0, x1, y1 = box
    return resample.cell_edges(y1 - y0, grid[0]), resample.cell_edges(x1 - x0, grid[1])


@given(
    data=st.data(),
    size=sizes(),
    grid=sizes(24),
    kind=st.sampled_from(KINDS),
    dtype=st.sampled_from((np.bool_, np.uint8, np.uint16, np.int32)),
    blank=st.booleans(),
)
def test_nearest_equals_its_twin(
    data: st.DataObject, size: Size, grid: Size, kind: str, dtype: type[Any], blank: bool
) -> None:
    box = data.draw(boxes(size))
    cells = draw_array(kind, grid, 0) * np.arange(1, grid[1] + 1).astype(dtype)
    cells = cells.astype(dtype)
    y_edges, x_edges = edges(box, grid)
    out = canvas(size, dtype, blank)
    kernels.nearest(cells, out.itemsize, *size, box[1], box[0], y_edges, x_edges, out, blank)
    expected = reference.nearest(cells, y_edges, x_edges, size, (box[1], box[0]))
    np.testing.assert_array_equal(out, expected)


@given(data=st.data(), size=sizes(), grid=sizes(20), blank=st.booleans())
def test_planes_equal_their_twin(data: st.DataObject, size: Size, grid: Size, blank: bool) -> None:
    cells = np.random.default_rng(0).integers(-2, 4, grid, np.int32)
    labels = np.array(data.draw(st.lists(st.integers(-2, 5), max_size=5)), np.int32)
    box = data.draw(boxes(size))
    y_edges, x_edges = edges(box, grid)
    out = canvas((len(labels), *size), np.bool_, blank)
    kernels.planes([(cells, labels, *size, box[1], box[0], y_edges, x_edges, out, blank)])
    expected = reference.planes(cells, labels, y_edges, x_edges, size, (box[1], box[0]))
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("box", [(0, 0, 1000, 1100), (17, 3, 999, 1099), (500, 500, 510, 1100)])
def test_large_images_are_cleared_ahead(kind: str, box: Box) -> None:
    cells = draw_array(kind, (13, 17), 5)
    y_edges, x_edges = edges(box, cells.shape)
    out = canvas(AHEAD, np.bool_, blank=False)
    kernels.nearest(cells, 1, *AHEAD, box[1], box[0], y_edges, x_edges, out, False)
    expected = reference.nearest(cells, y_edges, x_edges, AHEAD, (box[1], box[0]))
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (0, 0)])
def test_pictures_without_pixels(size: Size) -> None:
    cells, labels = np.ones((2, 2), np.int32), np.array([1], np.int32)
    y_edges, x_edges = edges((0, 0, size[1], size[0]), (2, 2))
    out = np.ones((1, *size), np.bool_)
    kernels.nearest(cells == 1, 1, *size, 0, 0, y_edges, x_edges, out, False)
    kernels.planes([(cells, labels, *size, 0, 0, y_edges, x_edges, out, False)])
    assert not out.any()


def test_kernels_refuse_what_would_leave_an_array() -> None:
    cells = np.ones((2, 2), np.bool_)
    out = np.zeros((4, 6), np.bool_)
    y_edges, x_edges = edges((0, 0, 6, 4), (2, 2))
    bad: list[tuple[Any, ...]] = [
        (cells, 1, 4, 6, 1, 0, y_edges, x_edges, out, False),
        (cells, 1, 4, 6, 0, 1, y_edges, x_edges, out, False),
        (cells, 1, 4, 7, 0, 0, y_edges, x_edges, out, False),
        (cells, 2, 4, 6, 0, 0, y_edges, x_edges, out, False),
        (cells, 1, 4, 6, 0, 0, y_edges[::-1].copy(), x_edges, out, False),
        (cells[:1], 1, 4, 6, 0, 0, y_edges, x_edges, out, False),
        (cells, 3, 4, 6, 0, 0, y_edges, x_edges, out, False),
    ]
    message = r"array's length|cell edges|1, 2 or 4"
    for arguments in bad:
        with pytest.raises(ValueError, match=message):
            kernels.nearest(*arguments)
    numbers, labels = cells.astype(np.int32), np.array([1, 2], np.int32)
    with pytest.raises(ValueError, match=message):
        kernels.planes([(numbers, labels, 4, 6, 0, 0, y_edges, x_edges, out, False)])
    with pytest.raises(ValueError, match=message):
        kernels.planes([(numbers[:1], labels[:1], 4, 6, 0, 0, y_edges, x_edges, out, False)])
    read_only = out.copy()
    read_only.flags.writeable = False
    with pytest.raises((BufferError, ValueError)):
        kernels.nearest(cells, 1, 4, 6, 0, 0, y_edges, x_edges, read_only, False)
