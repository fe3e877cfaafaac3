"""How `boxgrid` reads damaged text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import DecodeError, Mask, get_codec

SIZE = (60, 80)
CODEC = get_codec("boxgrid:rows=4")
ROWS = ["ks", "cz", "aj.qz", "-"]
SHAPE = "100,200,700,900 ks cz aj.qz -"
TEXT = f"dog: {SHAPE}\ntwo words: none"


def shape_of(text: str, item: int = 0) -> tuple[str, list[int], list[str]]:
    """Label, box and rows, as `repair` reads them."""
    geometry, _ = CODEC.parse(text, errors="repair")
    line = CODEC.write(geometry).split("\n")[item]
    label, _, rest = line.partition(": ")
    box, *words = rest.split(" ")
    return label, [int(number) for number in box.split(",")], words


def kinds(text: str) -> list[str]:
    return [repair.kind for repair in CODEC.parse(text, errors="repair")[1]]


@pytest.mark.parametrize(
    ("rows", "read"),
    [
        ("ks cz jq.aj -", "ks cz aq -"),
        ("ks zc aj.qz -", "ks cz aj.qz -"),
        ("ks CZ AJ.QZ -", "ks cz aj.qz -"),
        ("ks cz ajqz -", "ks cz aj.qz -"),
        ("ks cz aj+qz -", "ks cz aj.qz -"),
        ("ks cz aj.qzx -", "ks cz aj.qz -"),
        ("ks cz cc -", "ks cz cd -"),
        ("ks cz zz -", "ks cz yz -"),
        ("ks cz aj.jz -", "ks cz az -"),
        ("ks cz ?? -", "ks cz cz -"),
        ("?? ks cz -", "ks ks cz -"),
        ("ks cz 17 -", "ks cz cz -"),
        ("ks cz —— aj.qz", "ks cz - aj.qz"),
        ("ks, cz, aj.qz, -", "ks cz aj.qz -"),
        ("ks\ncz\naj.qz\n-", "ks cz aj.qz -"),
        ("ks  cz aj.qz -", "ks cz aj.qz -"),
        ("ks cz aj.qz - - az az az", "cz - az az"),
        ("ks cz aj.qz", "ks cz aj.qz aj.qz"),
        ("ks cz aj.q", "ks cz cz cz"),
        ("", "az az az az"),
    ],
)
def test_damaged_rows(rows: str, read: str) -> None:
    text = f"dog: 100,200,700,900 {rows}"
    assert shape_of(text) == ("dog", [100, 200, 700, 900], read.split())
    assert kinds(text)


@pytest.mark.parametrize(
    ("head", "label", "box"),
    [
        ("dog 100,200,700,900", "dog", [100, 200, 700, 900]),
        ("dog: [100, 200, 700, 900]", "dog", [100, 200, 700, 900]),
        ("dog: 100 200 700 900", "dog", [100, 200, 700, 900]),
        ("- **white dog**: 100,200,700,1000", "white dog", [100, 200, 700, 999]),
        ("Here you are: dog: 100,200,700,900", "dog", [100, 200, 700, 900]),
        ("dog:100.5,200.25,700,900", "dog", [100, 200, 700, 900]),
        ("100,200,700,900", "", [100, 200, 700, 900]),
        ("dog:\n100,200,700,900", "dog", [100, 200, 700, 900]),
    ],
)
def test_damaged_heads(head: str, label: str, box: list[int]) -> None:
    geometry, repairs = CODEC.parse(f"{head} ks cz aj.qz -", errors="repair")
    assert geometry.labels == (label,)
    assert geometry.boxes[0].tolist() == box
    assert geometry.counts.tolist() == [[1, 1, 2, 0]]
    assert repairs


def test_rows_missing_before_another_object_are_spread() -> None:
    codec = get_codec("boxgrid:rows=8")
    text = "dog: 0,0,9,9 ac ad ae af ag ah ai\ncat: none"
    geometry, repairs = codec.parse(text, errors="repair")
    assert codec.write(geometry) == "dog: 0,0,9,9 ac ad ae af af ag ah ai\ncat: none"
    assert "row-count" in [repair.kind for repair in repairs]


def test_objects_on_one_line() -> None:
    text = f"dog: {SHAPE} white horse: {SHAPE} tv: 0,0,9,9 az az az az"
    geometry, _ = CODEC.parse(text, errors="repair")
    assert geometry.labels == ("dog", "white horse", "tv")
    assert geometry.counts.tolist() == [[1, 1, 2, 0]] * 2 + [[1] * 4]


def test_text_around_objects() -> None:
    text = f"Sure!\n```\n{TEXT}\n```\nAnything else?"
    geometry, repairs = CODEC.parse(text, errors="repair")
    assert CODEC.write(geometry) == TEXT
    assert [repair.position for repair in repairs] == [0, 6, len(text) - 18, len(text) - 14]


@pytest.mark.parametrize("text", ["None", "none.", " none ", "NONE!", "none\n"])
def test_no_object_said_loosely(text: str) -> None:
    decoded = CODEC.decode(text, SIZE, errors="repair")
    assert decoded.masks == []
    assert decoded.repairs


@pytest.mark.parametrize("text", ["dog:none", "dog: None.", "dog - none", "dog: 0,0,0,0 none"])
def test_no_pixels_said_loosely(text: str) -> None:
    decoded = CODEC.decode(text, SIZE, errors="repair")
    assert decoded.labels == ("dog",)
    assert not decoded.masks[0].array.any()


def test_a_cut_text_keeps_its_rows() -> None:
    for cut in range(TEXT.index("700") + 8, TEXT.index("\n") + 1):
        label, box, words = shape_of(TEXT[:cut])
        complete = TEXT[:cut].split(" ")[2:-1]
        assert (label, box) == ("dog", [100, 200, 700, 900])
        assert words[: len(complete)] == ROWS[: len(complete)]


def test_one_bad_row_costs_one_row() -> None:
    codec = get_codec("boxgrid:rows=8")
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    inside = np.hypot(y - 30, x - 26) < 20
    text = codec.encode([Mask(inside, "dog")], SIZE)
    words = text.split(" ")
    for row in range(8):
        broken = [*words[: row + 2], "?!", *words[row + 3 :]]
        geometry, _ = codec.parse(" ".join(broken), errors="repair")
        again = codec.write(geometry).split(" ")
        assert [a == b for a, b in zip(words, again, strict=True)].count(False) <= 1


@pytest.mark.parametrize(
    "unit",
    ["1,2,3,4 ", "1,2,3,4", "dog: 1,2,3,4 az az\n", "az ", "a b ", "(((", ": ", "\n", "a:\n"],
)
def test_hostile_text(unit: str) -> None:
    """A megabyte takes well under a second; the objects are capped."""
    geometry, repairs = CODEC.parse(unit * (1_000_000 // len(unit)), errors="repair")
    assert len(geometry.labels) <= 10_000
    assert len(repairs) <= 1_001
    assert geometry.counts.shape == (len(geometry.labels), 4)


def test_too_many_objects() -> None:
    text = "\n".join(["dog: none"] * 10_001)
    with pytest.raises(DecodeError, match="10000"):
        CODEC.parse(text)
    geometry, repairs = CODEC.parse(text, errors="repair")
    assert len(geometry.labels) == 10_000
    assert [repair.kind for repair in repairs] == ["too-many-objects"]


@given(word=st.text("abcwxyz.-", max_size=12))
def test_any_word_of_letters_becomes_runs_in_order(word: str) -> None:
    """Also where runs begin at the right side, after which there is no place."""
    codec = get_codec("boxgrid:rows=4")
    text = f"dog: 100,100,900,900 ay {word} by cz"
    geometry, _ = codec.parse(text, errors="repair")
    letters = geometry.runs.ravel().tolist()
    assert all(0 <= place <= 25 for place in letters)
    assert codec.parse(codec.write(geometry))[0].runs.ravel().tolist() == letters


def test_an_object_with_all_its_rows_has_no_fault_in_their_number() -> None:
    assert kinds("dog: [100,200,700,900] ks cz aj.qz -\ncat: none") == ["box"]
