"""Reading polygons that a model got wrong."""

from __future__ import annotations

import time

import numpy as np
import pytest

from maskcodec import Mask, Repair, get_codec, transcode
from maskcodec.dialects import _polygon_loose as loose
from maskcodec.geometry import polygon

A = [[1, 55], [109, 163], [217, 271]]  # ab CD ef GH ij KL
B = [[0, 0], [27, 27], [54, 54]]  # aa AA bb BB cc CC
D = [[100, 200], [300, 400], [500, 600]]  # 100200 300400 500600
Found = list[tuple[str, list[list[list[int]]]]]

LETTERS = get_codec("polygon")
DECIMAL = get_codec("polygon:bins=1000,alphabet=decimal")


def repair(codec: object, text: str) -> tuple[Found, list[Repair]]:
    geometry, repairs = codec.parse(text, errors="repair")  # type: ignore[attr-defined]
    found = [
        (label, [ring.tolist() for ring in rings.split()])
        for label, rings in zip(geometry.labels, geometry.objects, strict=True)
    ]
    return found, repairs


LETTER_CASES: dict[str, tuple[str, Found]] = {
    "half a vertex at the end": ("dog: ab CD ef GH ij KL mn", [("dog", [A])]),
    "half a word at the end": ("dog: ab CD ef GH ij KL mn O", [("dog", [A])]),
    "a ring cut short": ("dog: ab CD ef GH ij KL + aa AA bb", [("dog", [A])]),
    "an object cut short": ("dog: ab CD ef GH ij KL\ncat: aa AA", [("dog", [A]), ("cat", [])]),
    "a y lost": ("dog: ab CD zz ef GH ij KL", [("dog", [A])]),
    "an x lost": ("dog: ab CD ZZ ef GH ij KL", [("dog", [A])]),
    "a letter lost": ("dog: ab CD e ZZ ef GH ij KL", [("dog", [A])]),
    "a letter too many": ("dog: ab CD eef GG ef GH ij KL", [("dog", [A])]),
    "words between": ("dog: ab CD and then ef GH ij KL.", [("dog", [A])]),
    "commas": ("dog: ab, CD, ef, GH, ij, KL", [("dog", [A])]),
    "brackets": ("dog: (ab CD) (ef GH) (ij KL)", [("dog", [A])]),
    "no blanks": ("dog: abCDefGHijKL", [("dog", [A])]),
    "two blanks": ("dog:  ab CD  ef GH ij  KL ", [("dog", [A])]),
    "carriage returns": ("dog: ab CD ef GH ij KL\r\ncat: none\r", [("dog", [A]), ("cat", [])]),
    "two signs": ("dog: ab CD ef GH ij KL + - aa AA bb BB cc CC", [("dog", [A, B])]),
    "a sign at the end": ("dog: ab CD ef GH ij KL -", [("dog", [A])]),
    "a label on the line above": ("dog:\nab CD ef GH ij KL", [("dog", [A])]),
    "rings on lines of their own": (
        "dog: ab CD ef GH ij KL\naa AA bb BB cc CC\n- ab CD ef GH ij KL",
        [("dog", [A, B, A])],
    ),
    "a sentence before": ("Here it is: dog: ab CD ef GH ij KL", [("dog", [A])]),
    "a sentence on a line before": ("Here it is:\ndog: ab CD ef GH ij KL", [("dog", [A])]),
    "a code fence": ("```\ndog: ab CD ef GH ij KL\n```", [("dog", [A])]),
    "a list": ("* **dog**: ab CD ef GH ij KL;", [("dog", [A])]),
    "tags": ("<seg>dog: ab CD ef GH ij KL</seg>", [("dog", [A])]),
    "no label": ("ab CD ef GH ij KL", [("", [A])]),
    "no colon": ("dog ab CD ef GH ij KL", [("dog", [A])]),
    "objects on one line": (
        "dog: ab CD ef GH ij KL tv: none big cat: aa AA bb BB cc CC",
        [("dog", [A]), ("tv", []), ("big cat", [B])],
    ),
    "none with a full stop": ("dog: None.", [("dog", [])]),
    "nothing": ("", []),
    "none and a line break": ("none\n", []),
    "prose": ("I see no such object in TV or at sea: go to it.", []),
    "blank lines": ("\n\ndog: ab CD ef GH ij KL\n\n", [("dog", [A])]),
}

