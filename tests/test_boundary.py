"""Boundary IoU: a plain twin, the authors' recipe in OpenCV, and the corner cases."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from strategies import arrays, draw_array, sizes

from maskcodec import MaskCodecError
from maskcodec.boundary import boundary, boundary_iou, boundary_width
from maskcodec.metrics import iou

Bits = npt.NDArray[np.bool_]


def plain_boundary(mask: Bits, width: int) -> Bits:
    """Set pixels with an unset one, or the image's end, at most `width` rows and columns away."""
    windows = sliding_window_view(np.pad(mask, width), (2 * width + 1, 2 * width + 1))
    near: Bits = mask & ~windows.all(axis=(2, 3))
    return near


def authors_boundary(mask: Bits, width: int) -> Bits:
    """The mask less its erosion by 3x3, `width` times, with one pixel of background around."""
    octets = mask.astype(np.uint8)
    padded = cv2.copyMakeBorder(octets, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
    near: Bits = octets != eroded
    return near


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Bits, Bits]:
    size = draw(sizes(40))
    return draw(arrays(size)), draw(arrays(size))


@given(pairs(), st.integers(1, 9))
def test_boundary_is_what_the_erosions_take_away(pair: tuple[Bits, Bits], width: int) -> None:
    mask = pair[0]
    found = boundary(mask, width)
    assert np.array_equal(found, plain_boundary(mask, width))
    assert np.array_equal(found, authors_boundary(mask, width))


@given(pairs(), st.sampled_from([0.02, 0.05, 0.2]))
def test_boundary_iou_is_the_iou_of_the_boundaries(pair: tuple[Bits, Bits], ratio: float) -> None:
    height, width = pair[0].shape
    pixels = max(1, round(ratio * (height**2 + width**2) ** 0.5))
    expected = iou(plain_boundary(pair[0], pixels), plain_boundary(pair[1], pixels))
    assert boundary_iou(*pair, ratio=ratio) == expected
    assert boundary_iou(*pair[::-1], ratio=ratio) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    # 0.02 * 800 = 16; 0.02 * 125 = 2.5, whose half goes to even; the least is 1.
    [((480, 640), 16), ((75, 100), 2), ((105, 140), 4), ((1, 1), 1), ((2160, 3840), 88)],
)
def test_the_width_is_a_share_of_the_diagonal(size: tuple[int, int], expected: int) -> None:
    assert boundary_width(size) == expected


def test_a_known_value() -> None:
    # d is 16, so that a square of side 100 has a rim of 100² - 68² = 5,376 pixels.
    target = np.zeros((480, 640), np.bool_)
    target[100:200, 100:200] = True
    pred = np.roll(target, 10, axis=1)
    bands = 2 * 16 * 90  # of the rims' upper and lower edges, what both cover
    sides = 2 * (16 - 10) * 68  # and of the left and right ones, between these
    assert boundary_iou(pred, target) == (bands + sides) / (2 * 5376 - bands - sides)


def test_a_missing_core_is_not_seen_and_a_thin_object_is_all_boundary() -> None:
    target = np.zeros((480, 640), np.bool_)
    target[100:300, 100:300] = True
    hollow = target.copy()
    hollow[180:220, 180:220] = False
    assert boundary_iou(target, target) == 1
    # The hole has a contour of its own, which is in no way near that of the truth.
    assert boundary_iou(hollow, target) < iou(hollow, target) < 1
    thin, shifted = np.zeros((2, 480, 640), np.bool_)
    thin[50:60, 20:600] = True
    shifted[55:65, 20:600] = True
    assert boundary_iou(shifted, thin) == iou(shifted, thin)


def test_empty_masks() -> None:
    empty, full = np.zeros((6, 7), np.bool_), np.ones((6, 7), np.bool_)
    assert boundary_iou(empty, empty) == 1
    assert boundary_iou(empty, full) == 0
    assert boundary_iou(full, empty) == 0
    assert boundary_iou(full, full) == 1
    rim = np.pad(np.zeros((4, 5), np.bool_), 1, constant_values=True)
    assert np.array_equal(boundary(full, 1), rim)


def test_the_masks_are_left_as_they_are() -> None:
    mask = draw_array("ellipses", (60, 60), 3)
    before = mask.copy()
    mask.flags.writeable = False
    boundary_iou(mask, mask)
    boundary(mask, 2)
    assert np.array_equal(mask, before)


def test_what_can_not_be_compared_is_an_error() -> None:
    mask = np.zeros((4, 4), np.bool_)
    with pytest.raises(MaskCodecError, match=r"\(4, 4\) and \(4, 5\)"):
        boundary_iou(mask, np.zeros((4, 5), np.bool_))
    for ratio in (0.0, 1.0, -0.02, float("nan")):
        with pytest.raises(MaskCodecError, match="expected a share"):
            boundary_iou(mask, mask, ratio=ratio)
    with pytest.raises(MaskCodecError, match="at least 1 pixel"):
        boundary(mask, 0)
