"""Painting by torch gives the bits of the compiled kernels, on the CPU and on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import KINDS, boxes, draw_array, sizes

from maskcodec import MaskCodecError, resample
from maskcodec._reference import bilinear as bilinear_twin
from maskcodec._reference import paint as nearest_twin

torch = pytest.importorskip("torch")
from maskcodec import torch_batch, torch_paint, torch_runs  # noqa: E402

Bools = npt.NDArray[np.bool_]
Size = tuple[int, int]
Box = tuple[int, int, int, int]

BYTES = st.sampled_from((1, 3_000, torch_batch.MAX_BYTES))
KERNELS: dict[str, Callable[..., Bools]] = {
    "nearest": resample.paint_nearest,
    "bilinear": resample.paint_bilinear,
}


def runs_of(mask: Bools) -> npt.NDArray[np.uint32]:
    """COCO's run lengths, the plain way."""
    line = np.concatenate([[False], mask.ravel(order="F"), [False]])
    ends = np.append(np.flatnonzero(line[1:-1] != line[:-2]), mask.size)
    return np.diff(ends, prepend=0).astype(np.uint32)


@st.composite
def batches(draw: st.DrawFn) -> list[Size]:
    """Sizes of a batch, some of them equal."""
    few = draw(st.lists(sizes(40), min_size=1, max_size=3))
    return draw(st.lists(st.sampled_from(few), max_size=5))


@st.composite
def objects(draw: st.DrawFn, size: Size) -> tuple[list[Bools], list[Box]]:
    """Grids of different shapes in boxes, empty boxes included."""
    grids, places = [], []
    for _ in range(draw(st.integers(0, 3))):
        kind, seed = draw(st.sampled_from(KINDS)), draw(st.integers(0, 99))
        grids.append(draw_array(kind, draw(sizes(14)), seed))
        places.append(draw(boxes(size)))
    return grids, places


def check_planes(planes: Any, expected: list[Bools], size: Size, device: str = "cpu") -> None:
    assert planes.dtype == torch.bool
    assert planes.device.type == device
    assert tuple(planes.shape) == (len(expected), *size)
    for plane, wanted in zip(planes.cpu().numpy(), expected, strict=True):
        np.testing.assert_array_equal(plane, wanted)


@given(data=st.data(), batch=batches(), max_bytes=BYTES)
@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_boxes_equal_the_kernels(
    method: Any, data: st.DataObject, batch: list[Size], max_bytes: int
) -> None:
    texts = [data.draw(objects(size)) for size in batch]
    painted = torch_paint.paint_boxes(
        [grids for grids, _ in texts],
        [places for _, places in texts],
        batch,
        method=method,
        max_bytes=max_bytes,
    )
    assert len(painted) == len(batch)
    for planes, (grids, places), size in zip(painted, texts, batch, strict=True):
        expected = [
            KERNELS[method](grid, size, box=box) for grid, box in zip(grids, places, strict=True)
        ]
        check_planes(planes, expected, size)


def test_boxes_equal_the_twins() -> None:
    size, box = (37, 53), (5, 3, 50, 37)
    cells = draw_array("noise", (9, 11), 0)
    y_edges, x_edges = resample.cell_edges(34, 9), resample.cell_edges(45, 11)
    nearest = torch_paint.paint_boxes([[cells]], [[box]], [size])[0]
    check_planes(nearest, [nearest_twin.nearest(cells, y_edges, x_edges, size, (3, 5))], size)
    bilinear = torch_paint.paint_boxes([[cells]], [[box]], [size], method="bilinear")[0]
    check_planes(bilinear, [bilinear_twin.bilinear(cells, size, box)], size)


@given(data=st.data(), batch=batches(), max_bytes=BYTES)
def test_grids_equal_the_kernels(data: st.DataObject, batch: list[Size], max_bytes: int) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    dtype = data.draw(st.sampled_from((np.uint8, np.uint16, np.int32)))
    cells = [random.integers(0, 4, data.draw(sizes(14))).astype(dtype) for _ in batch]
    labels = [data.draw(st.lists(st.integers(0, 5), max_size=4)) for _ in batch]
    nearest = torch_paint.paint_grids_nearest(cells, labels, batch, max_bytes=max_bytes)
    bilinear = torch_paint.paint_grids_bilinear(cells, labels, batch, max_bytes=max_bytes)
    for k, size in enumerate(batch):
        check_planes(
            nearest[k], list(resample.paint_labels_nearest(cells[k], labels[k], size)), size
        )
        expected = [resample.paint_bilinear(cells[k] == label, size) for label in labels[k]]
        check_planes(bilinear[k], expected, size)


@pytest.mark.parametrize("width", [64, 60, 62, 61])
def test_every_width_of_word(width: int) -> None:
    cells = np.arange(35, dtype=np.uint8).reshape(5, 7) % 3
    planes = torch_paint.paint_grids_nearest([cells], [3], [(20, width)])[0]
    check_planes(planes, list(resample.paint_labels_nearest(cells, 3, (20, width))), (20, width))


def test_sums_above_int32() -> None:
    """int64 steps in where the sums of weights need it; forced here on a small image."""
    size, cells = (31, 47), draw_array("noise", (6, 5), 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_paint, "INT32_PIXELS", 0)
        planes = torch_paint.paint_grids_bilinear([cells.astype(np.uint8)], [[1]], [size])[0]
    check_planes(planes, [resample.paint_bilinear(cells, size)], size)


