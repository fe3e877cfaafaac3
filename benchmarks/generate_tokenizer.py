"""Tokenizers without a model, for `bench generate --tokenizer`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskcodec import MaskCodecError
from maskcodec.codec import Codec

ENDS = (
    *("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<end_of_turn>", "</s>", "<eos>", "<|end|>"),
    "<｜end▁of▁sentence｜>",
)
"""What ends an answer in known vocabularies."""


def named(entries: Sequence[str]) -> dict[str, Path]:
    """Tokenizers by name.

    Raises:
        MaskCodecError: an entry is not NAME=FILE, or there is no such file.
    """
    found: dict[str, Path] = {}
    for entry in entries:
        name, equals, file = entry.partition("=")
        path = Path(file)
        path = path / "tokenizer.json" if path.is_dir() else path
        if not (name and equals and file) or name in found:
            raise MaskCodecError(f"--tokenizer {entry}: expected NAME=FILE, each name once")
        if not path.is_file():
            raise MaskCodecError(f"--tokenizer {entry}: no such file")
        found[name] = path
    return found


def load(file: Path) -> Any:
    """A tokenizer.json as transformers loads it; `eos_token` is None where no usual one is known.

    Raises:
        MaskCodecError: it is no tokenizer.
    """
    from transformers import PreTrainedTokenizerFast

    try:
        tokenizer: Any = PreTrainedTokenizerFast(tokenizer_file=str(file))
    except Exception as error:  # tokenizers raises plain Exception
        raise MaskCodecError(f"{file}: is no tokenizer: {error}") from None
    known = tokenizer.get_vocab()
    tokenizer.eos_token = next((end for end in ENDS if end in known), None)
    return tokenizer


def add_tokens(tokenizer: Any, codec: Codec[Any]) -> None:
    """Add the codec's tokens that are missing, as `maskcodec.hf.add_tokens` does with a model."""
    from tokenizers import AddedToken

    known = tokenizer.get_vocab()
    missing = [token for token in codec.vocab().tokens if token not in known]
    tokenizer.add_tokens([AddedToken(one, normalized=False, special=False) for one in missing])