DECIMAL_CASES: dict[str, tuple[str, Found]] = {
    "cut in a vertex": ("dog: 100200 300400 500600 7008", [("dog", [D])]),
    "pairs": ("dog: (100, 200), (300, 400), (500, 600)", [("dog", [D])]),
    "lists": ("dog: [[100,200],[300,400],[500,600]]", [("dog", [D])]),
    "bare numbers": ("dog: 100 200 300 400 500 600", [("dog", [D])]),
    "no padding": ("dog: 7 8, 30 40, 500 600", [("dog", [[[7, 8], [30, 40], [500, 600]]])]),
    "no blanks": ("dog: 100200300400500600", [("dog", [D])]),
    "a digit lost": ("dog: 100200 30040 300400 500600", [("dog", [D])]),
    "a digit too many": ("dog: 100200 3004001 300400 500600", [("dog", [D])]),
    "a thousand": (
        "dog: 1000 200 300 1000 500 600",
        [("dog", [[[999, 200], [300, 999], [500, 600]]])],
    ),
    "numbers in the label": ("person 2: 100200, 300400 500600", [("person 2", [D])]),
}


@pytest.mark.parametrize("name", LETTER_CASES)
def test_letters(name: str) -> None:
    text, wanted = LETTER_CASES[name]
    found, repairs = repair(LETTERS, text)
    assert found == wanted
    assert repairs
    assert all(0 <= entry.position <= len(text) and entry.message for entry in repairs)


@pytest.mark.parametrize("name", DECIMAL_CASES)
def test_digits(name: str) -> None:
    text, wanted = DECIMAL_CASES[name]
    found, repairs = repair(DECIMAL, text)
    assert found == wanted
    assert repairs


@pytest.mark.parametrize("label", ["''", "**", "ab CD", "lot ab CD", "ab CD ef GH"])
def test_a_cut_object_with_an_odd_label_leaves_the_one_above_alone(label: str) -> None:
    whole = "dog: aa AA bb AA bb BB"
    found, _ = repair(LETTERS, f"{whole}\n{label}: cc CC dd CC dd DD e")
    assert found == [*repair(LETTERS, whole)[0], (label, [[[54, 54], [81, 54], [81, 81]]])]


@pytest.mark.parametrize("label", ["1,2", "10 20", "lot 1,2"])
def test_a_cut_object_with_numbers_for_a_label(label: str) -> None:
    found, _ = repair(DECIMAL, f"dog: 010010 020010 020020\n{label}: 030030 040030 040040 0500")
    assert [name for name, _ in found] == ["dog", label]
    assert [len(rings[0]) for _, rings in found] == [3, 3]


def test_a_hole_stays_a_hole() -> None:
    geometry, _ = LETTERS.parse("dog: ab CD ef GH ij KL  - aa AA bb BB cc CC", errors="repair")
    assert geometry.objects[0].hole.tolist() == [False, True]


def test_an_object_that_lost_what_its_hole_was_cut_out_of() -> None:
    text = "dog: aa AA bb - aa AA bb AA bb BB\ncat: aa AA zz AA zz ZZ aa ZZ"
    assert LETTERS.parse(text, errors="repair")[0].objects[0].hole.tolist() == [True]
    said, repairs = transcode(text, LETTERS, LETTERS, (20, 20), errors="repair")
    assert said.startswith("dog: none\ncat: a")
    assert repairs


