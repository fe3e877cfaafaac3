"""The geometry of shape tokens: what is found for masks, and what is painted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_pictures import draw_shape, draw_shapes, fields_of, iou
from strategies import LABELS, mask_lists

from maskcodec import Mask, MaskCodecError, get_codec
from maskcodec._reference import field as reference
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_codebook import BINS, CELLS, CODES, get_codebook
from maskcodec.geometry.shape_field import MOST_PIXELS, field_of
from maskcodec.geometry.shape_search import search
from maskcodec.geometry.shape_tables import search_tables
from maskcodec.geometry.shapetokens import analyze, render_batch
from maskcodec.geometry.tokens import ShapeTokens

BOOK = "shapes1"
SIZE = (120, 160)

Bools = npt.NDArray[np.bool_]
Size = tuple[int, int]


def paint(geometry: ShapeTokens, size: Size) -> Bools:
    return np.asarray(render_batch([geometry], [size])[0])


def ious(masks: Sequence[Mask], planes: Bools) -> list[float]:
    return [iou(mask.array, plane) for mask, plane in zip(masks, planes, strict=True)]


def made(boxes: list[list[int]], codes: list[list[int]], family: str = BOOK) -> ShapeTokens:
    return ShapeTokens(
        f"shapetokens:{family}",
        BINS,
        tuple(f"object {index}" for index in range(len(boxes))),
        np.array(boxes, np.int32).reshape(-1, 4),
        np.array([len(one) for one in codes], np.int32),
        np.array([code for one in codes for code in one], np.int32),
    )


def one_mask(size: Size, rows: slice, columns: slice) -> Mask:
    array = np.zeros(size, np.bool_)
    array[rows, columns] = True
    return Mask(array, "dog")


# --- how good it is ---


@pytest.mark.parametrize("size", [(240, 320), (40, 30), (500, 700)])
def test_more_codes_sharpen(size: Size) -> None:
    """Floors are well below what a codebook of any worth reaches on these."""
    masks = draw_shapes(30, size)
    geometry = analyze(masks, size, BOOK, 16)
    assert (geometry.counts == 16).all()
    means = []
    for tokens, floor in ((0, 0.4), (1, 0.64), (4, 0.84), (8, 0.91), (16, 0.945)):
        found = ious(masks, paint(geometry.prefix(tokens), size))
        means.append(sum(found) / len(found))
        assert means[-1] > floor, tokens
    assert all(before < after for before, after in pairwise(means))
    direct = ious(masks, paint(analyze(masks, size, BOOK, 8), size))
    assert sum(direct) / len(direct) > means[3] - 1e-3  # the last code is chosen for this length


@given(example=mask_lists(60), tokens=st.integers(1, 16))
def test_every_prefix_decodes(example: tuple[list[Mask], Size], tokens: int) -> None:
    masks, size = example
    geometry = analyze(masks, size, BOOK, tokens)
    for count in range(tokens + 1):
        planes = paint(geometry.prefix(count), size)
        assert planes.shape == (len(masks), *size)
        boxes = to_pixels(geometry.boxes, size, BINS)
        for mask, plane, (left, top, right, bottom) in zip(masks, planes, boxes, strict=True):
            assert mask.array.any() or not plane.any()
            plane[top:bottom, left:right] = False
            assert not plane.any(), "painted beyond its box"


def test_a_larger_picture_has_the_same_shapes() -> None:
    masks = draw_shapes(15, SIZE)
    geometry = analyze(masks, SIZE, BOOK, 16)
    for factor in (2, 5):
        size = (SIZE[0] * factor, SIZE[1] * factor)
        planes = paint(geometry, size)
        large = [np.kron(mask.array, np.ones((factor, factor), np.bool_)) for mask in masks]
        found = [iou(array, plane) for array, plane in zip(large, planes, strict=True)]
        assert sum(found) / len(found) > 0.9
    half = paint(geometry, (SIZE[0] // 2, SIZE[1] // 2))
    found = [iou(mask.array[1::2, 1::2], plane) for mask, plane in zip(masks, half, strict=True)]
    assert sum(found) / len(found) > 0.9


@pytest.mark.parametrize("size", [(1_500, 2_100), (3_000, 1_024)])
def test_pictures_whose_boxes_are_rounded(size: Size) -> None:
    masks = draw_shapes(5, size)
    assert max(size) > BINS
    found = ious(masks, paint(analyze(masks, size, BOOK, 16), size))
    assert sum(found) / len(found) > 0.93
    for row, column in ((0, 0), (size[0] - 1, size[1] - 1), (777, 1_023)):
        dot = one_mask(size, slice(row, row + 1), slice(column, column + 1))
        plane = paint(analyze([dot], size, BOOK, 8), size)[0]
        assert plane[row, column], "a dot of one pixel is in its rounded box"
        assert plane.sum() <= 9


# --- what masks become ---


def test_masks_without_pixels() -> None:
    masks = [draw_shapes(1, SIZE)[0], Mask(np.zeros(SIZE, np.bool_), "no"), draw_shapes(2, SIZE)[1]]
    geometry = analyze(masks, SIZE, BOOK, 5)
    assert geometry.counts.tolist() == [5, 0, 5]
    assert geometry.boxes[1].tolist() == [0, 0, 0, 0]
    assert geometry.labels == ("object 0", "no", "object 1")
    planes = paint(geometry, SIZE)
    assert not planes[1].any()
    assert min(ious(masks, planes)) > 0.75
    for none in (masks[1:2], []):
        geometry = analyze(none, SIZE, BOOK, 5)
        assert not len(geometry.codes)
        assert geometry.boxes.shape == (len(none), 4)
        assert not paint(geometry, SIZE).any()


@pytest.mark.parametrize("tokens", [1, 8, 16])
@pytest.mark.parametrize("place", [(0, 0), (60, 80), (119, 159)])
def test_one_pixel(tokens: int, place: Size) -> None:
    row, column = place
    dot = one_mask(SIZE, slice(row, row + 1), slice(column, column + 1))
    np.testing.assert_array_equal(paint(analyze([dot], SIZE, BOOK, tokens), SIZE)[0], dot.array)


@pytest.mark.parametrize(
    "size", [(1, 65_536), (65_536, 1), (3, 65_536), (65_536, 2), (1, 1), (2, 1), (1, 1_024)]
)
def test_thin_pictures(size: Size) -> None:
    full = Mask(np.ones(size, np.bool_), "dog")
    part = one_mask(size, slice(0, (size[0] + 1) // 2), slice(size[1] // 3, size[1]))
    planes = paint(analyze([full, part], size, BOOK, 16), size)
    assert min(ious([full, part], planes)) > 0.98


@pytest.mark.parametrize("side", [MOST_PIXELS - 1, MOST_PIXELS + 1, 300])
@pytest.mark.parametrize("kind", ["blob", "polygon", "cross"])
def test_objects_about_as_large_as_the_largest_crop(side: int, kind: str) -> None:
    array = draw_shape(kind, (side * 3 // 2, side * 3 // 2), 5)
    rows, columns = np.nonzero(array)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.int32)
    field = field_of(array, box)
    assert field.shape == (CELLS, CELLS)
    assert field.dtype == np.float32
    assert np.abs(field).max() <= 1
    cut = array[box[1] : box[3], box[0] : box[2]]
    painted = reference.paint(np.rint(field * 2**14).astype(np.int32), *cut.shape)
    assert iou(cut, painted) > 0.95


def test_the_field_of_a_square() -> None:
    """Distances in cells, to the edge and beyond it, less half a pixel, clipped at 8."""
    array = np.zeros((64, 64), np.bool_)
    array[16:48, 16:48] = True
    field = field_of(array, np.array([0, 0, 64, 64], np.int32))
    assert field[32, 14:20].tolist() == [-1.5 / 8, -0.5 / 8, 0.5 / 8, 1.5 / 8, 2.5 / 8, 3.5 / 8]
    assert field[32, 32] == 1
    assert field[0, 0] == -1
    np.testing.assert_array_equal(field, field.T)
    full = field_of(np.ones((9, 5), np.bool_), np.array([0, 0, 5, 9], np.int32))
    assert (full > 0).all()
    half = field_of(array, np.array([16, 0, 48, 64], np.int32))
    # Beyond the box there is no object: a pixel, two cells, away, less half of the smaller step.
    assert half[32].min() == 1.5 / 8


@pytest.mark.parametrize("wanted", [0.7, 0.9, 0.97])
def test_the_shortest_prefix_that_reaches_an_iou(wanted: float) -> None:
    masks, book = draw_shapes(20, SIZE), get_codebook(BOOK)
    tables, fields = search_tables(BOOK), fields_of(masks)
    geometry = analyze(masks, SIZE, BOOK, 16, wanted)

    def reached(codes: npt.NDArray[np.int32], field: npt.NDArray[np.float32]) -> float:
        painted = book.fields(np.array([len(codes)], np.int32), codes) > 0
        return iou(painted.ravel(), field > 0)

    assert 1 <= geometry.counts.min() < geometry.counts.max() <= 16
    for index, field in enumerate(fields):
        codes = geometry.codes_of(index)
        if len(codes) < 16:
            assert reached(codes, field) > wanted - 2e-3
        if len(codes) > 1:
            shorter = search(tables, field[None], len(codes) - 1)[0]
            assert len(shorter) == len(codes) - 1
            assert reached(shorter, field) < wanted + 2e-3
        np.testing.assert_array_equal(codes, search(tables, field[None], len(codes))[0])
    assert analyze(masks, SIZE, BOOK, 3, 1.0).counts.max() == 3
    assert (analyze(masks, SIZE, BOOK, 16, 0.01).counts == 1).all()


def test_encoding_is_repeatable_and_objects_do_not_change_each_other() -> None:
    """The search runs in blocks of 32, and a product of matrices may round by its height."""
    masks = draw_shapes(40, SIZE, seed=100)
    codec: Any = get_codec("shapetokens:tokens=16")
    together = codec.encode(masks, SIZE)
    assert codec.encode(masks, SIZE) == together
    assert "\n".join(codec.encode([mask], SIZE) for mask in masks) == together
    assert codec.encode(masks[3:36], SIZE) == "\n".join(together.split("\n")[3:36])


def test_a_batch_over_several_images_and_threads_equals_its_images() -> None:
    codec = get_codec("shapetokens:tokens=6")
    sizes = [(120, 160), (33, 57), (64, 64), (90, 31), (120, 160)]
    lists = [draw_shapes(n, size, n) for n, size in zip((40, 3, 0, 1, 27), sizes, strict=True)]
    alone = [codec.encode(masks, size) for masks, size in zip(lists, sizes, strict=True)]
    for threads in (1, 2, None):
        assert codec.encode_batch(lists, sizes, threads=threads) == alone
    decoded = codec.decode_batch(alone, sizes)
    for text, size, many in zip(alone, sizes, decoded, strict=True):
        np.testing.assert_array_equal(codec.decode(text, size).pixels, many.pixels)
    with pytest.raises(MaskCodecError, match="5 masks but 4 sizes"):
        codec.encode_batch(lists, sizes[:4])


def test_codebooks_that_are_none() -> None:
    masks = draw_shapes(1, SIZE)
    with pytest.raises(MaskCodecError, match=r"there are: .*shapes1"):
        analyze(masks, SIZE, "nope", 8)
    with pytest.raises(MaskCodecError, match="16 stages, not 17"):
        analyze(masks, SIZE, BOOK, 17)


@pytest.mark.parametrize("spec", ["shapetokens", "shapetokens:tokens=1", "shapetokens:iou=0.9"])
def test_masks_that_come_back_are_exact(spec: str) -> None:
    """Law 2 has a domain in whatever codebook: dots at least."""
    codec = get_codec(spec)
    dots = [one_mask(SIZE, slice(at, at + 1), slice(2 * at, 2 * at + 1)) for at in (0, 7, 79)]
    assert codec.is_exact(dots, SIZE)
    text = codec.encode(dots, SIZE)
    assert codec.encode(codec.decode(text, SIZE).masks, SIZE) == text
    assert not codec.is_exact([Mask(draw_shape("ring", SIZE, 1), "ring"), *dots], SIZE)


# --- painting ---


def test_boxes_without_area_and_objects_without_codes() -> None:
    boxes = [[10, 10, 10, 700], [10, 700, 900, 700], [0, 0, 0, 0], [100, 100, 900, 900]]
    planes = paint(made(boxes, [[1, 2], [], [3], []]), SIZE)
    assert not planes[:3].any()
    inside = planes[3][12:105, 16:140]
    assert planes[3].sum() == inside.sum() > 0.3 * inside.size, "the mean shape"


def test_corners_in_another_order() -> None:
    codes = [[5, 6, 7]] * 3
    boxes = [[100, 200, 900, 800], [900, 800, 100, 200], [900, 200, 100, 800]]
    planes = paint(made(boxes, codes), SIZE)
    np.testing.assert_array_equal(planes[0], planes[1])
    np.testing.assert_array_equal(planes[0], planes[2])


@given(
    seed=st.integers(0, 999),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
@settings(max_examples=20)
def test_painting_is_what_its_definition_says(seed: int, size: Size) -> None:
    """The field's sum of codes, bilinear at pixel centres, in fractions."""
    random = np.random.default_rng(seed)
    box = np.sort(random.integers(0, BINS + 1, (2, 2)), axis=0).ravel().tolist()
    codes = random.integers(0, CODES, random.integers(0, 17)).tolist()
    geometry = made([box], [codes])
    field = get_codebook(BOOK).fields(geometry.counts, geometry.codes)[0]
    left, top, right, bottom = to_pixels(geometry.boxes, size, BINS)[0].tolist()
    wanted = np.zeros(size, np.bool_)
    wanted[top:bottom, left:right] = reference.paint(field, bottom - top, right - left)
    np.testing.assert_array_equal(paint(geometry, size)[0], wanted)


