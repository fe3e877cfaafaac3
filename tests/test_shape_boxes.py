"""Which boxes shape tokens try, and that no object vanishes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shape_pictures import draw_shapes
from strategies import mask_lists

from maskcodec import Mask, SpecError, get_codec
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_boxes import LEFT_OUT, boxes_of
from maskcodec.geometry.shape_codebook import BINS
from maskcodec.metrics import iou


def test_the_first_box_is_tight_and_the_others_leave_little_out() -> None:
    for mask in draw_shapes(20, (200, 300)):
        boxes = to_pixels(boxes_of(mask.array, 3), mask.size, BINS)
        assert 1 <= len(boxes) <= 3
        for number, (left, top, right, bottom) in enumerate(boxes.tolist()):
            kept = np.count_nonzero(mask.array[top:bottom, left:right])
            assert kept >= mask.area * (1 - 4 * LEFT_OUT[min(number, 2)])
        left, top, right, bottom = boxes[0].tolist()
        assert np.count_nonzero(mask.array[top:bottom, left:right]) == mask.area


@given(example=mask_lists(60), count=st.integers(1, 3))
def test_boxes_have_an_area_and_differ(
    example: tuple[list[Mask], tuple[int, int]], count: int
) -> None:
    for mask in example[0]:
        boxes = boxes_of(mask.array, count)
        assert len(boxes) <= count
        assert (len(boxes) > 0) == mask.array.any()
        assert len({tuple(box) for box in boxes.tolist()}) == len(boxes)
        pixels = to_pixels(boxes, mask.size, BINS)
        assert (pixels[:, 2:] > pixels[:, :2]).all()


def test_more_boxes_are_never_worse() -> None:
    masks = draw_shapes(20, (240, 320))
    means = []
    for boxes in (1, 2, 3):
        codec = get_codec(f"shapetokens:tokens=4,boxes={boxes}")
        texts = codec.encode_batch([[mask] for mask in masks], [(240, 320)] * len(masks))
        decoded = codec.decode_batch(texts, [(240, 320)] * len(masks), errors="strict")
        means.append(
            [iou(np.asarray(d.pixels[0]), m.array) for d, m in zip(decoded, masks, strict=True)]
        )
    one, two, three = np.array(means)
    assert (one <= two).all()
    assert (two <= three).all()
    assert three.mean() > one.mean()


@pytest.mark.parametrize("boxes", [0, 4])
def test_how_many_boxes_there_are(boxes: int) -> None:
    with pytest.raises(SpecError, match="1 to 3"):
        get_codec(f"shapetokens:boxes={boxes}")


@pytest.mark.parametrize("side", [128, 400, 1000])
@pytest.mark.parametrize("width", [1, 3, 6])
@pytest.mark.parametrize("tokens", [1, 8])
def test_thin_objects_do_not_vanish(side: int, width: int, tokens: int) -> None:
    y, x = np.mgrid[:side, :side]
    mask = Mask(abs(y - x) < (width + 1) // 2, "wire")
    codec = get_codec(f"shapetokens:tokens={tokens}")
    painted = codec.decode(codec.encode([mask], mask.size), mask.size).masks[0].array
    assert (painted & mask.array).any()


@given(example=mask_lists(48))
def test_no_mask_vanishes(example: tuple[list[Mask], tuple[int, int]]) -> None:
    masks, size = example
    codec = get_codec("shapetokens:tokens=2")
    decoded = codec.decode(codec.encode(masks, size), size)
    for mask, found in zip(masks, decoded.masks, strict=True):
        assert mask.array.any() == found.array.any()
