"""The architecture of the tiny base model: LLaVA with a SigLIP tower, from scratch.

Stock classes of transformers, 64x64 pixels in 8x8 patches, one token a patch.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from .tiny_tokenizer import IMAGE, NUMBERS, number_ids

SIDE = 64
PATCH = 8
WIDTH = 192
PATCHES = (SIDE // PATCH) ** 2


def make_model(tokenizer: Any) -> Any:
    """A `LlavaForConditionalGeneration` with random weights, input and output embeddings tied.

    The embeddings of numbers start as waves of their value, so that near numbers are near.
    """
    from transformers import (
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        SiglipVisionConfig,
    )

    vision = SiglipVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=3,
        image_size=SIDE,
        patch_size=PATCH,
        vision_use_head=False,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=3,
        num_key_value_heads=3,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=PATCHES,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlavaForConditionalGeneration(config)
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        table.normal_(std=0.05)
        for ids in number_ids(tokenizer):
            table[ids] = _waves(table.shape[1]) * 0.05
    return model


def make_processor(tokenizer: Any) -> Any:
    """The `LlavaProcessor` of the model: pictures of any size become 64x64 pixels of -1 to 1."""
    from transformers import LlavaProcessor, SiglipImageProcessor

    images = SiglipImageProcessor(
        size={"height": SIDE, "width": SIDE}, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    return LlavaProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        image_token=IMAGE,
        num_additional_image_tokens=0,
        chat_template=tokenizer.chat_template,
    )


def _waves(width: int) -> torch.Tensor:
    """float32 (101, width): sines and cosines of a number, slow ones strongest; variance one."""
    value = torch.arange(NUMBERS, dtype=torch.float32)[:, None] / NUMBERS
    cycles = torch.logspace(math.log10(0.25), math.log10(16), width // 4)[None]
    phase = 2 * math.pi * value * cycles
    waves = torch.cat([phase.sin(), phase.cos()], dim=1) / cycles.sqrt().repeat(1, 2)
    waves = waves - waves.mean(dim=0)
    spread = torch.linalg.qr(torch.randn(width, waves.shape[1], generator=_seeded(0)))[0]
    waves = waves @ spread.T
    scaled: torch.Tensor = waves / waves.std()
    return scaled


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
