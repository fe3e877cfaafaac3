"""The token ids of the pieces of `shapetokens` in a tokenizer, and what a model says about codes.

    ids = TokenIds.of(codec, "tokenizer.json")
    probabilities = ids.code_probabilities(logits, generated)

`maskcodec.token_constraint` builds constrained decoding on them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .dialects.shapetokens import ShapeTokensCodec
from .errors import MaskCodecError

if TYPE_CHECKING:
    import torch

Encode: TypeAlias = Callable[[str], list[int]]
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float32]

_HINTS = {
    "added": "add codec.vocab().tokens to the tokenizer first, as ordinary tokens (as "
    "AddedToken(token, normalized=False) where it rewrites blanks, as Llama 2's does)",
    "words": "spelling=added works with any tokenizer",
    "unused": "only Gemma 3 keeps <unused1024> to <unused3071> (it has 6,242 such tokens, Gemma 1 "
    "and 2 have 99); spelling=words or spelling=added works with others",
}


@dataclass(frozen=True, eq=False)
class TokenIds:
    """The id of every edge and of every code.

    Attributes:
        codec: the codec whose pieces they are.
        edges: int64 (1024,), the ids of edges 0 to 1,023.
        codes: int64 (1, 1024), or (16, 1024) where each place among the codes has its own.
        encode: the ids of a text, without any special token around it.
    """

    codec: ShapeTokensCodec
    edges: Ints
    codes: Ints
    encode: Encode

    @classmethod
    def of(cls, codec: ShapeTokensCodec, tokenizer: Any) -> TokenIds:
        """Look up every piece.

        Args:
            codec: a `shapetokens` codec of any spelling but digits.
            tokenizer: a `tokenizers.Tokenizer`, a tokenizer of transformers, or the path of a
                `tokenizer.json`.

        Raises:
            MaskCodecError: pieces that are not one id each, or that were added as special tokens,
                which `skip_special_tokens=True` would drop from an answer.
        """
        if codec.spelling == "digits":
            raise MaskCodecError(
                f"{codec}: numbers are no tokens of their own; constrain spelling=digits by "
                "codec.grammar()"
            )
        backend = _backend(tokenizer)
        encode = _encoder(backend)
        gap = codec.pieces.code_gap
        pieces = [f"{gap}{piece}" for part in _parts(codec) for piece in part]
        ids = _single_ids(codec, encode, pieces)
        _refuse_special(codec, backend, pieces, ids)
        table = np.array(ids, np.int64).reshape(-1, len(codec.pieces.edges))
        return cls(codec, table[0], table[1:], encode)

    def code_ids(self, place: int) -> Ints:
        """The ids of codes 0 to 1,023 at a place among the codes, 0 for the first."""
        found: Ints = self.codes[place if len(self.codes) > 1 else 0]
        return found

    def code_logits(self, logits: npt.NDArray[Any] | torch.Tensor, ids: Sequence[int]) -> list[Any]:
        """What a model said about each code that it wrote.

        Args:
            logits: floating, (steps, vocabulary), a NumPy array or a torch tensor on any device;
                row k is what id k was drawn from.
            ids: (steps,), the ids that were generated.

        Returns:
            For each object with a whole box, in the order of the text, float32 (codes, 1024): the
            logits of codes 0 to 1,023 at each of the places that it has a code for. Objects that
            say `none` have no box and no entry.

        Raises:
            MaskCodecError: there are not as many logits as ids.
        """
        numbers = _numbers(ids)
        if len(logits) != len(numbers):
            raise MaskCodecError(
                f"{len(logits)} rows of logits, expected {len(numbers)}, one an id"
            )
        found = []
        for steps in self.code_steps(numbers):
            rows = np.empty((len(steps), self.codes.shape[1]), np.float32)
            for place, step in enumerate(steps):
                row: Any = logits[step][self.code_ids(place)]
                rows[place] = row if isinstance(row, np.ndarray) else row.detach().float().cpu()
            found.append(rows)
        return found

    def code_probabilities(
        self, logits: npt.NDArray[Any] | torch.Tensor, ids: Sequence[int]
    ) -> list[Floats]:
        """`code_logits` as probabilities: each row, over the 1,024 codes alone, sums to one."""
        found = []
        for rows in self.code_logits(logits, ids):
            weights = np.exp(rows - rows.max(axis=1, keepdims=True))
            found.append(weights / weights.sum(axis=1, keepdims=True))
        return found

    def code_steps(self, ids: Sequence[int]) -> list[list[int]]:
        """For each object with a whole box, the steps at which its codes stand."""
        objects: list[list[int]] = []
        edges = 0  # of the box that is being read; -1 between objects
        for step, number in enumerate(_numbers(ids)):
            if number in self._edge_set:
                edges = edges + 1 if 0 <= edges < 4 else 1
                if edges == 4:
                    objects.append([])
            elif edges == 4 and self._follows(number, objects[-1]):
                objects[-1].append(step)
            else:
                edges = -1
        return objects

    def _follows(self, number: int, codes: list[int]) -> bool:
        """Whether an id is a code that may stand after so many others."""
        if len(codes) >= self.codec.tokens:
            return False
        return number in self._code_sets[len(codes) if len(self.codes) > 1 else 0]

    @cached_property
    def _edge_set(self) -> frozenset[int]:
        return frozenset(self.edges.tolist())

    @cached_property
    def _code_sets(self) -> list[frozenset[int]]:
        return [frozenset(stage.tolist()) for stage in self.codes]


def _parts(codec: ShapeTokensCodec) -> tuple[tuple[str, ...], ...]:
    return codec.pieces.edges, *codec.pieces.stages


def _single_ids(codec: ShapeTokensCodec, encode: Encode, pieces: list[str]) -> list[int]:
    """One id a piece, as they stand in a text, all of them different."""
    head = before_pieces(codec, "dog")
    before = encode(head)
    together = encode(head + "".join(pieces))
    ids = together[len(before) :]
    if together[: len(before)] == before and len(ids) == len(pieces) == len(set(ids)):
        return ids
    alone = {piece: encode(head + piece)[len(before) :] for piece in pieces}
    several = [piece for piece, found in alone.items() if len(found) != 1]
    if several:
        shown = ", ".join(map(repr, several[:4]))
        more = ", …" if len(several) > 4 else ""
        reason = f"{len(several):,} of {len(pieces):,} pieces are not one token each: {shown}{more}"
    elif len({found[0] for found in alone.values()}) < len(pieces):
        reason = "several pieces are the same token, an unknown one perhaps"
    else:
        reason = "pieces are single tokens alone but not side by side"
    raise MaskCodecError(f"{codec}: {reason}; {_HINTS[codec.spelling]}")


def _refuse_special(
    codec: ShapeTokensCodec, backend: Any, pieces: list[str], ids: list[int]
) -> None:
    if not hasattr(backend, "get_added_tokens_decoder"):
        return
    added = backend.get_added_tokens_decoder()
    special = [
        piece
        for piece, number in zip(pieces, ids, strict=True)
        if number in added and added[number].special
    ]
    if special:
        raise MaskCodecError(
            f"{codec}: {len(special):,} pieces were added as special tokens ({special[0]!r}, …), "
            "which skip_special_tokens=True drops from an answer; add them as ordinary ones "
            "(tokenizer.add_tokens(tokens), special_tokens=False)"
        )


def before_pieces(codec: ShapeTokensCodec, label: str) -> str:
    """What stands before the first token of a box."""
    return f"{label}:" if codec.pieces.code_gap else f"{label}: "


def _backend(tokenizer: Any) -> Any:
    """The tokenizer of the package `tokenizers` that is behind any other."""
    if isinstance(tokenizer, str | Path):
        path = Path(tokenizer)
        path = path / "tokenizer.json" if path.is_dir() else path
        if not path.is_file():
            raise MaskCodecError(f"{tokenizer}: no such file; give the path of a tokenizer.json")
        package = importlib.import_module("tokenizers")
        try:
            return package.Tokenizer.from_file(str(path))
        except Exception as error:  # the Rust side raises bare Exception
            raise MaskCodecError(
                f"{tokenizer}: is no Hugging Face tokenizer.json: {error}"
            ) from None
    return getattr(tokenizer, "backend_tokenizer", tokenizer)


def _encoder(backend: Any) -> Encode:
    if getattr(backend, "padding", None) or getattr(backend, "truncation", None):
        backend = type(backend).from_str(backend.to_str())  # the caller's own stays as it is
        backend.no_padding()
        backend.no_truncation()

    def encode(text: str) -> list[int]:
        found = backend.encode(text, add_special_tokens=False)
        return list(getattr(found, "ids", found))

    return encode


def _numbers(ids: Any) -> list[int]:
    """Ids as Python numbers, from a list, an array or a tensor."""
    return list(ids.tolist() if hasattr(ids, "tolist") else ids)
