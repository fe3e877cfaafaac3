"""Vision-language models of real architectures with random weights, small enough for a test.

    model, processor = tiny_model("qwen2_5_vl")

Fewer than half a million parameters each, 32 numbers wide, on the CPU, without any download. Each
has a tokenizer of bytes and a few merges, and a chat template that takes plain strings or lists of
parts (PaliGemma and Florence-2 have none, as their originals).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tiny_architectures import BUILDERS

FAMILIES = tuple(BUILDERS)
"""The names that `tiny_model` takes."""


def tiny_model(family: str, *, tied: bool | None = None, seed: int = 0) -> tuple[Any, Any]:
    """Make a model and its processor.

    Args:
        family: one of `FAMILIES`.
        tied: whether one table is both the embeddings and the head; None for what the
            architecture has by itself.
        seed: of the weights.

    Returns:
        `(model, processor)`, the model in eval mode.
    """
    torch.manual_seed(seed)
    config, processor, name = BUILDERS[family]()
    if tied is not None:
        config.tie_word_embeddings = tied
        config.text_config.tie_word_embeddings = tied
    import transformers

    model = getattr(transformers, name)(config).eval()
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    return model, processor


def save_tiny(family: str, folder: str | Path, *, tied: bool | None = None, seed: int = 0) -> Path:
    """Write `tiny_model(...)` as `from_pretrained` reads it; the folder's path comes back."""
    model, processor = tiny_model(family, tied=tied, seed=seed)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return Path(folder)
