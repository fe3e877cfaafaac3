"""Kernels for GPUs, run by Triton's interpreter on the CPU: the bits of the CPU's kernels.

`test_triton_paint.py` runs this in a process of its own, since Triton decides on import whether it
interprets. By hand, on more examples:
`EXAMPLES=50 TRITON_INTERPRET=1 pytest tests/interpreted_triton.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KINDS, boxes, draw_array, sizes
from test_polygon_torch import draw_item, draw_rings
from test_shapetokens_torch import drawn
from test_torch_paint import KERNELS, runs_of

from maskcodec import resample, torch_paint, torch_runs, triton
from maskcodec._ext import field
from maskcodec.geometry import boxgrid, polygon, polygon_torch, raster, raster_torch, shapetokens
from maskcodec.geometry.boxgrid import BoxGrid
from maskcodec.geometry.boxgrid_torch import paint_batch as paint_boxgrids
from maskcodec.geometry.raster import Rasters
from maskcodec.geometry.shapetokens_torch import paint_batch as paint_shapes
from maskcodec.geometry.tokens import ShapeTokens
from maskcodec.triton import cells, launch
from maskcodec.triton import paint as kernels

METHODS: Any = KERNELS
Bools = npt.NDArray[np.bool_]
Size = tuple[int, int]

language: Any = pytest.importorskip("triton")
tl: Any = pytest.importorskip("triton.language")
assert os.environ.get("TRITON_INTERPRET") == "1"


@language.jit  # type: ignore[untyped-decorator]
def count(found: Any, number: Any) -> None:
    for k in range(number):
        tl.store(found, k)


try:
    count[(1,)](torch.zeros(1, dtype=torch.int32), 2)
except Exception as error:  # Triton 3.6's does so with NumPy 2.4
    pytest.skip(f"Triton's interpreter fails by itself: {error!r}", allow_module_level=True)

# The interpreter takes its time by operation, not by pixel: most tiles here hold a whole image.
few = settings(max_examples=int(os.environ.get("EXAMPLES", "4")), deadline=None)
TILES = {
    (module, name): getattr(module, name)
    for module, name in (
        (launch, "LINES"), (launch, "GROUPS"), (kernels, "RUNS_TILE"), (kernels, "RINGS_TILE")
    )
}  # fmt: skip
WIDTHS = (1, 5, 16, 20, 61, 64, 100, 128, 129, 144, 200)
HEIGHTS = (1, 2, 31, 33, 40, 64, 70, 129)
any_size = st.tuples(st.sampled_from(HEIGHTS), st.sampled_from(WIDTHS))


@pytest.fixture(autouse=True, scope="module")
def painted_by_kernels() -> Any:
    """Kernels are taken for the CPU too; one that fails would warn, which is an error in tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(triton, "has_kernels", lambda device: True)
        patch.setattr(launch, "LINES", 256)
        patch.setattr(launch, "GROUPS", 16)
        patch.setattr(kernels, "RUNS_TILE", (8, 256))
        patch.setattr(kernels, "RINGS_TILE", (8, 256))
        yield


def use_own_tiles(patch: pytest.MonkeyPatch) -> None:
    """Paint in tiles as on a GPU."""
    for (module, name), number in TILES.items():
        patch.setattr(module, name, number)


