"""The tokens of a codec in a tokenizer, and their rows in a model.

    ids = add_tokens(tokenizer, model, codec)

The tokens become ordinary ones (special ones would be dropped from answers by
`skip_special_tokens=True`), and the model's tables grow where they have no room: many vocabularies
are padded and have some. Rows that mean nothing yet are given values from which training starts:
`init` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from .codec import Codec
from .errors import MaskCodecError
from .row_values import codebook_rows, mean_rows, number_rows

if TYPE_CHECKING:
    import torch

Init: TypeAlias = Literal["mean", "numbers", "codebook", "numbers+codebook"]
"""How new rows begin. All begin as the mean of the old rows with a little noise. Then

- "numbers": the token of an edge of a box takes the rows of the number that says the same place in
  percent, mixed of the two numbers around it, so that edges begin in order and near to numbers;
- "codebook": the token of a code takes the vector that it adds to a shape, through a random
  projection, as far from the mean as old rows are, so that codes alike begin alike;
- "numbers+codebook": both.

Codecs whose tokens are no edges, or whose codebook is a network, keep the mean there.
"""

_SIDE_BY_SIDE = 256

INITS: tuple[str, ...] = get_args(Init)


def add_tokens(
    tokenizer: Any,
    model: Any,
    codec: Codec[Any],
    *,
    init: Init = "mean",
    noise: float = 0.1,
    seed: int = 0,
) -> list[int]:
    """Add a codec's tokens to a tokenizer, and rows for them to a model.

    Tokens that are there already, and their rows, stay as they are.

    Args:
        tokenizer: of transformers, or a processor that has one.
        model: of transformers, before any adapter.
        codec: nothing is done for one that needs no tokens of its own.
        init: how new rows begin, see `Init`.
        noise: of new rows, in standard deviations of the old rows, number by number.
        seed: of the noise and of projections.

    Returns:
        the id of each token of `codec.vocab()`, in its order.

    Raises:
        MaskCodecError: the tokenizer does not keep a token whole, or has it as a special one; the
            model has an adapter already; an unknown `init`.
    """
    if init not in INITS:
        raise MaskCodecError(f"init is {init!r}, expected one of {', '.join(INITS)}")
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
    if hasattr(model, "peft_config"):
        raise MaskCodecError("add tokens before the model gets an adapter, not after")
    tokens = codec.vocab().tokens
    if not tokens:
        return []
    known = tokenizer.get_vocab()
    missing = [token for token in tokens if token not in known]
    _add(tokenizer, missing)
    ids = token_ids(tokenizer, codec)
    rows = resize(model, tokenizer)
    fresh = set(tokenizer.convert_tokens_to_ids(missing)) | {i for i in ids if i >= rows}
    old = min([rows, *fresh])  # what lies between is padding, or tokens of another codec
    _fill(model, tokenizer, codec, ids, fresh, old, init, noise, seed)
    return ids


def token_ids(tokenizer: Any, codec: Codec[Any]) -> list[int]:
    """The id of each token of a codec, in the order of `codec.vocab()`.

    Raises:
        MaskCodecError: the tokenizer lacks a token, splits it, or has it as a special one.
    """
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
    tokens = codec.vocab().tokens
    if not tokens:
        return []
    known = tokenizer.get_vocab()
    missing = [token for token in tokens if token not in known]
    if missing:
        raise MaskCodecError(
            f"{codec}: the tokenizer lacks {len(missing):,} of its {len(tokens):,} tokens "
            f"({missing[0]!r}, …); maskcodec.hf.add_tokens adds them"
        )
    ids = [known[token] for token in tokens]
    added = tokenizer.added_tokens_decoder
    for token, number in zip(tokens, ids, strict=True):
        if number in added and added[number].special:
            raise MaskCodecError(
                f"{codec}: {token!r} is a special token of this tokenizer, which "
                "skip_special_tokens=True drops from an answer; add it as an ordinary one"
            )
    _check_whole(tokenizer, codec, tokens, ids)
    return ids


def resize(model: Any, tokenizer: Any) -> int:
    """Give a model rows for all tokens, where it lacks any; how many it had comes back.

    A table that is longer than the tokenizer stays as long as it is. New rows are the mean.
    """
    import torch

    rows: int = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) <= rows:
        return rows
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for table in tables(model):
            table.weight[rows:] = table.weight[:rows].float().mean(0).to(table.weight.dtype)
    return rows


def tables(model: Any) -> list[Any]:
    """The embeddings, and the head where it is a table of its own."""
    head = model.get_output_embeddings()
    apart = [] if head is None or is_tied(model) else [head]
    return [model.get_input_embeddings(), *apart]


def is_tied(model: Any) -> bool:
    """Whether embeddings and head are one table."""
    head = model.get_output_embeddings()
    return head is not None and head.weight is model.get_input_embeddings().weight


def _add(tokenizer: Any, tokens: Sequence[str]) -> None:
    if not tokens:
        return
    from tokenizers import AddedToken

    # Not normalized: some tokenizers rewrite blanks and letters before they look for tokens.
    plain = [AddedToken(token, normalized=False, special=False) for token in tokens]
    tokenizer.add_tokens(plain, special_tokens=False)


def _check_whole(
    tokenizer: Any, codec: Codec[Any], tokens: Sequence[str], ids: Sequence[int]
) -> None:
    """Raise where a tokenizer reads a token as anything but its id, as it stands in an answer."""
    for start in range(0, len(tokens), _SIDE_BY_SIDE):
        some = slice(start, start + _SIDE_BY_SIDE)
        found = tokenizer.encode("dog: " + "".join(tokens[some]), add_special_tokens=False)
        expected = list(ids[some])
        if list(found[-len(expected) :]) != expected:
            raise MaskCodecError(_why_split(tokenizer, codec, tokens[some], expected))


def _why_split(tokenizer: Any, codec: Codec[Any], tokens: Sequence[str], ids: Sequence[int]) -> str:
    for token, number in zip(tokens, ids, strict=True):
        alone = tokenizer.encode(f"dog: {token}", add_special_tokens=False)
        if alone[-1:] != [number]:
            pieces = tokenizer.tokenize(token)
            return (
                f"{codec}: the tokenizer splits {token!r} into {pieces[:6]}; add the codec's "
                "tokens by maskcodec.hf.add_tokens, or with normalized=False"
            )
    return f"{codec}: its tokens are not one id each where they stand side by side"


def _fill(
    model: Any,
    tokenizer: Any,
    codec: Codec[Any],
    ids: Sequence[int],
    fresh: set[int],
    old: int,
    init: str,
    noise: float,
    seed: int,
) -> None:
    """Give new rows their first values, in the embeddings and, where it is apart, in the head."""
    import torch

    places = [place for place, number in enumerate(ids) if number in fresh]
    if not places:
        return
    targets = torch.tensor([ids[place] for place in places])
    for table in tables(model):
        weight: torch.Tensor = table.weight
        with torch.no_grad():
            before = weight[:old].float().cpu()
            values = mean_rows(before, len(ids), noise, seed)
            if "numbers" in init:
                number_rows(values, before, tokenizer, codec)
            if "codebook" in init:
                codebook_rows(values, before, codec, seed)
            weight[targets.to(weight.device)] = values[places].to(weight.device, weight.dtype)
            bias = getattr(table, "bias", None)
            if bias is not None:
                bias[targets.to(bias.device)] = bias[:old].float().mean().to(bias.dtype)