@pytest.mark.parametrize("device", ["cpu", "torch"])
@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (made([[0, 0, 9, 9]], [[CODES]]), "codes must be 0 to 1023"),
        (made([[0, 0, 9, 9]], [[-1]]), "codes must be 0 to 1023"),
        (made([[0, 0, 9, 9]], [[0] * 17]), "17 codes an object, at most 16"),
        (made([[0, 0, 9, BINS + 1]], [[0]]), "boxes must be 0 to 1023"),
        (made([[-1, 0, 9, 9]], [[0]]), "boxes must be 0 to 1023"),
        (made([[0, 0, 9, 9]], [[0]], "nope"), "no codebook is called 'nope'"),
    ],
)
def test_what_cannot_be_painted(geometry: ShapeTokens, message: str, device: str) -> None:
    target: Any = device if device == "cpu" else pytest.importorskip("torch").device("cpu")
    with pytest.raises(MaskCodecError, match=message):
        render_batch([geometry], [SIZE], device=target)


@pytest.mark.parametrize(("counts", "said"), [([2, 2], 4), ([3, -1], 2), ([1, 1], 2)])
def test_counts_that_are_not_those_of_the_codes(counts: list[int], said: int) -> None:
    right = made([[0, 0, 9, 9], [9, 9, 30, 30]], [[1, 2], [3]])
    wrong = dataclasses.replace(right, counts=np.array(counts, np.int32))
    with pytest.raises(MaskCodecError, match=f"counts add up to {said}, there are 3 codes"):
        render_batch([wrong], [SIZE])


