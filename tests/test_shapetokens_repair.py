"""How `shapetokens` reads damaged text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_texts import (
    BOX,
    CODEC,
    SHAPE,
    TEXT,
    codec_of,
    every_spec,
    geometries,
    kinds,
    listed,
    made,
    read,
)
from strategies import damaged

from maskcodec import DecodeError, EncodeError


@every_spec
@settings(max_examples=10)
@given(data=st.data())
def test_a_cut_text_keeps_whole_objects_and_true_codes(spec: str, data: st.DataObject) -> None:
    codec = codec_of(spec)
    geometry = data.draw(geometries(codec))
    text, whole = codec.write(geometry), listed(geometry)
    ends = [len(codec.write(geometry.head(count))) for count in range(1, len(whole) + 1)]
    numbers = codec.spelling == "digits"
    for cut in range(len(text)):
        found = read(text[:cut], codec)
        complete = sum(end <= cut for end in ends)
        assert found[:complete] == whole[:complete]
        assert len(found) <= complete + 1
        for label, box, codes in found[complete:]:
            truth = whole[complete]
            assert (label, box[:3]) == (truth[0], truth[1][:3])
            if not numbers:  # a number that lost digits may be another one
                assert box == truth[1]
                assert codes == truth[2][: len(codes)]


@pytest.mark.parametrize(
    ("text", "objects", "kind"),
    [
        # A wrong count.
        (f"dog: {SHAPE}<|m_0001|>", [("dog", [103, 250, 388, 771], [12, 993, 5])], "code-count"),
        (f"dog: {BOX}<|m_0012|>", [("dog", [103, 250, 388, 771], [12])], "codes-missing"),
        (f"dog: {BOX}", [("dog", [103, 250, 388, 771], [])], "codes-missing"),
        # Out of range.
        (f"dog: {BOX}<|m_0012|><|m_1024|><|m_0005|>", [("dog", [103, 250, 388, 771], [12])],
         "code-range"),
        ("dog: <|b_0103|><|b_0250|><|b_0388|><|b_2000|><|m_0012|><|m_0993|><|m_0005|>",
         [("dog", [103, 250, 388, 1023], [12, 993, 5])], "edge"),
        # Boxes that are not whole.
        ("dog: <|b_0103|><|b_0250|><|b_0388|><|m_0012|><|m_0993|><|m_0005|>", [], "box"),
        (f"dog: <|m_0012|>\ncat: {SHAPE}", [("cat", [103, 250, 388, 771], [12, 993, 5])], "box"),
        # Neighbouring families and other spellings.
        ("dog: <|b_103|><|b_250|><|b_388|><|b_771|><|mt_12|><|mt_0993|><|m_5|>",
         [("dog", [103, 250, 388, 771], [12, 993, 5])], "object"),
        ("dog: 103,250,388,771 12 993 5", [("dog", [103, 250, 388, 771], [12, 993, 5])], "object"),
        ("dog: blanc deployed freeze reun adapter wages accepting",
         [("dog", [103, 250, 388, 771], [12, 993, 5])], "object"),
        ("dog: <unused1127><unused1274><unused1412><unused1795><unused2060>",
         [("dog", [103, 250, 388, 771], [12])], "codes-missing"),
        (f"dog: {BOX}<|m_00_0012|><|m_01_0993|><|m_02_0005|>",
         [("dog", [103, 250, 388, 771], [12, 993, 5])], "object"),
        (f"dog: {BOX}<|m_00_0012|><|m_02_0005|>", [("dog", [103, 250, 388, 771], [12])],
         "code-place"),
        # Blanks, commas, brackets, line breaks.
        ("dog:  [<|b_0103|>, <|b_0250|>, <|b_0388|>, <|b_0771|>] <|m_0012|> <|m_0993|>,<|m_0005|> ",
         [("dog", [103, 250, 388, 771], [12, 993, 5])], "object"),
        (f"dog:\n{BOX}\n<|m_0012|><|m_0993|>\n<|m_0005|>",
         [("dog", [103, 250, 388, 771], [12, 993, 5])], "line"),
        # Several objects on a line, prose, markdown.
        (f"- **dog**: {SHAPE}, tv: none, cat: {SHAPE}",
         [("dog", [103, 250, 388, 771], [12, 993, 5]), ("tv", [0, 0, 0, 0], []),
          ("cat", [103, 250, 388, 771], [12, 993, 5])], "object"),
        (f"Sure, here are 2 dogs:\n```\ndog: {SHAPE}\n```",
         [("dog", [103, 250, 388, 771], [12, 993, 5])], "object"),
        (f"dog: {BOX} none", [("dog", [0, 0, 0, 0], [])], "object"),
        ("dog - None.", [("dog", [0, 0, 0, 0], [])], "object"),
        # The text was cut.
        (f"dog: {SHAPE}\ncat: {BOX[:-3]}", [("dog", [103, 250, 388, 771], [12, 993, 5])], "box"),
        (f"dog: {SHAPE}\ncat: {BOX}<|m_00", [("dog", [103, 250, 388, 771], [12, 993, 5]),
         ("cat", [103, 250, 388, 771], [])], "codes-missing"),
        ("dog: 103,250,388,771 12 99", [("dog", [103, 250, 388, 771], [12])], "cut-code"),
        ("dog: 103,250,388,77", [], "box"),
    ],
)  # fmt: skip
def test_damage(text: str, objects: list[Any], kind: str) -> None:
    assert read(text) == objects
    assert kind in kinds(text)
    with pytest.raises(DecodeError):
        CODEC.parse(text)


def test_a_code_of_another_place_ends_the_shape() -> None:
    codec = codec_of("shapetokens:tokens=3,ids=per_stage")
    text = f"dog: {BOX}<|m_00_0012|><|m_01_0993|><|m_01_0005|>"
    assert read(text, codec) == [("dog", [103, 250, 388, 771], [12, 993])]
    assert kinds(text, codec) == ["code-place", "codes-missing"]
    assert read(f"dog: {SHAPE}", codec)[0][2] == [12, 993, 5]


@pytest.mark.parametrize(
    ("box", "read_as"),
    [
        ("388,771,103,250", [103, 250, 388, 771]),
        ("388,250,103,771", [103, 250, 388, 771]),
        ("103,771,388,250", [103, 250, 388, 771]),
    ],
)
def test_a_reversed_box(box: str, read_as: list[int]) -> None:
    codec = codec_of("shapetokens:tokens=3,spelling=digits")
    text = f"dog: {box} 12 993 5"
    assert read(text, codec) == [("dog", read_as, [12, 993, 5])]
    assert kinds(text, codec) == ["box-order"]
    with pytest.raises(DecodeError, match="in order"):
        codec.parse(text)
    corners = [int(edge) for edge in box.split(",")]
    reversed_box = made(codec, [("dog", corners, [12, 993, 5])])
    assert not codec.adopts(reversed_box)
    with pytest.raises(EncodeError, match="beyond the other"):
        codec.write(reversed_box)


BOX_1, BOX_2 = [112, 234, 543, 810], [10, 20, 300, 400]


@pytest.mark.parametrize("damaged_code", ["b35", "3b5", "35b", "3:5", "3.x5", "犬3"])
def test_numbers_behind_a_damaged_code_are_no_box(damaged_code: str) -> None:
    codec = codec_of("shapetokens:tokens=8,spelling=digits")
    text = f"dog: 112,234,543,810 109 {damaged_code} 122 249 116 480 763 983"
    [(label, box, codes)] = read(text, codec)
    assert (label, box, codes[0]) == ("dog", BOX_1, 109)
    assert not set(codes) & {122, 249, 116, 480, 763, 983}
    assert "stray-codes" in kinds(text, codec)
    more = f"{text}, cat: 10,20,300,400 5 6"
    assert [found[:2] for found in read(more, codec)] == [("dog", BOX_1), ("cat", BOX_2)]


@pytest.mark.parametrize(
    "second",
    ["cat: 10 20 300 400", "**cat**: [10 20 300 400]", "cat: (10 20 300 400)", "cat 10,20,300,400",
     "cat (10,20,300,400)", "cat 1 2: 10 20 300 400"],
)  # fmt: skip
@pytest.mark.parametrize(
    "before", ["112,234,543,810 109 35 7, ", "112 234 543 810 109 x, ", "none, "]
)
def test_boxes_that_say_so_behind_an_object(before: str, second: str) -> None:
    codec = codec_of("shapetokens:tokens=3,spelling=digits")
    found = read(f"dog: {before}{second} 5 6 700", codec)
    assert found[0][0] == "dog"
    assert found[1][1:] == (BOX_2, [5, 6, 700])
    assert len(found) == 2


def test_numbers_in_a_label_behind_an_object() -> None:
    codec = codec_of("shapetokens:tokens=3,spelling=digits")
    text = "dog: 112,234,543,810 1 2 3, lot 1 2 3 4: 10,20,300,400 5 6 700"
    assert [found[:2] for found in read(text, codec)] == [("dog", BOX_1), ("lot 1 2 3 4", BOX_2)]


@pytest.mark.parametrize("label", ["dog", "2 dogs", "car12"])
@pytest.mark.parametrize("joint", [" ", ",", ", "])
def test_loose_boxes_of_a_first_object(label: str, joint: str) -> None:
    codec = codec_of("shapetokens:tokens=3,spelling=digits")
    text = f"{label} {joint.join(map(str, BOX_1))} 12 993 500"
    assert read(text, codec) == [(label, BOX_1, [12, 993, 500])]


@pytest.mark.parametrize(
    "box",
    [
        "11x,234,543,810",
        "112,2x4,543,810",
        "112,234,54x,810",
        "112,234,543,8x0",
        "112,234#,543,810",
    ],
)
def test_a_damaged_edge_is_not_made_up_from_codes(box: str) -> None:
    codec = codec_of("shapetokens:tokens=8,spelling=digits")
    text = f"dog: {box} 122 249 116 480 763 983 5 6\ncat: 10,20,300,400 1 2 3 4 5 6 7 8"
    assert [found[:2] for found in read(text, codec)] == [("cat", BOX_2)]
    assert "box" in kinds(text, codec)


@pytest.mark.parametrize("label", ["1,2", "lot 3, 4", "x<|m_0001|>", "x<|b_0001|><|b_0002|>"])
def test_pieces_in_a_label_are_no_object(label: str) -> None:
    text = f"{label}: <|b_0388|><|b_0250|><|b_0103|><|b_0771|>{SHAPE[-30:]}"
    [(name, box, codes)] = read(text)
    assert (name, box, codes) == (label, [103, 250, 388, 771], [12, 993, 5])
    assert kinds(text) == ["box-order"]


def test_where_strict_reading_stops() -> None:
    with pytest.raises(DecodeError, match="the end expected") as caught:
        CODEC.parse(f"dog: {SHAPE}!")
    assert caught.value.position == len(f"dog: {SHAPE}")
    with pytest.raises(DecodeError) as caught:
        CODEC.parse(f"{TEXT}\ndog: {BOX}<|m_0012|> <|m_0993|><|m_0005|>")
    assert caught.value.position == len(f"{TEXT}\ndog: {BOX}<|m_0012|>")


@every_spec
@given(data=st.data())
def test_any_text_is_read(spec: str, data: st.DataObject) -> None:
    codec = codec_of(spec)
    text = data.draw(
        st.one_of(st.text(max_size=200), damaged(codec.write(data.draw(geometries(codec)))))
    )
    geometry, repairs = codec.parse(text, errors="repair")
    assert geometry.boxes.shape == (len(geometry.labels), 4)
    assert geometry.counts.sum() == len(geometry.codes)
    assert geometry.counts.max(initial=0) <= codec.tokens
    for values in (geometry.boxes, geometry.codes):
        assert ((values >= 0) & (values < 1024)).all()
    assert all(0 <= repair.position <= len(text) for repair in repairs)
    try:
        strict, _ = codec.parse(text)
    except DecodeError:
        assert repairs, "strict refuses the text but repair lists nothing"
    else:
        assert repairs == []
        assert listed(strict) == listed(geometry)


@pytest.mark.parametrize(
    "unit",
    [
        "0", "1 ", "1,2,3,4 ", "dog: 1,2,3,4 5\n", "none", "none ", "x: none ", "a:\n", "\n", "a ",
        "<", "<|m_", "<|b_1|>", "<|m_0001|>", "<|m_0001|>\n", "accepting ", "aboard ", "(((", ": ",
    ],
)  # fmt: skip
def test_nonsense_is_read_in_bounded_time(unit: str) -> None:
    """A megabyte takes well under a second; the objects are capped."""
    geometry, repairs = CODEC.parse(unit * (1_000_000 // len(unit)), errors="repair")
    assert len(geometry.labels) <= 10_000
    assert len(repairs) <= 1_001


def test_too_many_objects() -> None:
    text = "\n".join([f"dog: {SHAPE}"] * 10_001)
    with pytest.raises(DecodeError, match="10,000"):
        CODEC.parse(text)
    geometry, repairs = CODEC.parse(text, errors="repair")
    assert len(geometry.labels) == 10_000
    assert [repair.kind for repair in repairs] == ["too-many-objects"]
