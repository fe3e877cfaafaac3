"""What a run works with: the model with its adapter, its processor, and what makes batches."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import peft
import torch
from transformers import set_seed

from maskcodec import MaskCodecError, hf
from maskcodec.adapter_card import AdapterCard
from maskcodec.codec import Codec
from maskcodec.commands.train_options import LOSS_FIELDS, TrainOptions
from maskcodec.examples import Example
from maskcodec.lora_config import Part
from maskcodec.prompts import context_length
from maskcodec.shipped import shipped_folder

from .answers import Answered, Answers
from .batches import Images
from .conversation import Conversations
from .token_loss import SoftTargets, TokenWeights
from .training_set import Lengths

UNBOUNDED = 10**9
"""The context of a model that names none."""


@dataclass
class Parts:
    """What a run works with.

    Attributes:
        codec: of the answers.
        model: with its adapter.
        processor: of the model, with the codec's tokens.
        answers: makes tokens of examples.
        images: shows images to the processor.
        card: of the adapter.
        context: the most tokens that the model takes.
        pad: the id of the padding token.
        device: "cpu" or "cuda".
        examples: to train on.
        answered: their tokens.
        lengths: of them.
        held: examples to evaluate on.
    """

    codec: Codec[Any]
    model: Any
    processor: Any
    answers: Answers
    images: Images
    card: AdapterCard
    context: int
    pad: int
    device: str
    examples: Sequence[Example] = ()
    answered: Sequence[Answered] = ()
    lengths: Lengths = field(default_factory=lambda: Lengths(UNBOUNDED))
    held: Sequence[Example] = ()


def trained(model: Any) -> int:
    """How many weights of a model are trained."""
    return sum(one.numel() for one in model.parameters() if one.requires_grad)


def load_parts(options: TrainOptions, codec: Codec[Any]) -> Parts:
    """Load a model, add the codec's tokens and an adapter; examples are still missing.

    Raises:
        MaskCodecError: there is no such model, it can't be trained so, or its tokenizer does not
            keep the codec's tokens whole.
    """
    device = device_of(options)
    set_seed(options.seed)
    model, processor = hf.load_model(options.model, dtype=_base_dtype(device))
    if hasattr(model, "peft_config"):
        raise MaskCodecError(
            f"{options.model} is an adapter; train on a model, or merge it first: maskcodec merge"
        )
    if getattr(model.config, "is_encoder_decoder", False):
        raise MaskCodecError(
            f"{type(model).__name__} is an encoder–decoder, which TRL's SFTTrainer can't train"
        )
    if device == "cpu":
        # Backwards through sdpa takes a third longer there, for lengths of hundreds of tokens.
        model.set_attn_implementation("eager")
    hf.add_tokens(
        processor.tokenizer, model, codec, init=cast(hf.Init, options.init), seed=options.seed
    )
    soft = SoftTargets(codec, processor.tokenizer, options.soft_bins, options.soft_codes)
    adapted: list[Part] = ["language"]
    adapted += ["projector"] if options.projector_lora else []
    adapted += ["vision"] if options.vision_lora else []
    kwargs = hf.lora_kwargs(
        model,
        processor.tokenizer,
        codec,
        rank=options.rank,
        alpha=options.alpha or None,
        dropout=options.dropout,
        parts=adapted,
    )
    set_seed(options.seed)
    model = peft.get_peft_model(model, peft.LoraConfig(**kwargs))
    card = _card(options, codec, processor)
    model.peft_config["default"].base_model_name_or_path = card.base_model
    conversations = Conversations(processor)
    weights = TokenWeights(
        options.label_weight, options.where_weight, options.shape_weight, options.prefix_decay
    )
    tokenizer = processor.tokenizer
    pad = tokenizer.pad_token_id
    return Parts(
        codec,
        model,
        processor,
        Answers(conversations, codec, weights, soft),
        Images(processor, options.image_cache * 2**20),
        card,
        context_length(model) or UNBOUNDED,
        pad if pad is not None else tokenizer.eos_token_id,
        device,
    )


def _card(options: TrainOptions, codec: Codec[Any], processor: Any) -> AdapterCard:
    packages = ("maskcodec", "torch", "transformers", "peft", "trl", "tokenizers")
    backend = getattr(processor.image_processor, "backend", None)
    name = type(processor.image_processor).__name__
    folder = shipped_folder(options.model) is None and Path(options.model).is_dir()
    return AdapterCard(
        codec.spec,
        tokens=codec.vocab().tokens,
        base_model=str(Path(options.model).absolute()) if folder else options.model,
        versions={package: importlib.metadata.version(package) for package in packages},
        resize_backend=str(backend or ("torchvision" if name.endswith("Fast") else "pil")),
        loss={key: getattr(options, key) for key in LOSS_FIELDS},
        seed=options.seed,
    )


def device_of(options: TrainOptions) -> str:
    """Where to train."""
    return "cuda" if options.device == "auto" and torch.cuda.is_available() else "cpu"


def _base_dtype(device: str) -> Any:
    """What the base model's weights are kept in."""
    if device == "cpu":
        return torch.float32  # half precision is for products alone, by autocast
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32


def computes_in_half(options: TrainOptions) -> bool:
    """Whether to compute in bf16."""
    if options.precision != "auto":
        return options.precision == "bf16"
    if device_of(options) == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return "avx512_bf16" in _cpu_flags() or "amx_bf16" in _cpu_flags()


def _cpu_flags() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
