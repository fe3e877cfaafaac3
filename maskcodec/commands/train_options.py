"""The options of `maskcodec train`: one table for flags, YAML and what a run keeps of them."""

# ruff: noqa: RUF009 (each default is made by `_option`, which is a `field`)

from __future__ import annotations

import argparse
import dataclasses
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import MaskCodecError, RecordError

MAX_YAML = 2**20


def _option(
    default: Any,
    group: str,
    text: str,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
    metavar: str = "",
) -> Any:
    metadata = {
        "group": group,
        "help": text,
        "least": least,
        "most": most,
        "choices": choices,
        "metavar": metavar,
    }
    if isinstance(default, list):
        return field(default_factory=list, metadata=metadata)
    return field(default=default, metadata=metadata)


RUN, LORA, LENGTH, LOSS, WATCH, MACHINE = (
    "what to train",
    "the adapter",
    "how long, and in what steps",
    "the loss",
    "evaluation and checkpoints",
    "the machine",
)


@dataclass(frozen=True)
class TrainOptions:
    """What `maskcodec train` can be told; each field is a flag and a key of the YAML file."""

    model: str = _option(
        "", RUN, "folder or Hugging Face name of the model, or `tiny`", metavar="NAME"
    )
    data: list[str] = _option(
        [], RUN, "files of examples that `maskcodec prepare` wrote", metavar="FILE"
    )
    val: str = _option("", RUN, "a file of examples to evaluate on while training", metavar="FILE")
    output: str = _option("", RUN, "folder for the adapter; made if missing", metavar="DIR")
    spec: str = _option(
        "", RUN, "the codec that all files must name (default: the first's)", metavar="SPEC"
    )
    seed: int = _option(0, RUN, "of all that is drawn", least=0, most=2**31 - 1)

    rank: int = _option(16, LORA, "of the LoRA matrices", least=1, most=1024)
    alpha: int = _option(0, LORA, "LoRA's alpha; 0 takes twice the rank", least=0)
    dropout: float = _option(0.0, LORA, "LoRA's dropout", least=0, most=0.99)
    projector_lora: bool = _option(
        False, LORA, "adapt what joins the vision tower to the language model"
    )
    vision_lora: bool = _option(False, LORA, "adapt the vision tower too")
    init: str = _option(
        "numbers+codebook",
        LORA,
        "how the rows of added tokens begin: edges like the numbers they stand for, codes by the "
        "vectors of their codebook, or all like the mean of the others, with a little noise",
        choices=("mean", "numbers", "codebook", "numbers+codebook"),
    )

    lr: float = _option(2e-4, LENGTH, "the greatest learning rate", least=0, most=10)
    token_lr: float = _option(
        0.0, LENGTH, "the same for the rows of added tokens; 0 takes --lr", least=0, most=10
    )
    schedule: str = _option(
        "cosine",
        LENGTH,
        "how the rate falls to 0",
        choices=("cosine", "linear", "constant"),
    )
    warmup: int = _option(20, LENGTH, "steps in which the rate rises", least=0)
    weight_decay: float = _option(0.0, LENGTH, "of AdamW", least=0, most=10)
    clip: float = _option(1.0, LENGTH, "the greatest norm of a gradient; 0 for any", least=0)
    steps: int = _option(0, LENGTH, "stop after so many steps", least=0)
    minutes: float = _option(
        0.0, LENGTH, "stop after so many minutes, the rate at 0 by then", least=0
    )
    epochs: float = _option(
        0.0, LENGTH, "stop after so many passes; 3 where nothing else stops it", least=0
    )
    batch_size: int = _option(8, LENGTH, "examples a device and pass", least=1, most=65536)
    accumulate: int = _option(1, LENGTH, "passes a step", least=1, most=65536)

    where_weight: float = _option(
        1.0, LOSS, "how much tokens count that say where an object is", least=0, most=1000
    )
    shape_weight: float = _option(1.0, LOSS, "how much tokens of shapes count", least=0, most=1000)
    label_weight: float = _option(1.0, LOSS, "how much tokens of labels count", least=0, most=1000)
    prefix_decay: float = _option(
        1.0, LOSS, "each piece of a shape counts this many times the one before", least=0, most=1
    )
    soft_bins: float = _option(
        0.0, LOSS, "near bins share the target: a Gaussian of so many bins; 0 for none", least=0
    )
    soft_codes: float = _option(
        0.0,
        LOSS,
        "near codes share it: exp(-distance / T), in units of the distance to the next code; "
        "0 for none, .2 is little, .5 much",
        least=0,
    )
    iou_weight: float = _option(
        0.0, LOSS, "of 1 - IoU of the soft mask of every prefix (shapetokens)", least=0
    )
    box_iou_weight: float = _option(
        0.0, LOSS, "of 1 - generalised IoU of the expected box (shapetokens)", least=0
    )

    eval_steps: int = _option(
        0, WATCH, "evaluate every so many steps, and at the end (0: at the end alone)", least=0
    )
    eval_examples: int = _option(64, WATCH, "of --val, evenly spread", least=1)
    eval_batch: int = _option(16, WATCH, "examples answered at once", least=1)
    free: bool = _option(False, WATCH, "evaluate without constrained decoding")
    log_steps: int = _option(10, WATCH, "steps a line of log.jsonl", least=1)
    save_steps: int = _option(
        0, WATCH, "save a checkpoint every so many steps (0: every 10 minutes)", least=0
    )
    keep: int = _option(2, WATCH, "checkpoints to keep", least=1)

    precision: str = _option(
        "auto",
        MACHINE,
        "bf16 computes in half precision where that is exact enough; auto does where the device "
        "is fast at it",
        choices=("auto", "bf16", "fp32"),
    )
    device: str = _option(
        "auto", MACHINE, "auto takes a GPU if there is one", choices=("auto", "cpu")
    )
    gradient_checkpointing: bool = _option(
        False, MACHINE, "keep less in memory, and compute it twice"
    )
    threads: int = _option(0, MACHINE, "of torch on the CPU; 0 for its own choice", least=0)
    image_cache: int = _option(
        1024, MACHINE, "megabytes of memory for images as the model takes them", least=0
    )

    def changed(self) -> dict[str, Any]:
        """What differs from the defaults."""
        default = TrainOptions()
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if value != getattr(default, name)}


