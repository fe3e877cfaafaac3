"""Law 3: a codec's grammar and its strict parser accept the same texts."""

from __future__ import annotations

import pytest
from cases import CASES, Case
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import LABELS, damaged, mask_lists

from maskcodec import DecodeError

walk = pytest.importorskip("grammar_walk")

every_grammar = pytest.mark.parametrize("case", [case for case in CASES if case.grammar], ids=str)


def grammar_of(case: Case, labels: tuple[str, ...] = LABELS) -> str:
    grammar = case.codec.grammar(labels)
    assert grammar is not None
    return grammar


@every_grammar
@settings(max_examples=25)
@given(example=mask_lists(64))
def test_every_encoding_is_in_the_grammar(case: Case, example: tuple) -> None:  # type: ignore[type-arg]
    text = case.codec.encode(*example)
    assert walk.accepts(grammar_of(case), text)
    assert walk.llguidance_accepts(grammar_of(case), text)


@every_grammar
@pytest.mark.parametrize("seed", range(12))
def test_every_text_of_the_grammar_decodes(case: Case, seed: int) -> None:
    grammar = grammar_of(case, LABELS[:3])
    text = walk.random_text(grammar, seed, longest=3_000)
    if text is None:
        pytest.skip("the walk was not over")
    assert walk.llguidance_accepts(grammar, text)
    decoded = case.codec.decode(text, (64, 80), errors="repair" if case.loose else "strict")
    assert {repair.kind for repair in decoded.repairs} <= set(case.loose)
    assert set(decoded.labels) <= set(map(case.label, LABELS[:3]))


@every_grammar
@settings(max_examples=40)
@given(data=st.data())
def test_damage_is_refused_by_both_or_by_neither(case: Case, data: st.DataObject) -> None:
    masks, size = data.draw(mask_lists(40))
    text = data.draw(damaged(case.codec.encode(masks, size)))
    try:
        labels = case.codec.decode(text, size).labels
    except DecodeError:
        repairs = case.codec.parse(text, errors="repair")[1]
        only_loose = {repair.kind for repair in repairs} <= set(case.loose)
        assert only_loose or not walk.accepts(grammar_of(case), text)
    else:
        # Strict reads any label; the grammar only the listed ones.
        if set(labels) <= set(map(case.label, LABELS)):
            assert walk.accepts(grammar_of(case), text)
