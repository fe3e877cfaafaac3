"""Mask text in conversations: what is written reads back, and anything at all can be read."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import damaged

from maskcodec import DecodeError, EncodeError, Mask, MaskCodecError, get_codec
from maskcodec.chat import (
    CLOSE,
    MAX_PARTS,
    OPEN,
    check_untagged,
    read_answer,
    read_answers,
    split_answer,
    tag,
)

SIZE = (48, 64)
CODEC = get_codec("boxgrid:rows=6")
SPECS = ["boxgrid", "polygon", "coco_rle", "text4seg:grid=8", "shapetokens:tokens=2"]


def block(y: int, x: int, label: str) -> Mask:
    array = np.zeros(SIZE, np.bool_)
    array[y : y + 12, x : x + 16] = True
    return Mask(array, label)


DOG, CAT = block(5, 8, "dog"), block(30, 40, "cat")
DOG_TEXT, CAT_TEXT = (CODEC.encode([mask], SIZE) for mask in (DOG, CAT))
TAGGED = f"A dog {tag(DOG_TEXT)} looks at a cat {tag(CAT_TEXT)}, but no bird {tag('none')}."


def test_an_answer_without_tags_is_the_codec_s_text() -> None:
    answer = split_answer(DOG_TEXT)
    assert (answer.form, answer.prose, answer.repairs) == ("bare", "", ())
    assert [part.text for part in answer.parts] == [DOG_TEXT]


def test_prose_and_parts_come_apart() -> None:
    answer = split_answer(TAGGED, errors="strict")
    assert answer.form == "tagged"
    assert answer.prose == "A dog looks at a cat, but no bird."
    assert [part.text for part in answer.parts] == [DOG_TEXT, CAT_TEXT, "none"]
    assert [answer.prose[: part.place] for part in answer.parts] == [
        "A dog",
        "A dog looks at a cat",
        "A dog looks at a cat, but no bird",
    ]
    for part in answer.parts:
        assert TAGGED[part.start :].startswith(part.text)


@pytest.mark.parametrize("spec", SPECS)
def test_masks_of_all_parts_are_joined_in_order(spec: str) -> None:
    codec = get_codec(spec)
    text = f"One {tag(codec.encode([DOG], SIZE))} and {tag(codec.encode([CAT], SIZE))}"
    read = read_answer(text, codec, SIZE, "strict")
    alone = [codec.decode(codec.encode([mask], SIZE), SIZE).masks[0] for mask in (DOG, CAT)]
    assert [mask.label for mask in read.masks] == list(read.labels) == ["dog", "cat"]
    for mask, expected in zip(read.masks, alone, strict=True):
        assert np.array_equal(mask.array, expected.array)
    assert read.repairs == ()


def test_a_batch_is_its_answers_one_by_one() -> None:
    texts = [TAGGED, DOG_TEXT, "none", "nothing here", TAGGED[:70]]
    sizes = [SIZE, (20, 30), SIZE, (9, 9), (64, 48)]
    together = read_answers(texts, CODEC, sizes)
    for text, size, joined in zip(texts, sizes, together, strict=True):
        alone = read_answer(text, CODEC, size)
        assert joined.labels == alone.labels
        assert joined.repairs == alone.repairs
        for one, other in zip(joined.masks, alone.masks, strict=True):
            assert one.size == size
            assert np.array_equal(one.array, other.array)
    with pytest.raises(MaskCodecError, match="2 texts but 1 sizes"):
        read_answers(["", ""], CODEC, [SIZE])


@pytest.mark.parametrize(
    ("text", "prose", "parts", "kinds"),
    [
        ("a <mask>x", "a", ["x"], ["unclosed-tag"]),
        ("a <mask>x</ma", "a", ["x"], ["half-tag", "unclosed-tag"]),
        ("a <mask>x<mask>y</mask> b", "a b", ["x", "y"], ["unclosed-tag"]),
        ("a </mask> b", "a b", [], ["stray-tag"]),
        ("a < Mask >x</ MASK>.", "a.", ["x"], ["loose-tag", "loose-tag"]),
        ("a <mask></mask> b", "a b", [""], []),
        ("a <mask>x</mask> b <ma", "a b", ["x"], ["half-tag"]),
    ],
)
def test_repairs(text: str, prose: str, parts: list[str], kinds: list[str]) -> None:
    answer = split_answer(text)
    assert answer.prose == prose
    assert [part.text for part in answer.parts] == parts
    assert [repair.kind for repair in answer.repairs] == kinds
    if kinds:
        with pytest.raises(DecodeError, match="chat:"):
            split_answer(text, errors="strict")


def test_the_form_can_be_told() -> None:
    assert split_answer("It is a dog.", form="tagged").parts == ()
    assert read_answer("It is a dog.", CODEC, SIZE, form="tagged").masks == []
    assert split_answer("x <mask>", form="bare").parts[0].text == "x <mask>"


def test_places_count_in_the_whole_answer() -> None:
    text = f"Here: {tag(DOG_TEXT.replace('dog: ', 'dog; '))}"
    read = read_answer(text, CODEC, SIZE)
    assert read.repairs
    assert all(repair.position >= len(f"Here: {OPEN}") for repair in read.repairs)
    with pytest.raises(DecodeError) as caught:
        read_answer(text, CODEC, SIZE, "strict")
    assert caught.value.text == text
    assert caught.value.position >= len(f"Here: {OPEN}")


def test_labels_that_look_like_tags_are_refused() -> None:
    for text in ("a<mask>", "</mask >", "<MASK>b"):
        with pytest.raises(EncodeError, match="would be read as the mark of a mask"):
            check_untagged(text)
        with pytest.raises(EncodeError):
            tag(text)
    assert check_untagged("a < b > mask") == "a < b > mask"


@given(st.data())
def test_whatever_is_said_there_is_an_answer(data: st.DataObject) -> None:
    text = data.draw(damaged(TAGGED) | st.text("<mask/> dog:1,zZ\n\0", max_size=60))
    answer = split_answer(text)
    assert all(0 <= part.place <= len(answer.prose) for part in answer.parts)
    assert all(text[part.start :].startswith(part.text) for part in answer.parts)
    read = read_answer(text, CODEC, SIZE)
    assert all(mask.size == SIZE for mask in read.masks)
    if answer.form == "tagged":
        try:
            again = split_answer(text, errors="strict")
        except DecodeError:
            assert answer.repairs
        else:
            assert again == answer
            assert not answer.repairs


@given(st.integers(0, len(TAGGED)))
def test_a_cut_answer_keeps_every_complete_mask(length: int) -> None:
    cut = TAGGED[:length]
    complete = cut.count(CLOSE)
    read = read_answer(cut, CODEC, SIZE, form="tagged")
    for mask, expected in zip(read.masks, [DOG, CAT][:complete], strict=False):
        whole = CODEC.decode(CODEC.encode([expected], SIZE), SIZE).masks[0]
        assert mask.label == expected.label
        assert np.array_equal(mask.array, whole.array)
    assert len(read.masks) >= min(complete, 2)


def test_many_parts_and_much_text_are_bounded() -> None:
    start = time.perf_counter()
    read = read_answer(OPEN * 200_000, CODEC, (16, 16))
    assert len(read.decoded) == MAX_PARTS
    assert read.repairs
    many = split_answer(tag("none") * 2_000)
    assert [repair.kind for repair in many.repairs] == ["too-many-parts"]
    split_answer("< " * 500_000)
    split_answer("<" + " " * 1_000_000 + "mask>")
    assert time.perf_counter() - start < 20


def test_pixels_are_bounded_over_all_parts() -> None:
    size = (32_768, 32_768)  # two such masks would be more than 2^31 pixels
    text = tag("a: none") * 3
    read = read_answer(text, CODEC, size)
    assert len(read.masks) <= 1
    assert "too-many-objects" in {repair.kind for repair in read.repairs}
