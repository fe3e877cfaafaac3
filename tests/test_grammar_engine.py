"""The tokens that xgrammar forgets: found once, and let through where it accepts them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
xgrammar = pytest.importorskip("xgrammar")

from maskcodec import Mask, get_codec, hf  # noqa: E402
from maskcodec.chat import CLOSE, OPEN  # noqa: E402
from maskcodec.codec import Codec  # noqa: E402
from maskcodec.datasets.scene_options import SceneOptions  # noqa: E402
from maskcodec.grammar_engine import Engine, skipped_tokens  # noqa: E402
from maskcodec.logit_rows import GrammarRows  # noqa: E402

SIZE = (64, 64)
SPECS = (
    "boxgrid:rows=6",
    "polygon:points=8",
    "text4seg:grid=8",
    "shapetokens:tokens=4,boxes=1,spelling=digits",
)
TINY = SceneOptions.tiny()
LABELS = [f"{colour} {noun}" for colour in TINY.colours for noun in TINY.shapes]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return hf.load_processor("tiny").tokenizer


def answers(codec: Codec[Any], labels: list[str]) -> Iterator[str]:
    for number, label in enumerate(labels):
        place = number % 16 * 3
        mask = np.zeros(SIZE, np.bool_)
        mask[place : place + 12, 4 : 24 + place // 2] = True
        yield codec.encode([Mask(mask, label)], SIZE)


def words(tokenizer: Any, ids: Any) -> set[str]:
    return {str(tokenizer.decode([number])) for number in ids}


def test_the_tokens_that_are_passed_over_are_found(tokenizer: Any) -> None:
    found = Engine.of(tokenizer, len(tokenizer), (tokenizer.eos_token_id,)).skipped
    assert words(tokenizer, found) == {"purple", "rrow", "gge"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("ple purple", "purple"),
        ("pad ple purple", "purple"),
        ("ple plea purple", "purple"),  # "plea" is over by then, "ple" is not
        ("ple purple purples", "purple purples"),  # one that is passed over takes others along
        ("ple pop purple", ""),  # "pop" does not hold "ple", which is over with it
        ("a ab abc ba", "ba"),
        ("a ab abc", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_passed_over_holds_a_neighbour(texts: str, expected: str) -> None:
    tokens = [text.encode() for text in texts.split()]
    found = skipped_tokens(tokens)
    assert [tokens[number].decode() for number in found] == expected.split()


@pytest.mark.parametrize("spec", SPECS)
def test_right_answers_are_never_barred(tokenizer: Any, spec: str) -> None:
    codec = get_codec(spec)
    rows = GrammarRows(codec, tokenizer, LABELS, [tokenizer.eos_token_id])
    whole = set()
    for text in answers(codec, LABELS):
        ids = tokenizer.encode(text, add_special_tokens=False)
        whole |= words(tokenizer, ids) & {"purple"}
        row = rows(len(tokenizer))
        for number in [*ids, tokenizer.eos_token_id]:
            allowed = np.zeros(len(tokenizer), np.bool_)
            row.fill(allowed)
            assert allowed[number], (text, tokenizer.decode([number]))
            row.feed(number)
    assert whole == {"purple"}  # or else nothing was tried


def test_nor_are_they_between_tags(tokenizer: Any) -> None:
    codec = get_codec("boxgrid:rows=6")
    rule = hf.logits_processor(
        codec, tokenizer, labels=["purple star"], prompt_length=0, form="tagged"
    )
    [text] = answers(codec, ["purple star"])
    ids = tokenizer.encode(f"yes {OPEN}{text}{CLOSE}", add_special_tokens=False)
    assert "purple" in words(tokenizer, ids)
    for place, number in enumerate(ids):
        left = rule(torch.tensor([ids[:place]], dtype=torch.long), torch.zeros(1, len(tokenizer)))
        assert left[0, number].isfinite(), text


@pytest.mark.parametrize(
    ("spec", "labels"),
    [*((spec, LABELS) for spec in SPECS), ("boxgrid:rows=6", None), ("polygon:points=8", None)],
)
def test_another_engine_allows_the_same(
    tokenizer: Any, spec: str, labels: list[str] | None
) -> None:
    llguidance = pytest.importorskip("llguidance")
    from llguidance import hf as other_hf
    from llguidance.gbnf_to_lark import any_to_lark

    codec = get_codec(spec)
    end = tokenizer.eos_token_id
    rows = GrammarRows(codec, tokenizer, labels, [end])
    other = llguidance.LLMatcher(
        other_hf.from_tokenizer(tokenizer, len(tokenizer), end),
        llguidance.LLMatcher.grammar_from_lark(any_to_lark(rows.grammar)),
    )
    assert not other.is_error(), other.get_error()
    special = set(tokenizer.all_special_ids) - {end}
    for text in answers(codec, ["purple arrow", "blue heart"]):
        ids = tokenizer.encode(text, add_special_tokens=False)
        row, state = rows(len(tokenizer)), other.deep_copy()
        for number in [*ids, end]:
            allowed = np.zeros(len(tokenizer), np.bool_)
            row.fill(allowed)
            bits = np.frombuffer(state.compute_bitmask(), np.uint8)
            theirs = np.unpackbits(bits, count=len(tokenizer), bitorder="little")
            ours, other_ids = set(np.flatnonzero(allowed)), set(np.flatnonzero(theirs))
            assert other_ids - special <= ours, text
            # Where one text alone can follow, it masks all but its first whole token.
            for extra in ours - other_ids:
                assert state.validate_tokens([int(extra)]) == 1, text
            row.feed(number)
            assert state.consume_token(number)


def test_in_random_vocabularies_nothing_else_is_forgotten() -> None:
    chance = random.Random(0)

    def texts(count: int, longest: int) -> list[str]:
        lengths = (chance.randint(1, longest) for _ in range(count))
        return sorted({"".join(chance.choices("abc", k=length)) for length in lengths})

    for _ in range(150):
        vocabulary = ["a", "b", "c", *texts(25, 5), "<end>"]
        end = len(vocabulary) - 1
        info = xgrammar.TokenizerInfo(vocabulary, stop_token_ids=[end])
        lines = " | ".join(f'"{line}"' for line in texts(6, 8))
        compiler = xgrammar.GrammarCompiler(info, max_threads=1)
        matcher = xgrammar.GrammarMatcher(compiler.compile_grammar(f"root ::= ({lines}) root?"))
        skipped = skipped_tokens([token.encode() for token in vocabulary], [end])
        bits = xgrammar.allocate_token_bitmask(1, len(vocabulary))
        for _ in range(6):
            matcher.fill_next_token_bitmask(bits)
            given = np.unpackbits(
                bits.numpy().view(np.uint8)[0], count=len(vocabulary), bitorder="little"
            )
            accepted = []
            for number in range(end):
                if matcher.accept_token(number):
                    matcher.rollback(1)
                    accepted.append(number)
            allowed = set(np.flatnonzero(given)) - {end}
            assert allowed <= set(accepted)
            assert set(accepted) - allowed <= set(skipped)
            matcher.accept_token(chance.choice(accepted))
