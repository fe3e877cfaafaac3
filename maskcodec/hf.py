"""maskcodec with models of transformers: from one's own training loop to masks.

    from maskcodec import get_codec, hf

    codec = get_codec("shapetokens")
    hf.add_tokens(tokenizer, model, codec)
    model = peft.get_peft_model(model, peft.LoraConfig(**hf.lora_kwargs(model, tokenizer, codec)))
    ...
    length = inputs["input_ids"].shape[1]
    rule = hf.logits_processor(codec, tokenizer, labels=["dog"], prompt_length=length)
    ids = model.generate(**inputs, logits_processor=[rule], max_new_tokens=64)
    decoded = hf.decode_outputs(codec, tokenizer, ids, [(480, 640)], prompt_length=length)

What is behind each name stands in a file of its own; this one gathers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .added_tokens import INITS, Init, add_tokens, token_ids
from .codec import Codec, check_lengths
from .decoded import Decoded, Errors
from .logits import ConstrainedLogits, logits_processor
from .lora_config import lora_kwargs
from .model_files import load_model, load_processor, merge_adapter

if TYPE_CHECKING:
    import torch

__all__ = [
    "INITS",
    "ConstrainedLogits",
    "Init",
    "add_tokens",
    "answer_texts",
    "decode_outputs",
    "load_model",
    "load_processor",
    "logits_processor",
    "lora_kwargs",
    "merge_adapter",
    "token_ids",
]


def answer_texts(
    tokenizer: Any, output_ids: Any, *, prompt_length: int = 0, ends: Sequence[int] | None = None
) -> list[str]:
    """The texts of answers, up to the id that ends each.

    Args:
        tokenizer: of transformers, or a processor that has one.
        output_ids: (answers, ids), as `generate` gives them.
        prompt_length: ids before the answer; 0 where there are none, 1 for an encoder–decoder.
        ends: ids that end an answer; left out, the tokenizer's `eos_token_id`.
    """
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
    stops = {tokenizer.eos_token_id} if ends is None else set(ends)
    texts = []
    for row in output_ids:
        ids = [int(number) for number in row[prompt_length:]]
        until = next((place for place, number in enumerate(ids) if number in stops), len(ids))
        texts.append(
            tokenizer.decode(
                ids[:until], skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )
    return texts


def decode_outputs(
    codec: Codec[Any],
    tokenizer: Any,
    output_ids: Any,
    sizes: Sequence[tuple[int, int]],
    *,
    prompt_length: int = 0,
    errors: Errors = "repair",
    device: str | torch.device = "cpu",
) -> list[Decoded]:
    """The masks that `generate` printed.

    Args:
        codec: whose text the answers are, and nothing else (`maskcodec.chat` reads prose).
        tokenizer: of transformers, or a processor that has one.
        output_ids: (answers, ids), as `generate` gives them.
        sizes: the images' (height, width) in pixels, one an answer.
        prompt_length: see `answer_texts`.
        errors: see `Codec.decode_batch`.
        device: where masks are painted, see `Codec.render_batch`.

    Raises:
        MaskCodecError: there are not as many sizes as answers.
        DecodeError: under `errors="strict"`.
    """
    texts = answer_texts(tokenizer, output_ids, prompt_length=prompt_length)
    check_lengths("answers", len(texts), len(sizes))
    return codec.decode_batch(texts, sizes, device=device, errors=errors)