def agree(found: Sequence[Any], expected: Sequence[Any]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert tuple(one.shape) == np.shape(other)
        np.testing.assert_array_equal(one.numpy(), np.asarray(other))


# --- cells in boxes ---


@st.composite
def grids_in_boxes(draw: st.DrawFn) -> tuple[list[Size], list[list[Bools]], list[Any]]:
    """Images of one or two sizes, with grids of any shape in boxes of any kind."""
    batch = draw(st.lists(any_size, min_size=1, max_size=2))
    grids, places = [], []
    for size in batch:
        count = draw(st.integers(0, 2))
        shapes = [draw(st.one_of(sizes(9), sizes(60))) for _ in range(count)]
        grids.append(
            [
                draw_array(draw(st.sampled_from(KINDS)), shape, draw(st.integers(0, 99)))
                for shape in shapes
            ]
        )
        whole = (0, 0, size[1], size[0])
        places.append([draw(st.one_of(boxes(size), st.just(whole))) for _ in range(count)])
    return batch, grids, places


@few
@given(texts=grids_in_boxes())
@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_grids(method: Any, texts: Any) -> None:
    batch, grids, places = texts
    expected = [
        np.array([KERNELS[method](grid, size, box=box) for grid, box in zip(*text, strict=True)])
        if text[0]
        else np.zeros((0, *size))
        for size, *text in zip(batch, grids, places, strict=True)
    ]
    agree(torch_paint.paint_boxes(grids, places, batch, method=method), expected)


def test_grids_of_labels() -> None:
    cells = np.random.default_rng(0).integers(0, 4, (7, 9), np.int32)
    for paint, kernel in (
        (torch_paint.paint_grids_nearest, resample.paint_labels_nearest),
        (torch_paint.paint_grids_bilinear, resample.paint_labels_bilinear),
    ):
        agree(paint([cells] * 2, [[3, 1], [0]], [(37, 48)] * 2), [
            kernel(cells, [3, 1], (37, 48)), kernel(cells, [0], (37, 48))
        ])  # fmt: skip


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_wide_numbers(method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """int64 steps in where coordinates or sums need it; forced here on small images."""
    monkeypatch.setattr(kernels, "INT32", 1)
    monkeypatch.setattr(kernels, "MOST_CELLS", 1 << 31)
    size, box = (33, 70), (3, 1, 66, 30)
    for shape in ((5, 7), (40, 90)):
        grid = draw_array("noise", shape, 3)
        painted = torch_paint.paint_boxes([[grid]], [[box]], [size], method=method)
        agree(painted, [KERNELS[method](grid, size, box=box)[None]])


@pytest.mark.parametrize("size", [(1, 65_536), (65_536, 1)])
def test_longest_sides(size: Size) -> None:
    """Tiles of a GPU would be thousands here, which takes the interpreter long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "LINES", min(size[0], 32_768))
        patch.setattr(launch, "GROUPS", 2_048 if size[0] == 1 else 1)
        for shape in ((3, 2), (300, 400)):
            grid = draw_array("noise", shape, 4)
            for method, kernel in METHODS.items():
                painted = torch_paint.paint_boxes(
                    [[grid]], [[(0, 0, size[1], size[0])]], [size], method=method
                )
                agree(painted, [kernel(grid, size)[None]])
        agree(
            paint_shapes(*tokens([drawn(2, 6)], [size]), device="cpu"),
            shapes([drawn(2, 6)], [size]),
        )


def test_more_masks_than_a_launch_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "MOST_PLANES", 2)
    grids = [draw_array("noise", (3, 3), seed) for seed in range(5)]
    painted = torch_paint.paint_boxes([grids], [[(0, 0, 9, 8)] * 5], [(8, 9)])
    agree(painted, [np.array([resample.paint_nearest(grid, (8, 9)) for grid in grids])])


def draw_map(random: np.random.Generator) -> npt.NDArray[np.uint8]:
    shape = random.integers(1, 40, 2)
    cells = random.integers(0, 256, shape, np.uint8)
    return np.where(random.random() < 0.3, np.uint8(255) * (cells > 99), cells).astype(np.uint8)


def draw_rasters(seed: int, count: int) -> Rasters:
    random = np.random.default_rng(seed)
    maps = tuple(draw_map(random) for _ in range(count))
    return Rasters(("a",) * count, 1_023, random.integers(0, 1_024, (count, 4), np.int32), maps)


@few
@given(seed=st.integers(0, 999), batch=st.lists(any_size, min_size=1, max_size=2))
def test_rasters(seed: int, batch: list[Size]) -> None:
    items = [draw_rasters(seed + k, k + 1) for k in range(len(batch))]
    agree(raster_torch.paint_batch(items, batch, device="cpu"), raster.render_batch(items, batch))


# --- fields ---


def tokens(items: list[ShapeTokens], batch: list[Size]) -> tuple[Any, Any, Any]:
    return items, shapetokens.codebooks_of(items), batch


def shapes(items: list[ShapeTokens], batch: list[Size]) -> list[Any]:
    return list(shapetokens.render_batch(items, batch))


@few
@given(seed=st.integers(0, 999), batch=st.lists(any_size, min_size=1, max_size=2))
def test_shape_tokens(seed: int, batch: list[Size]) -> None:
    items = [drawn(1 + k % 2, seed + k) for k in range(len(batch))]
    agree(paint_shapes(*tokens(items, batch), device="cpu"), shapes(items, batch))


def test_fields_are_rounded_as_numpy_does() -> None:
    halves = np.arange(-512, 512) / 2 + np.where(np.arange(1024) % 3, 0, 2.0**25)
    fields = torch.zeros(1024, dtype=torch.int32)
    launch.round_all(torch.from_numpy(halves), fields)
    np.testing.assert_array_equal(fields.numpy(), np.rint(halves))
    with pytest.raises(ValueError, match="multiple"):
        launch.round_all(torch.from_numpy(halves[:9]), fields)


def test_fields_at_zero_and_at_their_largest() -> None:
    """A pixel is set above 0, not at 0; sums are longest where fields are largest."""
    random = np.random.default_rng(1)
    size, box = (33, 48), np.array([[2, 1, 47, 33]], np.int32)
    for values in (
        random.integers(-1, 2, (1, 64, 64)),
        random.choice([-(2**25), 2**25], (1, 64, 64)),
    ):
        fields = torch.from_numpy(values.astype(np.int32)).view(1, -1)
        frame = kernels.frames_of(np.array([[1, 32, 64, 2, 45, 64]]), [0])
        planes = launch.new_planes(1, size, "cpu")
        launch.paint_lines(
            cells.paint_cells, planes, (torch.from_numpy(frame), fields),
            SOURCE=cells.FIELDS, BILINEAR=True, LONG_SUMS=True, WIDE=False,
        )  # fmt: skip
        expected = np.zeros((1, *size), np.uint8)
        field.paint(values.astype(np.int32), box, [(expected, True)])
        np.testing.assert_array_equal(planes.numpy(), expected != 0)


# --- rows of runs ---


def draw_rows(seed: int, objects: int, rows: int) -> BoxGrid:
    random = np.random.default_rng(seed)
    boxes = random.integers(0, boxgrid.BINS + 1, (objects, 4), np.int32)
    if seed % 3 == 0:
        boxes[::2] = [0, 0, boxgrid.BINS, boxgrid.BINS]
    counts = random.integers(0, random.choice([2, 5, 14]), (objects, rows)).astype(np.uint8)
    runs = [
        np.sort(random.choice(26, 2 * count, replace=False)).reshape(-1, 2)
        for count in counts.reshape(-1)
    ]
    joined = np.concatenate([np.zeros((0, 2)), *runs]).astype(np.uint8)
    return BoxGrid(("a",) * objects, boxes, counts, joined)


@few
@given(seed=st.integers(0, 999), batch=st.lists(any_size, min_size=1, max_size=3))
def test_boxgrids(seed: int, batch: list[Size]) -> None:
    items = [draw_rows(seed + k, k, 2 + seed % 9) for k in range(len(batch))]
    agree(paint_boxgrids(items, batch, device="cpu"), boxgrid.render_batch(items, batch))


def test_boxgrids_of_wide_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "INT32", 1)
    item = draw_rows(3, 2, 5)
    agree(
        paint_boxgrids([item], [(70, 90)], device="cpu"), boxgrid.render_batch([item], [(70, 90)])
    )


# --- tiles of a GPU ---


def test_tiles_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """All geometries in tiles that reach beyond the image, and lie beside boxes."""
    size = (45, 130)
    use_own_tiles(monkeypatch)
    masks = [draw_array(kind, size, 5) for kind in ("ellipses", "noise")]
    agree(torch_runs.paint_runs([[runs_of(mask) for mask in masks]], [size]), [np.array(masks)])
    grid, box = draw_array("ellipses", (6, 9), 2), (20, 33, 129, 44)
    for method, kernel in METHODS.items():
        painted = torch_paint.paint_boxes([[grid]], [[box]], [size], method=method)
        agree(painted, [kernel(grid, size, box=box)[None]])
    item, rows, tokens_ = draw_item(4), draw_rows(3, 2, 5), drawn(2, 3, most=4)
    agree(polygon_torch.render_torch([item], [size], "cpu"), [polygon.paint(item, size)])
    agree(paint_boxgrids([rows], [size], device="cpu"), boxgrid.render_batch([rows], [size]))
    agree(paint_shapes(*tokens([tokens_], [size]), device="cpu"), shapes([tokens_], [size]))


# --- COCO's runs ---


@few
@given(data=st.data(), batch=st.lists(any_size, min_size=1, max_size=2))
def test_runs(data: st.DataObject, batch: list[Size]) -> None:
    masks = [
        [
            draw_array(data.draw(st.sampled_from(KINDS)), size, data.draw(st.integers(0, 99)))
            for _ in range(data.draw(st.integers(0, 2)))
        ]
        for size in batch
    ]
    counts = [[runs_of(mask) for mask in text] for text in masks]
    expected = [np.array(text).reshape(-1, *size) for text, size in zip(masks, batch, strict=True)]
    agree(torch_runs.paint_runs(counts, batch), expected)


def test_runs_of_no_pixels() -> None:
    size = (4, 5)
    texts = ([0, 20], [0, 0, 0, 20], [20, 0], [3, 0, 4, 0, 0, 13], [20, 0, 0], [3, 0, 0, 17])
    expected = [
        np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(size, order="F")
        for counts in texts
    ]
    agree(torch_runs.paint_runs([[np.array(one, np.uint32) for one in texts]], [size]), [expected])


def test_runs_across_multiples_of_65536() -> None:
    """Only the low 16 bits of places travel: runs that end far apart, and just beside these."""
    size = (700, 300)
    line = np.zeros(size[0] * size[1], np.bool_)
    for start, stop in (
        (65_530, 65_536),
        (65_537, 131_071),
        (131_072, 131_073),
        (196_607, 210_000),
    ):
        line[start:stop] = True
    masks = [line.reshape(size, order="F"), ~line.reshape(size, order="F")] * 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "RUNS_TILE", (32, 512))
        painted = torch_runs.paint_runs([[runs_of(mask) for mask in masks]], [size])
    agree(painted, [np.array(masks)])


# --- rings ---


@few
@given(seed=st.integers(0, 9_999), batch=st.lists(any_size, min_size=1, max_size=2))
def test_rings(seed: int, batch: list[Size]) -> None:
    items = [draw_item(seed + k) for k in range(len(batch))]
    expected = [polygon.paint(item, size) for item, size in zip(items, batch, strict=True)]
    agree(polygon_torch.render_torch(items, batch, "cpu"), expected)


@pytest.mark.parametrize("size", [(9_000, 9), (9, 9_000), (900, 899)])
def test_steep_edges_of_large_images(size: Size) -> None:
    random = np.random.default_rng(7)
    item = polygon.Polygons(("a",), 100_000, (draw_rings(random, 100_000, 1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "RINGS_TILE", (512, 1024))
        painted = polygon_torch.render_torch([item], [size], "cpu")
    agree(painted, [polygon.paint(item, size)])


def test_no_object() -> None:
    none = polygon.Polygons((), 676, ())
    empty = polygon.Polygons(("a",), 676, (polygon.NO_RINGS,))
    agree(polygon_torch.render_torch([none, empty], [(4, 5)] * 2, "cpu"), [
        np.zeros((0, 4, 5)), np.zeros((1, 4, 5))
    ])  # fmt: skip
    assert torch_runs.paint_runs([], []) == []
    agree(torch_runs.paint_runs([[]], [(3, 4)]), [np.zeros((0, 3, 4))])
    agree(torch_paint.paint_boxes([[]], [[]], [(3, 4)]), [np.zeros((0, 3, 4))])
    agree(
        raster_torch.paint_batch([draw_rasters(0, 0)], [(3, 4)], device="cpu"),
        [np.zeros((0, 3, 4))],
    )
    agree(paint_shapes(*tokens([drawn(0, 0)], [(3, 4)]), device="cpu"), [np.zeros((0, 3, 4))])
    agree(paint_boxgrids([draw_rows(0, 0, 3)], [(3, 4)], device="cpu"), [np.zeros((0, 3, 4))])
