"""Polygons painted by torch: the bits of the compiled kernel, for whatever a text may say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import sizes

from maskcodec.geometry import polygon
from maskcodec.geometry.polygon import Polygons, Rings

torch = pytest.importorskip("torch")
from maskcodec.geometry import polygon_torch  # noqa: E402

BINS = (2, 3, 100, 676, 2_001)


def draw_rings(random: np.random.Generator, bins: int, rings: int, longest: int = 11) -> Rings:
    """Rings of any vertices, which cross themselves and each other; the first is a hole now and
    then, as in damaged texts.
    """
    lengths = random.integers(3, longest + 1, rings)
    xy = random.integers(0, bins, (lengths.sum(), 2)).astype(np.int32)
    hole = random.random(rings) < 0.5
    hole[:1] = random.random() < 0.1
    return Rings(xy, np.cumsum([0, *lengths]).astype(np.int32), hole)


def draw_item(seed: int, rings: int = 4) -> Polygons:
    random = np.random.default_rng(seed)
    bins = int(random.choice(BINS))
    objects = [draw_rings(random, bins, count) for count in random.integers(0, rings, 3)]
    objects = [own if len(own.hole) else polygon.NO_RINGS for own in objects]
    return Polygons(("a", "b", "c"), bins, tuple(objects))


def check(items: list[Polygons], at: list[tuple[int, int]], device: str = "cpu") -> None:
    painted: Any = polygon_torch.render_torch(items, at, device)
    for planes, item, size in zip(painted, items, at, strict=True):
        assert planes.dtype == torch.bool
        assert planes.device.type == device
        assert np.array_equal(planes.cpu().numpy(), polygon.paint(item, size))


@given(st.lists(st.tuples(st.integers(0, 9_999), sizes(90)), max_size=4))
def test_torch_paints_what_the_kernel_does(batch: list[tuple[int, tuple[int, int]]]) -> None:
    check([draw_item(seed) for seed, _ in batch], [size for _, size in batch])


def test_items_of_several_sizes_stay_in_order() -> None:
    at = [(480, 640), (33, 57), (480, 640), (1, 1), (33, 57)]
    check([draw_item(seed) for seed in range(5)], at)


def test_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polygon_torch, "MAX_BYTES", 3_000)
    check([draw_item(seed) for seed in range(6)], [(40, 64)] * 6)


def test_steep_edges_of_large_images() -> None:
    """The guess at the step of a walk is right where doubles are coarse, too."""
    random = np.random.default_rng(7)
    for size in ((20_000, 9), (9, 20_000), (3_000, 2_999)):
        check([Polygons(("a",), 100_000, (draw_rings(random, 100_000, 1),))], [size])


def test_what_is_too_much_takes_the_other_way() -> None:
    random = np.random.default_rng(3)
    many = draw_rings(random, 676, polygon_torch.MOST_RINGS + 1)
    long = Rings(
        random.integers(0, 676, (300, 2)).astype(np.int32),
        np.array([0, 300], np.int32),
        np.zeros(1, np.bool_),
    )
    items = [Polygons(("a",), 676, (rings,)) for rings in (many, long)]
    assert not any(map(polygon_torch._fits, items))
    check([items[0], draw_item(1), items[1]], [(64, 80), (64, 80), (40, 30)])


def test_as_many_edges_as_a_byte_counts() -> None:
    """All edges cross the same columns, up and down."""
    count = polygon_torch.MOST_EDGES
    xy = np.array([[0 if k % 2 else 99, k % 90] for k in range(count)], np.int32)
    rings = Rings(xy, np.array([0, count], np.int32), np.zeros(1, np.bool_))
    item = Polygons(("a",), 100, (rings,))
    assert polygon_torch._fits(item)
    check([item], [(80, 96)])


def test_no_object() -> None:
    check([Polygons((), 676, ()), Polygons(("a",), 676, (polygon.NO_RINGS,))], [(4, 5), (4, 5)])
    check([Polygons((), 676, ())] * 2, [(4, 5), (6, 5)])
    assert polygon_torch.render_torch([], [], "cpu") == []


@pytest.mark.gpu
def test_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    items = [draw_item(seed) for seed in range(20)]
    check(items, [(480, 640), (97, 31)] * 10, "cuda")