@pytest.mark.parametrize("text", ["dog: 100200 300400 499500", "dog: 100,200 300,400 499,500"])
def test_bins_out_of_range_become_the_largest(text: str) -> None:
    found, repairs = repair(get_codec("polygon:bins=500,alphabet=decimal"), text)
    assert found == [("dog", [[[100, 200], [300, 400], [499, 499]]])]
    assert "range" in {entry.kind for entry in repairs}


def test_each_departure_is_listed_with_its_place() -> None:
    text = "dog: ab CD ef GH ij KL\ncat: ab CD foo ef GH ij KL + aa AA"
    _, repairs = repair(LETTERS, text)
    assert [entry.kind for entry in repairs] == ["separator", "junk", "ring"]
    assert text[repairs[1].position :].startswith(" foo")


def test_a_cut_text_keeps_complete_rings() -> None:
    array = np.zeros((40, 60), np.bool_)
    array[2:30, 2:50] = True
    array[6:10, 6:12] = array[6:10, 20:40] = array[20:26, 10:40] = False
    codec = get_codec("polygon:tolerance=0")
    text = codec.encode([Mask(array, "dog")], (40, 60))
    whole = codec.parse(text)[0].objects[0].split()
    ends = [len(ring) for ring in text.split(" - ")]
    for cut in range(len(text)):
        geometry, _ = codec.parse(text[:cut], errors="repair")
        rings = geometry.objects[0].split() if geometry.objects else []
        complete = sum(sum(ends[: k + 1]) + 3 * k <= cut for k in range(len(ends)))
        assert len(rings) >= complete
        for ring, wanted in zip(rings[:complete], whole, strict=False):
            assert np.array_equal(ring, wanted)


@pytest.mark.parametrize("codec", [LETTERS, DECIMAL], ids=["letters", "decimal"])
@pytest.mark.parametrize(
    "unit",
    [
        "ab CD ",
        "ab,CD ",
        "12 ",
        "123456 ",
        "123456,",
        ": ",
        "a: ",
        " + ",
        "a\n",
        "ab CD ef GH ij KL\n",
        "x: ab CD ef GH ij KL\n",
        "x: aa AA zz AA zz ZZ + ",
        "aa AA zz AA zz ZZ + ",
    ],
)
def test_a_lot_of_anything_is_read_in_bounded_time(codec: object, unit: str) -> None:
    text = "dog: " + unit * (3_000_000 // len(unit))
    start = time.perf_counter()
    geometry, repairs = codec.parse(text, errors="repair")  # type: ignore[attr-defined]
    planes = codec.render(geometry.head(20), (64, 64))  # type: ignore[attr-defined]
    assert time.perf_counter() - start < 20  # about 1 s on a machine with nothing else to do
    assert planes.shape[1:] == (64, 64)
    assert sum(len(rings.xy) for rings in geometry.objects) <= polygon.MAX_VERTICES
    assert len(geometry.labels) <= 10_000
    assert len(repairs) <= 1_001


def test_a_million_vertices_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loose, "MAX_VERTICES", 10)
    long = "dog: " + " ".join(["ab CD"] * 8)
    assert repair(LETTERS, f"{long}\n{long}")[0] == [("dog", [[[1, 55]] * 8])]
    (_, rings), (_, rest) = repair(LETTERS, f"{long}\n{long} x")[0]
    assert (len(rings[0]), rest) == (8, [])
    ((_, rings),) = repair(LETTERS, f"{long},ab CD,ab CD,ab CD")[0]
    assert len(rings[0]) == 10


def test_painting_is_bounded() -> None:
    ring = "aa AA zz AA zz ZZ aa ZZ"
    text = "dog: " + " + ".join([ring] * 3_000)
    geometry, repairs = LETTERS.parse(text, errors="repair")
    assert [entry.kind for entry in repairs] == ["too-much-paint"]
    assert 900 < len(geometry.objects[0].hole) <= 1_000
