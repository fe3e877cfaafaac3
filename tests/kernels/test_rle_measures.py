"""What is read off run lengths and label maps: labels, areas, boxes and IoU, against the peers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pycocotools.mask as coco
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import KINDS, draw_array

from maskcodec import MaskCodecError, rle
from maskcodec._ext import bounding_box, rle_iou, rle_labels
from maskcodec._reference import rle as reference

Bools = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8 | np.uint16 | np.int32]

LABEL_TYPES = (np.uint8, np.uint16, np.int32)
SIDES = st.one_of(st.integers(0, 9), st.sampled_from((15, 16, 17, 31, 33, 63, 64, 65, 129, 200)))
SIZES = st.tuples(SIDES, SIDES)

# pycocotools 2.0.11 under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@st.composite
def label_maps(draw: st.DrawFn) -> Labels:
    """Label maps of squares of equal labels, single pixels included, in any dtype."""
    height, width = draw(SIZES)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    side = draw(st.sampled_from((1, 2, 5, 40)))
    cells = random.integers(0, draw(st.sampled_from((1, 2, 20, 256))), (height + 1, width + 1))
    labels = np.repeat(np.repeat(cells, side, axis=0), side, axis=1)[:height, :width]
    dtype = draw(st.sampled_from(LABEL_TYPES))
    if dtype == np.uint16:
        labels = labels * draw(st.sampled_from((1, 256)))
    elif dtype == np.int32:
        labels = labels * draw(st.sampled_from((1, -1, 2**23, 256))) - draw(
            st.sampled_from((0, 7, 2**30))
        )
    return labels.astype(dtype)


def check_labels(labels: Labels) -> None:
    found, wanted = rle.from_label_map(labels), reference.from_label_map(labels)
    assert list(found) == list(wanted)
    for label, counts in wanted.items():
        assert found[label].dtype == np.uint32
        np.testing.assert_array_equal(found[label], counts)


@given(labels=label_maps())
def test_labels_equal_the_twin(labels: Labels) -> None:
    check_labels(labels)


@given(labels=label_maps(), data=st.data())
def test_label_runs_stay_in_their_arrays(labels: Labels, data: st.DataObject) -> None:
    width = labels.shape[1]
    room = data.draw(st.integers(0, labels.size + width + 1))
    starts, values = np.full(room + 64, 77, np.uint32), np.full(room + 64, 77, np.int32)
    scratch = np.full(room + width + 64, 77, np.uint32)
    count = rle_labels.label_runs(labels, starts[:room], values[:room], scratch[: room + width])
    for array in (starts, values, scratch):
        assert (array[-64:] == 77).all()
    columns = labels.ravel(order="F")
    runs = np.flatnonzero(np.diff(columns.astype(np.int64), prepend=2**40))
    if count >= 0:
        np.testing.assert_array_equal(starts[:count], runs)
        np.testing.assert_array_equal(values[:count], columns[runs])
    else:
        assert room < len(runs) + width


@pytest.mark.parametrize("dtype", LABEL_TYPES)
def test_any_memory_order(dtype: type[np.generic]) -> None:
    labels = (draw_array("ellipses", (50, 70), 1) * 3 + draw_array("rectangle", (50, 70), 2)) * 40
    labels = labels.astype(dtype)
    for view in (labels, np.asfortranarray(labels), labels[::2, ::-3], labels[::-1].T):
        check_labels(view)
    labels.flags.writeable = False
    check_labels(labels)


@pytest.mark.parametrize("dtype", LABEL_TYPES)
def test_labels_that_differ_in_one_bit(dtype: type[np.generic]) -> None:
    bits = 8 * np.dtype(dtype).itemsize
    for bit in range(bits):
        labels = np.zeros((9, 75), f"u{bits // 8}")
        labels[3:6, 10:71] = 1 << bit
        check_labels(labels.view(dtype))


def test_extreme_labels() -> None:
    labels = np.array([[-(2**31), 2**31 - 1], [0, 2**31 - 1]], np.int32)
    assert list(rle.from_label_map(labels)) == [-(2**31), 0, 2**31 - 1]
    check_labels(labels)


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros((4, 4), np.int64),
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4), np.bool_),
        np.zeros(4, np.uint8),
        np.zeros((4, 4, 3), np.uint8),
        np.broadcast_to(np.zeros(1, np.uint8), (65_537, 1)),
        None,
    ],
)
def test_label_maps_that_are_none(labels: Labels) -> None:
    with pytest.raises(MaskCodecError):
        rle.from_label_map(labels)


@given(size=SIZES, kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32 - 1))
def test_areas_and_boxes(size: tuple[int, int], kind: str, seed: int) -> None:
    mask = draw_array(kind, size, seed) if 0 not in size else np.zeros(size, np.bool_)
    counts, box = rle.encode(mask), reference.mask_bounding_box(mask)
    assert rle.area(counts) == np.count_nonzero(mask)
    assert rle.bounding_box(counts, size) == box
    assert rle.mask_bounding_box(mask) == box
    assert rle.mask_bounding_box(np.asfortranarray(mask)) == box


@pytest.mark.parametrize("place", [0, 4_095, 4_096, 8_191, 8_192, 9_000])
def test_boxes_of_wide_masks(place: int) -> None:
    mask = np.zeros((3, 9_001), np.bool_)
    mask[1, place] = True
    assert rle.mask_bounding_box(mask) == (place, 1, place + 1, 2)
    mask[2, 4_500] = True
    assert rle.mask_bounding_box(mask) == reference.mask_bounding_box(mask)


def test_bytes_that_no_bool_holds_stay_inside() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 300)).astype(np.uint8)
    box = np.full(12, 77, np.int64)
    assert bounding_box.bounds(pixels, box[:4]) in (0, 1)
    assert (box[4:] == 77).all()
    assert bounding_box.bounds(pixels, box[:3]) == -1


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (300, 5), (6, 9_001), (520, 67), (255, 8)])
@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_lines(size: tuple[int, int], kind: str) -> None:
    """Also of more rows than a byte counts, and wider than a chunk."""
    mask = draw_array(kind, size, 3)
    for box in ((0, 0, size[1], size[0]), (size[1] // 3, size[0] // 2, size[1], size[0])):
        left, top, right, bottom = box
        rows, columns = np.full(bottom - top, -1, np.int64), np.full(right - left, -1, np.int64)
        bounding_box.line_sums(mask.view(np.uint8), box, rows, columns)
        wanted = reference.line_sums(mask, box)
        np.testing.assert_array_equal(rows, wanted[0])
        np.testing.assert_array_equal(columns, wanted[1])


def test_sums_of_lines_refuse_what_would_leave_the_mask() -> None:
    mask, rows, columns = np.ones((4, 6), np.uint8), np.zeros(4, np.int64), np.zeros(6, np.int64)
    for box in ((0, 0, 7, 4), (0, 1, 6, 5), (-1, 0, 5, 4), (0, -1, 6, 3), (3, 0, 3, 4)):
        with pytest.raises(ValueError, match="shapes"):
            bounding_box.line_sums(mask, box, rows, columns)
    for wrong in ((rows[:3], columns), (rows, columns[:5])):
        with pytest.raises(ValueError, match="shapes"):
            bounding_box.line_sums(mask, (0, 0, 6, 4), *wrong)


@pytest.mark.parametrize("counts", [[19], [21], [], [2**32 - 1] * 9])
def test_boxes_of_wrong_sums(counts: list[int]) -> None:
    with pytest.raises(MaskCodecError, match=f"sum to {sum(counts)}, expected 20"):
        rle.bounding_box(np.array(counts, np.uint32), (4, 5))


def some_masks(size: tuple[int, int], seeds: range) -> list[Bools]:
    return [draw_array(KINDS[seed % len(KINDS)], size, seed) for seed in seeds]


@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    seed=st.integers(0, 2**20),
    lengths=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    crowd=st.one_of(st.none(), st.integers(0, 2**9 - 1)),
)
def test_iou(size: tuple[int, int], seed: int, lengths: tuple[int, int], crowd: int | None) -> None:
    one = some_masks(size, range(seed, seed + lengths[0]))
    two = some_masks(size, range(seed + 5, seed + 5 + lengths[1]))
    iscrowd = None if crowd is None else [bool(crowd >> i & 1) for i in range(len(two))]
    a, b = rle.encode_batch(one), rle.encode_batch(two)
    wanted = reference.iou_matrix(one, two, iscrowd)
    for found in (rle.iou_matrix(a, b, iscrowd), rle.iou_matrix(a, b, iscrowd, size=size)):
        assert found.dtype == np.float64
        assert found.tobytes() == wanted.tobytes()
    if a and b:
        theirs = coco.iou(
            *(
                [coco.encode(np.asfortranarray(mask.view(np.uint8))) for mask in masks]
                for masks in (one, two)
            ),
            iscrowd or [False] * len(b),
        )
        np.testing.assert_array_equal(wanted, theirs)


def test_iou_of_a_list_with_itself_and_of_large_masks() -> None:
    masks = some_masks((300, 400), range(24))
    counts = rle.encode_batch(masks)
    wanted = reference.iou_matrix(masks, masks)
    for size in (None, (300, 400)):
        np.testing.assert_array_equal(rle.iou_matrix(counts, counts, size=size), wanted)
        np.testing.assert_array_equal(rle.iou_matrix(counts, list(counts), size=size), wanted)


def test_iou_of_runs_without_pixels() -> None:
    a = np.array([2, 3, 0, 2, 3, 0, 0, 0, 2], np.uint32)
    b = rle.encode(rle.decode(a, (3, 4)))
    assert b.size < a.size
    assert rle.iou_matrix([a], [a, b]).tolist() == [[1.0, 1.0]]
    assert rle.area(a) == rle.area(b) == 5
    assert rle.bounding_box(a, (3, 4)) == rle.bounding_box(b, (3, 4))


def test_empty_masks_have_no_overlap() -> None:
    empty, full = np.array([12], np.uint32), np.array([0, 12], np.uint32)
    assert rle.iou_matrix([empty, full], [empty, full]).tolist() == [[0.0, 0.0], [0.0, 1.0]]
    nothing = np.array([0], np.uint32)
    assert rle.iou_matrix([nothing], [nothing], size=(0, 3)).tolist() == [[0.0]]
    assert rle.iou_matrix([], [full]).shape == (0, 1)
    assert rle.iou_matrix([full], [], size=(3, 4)).shape == (1, 0)


def test_iou_refuses_what_does_not_fit() -> None:
    a, b = np.array([12], np.uint32), np.array([0, 13], np.uint32)
    with pytest.raises(MaskCodecError, match="sum to 13, expected 12"):
        rle.iou_matrix([a], [b])
    with pytest.raises(MaskCodecError, match="sum to 13, expected 12"):
        rle.iou_matrix([a], [a, b])
    with pytest.raises(MaskCodecError, match="sum to 12, expected 13"):
        rle.iou_matrix([b, a], [a, b])
    with pytest.raises(MaskCodecError, match="sum to 13, expected 12"):
        rle.iou_matrix([b], [b], size=(3, 4))
    with pytest.raises(MaskCodecError, match="sum to 8589934590"):
        rle.iou_matrix([np.array([2**32 - 1] * 2, np.uint32)], [np.array([7], np.uint32)] * 0)
    with pytest.raises(MaskCodecError, match=r"iscrowd has shape \(2,\), expected \(1,\)"):
        rle.iou_matrix([a], [a], [True, False])


def test_kernels_refuse_arrays_that_are_too_small() -> None:
    counts = [np.array([2, 3, 7], np.uint32), np.array([0, 12], np.uint32)]
    spans, first = np.full((5, 2), 77, np.uint32), np.empty(3, np.int64)
    table = np.empty((2, 6), np.int64)
    assert rle_iou.measure(counts, 3, spans[:4], first, table) == 12
    assert table.tolist() == [[12, 3, 0, 0, 2, 3], [12, 12, 0, 0, 4, 3]]
    assert first.tolist() == [0, 2, 4]
    assert (spans[4] == 77).all()
    with pytest.raises(ValueError, match="no height"):
        rle_iou.measure(counts, 0, spans, first, table)
    for room, starts, rows in (
        (spans[:3], first, table),
        (spans, first[:2], table),
        (spans, first, table[:1]),
    ):
        with pytest.raises(ValueError, match=r"too little room|length does not match"):
            rle_iou.measure(counts, 3, room, starts, rows)
    one = (spans, first, table)
    crowd, matrix = np.zeros(2, np.uint8), np.empty((2, 2))
    rle_iou.iou(*one, *one, crowd, matrix)
    assert matrix.tolist() == [[1.0, 0.25], [0.25, 1.0]]
    for bad in (
        (*one, *one, crowd[:1], matrix),
        (*one, *one, crowd, matrix[:1]),
        (spans[:3], first, table, *one, crowd, matrix),
        (*one, spans[:3], first, table, crowd, matrix),
        (*one, spans, first[:2], table, crowd, matrix),
        (spans, first, table[:1], *one, crowd, matrix),
        (spans, first[:0], table[:0], *one, crowd, matrix),
    ):
        with pytest.raises(ValueError, match="length does not match"):
            rle_iou.iou(*bad)
