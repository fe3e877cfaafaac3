"""Prose with masks, where a token does not stop where a tag does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("xgrammar")

from maskcodec import Mask, MaskCodecError, get_codec, hf  # noqa: E402
from maskcodec.chat import read_answer, tag  # noqa: E402
from maskcodec.logit_rows import GrammarRows, Row  # noqa: E402
from maskcodec.tagged_rows import TaggedRows  # noqa: E402

SIZE = (40, 60)
TEXTS = (
    *(">The", ">\n", ">dog", ">.", "><", "><mask>", "><mask>The", "sk>dog"),
    *("<mask>", "<mask>The", "<mask>none</mask>", "<mask>none</mask>, <mask>The"),
)


class Answers:
    """Rows of a codec in the tiny vocabulary, to which tokens with parts of tags were added."""

    def __init__(self, spec: str) -> None:
        self.codec = get_codec(spec)
        self.tokenizer = hf.load_processor("tiny").tokenizer
        self.tokenizer.add_tokens([*self.codec.vocab().tokens, *TEXTS])
        self.size = len(self.tokenizer) + 64  # a model may have more logits than there are ids
        inside = GrammarRows(
            self.codec, self.tokenizer, ["dog"], [self.tokenizer.eos_token_id], "</mask>"
        )
        self._rows = TaggedRows(inside, self.codec, self.tokenizer)

    def after(self, text: str) -> Row:
        """The state after a text that was said in bytes and the codec's tokens."""
        row = self._rows(self.size)
        plain = hf.load_processor("tiny").tokenizer
        plain.add_tokens(list(self.codec.vocab().tokens))
        for number in plain.encode(text, add_special_tokens=False):
            assert self.allowed(row)[number], plain.decode([number])
            row.feed(number)
        return row

    def allowed(self, row: Row) -> Any:
        found = np.zeros(self.size, np.bool_)
        row.fill(found)
        return found

    def offered(self, row: Row) -> set[str]:
        """Which of the added texts may come next."""
        found = self.allowed(row)
        return {text for text in TEXTS if found[self.number(text)]}

    def number(self, text: str) -> int:
        return int(self.tokenizer.convert_tokens_to_ids(text))

    def mask(self) -> str:
        mask = np.zeros(SIZE, np.bool_)
        mask[5:20, 10:40] = True
        return tag(self.codec.encode([Mask(mask, "dog")], SIZE))


SPECS = ("boxgrid:rows=2", "shapetokens:tokens=2")
WRONG = {"<mask>The", "<mask>none</mask>, <mask>The", "><mask>The"}


@pytest.fixture(scope="module", params=SPECS)
def answers(request: pytest.FixtureRequest) -> Answers:
    return Answers(request.param)


@pytest.mark.parametrize("prose", ["", "A dog", "a < b", "</mask", "<mask", "<ma<", "A <mask>no"])
def test_what_opens_a_mask_may_not_go_on_with_prose(answers: Answers, prose: str) -> None:
    offered = answers.offered(answers.after(prose))
    if prose.endswith("<mask"):
        assert offered == set(TEXTS) - WRONG - {">The", ">\n", ">.", "><", "><mask>"}
    elif prose.endswith("<mask>no"):
        assert not offered
    else:
        assert offered == set(TEXTS) - WRONG


def test_a_tag_is_completed_from_any_of_its_parts(answers: Answers) -> None:
    row = answers.after("A dog <ma")
    row.feed(answers.number("sk>dog"))
    assert not answers.offered(row)  # in a mask, that is
    assert not answers.allowed(row)[answers.tokenizer.eos_token_id]


def test_feeding_what_was_barred_is_an_error(answers: Answers) -> None:
    for prose, text in (("<mask", ">The"), ("", "<mask>The"), ("<mask>none</mask", "><mask>The")):
        with pytest.raises(MaskCodecError, match="was not allowed"):
            answers.after(prose).feed(answers.number(text))


def test_what_closes_a_mask_may_go_on_with_prose(answers: Answers) -> None:
    mask = answers.mask()
    row = answers.after(f"A {mask[:-1]}")
    assert answers.offered(row) == set(TEXTS) - WRONG - {"sk>dog", "<mask>", "<mask>none</mask>"}
    row.feed(answers.number(">."))
    assert answers.offered(row) == set(TEXTS) - WRONG
    assert answers.allowed(row)[answers.tokenizer.eos_token_id]


@pytest.mark.parametrize("closing", ["><", "><mask>"])
def test_what_closes_a_mask_may_begin_another(answers: Answers, closing: str) -> None:
    row = answers.after("<mask>none</mask")
    row.feed(answers.number(closing))
    for number in answers.tokenizer.encode("mask", add_special_tokens=False):
        if closing == "><":
            row.feed(number)
    offered = answers.offered(row)
    assert offered == (set(TEXTS) - WRONG - {">The", ">\n", ">.", "><", "><mask>"}
                       if closing == "><" else set())  # fmt: skip


def test_a_whole_mask_in_one_token_is_prose_again(answers: Answers) -> None:
    row = answers.after("It is ")
    row.feed(answers.number("<mask>none</mask>"))
    assert answers.offered(row) == set(TEXTS) - WRONG


def test_answers_are_allowed_as_the_tokenizer_spells_them(answers: Answers) -> None:
    mask = answers.mask()
    rule = hf.logits_processor(
        answers.codec, answers.tokenizer, labels=["dog"], prompt_length=0, form="tagged"
    )
    for text in (f"A dog {mask}.", f"{mask}{mask}", f"{mask}<p> {mask}\n", f"— {mask}—"):
        ids = answers.tokenizer.encode(text, add_special_tokens=False)
        if text.endswith("</mask>."):
            assert answers.number(">.") in ids
        for place, number in enumerate(ids):
            said = torch.tensor([ids[:place]], dtype=torch.long)
            scores = rule(said, torch.zeros(1, len(answers.tokenizer)))
            assert scores[0, number].isfinite(), (text, answers.tokenizer.decode([number]))
        assert len(read_answer(text, answers.codec, SIZE, errors="strict").masks) in (1, 2)


def test_a_token_may_end_within_the_letter_after_a_mask() -> None:
    answers = Answers("boxgrid:rows=2")
    row = answers.after("<mask>none</mask")
    dash = answers.tokenizer.encode("—", add_special_tokens=False)
    assert len(dash) == 3  # the bytes of it
    row.feed(answers.number(">."))
    for number in dash:
        assert answers.allowed(row)[number]
        row.feed(number)


def test_codes_are_not_spelt_from_what_begins_a_closing_tag() -> None:
    answers = Answers("shapetokens:tokens=4,iou=0.9")
    box = "".join(f"<|b_{edge:04}|>" for edge in (0, 0, 9, 9))
    row = answers.after(f"A <mask>dog: {box}")
    less = answers.number("<")
    assert not answers.allowed(row)[less]  # there is no code yet
    row = answers.after(f"A <mask>dog: {box}<|m_0001|>")
    assert answers.allowed(row)[answers.number("<|m_0002|>")]
    assert answers.allowed(row)[less]
    row.feed(less)
    said = np.flatnonzero(answers.allowed(row)).tolist()
    assert answers.tokenizer.batch_decode(said) == ["/"]
