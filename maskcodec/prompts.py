"""A question about images as what a model takes, the way trainers put it: images first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from .errors import MaskCodecError

Message: TypeAlias = dict[str, str]


def conversation(messages: Sequence[Message], images: Sequence[Any]) -> list[dict[str, Any]]:
    """Messages as chat templates of vision models take them.

    Every content becomes a list of parts, and the images stand before the first question, as
    TRL's `prepare_multimodal_messages` puts them. Blanks around contents are dropped.
    """
    found: list[dict[str, Any]] = []
    waiting = [{"type": "image", "image": image} for image in images]
    for message in messages:
        parts: list[dict[str, Any]] = [{"type": "text", "text": message["content"].strip()}]
        if message["role"] == "user":
            parts, waiting = [*waiting, *parts], []
        found.append({"role": message["role"], "content": parts})
    return found


def model_inputs(
    processor: Any, chats: Sequence[Sequence[Message]], images: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    """What `generate` takes for a batch of chats that end with a question, padded on the left.

    Args:
        processor: of the model.
        chats: messages of plain strings, the last one of the user.
        images: of each chat, PIL or arrays; at least one.

    Raises:
        MaskCodecError: the processor has no chat template, and a chat is more than one question.
    """
    options = {"padding": True, "padding_side": "left", "add_special_tokens": False}
    if getattr(processor, "chat_template", None):
        found = processor.apply_chat_template(
            [conversation(chat, shown) for chat, shown in zip(chats, images, strict=True)],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs=options,
        )
    else:
        texts = [
            _question(processor, chat, len(shown))
            for chat, shown in zip(chats, images, strict=True)
        ]
        # PaliGemma's processor writes the beginning of a text itself, after the images.
        options["add_special_tokens"] = not _is_marked(processor)
        shown_images = [list(shown) for shown in images]
        found = processor(images=shown_images, text=texts, return_tensors="pt", **options)
    return {key: value for key, value in found.items() if key != "labels"}


def end_ids(model: Any, processor: Any) -> list[int]:
    """The ids that end an answer; the one that the chat template puts there comes first."""
    tokenizer = processor.tokenizer
    found: list[int] = []
    if getattr(processor, "chat_template", None):
        said = [{"role": "user", "content": "question"}, {"role": "assistant", "content": "answer"}]
        text = processor.apply_chat_template(conversation(said, ()), tokenize=False)
        after = text.rpartition("answer")[2].strip()
        ids = tokenizer.encode(after, add_special_tokens=False) if after else []
        if ids and ids[0] in tokenizer.all_special_ids:
            found.append(ids[0])
    configured = model.generation_config.eos_token_id
    found += configured if isinstance(configured, list) else [configured]
    found.append(tokenizer.eos_token_id)
    return list(dict.fromkeys(int(number) for number in found if number is not None))


def context_length(model: Any) -> int | None:
    """The most ids of prompt and answer together; None where the model doesn't say."""
    config = model.config.get_text_config(decoder=True)
    length = getattr(config, "max_position_embeddings", None)
    return int(length) if isinstance(length, int) and length > 0 else None


def _question(processor: Any, chat: Sequence[Message], count: int) -> str:
    if len(chat) != 1:
        raise MaskCodecError(
            f"{type(processor).__name__} has no chat template, so that it takes one question and "
            f"no conversation; this one has {len(chat)} messages"
        )
    mark = str(processor.image_token) * count if _is_marked(processor) else ""
    return mark + chat[0]["content"].strip()


def _is_marked(processor: Any) -> bool:
    """Whether images are marked in the text; Florence-2's processor puts them there itself."""
    return type(processor).__name__ == "PaliGemmaProcessor"
