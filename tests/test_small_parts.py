"""Objects of parts too small or too slender for an outline keep what can be kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from maskcodec import Mask, get_codec

SPECS = (
    "polygon",
    "polygon:points=12",
    "polygon:bins=1000",
    "simpleseg",
    "florence2",
    "vistallm",
    "vistallm:points=4",
)

Bools = npt.NDArray[np.bool_]


def painted(spec: str, array: Bools) -> Bools:
    codec = get_codec(spec)
    found = codec.decode(codec.encode([Mask(array, "x")], array.shape), array.shape)
    assert not found.repairs
    out = np.zeros_like(array)
    for mask in found.masks:
        out |= mask.array
    return out


@pytest.mark.parametrize("spec", SPECS)
def test_far_pixels_do_not_fill_what_lies_between(spec: str) -> None:
    array = np.zeros((1080, 1920), np.bool_)
    array[101, 203] = array[880, 1820] = True
    found = painted(spec, array)
    assert 0 < np.count_nonzero(found) < 20


@pytest.mark.parametrize("spec", [*SPECS, "vistallm:points=3"])
def test_a_speck_does_not_replace_a_line(spec: str) -> None:
    array = np.zeros((480, 640), np.bool_)
    array[200, 20:620] = True
    array[300:303, 400:403] = True
    found = painted(spec, array)
    assert np.count_nonzero(found & array) / np.count_nonzero(found | array) > 0.6


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("place", [(0, 0), (540, 960), (1079, 1919), (0, 1919), (1079, 7)])
def test_one_pixel_of_many_is_painted(spec: str, place: tuple[int, int]) -> None:
    """Widened to a bin where it is less, at the edges of the image too."""
    array = np.zeros((1080, 1920), np.bool_)
    array[place] = True
    rows, columns = np.nonzero(painted(spec, array))
    assert 0 < len(rows) < 20
    assert abs(rows - place[0]).max() < 5
    assert abs(columns - place[1]).max() < 5


def test_another_object_is_written_beside_a_speck() -> None:
    speck, large = np.zeros((2, 1080, 1920), np.bool_)
    speck[101, 203] = large[200:400, 300:700] = True
    codec = get_codec("vistallm")
    masks = [Mask(speck, "a"), Mask(large, "b")]
    found = codec.decode(codec.encode(masks, (1080, 1920)), (1080, 1920))
    assert len(found.masks) == 2


@pytest.mark.parametrize(
    "spec", ["boxgrid", "boxgrid:rows=6", "shapetokens", "shapetokens:tokens=4,boxes=1"]
)
@pytest.mark.parametrize("upright", [False, True])
def test_thin_parts_do_not_fill_what_lies_between(spec: str, upright: bool) -> None:
    """Less than a place wide in the box around both, one of them is what can be kept."""
    array = np.zeros((480, 480), np.bool_)
    array[10, 20:420] = array[400, 20:450] = True
    if upright:
        array = array.T
    found = painted(spec, np.ascontiguousarray(array))
    assert np.count_nonzero(found & array) / np.count_nonzero(found | array) > 0.4
