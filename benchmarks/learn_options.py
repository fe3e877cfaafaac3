"""`--train-options` of `bench learn`: flags of `maskcodec train` that are not its own to give."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from maskcodec import MaskCodecError
from maskcodec.commands.train import add_arguments

from .learn_plan import Settings, words

FLAG = "--train-options"

OWN = {
    "model": "--model",
    "data": "--train",
    "val": "--val",
    "output": "--output",
    "spec": "--specs",
    "seed": "--seeds",
    "lr": "--lr",
    "token_lr": "--token-rate",
    "batch_size": "--batch-size",
    "steps": "--steps",
    "minutes": "--minutes",
    "epochs": "--steps",
    "eval_steps": "--eval-steps",
    "eval_examples": "--eval-examples",
    "threads": "--threads",
    "resume": "--resume",
    "overwrite": "--overwrite",
}
"""Options that `bench learn` sets itself, and the flag of its own that says them."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise MaskCodecError(message)


def read_train_options(text: str) -> dict[str, Any]:
    """The options that are given, by their names in `TrainOptions`.

    Raises:
        MaskCodecError: one is no option, or has no such value, or this program itself gives it.
    """
    parser = _Parser(add_help=False)
    add_arguments(parser)
    arguments = words(text, FLAG)
    try:
        found = vars(parser.parse_args(arguments))
    except MaskCodecError as error:
        raise MaskCodecError(f"{FLAG} {text!r}: {error}") from None
    given = {name: one for name, one in found.items() if one is not None and one is not False}
    for name in given:
        if name in OWN:
            flag = "--" + name.replace("_", "-")
            raise MaskCodecError(
                f"{FLAG} {text!r}: this program itself gives {flag}; say it by its own {OWN[name]}"
            )
    if "free" in found:
        raise MaskCodecError(
            f"{FLAG} {text!r}: this program itself gives --free, to codecs without a grammar"
        )
    if "config" in given:
        raise MaskCodecError(f"{FLAG} {text!r}: name options as flags, not by --config")
    return given


def examples_a_step(settings: Settings) -> int:
    """Examples that a step of training takes, in all its passes."""
    passes: int = read_train_options(settings.train_options).get("accumulate", 1)
    return settings.batch_size * passes
