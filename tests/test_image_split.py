"""The split by image: fixed for ever, and one side for all names of a photograph."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec.datasets.image_split import in_split, is_held_out

HELD_OUT = (10, 15, 16, 18, 28, 42, 47, 48, 64, 65, 69, 71, 74, 84, 87, 88, 101, 115)
"""The held-out ones of the first 120 numbers of COCO: published figures hang on them."""


def test_the_rule_never_changes() -> None:
    assert tuple(n for n in range(120) if is_held_out(f"{n:012}.jpg")) == HELD_OUT


@pytest.mark.parametrize("number", ["000000000010", "000000000011"])
@pytest.mark.parametrize(
    "name",
    [
        "{}",
        "{}.jpg",
        "images/{}.jpg",
        "/data/val2017/{}.png",
        "C:\\data\\{}.jpg",
        "http://images.cocodataset.org/val2017/{}.jpg",
        "COCO_val2014_{}.jpg",
        "train2014/COCO_train2014_{}.jpg",
    ],
)
def test_all_names_of_a_photograph_fall_on_one_side(name: str, number: str) -> None:
    assert is_held_out(name.format(number)) == (number == "000000000010")


@given(st.text(st.characters(exclude_characters="/\\.")), st.sampled_from(["", ".jpg", ".JPEG"]))
def test_the_name_is_hashed_as_written_down(stem: str, suffix: str) -> None:
    if stem.startswith("COCO_"):
        return
    digest = hashlib.sha256(stem.encode("utf-8", "surrogatepass")).hexdigest()
    assert is_held_out(stem + suffix) == (int(digest[:16], 16) % 8 == 0)


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("{}.b.c.png", "{}.b.c"),
        (".{}", ".{}"),
        ("..{}", "..{}"),
        ("folder.d/{}", "{}"),
        ("COCO_val2014_x{}.jpg", "COCO_val2014_x{}"),
        ("my_COCO_val2014_{}.jpg", "my_COCO_val2014_{}"),
        ("COCO_val2014_{}.x.jpg", "{}.x"),
    ],
)
def test_only_the_last_extension_and_the_prefix_of_coco_go(name: str, hashed: str) -> None:
    for number in range(40):  # enough of them to find a wrong name out
        digest = hashlib.sha256(hashed.format(number).encode()).hexdigest()
        assert is_held_out(name.format(number)) == (int(digest[:16], 16) % 8 == 0)


def test_every_image_is_in_one_split_and_about_an_eighth_held_out() -> None:
    images = [f"{number}.jpg" for number in range(8000)]
    held_out = [image for image in images if in_split(image, "held-out")]
    assert 900 < len(held_out) < 1100
    assert sum(in_split(image, "train") for image in images) == 8000 - len(held_out)
    assert not any(in_split(image, "train") for image in held_out)
    assert all(in_split(image, "all") for image in images)
