"""Boxes in bins: what rounding keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec.geometry.boxes import to_bins, to_pixels


@pytest.mark.parametrize("bins", [999, 1023])
@given(start=st.integers(0, 65_535), length=st.integers(1, 65_536), side=st.integers(1, 65_536))
def test_boxes_keep_an_area(bins: int, start: int, length: int, side: int) -> None:
    start %= side
    stop = min(start + length, side)
    found = to_bins((start, 0, stop, 1), (1, side), bins)
    left, _, right, _ = to_pixels(np.array(found, np.int32), (1, side), bins).tolist()
    assert 0 <= left < right <= side
    assert left < stop
    assert start < right
    if side <= bins:
        assert (left, right) == (start, stop)


def test_corners_come_back_in_order() -> None:
    boxes = np.array([[900, 20, 100, 10]], np.int32)
    assert to_pixels(boxes, (1023, 1023), 1023).tolist() == [[100, 10, 900, 20]]
