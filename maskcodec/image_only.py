"""Processors of vision-language models without their video half.

The stock processors of Qwen2.5-VL, Qwen3-VL, InternVL, LLaVA-OneVision and SmolVLM demand a video
processor, and every video processor demands torchvision, also where only images are read.
`image_only_class` leaves the video half out; everything else, the files it writes included, stays
as the stock class has it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from types import SimpleNamespace
from typing import Any


@functools.cache
def image_only_class(name: str) -> Any:
    """The class `name` of transformers, without its video processor.

    Args:
        name: as in a folder's `processor_config.json`, e.g. `"Qwen2_5_VLProcessor"`.

    Returns:
        A subclass of the same name with the same signature less `video_processor`; the stock class
        itself where it has none.
    """
    stock = getattr(importlib.import_module("transformers"), name)
    signature = inspect.signature(stock.__init__)
    if "video_processor" not in signature.parameters:
        return stock
    module: Any = importlib.import_module(stock.__module__)
    if getattr(module, "num2words", "absent") is None:
        module.num2words = str  # SmolVLM spells numbers of frames with it
    kept = [part for key, part in signature.parameters.items() if key != "video_processor"]
    shorter = signature.replace(parameters=kept)
    names = [part.name for part in kept[1:] if part.kind is part.POSITIONAL_OR_KEYWORD]

    def make(self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("video_processor", None)
        # The mixin reads from the signature which processors it has, and drops the None.
        stock.__init__(self, video_processor=None, **dict(zip(names, args, strict=False)), **kwargs)

    def validate(
        processor_config: dict[str, Any], valid_kwargs: object
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The mixin looks for the names of arguments in a function's code, where none are now."""
        unused, used = stock.validate_init_kwargs(processor_config, names)
        return unused, used

    make.__signature__ = shorter  # type: ignore[attr-defined]
    members = {
        "__init__": make,
        "__module__": stock.__module__,
        "validate_init_kwargs": staticmethod(validate),
        # SmolVLM asks for these for every chat, with videos or without.
        "video_processor": SimpleNamespace(num_frames=None, fps=None),
    }
    return type(name, (stock,), members)
