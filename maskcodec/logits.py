"""Constrained decoding in `generate`: at every step only ids that keep an answer in its format.

Codecs whose pieces are tokens are constrained by id (`maskcodec.token_constraint`), all others by
their grammar, which xgrammar matches. Under a grammar, tokens of a codec can't be spelt from plain
pieces: the model was never trained on those. In the tagged form prose is free, and what stands
between `<mask>` and `</mask>` is constrained.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .added_tokens import token_ids
from .chat import CLOSE, Form
from .codec import Codec
from .dialects.shapetokens import ShapeTokensCodec
from .errors import EncodeError, MaskCodecError
from .labels import composed_label, list_labels
from .logit_rows import GrammarRows, IdRows, Row, RowMaker
from .tagged_rows import TaggedRows
from .token_constraint import TokenConstraint

if TYPE_CHECKING:
    import torch


class ConstrainedLogits:
    """Sets the logits of ids that may not come next to minus infinity.

    Goes into `generate(logits_processor=[...])`. Rows may be reordered between steps, as beam
    search does; they are then read again from the start of the answer. An id that was barred is
    yet chosen for beams that are given up, and among ids that a draft proposes: nothing but the
    end may follow it.

    Args:
        rows: makes the state of a row, for a number of logits.
        prompt_length: ids before the answer, padding included; the same for all rows, and for all
            calls of `generate` that the processor is given to.
        ends: ids that end an answer.
    """

    def __init__(self, rows: RowMaker, prompt_length: int, ends: Sequence[int]) -> None:
        self._rows = rows
        self._prompt = prompt_length
        self._ends = frozenset(ends)
        self._states: list[tuple[list[int], Row | None]] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """`scores`, (rows, vocabulary), with minus infinity where an id may not come next."""
        import torch

        if input_ids.shape[1] < self._prompt:
            self._check_forced(input_ids.shape[1])
            return scores
        answers = input_ids[:, self._prompt :].tolist()
        vocabulary = scores.shape[1]
        offered = {tuple(seen): row is None for seen, row in self._states}
        if len(self._states) != len(answers):
            self._states = [([], self._rows(vocabulary)) for _ in answers]
            offered = {}
        allowed = np.zeros(tuple(scores.shape), np.bool_)
        for index, answer in enumerate(answers):
            row = self._follow(index, answer, vocabulary, offered)
            if row is None:
                allowed[index, list(self._ends)] = True
            else:
                row.fill(allowed[index])
        barred = torch.from_numpy(~allowed).to(scores.device)
        left = scores.masked_fill(barred, -torch.inf)
        self._check(left.amax(dim=1).tolist())
        return left

    def _follow(
        self, index: int, answer: list[int], vocabulary: int, offered: dict[tuple[int, ...], bool]
    ) -> Row | None:
        """The state after an answer; None once it has ended.

        Args:
            index: the row's.
            answer: its ids so far.
            vocabulary: how many logits there are.
            offered: the answers for which this said what may follow in the step before, and
                whether they had ended.
        """
        seen, row = self._states[index]
        has_ended = offered.get(tuple(answer[:-1])) if answer else None
        if answer[: len(seen)] != seen:
            seen, row = [], self._rows(vocabulary)
        if has_ended:
            row = None
        for place in range(len(seen), len(answer)):
            if row is None or answer[place] in self._ends:  # what follows the end is padding
                row = None
                break
            try:
                row.feed(answer[place])
            except MaskCodecError as error:
                if has_ended is None or place < len(answer) - 1:
                    raise MaskCodecError(
                        f"{error}, as number {place + 1} of an answer: does the answer begin after "
                        f"{self._prompt} ids, as prompt_length= says?"
                    ) from None
                row = None  # it was barred, and chosen where no choice counts
        self._states[index] = answer, row
        return row

    def _check_forced(self, length: int) -> None:
        """Let a decoder's forced first id come, which counts as no part of the answer.

        Raises:
            MaskCodecError: it is no such id: `generate` begins with the whole prompt.
        """
        if (length, self._prompt) != (1, 2):
            raise MaskCodecError(
                f"generate began with {length} ids, but prompt_length={self._prompt}: each call of "
                "generate takes a processor of its own, for the length of its prompt"
            )

    def _check(self, highest: list[float]) -> None:
        """Find out at once where something else bars all that the format needs.

        Args:
            highest: the highest logit of each row.

        Raises:
            MaskCodecError: it is so for a row that has not ended.
        """
        for value, (answer, row) in zip(highest, self._states, strict=True):
            if value == -np.inf and row is not None:
                raise MaskCodecError(
                    f"after {len(answer)} ids of an answer, all that its format allows is barred "
                    "by other settings of generate (forced_bos_token_id, min_new_tokens, "
                    "no_repeat_ngram_size, bad_words_ids, suppress_tokens, ...); turn them off"
                )


def logits_processor(
    codec: Codec[Any],
    tokenizer: Any,
    *,
    labels: Sequence[str] | None = None,
    prompt_length: int,
    ends: Sequence[int] | None = None,
    form: Form = "bare",
) -> ConstrainedLogits:
    """Make the constraint of one call of `generate`.

    Args:
        codec: whose format answers keep.
        tokenizer: of transformers, or a processor that has one.
        labels: the labels that answers may use; None leaves them free, where the format can be
            told without them.
        prompt_length: ids before the answer, padding included: `input_ids.shape[1]`, or 1 for an
            encoder–decoder model, 2 where it forces the first id.
        ends: ids that end an answer; left out, the tokenizer's `eos_token_id`.
        form: see `maskcodec.chat`.

    Raises:
        EncodeError: `labels` is no list of strings, or a label can't stand in the format.
        MaskCodecError: the codec has no grammar, xgrammar is not installed, nothing ends an answer,
            or tokens are not what the codec needs.
    """
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
    if ends is None:
        ends = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    if not ends:
        raise MaskCodecError("the tokenizer does not say which id ends an answer: give it as ends=")
    names = list_labels(labels, codec.name)
    if names is not None:
        names = tuple(dict.fromkeys(_as_printed(name, tokenizer) for name in names))
    rows = _rows(codec, tokenizer, len(tokenizer), names, tuple(ends), form)
    return ConstrainedLogits(rows, prompt_length, ends)


def _as_printed(label: str, tokenizer: Any) -> str:
    """A label as models of a tokenizer print it: composed, where the tokenizer composes text."""
    composed = composed_label(label)
    if composed == label:
        return label
    ids = tokenizer.encode(label, add_special_tokens=False)
    return composed if tokenizer.decode(ids) == composed else label


@functools.lru_cache(maxsize=8)  # a grammar of a large vocabulary takes a second to compile
def _rows(
    codec: Codec[Any],
    tokenizer: Any,
    _: int,  # tokens may be added to a tokenizer that was here before
    labels: tuple[str, ...] | None,
    ends: tuple[int, ...],
    form: Form,
) -> RowMaker:
    if form == "tagged":
        inside = GrammarRows(codec, tokenizer, labels, ends, CLOSE)
        return TaggedRows(inside, codec, tokenizer)
    by_id = isinstance(codec, ShapeTokensCodec) and codec.spelling != "digits"
    if by_id and labels is not None:
        assert isinstance(codec, ShapeTokensCodec)
        try:
            return IdRows(TokenConstraint(codec, tokenizer, labels, end=ends[0]), ends)
        except EncodeError:
            raise
        except MaskCodecError:
            if codec.spelling != "added":
                raise
            # The tokenizer spells some label otherwise beside others: a grammar of characters
            # copes with that. Missing tokens are found out here.
            token_ids(tokenizer, codec)
    return GrammarRows(codec, tokenizer, labels, ends)
