"""What PEFT must be told so that a model learns a codec: which layers, and which rows.

    config = peft.LoraConfig(**lora_kwargs(model, tokenizer, codec, rank=16))

Layers are told apart by where they stand: what lies beside the embeddings of the text is the
language model; what is named a projector, connector or merger outside of the vision tower joins
the two; all the rest is vision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias, get_args

from .added_tokens import token_ids
from .codec import Codec
from .dialects.shapetokens import ShapeTokensCodec
from .errors import MaskCodecError

Part: TypeAlias = Literal["language", "projector", "vision"]

_PARTS: tuple[str, ...] = get_args(Part)
_NUMBER = re.compile(r"(?<=\\.)\d+(?=\\.)")
_VISION = re.compile(r"(^|_)(vision|visual|image|vit|siglip|clip|dino)")
_PROJECTOR = re.compile(r"project|connector|merger|resampler|adapter|aligner")


def lora_kwargs(
    model: Any,
    tokenizer: Any,
    codec: Codec[Any],
    *,
    rank: int = 16,
    alpha: int | None = None,
    dropout: float = 0.0,
    parts: Sequence[Part] = ("language",),
    rows: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Arguments for `peft.LoraConfig`.

    Args:
        model: of transformers, to which `add_tokens` was applied.
        tokenizer: of transformers, or a processor that has one.
        codec: whose tokens are learnt.
        rank: of the matrices.
        alpha: their scale times `rank`; left out, twice the rank.
        dropout: 0 to 1.
        parts: where matrices go: "language", "projector", "vision".
        rows: ids whose rows in embeddings and head are trained, None for the codec's own.

    Returns:
        `r`, `lora_alpha`, `lora_dropout`, `bias`, `task_type`, `target_modules`, and where there is
        something to name `trainable_token_indices` (for each table its rows, which trains the head
        too, tied or not).

    Raises:
        MaskCodecError: the tokenizer lacks or splits a token of the codec, the model has no row
            for one, or no layer is in `parts`.
    """
    unknown = set(parts) - set(_PARTS)
    if unknown:
        raise MaskCodecError(f"parts holds {min(unknown)!r}, expected {', '.join(_PARTS)}")
    found = layers(model)
    targets = [name for part in _PARTS if part in parts for name in found[part]]
    if not targets:
        raise MaskCodecError(f"the model has no linear layer in {', '.join(parts) or 'no part'}")
    is_pair = bool(getattr(model.config, "is_encoder_decoder", False))
    kwargs: dict[str, Any] = {
        "r": rank,
        "lora_alpha": 2 * rank if alpha is None else alpha,
        "lora_dropout": dropout,
        "bias": "none",
        "task_type": "SEQ_2_SEQ_LM" if is_pair else "CAUSAL_LM",
        "target_modules": pattern(targets, (name for name, _ in model.named_modules())),
    }
    ids = trained_rows(tokenizer, codec) if rows is None else list(rows)
    if ids:
        kwargs["trainable_token_indices"] = dict.fromkeys(_tables(model, max(ids)), ids)
    return kwargs


def layers(model: Any) -> dict[str, list[str]]:
    """The names of a model's linear layers by part; the head is in none."""
    import torch

    names = {id(module): name for name, module in model.named_modules()}
    root = names[id(model.get_input_embeddings())].rpartition(".")[0]
    head = model.get_output_embeddings()
    found: dict[str, list[str]] = {part: [] for part in _PARTS}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            found[_part(name, root)].append(name)
    return found


def pattern(names: Sequence[str], all_names: Iterable[str]) -> str:
    """The regular expression that matches `names` in whole, and no other of `all_names`.

    The layers of a stack share one alternative where that is true.
    """
    wanted = set(names)
    others = [name for name in all_names if name not in wanted]
    found: dict[str, None] = {}
    for name in names:
        shape = _NUMBER.sub(r"\\d+", re.escape(name))
        matches = re.compile(shape).fullmatch
        if shape not in found:
            found[re.escape(name) if any(map(matches, others)) else shape] = None
    return "|".join(found)


def trained_rows(tokenizer: Any, codec: Codec[Any]) -> list[int]:
    """The ids of the tokens that mean nothing before training; sorted.

    A codec's own tokens, and those that `spelling=unused` takes of what a vocabulary keeps free.
    """
    if isinstance(codec, ShapeTokensCodec) and codec.spelling == "unused":
        from .token_ids import TokenIds

        ids = TokenIds.of(codec, getattr(tokenizer, "tokenizer", tokenizer))
        return sorted({*ids.edges.tolist(), *ids.codes.ravel().tolist()})
    return sorted(token_ids(tokenizer, codec))


def _part(name: str, root: str) -> Part:
    pieces = name.split(".")
    outside = not name.startswith(f"{root}.")
    for piece in pieces:
        if _PROJECTOR.search(piece) and outside and not _is_vision(pieces[: pieces.index(piece)]):
            return "projector"
    return "vision" if outside or _is_vision(pieces) else "language"


def _is_vision(pieces: Sequence[str]) -> bool:
    return any(_VISION.search(piece) for piece in pieces)


def _tables(model: Any, highest: int) -> list[str]:
    """The full names of the modules that hold the embeddings and the head."""
    tables = [model.get_input_embeddings(), model.get_output_embeddings()]
    weights = [table.weight for table in tables if table is not None]
    rows = min(len(weight) for weight in weights)
    if rows <= highest:
        raise MaskCodecError(
            f"the model has {rows:,} rows, but a token of the codec has id {highest:,}; "
            "maskcodec.hf.add_tokens makes room"
        )
    found: dict[int, str] = {}  # a module that has several names is taken by its first
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if weight is not None and any(weight is one for one in weights):
            found.setdefault(id(module), name)
    return list(found.values())