FIELDS = {one.name: one for one in dataclasses.fields(TrainOptions)}
LOSS_FIELDS = tuple(name for name, one in FIELDS.items() if one.metadata["group"] == LOSS)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each option; those that are not given leave no trace in the namespace."""
    groups = {
        title: parser.add_argument_group(title)
        for title in dict.fromkeys(one.metadata["group"] for one in FIELDS.values())
    }
    for name, one in FIELDS.items():
        meta = one.metadata
        flag = "--" + name.replace("_", "-")
        flags = [flag, "-o"] if name == "output" else [flag]
        about: dict[str, Any] = {"help": meta["help"], "default": argparse.SUPPRESS}
        if one.default not in ("", dataclasses.MISSING, 0, False):
            about["help"] += f" (default: {one.default})"
        if _kind(one) is bool:
            groups[meta["group"]].add_argument(
                *flags, action=argparse.BooleanOptionalAction, **about
            )
            continue
        if _kind(one) is list:
            about["nargs"] = "+"
        elif meta["choices"]:
            about["choices"] = meta["choices"]
        else:
            about["type"] = _flag_type(name)
        if not meta["choices"]:
            about["metavar"] = meta["metavar"] or ("N" if _kind(one) is int else "X")
        groups[meta["group"]].add_argument(*flags, **about)


def read_options(flags: Mapping[str, Any], config: str | None) -> TrainOptions:
    """Options of a YAML file, overruled by flags.

    Args:
        flags: those that were given, by the names of their fields; others are left alone.
        config: the YAML file; None for none.

    Raises:
        RecordError: the file is missing, no YAML, or has a key or a value that can't be; a wrong
            key is told its nearest.
    """
    values = {} if config is None else _read_yaml(Path(config))
    values.update({name: value for name, value in flags.items() if name in FIELDS})
    return TrainOptions(**values)


def checked(name: str, value: Any) -> Any:
    """A value of an option, from YAML or JSON.

    Raises:
        ValueError: it is of another type, or out of range.
    """
    one = FIELDS[name]
    kind = _kind(one)
    if kind is list:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueError(f"is {value!r}, expected a name or a list of names")
        return list(items)
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"is {value!r}, expected true or false")
        return value
    if kind is str:
        if not isinstance(value, str):
            raise ValueError(f"is {value!r}, expected text")
        if one.metadata["choices"] and value not in one.metadata["choices"]:
            raise ValueError(f"is {value!r}, expected one of {', '.join(one.metadata['choices'])}")
        return value
    return _number(name, value)


def _number(name: str, value: Any) -> int | float:
    one = FIELDS[name]
    if isinstance(value, str):  # YAML 1.1 takes 2e-4 for text
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"is {value!r}, expected a number") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"is {value!r}, expected a number")
    if _kind(one) is int:
        if value != int(value):
            raise ValueError(f"is {value!r}, expected a whole number")
        value = int(value)
    else:
        value = float(value)
    least, most = one.metadata["least"], one.metadata["most"]
    number: int | float = value
    if (least is not None and value < least) or (most is not None and value > most):
        upper = "or more" if most is None else f"to {most:g}"
        raise ValueError(f"is {value:g}, expected {least:g} {upper}")
    return number


def nearest_option(key: str) -> str:
    """`; did you mean "rank"?`, or nothing."""
    near = difflib.get_close_matches(key.replace("-", "_"), FIELDS, n=1, cutoff=0.5)
    return f'; did you mean "{near[0]}"?' if near else f"; the options are {', '.join(FIELDS)}"


def _kind(one: dataclasses.Field[Any]) -> type:
    return list if one.default is dataclasses.MISSING else type(one.default)


def _flag_type(name: str) -> Any:
    def read(text: str) -> Any:
        try:
            return checked(name, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise MaskCodecError("--config needs PyYAML; pip install 'maskcodec[train]'") from None
    if not path.is_file():
        raise RecordError("no such file", file=str(path), field="--config")
    if path.stat().st_size > MAX_YAML:
        raise RecordError(f"is larger than {MAX_YAML:,} bytes", file=str(path))
    try:
        found = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"is no YAML: {error}", file=str(path)) from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RecordError("holds no options, expected lines of KEY: VALUE", file=str(path))
    values: dict[str, Any] = {}
    for key, value in found.items():
        name = str(key).replace("-", "_")
        if name not in FIELDS:
            raise RecordError(f"is no option{nearest_option(name)}", file=str(path), field=str(key))
        try:
            values[name] = checked(name, value)
        except ValueError as error:
            raise RecordError(str(error), file=str(path), field=str(key)) from None
    return values