def test_numbers_of_other_types() -> None:
    right = made([[0, 0, 9, 9], [9, 9, 30, 30]], [[1, 2], [3]])
    other = dataclasses.replace(
        right, counts=right.counts.astype(np.int64), codes=right.codes.astype(np.int64)
    )
    for one, two in zip(render_batch([right], [SIZE]), render_batch([other], [SIZE]), strict=True):
        np.testing.assert_array_equal(one, two)


def test_codes_of_another_family() -> None:
    nothing = np.zeros(0, np.int32)
    other = ShapeTokens("himtok", 1000, (), nothing.reshape(0, 4), nothing, nothing)
    with pytest.raises(MaskCodecError, match="none of shapetokens"):
        render_batch([other], [SIZE])


def test_labels_are_kept() -> None:
    masks = [
        Mask(mask.array, label) for mask, label in zip(draw_shapes(7, SIZE), LABELS, strict=True)
    ]
    geometry = analyze(masks, SIZE, BOOK, 2)
    assert geometry.labels == LABELS
    assert geometry.family == "shapetokens:shapes1"
    assert geometry.bins == BINS
    assert geometry.head(3).labels == LABELS[:3]
    np.testing.assert_array_equal(paint(geometry.head(3), SIZE), paint(geometry, SIZE)[:3])
