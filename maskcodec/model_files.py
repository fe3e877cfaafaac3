"""Models and adapters on disk: loading them with what belongs to them, and merging.

model, processor = load_model("runs/dogs")          # an adapter, a model's folder, a hub's name
merge_adapter("runs/dogs", "dogs-merged")           # a plain model that `from_pretrained` opens
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .adapter_card import NAME as CARD
from .adapter_card import AdapterCard, read_adapter_card
from .added_tokens import resize, token_ids
from .errors import MaskCodecError, RecordError
from .image_only import image_only_class
from .registry import get_codec
from .shipped import shipped_folder
from .writing import atomic_folder

_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_ADAPTER = "adapter_config.json"
_PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
_MAX_CONFIG = 16 * 2**20


def load_model(name: str | Path, *, device: str = "cpu", dtype: Any = "auto") -> tuple[Any, Any]:
    """Load an image-text-to-text model and its processor.

    Args:
        name: a folder that `save_pretrained` wrote; a folder of an adapter, whose base model is
            loaded, given rows for the adapter's tokens, and wrapped; a name on the Hugging Face
            hub; "tiny", the model that this package ships, or "tiny-masks", an adapter for it.
        device: of torch.
        dtype: of torch, or "auto" for the one of the files; on a CPU, which is slow at float16,
            float32 instead of that.

    Returns:
        `(model, processor)`, the model in eval mode.

    Raises:
        MaskCodecError: nothing of that name, no such kind of model, or an adapter that doesn't fit
            its base model or its tokenizer.
    """
    path = locate(name)
    if not is_adapter(path):
        return _load_base(path, dtype, device).to(device).eval(), load_processor(path)
    import peft

    folder = Path(path)
    base = _load_base(_base_of(folder), dtype, device)
    processor = load_processor(folder if _has_processor(folder) else _base_of(folder))
    if (folder / CARD).exists():
        token_ids(processor, get_codec(read_adapter_card(folder).spec))
    resize(base, processor.tokenizer)
    try:
        model = peft.PeftModel.from_pretrained(base, str(folder))
    except (ValueError, RuntimeError, KeyError) as error:
        raise MaskCodecError(
            f"{folder}: the adapter doesn't fit its base model: {_first_line(error)}"
        ) from None
    return model.to(device).eval(), processor


def load_processor(name: str | Path) -> Any:
    """Load the processor of a model; without its video half where torchvision is missing.

    Raises:
        MaskCodecError: there is none, or it reads no images.
    """
    import transformers

    path = locate(name)
    try:
        processor = transformers.AutoProcessor.from_pretrained(path)
    except (ImportError, OSError, ValueError, KeyError) as error:
        processor = _image_only(path, error)
    if not hasattr(processor, "image_processor") or not hasattr(processor, "tokenizer"):
        raise MaskCodecError(f"{name}: its processor does not read images and text both")
    return processor


def _image_only(path: str, reason: Exception) -> Any:
    """The processor without its video half, which may be all that could not be loaded."""
    import transformers

    try:
        stock = _processor_class(path)
        kept = image_only_class(stock)
        if kept is not getattr(transformers, stock):
            return kept.from_pretrained(path)
    except (ImportError, OSError, ValueError, KeyError):
        pass  # the first reason says more
    raise MaskCodecError(f"{path}: no processor can be loaded: {_first_line(reason)}") from None


def read_card(name: str | Path) -> AdapterCard | None:
    """The card of an adapter or a merged model; None where there is none."""
    path = Path(locate(name))
    return read_adapter_card(path) if (path / CARD).is_file() else None


def locate(name: str | Path) -> str:
    """Where a model lies: the folder of a shipped model, else the name as it is.

    Raises:
        MaskCodecError: it is no folder, and no name that the hub could have.
    """
    if (folder := shipped_folder(name)) is not None:
        return str(folder)
    if not Path(name).is_dir() and not _HUB_NAME.fullmatch(str(name)):
        raise MaskCodecError(f"{name}: no such folder; names on the hub are OWNER/NAME")
    return str(name)


def is_adapter(name: str | Path) -> bool:
    """Whether a folder holds an adapter and no model."""
    return (Path(locate(name)) / _ADAPTER).is_file()


def merge_adapter(name: str | Path, output: str | Path) -> Path:
    """Make an adapter and its base model one plain model.

    The folder appears under its name when it is complete. Stock classes open it, with the
    tokenizer, its added tokens and the adapter's card.

    Args:
        name: the adapter's folder.
        output: the folder to make.

    Raises:
        RecordError: `name` is no adapter, or `output` exists already or can't be made.
        MaskCodecError: see `load_model`.
    """
    output = Path(output)
    if not is_adapter(name):
        raise RecordError(f"holds no {_ADAPTER}, expected an adapter's folder", file=str(name))
    if output.exists():
        raise RecordError("exists already; give another name", file=str(output))
    if not output.absolute().parent.is_dir():
        raise RecordError(f"folder {str(output.parent)!r} does not exist", file=str(output))
    model, processor = load_model(name)
    merged = model.merge_and_unload()
    with atomic_folder(output) as part:
        merged.save_pretrained(part)
        processor.save_pretrained(part)
        if (Path(name) / CARD).exists():
            read_adapter_card(name).write(part)
    return output


def _load_base(path: str, dtype: Any, device: str) -> Any:
    import torch
    import transformers

    try:
        model = transformers.AutoModelForImageTextToText.from_pretrained(path, dtype=dtype)
        slow = dtype == "auto" and device == "cpu" and model.dtype == torch.float16
        return model.float() if slow else model
    except (OSError, ValueError, KeyError) as error:
        raise MaskCodecError(
            f"{path}: no image-text-to-text model can be loaded: {_first_line(error)}"
        ) from None


def _base_of(folder: Path) -> str:
    """The name of an adapter's base model, or where it lies."""
    name = ""
    if (folder / CARD).exists():
        name = read_adapter_card(folder).base_model
    name = name or str(_config(folder / _ADAPTER).get("base_model_name_or_path") or "")
    if not name:
        raise RecordError(
            "does not say which base model it belongs to", file=str(folder / _ADAPTER)
        )
    beside = folder / name
    if beside.is_dir() and not Path(name).is_dir():
        return str(beside)
    try:
        return locate(name)
    except MaskCodecError:
        raise MaskCodecError(
            f"{folder}: its base model {name!r} is not there; say where it is as base_model in "
            f"{folder / CARD}"
        ) from None


def _has_processor(folder: Path) -> bool:
    return (folder / "tokenizer_config.json").is_file()


def _processor_class(path: str) -> str:
    """The class that a model's files name for its processor."""
    import transformers
    from transformers.utils import cached_file

    for name in _PROCESSOR_FILES:
        found = cached_file(path, name, _raise_exceptions_for_missing_entries=False)
        value = None if found is None else _config(Path(found)).get("processor_class")
        if isinstance(value, str) and value.endswith("Processor") and hasattr(transformers, value):
            return value
    raise MaskCodecError(f"{path}: its files name no processor that transformers knows")


def _config(path: Path) -> dict[str, Any]:
    """A JSON object of somebody else's."""
    try:
        if path.stat().st_size > _MAX_CONFIG:
            raise RecordError("is too large for a configuration", file=str(path))
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"is no JSON: {error}", file=str(path)) from None
    if not isinstance(value, dict):
        raise RecordError("holds no JSON object", file=str(path))
    return value


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]
