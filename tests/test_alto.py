"""`alto`: text and codes; pixels are refused with what they would need."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import DecodeError, EncodeError, Mask, MaskCodecError, get_codec
from maskcodec.geometry.tokens import ShapeTokens

CODEC = get_codec("alto")
TEXT = "<ALTo_Start><TOK_17><TOK_0><TOK_1023><ALTo_End>"


def geometry(masks: list[list[int]]) -> ShapeTokens:
    return ShapeTokens(
        "alto",
        0,
        ("",) * len(masks),
        np.zeros((len(masks), 4), np.int32),
        np.array([len(mask) for mask in masks], np.int32),
        np.array([code for mask in masks for code in mask], np.int32),
    )


def read(text: str) -> tuple[list[list[int]], list[str]]:
    found, repairs = CODEC.parse(text, errors="repair")
    codes = [found.codes_of(index).tolist() for index in range(len(found.labels))]
    return codes, [repair.kind for repair in repairs]


def test_text_and_codes() -> None:
    found, repairs = CODEC.parse(TEXT + "<ALTo_Start><TOK_4><ALTo_End>")
    assert repairs == []
    assert found.counts.tolist() == [3, 1]
    assert found.codes.tolist() == [17, 0, 1023, 4]
    assert CODEC.write(found) == TEXT + "<ALTo_Start><TOK_4><ALTo_End>"
    assert CODEC.adopts(found)


@given(st.lists(st.lists(st.integers(0, 1023), min_size=1, max_size=32), max_size=5))
def test_any_codes_come_back(masks: list[list[int]]) -> None:
    text = CODEC.write(geometry(masks))
    found, _ = CODEC.parse(text)
    assert [found.codes_of(index).tolist() for index in range(len(masks))] == masks
    assert CODEC.write(found) == text


@pytest.mark.parametrize(
    ("text", "codes", "kinds"),
    [
        ("<ALTo_Start><ALTo_End>", [[]], ["too-few-codes"]),
        ("<ALTo_Start>" + "<TOK_1>" * 33 + "<ALTo_End>", [[1] * 32], ["too-many-codes"]),
        ("<ALTo_Start><TOK_17><TOK_1024><TOK_5><ALTo_End>", [[17]], ["code-range"]),
        ("<ALTo_Start><TOK_017><ALTo_End>", [[17]], ["spelling"]),
        ("<ALTo_Start><TOK_17><TOK_9", [[17]], ["cut-token", "missing-end"]),
        ("<|mt_start|><|mt_17|><|mt_end|>", [[17]], ["spelling"] * 3),
        ("It is <ALTo_Start><TOK_17><ALTo_End>.", [[17]], ["words", "words"]),
    ],
)
def test_repairs(text: str, codes: list[list[int]], kinds: list[str]) -> None:
    assert read(text) == (codes, kinds)
    with pytest.raises(DecodeError):
        CODEC.parse(text)


def test_every_cut_keeps_its_codes() -> None:
    for cut in range(len(TEXT)):
        codes, kinds = read(TEXT[:cut])
        complete = TEXT[:cut].count(">") - ("<ALTo_Start>" in TEXT[:cut])
        assert [code for mask in codes for code in mask] == [17, 0, 1023][:complete]
        assert kinds


def test_what_can_not_be_written() -> None:
    with pytest.raises(EncodeError, match="object 0 has 0 codes, expected 1 to 32"):
        CODEC.write(geometry([[]]))
    with pytest.raises(EncodeError, match="object 0 has 33 codes"):
        CODEC.write(geometry([[1] * 33]))


def test_pixels_need_what_is_not_here() -> None:
    with pytest.raises(MaskCodecError, match=r"SAM ViT-L.*parse\(\) gives the codes"):
        CODEC.decode(TEXT, (8, 8))
    with pytest.raises(MaskCodecError, match="SAM ViT-L"):
        CODEC.encode([Mask(np.eye(8, dtype=np.bool_), "a")], (8, 8))
    assert CODEC.decode("none", (8, 8)).pixels.shape == (0, 8, 8)
    assert CODEC.encode([], (8, 8)) == "none"


def test_vocabulary() -> None:
    tokens = CODEC.vocab().tokens
    assert tokens[:3] == ("<ALTo_Start>", "<ALTo_End>", "<TOK_0>")
    assert len(set(tokens)) == 1_026
