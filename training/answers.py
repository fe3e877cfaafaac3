"""Examples as tokens, labels, weights and soft targets: what a batch is made of, without pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import MaskCodecError
from maskcodec.chat import split_answer
from maskcodec.codec import Codec
from maskcodec.examples import Example
from maskcodec.spans import Span

from .conversation import Conversations, Piece, Tokens
from .token_loss import SoftTargets, TokenWeights, scaled, token_spans

IGNORED = -100
"""The label of a token that is not learned, as everywhere in transformers."""


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A conversation after its image, ready to learn.

    Attributes:
        head: the text up to and with the last image's placeholder.
        ids: int64 (n,), the tokens after it.
        labels: int64 (n,), `ids` in answers and `IGNORED` elsewhere.
        weights: float32 (n,), how much each label counts, a mean of 1 over the labels.
        table: int16 (n,), the table of soft targets; -1 for none.
        row: int16 (n,), its row.
        answers: the first and the last token, exclusive, of each answer.
    """

    head: str
    ids: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    table: npt.NDArray[np.int16]
    row: npt.NDArray[np.int16]
    answers: tuple[tuple[int, int], ...]


class Answers:
    """Makes `Answered` of examples.

    Args:
        conversations: of the model.
        codec: of the examples.
        weights: how much tokens count.
        soft: the tables of soft targets.
    """

    def __init__(
        self,
        conversations: Conversations,
        codec: Codec[Any],
        weights: TokenWeights,
        soft: SoftTargets,
    ) -> None:
        self.conversations = conversations
        self.codec = codec
        self.weights = weights
        self.soft = soft

    def of(self, example: Example) -> Answered:
        """Tokenize an example.

        Raises:
            RecordError: its answers can't be found among the tokens, or are no tokens.
        """
        try:
            tokens = self.conversations.tokens(example.messages, len(example.images))
        except MaskCodecError as error:
            raise example.error(str(error), "messages") from None
        count = len(tokens.ids)
        labels = np.full(count, IGNORED, np.int64)
        weights = np.zeros(count, np.float32)
        table = np.full(count, -1, np.int16)
        row = np.zeros(count, np.int16)
        ranges = []
        for turn, answer in enumerate(tokens.answers):
            start, stop = _token_range(tokens, answer)
            if start == stop:
                raise example.error("an answer has no token of its own", "messages")
            ranges.append((start, stop))
            labels[start:stop] = tokens.ids[start:stop]
            spans = self._spans(tokens.text, answer, example.turns[turn].form)
            for index, found in enumerate(token_spans(spans, tokens.spans[start:stop]), start):
                weights[index] = max(map(self.weights.of, found), default=1.0)
                if len(found) == 1:
                    table[index], row[index] = self.soft.row(int(tokens.ids[index]), found[0])
        learned = labels != IGNORED
        weights[learned] = scaled(weights[learned])
        return Answered(tokens.head, tokens.ids, labels, weights, table, row, tuple(ranges))

    def _spans(self, text: str, answer: Piece, form: Any) -> list[Span]:
        """The codec's spans of an answer, as characters of the whole text."""
        said = text[answer.start : answer.stop]
        return [
            Span(start + span.start, start + span.stop, span.kind, span.place)
            for part in split_answer(said, form=form).parts
            for start in [answer.start + part.start]
            for span in self.codec.spans(part.text)
        ]


def _token_range(tokens: Tokens, answer: Piece) -> tuple[int, int]:
    """The tokens that an answer is made of, the end of its turn included.

    A blank before the answer may be part of its first token.
    """
    starts, stops = tokens.spans[:, 0], tokens.spans[:, 1]
    first = int(np.searchsorted(stops, answer.start, side="right"))
    last = int(np.searchsorted(starts, answer.end, side="left"))
    return first, max(first, last)
