"""Florence-2, SimpleSeg and VistaLLM: the bytes of the formats, and texts that models got wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_contract import photo_masks

from maskcodec import DecodeError, EncodeError, Mask, SpecError, get_codec
from maskcodec.geometry import outer_rings, polygon
from maskcodec.metrics import iou

SIZE = (480, 640)
Rings = list[list[list[int]]]


def square(top: int, left: int, side: int, label: str = "dog") -> Mask:
    array = np.zeros(SIZE, np.bool_)
    array[top : top + side, left : left + side] = True
    return Mask(array, label)


def read(spec: str, text: str, errors: Any = "strict") -> tuple[list[tuple[str, Rings]], list[str]]:
    geometry, repairs = get_codec(spec).parse(text, errors=errors)
    objects: Any = geometry
    found = [
        (label, [ring.tolist() for ring in rings.split()])
        for label, rings in zip(objects.labels, objects.objects, strict=True)
    ]
    return found, [repair.kind for repair in repairs]


def tags(*numbers: int, tag: str = "loc", joint: str = "") -> str:
    return joint.join(f"<{tag}_{number}>" for number in numbers)


# x and y of a vertex as bins of 1,000; the geometry has their middles at odd bins of 2,001.
A, B = (100, 200, 300, 200, 300, 400), (500, 600, 700, 600, 700, 800)


def middles(numbers: tuple[int, ...]) -> list[list[int]]:
    return (2 * np.reshape(numbers, (-1, 2)) + 1).tolist()


def pairs(numbers: tuple[int, ...]) -> list[list[int]]:
    return np.reshape(numbers, (-1, 2)).tolist()


def test_bytes_of_florence2() -> None:
    # floor(x * 1000 / 640): 64 is 100, 320 is 500; of 480: 48 is 100, 304 is 633.
    mask = square(48, 64, 256)
    expected = "<loc_100><loc_100><loc_500><loc_100><loc_500><loc_633><loc_100><loc_633>"
    assert get_codec("florence2").encode([mask], SIZE) == f"dog{expected}"
    assert get_codec("florence2").encode([Mask(mask.array, "")], SIZE) == expected
    assert get_codec("florence2:form=poly").encode([mask], SIZE) == f"dog<poly>{expected}</poly>"
    two = Mask(mask.array | square(400, 500, 60).array, "dog")
    assert get_codec("florence2").encode([two], SIZE).count("<sep>") == 1
    # The last bin takes the edge itself.
    whole = Mask(np.ones(SIZE, np.bool_), "sky")
    text = "sky<loc_0><loc_0><loc_999><loc_0><loc_999><loc_999><loc_0><loc_999>"
    assert get_codec("florence2").encode([whole], SIZE) == text
    assert get_codec("florence2").decode(text, SIZE).masks[0].area > 0.99 * 480 * 640


def test_bytes_of_simpleseg() -> None:
    expected = "[[[0.100,0.100],[0.500,0.100],[0.500,0.633],[0.100,0.633]]]"
    assert get_codec("simpleseg").encode([square(48, 64, 256)], SIZE) == expected
    assert get_codec("simpleseg").encode([], SIZE) == "[]"


def test_bytes_of_vistallm() -> None:
    text = get_codec("vistallm:points=4").encode([square(48, 64, 256)], SIZE)
    inside = tags(100, 100, 500, 100, 500, 633, 100, 633, tag="bin", joint=" ")
    assert text == f"<m_st>{inside} <m_ed>"
    text = get_codec("vistallm").encode([square(48, 64, 256)], SIZE)
    assert text.count("<bin_") == 32  # 16 vertices, the new ones on the edges of the square
    decoded = get_codec("vistallm").decode(text, SIZE).masks[0]
    assert iou(decoded.array, square(48, 64, 256).array) > 0.99
    with pytest.raises(DecodeError):
        get_codec("vistallm:points=12").decode(text, SIZE)


@pytest.mark.parametrize(
    ("text", "expected", "kinds"),
    [
        (f"dog{tags(*A)}<loc_5>", [("dog", [A])], ["format", "odd"]),
        (f"dog{tags(*A)}<sep>{tags(1, 2)}", [("dog", [A])], ["format", "ring"]),
        (f"dog{tags(*A)}<loc_1", [("dog", [A])], ["format"]),
        (f"dog <poly>{tags(*A)}</poly>", [("dog", [A])], ["format"]),
        (f"dog<poly>{tags(*A)}</poly><poly>{tags(*B)}</poly>", [("dog", [A]), ("", [B])], None),
        (f"A dog: {tags(*A)}, and cat {tags(*B)}.", [("A dog", [A]), ("and cat", [B])], None),
        (f"{tags(*A)}<sep>{tags(*B)}", [("", [A, B])], []),
        (tags(100, 200, 300, 200, 3000, 400), [("", [(100, 200, 300, 200, 999, 400)])], None),
        ("dog", [], ["format"]),
        ("", [], ["format"]),
        ("none", [], []),
    ],
)
def test_damaged_florence2(
    text: str, expected: list[tuple[str, list[tuple[int, ...]]]], kinds: list[str] | None
) -> None:
    found, repairs = read("florence2", text, "repair")
    assert found == [(label, [middles(ring) for ring in rings]) for label, rings in expected]
    assert kinds is None or repairs == kinds
    assert bool(repairs) == (kinds != [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Polygon: [[[0.1, 0.2], [0.3, 0.2], [0.3, 0.4]]].", [[(100, 200, 300, 200, 300, 400)]]),
        ("[[[0.1,0.2],[0.3,0.2],[0.3,0.4", [[(100, 200, 300, 200, 300, 400)]]),
        ("[[[0.1,0.2],[0.3,0.2],[0.3,0.4],[0.5", [[(100, 200, 300, 200, 300, 400)]]),
        ("[[0.1,0.2],[0.3,0.2],[0.3,7]]", [[(100, 200, 300, 200, 300, 1000)]]),
        (
            "[[[0.100,0.200],[0.300,0.200],[0.300,0.400]]]\n[[[0,0],[1,0],[1,1]]]",
            [[(100, 200, 300, 200, 300, 400)], [(0, 0, 1000, 0, 1000, 1000)]],
        ),
        ("[[[0.1,0.2],[0.3,0.2]]]", []),
        ("no object", []),
    ],
)
def test_damaged_simpleseg(text: str, expected: list[list[tuple[int, ...]]]) -> None:
    found, repairs = read("simpleseg", text, "repair")
    assert found == [("", [pairs(ring) for ring in rings]) for rings in expected]
    assert repairs


@pytest.mark.parametrize(
    ("text", "rings"),
    [
        (f"<m_st>{tags(*A, tag='bin', joint=' ')}<m_ed>", [A]),
        (f"{tags(*A, tag='bin')}", [A]),
        (f"<m_st>{tags(*A, tag='bin')}<m_sep>{tags(*B, tag='bin', joint=' ')}", [A, B]),
        (f"<m_st>{tags(*A, tag='bin')}<m_ed><m_st>{tags(*B[:4], tag='bin')}", [A]),
    ],
)
def test_damaged_vistallm(text: str, rings: list[tuple[int, ...]]) -> None:
    found, repairs = read("vistallm", text, "repair")
    assert found == [("", [pairs(ring) for ring in rings])]
    assert repairs


# Damage of one character costs the vertex that it is in.

C = (100, 200, 300, 200, 300, 400, 200, 500)
POINTS = ["[0.100,0.200]", "[0.300,0.200]", "[0.391,0.229]", "[0.300,0.400]", "[0.200,0.500]"]


@pytest.mark.parametrize(
    "point",
    ["a0.391,0.229]", "[a.391,0.229]", "[0.391,x.229]", "[0.391,-0.229]", "[0.391]", "[0.3910.229]",
     "[0.39,10,.229]", "[0.3,91,0.229]", "[0391,0.229]", "[0a391,0.229]", "[0..391,0.229]",
     "[,0.229]"],
)  # fmt: skip
def test_a_damaged_point_costs_that_point(point: str) -> None:
    text = f"[[{','.join([*POINTS[:2], point, *POINTS[3:]])}]]"
    found, repairs = read("simpleseg", text, "repair")
    assert found == [("", [pairs(C)])]
    assert "format" in repairs


def test_a_half_point_at_the_end_of_a_ring() -> None:
    rings = ",".join([*POINTS[:2], "[0.300,0.400]", "[0.200,0.5x0]"])
    other = ",".join([*POINTS[:2], "[0.300,0.400]"])
    found, _ = read("simpleseg", f"[[{rings}],[{other}]]", "repair")
    assert found == [("", [pairs(A), pairs(A)])]


@pytest.mark.parametrize(
    "text",
    [
        "[0.1,0.2,0.3,0.2,0.3,0.4,0.2,0.5]",
        "[[0.1,0.2,0.3,0.2,0.3,0.4,0.2,0.5,0.7]]",
        "0.1 0.2 0.3 0.2 0.3 0.4 0.2 0.5",
        "(0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.2, 0.5).",
        "The outline is 0.1, 0.2, 0.3, 0.2, 0.3, 0.4, 0.2, 0.5.",
    ],
)
def test_lists_without_brackets_around_points(text: str) -> None:
    assert read("simpleseg", text, "repair")[0] == [("", [pairs(C)])]


SAYS = ["<{0}_531", "<{0}x_531>", "<x{0}_531>", "<{0}531>", "<{1}_531>", "<{0}x531>", "{0}_531>",
        "x{0}_531>", ">{0}_531>", "<{0}\n_531>", "<{0}_531x", "<<{0}_531>",
        "<{0}_531>>"]  # fmt: skip
LOST = ["<{0}_>", "<{0}_x>", "<{0}_5x1>", "<{0}_x31>", "<{0}_53 1>", "<{0}_5<31>", "<{0}_5>31>"]


@pytest.mark.parametrize("damage", [*SAYS, *LOST])
@pytest.mark.parametrize("place", [0, 2, 6, 8, 12])
def test_a_damaged_tag_costs_its_vertex_at_most(damage: str, place: int) -> None:
    numbers = [*A, *B, 10, 20, 30, 40]
    numbers[place] = 531
    kept = numbers.copy()
    if damage in LOST:
        del kept[place // 2 * 2 : place // 2 * 2 + 2]

    def damaged_tags(name: str, cut: str, joint: str) -> str:
        whole = [f"<{name}_{number}>" for number in numbers]
        whole[place] = damage.format(name, cut)
        return joint.join(whole)

    outline, end = damaged_tags("loc", "lc", ""), tags(*A)
    dog, cat = ("dog", [middles(tuple(kept))]), ("cat", [middles(A)])
    labelled = f"dog{outline}cat{end}"
    if not (place == 0 and damage.startswith("x")):  # the stray letter goes with the label
        assert read("florence2", labelled, "repair")[0] == [dog, cat]
    tagged = f"dog<poly>{outline}</poly>cat<poly>{end}</poly>"
    assert read("florence2:form=poly", tagged, "repair")[0] == [dog, cat]
    points = f"<m_st>{damaged_tags('bin', 'bn', ' ')} <m_ed> <m_st>{tags(*A, tag='bin')} <m_ed>"
    expected = [("", [pairs(tuple(kept))]), ("", [pairs(A)])]
    assert read("vistallm", points, "repair")[0] == expected


@pytest.mark.parametrize("number", ["<loc_5", "<loc_53", "<loc_", "<lo"])
def test_a_tag_that_the_end_cut_is_no_number(number: str) -> None:
    text = f"dog{tags(*A)}{tags(1)}{number}"
    assert read("florence2", text, "repair")[0] == [("dog", [middles(A)])]


@pytest.mark.parametrize(
    "separator", ["<sp>", "<se>", "sep>", "<sep", "xsep>", "<sepx", "<s>ep>", "<sxep>", "<s\nep>"]
)
def test_a_damaged_separator(separator: str) -> None:
    text = f"dog{tags(*A)}{separator}{tags(*B)}"
    assert read("florence2", text, "repair")[0] == [("dog", [middles(A), middles(B)])]
    text = (
        f"<m_st>{tags(*A, tag='bin')} {separator.replace('s', 'm_s')} {tags(*B, tag='bin')} <m_ed>"
    )
    assert read("vistallm", text, "repair")[0] == [("", [pairs(A), pairs(B)])]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("poly>", "</poly>"), ("<poly", "</poly>"), ("<oly>", "</poly>"), ("<pxoly>", "</poly>"),
        ("<poly>", "<poly>"), ("<poly>", "</poly"), ("<poly>", "/poly>"), ("<poly>", "</oly>"),
        ("<poly>", "x/poly>"), ("<poly>", "<//poly>"), ("<poly>x", "</poly>"),
    ],
)  # fmt: skip
def test_damaged_tags_around_a_shape(opening: str, closing: str) -> None:
    text = f"dog{opening}{tags(*A)}{closing}cat<poly>{tags(*B)}</poly>"
    found, _ = read("florence2:form=poly", text, "repair")
    assert found == [("dog", [middles(A)]), ("cat", [middles(B)])]


@pytest.mark.parametrize(
    "label", ["loc 5", "loc_5", "loc", "bin", "bin_7", "car_12", "sep", "poly", "12", "l_5", "犬"]
)
def test_labels_that_look_like_tags(label: str) -> None:
    expected = [("dog", [middles(A)]), (label, [middles(B)])]
    text = f"dog{tags(*A)}<loc_5>{label}{tags(*B)}"
    assert read("florence2", text, "repair")[0] == expected
    text = f"dog<poly>{tags(*A)}</poly>\n{label}<poly>{tags(*B)}</poly>"
    assert read("florence2:form=poly", text, "repair")[0] == expected


def test_a_stray_character_amid_numbers_is_no_label() -> None:
    text = f"dog{tags(*A, 500)}x{tags(*B[1:])}"
    assert read("florence2", text, "repair")[0] == [("dog", [middles(A + B)])]
    text = f"dog<poly>{tags(*A)}x{tags(*B)}</poly>"
    assert read("florence2:form=poly", text, "repair")[0] == [("dog", [middles(A + B)])]


@pytest.mark.parametrize(
    "unit",
    ["<loc_", "<loc_5", "loc_5>", "<lo", "<l<", ">x", "</pol", "<sep", "> ", "<loc_5 ", "<5"],
)
@pytest.mark.parametrize("spec", ["florence2", "florence2:form=poly", "vistallm"])
def test_long_halves_of_tags(spec: str, unit: str) -> None:
    for name in (unit, unit.replace("loc", "bin")):
        assert read(spec, name * (100_000 // len(name)), "repair")[1]


def test_labels_of_florence2() -> None:
    masks = [square(48, 64, 100, ""), square(200, 64, 100, "")]
    with pytest.raises(EncodeError, match="is empty"):
        get_codec("florence2").encode(masks, SIZE)
    text = get_codec("florence2:form=poly").encode(masks, SIZE)
    assert get_codec("florence2:form=poly").decode(text, SIZE).labels == ("", "")
    with pytest.raises(EncodeError, match="'<'"):
        get_codec("florence2").encode([square(1, 1, 50, "a<b")], SIZE)
    grammar = get_codec("florence2").grammar(["dog", ""])
    assert grammar is not None
    assert 'root ::= "none" | (object | shape) ((object))*' in grammar


@pytest.mark.parametrize(
    "spec",
    ["florence2:points=2", "florence2:tolerance=2", "vistallm:points=2", "simpleseg:epsilon=2"],
)
def test_options_out_of_range(spec: str) -> None:
    with pytest.raises(SpecError):
        get_codec(spec)


def test_vocabularies() -> None:
    assert len(get_codec("florence2").vocab().tokens) == 1_001
    assert len(get_codec("florence2:form=poly").vocab().tokens) == 1_003
    assert len(get_codec("vistallm").vocab().tokens) == 1_004
    assert not get_codec("simpleseg").vocab()


@pytest.mark.parametrize("spec", ["florence2", "simpleseg", "vistallm"])
def test_what_fits_is_adopted(spec: str) -> None:
    codec = get_codec(spec)
    geometry = codec.parse(codec.encode(photo_masks(), (96, 128)))[0]
    assert codec.adopts(geometry)
    assert not codec.adopts(get_codec("polygon").analyze(photo_masks(), (96, 128)))
    with pytest.raises(EncodeError):
        codec.write(get_codec("polygon").analyze(photo_masks(), (96, 128)))


@pytest.mark.parametrize("points", [4, 7, 16, 40])
def test_rings_of_so_many_points(points: int) -> None:
    for mask in photo_masks():
        rings = outer_rings.of_points(mask.array, points)
        assert [len(ring) for ring in rings] == [points] * len(rings)


def test_no_vertex_lies_further_off_than_allowed() -> None:
    array = photo_masks()[1].array
    [fine], [coarse] = (outer_rings.within_distance(array, share) for share in (0.0, 0.01))
    length = float(np.hypot(*(np.roll(fine, -1, axis=0) - fine).T).sum())
    assert 3 <= len(coarse) < len(fine)
    starts, ends = coarse, np.roll(coarse, -1, axis=0)
    edges = ends - starts
    for vertex in fine:
        share = ((vertex - starts) * edges).sum(axis=1) / (edges**2).sum(axis=1)
        nearest = starts + share.clip(0, 1)[:, None] * edges
        assert np.hypot(*(nearest - vertex).T).min() <= 0.01 * length + 1e-9


@pytest.mark.parametrize("spec", ["florence2", "simpleseg", "vistallm"])
def test_one_pixel_does_not_vanish(spec: str) -> None:
    codec = get_codec(spec)
    array = np.zeros((30, 40), np.bool_)
    array[7, 9] = True
    decoded = codec.decode(codec.encode([Mask(array, "dot")], (30, 40)), (30, 40))
    assert np.array_equal(decoded.masks[0].array, array)


def test_holes_are_left_out() -> None:
    rings = get_codec("florence2").analyze(photo_masks()[:1], (96, 128)).objects[0]
    assert not rings.hole.any()
    assert polygon.trace(photo_masks()[0].array)[2].sum() == 1


@pytest.mark.parametrize("spec", ["florence2", "simpleseg", "vistallm"])
@pytest.mark.parametrize("pixel", [(700, 900), (0, 0), (2999, 3999)])
def test_a_pixel_smaller_than_a_bin_does_not_vanish(spec: str, pixel: tuple[int, int]) -> None:
    codec, size, array = get_codec(spec), (3000, 4000), np.zeros((3000, 4000), np.bool_)
    array[pixel] = True
    decoded = codec.decode(codec.encode([Mask(array, "dot")], size), size)
    assert 1 <= decoded.masks[0].area <= 16


def test_new_vertices_stand_in_the_middle_of_the_longest_edges() -> None:
    array = np.zeros((20, 30), np.bool_)
    array[4:6, 5:15] = True
    [ring] = outer_rings.of_points(array, 6)
    assert ring.tolist() == [[5, 4], [10, 4], [15, 4], [15, 6], [10, 6], [5, 6]]


def test_a_tiny_outline_that_shows_stays_as_it_is() -> None:
    array = np.zeros((1000, 1000), np.bool_)
    array[500:504, 600] = array[503, 600:604] = True
    text = get_codec("simpleseg:epsilon=0.0").encode([Mask(array, "")], (1000, 1000))
    assert text.count("],[") > 3, "an L, and no box of four corners"
