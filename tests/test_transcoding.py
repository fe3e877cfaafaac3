"""From one spec to another: loss-free within a geometry, by way of pixels between two."""

from __future__ import annotations

import numpy as np
import pytest
from test_contract import photo_masks

from maskcodec import DecodeError, EncodeError, Mask, SpecError, get_codec, transcode
from maskcodec.transcoding import respell

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


def test_specs_will_do() -> None:
    masks = photo_masks()
    text = get_codec("coco_rle").encode(masks, masks[0].size)
    by_spec = transcode(text, "coco_rle", "boxgrid:rows=8", masks[0].size)
    codecs = get_codec("coco_rle"), get_codec("boxgrid:rows=8")
    assert by_spec == transcode(text, *codecs, masks[0].size)
    with pytest.raises(SpecError, match="no codec 'nothing'"):
        transcode(text, "coco_rle", "nothing", masks[0].size)
    with pytest.raises(DecodeError, match="the text is bytes, expected str"):
        transcode(b"none", "coco_rle", "boxgrid", masks[0].size)  # type: ignore[arg-type]


def test_a_batch_is_many_texts() -> None:
    codec = get_codec("boxgrid")
    with pytest.raises(DecodeError, match="texts is one string, expected a list"):
        codec.decode_batch("none", [(4, 4)] * 4)
    found = codec.decode_batch((text for text in ["none"]), iter([(4, 4)]))  # type: ignore[arg-type]
    assert [one.size for one in found] == [(4, 4)]


@pytest.mark.parametrize("spec", ["polygon", "boxgrid", "coco_rle", "text4seg", "florence2"])
def test_objects_without_a_label_can_be_named(spec: str) -> None:
    """SimpleSeg's texts hold no labels, and most formats need them."""
    masks = photo_masks()[:2]
    text = get_codec("simpleseg").encode(masks, SIZE)
    with pytest.raises(EncodeError, match="--label"):
        transcode(text, "simpleseg", spec, SIZE)
    named, _ = transcode(text, "simpleseg", spec, SIZE, label="animal")
    decoded = get_codec(spec).decode(named, SIZE)
    assert set(decoded.labels) == {"animal"}
    told, _ = transcode(get_codec("boxgrid").encode(masks, SIZE), "boxgrid", spec, SIZE, label="x")
    assert sorted(get_codec(spec).decode(told, SIZE).labels) == ["dog", "white horse"]


def test_geometry_is_named_without_painting() -> None:
    runs = get_codec("coco_rle")
    dog, horse, _ = photo_masks()
    geometry = runs.analyze([Mask(dog.array, ""), horse], SIZE)
    assert respell(geometry, runs, "dog") == runs.encode([dog, horse], SIZE)
    assert respell(geometry, get_codec("boxgrid"), "dog") is None
    with pytest.raises(EncodeError, match="--label"):
        respell(geometry, runs)
