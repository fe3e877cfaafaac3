"""The numbers and tokens that families of shape tokens share."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec.dialects._code_tags import CodeTag, find_tags


@given(st.integers(0, 1500), st.integers(0, 1500), st.sampled_from([0, 4]))
def test_patterns_match_exactly_the_codes(a: int, b: int, digits: int) -> None:
    tag = CodeTag("<", ">", digits, min(a, b), max(a, b))
    pattern = re.compile(tag.pattern)
    for number in (0, a - 1, a, a + 1, b - 1, b, b + 1, (a + b) // 2, 999, 1000, 1499):
        if number >= 0:
            inside = tag.low <= number <= tag.high
            assert bool(pattern.fullmatch(tag.write(number))) == inside
            other = f"<{number:0{3 if digits else 5}d}>"
            assert not pattern.fullmatch(other) or other == tag.write(number)


def test_tokens_are_all_codes_in_order() -> None:
    tag = CodeTag("<seg", ">", 3, 0, 127)
    assert tag.tokens[:2] == ("<seg000>", "<seg001>")
    assert tag.tokens[-1] == "<seg127>"
    assert len(set(tag.tokens)) == 128


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<|mt_17|>", ("code", 17)),
        ("<|mt_0017|>", ("code", 17)),
        ("<TOK_17>", ("code", 17)),
        ("<seg017>", ("code", 17)),
        ("<seg_17>", ("code", 17)),
        ("<|m_0017|>", ("code", 17)),
        ("<loc0017>", ("loc", 17)),
        ("<loc_17>", ("loc", 17)),
        ("<|MT_17|>", ("code", 17)),
        ("<|mt_start|>", ("open", -1)),
        ("<ALTo_Start>", ("open", -1)),
        ("<start_of_mask>", ("open", -1)),
        ("<|mt_end|>", ("close", -1)),
        ("<ALTo_End>", ("close", -1)),
        (f"<|mt_{'9' * 50}|>", ("code", -1)),
        (f"<|mt_{'0' * 50}7|>", ("code", 7)),
    ],
)
def test_tokens_of_every_family_are_found(text: str, found: tuple[str, int]) -> None:
    (tag,) = find_tags(f"a{text}b")
    assert (tag.kind, tag.number) == found
    assert (tag.start, tag.end) == (1, 1 + len(text))


@pytest.mark.parametrize("text", ["<mt_17", "<|mt_-1|>", "<|mt_|>", "mt_17", "<17>", "<|mt_1 7|>"])
def test_what_is_no_token(text: str) -> None:
    assert list(find_tags(text)) == []
