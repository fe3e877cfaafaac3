"""From one spec to another: loss-free within a geometry, by way of pixels between two."""

from __future__ import annotations

import numpy as np
import pytest
from test_contract import photo_masks

from maskcodec import DecodeError, EncodeError, Mask, get_codec, transcode

SIZE = (96, 128)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("text4seg:grid=16", "text4seg:grid=16,rle=none"),
        ("text4seg:grid=16,rle=none", "text4seg:grid=16,rle=image,upsample=bilinear"),
        ("coco_rle", "coco_rle:alphabet=coco"),
    ],
)
def test_within_a_geometry_nothing_is_lost(source: str, target: str) -> None:
    one, other = get_codec(source), get_codec(target)
    text = one.encode(photo_masks(), SIZE)
    there, repairs = transcode(text, one, other, SIZE)
    assert repairs == ()
    assert there != text
    # No pixels are painted on the way, so the image's size does not matter.
    back, _ = transcode(there, other, one, (7, 5))
    assert back == text


def test_between_geometries_pixels_are_the_bridge() -> None:
    source, target = get_codec("text4seg:grid=16"), get_codec("coco_rle")
    text = source.encode(photo_masks(), SIZE)
    there, _ = transcode(text, source, target, SIZE)
    before, after = source.decode(text, SIZE), target.decode(there, SIZE)
    assert before.labels == after.labels
    assert np.array_equal(before.pixels, after.pixels)


def test_a_grid_of_another_size_goes_by_way_of_pixels() -> None:
    source, target = get_codec("text4seg:grid=16"), get_codec("text4seg:grid=32")
    text = source.encode(photo_masks(), SIZE)
    there, _ = transcode(text, source, target, SIZE)
    assert np.array_equal(target.decode(there, SIZE).pixels, source.decode(text, SIZE).pixels)


def test_what_was_repaired_is_told() -> None:
    source, target = get_codec("boxgrid"), get_codec("coco_rle")
    text = source.encode(photo_masks(), SIZE)[:-1]
    with pytest.raises(DecodeError):
        transcode(text, source, target, SIZE)
    there, repairs = transcode(text, source, target, SIZE, errors="repair")
    assert repairs
    assert target.decode(there, SIZE).labels == tuple(mask.label for mask in photo_masks())


def test_a_label_that_the_target_cannot_hold() -> None:
    text = get_codec("coco_rle").encode([Mask(photo_masks()[0].array, "a*b")], SIZE)
    with pytest.raises(EncodeError, match=r"label 'a\*b'"):
        transcode(text, get_codec("coco_rle"), get_codec("text4seg"), SIZE)
    escaping = get_codec("text4seg:escape=true")
    there, _ = transcode(text, get_codec("coco_rle"), escaping, SIZE)
    assert escaping.decode(there, SIZE).labels == ("a*b",)
