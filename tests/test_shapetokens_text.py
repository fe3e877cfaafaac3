"""The text of `shapetokens`: its spellings and its grammar; without any picture."""

from __future__ import annotations

import hashlib
from importlib import resources
from itertools import pairwise

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
)
from strategies import LABELS, damaged

from maskcodec import DecodeError, EncodeError, SpecError, get_codec
from maskcodec.decoded import Errors


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("shapetokens:tokens=3", TEXT),
        (
            "shapetokens:tokens=3,ids=per_stage",
            f"dog: {BOX}<|m_00_0012|><|m_01_0993|><|m_02_0005|>\ntwo words: none",
        ),
        ("shapetokens:tokens=3,spelling=digits", "dog: 103,250,388,771 12 993 5\ntwo words: none"),
        (
            "shapetokens:tokens=3,spelling=unused",
            "dog: <unused1127><unused1274><unused1412><unused1795><unused2060><unused3041>"
            "<unused2053>\ntwo words: none",
        ),
        (
            "shapetokens:tokens=3,spelling=words",
            "dog: blanc deployed freeze reun adapter wages accepting\ntwo words: none",
        ),
    ],
)
def test_golden_texts(spec: str, text: str) -> None:
    codec = codec_of(spec)
    objects = [("dog", [103, 250, 388, 771], [12, 993, 5]), ("two words", [0, 0, 0, 0], [])]
    assert codec.write(made(codec, objects)) == text
    geometry, repairs = codec.parse(text)
    assert (listed(geometry), repairs) == (objects, [])
    assert geometry.family == "shapetokens:shapes1"
    assert geometry.bins == 1023


def test_the_list_of_words_never_changes() -> None:
    listing = resources.files("maskcodec.dialects") / "shapetokens_words.txt"
    assert hashlib.sha256(listing.read_bytes()).hexdigest() == (
        "50e3bf5a6a62edb09446d04de65cfad1f59496b64d0f748852edfef781320ac1"
    )


def test_no_word_is_the_beginning_of_another() -> None:
    """A word that was cut off is not taken for another one."""
    pieces = codec_of("shapetokens:spelling=words").pieces
    words = sorted([*pieces.edges, *pieces.stages[0]])
    assert len(words) == 2048
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
    assert not any(b.startswith(a) for a, b in pairwise(words))
    assert "none" not in words


@every_spec
@given(data=st.data())
def test_what_is_written_is_read(spec: str, data: st.DataObject) -> None:
    codec = codec_of(spec)
    geometry = data.draw(geometries(codec))
    text = codec.write(geometry)
    assert codec.adopts(geometry)
    modes: tuple[Errors, ...] = ("strict", "repair")
    for errors in modes:
        again, repairs = codec.parse(text, errors=errors)
        assert repairs == []
        assert listed(again) == listed(geometry)
        assert codec.write(again) == text


@every_spec
@given(data=st.data())
def test_only_what_is_written_is_read_exactly(spec: str, data: st.DataObject) -> None:
    pieces = codec_of(spec).pieces
    numbers = st.integers(0, 1023)
    box = data.draw(st.lists(numbers, min_size=4, max_size=4))
    codes = data.draw(st.lists(numbers, max_size=16))
    shape = pieces.spell(box, codes)
    assert pieces.read(shape) == (box, codes)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(shape)))
        some = data.draw(st.sampled_from(["", " ", ",", "0", "<", "|", "><", *shape]))
        shape = shape[:place] + some + shape[place + data.draw(st.integers(0, 2)) :]
        found = pieces.read(shape)
        assert found is None or pieces.spell(*found) == shape


