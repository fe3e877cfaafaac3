"""Polygons: their text, their pixels, and what simplifying promises."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco
from strategies import KINDS, arrays, draw_array, mask_lists, sizes

from maskcodec import DecodeError, EncodeError, Mask, SpecError, get_codec
from maskcodec.dialects._polygon_words import words_of
from maskcodec.dialects.polygon import PolygonCodec
from maskcodec.geometry import polygon
from maskcodec.geometry.polygon import Polygons, Rings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Bools = npt.NDArray[np.bool_]


def iou(a: Bools, b: Bools) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def frame() -> Bools:
    """A square with a square hole, with a smaller square inside that."""
    array = np.zeros((30, 40), np.bool_)
    array[2:26, 4:32] = True
    array[6:22, 8:28] = False
    array[10:14, 12:20] = True
    return array


def rings_of(*rings: list[tuple[int, int]], holes: tuple[bool, ...]) -> Rings:
    starts = np.cumsum([0, *map(len, rings)]).astype(np.int32)
    xy = np.array([vertex for ring in rings for vertex in ring], np.int32)
    return Rings(xy, starts, np.array(holes))


# Text


def test_letters() -> None:
    rings = rings_of(
        [(0, 0), (675, 0), (675, 675)], [(31, 75), (26, 1), (25, 51)], holes=(False, True)
    )
    codec = get_codec("polygon")
    text = codec.write(Polygons(("white horse",), 676, (rings,)))
    assert text == "white horse: aa AA zz AA zz ZZ - bf CX ba AB az BZ"
    found = codec.parse(text)[0].objects[0]
    assert np.array_equal(found.xy, rings.xy)
    assert found.starts.tolist() == [0, 3, 6]
    assert found.hole.tolist() == [False, True]


def test_digits() -> None:
    rings = rings_of(
        [(0, 0), (999, 0), (999, 999)], [(31, 75), (2, 100), (4, 5)], holes=(False, False)
    )
    codec = get_codec("polygon:bins=1000,alphabet=decimal")
    text = codec.write(Polygons(("a:b",), 1000, (rings,)))
    assert text == "a:b: 000000 999000 999999 + 031075 002100 004005"
    assert np.array_equal(codec.parse(text)[0].objects[0].xy, rings.xy)


@pytest.mark.parametrize(
    ("bins", "vertex"), [(2, "b A"), (26, "b A"), (27, "ab AA"), (676, "ab AA"), (677, "aab AAA")]
)
def test_the_width_of_a_word_follows_from_the_bins(bins: int, vertex: str) -> None:
    codec = get_codec(f"polygon:bins={bins}")
    rings = rings_of([(1, 0), (1, 1), (0, 1)], holes=(False,))
    assert codec.write(Polygons(("x",), bins, (rings,))).startswith(f"x: {vertex} ")


def test_a_frame_with_an_island() -> None:
    codec = get_codec("polygon:bins=676,tolerance=0")
    text = codec.encode([Mask(frame(), "frame"), Mask(frame() & False, "void")], (30, 40))
    ring = r"[a-z]{2} [A-Z]{2}( [a-z]{2} [A-Z]{2}){3}"
    assert not codec.parse(text)[1]
    first, second = text.split("\n")
    assert re.fullmatch(rf"frame: {ring} - {ring} \+ {ring}", first)
    assert second == "void: none"
    assert np.array_equal(codec.decode(text, (30, 40)).masks[0].array, frame())


def test_no_object() -> None:
    codec = get_codec("polygon")
    assert codec.encode([], (5, 5)) == "none"
    assert codec.parse("none")[0].objects == ()
    assert codec.parse("none: none")[0].labels == ("none",)


@pytest.mark.parametrize("label", ["", " dog", "dog ", "a\nb", "a: b", "\x00"])
def test_labels_that_no_line_can_hold(label: str) -> None:
    with pytest.raises(EncodeError, match="label"):
        get_codec("polygon").encode([Mask(frame(), label)], (30, 40))


@pytest.mark.parametrize(
    ("rings", "message"),
    [
        (rings_of([(0, 0), (1, 1)], holes=(False,)), "fewer than three"),
        (rings_of([(0, 0), (1, 1), (2, 0)], holes=(True,)), "hole"),
        (rings_of([(0, 0), (1, 1), (676, 0)], holes=(False,)), "outside"),
        (rings_of([(0, 0), (1, 1), (-1, 0)], holes=(False,)), "outside"),
    ],
)
def test_geometry_that_has_no_text(rings: Rings, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        get_codec("polygon").write(Polygons(("dog",), 676, (rings,)))


def test_other_bins_have_another_text() -> None:
    with pytest.raises(EncodeError, match="polygon:bins=100"):
        get_codec("polygon").write(Polygons((), 100, ()))


@pytest.mark.parametrize(
    "options",
    [
        "bins=1",
        "bins=100001",
        "tolerance=-0.1",
        "tolerance=1.5",
        "points=2",
        "points=-1",
        "alphabet=greek",
    ],
)
def test_options_out_of_range(options: str) -> None:
    with pytest.raises(SpecError, match=options.partition("=")[0]):
        get_codec(f"polygon:{options}")


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "objects"),
        ("dog", 0, "LABEL: VERTICES"),
        ("dog : ab CD ef GH ij KL", 0, "label"),
        ("dog:  ab CD ef GH ij KL", 5, "vertex"),
        ("dog: ab CD ef GH", 16, "three vertices"),
        ("dog: ab CD ef GH ij KL ", 22, "blank and a vertex"),
        ("dog: ab CD ef GH ij KL - ", 25, "vertex"),
        ("dog: ab CD ef GH ij KL\n\ncat: none", 22, "objects"),
        ("dog: ab CD ef gh ij KL", 10, "blank and a vertex"),
        ("dog: - ab CD ef GH ij KL", 5, "vertex"),
    ],
)
def test_strict_says_where(text: str, position: int, expected: str) -> None:
    with pytest.raises(DecodeError) as caught:
        get_codec("polygon").parse(text)
    assert caught.value.position == position
    assert expected in caught.value.expected


def test_strict_finds_the_bin_out_of_range() -> None:
    codec = get_codec("polygon:bins=500,alphabet=decimal")
    text = "dog: 100200 300400 400100 - 100200 300400 400499 + 001002 499500 000000"
    with pytest.raises(DecodeError, match="bins below 500") as caught:
        codec.parse(text)
    assert text[caught.value.position :].startswith("499500")


# Pixels


@given(
    data=st.data(),
    bins=st.sampled_from((2, 26, 50, 100, 676, 1000)),
    seed=st.integers(0, 2**32 - 1),
)
def test_painting_is_that_of_pycocotools(data: st.DataObject, bins: int, seed: int) -> None:
    size = data.draw(sizes(60))
    random = np.random.default_rng(seed)
    xy = random.integers(0, bins, (random.integers(3, 12), 2)).astype(np.int32)
    rings = Rings(xy, np.array([0, len(xy)], np.int32), np.zeros(1, np.bool_))
    pixels = polygon.to_pixels(xy, bins, size).ravel().tolist()
    wanted = coco.decode(coco.frPyObjects([pixels], *size)[0]).astype(np.bool_)
    assert np.array_equal(polygon.paint(Polygons(("x",), bins, (rings,)), size)[0], wanted)


@given(data=st.data())
def test_every_corner_gives_the_mask_back(data: st.DataObject) -> None:
    array = data.draw(arrays(data.draw(sizes(70))))
    bins = data.draw(st.sampled_from((71, 100, 676, 1000)))
    codec = get_codec(f"polygon:bins={bins},tolerance=0")
    text = codec.encode([Mask(array, "x")], array.shape)
    assert np.array_equal(codec.decode(text, array.shape).masks[0].array, array)


@pytest.mark.parametrize("side", [675, 674, 512])
def test_exact_up_to_a_pixel_a_bin(side: int) -> None:
    array = np.random.default_rng(0).random((3, side)) < 0.5
    codec = get_codec("polygon:tolerance=0")
    assert codec.is_exact([Mask(array, "x")], (3, side))
    text = codec.encode([Mask(array, "x")], (3, side))
    assert np.array_equal(codec.decode(text, (3, side)).masks[0].array, array)


@given(
    kind=st.sampled_from([kind for kind in KINDS if kind != "empty"]),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    seed=st.integers(0, 2**32 - 1),
    bins=st.sampled_from((2, 3, 10, 30, 676)),
    options=st.sampled_from(("tolerance=0", "tolerance=0.02", "points=3", "tolerance=1.0")),
)
def test_no_object_vanishes(
    kind: str, size: tuple[int, int], seed: int, bins: int, options: str
) -> None:
    array = draw_array(kind, size, seed)
    if array.any():
        codec = get_codec(f"polygon:bins={bins},{options}")
        decoded = codec.decode(codec.encode([Mask(array, "x")], size), size)
        assert decoded.masks[0].area > 0


@given(example=mask_lists(), points=st.integers(3, 30))
def test_a_budget_is_kept(example: tuple[list[Mask], tuple[int, int]], points: int) -> None:
    codec = get_codec(f"polygon:tolerance=0,points={points}")
    for rings in codec.analyze(*example).objects:
        assert len(rings.xy) <= max(points, 4)  # the smallest box has four
        assert len(rings.hole) == 0 or np.diff(rings.starts).min() >= 3


@pytest.mark.parametrize("seed", range(10))
def test_fewer_vertices_cost_little(seed: int) -> None:
    array = draw_array("ellipses", (240, 320), seed)
    iou_at = {}
    for tolerance in (0.0, 0.002, 0.005, 0.02):
        rings = polygon.outline(array, 676, tolerance)
        painted = polygon.paint(Polygons(("x",), 676, (rings,)), array.shape)[0]
        iou_at[tolerance] = iou(painted, array)
    assert iou_at[0.0] == 1
    assert iou_at[0.002] > 0.97
    assert iou_at[0.005] > 0.95
    assert iou_at[0.02] > 0.88


def test_a_circle_takes_a_few_vertices() -> None:
    y, x = np.ogrid[:200, :200]
    array = np.hypot(y - 99.5, x - 99.5) < 80
    rings = polygon.outline(array, 676, 0.005)
    assert len(rings.xy) <= 12
    assert iou(polygon.paint(Polygons(("x",), 676, (rings,)), (200, 200))[0], array) > 0.97


def test_no_more_vertices_than_bins_can_tell_apart() -> None:
    y, x = np.ogrid[:900, :900]
    array = np.hypot(y - 449.5, x - 449.5) < 400
    exact = polygon.outline(array, 901, 0.0)
    rings = polygon.outline(array, 300, 0.0)
    assert len(rings.xy) < len(exact.xy) / 10
    assert iou(polygon.paint(Polygons(("x",), 300, (rings,)), array.shape)[0], array) > 0.995


def test_rings_begin_at_the_top() -> None:
    array = draw_array("ellipses", (120, 160), 4)
    rings = polygon.outline(array, 676, 0.005)
    for ring in rings.split():
        assert tuple(ring[0][::-1]) == min(map(tuple, ring[:, ::-1].tolist()))


def test_a_mask_beyond_the_limits_is_refused() -> None:
    noise = np.random.default_rng(0).random((2_400, 2_400)) < 0.5
    with pytest.raises(EncodeError, match="raise tolerance"):
        get_codec("polygon:bins=5000,tolerance=0").encode([Mask(noise, "x")], noise.shape)
    stripes = np.zeros((4_000, 3), np.bool_)
    stripes[::2] = True
    codec = get_codec("polygon:bins=5000,tolerance=0")
    text = codec.encode([Mask(stripes, "x")], stripes.shape)
    assert np.array_equal(codec.decode(text, stripes.shape).masks[0].array, stripes)


def test_polygons_of_one_size_paint_another() -> None:
    codec = get_codec("polygon:tolerance=0")
    text = codec.encode([Mask(frame(), "x")], (30, 40))
    doubled = codec.decode(text, (60, 80)).masks[0].array
    assert np.array_equal(doubled, frame().repeat(2, axis=0).repeat(2, axis=1))


# Grammar


@pytest.mark.parametrize("options", ["bins=30", "bins=700,alphabet=decimal", "bins=676"])
def test_the_grammar_knows_the_range(options: str) -> None:
    walk = pytest.importorskip("grammar_walk")
    codec = get_codec(f"polygon:{options}")
    assert isinstance(codec, PolygonCodec)
    grammar = codec.grammar(["dog"])
    words = words_of(codec.alphabet, codec.bins)
    for value in {0, 1, 25, 26, 29, 30, 99, 100, 499, 599, 699, 700, 675, 676}:
        if value >= words.base**words.width:
            continue
        vertex = words.spell(np.array([[value, 0], [0, value], [value, value]], np.int32))
        assert walk.accepts(grammar, f"dog: {vertex}") == (value < codec.bins)
        assert walk.llguidance_accepts(grammar, f"dog: {vertex}") == (value < codec.bins)
    for text in ("dog: " + words.spell(np.zeros((2, 2), np.int32)), "cat: none", "dog: none\n"):
        assert not walk.accepts(grammar, text)


def test_free_labels_have_a_grammar() -> None:
    walk = pytest.importorskip("grammar_walk")
    grammar = get_codec("polygon").grammar()
    assert walk.accepts(grammar, "naïve café: ab CD ef GH ij KL\nx: none")
    assert not walk.accepts(grammar, "a: b: ab CD ef GH ij KL")


@pytest.mark.parametrize("shape", [(100, 5000), (5000, 100)])
def test_a_pixel_of_an_image_with_one_long_side_does_not_vanish(shape: tuple[int, int]) -> None:
    codec, array = get_codec("polygon:bins=1000,tolerance=0"), np.zeros(shape, np.bool_)
    array[shape[0] // 5 * 3 + 1, shape[1] // 5 * 3 + 1] = True
    assert codec.decode(codec.encode([Mask(array, "dot")], shape), shape).masks[0].area


def test_many_small_parts_are_written() -> None:
    """What counts is what they cover, not how many there are."""
    array = np.zeros((100, 100), np.bool_)
    array[::2, ::2] = True
    codec = get_codec("polygon:bins=1000,tolerance=0")
    text = codec.encode([Mask(array, "dots")], (100, 100))
    assert np.array_equal(codec.decode(text, (100, 100)).masks[0].array, array)


@pytest.mark.parametrize("hole", [False, True])
def test_no_vertex_repeats_the_one_before_it(hole: bool) -> None:
    square = [(0, 0), (9, 0), (9, 9), (0, 9)]
    inner = [(3, 3), (3, 3), (3, 6), (6, 6)]
    rings = rings_of(square, inner, holes=(False, hole))
    kept = polygon._without_repeats(rings.xy, rings.starts, rings.hole)
    assert kept.xy.tolist() == [list(place) for place in (*square, *inner[1:])]
    assert kept.starts.tolist() == [0, 4, 7]
