"""Refinement by the image: methods by name, what they may change, and that they find edges."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import disc
from scipy.ndimage import distance_transform_edt, label

from maskcodec import Mask, MaskCodecError, get_codec
from maskcodec.errors import SpecError
from maskcodec.metrics import iou
from maskcodec.refine import METHODS, cell_side, method_spec, read_method, refine
from maskcodec.refine_guided import Guided, guided_filter
from maskcodec.refine_region import MAX_SHARE, band_width, cut, paste, sure

Bits = npt.NDArray[np.bool_]
Rgb = npt.NDArray[np.uint8]

SIZE = (120, 160)
GRID = get_codec("text4seg:grid=16")
LOCAL = ("guided", "walker", "grabcut")

each_method = pytest.mark.parametrize("method", LOCAL)


@pytest.fixture(autouse=True)
def _needs_opencv(request: pytest.FixtureRequest) -> None:
    if "grabcut" in request.node.name:
        pytest.importorskip("cv2")


def picture(truth: Bits, noise: int = 12, seed: int = 0) -> Rgb:
    """A photograph of sorts: the object blue, the rest brown, noise on both."""
    colours = np.where(truth[..., None], (40, 60, 190), (170, 120, 60))
    spread = np.random.default_rng(seed).integers(-noise, noise + 1, colours.shape)
    return np.clip(colours + spread, 0, 255).astype(np.uint8)


def coarse(truth: Bits) -> Bits:
    """What a grid of 16 x 16 keeps."""
    text = GRID.encode([Mask(truth, "dog")], truth.shape)
    return GRID.decode(text, truth.shape).masks[0].array


@each_method
def test_a_coarse_grid_is_moved_to_the_edges(method: str) -> None:
    truth = disc(SIZE, (60, 80), 38)
    before = coarse(truth)
    assert iou(before, truth) < 0.93
    masks = refine(picture(truth), [Mask(before, "dog", 0.5)], method, codec=GRID)
    assert iou(masks[0].array, truth) > (0.95 if method == "guided" else 0.99)
    assert (masks[0].label, masks[0].score) == ("dog", 0.5)


@each_method
def test_nothing_changes_outside_of_the_band(method: str) -> None:
    truth = disc(SIZE, (60, 80), 38)
    noise = np.random.default_rng(1).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    (found,) = refine(noise, [Mask(truth, "dog")], method)
    width = read_method(method).band * np.sqrt(truth.sum())  # type: ignore[union-attr]
    assert 1.5 < width < 4
    changed = found.array != truth
    assert changed.any()
    far = np.where(truth, distance_transform_edt(truth), distance_transform_edt(~truth))
    assert far[changed].max() <= width


@each_method
def test_the_same_input_gives_the_same_masks(method: str) -> None:
    truth = disc(SIZE, (60, 80), 38)
    image, masks = picture(truth, noise=90), [Mask(coarse(truth), "a"), Mask(truth, "b")]
    first = refine(image, masks, method, codec=GRID)
    refine(image, masks[::-1], method, codec=GRID)
    again = refine(image, masks, method, codec=GRID)
    assert all(np.array_equal(a.array, b.array) for a, b in zip(first, again, strict=True))
    alone = refine(image, masks[1:], method, codec=GRID)
    assert np.array_equal(alone[0].array, first[1].array)


@each_method
def test_masks_without_anything_to_decide_stay(method: str) -> None:
    image = np.random.default_rng(2).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    tiny = np.zeros(SIZE, np.bool_)
    tiny[5:8, 5:10] = True
    small = disc(SIZE, (60, 80), 12)
    masks = [Mask(array) for array in (np.zeros(SIZE, np.bool_), tiny, np.ones(SIZE, np.bool_))]
    for codec in (None, GRID):
        found = refine(image, masks, method, codec=codec)
        assert all(np.array_equal(a.array, b.array) for a, b in zip(found, masks, strict=True))
    (found_small,) = refine(image, [Mask(small)], method)
    assert np.array_equal(found_small.array, small)
    (found_small,) = refine(image, [Mask(small)], f"{method}:area=0")
    assert not np.array_equal(found_small.array, small)
    assert refine(image, [], method) == []


@each_method
def test_thin_pieces_and_small_holes_do_not_vanish(method: str) -> None:
    mask = disc(SIZE, (60, 60), 40) & ~disc(SIZE, (60, 60), 3)
    mask[10:110, 120:122] = True
    noise = np.random.default_rng(3).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    (found,) = refine(noise, [Mask(mask)], f"{method}:band=0.2")
    assert found.array[60 - 20, 60]
    assert found.array[10:110, 116:126].any()
    assert not found.array[57:64, 57:64].all()


@each_method
def test_a_large_window_is_scaled_down(method: str) -> None:
    size = (480, 600)
    truth = disc(size, (240, 300), 170)
    before = np.roll(truth, 6, axis=1)
    image = picture(truth)
    (whole,) = refine(image, [Mask(before)], method)
    (scaled,) = refine(image, [Mask(before)], f"{method}:side=160")
    assert not np.array_equal(whole.array, scaled.array)
    for found in (whole, scaled):
        assert iou(found.array, truth) > iou(before, truth) + 0.01
    assert cut(image, before, 2.0, 160) is None  # a band of two pixels is nothing in a third
    region, box = cut(image, before, 10.0, 160) or pytest.fail("no window")
    assert max(region.mask.shape) == 160
    assert box == (300 - 170 + 6 - 22, 240 - 170 - 22, 300 + 171 + 6 + 22, 240 + 171 + 22)


def test_what_a_scaled_window_did_not_change_keeps_the_resolution_of_the_image() -> None:
    rows, columns = np.mgrid[:400, :400]
    inside = (columns > 100) & (columns < 300) & (rows > 50) & (rows < 350)
    comb = inside & ~((columns == 101) & (rows % 2 == 0))  # finer than a window scaled to a third
    region, box = cut(picture(inside), comb, 10.0, 100) or pytest.fail("no window")
    refined = region.mask.copy()
    refined[40:60, -12:-6] ^= True
    found = paste(comb, refined, region, box)
    assert np.array_equal(found[:, :250], comb[:, :250])
    changed = np.argwhere(found != comb)
    (top, left), (bottom, right) = changed.min(0), changed.max(0) + 1
    assert abs(top - (box[1] + 0.4 * 344)) < 8
    assert abs(bottom - (box[1] + 0.6 * 344)) < 8
    assert box[2] - 15 * 3.44 < left < right < box[2] - 4 * 3.44
    assert np.array_equal(paste(comb, region.mask, region, box), comb)


def test_an_image_without_edges_changes_nothing() -> None:
    truth = disc(SIZE, (60, 80), 38)
    flat = np.full((*SIZE, 3), 77, np.uint8)
    (found,) = refine(flat, [Mask(truth)], "walker")
    assert np.array_equal(found.array, truth)


@pytest.mark.parametrize("kind", ["grey", "alpha", "float"])
def test_images_of_every_kind(kind: str) -> None:
    truth = disc(SIZE, (60, 80), 38)
    image = picture(truth)
    made: dict[str, Any] = {
        "grey": image[..., 0],
        "alpha": np.dstack([image, np.full(SIZE, 255, np.uint8)]),
        "float": image / 255,
    }
    (found,) = refine(made[kind], [Mask(coarse(truth))], "walker", codec=GRID)
    assert iou(found.array, truth) > 0.98


def test_a_mask_of_another_size_is_an_error() -> None:
    image = np.zeros((50, 60, 3), np.uint8)
    masks = [Mask(np.ones((50, 60), np.bool_)), Mask(np.ones((60, 50), np.bool_), "dog")]
    for method in (*LOCAL, "none"):
        with pytest.raises(MaskCodecError, match=r"masks\[1\] \('dog'\) is 60x50, but .* 50x60"):
            refine(image, masks, method)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("guide", "no method 'guide' .did you mean 'guided'"),
        ("", "methods are: guided, walker, grabcut, sam, auto, none"),
        ("guided:radios=8", "no option 'radios' .did you mean 'radius'"),
        ("guided:radius=8.5", "radius=8.5 is not a whole number"),
        ("guided:radius=-1", "radius=-1 is not 0 to"),
        ("guided:epsilon=0", "epsilon=0.0 is not above 0"),
        ("guided:band=0", "band=0.0 is not above 0"),
        ("walker:cells=3", "cells=3.0 is not above 0 and at most 2"),
        ("walker:beta=inf", "beta=inf is not a finite number"),
        ("walker:area=-1", "area=-1 is below 0"),
        ("grabcut:iterations=0", "iterations=0 is not 1 to 20"),
        ("grabcut:side=8", "side=8 is not 32 to"),
        ("sam:points=0,box=false", "leaves nothing to ask with"),
        ("sam:agree=2", "each is 0 to 1"),
        ("none:band=1", "takes no options"),
        ("auto", "give it"),
    ],
)
def test_what_names_no_method_is_said(spec: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        read_method(spec)


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("auto", "none")])
def test_a_method_is_spelt_with_all_its_options(method: str) -> None:
    refiner = read_method(method)
    spec = method_spec(refiner)
    assert spec.startswith(f"{method}:")
    assert read_method(spec) == refiner
    assert method_spec(read_method(spec)) == spec


def test_none_and_auto() -> None:
    assert read_method("none") is None
    assert method_spec(None) == "none"
    assert read_method("auto", get_codec("shapetokens:tokens=4")) is None
    assert read_method("auto", get_codec("boxgrid")) is None
    for spec, method in (("text4seg:grid=32", "grabcut"), ("text4seg:grid=32x64", "guided")):
        chosen = read_method("auto", get_codec(spec))
        assert chosen is not None
        assert chosen.name == method


def test_a_missing_opencv_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    truth = disc(SIZE, (60, 80), 38)
    with pytest.raises(MaskCodecError, match=r"maskcodec\[eval\]"):
        refine(picture(truth), [Mask(truth)], "grabcut")


def test_the_width_of_the_band() -> None:
    assert cell_side(GRID, (160, 320)) == pytest.approx(np.sqrt(10 * 20))
    assert cell_side(get_codec("text4seg:grid=8x16"), (80, 160)) == 10
    assert cell_side(get_codec("boxgrid"), (160, 320)) is None
    assert band_width(10_000, 0.05, 0.5, None) == 5
    assert band_width(10_000, 0.05, 0.5, 20) == 10
    assert band_width(10_000, 0.05, 0.5, 200) == 100 * MAX_SHARE
    assert band_width(20, 0.05, 0.5, None) == 1.5


def brute_force_guided(image: Rgb, values: Any, radius: int, epsilon: float) -> Any:
    """The filter from its definition: a regression in every window, then means over windows."""
    padded = [np.pad(image / 255, ((radius, radius), (radius, radius), (0, 0)), "symmetric"),
              np.pad(values, radius, "symmetric")]  # fmt: skip
    height, width = values.shape
    slopes, offsets = np.zeros((height, width, 3)), np.zeros((height, width))
    side = 2 * radius + 1
    for y in range(height):
        for x in range(width):
            colours = padded[0][y : y + side, x : x + side].reshape(-1, 3)
            wanted = padded[1][y : y + side, x : x + side].ravel()
            centred = colours - colours.mean(0)
            spread = centred.T @ centred / len(colours) + epsilon * np.eye(3)
            slope = np.linalg.inv(spread) @ (centred.T @ (wanted - wanted.mean()) / len(colours))
            slopes[y, x], offsets[y, x] = slope, wanted.mean() - slope @ colours.mean(0)
    slopes = np.pad(slopes, ((radius, radius), (radius, radius), (0, 0)), "symmetric")
    offsets = np.pad(offsets, radius, "symmetric")
    out = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            window = slice(y, y + side), slice(x, x + side)
            slope, offset = slopes[window].reshape(-1, 3).mean(0), offsets[window].mean()
            out[y, x] = slope @ (image[y, x] / 255) + offset
    return out


@pytest.mark.parametrize("radius", [1, 3])
def test_the_guided_filter_is_the_one_of_its_definition(radius: int) -> None:
    generator = np.random.default_rng(4)
    image = generator.integers(0, 256, (13, 17, 3)).astype(np.uint8)
    values = (generator.random((13, 17)) > 0.5).astype(np.float64)
    found = guided_filter(image, values, radius, 1e-3)
    assert np.allclose(found, brute_force_guided(image, values, radius, 1e-3), atol=1e-9)


def test_a_radius_can_be_given() -> None:
    truth = disc(SIZE, (60, 80), 38)
    image = picture(truth, noise=60)
    found = [
        refine(image, [Mask(coarse(truth))], f"guided:radius={radius}", codec=GRID)[0].array
        for radius in (1, 8)
    ]
    assert not np.array_equal(found[0], found[1])
    assert Guided(radius=8).radius == 8


@given(st.integers(1, 24), st.integers(1, 24), st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_any_mask_on_any_image(height: int, width: int, seed: int, share: float) -> None:
    generator = np.random.default_rng(seed)
    mask = generator.random((height, width)) < share
    image = generator.integers(0, generator.integers(1, 257), (height, width, 3)).astype(np.uint8)
    for method in ("guided:area=0", "walker:area=0,band=0.2"):
        (found,) = refine(image, [Mask(mask, "x")], method)
        assert found.array.shape == mask.shape
        inside, outside = sure(mask, 1.5), sure(~mask, 1.5)
        assert not (inside & outside).any()
        if mask.any():
            assert label(inside)[1] >= label(mask)[1]  # no piece is without its core
            assert found.array.any()
