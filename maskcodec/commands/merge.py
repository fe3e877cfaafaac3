"""`maskcodec merge`: an adapter and its base model to one plain model."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as args

DESCRIPTION = """\
Merge an adapter that `maskcodec train` wrote into its base model.

OUTPUT becomes a folder of weights, tokenizer and processor that `from_pretrained` opens with stock
classes; the rows of added tokens are part of it. Servers that take no adapter with trained
embeddings (vLLM is one) take this. It holds maskcodec.json too, so that `maskcodec segment` knows
what the model speaks. The folder appears when it is complete."""

EXAMPLES = """\
  maskcodec merge runs/dogs dogs-merged
  maskcodec segment photo.jpg "the dog" --model dogs-merged --output out"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "merge", "an adapter to a plain model", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="its folder")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="the folder to make")
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Merge."""
    from ..model_files import merge_adapter
    from .model_notices import quiet_models
    from .terminal import say

    with quiet_models():
        merge_adapter(arguments.adapter, arguments.output)
    if not arguments.quiet:
        say("merge", f"{arguments.adapter} and its base model are {arguments.output} now")
    return 0
