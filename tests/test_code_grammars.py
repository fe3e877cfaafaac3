"""Grammars of published mask tokens with labels left free, walked by both engines."""

from __future__ import annotations

import numpy as np
import pytest
from cases import CASES, Case
from hypothesis import given, settings
from hypothesis import strategies as st

from maskcodec import EncodeError, Mask

walk = pytest.importorskip("grammar_walk")

every_case = pytest.mark.parametrize("case", [case for case in CASES if not case.pixels], ids=str)

DISC = np.hypot(*(np.mgrid[:24, :32] - [[[12]], [[16]]])) < 8


@every_case
@pytest.mark.parametrize("seed", range(8))
def test_every_text_of_the_grammar_is_read(case: Case, seed: int) -> None:
    grammar = case.codec.grammar()
    assert grammar is not None
    try:
        text = walk.random_text(grammar, seed, longest=2_000)
    except UnicodeDecodeError:
        pytest.skip("the engine lets bytes of half a surrogate pair through")
    if text is None:
        pytest.skip("the walk was not over")
    assert walk.llguidance_accepts(grammar, text)
    repairs = case.codec.parse(text, errors="repair")[1]
    assert {repair.kind for repair in repairs} <= set(case.loose)


@every_case
@settings(max_examples=40)
@given(label=st.text(st.characters(codec="utf-8"), max_size=8))
def test_a_label_is_in_the_grammar_if_it_can_be_written(case: Case, label: str) -> None:
    grammar = case.codec.grammar()
    assert grammar is not None
    masks = [Mask(DISC, label), Mask(DISC, "dog")]
    try:
        text = case.codec.encode(masks, (24, 32))
    except EncodeError:
        plain = case.codec.encode([Mask(DISC, "@"), Mask(DISC, "dog")], (24, 32))
        assert not walk.accepts(grammar, plain.replace("@", label, 1))
    else:
        assert walk.accepts(grammar, text)
        assert walk.llguidance_accepts(grammar, text)


@every_case
def test_no_label_to_choose_from(case: Case) -> None:
    grammar = case.codec.grammar([])
    assert grammar is not None
    nothing = case.codec.encode([], (24, 32))
    assert walk.accepts(grammar, nothing)
    one = case.codec.encode([Mask(DISC, "dog")], (24, 32))
    assert walk.accepts(grammar, one) == (not case.labels)


@every_case
def test_a_label_may_begin_another(case: Case) -> None:
    names = ("dog", "dog house", "d")
    grammar = case.codec.grammar(names)
    assert grammar is not None
    text = case.codec.encode([Mask(DISC, name) for name in names], (24, 32))
    assert walk.accepts(grammar, text)
    assert walk.llguidance_accepts(grammar, text)
