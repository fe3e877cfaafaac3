"""Adapters of tiny models and files of examples, as `train` and `prepare` leave them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tiny_models import tiny_model

from maskcodec import Mask, get_codec, hf
from maskcodec.adapter_card import AdapterCard
from maskcodec.codec import Codec
from maskcodec.examples import Example, TruthMask, Turn

QUIET = (
    "ignore:.*doesn't have a `model_type`.*:UserWarning",
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
)


def make_adapter(folder: Path, spec: str, **options: Any) -> Path:
    """A base model in `base` and an adapter for it, trained for a step, in `adapter`."""
    train_adapter(folder, spec, **options)
    return folder / "adapter"


def train_adapter(
    folder: Path, spec: str, *, family: str = "llava", tied: bool | None = None
) -> Any:
    """As `make_adapter`; the trained model itself comes back."""
    import peft

    codec = get_codec(spec)
    model, processor = tiny_model(family, tied=tied)
    model.save_pretrained(folder / "base")
    processor.save_pretrained(folder / "base")
    hf.add_tokens(processor, model, codec)
    config = peft.LoraConfig(**hf.lora_kwargs(model, processor, codec, rank=4))
    adapted = train_steps(peft.get_peft_model(model, config), processor, codec)
    adapted.save_pretrained(folder / "adapter", save_embedding_layers=False)
    processor.save_pretrained(folder / "adapter")
    card = AdapterCard(codec.spec, tokens=codec.vocab().tokens, base_model=str(folder / "base"))
    card.write(folder / "adapter")
    return adapted


def train_steps(model: Any, processor: Any, codec: Codec[Any], steps: int = 2) -> Any:
    """Train on one text that holds the first and the last token of the codec."""
    import torch

    tokens = codec.vocab().tokens
    text = "dog: " + "".join([tokens[0], tokens[-1]] if tokens else []) + "none"
    ids = torch.tensor([processor.tokenizer.encode(text, add_special_tokens=False)])
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1.0)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    return model.eval()


def logits_of(model: Any, ids: Sequence[int]) -> Any:
    """What a model says about a few ids, without an image."""
    import torch

    given = torch.tensor([list(ids)])
    more = {"decoder_input_ids": given} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        return model(input_ids=given, **more).logits


def make_examples(folder: Path, spec: str, count: int = 5, *, turns: int = 1) -> list[Example]:
    """Images of noise, each with a rectangle to find; of different sizes."""
    codec = get_codec(spec)
    random = np.random.default_rng(0)
    found = []
    for number in range(count):
        height, width = 40 + number, 60
        noise = random.integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
        array = np.zeros((height, width), np.bool_)
        array[5:20, 5 + number : 30] = True
        masks = [Mask(array, "dog")] if number != 3 else []
        turn = Turn(
            "Segment the dog" + "!" * number,
            codec.encode(masks, (height, width)),
            tuple(map(TruthMask.of, masks)),
        )
        found.append(
            Example(
                str(number),
                (f"{number}.png",),
                (height, width),
                codec.spec,
                "referring",
                (turn,) * turns,
                file=str(folder / "val.jsonl"),
            )
        )
    return found


def write_examples(folder: Path, spec: str, count: int = 5, *, turns: int = 1) -> Path:
    """`make_examples` as a file."""
    path = folder / "val.jsonl"
    lines = [example.to_line() for example in make_examples(folder, spec, count, turns=turns)]
    path.write_bytes(b"".join(lines))
    return path
