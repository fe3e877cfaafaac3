"""Polygon rasterising against its twin and against pycocotools."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from maskcodec._ext import raster as kernels
from maskcodec._reference import raster as reference

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int32]
KINDS = ("free", "integer", "half", "tenth", "out of frame", "far out of frame", "repeated")


def paint(rings: list[Ints], hole: list[bool], size: tuple[int, int]) -> Bools:
    out = np.zeros(size, np.bool_)
    kernels.paint([packed(rings, hole)], [(out[None], True)])
    return out


def packed(rings: list[Ints], hole: list[bool]) -> tuple[Ints, Ints, Bools]:
    xy = np.concatenate([np.zeros((0, 2)), *rings]).astype(np.int32)
    starts = np.cumsum([0, *map(len, rings)]).astype(np.int32)
    return xy, starts, np.array(hole, np.bool_)


def by_coco(xy: npt.NDArray[np.float64], size: tuple[int, int]) -> Bools:
    painted: Bools = coco.decode(coco.frPyObjects([xy.ravel().tolist()], *size)[0]).astype(np.bool_)
    return painted


def in_fifths(xy: npt.NDArray[np.float64]) -> Ints:
    """COCO's rounding of vertices: to the nearest fifth, and towards zero."""
    return np.trunc(5 * xy + 0.5).astype(np.int32)


def polygon(kind: str, size: tuple[int, int], seed: int) -> npt.NDArray[np.float64]:
    random = np.random.default_rng(seed)
    sides: npt.NDArray[np.float64] = np.array(size[::-1], np.float64)
    xy: npt.NDArray[np.float64] = random.random((random.integers(3, 12), 2)) * sides
    if kind == "integer":
        return np.round(xy)
    if kind == "half":
        return np.round(2 * xy) / 2
    if kind == "tenth":
        return np.round(10 * xy) / 10
    if kind == "out of frame":
        return np.subtract(3 * xy, sides)
    if kind == "far out of frame":
        return np.round(60 * xy - 30 * sides)
    if kind == "repeated":
        return np.repeat(xy, random.integers(1, 3, len(xy)), axis=0)
    return xy


@settings(max_examples=600)
@given(
    kind=st.sampled_from(KINDS),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_pycocotools(kind: str, size: tuple[int, int], seed: int) -> None:
    xy = polygon(kind, size, seed)
    assert np.array_equal(paint([in_fifths(xy)], [False], size), by_coco(xy, size))


@pytest.mark.parametrize("seed", range(40))
def test_equals_pycocotools_on_large_polygons(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = (480, 640)
    xy = random.random((60, 2)) * [700, 540] - 30
    assert np.array_equal(paint([in_fifths(xy)], [False], size), by_coco(xy, size))


@given(
    kinds=st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), max_size=4),
    size=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_the_twin(kinds: list[tuple[str, bool]], size: tuple[int, int], seed: int) -> None:
    near = [(kind, hole) for kind, hole in kinds if not kind.startswith("far")]
    rings = [in_fifths(polygon(kind, size, seed + r)) for r, (kind, _) in enumerate(near)]
    hole = [hole for _, hole in near]
    wanted = reference.paint_rings(*packed(rings, hole), size)
    assert np.array_equal(paint(rings, hole, size), wanted)


def test_integer_corners_are_exact() -> None:
    square = 5 * np.array([[2, 1], [6, 1], [6, 4], [2, 4]], np.int32)
    out = paint([square], [False], (6, 8))
    assert out.sum() == 12
    assert out[1:4, 2:6].all()


def test_a_ring_adds_to_what_is_there_and_a_hole_takes_away() -> None:
    left = 5 * np.array([[0, 0], [3, 0], [3, 4], [0, 4]], np.int32)
    right = left + np.array([10, 0], np.int32)
    assert np.array_equal(paint([left, right], [False, False], (4, 6))[0], [1, 1, 1, 1, 1, 0])
    assert np.array_equal(paint([left, right], [False, True], (4, 6))[0], [1, 1, 0, 0, 0, 0])
    assert np.array_equal(paint([right, left], [True, False], (4, 6))[0], [1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize("points", [0, 1, 2])
def test_fewer_than_three_vertices_paint_nothing(points: int) -> None:
    ring = np.array([[0, 0], [40, 40]], np.int32)[:points]
    assert not paint([ring], [False], (10, 10)).any()


def test_far_vertices_take_no_memory() -> None:
    far = 2**26
    ring = np.array([[-far, -far], [far, -far], [far, far], [-far, far]], np.int32)
    assert paint([ring], [False], (7, 9)).all()


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_no_pixels(size: tuple[int, int]) -> None:
    ring = np.array([[0, 0], [40, 0], [40, 40]], np.int32)
    assert paint([ring], [False], size).shape == size


def test_bad_arguments_are_refused() -> None:
    ring, hole = np.zeros((3, 2), np.int32), np.zeros(1, np.bool_)
    starts = np.array([0, 3], np.int32)
    canvas = [(np.zeros((1, 4, 4), np.bool_), True)]
    for wrong in ([0], [0, 4], [2, 1], [-1, 3]):
        with pytest.raises(ValueError, match="starts"):
            kernels.paint([(ring, np.array(wrong, np.int32), hole)], canvas)
    with pytest.raises(ValueError, match="2\\*\\*26"):
        kernels.paint([(ring + np.int32(2**26 + 1), starts, hole)], canvas)
    with pytest.raises(ValueError, match="xy must be"):
        kernels.paint([(ring.astype(np.int64), starts, hole)], canvas)
    with pytest.raises(ValueError, match="a plane for each object"):
        kernels.paint([(ring, starts, hole)] * 2, canvas)
    assert not canvas[0][0].any()


def test_objects_of_several_images() -> None:
    """Each goes into a plane of its own; what the memory held before is gone."""
    square = 5 * np.array([[0, 0], [2, 0], [2, 2], [0, 2]], np.int32)
    objects = [packed([square + np.int32(5 * k)], [False]) for k in range(3)]
    sizes = [(2, 6, 7), (0, 3, 3), (1, 5, 9)]
    canvases = [(np.ones(size, np.bool_), False) for size in sizes]
    kernels.paint(objects, canvases)
    for number, plane in enumerate([*canvases[0][0], *canvases[2][0]]):
        wanted = np.zeros(plane.shape, np.bool_)
        wanted[number : number + 2, number : number + 2] = True
        assert np.array_equal(plane, wanted)
