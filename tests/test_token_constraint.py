"""Constrained decoding of `shapetokens` by token id."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_texts import geometries
from shape_tokenizers import END, encode, every_spec, fitting
from strategies import LABELS

from maskcodec import EncodeError, MaskCodecError
from maskcodec.token_constraint import TokenConstraint


def random_answer(constraint: TokenConstraint, seed: int) -> list[int]:
    """Ids, each chosen among the allowed ones, up to the end."""
    chance = random.Random(seed)
    ids: list[int] = []
    while True:
        allowed = constraint.allowed(ids).tolist()
        assert allowed, f"dead end after {ids}"
        assert len(set(allowed)) == len(allowed)
        if END in allowed and chance.random() < 0.4:
            return ids
        ids.append(chance.choice([number for number in allowed if number != END] or [END]))
        if ids[-1] == END:
            return ids[:-1]


@every_spec
@pytest.mark.parametrize("seed", range(12))
def test_every_answer_is_strict(spec: str, seed: int) -> None:
    codec, tokenizer, constraint = fitting(spec)
    ids = random_answer(constraint, seed)
    text = tokenizer.decode(ids, skip_special_tokens=True)
    geometry, repairs = codec.parse(text)
    assert repairs == []
    assert set(geometry.labels) <= set(LABELS)
    assert codec.adopts(geometry)
    boxes = geometry.boxes[geometry.counts > 0]
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert constraint.accepts(ids)
    assert constraint.accepts(encode(tokenizer, text))


@every_spec
@settings(max_examples=25)
@given(data=st.data())
def test_every_encoding_is_accepted(spec: str, data: st.DataObject) -> None:
    codec, tokenizer, constraint = fitting(spec)
    geometry = data.draw(geometries(codec))
    boxes = geometry.boxes
    whole = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3]) | (geometry.counts == 0)
    ids = encode(tokenizer, codec.write(geometry))
    assert constraint.accepts(ids) == bool(whole.all())
    # Nothing but the end follows what is whole, and what is cut is not whole.
    if whole.all():
        text = codec.write(geometry)
        for cut in range(len(ids)):
            if constraint.accepts(ids[:cut]):
                assert text.startswith(codec.write(codec.parse(tokenizer.decode(ids[:cut]))[0]))


def test_right_and_bottom_lie_beyond_left_and_top() -> None:
    _, tokenizer, constraint = fitting("shapetokens:tokens=3")
    edges = constraint.ids.edges.tolist()
    head = encode(tokenizer, "dog: ")
    assert constraint.allowed(head).tolist()[-1023:] == edges[:-1]
    assert constraint.allowed([*head, edges[7]]).tolist() == edges[:-1]
    assert constraint.allowed([*head, edges[7], edges[1022]]).tolist() == edges[8:]
    assert constraint.allowed([*head, edges[7], edges[1022], edges[8]]).tolist() == edges[1023:]
    with pytest.raises(MaskCodecError, match=f"id {edges[7]} at step {len(head) + 2}"):
        constraint.allowed([*head, edges[7], edges[9], edges[7]])


def test_codes_of_their_place() -> None:
    _, tokenizer, constraint = fitting("shapetokens:tokens=4,iou=0.9,ids=per_stage")
    text = "dog: <|b_0001|><|b_0001|><|b_0002|><|b_0002|>"
    first, second = (constraint.ids.codes[place].tolist() for place in (0, 1))
    ids = encode(tokenizer, text)
    assert constraint.allowed(ids).tolist() == first
    after = constraint.allowed([*ids, first[3]]).tolist()
    assert after[:1024] == second
    assert END in after


def test_no_object_is_an_answer_and_so_is_no_pixel() -> None:
    _, tokenizer, constraint = fitting("shapetokens:tokens=3")
    assert constraint.accepts(encode(tokenizer, "none"))
    assert constraint.accepts(encode(tokenizer, "dog: none\ntv: none"))
    for text in ("", "dog", "dog: ", "cow: none", "dog: none\n", "none\ndog: none", "dog: none."):
        assert not constraint.accepts(encode(tokenizer, text)), text


def test_a_label_called_none_and_labels_that_begin_alike() -> None:
    codec, tokenizer, _ = fitting("shapetokens:tokens=3")
    labels = ["none", "none of these", "dog", "dog 2", "dog: 2".replace(": ", ":")]
    constraint = TokenConstraint(codec, tokenizer, labels, end=END)
    for label in labels:
        assert constraint.accepts(encode(tokenizer, f"{label}: none"))
    assert constraint.accepts(encode(tokenizer, "none"))
    only = TokenConstraint(codec, tokenizer, [], end=END)
    assert only.accepts(encode(tokenizer, "none"))
    assert not only.accepts(encode(tokenizer, "dog: none"))


def test_the_number_of_objects() -> None:
    codec, tokenizer, _ = fitting("shapetokens:tokens=3")
    constraint = TokenConstraint(codec, tokenizer, ["dog"], end=END, objects=2)
    assert constraint.accepts(encode(tokenizer, "dog: none\ndog: none"))
    assert constraint.allowed(encode(tokenizer, "dog: none\ndog: none")).tolist() == [END]
    assert not constraint.accepts(encode(tokenizer, "dog: none\ndog: none\ndog: none"))


def test_after_the_end_comes_the_end() -> None:
    _, tokenizer, constraint = fitting("shapetokens:tokens=3")
    ids = encode(tokenizer, "none")
    assert constraint.allowed([*ids, END]).tolist() == [END]
    assert constraint.allowed([*ids, END, 0, 0]).tolist() == [END]  # padding


@pytest.mark.parametrize("text", ["", "dog: ", "dog: none", "dog: <|b_0001|><|b_0001|><|b_0002|>"])
def test_masks(text: str) -> None:
    _, tokenizer, constraint = fitting("shapetokens:tokens=3")
    size = tokenizer.get_vocab_size()
    ids = encode(tokenizer, text)
    allowed = sorted(constraint.allowed(ids).tolist())
    flags = np.ones(size + 5, np.bool_)
    constraint.mask(ids, flags)
    assert np.flatnonzero(flags).tolist() == allowed
    words = np.full((size + 31) // 32, -1, np.int32)
    constraint.mask(ids, words)
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    assert np.flatnonzero(bits).tolist() == allowed


@pytest.mark.parametrize("out", [np.zeros(9, np.bool_), np.zeros(2, np.int32), np.zeros(9_999)])
def test_masks_that_do_not_fit(out: Any) -> None:
    _, tokenizer, constraint = fitting("shapetokens:tokens=3")
    with pytest.raises(MaskCodecError, match="expected bool or int32"):
        constraint.mask(encode(tokenizer, "dog: "), out)


def test_the_function_for_generate() -> None:
    torch = pytest.importorskip("torch")
    _, tokenizer, constraint = fitting("shapetokens:tokens=3")
    function = constraint.prefix_function(4)
    ids = encode(tokenizer, "dog: none")
    assert function(0, torch.tensor([0, 0, 1, 9, *ids])) == constraint.allowed(ids).tolist()
    assert function(3, torch.tensor([0, 0, 1, 9])) == constraint.allowed([]).tolist()


def test_what_a_constraint_needs() -> None:
    codec, tokenizer, _ = fitting("shapetokens:tokens=3")
    with pytest.raises(MaskCodecError, match="end="):
        TokenConstraint(codec, tokenizer, ["dog"])
    with pytest.raises(EncodeError, match="': '"):
        TokenConstraint(codec, tokenizer, ["a: b"], end=END)