def test_vocabularies() -> None:
    tokens = codec_of("shapetokens").vocab().tokens
    assert len(tokens) == len(set(tokens)) == 2048
    assert (tokens[0], tokens[1023], tokens[1024]) == ("<|b_0000|>", "<|b_1023|>", "<|m_0000|>")
    staged = codec_of("shapetokens:ids=per_stage").vocab().tokens
    assert len(staged) == len(set(staged)) == 1024 + 16 * 1024
    assert staged[-1] == "<|m_15_1023|>"
    for spelling in ("words", "unused", "digits"):
        assert not codec_of(f"shapetokens:spelling={spelling}").vocab()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("shapetokens:tokens=0", "1 to 16"),
        ("shapetokens:tokens=17", "1 to 16"),
        ("shapetokens:iou=1.5", "0 to 1"),
        ("shapetokens:codebook=../x", "no name"),
        ("shapetokens:ids=per_stage,spelling=words", "only spelling=added"),
        ("shapetokens:ids=per_stage,spelling=unused", "only spelling=added"),
        ("shapetokens:ids=per_stage,spelling=digits", "only spelling=added"),
        ("shapetokens:spelling=runes", "one of added, words, unused, digits"),
    ],
)
def test_options_out_of_range(spec: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        get_codec(spec)


def test_the_codec_of_fewer_codes() -> None:
    one = made(CODEC, [("dog", [1, 2, 3, 4], [5, 6, 7])])
    with pytest.raises(EncodeError, match="2 codes, expected 3"):
        CODEC.write(one.prefix(2))
    assert CODEC.write(one).startswith(CODEC.shorter(2).write(one.prefix(2)))
    assert CODEC.shorter(2).spec == CODEC.spec.replace("tokens=3", "tokens=2")
    assert CODEC.shorter(9) == CODEC
    assert CODEC.shorter(0).tokens == 1


def test_what_is_adopted() -> None:
    one = made(CODEC, [("dog", [1, 2, 3, 4], [5, 6, 7])])
    none = made(CODEC, [("dog", [0, 0, 0, 0], [])])
    assert CODEC.adopts(one)
    assert CODEC.adopts(none)
    assert codec_of("shapetokens:tokens=3,spelling=words").adopts(one)
    assert not codec_of("shapetokens:tokens=4").adopts(one)
    assert codec_of("shapetokens:tokens=4,iou=0.5").adopts(one)
    assert not codec_of("shapetokens:tokens=2,iou=0.5").adopts(one)
    assert not codec_of("shapetokens:tokens=3,codebook=other").adopts(one)
    assert not CODEC.adopts(made(CODEC, [("dog", [1, 2, 3, 4], [5, 6, 7])], bins=999))
    assert not CODEC.adopts(made(CODEC, [("dog", [1, 2, 3, 4], [])]))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (("dog", [1, 2, 3, 4], [5, 6]), "has 2 codes, expected 3"),
        (("dog", [1, 2, 3, 4], [5, 6, 1024]), "a code is not in 0..1023"),
        (("dog", [1, 2, 3, 1024], [5, 6, 7]), "an edge is not in 0..1023"),
        (("a: b", [1, 2, 3, 4], [5, 6, 7]), "': '"),
    ],
)
def test_what_can_not_be_written(item: tuple[str, list[int], list[int]], message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        CODEC.write(made(CODEC, [item]))
    with pytest.raises(EncodeError, match="expected 'shapetokens:shapes1'"):
        CODEC.write(made(codec_of("shapetokens:codebook=other"), [item]))


# The grammar, walked by both engines


@every_spec
@settings(max_examples=8)
@given(data=st.data())
def test_the_grammar_takes_what_strict_takes(spec: str, data: st.DataObject) -> None:
    walk = pytest.importorskip("grammar_walk")
    codec = codec_of(spec)
    grammar = codec.grammar(LABELS)
    text = codec.write(data.draw(geometries(codec)))
    assert walk.accepts(grammar, text)
    assert walk.llguidance_accepts(grammar, text)
    broken = data.draw(damaged(text))
    try:
        labels = codec.parse(broken)[0].labels
    except DecodeError:
        order_alone = kinds(broken, codec).count("box-order") == len(kinds(broken, codec))
        assert order_alone or not walk.accepts(grammar, broken)
    else:
        assert walk.accepts(grammar, broken) or not set(labels) <= set(LABELS)


@every_spec
@pytest.mark.parametrize("seed", range(4))
def test_every_text_of_the_grammar_is_strict(spec: str, seed: int) -> None:
    walk = pytest.importorskip("grammar_walk")
    codec = codec_of(spec)
    grammar = codec.grammar(LABELS[:2])
    text = walk.random_text(grammar, seed, longest=3_000)
    if text is None:
        pytest.skip("the walk was not over")
    assert walk.llguidance_accepts(grammar, text)
    assert set(kinds(text, codec)) <= {"box-order"}


def test_free_labels_and_no_labels() -> None:
    walk = pytest.importorskip("grammar_walk")
    assert walk.accepts(CODEC.grammar(), f"{TEXT}\n{BOX}x: none")
    assert not walk.accepts(CODEC.grammar(), f"a: b: {SHAPE}")
    assert CODEC.grammar([]) == 'root ::= "none"\n'
    with pytest.raises(EncodeError):
        CODEC.grammar(["a: b"])
