"""What the loss asks of each token of an answer: how much it counts, and which others are near.

Weights: tokens that say where an object is may count more than those of its shape, and among those
the first ones, which say most, more than the later ones. In each answer the weights are scaled so
that their mean is 1: a long answer counts as it does without weights, and so does the learning
rate.

Soft targets: an edge of a box that is off by one bin is nearly right, and so is a code whose vector
lies near the right one. Cross-entropy can't see that; with soft targets the right token shares its
probability with its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from maskcodec.codec import Codec
from maskcodec.dialects.shapetokens import ShapeTokensCodec
from maskcodec.spans import Span

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

NUMBERS = 1_024
"""Numbers that may be single tokens of a vocabulary: 0 to 1,023."""


@dataclass(frozen=True)
class TokenWeights:
    """How much tokens count; 1 is what prose, punctuation and the end of a turn count.

    Attributes:
        label: of labels.
        where: of what says where an object is.
        shape: of the first piece of a shape.
        decay: each further piece of a shape counts this many times the one before it.
    """

    label: float = 1.0
    where: float = 1.0
    shape: float = 1.0
    decay: float = 1.0

    def of(self, span: Span) -> float:
        """The weight of a span's tokens."""
        if span.kind == "shape":
            return float(self.shape * self.decay**span.place)
        return self.where if span.kind == "where" else self.label


def token_spans(spans: Sequence[Span], tokens: Ints) -> list[list[Span]]:
    """Which spans each token touches.

    Args:
        spans: in order, without overlap.
        tokens: (n, 2), the characters of each token, in order.
    """
    found: list[list[Span]] = []
    first = 0
    for start, stop in tokens.tolist():
        while first < len(spans) and spans[first].stop <= start:
            first += 1
        index = first
        mine = []
        while index < len(spans) and spans[index].start < stop:
            mine.append(spans[index])
            index += 1
        found.append(mine)
    return found


def scaled(weights: Floats) -> Floats:
    """The same weights with a mean of 1; all 1 where they sum to nothing."""
    total = float(weights.sum())
    return weights * (len(weights) / total) if total > 0 else np.ones_like(weights)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Tokens that stand for neighbouring values.

    Attributes:
        ids: int64 (values,), their token ids.
        shares: float32 (values, values): row k is what each value gets where k is right.
    """

    ids: Ints
    shares: Floats


class SoftTargets:
    """The tables of near bins and near codes of a codec in one vocabulary.

    Args:
        codec: the codec.
        tokenizer: a tokenizer of transformers that has the codec's tokens.
        bins: standard deviation of a Gaussian over bins; 0 for none.
        codes: temperature over distances between code vectors, in units of the mean distance from
            a code to its nearest neighbour; 0 for none.
    """

    def __init__(self, codec: Codec[Any], tokenizer: Any, bins: float, codes: float) -> None:
        self.tables: list[Neighbours] = []
        self._edges: dict[int, tuple[int, int]] = {}
        self._codes: list[dict[int, tuple[int, int]]] = []
        if isinstance(codec, ShapeTokensCodec) and codec.spelling != "digits":
            self._add_shape_tokens(codec, tokenizer, bins, codes)
        elif bins > 0:
            self._add_numbers(tokenizer, bins)

    def row(self, token: int, span: Span) -> tuple[int, int]:
        """The table and its row for a token; (-1, 0) where the token is right alone."""
        if span.kind == "where":
            return self._edges.get(token, (-1, 0))
        if span.kind == "shape" and span.place < len(self._codes):
            return self._codes[span.place].get(token, (-1, 0))
        return -1, 0

    def _add(self, ids: Ints, shares: Floats) -> dict[int, tuple[int, int]]:
        self.tables.append(Neighbours(ids, shares))
        table = len(self.tables) - 1
        return {token: (table, row) for row, token in enumerate(ids.tolist())}

    def _add_shape_tokens(
        self, codec: ShapeTokensCodec, tokenizer: Any, bins: float, temperature: float
    ) -> None:
        from maskcodec.geometry.shape_codebook import get_codebook
        from maskcodec.token_ids import TokenIds

        ids = TokenIds.of(codec, tokenizer)
        if bins > 0:
            self._edges = self._add(ids.edges, gaussian(np.arange(len(ids.edges)), bins))
        if temperature > 0:
            vectors = get_codebook(codec.codebook).code_values
            for place in range(codec.tokens):
                shares = near_codes(vectors[place], temperature)
                self._codes.append(self._add(ids.code_ids(place), shares))

    def _add_numbers(self, tokenizer: Any, bins: float) -> None:
        """Numbers that are one token each, with a blank before them or without."""
        for before in ("", " "):
            found = [
                (number, ids[0])
                for number in range(NUMBERS)
                if len(ids := tokenizer.encode(f"{before}{number}", add_special_tokens=False)) == 1
            ]
            fresh = [(number, token) for number, token in found if token not in self._edges]
            if len(fresh) > 1:
                numbers, tokens = zip(*fresh, strict=True)
                table = gaussian(np.array(numbers), bins)
                self._edges.update(self._add(np.array(tokens, np.int64), table))


def gaussian(values: npt.NDArray[Any], sigma: float) -> Floats:
    """Shares of each value where another is right: float32 (values, values), rows sum to 1."""
    away = (values[:, None] - values[None]).astype(np.float64) / sigma
    shares = np.exp(-0.5 * away**2)
    found: Floats = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def near_codes(vectors: Floats, temperature: float) -> Floats:
    """Shares of the codes of one stage by their distance: float32 (codes, codes), rows sum to 1."""
    exact = vectors.astype(np.float64)
    squares = np.square(exact).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * exact @ exact.T, 0))
    np.fill_diagonal(distances, np.inf)
    unit = float(distances.min(axis=1).mean()) or 1.0
    np.fill_diagonal(distances, 0)
    shares = np.exp(-distances / (unit * temperature))
    found: Floats = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def token_losses(
    logits: torch.Tensor,
    targets: torch.Tensor,
    tables: Sequence[tuple[torch.Tensor, torch.Tensor]],
    table: torch.Tensor,
    row: torch.Tensor,
) -> torch.Tensor:
    """Cross-entropy of each token against its target, a soft one where it has one; differentiable.

    Args:
        logits: float32 (n, vocabulary).
        targets: int64 (n,), the right ids.
        tables: ids and shares of `SoftTargets.tables`, as tensors.
        table: int64 (n,), which of them; -1 for a target that is right alone.
        row: int64 (n,), which of its rows.
    """
    logs = logits.log_softmax(dim=-1)
    losses = -logs.gather(1, targets[:, None]).squeeze(1)
    for index, (ids, shares) in enumerate(tables):
        mine = (table == index).nonzero().squeeze(1)
        if len(mine):
            near = logs[mine][:, ids]
            losses = losses.index_put((mine,), -(shares[row[mine]] * near).sum(dim=1))
    return losses
