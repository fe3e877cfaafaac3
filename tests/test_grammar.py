"""Pieces of EBNF, and the grammars of `text4seg`, under two engines."""

from __future__ import annotations

import re

import numpy as np
import pytest

from maskcodec import EncodeError, Mask, get_codec, grammar

walk = pytest.importorskip("grammar_walk")

LABELS = ("dog", 'a "quoted" \\ label', "naïve 犬")


def test_literal() -> None:
    for text in ("a", 'say "a"', "back\\slash", "line\nbreak\ttab\r", "犬 ×", "]^-[", "%$"):
        rule = f"root ::= {grammar.literal(text)}\n"
        for accepts in (walk.accepts, walk.llguidance_accepts):
            assert accepts(rule, text)
            assert not accepts(rule, text[:-1])
            assert not accepts(rule, text + "x")


def test_choice_lists_each_text_once() -> None:
    assert grammar.choice(["dog", "cat", "dog"]) == '"dog" | "cat"'


@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_repeat(count: int) -> None:
    rule = f'root ::= "<" {grammar.repeat(grammar.literal("ab"), count)} ">"\n'
    for accepts in (walk.accepts, walk.llguidance_accepts):
        for times in (count - 1, count, count + 1):
            assert accepts(rule, f"<{'ab' * max(0, times)}>") == (times == count or times < 0)


@pytest.mark.parametrize("total", [1, 2, 9, 10, 11, 20, 99, 100, 101, 255, 1024])
def test_run_rules_accept_every_sum(total: int) -> None:
    rules = [f"root ::= r{total}", 'label ::= "a"', *grammar.run_rules(total, "label", "*", ",")]
    text = "\n".join(rules) + "\n"
    # llguidance compiles anew for every text, which takes it long for large totals.
    engines = (walk.accepts, walk.llguidance_accepts)[: 2 if total <= 20 else 1]
    random = np.random.default_rng(total)
    for _ in range(6):
        places = np.sort(random.choice(total + 1, random.integers(0, min(4, total)), False))
        counts = np.diff([0, *places[(places > 0) & (places < total)], total]).tolist()
        assert all(accepts(text, spelt(counts)) for accepts in engines)
        for wrong in ([*counts, 1], [*counts[:-1], counts[-1] + 1], [*counts[:-1], counts[-1] - 1]):
            assert not any(accepts(text, spelt(wrong)) for accepts in engines)
    for wrong_text in ("", "a*0", f"a*0{total}", f"a*{total},", f"b*{total}", f"a*{total} "):
        assert not walk.accepts(text, wrong_text)


def spelt(counts: list[int]) -> str:
    return ",".join(f"a*{count}" for count in counts)


def test_run_rules_grow_with_the_total_and_not_with_its_square() -> None:
    sizes = {
        total: sum(map(len, grammar.run_rules(total, "label", " *", "| "))) for total in (64, 256)
    }
    assert sizes[256] < 8 * sizes[64]


SPECS = ("grid=3x4", "grid=2x13", "grid=3x4,rle=image", "grid=3x4,rle=none", "grid=1x11,rle=image")


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("seed", range(6))
def test_random_texts_of_the_grammar_decode(spec: str, seed: int) -> None:
    codec = get_codec(f"text4seg:{spec}")
    rules = codec.grammar(LABELS)
    assert rules is not None
    text = walk.random_text(rules, seed)
    assert text is not None
    decoded = codec.decode(text, (30, 40))
    assert decoded.repairs == ()
    assert set(decoded.labels) <= set(LABELS)
    assert walk.llguidance_accepts(rules, text)


@pytest.mark.parametrize("spec", SPECS)
def test_wrong_sums_are_refused(spec: str) -> None:
    codec = get_codec(f"text4seg:{spec}")
    rules = codec.grammar(["dog"])
    assert rules is not None
    array = np.zeros((6, 8), np.bool_)
    array[2:, 3:] = True
    text = codec.encode([Mask(array, "dog")], (6, 8))
    accepts = (walk.accepts, walk.llguidance_accepts)
    assert all(check(rules, text) for check in accepts)
    wrong = [
        text.replace("</seg>", " others *1\n</seg>"),
        text.replace("dog", "cat"),
        text.replace("\n</seg>", "</seg>"),
        text.replace("| ", "|"),
        text + "\n",
        text[:-1],
    ]
    for count in re.finditer(r"\d+", text):
        for other in (int(count[0]) - 1, int(count[0]) + 1, f"0{count[0]}", ""):
            wrong.append(f"{text[: count.start()]}{other}{text[count.end() :]}")
    for changed in wrong:
        if changed != text:
            assert not any(check(rules, changed) for check in accepts), changed


def test_labels_are_escaped_as_the_codec_does() -> None:
    codec = get_codec("text4seg:grid=2,escape=true")
    labels = ["a*b", "others", "|"]
    rules = codec.grammar(labels)
    assert rules is not None
    for label in labels:
        text = codec.encode([Mask(np.eye(2, dtype=np.bool_), label)], (2, 2))
        assert walk.accepts(rules, text)
    with pytest.raises(EncodeError, match=r"holds '\*'"):
        get_codec("text4seg:grid=2").grammar(labels)


def test_no_labels_leave_the_background() -> None:
    codec = get_codec("text4seg:grid=2")
    rules = codec.grammar([])
    assert rules is not None
    assert walk.accepts(rules, codec.encode([], (2, 2)))


def test_where_there_is_no_grammar() -> None:
    assert get_codec("text4seg").grammar() is None
    assert get_codec("text4seg:grid=33x32,rle=image").grammar(["dog"]) is None
    assert get_codec("text4seg:grid=32,rle=image").grammar(["dog"]) is not None
    assert get_codec("text4seg:grid=1024x2").grammar(["dog"]) is not None
    assert get_codec("text4seg:grid=64,rle=none").grammar(["dog"]) is not None
