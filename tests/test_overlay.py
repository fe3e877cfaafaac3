"""Overlays: what is painted, what is left alone, and images of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from maskcodec import Mask, MaskCodecError
from maskcodec.overlay import as_rgb, colours, crop, draw_overlay, fit


def block(label: str = "dog", box: tuple[int, int, int, int] = (10, 10, 30, 40)) -> Mask:
    """A rectangle, xyxy, in an image of 60x80."""
    array = np.zeros((60, 80), dtype=np.bool_)
    array[box[1] : box[3], box[0] : box[2]] = True
    return Mask(array, label)


GREY = np.full((60, 80), 100, dtype=np.uint8)


def test_only_masked_pixels_change() -> None:
    mask = block()
    painted = draw_overlay(GREY, [mask], tags=False)
    assert painted.shape == (60, 80, 3)
    assert (painted[~mask.array] == 100).all()
    assert (painted[mask.array] != 100).any(axis=1).all()


def test_contour_is_opaque_and_the_inside_is_mixed() -> None:
    painted = draw_overlay(GREY, [block()], tags=False, opacity=0.5)
    colour = colours(1)[0]
    for y, x in [(10, 10), (10, 29), (39, 20), (25, 10)]:
        assert tuple(painted[y, x]) == colour
    assert [int(c) for c in painted[25, 20]] == [(100 + c + 1) // 2 for c in colour]


def test_contour_goes_around_holes_and_along_the_border() -> None:
    array = np.ones((60, 80), dtype=np.bool_)
    array[20:40, 30:50] = False
    painted = draw_overlay(GREY, [Mask(array, "")], tags=False, opacity=0)
    colour = np.array(colours(1)[0])
    edge = (painted == colour).all(axis=2)
    assert edge[0].all()
    assert edge[:, -1].all()
    assert edge[19, 30:50].all()
    assert edge[20:40, 50].all()
    assert edge.sum() == 2 * 80 + 2 * 58 + 4 * 20
    assert (painted[~edge] == 100).all()


def test_later_masks_lie_on_top_and_labels_share_a_colour() -> None:
    masks = [block("a", (0, 0, 40, 40)), block("b", (20, 20, 60, 60)), block("a", (60, 0, 80, 20))]
    first, second, third = colours(3)
    by_mask = draw_overlay(GREY, masks, tags=False)
    assert tuple(by_mask[20, 20]) == second
    assert tuple(by_mask[0, 0]) == first
    assert tuple(by_mask[0, 60]) == third
    by_label = draw_overlay(GREY, masks, tags=False, colour_by="label")
    assert tuple(by_label[0, 60]) == tuple(by_label[0, 0]) == first
    agreed = draw_overlay(GREY, masks[1:2], tags=False, colour_by="label", labels=["a", "b"])
    assert tuple(agreed[20, 20]) == second


def test_empty_masks_and_no_masks_change_nothing() -> None:
    empty = Mask(np.zeros((60, 80), dtype=np.bool_), "ghost")
    assert (draw_overlay(GREY, []) == 100).all()
    assert (draw_overlay(GREY, [empty]) == 100).all()


@pytest.mark.parametrize(
    "label",
    ["dog", "x" * 500, "two\nlines", "\x1b[31m\x00", "\u202eabc", "犬", "<b>", " ", "\ud800"],
)
@pytest.mark.parametrize("box", [(10, 10, 30, 40), (0, 0, 2, 2), (78, 58, 80, 60)])
def test_any_label_can_be_a_tag(label: str, box: tuple[int, int, int, int]) -> None:
    painted = draw_overlay(GREY, [block(label, box)], opacity=0)
    assert painted.shape == (60, 80, 3)
    assert (painted != 100).any()


def test_a_tag_is_drawn_by_the_object() -> None:
    without = draw_overlay(GREY, [block(box=(10, 30, 60, 58))], tags=False)
    changed = np.argwhere(
        (draw_overlay(GREY, [block(box=(10, 30, 60, 58))]) != without).any(axis=2)
    )
    assert len(changed) > 50
    assert changed[:, 0].max() < 30
    assert changed[:, 1].min() >= 10


def test_images_of_every_kind_become_rgb() -> None:
    kinds: list[tuple[npt.NDArray[Any], int]] = [
        (np.full((3, 4), 200, np.uint8), 200),
        (np.full((3, 4, 1), 200, np.uint8), 200),
        (np.full((3, 4, 3), 200, np.uint8), 200),
        (np.full((3, 4), 200 << 8, np.uint16), 200),
        (np.full((3, 4), 0.5), 128),
        (np.full((3, 4), np.nan), 0),
        (np.ones((3, 4), np.bool_), 255),
    ]
    for image, expected in kinds:
        assert as_rgb(image).shape == (3, 4, 3)
        assert as_rgb(image).dtype == np.uint8
        assert (as_rgb(image) == expected).all()
    clear = np.zeros((3, 4, 4), np.uint8)
    assert (as_rgb(clear) == 255).all()  # transparent black is shown on white
    assert as_rgb(np.full((3, 4, 3), 7, np.uint8)).flags.writeable


@pytest.mark.parametrize(
    "image",
    [
        np.zeros(5),
        np.zeros((3, 4, 2)),
        np.zeros((0, 4)),
        np.zeros((2, 3, 4, 3)),
        np.zeros((3, 4), int),
    ],
)
def test_what_is_no_image_is_an_error(image: npt.NDArray[Any]) -> None:
    with pytest.raises(MaskCodecError, match="image"):
        as_rgb(image)


def test_a_mask_of_another_size_is_an_error_that_names_it() -> None:
    with pytest.raises(MaskCodecError, match=r"mask 'dog' is 60x80.*50x80"):
        draw_overlay(GREY[:50], [block()])


def test_colours_differ() -> None:
    many = np.array(colours(60), dtype=np.int64)
    apart = np.abs(many[:, None] - many[None]).sum(axis=2) + 1000 * np.eye(60, dtype=np.int64)
    assert apart[:10, :10].min() > 90
    assert apart.min() > 0
    assert colours(5) == colours(60)[:5]


def test_fit_shrinks_image_and_masks_alike() -> None:
    mask = block(box=(20, 10, 60, 50))
    image, (small,) = fit(GREY, [mask], 40)
    assert image.shape == (30, 40, 3)
    assert small.size == (30, 40)
    assert small.label == "dog"
    assert np.array_equal(small.array, mask.array[::2, ::2])


def test_fit_enlarges_by_whole_factors_only() -> None:
    image, (large,) = fit(GREY, [block()], 200)
    assert image.shape == (120, 160, 3)
    assert np.array_equal(large.array, np.kron(block().array, np.ones((2, 2), dtype=np.bool_)))
    assert fit(GREY, [], 100)[0].shape == (60, 80, 3)
    assert fit(GREY[:1], [], 20)[0].shape == (1, 20, 3)


def test_crop_cuts_image_and_masks_alike() -> None:
    image, (cut,) = crop(GREY, [block()], (5, 10, 35, 40))
    assert image.shape == (30, 30)
    assert cut.area == block().area
    assert cut.array[:, 5:25].all()


def test_pictures_of_pillow_are_taken() -> None:
    picture = draw_overlay(Image.fromarray(GREY), [block()])
    assert np.array_equal(picture, draw_overlay(GREY, [block()]))


@pytest.mark.parametrize(
    ("more", "message"),
    [({"opacity": 5}, "opacity is 5, expected 0 to 1"), ({"colour_by": "lable"}, "'lable'")],
)
def test_wrong_options_are_named(more: Any, message: str) -> None:
    with pytest.raises(MaskCodecError, match=message):
        draw_overlay(GREY, [block()], **more)
