"""First values for the rows of new tokens, from what a model's own rows and a codec say.

`before` is always float32 (old rows, width); the functions that fill take `values`, float32
(tokens of the codec, width), in the order of `codec.vocab()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .codec import Codec
from .dialects.paligemma import PaliGemmaCodec
from .dialects.shapetokens import ShapeTokensCodec

if TYPE_CHECKING:
    import torch

PERCENT = 100


def mean_rows(before: torch.Tensor, count: int, noise: float, seed: int) -> torch.Tensor:
    """The mean of the old rows, with noise: float32 (count, width)."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    wobble = torch.randn(count, before.shape[1], generator=generator)
    return before.mean(0) + noise * before.std(0) * wobble


def number_rows(
    values: torch.Tensor, before: torch.Tensor, tokenizer: Any, codec: Codec[Any]
) -> None:
    """Give each token of an edge the rows of its place in percent, in words."""
    import torch

    places = edge_places(codec)
    if not places:
        return
    blank = set(tokenizer.encode(" ", add_special_tokens=False))
    head = tokenizer.encode("0", add_special_tokens=False)
    numbers = torch.empty(PERCENT + 1, before.shape[1])
    for number in range(PERCENT + 1):
        ids = tokenizer.encode(f"0 {number}", add_special_tokens=False)[len(head) :]
        words = [one for one in ids if one not in blank and one < len(before)]
        numbers[number] = before[words].mean(0) if words else before.mean(0)
    noise = values - before.mean(0)
    for index, place in places.items():
        low = min(int(place * PERCENT), PERCENT - 1)
        part = place * PERCENT - low
        values[index] = torch.lerp(numbers[low], numbers[low + 1], part) + noise[index]


def codebook_rows(values: torch.Tensor, before: torch.Tensor, codec: Codec[Any], seed: int) -> None:
    """Give each token of a code the vector that it stands for, through a random projection."""
    import torch

    generator = torch.Generator().manual_seed(seed + 1)
    mean = before.mean(0)
    reach = (before - mean).norm(dim=1).mean()
    for start, vectors in code_vectors(codec):
        given = torch.from_numpy(vectors)
        given = given - given.mean(0)
        turn = torch.randn(given.shape[1], before.shape[1], generator=generator)
        rows = given @ turn
        rows *= reach / rows.norm(dim=1).mean().clamp(min=1e-9)
        values[start : start + len(rows)] = mean + rows


def edge_places(codec: Codec[Any]) -> dict[int, float]:
    """Which tokens are edges of boxes: index in `codec.vocab()` to a place, 0 to 1."""
    tokens = codec.vocab().tokens
    if isinstance(codec, ShapeTokensCodec):
        edges = codec.pieces.edges
    elif isinstance(codec, PaliGemmaCodec):
        edges = tuple(token for token in tokens if token.startswith("<loc"))
    else:
        return {}
    index = {token: at for at, token in enumerate(tokens)}
    return {
        index[edge]: bin_ / (len(edges) - 1) for bin_, edge in enumerate(edges) if edge in index
    }


def code_vectors(codec: Codec[Any]) -> list[tuple[int, npt.NDArray[np.float32]]]:
    """The vectors of codes: for each table of tokens its first index in `codec.vocab()` and them.

    float32 (codes, numbers). A token that serves every place among the codes has the vectors of all
    places side by side.
    """
    tokens = codec.vocab().tokens
    if not isinstance(codec, ShapeTokensCodec) or not tokens:
        return []
    from .geometry.shape_codebook import get_codebook

    book = get_codebook(codec.codebook)
    used = book.code_values[: min(codec.tokens, book.stages)]
    stages = codec.pieces.stages
    if len(stages) == 1:
        tables = [np.ascontiguousarray(used.transpose(1, 0, 2).reshape(used.shape[1], -1))]
    else:
        tables = list(used)
    found = []
    for stage, table in zip(stages, tables, strict=False):
        if stage[0] in tokens:
            found.append((tokens.index(stage[0]), table.astype(np.float32)))
    return found