@given(data=st.data(), batch=batches(), max_bytes=BYTES)
def test_runs_equal_the_masks(data: st.DataObject, batch: list[Size], max_bytes: int) -> None:
    masks = [
        [
            draw_array(data.draw(st.sampled_from(KINDS)), size, data.draw(st.integers(0, 99)))
            for _ in range(data.draw(st.integers(0, 3)))
        ]
        for size in batch
    ]
    counts = [[runs_of(mask) for mask in text] for text in masks]
    painted = torch_runs.paint_runs(counts, batch, max_bytes=max_bytes)
    for planes, expected, size in zip(painted, masks, batch, strict=True):
        check_planes(planes, expected, size)


@pytest.mark.parametrize("height", [300, 700])
def test_more_changes_in_a_column_than_a_byte_counts(height: int) -> None:
    mask = np.indices((height, 5)).sum(axis=0) % 2 == 0
    check_planes(torch_runs.paint_runs([[runs_of(mask)]], [(height, 5)])[0], [mask], (height, 5))


def test_runs_of_no_pixels() -> None:
    """Two changes at one place undo each other, wherever they are."""
    size = (4, 5)
    for counts in ([0, 20], [0, 0, 0, 20], [20, 0], [3, 0, 4, 0, 0, 13], [20, 0, 0], [3, 0, 0, 17]):
        expected = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(size, order="F")
        planes = torch_runs.paint_runs([[np.array(counts, np.uint32)]], [size])[0]
        check_planes(planes, [expected], size)


def test_empty_batches_and_texts_without_masks() -> None:
    assert torch_runs.paint_runs([], []) == []
    assert torch_paint.paint_boxes([], [], []) == []
    assert torch_paint.paint_grids_nearest([], [], []) == []
    for planes in (
        torch_runs.paint_runs([[]], [(3, 4)])[0],
        torch_paint.paint_boxes([[]], [[]], [(3, 4)])[0],
        torch_paint.paint_boxes([[]], [[]], [(3, 4)], method="bilinear")[0],
        torch_paint.paint_grids_nearest([np.zeros((2, 2), np.uint8)], [0], [(3, 4)])[0],
    ):
        assert tuple(planes.shape) == (0, 3, 4)
        assert planes.dtype == torch.bool


def test_masks_of_one_size_share_one_tensor() -> None:
    cells = [np.eye(3, dtype=np.uint8)] * 3
    first, other, second = torch_paint.paint_grids_nearest(cells, [2] * 3, [(6, 6), (5, 5), (6, 6)])
    assert first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()
    assert first.untyped_storage().data_ptr() != other.untyped_storage().data_ptr()


def test_wrong_arguments_are_named() -> None:
    cells = np.ones((2, 2), np.bool_)
    counts = np.array([12], np.uint32)
    cases: list[tuple[str, Callable[[], object]]] = [
        ("method is 'cubic'", lambda: torch_paint.paint_boxes([], [], [], method="cubic")),  # type: ignore[arg-type]
        ("one box a grid", lambda: torch_paint.paint_boxes([[cells]], [[]], [(3, 4)])),
        ("leaves", lambda: torch_paint.paint_boxes([[cells]], [[(0, 0, 5, 3)]], [(3, 4)])),
        ("shape", lambda: torch_paint.paint_boxes([[cells[:0]]], [[(0, 0, 4, 3)]], [(3, 4)])),
        ("sizes", lambda: torch_runs.paint_runs([[counts]], [])),
        ("fill 12", lambda: torch_runs.paint_runs([[counts]], [(3, 5)])),
        ("fill 0", lambda: torch_runs.paint_runs([[counts[:0]]], [(3, 5)])),
        ("1 grids", lambda: torch_paint.paint_grids_nearest([cells], [], [])),
        ("height", lambda: torch_runs.paint_runs([[]], [(0, 4)])),
    ]
    for message, call in cases:
        with pytest.raises(MaskCodecError, match=message):
            call()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("max_bytes", [1 << 20, torch_batch.MAX_BYTES])
def test_a_gpu_gives_the_same_bits(max_bytes: int) -> None:
    batch = [(480, 640), (333, 77), (1, 1), (480, 640), (1024, 1024)]
    random = np.random.default_rng(0)
    masks = [[draw_array(kind, size, 7) for kind in KINDS] for size in batch]
    counts = [[runs_of(mask) for mask in text] for text in masks]
    grids = [[draw_array(kind, (16, 24), 3) for kind in KINDS] for _ in batch]
    places = [
        [
            (
                int(random.integers(0, width // 2 + 1)),
                int(random.integers(0, height // 2 + 1)),
                int(random.integers(width // 2, width + 1)),
                int(random.integers(height // 2, height + 1)),
            )
            for _ in KINDS
        ]
        for height, width in batch
    ]
    cells = [random.integers(0, 5, (32, 24), np.int32) for _ in batch]
    for planes, expected, size in zip(
        torch_runs.paint_runs(counts, batch, device="cuda", max_bytes=max_bytes),
        masks,
        batch,
        strict=True,
    ):
        check_planes(planes, expected, size, "cuda")
    for method in ("nearest", "bilinear"):
        painted = torch_paint.paint_boxes(
            grids, places, batch, method=method, device="cuda", max_bytes=max_bytes
        )
        for planes, text, text_boxes, size in zip(painted, grids, places, batch, strict=True):
            expected = [
                KERNELS[method](grid, size, box=box)
                for grid, box in zip(text, text_boxes, strict=True)
            ]
            check_planes(planes, expected, size, "cuda")
    painted = torch_paint.paint_grids_nearest(cells, [5] * len(batch), batch, device="cuda")
    for planes, grid, size in zip(painted, cells, batch, strict=True):
        expected = list(resample.paint_labels_nearest(grid, 5, size))
        check_planes(planes, expected, size, "cuda")
